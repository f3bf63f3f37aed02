"""Numbers that count for hours: params reach kernels as float32, and a frequency off by that much drifts."""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp.machine import f32, select
from nodes.dsp.turns import nearest


@helper
def precise(value, stored):
    """What a float32 was before it was rounded: the stored float64, if that is the one; else, since the param has been
    moved, the decimal number of seven digits that becomes it, if there is one.
    """
    if f32(stored) == value:
        return stored
    x = float(value)
    power = 1.0
    while x * power < 1e6 and power < 1e16:
        power *= 10.0
    decimal = nearest(x * power) / power
    return select(f32(decimal) == value, decimal, x)
