"""Finding clicks: where a signal bends more sharply than the one it was made from does anywhere near."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

PIECE = 480
"""Frames over which the bend of a signal is taken together."""
NEAR = 7
"""Pieces before and after that still count as near: what was made from a signal may come later than it."""
ROUGHER = 2.0
"""How much sharper than the original's a bend may be."""
FLOOR = 2e-5
"""Below this (−94 dBFS) no bend is a click."""


def bends(signal: Samples) -> npt.NDArray[np.float64]:
    """The second difference of each frame and the two around it, the largest of all channels."""
    found = np.abs(np.diff(signal.astype(np.float64), 2, axis=0)).max(axis=1)
    return np.concatenate([[0.0], found, [0.0]])


def most_near(original: Samples) -> npt.NDArray[np.float64]:
    """For each piece of a signal, the sharpest bend in it and the pieces near it."""
    each = bends(original)
    pieces = np.pad(each, (0, -len(each) % PIECE)).reshape(-1, PIECE).max(axis=1)
    padded = np.pad(pieces, NEAR)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR + 1).max(axis=1)


def clicks(heard: Samples, allowed: npt.NDArray[np.float64] | float) -> list[int]:
    """The frames at which it clicks, one for each piece. ``allowed``: the original's bends, as ``most_near`` gives
    them, or one for all of it.
    """
    each = bends(heard)
    pieces = np.pad(each, (0, -len(each) % PIECE)).reshape(-1, PIECE)
    limit = np.broadcast_to(np.asarray(allowed), len(pieces)) * ROUGHER + FLOOR
    found = np.flatnonzero(pieces.max(axis=1) > limit)
    return [int(k * PIECE + pieces[k].argmax()) for k in found]


def found_of_planted(heard: Samples, allowed: npt.NDArray[np.float64] | float, count: int = 50) -> int:
    """How many of so many clicks put into a signal on purpose are found: gaps of 5 ms."""
    random = np.random.default_rng(1)
    spoilt = heard.copy()
    places = np.sort(random.choice(len(heard) // (4 * PIECE) - 1, count, replace=False) + 1) * 4 * PIECE + PIECE // 3
    for at in places:
        spoilt[at : at + PIECE // 2] = 0.0
    pieces = {frame // PIECE for frame in clicks(spoilt, allowed)}
    return sum(any(at // PIECE + d in pieces for d in (0, 1)) for at in places)
