"""Freeverb, the reverberator that Jezar at Dreampoint gave to the public domain in June 2000.

Per channel eight combs side by side, each with a one-pole lowpass in its feedback, then four allpasses in a row (M. R.
Schroeder 1962, J. A. Moorer 1979). Tunings are frames at 44.1 kHz; the right channel's are longer by a spread.
"""

from __future__ import annotations

from graph.spec import TICK, helper
from nodes.dsp.lines import close, reach
from nodes.dsp.machine import f32

COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALLPASSES = (556, 441, 341, 225)
SPREAD = 23
INPUT_GAIN = 0.015
LOWEST_FEEDBACK, FEEDBACK_RANGE, DAMPING_RANGE = 0.7, 0.28, 0.4


def lengths(rate: float) -> tuple[list[int], list[int]]:
    """Frames of the combs and of the allpasses, left ones first; never less than a tick, which matters below 13 kHz."""
    combs, allpasses = (
        [max(TICK, int((n + side) * rate / 44100)) for side in (0, SPREAD) for n in tunings]
        for tunings in (COMBS, ALLPASSES)
    )
    return combs, allpasses


def seconds_to_minus_120_db(rate: float, size: float) -> float:
    """How long it takes an echo in the longest comb to fall by 120 dB, without damping."""
    from math import log10

    feedback = LOWEST_FEEDBACK + FEEDBACK_RANGE * size
    return max(lengths(rate)[0]) / rate * 6 / -log10(feedback)


@helper
def allpass_tick(lines, k, place, delay, signal, channel):
    """One tick of a channel through an allpass, which only Freeverb calls so: it keeps x + ½·kept[−D], and what comes
    out is kept[−D] − x.
    """
    at = reach(lines, place, delay)
    for i in range(TICK):
        held, x = lines[k, at + i], signal[channel, i]
        lines[k, place + i] = x + held * f32(0.5)
        signal[channel, i] = held - x


@helper
def comb_tick(source, size, damping, at, lines, place, delays, low, tile, target):
    """A tick of mono ``source[0, i]`` through the combs: ``target[channel, i]``. ``low`` keeps the lowpasses."""
    for c in range(2):
        a0 = reach(lines, place, delays[1, 8 * c])
        a1 = reach(lines, place, delays[1, 8 * c + 1])
        a2 = reach(lines, place, delays[1, 8 * c + 2])
        a3 = reach(lines, place, delays[1, 8 * c + 3])
        a4 = reach(lines, place, delays[1, 8 * c + 4])
        a5 = reach(lines, place, delays[1, 8 * c + 5])
        a6 = reach(lines, place, delays[1, 8 * c + 6])
        a7 = reach(lines, place, delays[1, 8 * c + 7])
        k = 8 * c
        for i in range(TICK):
            v0, v1, v2, v3 = lines[k, a0 + i], lines[k + 1, a1 + i], lines[k + 2, a2 + i], lines[k + 3, a3 + i]
            v4, v5, v6, v7 = lines[k + 4, a4 + i], lines[k + 5, a5 + i], lines[k + 6, a6 + i], lines[k + 7, a7 + i]
            tile[c, i, 0] = v0
            tile[c, i, 1] = v1
            tile[c, i, 2] = v2
            tile[c, i, 3] = v3
            tile[c, i, 4] = v4
            tile[c, i, 5] = v5
            tile[c, i, 6] = v6
            tile[c, i, 7] = v7
            target[c, i] = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7
    for i in range(TICK):
        keep = damping[at + i, 0] * f32(DAMPING_RANGE)
        feedback = size[at + i, 0] * f32(FEEDBACK_RANGE) + f32(LOWEST_FEEDBACK)
        x = source[0, i]
        for c in range(2):
            for k in range(8):
                low[c, k] = tile[c, i, k] * (f32(1.0) - keep) + low[c, k] * keep
                tile[c, i, k] = x + low[c, k] * feedback
    for c in range(2):
        k = 8 * c
        for i in range(TICK):
            j = place + i
            lines[k, j] = tile[c, i, 0]
            lines[k + 1, j] = tile[c, i, 1]
            lines[k + 2, j] = tile[c, i, 2]
            lines[k + 3, j] = tile[c, i, 3]
            lines[k + 4, j] = tile[c, i, 4]
            lines[k + 5, j] = tile[c, i, 5]
            lines[k + 6, j] = tile[c, i, 6]
            lines[k + 7, j] = tile[c, i, 7]
    close(lines, 16, place)
