"""Latency."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import AudioIn, AudioOut, Config, Memory, Node, Services, Setting, State, kernel


class Latency(Node):
    """Delay a signal and declare the delay as latency, so that all other paths are made to match."""

    kind = "latency"
    family = "utility"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    frames = Setting("frames", 0, "integer", "Frames of latency.", low=0, high=1_000_000)
    line = Memory(1)
    place = State((1,), "i8")

    @classmethod
    def latency(cls, config: Config) -> int:
        """What the setting says."""
        return int(config.settings["frames"])

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """A ring of exactly as many frames as the delay has."""
        return {"line": np.zeros(int(config.settings["frames"]) * config.channels("in"), np.float32)}

    @kernel
    def process(signal, out, line, place, n):
        size = line.shape[0] // out.lanes
        at = place[0] if place[0] < size else 0
        done = 0
        while done < n:
            run = min(n - done, size - at) if size else n
            for i in range(run):
                for lane in range(out.lanes):
                    x = signal[done + i, lane]
                    if size:
                        k = (at + i) * out.lanes + lane
                        out[done + i, lane] = line[k]
                        line[k] = x
                    else:
                        out[done + i, lane] = x
            done += run
            at += run
            if at >= size:
                at = 0
        place[0] = at
