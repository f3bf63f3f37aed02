"""Second-order filters: their design, their response, and the state that lasts when they change.

Formulas: Robert Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients"
(https://www.w3.org/TR/audio-eq-cookbook/), the bandpass with a peak of 0 dB, the shelves by Q. They are bilinear
transforms, so the same filters are state variable filters with trapezoidal integrators: Andrew Simper, "Solving the
continuous SVF equations using trapezoidal integration and equivalent currents" (https://cytomic.com/technical-papers),
where a filter is its tuning g, its damping k, and the shares m0, m1, m2 of input, bandpass and lowpass in its output.

A filter at rest runs as a direct form, which is quickest: ``w0 = x - a1·w1 - a2·w2``, ``y = b0·x + c1·w1 + c2·w2``. A
filter that moves runs on its integrators, whose energy no movement can raise: with a change of g and k their step stays
a contraction, while a direct form may grow without bound. The two kinds of state are the same signals to other scales:
``bandpass = (w1 - w2)·2g/D`` and ``lowpass = (w1 + w2)·2g²/D``, ``D = 1 + g·k + g²``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.exponentials import exp2
from nodes.dsp.machine import fma

TYPES = ("lowpass", "highpass", "bandpass", "notch", "allpass", "peak", "lowshelf", "highshelf")
"""The types by number."""

HIGHEST = 0.499
"""The highest frequency, as a part of the sample rate: at half of it every type loses its meaning."""

LOG2_OF_10_OVER_40 = 0.08304820237218407

Curve = npt.NDArray[np.float64]


@helper
def design(type, freq, q, gain_db, rate):
    """g, k, m0, m1, m2 of a filter of the type with this number, in float64.

    ``freq`` and ``rate`` in Hz; a frequency above ``HIGHEST`` · rate is taken as that. Gain is heard of peak and
    shelves alone.
    """
    g = math.tan(math.pi * min(freq / rate, HIGHEST))
    k = 1.0 / q
    m0, m1, m2 = 1.0, 0.0, 0.0
    if type == 0:
        m0, m2 = 0.0, 1.0
    elif type == 1:
        m1, m2 = -k, -1.0
    elif type == 2:
        m0, m1 = 0.0, k
    elif type == 3:
        m1 = -k
    elif type == 4:
        m1 = -2.0 * k
    else:
        A = exp2(gain_db * LOG2_OF_10_OVER_40)
        if type == 5:
            k /= A
            m1 = k * (A * A - 1.0)
        elif type == 6:
            g /= math.sqrt(A)
            m1, m2 = k * (A - 1.0), A * A - 1.0
        else:
            g *= math.sqrt(A)
            m0, m1, m2 = A * A, k * (1.0 - A) * A, 1.0 - A * A
    return g, k, m0, m1, m2


@helper
def direct(g, k, m0, m1, m2):
    """b0, c1, c2, -a1, -a2 of the direct form: H(z) = b0 + (c1/z + c2/z²) / (1 + a1/z + a2/z²)."""
    D = 1.0 + g * (g + k)
    b0 = m0 + g * fma(m2, g, m1) / D
    a1 = 2.0 * (g * g - 1.0) / D
    a2 = (1.0 + g * (g - k)) / D
    share = g * fma(m2, g, m1) / D
    c1 = fma(-a1, share, 2.0 * m2 * g * g / D)
    c2 = fma(-a2, share, g * fma(m2, g, -m1) / D)
    return b0, c1, c2, -a1, -a2


@helper
def integrators(g, k, w1, w2):
    """The states of the two integrators of a filter whose direct form holds w1 and w2."""
    scale = 2.0 * g / (1.0 + g * (g + k))
    return scale * (w1 - w2), scale * g * (w1 + w2)


@helper
def delays(g, k, s1, s2):
    """What the direct form of a filter holds whose integrators have the states s1 and s2."""
    scale = 0.25 * (1.0 + g * (g + k)) / g
    difference, total = scale * s1, scale / g * s2
    return total + difference, total - difference


@helper
def movement(freq, freq_before, q, q_before, gain_db, gain_db_before):
    """How far a design is from the one before it: 0 where nothing changed; 1/8 is 1.5 dB, or a ratio of 1.29."""
    moved = abs(freq - freq_before) / (freq + freq_before)
    moved += abs(q - q_before) / (q + q_before)
    return moved + abs(gain_db - gain_db_before) * (1.0 / 12.0)


@helper
def flows(moved, moved_before):
    """Whether a change is small or carries on a movement, so that the filter should glide there; else it is a step."""
    return moved <= max(0.125, 2.0 * moved_before)


def transfer(type: int, freq: float, q: float, gain_db: float, rate: float, freqs: Curve) -> npt.NDArray[np.complex128]:
    """The complex response of a filter at ``freqs`` (Hz)."""
    b0, c1, c2, a1, a2 = direct(*design(type, freq, q, gain_db, rate))
    z = np.exp(-2j * np.pi * np.minimum(freqs / rate, 0.5))
    return b0 + (c1 + c2 * z) * z / (1.0 - (a1 + a2 * z) * z)


def decibels(response: npt.NDArray[np.complex128]) -> Curve:
    """Magnitude in dB, no lower than -400."""
    return 20.0 * np.log10(np.maximum(np.abs(response), 1e-20))


def ringing(type: int, freq: float, q: float, gain_db: float, rate: float) -> float:
    """Seconds in which what a filter holds falls below -120 dBFS, full scale in."""
    _, _, _, a1, a2 = direct(*design(type, freq, q, gain_db, rate))
    radius = float(np.max(np.abs(np.roots([1.0, -a1, -a2]))))
    level_db = 140.0 + max(gain_db, 0.0) + max(20.0 * math.log10(q), 0.0)
    return level_db / (-20.0 * math.log10(min(max(radius, 1e-9), 1.0 - 1e-12)) * rate)
