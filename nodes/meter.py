"""Meter."""

from __future__ import annotations

import math

from graph.spec import LANES, TICK, AudioIn, AudioOut, Node, Reading, Scratch, State, kernel
from nodes.dsp.levels import fall
from nodes.dsp.machine import finite

INTEGRATION_S = 0.3
PARTS = 8
"""Running sums and maxima side by side, since one that waits for itself is slow."""


class Meter(Node):
    """Show the level of a signal, which passes through unchanged.

    Readings, channel by channel, linear: the peak (at once up, down by 20 dB in 1.7 s), the root of the mean square
    (exponentially over 0.3 s), and the highest sample since the start.
    """

    kind = "meter"
    family = "analysis"
    bypassable = True
    wide = True

    signal = AudioIn("in")
    out = AudioOut("out")
    peak = Reading(doc="Highest absolute sample, falling by 20 dB in 1.7 s.")
    rms = Reading(doc="Root of the mean square over 0.3 s.")
    highest = Reading(doc="Highest absolute sample since the start.")
    top = State((LANES,))
    square = State((LANES,))
    high = Scratch((PARTS, LANES), "f4")
    power = Scratch((PARTS, LANES), "f4")

    @kernel
    def process(signal, out, peak, rms, highest, top, square, high, power, rate, n):
        kept = fall(TICK, rate)
        keep = math.exp(-TICK / (INTEGRATION_S * rate))
        for start in range(0, n, TICK):
            for part in range(PARTS):
                for lane in range(out.lanes):
                    high[part, lane] = 0.0
                    power[part, lane] = 0.0
            for i in range(start, start + TICK, PARTS):
                for part in range(PARTS):
                    for lane in range(out.lanes):
                        out[i + part, lane] = signal[i + part, lane]
                        x = finite(signal[i + part, lane])
                        high[part, lane] = max(high[part, lane], abs(x))
                        power[part, lane] += x * x
            for lane in range(out.lanes):
                most, total = 0.0, 0.0
                for part in range(PARTS):
                    most = max(most, float(high[part, lane]))
                    total += power[part, lane]
                top[lane] = max(top[lane] * kept, most)
                highest[lane] = max(highest[lane], most)
                square[lane] += (1.0 - keep) * (total / TICK - square[lane])
                if not square[lane] < 1e30:
                    square[lane] = 0.0
        for lane in range(out.lanes):
            peak[lane] = top[lane]
            rms[lane] = math.sqrt(square[lane])
