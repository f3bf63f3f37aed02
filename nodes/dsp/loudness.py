"""What every loudness meter needs: K-weighting at any sample rate, the weights of channels, gates, and the filters that
find true peaks.

Sources: ITU-R BS.1770-5 (11/2023), EBU Tech 3341 (momentary, short-term, integrated), EBU Tech 3342 (range).

BS.1770-5 Annex 1 prints coefficients for 48 kHz only. They are the bilinear transform of two analog sections, a high
shelf and a high-pass; the parameters below are those sections solved back from the printed numbers (the values every
rate-independent meter uses), so other rates follow by transforming again.

Annex 2 asks for at least four times the sample rate of 48 kHz material. A 4x grid can still fall half a step beside the
crest and read 0.5 dB low at 20 kHz, so rates below 96 kHz are read on an 8x grid (0.12 dB), higher ones on 4x. The
interpolator is a Kaiser-windowed sinc; every ``factor``-th point is a sample itself.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from graph.spec import TICK, helper
from nodes.dsp.machine import f32, fma, fma32

Curve = npt.NDArray[np.float64]

LOWEST_RATE, HIGHEST_RATE = 4_000, 3_072_000
"""Hz; the K-weighting's shelf must lie below half the rate."""

OFFSET = -0.691
"""BS.1770: cancels the K-weighting's gain at 997 Hz."""
ABSOLUTE_GATE_LUFS = -70.0
INTEGRATED_GATE_LU = -10.0
"""Below the mean of what passes the absolute gate (BS.1770-5 Annex 1)."""
RANGE_GATE_LU = -20.0
"""The same for the loudness range (EBU Tech 3342)."""
RANGE_PERCENTILES = (10.0, 95.0)

STEPS_PER_SECOND = 100
"""Windows end on a grid of 10 ms: EBU Tech 3341 case 13 starts its 400 ms bursts anywhere."""
MOMENTARY_STEPS, SHORT_TERM_STEPS = 40, 300
BLOCK_STEPS = 10
"""Gating blocks and loudness-range windows start every 100 ms."""

SHELF_HZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
SHELF_BAND_EXPONENT = 0.4996667741545416
"""The shelf's middle gain as a power of its top gain: nearly the square root, but not to the digits of the print."""
HIGHPASS_HZ, HIGHPASS_Q = 38.13547087602444, 0.5003270373238773
_K48 = math.tan(math.pi * HIGHPASS_HZ / 48_000)
HIGHPASS_GAIN = 1.0 + _K48 / HIGHPASS_Q + _K48 * _K48
"""The print leaves the high-pass's numerator at 1 −2 1, undivided by a0: a gain of 0.043 dB, which is part of the
response that other rates have to match ("the same frequency response that the specified filter provides at 48 kHz")."""

TAPS = 48
"""Taps of each phase of the true-peak filter, even."""
BETA = 6.0
"""Images 63 dB down; flat within 0.02 dB up to 0.46 of the sample rate (20.3 kHz at 44.1 kHz)."""

_POSITIONS: dict[str, tuple[float, float]] = {
    "M": (0.0, 0.0),
    "L": (30.0, 0.0),
    "R": (30.0, 0.0),
    "C": (0.0, 0.0),
    "Ls": (110.0, 0.0),
    "Rs": (110.0, 0.0),
    "Lss": (90.0, 0.0),
    "Rss": (90.0, 0.0),
    "Lrs": (135.0, 0.0),
    "Rrs": (135.0, 0.0),
    "Ltf": (45.0, 30.0),
    "Rtf": (45.0, 30.0),
    "Ltr": (135.0, 30.0),
    "Rtr": (135.0, 30.0),
}
"""Where BS.2051 puts our labels: degrees of azimuth (magnitude) and elevation. Mono plays from the centre."""


