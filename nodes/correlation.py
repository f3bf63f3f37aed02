"""Correlation."""

from __future__ import annotations

import math

from graph.spec import TICK, AudioIn, AudioOut, Node, Param, Reading, State, kernel
from nodes.dsp.lines import clean

POINTS = 512
EVERY = 2
"""Frames from one point to the next."""
SILENT = 1e-12
"""Power below which there is nothing to compare: −120 dB."""


class Correlation(Node):
    """Show how left and right of a signal belong together; it passes through unchanged.

    The correlation is 1 where both sides are the same, 0 where they have nothing in common, −1 where they cancel each
    other: the mean of L·R by the root of the means of L² and R², exponentially over ``window_ms``. The balance is
    (power of R − power of L) by their sum, from −1 to 1. Silence reads 0. The points are the last ones of a goniometer:
    across (R − L)/√2 and up (L + R)/√2.
    """

    kind = "correlation"
    family = "analysis"
    bypassable = True

    signal = AudioIn("in", "stereo")
    out = AudioOut("out", "stereo")
    window = Param("window_ms", 300.0, 10.0, 5000.0, "ms", rate="tick", doc="Time over which means are taken.")
    correlation = Reading(doc="From 1, both sides the same, over 0 to -1, one the inverse of the other.", shape=(1,))
    balance = Reading(doc="From -1, all left, to 1, all right.", shape=(1,))
    points = Reading(doc="Pairs of across and up, as a goniometer draws them; in no order.", shape=(POINTS, 2))
    means = State((3,))
    place = State((1,), "i8")

    @kernel
    def process(signal, out, window, correlation, balance, points, means, place, rate, n):
        root = math.sqrt(0.5)
        for start in range(0, n, TICK):
            left, right, both = 0.0, 0.0, 0.0
            for i in range(start, start + TICK):
                out[i, 0], out[i, 1] = signal[i, 0], signal[i, 1]
                x, y = 1.0 * clean(signal[i, 0]), 1.0 * clean(signal[i, 1])
                left += x * x
                right += y * y
                both += x * y
            for i in range(start, start + TICK, EVERY):
                x, y = 1.0 * clean(signal[i, 0]), 1.0 * clean(signal[i, 1])
                points[place[0], 0], points[place[0], 1] = root * (y - x), root * (x + y)
                place[0] = (place[0] + 1) % POINTS
            share = 1.0 - math.exp(-TICK * 1000.0 / (float(window[start, 0]) * rate))
            means[0] += share * (left / TICK - means[0])
            means[1] += share * (right / TICK - means[1])
            means[2] += share * (both / TICK - means[2])
        correlation[0] = balance[0] = 0.0
        if means[0] > SILENT and means[1] > SILENT:
            correlation[0] = max(-1.0, min(1.0, means[2] / math.sqrt(means[0] * means[1])))
        if means[0] + means[1] > SILENT:
            balance[0] = (means[1] - means[0]) / (means[0] + means[1])
