"""Two chains of allpass sections whose outputs are 90° apart over the audible band: what matrix surround needs.

Each section is (c + z⁻¹)/(1 + c·z⁻¹). The poles are those of an elliptic half-band filter turned onto the real axis
(R. A. Valenzuela and A. G. Constantinides, "Digital signal processing schemes for efficient interpolation and
decimation", IEE Proceedings 130 G, 1983), brought to the band by the bilinear transform: the error in phase is
equiripple, at most 0.05° for rates from 8 to 192 kHz.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.machine import fma

LEADING = 8
"""Sections of the chain whose output leads by 90°."""
LAGGING = 9
"""Sections of the chain whose output lags."""
LOWEST_HZ = 20.0
HIGHEST_HZ = 20000.0

_PAIRS = 8
_TERMS = 24
"""Terms of the theta series; far more than their convergence asks for."""


def sections(rate: float) -> npt.NDArray[np.float64]:
    """Coefficients c of the chains, ``[0]`` lagging, ``[1]`` leading (its last one unused), for a sample rate in Hz."""
    low = math.tan(math.pi * LOWEST_HZ / rate)
    high = math.tan(math.pi * min(HIGHEST_HZ, 0.45 * rate) / rate)
    middle, ratio = math.sqrt(low * high), math.sqrt(low / high)
    roots = [math.sqrt(a) for a in _half_band(((1.0 - ratio) / (1.0 + ratio)) ** 2)]
    # Poles of the analog prototype (p - s)/(p + s): pairs p and 1/p around the middle of the band.
    lagging = [1.0] + [(1 + c) / (1 - c) for r in roots[1::2] for c in (r, -r)]
    leading = [(1 + c) / (1 - c) for r in roots[0::2] for c in (r, -r)]
    found = np.zeros((2, LAGGING))
    for row, poles in enumerate((lagging, leading)):
        scaled = np.sort(np.array(poles)) * middle
        found[row, : len(scaled)] = (scaled - 1.0) / (scaled + 1.0)
    return found


def _half_band(k: float) -> list[float]:
    """The coefficients of the second-order allpass sections of an elliptic half-band filter of modulus k."""
    complementary = (1.0 - k * k) ** 0.25
    e = 0.5 * (1.0 - complementary) / (1.0 + complementary)
    q = e + 2 * e**5 + 15 * e**9 + 150 * e**13 + 1707 * e**17
    order = 2 * _PAIRS + 1
    found: list[float] = []
    for c in range(1, _PAIRS + 1):
        angle = c * math.pi / order
        top = 2 * q**0.25 * sum((-1) ** i * q ** (i * (i + 1)) * math.sin((2 * i + 1) * angle) for i in range(_TERMS))
        bottom = 1 + 2 * sum((-1) ** i * q ** (i * i) * math.cos(2 * i * angle) for i in range(1, _TERMS))
        w = (top / bottom) ** 2
        x = math.sqrt((1 - w * k) * (1 - w / k)) / (1 + w)
        found.append((1 - x) / (1 + x))
    return found


def settling(rate: float) -> float:
    """Seconds until the slowest section has decayed by 140 dB."""
    slowest = np.max(np.abs(sections(rate)))
    return float(-16.2 / math.log(slowest) / rate)


@helper
def through(x, before, lane, coefficients, row, count):
    """One frame through a chain. ``before[k, lane]`` is what went into section k a frame ago."""
    for k in range(count):
        y = fma(coefficients[row, k], x - before[k + 1, lane], before[k, lane])
        before[k, lane] = x
        x = y
    before[count, lane] = x
    return x