def channel_weight(label: str) -> float:
    """The weight of a channel's power in the loudness sum.

    BS.1770-5 Annex 3, table 4: 1.41 between 60° and 120° of azimuth and below 30° of elevation, 1.0 anywhere else (so
    the rears of 7.1 at ±135° and all heights count 1.0); LFE channels are left out. A label whose position we do not
    know counts 1.0.
    """
    if label.startswith("LFE"):
        return 0.0
    azimuth, elevation = _POSITIONS.get(label, (0.0, 0.0))
    return 1.41 if 60.0 <= azimuth <= 120.0 and elevation < 30.0 else 1.0


def k_weighting_sections(rate: float) -> Curve:
    """Both biquads as [2, 6] rows of b0 b1 b2 a0 a1 a2 (a0 = 1), pre-filter first. ``rate`` in Hz."""
    k = math.tan(math.pi * SHELF_HZ / rate)
    top = 10.0 ** (SHELF_DB / 20.0)
    band = top**SHELF_BAND_EXPONENT
    a0 = 1.0 + k / SHELF_Q + k * k
    shelf = [
        (top + band * k / SHELF_Q + k * k) / a0,
        2.0 * (k * k - top) / a0,
        (top - band * k / SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / SHELF_Q + k * k) / a0,
    ]
    k = math.tan(math.pi * HIGHPASS_HZ / rate)
    a0 = 1.0 + k / HIGHPASS_Q + k * k
    gain = HIGHPASS_GAIN / a0
    highpass = [gain, -2.0 * gain, gain, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / HIGHPASS_Q + k * k) / a0]
    return np.array([shelf, highpass])


def factor_for(rate: float) -> int:
    """Grid points per sample at a rate in Hz."""
    return 8 if rate < 96_000 else 4


def between_samples(factor: int) -> Curve:
    """Weights [factor − 1, TAPS] of TAPS frames for the points between their two middle ones."""
    # A point lies phase/factor past the middle frame of its own TAPS frames.
    taps = np.arange(TAPS) - (TAPS / 2 - 1)
    found = np.zeros((factor - 1, TAPS))
    for phase in range(1, factor):
        offset = taps - phase / factor
        window = np.i0(BETA * np.sqrt(np.maximum(0.0, 1.0 - (2.0 * offset / TAPS) ** 2))) / np.i0(BETA)
        weights = np.sinc(offset) * window
        found[phase - 1] = weights / weights.sum()
    return found


@helper
def k_weigh(x, sections, states, lane):
    """One sample of a lane through both biquads (transposed direct form II); ``states[4, lane]``."""
    y = fma(sections[0, 0], x, states[0, lane])
    states[0, lane] = fma(sections[0, 1], x, fma(-sections[0, 4], y, states[1, lane]))
    states[1, lane] = fma(sections[0, 2], x, -sections[0, 5] * y)
    z = fma(sections[1, 0], y, states[2, lane])
    states[2, lane] = fma(sections[1, 1], y, fma(-sections[1, 4], z, states[3, lane]))
    states[3, lane] = fma(sections[1, 2], y, -sections[1, 5] * z)
    return z


@helper
def crests_between(past, lanes, weights, points, top, highest):
    """Raise ``highest[lane]`` to the largest magnitude between the samples of a tick.

    ``past`` holds TAPS − 1 + TICK frames, flat [frame · lanes + lane]; ``points`` and ``top`` have room for a tick.
    """
    size = TICK * lanes
    for j in range(size):
        top[j] = f32(0.0)
    for phase in range(weights.shape[0]):
        for j in range(size):
            points[j] = f32(0.0)
        for k in range(0, TAPS, 4):
            w0, w1, w2, w3 = weights[phase, k], weights[phase, k + 1], weights[phase, k + 2], weights[phase, k + 3]
            at = k * lanes
            for j in range(size):
                x0, x1 = past[at + j], past[at + lanes + j]
                x2, x3 = past[at + 2 * lanes + j], past[at + 3 * lanes + j]
                points[j] = fma32(w3, x3, fma32(w2, x2, fma32(w1, x1, fma32(w0, x0, points[j]))))
        for j in range(size):
            top[j] = max(top[j], abs(points[j]))
    for i in range(TICK):
        for lane in range(lanes):
            highest[lane] = max(highest[lane], top[i * lanes + lane])
