"""Sines by the turn, and phases that stay exact however long they run: plain arithmetic, so that loops over it become
vector code.
"""

from __future__ import annotations

import math

from graph.spec import helper
from nodes.dsp.machine import fma, select

HALF_PI = math.pi / 2
TWO_PI = 2 * math.pi
TO_WHOLE = 6755399441055744.0
"""1.5 · 2^52: adding it to a float64 below 2^51 leaves no bits for a fraction."""
TO_PART = 384.0
"""1.5 · 2^8: adding it to a float64 within ±1 leaves 44 bits for a fraction."""

# Where a phase is held, by the place in a state of four float64: the part of a turn and the whole turns at a frame, the
# frame, and the frequency from there on (zero: not known yet).
PART, WHOLE, FRAME, FREQUENCY = 0, 1, 2, 3


@helper
def nearest(x):
    """The whole number nearest to x, as float64; |x| < 2^51."""
    return (x + TO_WHOLE) - TO_WHOLE


@helper
def part_of_turn(x):
    """x less the whole turns in it: 0 ≤ … < 1, to 2⁻⁴⁴, so that what is whole but for rounding is whole."""
    r = ((x - nearest(x)) + TO_PART) - TO_PART
    return select(r < 0.0, r + 1.0, r)


@helper
def sine_to_quarter(y):
    """sin y for 0 ≤ y ≤ π/2 in radians, relative error below 1e-15: the Taylor series."""
    z = y * y
    p = fma(z, -8.22063524662433e-18, 2.8114572543455206e-15)
    p = fma(p, z, -7.647163731819816e-13)
    p = fma(p, z, 1.6059043836821613e-10)
    p = fma(p, z, -2.505210838544172e-08)
    p = fma(p, z, 2.7557319223985893e-06)
    p = fma(p, z, -0.0001984126984126984)
    p = fma(p, z, 0.008333333333333333)
    p = fma(p, z, -0.16666666666666666)
    return fma(p * z, y, y)


@helper
def quarter_sine(x):
    """sin(x·π/2) for 0 ≤ x ≤ 1: from exactly 0 to 1 (to float64 rounding)."""
    return sine_to_quarter(x * HALF_PI)


@helper
def sine_of_turns(x):
    """sin(2πx) for |x| < 2^51, absolute error below 1e-15 beyond what x itself is rounded by."""
    r = x - nearest(x)
    a = abs(r)
    s = sine_to_quarter(min(a, 0.5 - a) * TWO_PI)
    return select(r < 0.0, -s, s)


@helper
def steer(phase, frequency, frame, rate):
    """Let a phase go on with a frequency, in turns per second, from a frame on.

    The first frequency counts from the timeline's zero: while it stays, the phase is frequency · frame / rate.
    """
    if frequency != phase[FREQUENCY]:
        if phase[FREQUENCY] != 0.0:
            part = part_of_turn(turn_at(phase, frame, rate))
            phase[WHOLE] = whole_turns_at(phase, frame, rate, part)
            phase[PART] = part
            phase[FRAME] = frame
        phase[FREQUENCY] = frequency


@helper
def turn_at(phase, frame, rate):
    """The part of a turn at a frame, give or take a whole one; what is rounded off does not grow with time."""
    step = phase[FREQUENCY] / rate
    rest = fma(-step, rate, phase[FREQUENCY]) / rate
    distance = frame - phase[FRAME]
    high = step * distance
    low = fma(rest, distance, fma(step, distance, -high))
    return (high - nearest(high)) + low + phase[PART]


@helper
def whole_turns_at(phase, frame, rate, part):
    """The whole turns up to a frame, of which the part of a turn is known."""
    turns = fma(phase[FREQUENCY] / rate, frame - phase[FRAME], phase[PART])
    return phase[WHOLE] + nearest(turns - part)
