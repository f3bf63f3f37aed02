"""Sample delay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import TICK, AudioIn, AudioOut, Config, Memory, Node, Param, Services, State, kernel
from nodes.dsp.machine import finite

LONGEST = 192_000
SIZE = 1 << 18
"""Frames that the line holds: a power of two beyond the longest delay and a tick."""


class SampleDelay(Node):
    """Delay a signal by whole samples, audibly: compensation leaves it alone.

    While the delay moves, every frame is heard as the nearest whole number of frames ago. A delay of at least 64 frames
    may close a loop.
    """

    kind = "sample_delay"
    family = "time"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    frames = Param("frames", 0, 0, LONGEST, "frames", "integer", "Delay.")
    line = Memory(1)
    place = State((1,), "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        """The delay, or the longest one where it moves."""
        frames = LONGEST if "frames" in config.driven else config.params["frames"]
        return frames / config.rate

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The line: room for the longest delay, since the delay may be turned up at any time."""
        return {"line": np.zeros(SIZE * config.channels("in"), np.float32)}

    @kernel
    def process(signal, out, frames, line, place, n):
        at = place[0]
        for start in range(0, n, TICK):
            for i in range(TICK):
                for lane in range(out.lanes):
                    line[(at + i) * out.lanes + lane] = signal[start + i, lane]
            i = 0
            while i < TICK:
                delay = int(frames[start + i, 0] + 0.5)
                first = (at + i - delay) & (SIZE - 1)
                run = min(TICK - i, frames.until(start + i) - start - i, SIZE - first)
                for j in range(run):
                    for lane in range(out.lanes):
                        out[start + i + j, lane] = line[(first + j) * out.lanes + lane]
                i += run
            at = (at + TICK) & (SIZE - 1)
        place[0] = at

    @kernel
    def emit(out, frames, line, place, skew, n):
        at = place[0]
        for i in range(n):
            delay = max(int(frames[i, 0] + 0.5) - skew, TICK)
            for lane in range(out.lanes):
                # What comes round a loop is cleaned, so that nothing can go round for ever that is no number.
                out[i, lane] = finite(line[((at + i - delay) & (SIZE - 1)) * out.lanes + lane])

    @kernel
    def absorb(signal, line, place, n):
        at = place[0]
        for i in range(n):
            for lane in range(signal.lanes):
                line[((at + i) & (SIZE - 1)) * signal.lanes + lane] = signal[i, lane]
        place[0] = (at + n) & (SIZE - 1)
