"""True peak (ITU-R BS.1770-5 Annex 2): the largest magnitude of the band-limited signal between its samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.dsp.loudness import TAPS, between_samples

BLOCK = 64  # frames one row of the matrix product interpolates

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Interpolator:
    """The phases between the samples, as one matrix that interpolates `BLOCK` frames at once."""

    factor: int  # grid points per sample
    matrix: NDArray[np.float32]  # [BLOCK + TAPS - 1, (factor - 1) · BLOCK]

    def peaks(self, history: FloatArray, chunk: FloatArray) -> FloatArray:
        """The largest magnitude between samples, per channel [C].

        `history` [C, TAPS - 1] are the frames before `chunk` [C, k·BLOCK]. What is read ends TAPS/2 frames before the
        end of `chunk`: the rest needs the frames to come.
        """
        # float32 resolves 1e-6 dB here and is twice as fast, but its range ends where a broken file may go on.
        frames = np.concatenate([history, chunk], axis=1)
        dtype = np.float64 if max(frames.max(), -frames.min()) > 1e30 else np.float32
        frames = frames.astype(dtype, copy=False)
        windows = np.lib.stride_tricks.sliding_window_view(frames, BLOCK + TAPS - 1, axis=1)[:, ::BLOCK]
        between = windows @ self.matrix.astype(dtype, copy=False)
        return np.maximum(between.max(axis=(1, 2)), -between.min(axis=(1, 2))).astype(np.float64)


@lru_cache(maxsize=2)
def interpolator(factor: int) -> Interpolator:
    """The interpolator of a factor; designed once."""
    matrix = np.zeros((BLOCK + TAPS - 1, BLOCK, factor - 1))
    for phase, weights in enumerate(between_samples(factor)):
        for frame in range(BLOCK):
            matrix[frame : frame + TAPS, frame, phase] = weights
    return Interpolator(factor, matrix.reshape(BLOCK + TAPS - 1, -1).astype(np.float32))
