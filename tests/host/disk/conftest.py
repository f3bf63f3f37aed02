"""A transport that only the test moves, and files to play."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from graph.spec import FileRequest
from host.audiofile import create_audio
from host.disk.feeds import open_request
from host.disk.tapes import RING, Tape, spare
from host.native.abi import STREAM_END, STREAM_START

RATE = 48000
PATIENCE_S = 60.0


@dataclass
class Head:
    """A playhead; it moves when it is told to."""

    bank: int = 0
    place: int = 0
    rolling: bool = True
    wraps: int = 0
    loop: tuple[int, int] | None = None

    def jump(self, place: int) -> None:
        """Go to where the spare bank was prepared for."""
        self.rolling, rolling = False, self.rolling
        self.place = place
        self.bank = spare(self.bank)
        self.rolling = rolling

    def wrap(self) -> None:
        """Go back by the length of the loop."""
        assert self.loop
        self.place -= self.loop[1] - self.loop[0]
        self.bank ^= 1
        self.wraps += 1


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, which must come true before long."""
    late = monotonic() + PATIENCE_S
    while not true():
        assert monotonic() < late, f"waited {PATIENCE_S:g} s for {what}"
        sleep(0.001)


def span(tape: Tape, bank: int) -> tuple[int, int]:
    """Which places a bank holds, as its words say."""
    return int(tape.words[8 * bank + STREAM_START]), int(tape.words[8 * bank + STREAM_END])


def holds(tape: Tape, bank: int, place: int, frames: int) -> bool:
    start, end = span(tape, bank)
    return start <= place and place + frames <= end


def heard(tape: Tape, bank: int, place: int, frames: int) -> np.ndarray:
    """What native code would read."""
    assert holds(tape, bank, place, frames), (place, frames, span(tape, bank))
    return tape.banks[bank].ring[np.arange(place, place + frames) & (RING - 1)]


def agrees(tape: Tape, bank: int, place: int, expected: np.ndarray) -> bool:
    """Whether these frames are there by now."""
    frames = len(expected)
    return holds(tape, bank, place, frames) and np.array_equal(heard(tape, bank, place, frames), expected)


def play(tape: Tape, head: Head, frames: int) -> np.ndarray:
    """Read the next frames from the bank in play, as soon as they are there, and move on."""
    until(lambda: holds(tape, head.bank, head.place, frames), f"frames from {head.place} on")
    found = heard(tape, head.bank, head.place, frames)
    head.place += frames
    return found


def offline(folder: Path, request: FileRequest, start: int, frames: int, rate: int = RATE) -> np.ndarray:
    """What a render is fed."""
    feed = open_request(request, folder / request.path, rate)
    out = np.empty((frames, feed.reader.channels), np.float32)
    feed(start, out)
    feed.close()
    return out


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


LABELS = {1: ("M",), 2: ("L", "R"), 6: ("L", "R", "C", "LFE", "Ls", "Rs")}


def write(path: Path, data: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Path:
    with create_audio(path, rate, LABELS[data.shape[1]], subtype=subtype) as writer:
        writer.write(data)
    return path
