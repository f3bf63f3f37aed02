"""How loud a signal is, for the eye: the peak of each lane, at once up and falling slowly."""

from __future__ import annotations

import math

from graph.spec import TICK, helper

FALL_DB_PER_S = 20.0 / 1.7
"""How a peak falls (IEC 60268-10, type I)."""
PARTS = TICK
"""Rows of working space that ``crests`` wants."""
READ = 8
"""Rows of working space that ``crests_read`` wants."""


@helper
def fall(frames, rate):
    """What is left of a peak after so many frames at ``rate``, linear."""
    return math.exp(-FALL_DB_PER_S * math.log(10.0) / 20.0 * frames / rate)


@helper
def crests(start, signal, lanes, high):
    """The highest absolute sample of each lane, over the tick that begins at frame ``start``, into ``high[0, lane]``.
    What is no number does not count.

    Halves are laid upon each other, into rows that are not read meanwhile: so whole vectors are compared.
    ``high[PARTS, lane]`` is working space.
    """
    for i in range(32):
        for lane in range(lanes):
            a, b = abs(signal[start + i, lane]), abs(signal[start + 32 + i, lane])
            high[i, lane] = a if a > b else b if b >= 0.0 else 0.0
    for i in range(16):
        for lane in range(lanes):
            a, b = high[i, lane], high[16 + i, lane]
            high[32 + i, lane] = a if a > b else b
    for i in range(8):
        for lane in range(lanes):
            a, b = high[32 + i, lane], high[40 + i, lane]
            high[48 + i, lane] = a if a > b else b
    for i in range(4):
        for lane in range(lanes):
            a, b = high[48 + i, lane], high[52 + i, lane]
            high[56 + i, lane] = a if a > b else b
    for lane in range(lanes):
        a, b, c, d = high[56, lane], high[57, lane], high[58, lane], high[59, lane]
        a = a if a > b else b
        c = c if c > d else d
        high[0, lane] = a if a > c else c


@helper
def crests_read(stream, t, first, last, lanes, high):
    """The highest absolute sample of each lane that a stream holds from frame ``t + first`` to before ``t + last``,
    without a seam between, into ``high[0, lane]``. What is no number does not count.

    ``high[READ, lane]`` is working space.
    """
    for part in range(READ):
        for lane in range(lanes):
            high[part, lane] = 0.0
    whole = last - (last - first) % READ
    for i in range(first, whole, READ):
        for part in range(READ):
            for lane in range(lanes):
                a, b = abs(stream[t, i + part, lane]), high[part, lane]
                high[part, lane] = a if a > b else b
    for i in range(whole, last):
        for lane in range(lanes):
            a, b = abs(stream[t, i, lane]), high[0, lane]
            high[0, lane] = a if a > b else b
    for part in range(1, READ):
        for lane in range(lanes):
            a, b = high[part, lane], high[0, lane]
            high[0, lane] = a if a > b else b
