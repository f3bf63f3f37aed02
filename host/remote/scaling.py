"""Where a value lies in its param's range: 0 at the low end, 1 at the high end, along the param's curve."""

from __future__ import annotations

import math

from graph.spec import Param

CONTINUOUS = ("linear", "log")


def position_of(param: Param, value: float) -> float:
    """Where a value lies, 0 to 1; values outside the range are taken for its ends."""
    value = min(max(value, param.low), param.high)
    if param.high <= param.low:
        return 0.0
    if param.curve == "log":
        return math.log(value / param.low) / math.log(param.high / param.low)
    return (value - param.low) / (param.high - param.low)


def value_at(param: Param, position: float) -> float:
    """The value at a position from 0 to 1, in the param's display unit; whole where the param takes whole numbers."""
    position = min(max(position, 0.0), 1.0)
    if position in (0.0, 1.0):  # not left to rounding
        return param.high if position else param.low
    if param.curve == "log":
        value = param.low * math.exp(position * math.log(param.high / param.low))
    else:
        value = param.low + position * (param.high - param.low)
    if param.curve not in CONTINUOUS:
        value = float(math.floor(value + 0.5))
    return min(max(value, param.low), param.high)
