"""Powers, logarithms and decibels as plain arithmetic, so that a loop over them becomes vector code with the same bits
in every lane.
"""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp.machine import bits_of, float_of, fma

LOG2_OF_10_OVER_20 = 0.16609640474436813
DB_PER_LOG2 = 6.020599913279624


@helper
def exp2(x):
    """2^x for |x| < 1000, relative error below 4e-15 (float64): the Taylor series of 2^f on |f| ≤ ½, scaled by the
    integer part.
    """
    whole = int(x + 1024.5) - 1024
    f = (x - whole) * 0.6931471805599453
    p = fma(f, 1.1470745597729725e-11, 1.6059043836821613e-10)
    p = fma(p, f, 2.08767569878681e-09)
    p = fma(p, f, 2.505210838544172e-08)
    p = fma(p, f, 2.755731922398589e-07)
    p = fma(p, f, 2.7557319223985893e-06)
    p = fma(p, f, 2.48015873015873e-05)
    p = fma(p, f, 0.0001984126984126984)
    p = fma(p, f, 0.001388888888888889)
    p = fma(p, f, 0.008333333333333333)
    p = fma(p, f, 0.041666666666666664)
    p = fma(p, f, 0.16666666666666666)
    p = fma(p, f, 0.5)
    p = fma(p, f, 1.0)
    p = fma(p, f, 1.0)
    return p * float_of((whole + 1023) << 52)


@helper
def log2(x):
    """Base-2 logarithm of a positive normal number, absolute error below 2e-14: atanh series on a mantissa within √½ …
    √2.
    """
    bits = bits_of(x)
    shifted = bits - 0x3FE6A09E667F3BCD
    power = shifted >> 52
    m = float_of(bits - (power << 52))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = fma(z, 0.058823529411764705, 0.06666666666666667)
    p = fma(p, z, 0.07692307692307693)
    p = fma(p, z, 0.09090909090909091)
    p = fma(p, z, 0.1111111111111111)
    p = fma(p, z, 0.14285714285714285)
    p = fma(p, z, 0.2)
    p = fma(p, z, 0.3333333333333333)
    p = fma(p, z, 1.0)
    return fma(s * p, 2.8853900817779268, float(power))


@helper
def exp2_fast(x):
    """2^x in float64 with relative error below 2e-8, enough for a float32 gain, in about half the operations."""
    whole = int(x + 1024.5) - 1024
    f = x - whole
    p = fma(f, 1.5252733804059841e-05, 0.0001540353039338161)
    p = fma(p, f, 0.0013333558146428441)
    p = fma(p, f, 0.009618129107628477)
    p = fma(p, f, 0.05550410866482158)
    p = fma(p, f, 0.24022650695910072)
    p = fma(p, f, 0.6931471805599453)
    p = fma(p, f, 1.0)
    return p * float_of((whole + 1023) << 52)


@helper
def gain_of_db(db):
    """Linear gain of a level in decibels; at −96 dB and below, exactly zero."""
    return 0.0 if db <= -96.0 else exp2(db * LOG2_OF_10_OVER_20)


@helper
def db_of(gain):
    """Decibels of a positive gain."""
    return log2(gain) * DB_PER_LOG2


@helper
def clamped(x, low, high):
    """x within low … high, without a branch."""
    return min(max(x, low), high)
