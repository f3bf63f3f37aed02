"""Operations of the machine that Python has no word for. In Python they run as written; in a kernel each is one
instruction.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

ROOT_HALF = 0.7071067690849304
"""The float32 nearest to √½."""


def _intrinsic(function: F) -> F:
    function.__native_intrinsic__ = function.__name__  # pyright: ignore[reportFunctionMemberAccess]
    return function


@_intrinsic
def fma(a: float, b: float, c: float) -> float:
    """a·b + c, rounded once, in float64. (In plain Python: rounded twice.)"""
    return a * b + c


@_intrinsic
def fma32(a: float, b: float, c: float) -> float:
    """a·b + c, rounded once, in float32. (In plain Python: whatever the operands' types give.)"""
    return a * b + c


@_intrinsic
def f32(x: float) -> float:
    """x rounded to float32."""
    return struct.unpack("f", struct.pack("f", x))[0]


@_intrinsic
def bits_of(x: float) -> int:
    """The bit pattern of a float64 as a signed integer."""
    return struct.unpack("q", struct.pack("d", x))[0]


@_intrinsic
def float_of(bits: int) -> float:
    """The float64 with this bit pattern."""
    return struct.unpack("d", struct.pack("q", bits))[0]


@_intrinsic
def select(condition: bool, a: float, b: float) -> float:
    """``a`` if the condition holds, else ``b``, without a branch; both are evaluated."""
    return a if condition else b


@_intrinsic
def finite(x: float) -> float:
    """x, or zero where x is NaN or infinite (float32)."""
    return x if math.isfinite(x) else 0.0


@_intrinsic
def exponent32(x: float) -> float:
    """The whole number e (as float32) for which x = m · 2^e with m within √½ … √2, for a positive float32."""
    m, e = math.frexp(x)
    return float(e - (m < ROOT_HALF))


@_intrinsic
def mantissa32(x: float) -> float:
    """The m of x = m · 2^e with m within √½ … √2, for a positive float32."""
    m, _ = math.frexp(x)
    return m * 2 if m < ROOT_HALF else m


@_intrinsic
def scaled32(x: float, e: float) -> float:
    """x · 2^(e − 1.5 · 2^23) in float32, for a whole e, where x and the result are normal numbers."""
    return math.ldexp(x, int(e) - 12582912)
