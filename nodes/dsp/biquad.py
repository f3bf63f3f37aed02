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
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from graph.spec import TICK, helper
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
def cascade(start, end, signal, out, c, w, v):
    """Direct forms in series over frames ``start`` to ``end``, in float64 from the first form to the last.

    ``c[k, :, lane]`` is b0, c1, c2, -a1, -a2. ``w[k, 0, lane]`` and ``w[k, 2, lane]`` are what form k holds: with one
    lane, numbers side by side would tempt the compiler to work on them as pairs, and shuffling them costs more than it
    gains. ``v[frames, lane]`` is for as many frames as are to be done at a time, so that a form's numbers are loaded
    once for all of them; ``start`` and ``end`` are whole multiples. It is left with the last frames.
    """
    frames = v.shape[0]
    for i in range(start, end, frames):
        for lane in range(out.lanes):
            for f in range(frames):
                v[f, lane] = signal[i + f, lane]
            for k in range(c.shape[0]):
                w1, w2 = w[k, 0, lane], w[k, 2, lane]
                for f in range(frames):
                    x = v[f, lane]
                    v[f, lane] = fma(c[k, 0, lane], x, fma(c[k, 1, lane], w1, c[k, 2, lane] * w2))
                    w0 = fma(c[k, 3, lane], w1, fma(c[k, 4, lane], w2, x))
                    w2 = w1
                    w1 = w0
                w[k, 0, lane], w[k, 2, lane] = w1, w2
            for f in range(frames):
                out[i + f, lane] = v[f, lane]


@helper
def settle(k, g, channels, type, freq, q, gain_db, seen, form, w, rate):
    """Make form k of node g what its params say, and take along what it holds.

    ``seen[k, :, g]`` is what it was made of: frequency (zero: nothing yet), Q, gain and type; ``form[k, :, g]`` is what
    was made of it.
    """
    now = design(type, freq, q, gain_db, rate)
    if seen[k, 0, g] > 0.0:
        before = design(int(seen[k, 3, g]), seen[k, 0, g], seen[k, 1, g], seen[k, 2, g], rate)
        for lane in range(g * channels, (g + 1) * channels):
            s1, s2 = integrators(before[0], before[1], w[k, 0, lane], w[k, 2, lane])
            w[k, 0, lane], w[k, 2, lane] = delays(now[0], now[1], s1, s2)
    seen[k, 0, g], seen[k, 1, g], seen[k, 2, g], seen[k, 3, g] = freq, q, gain_db, type
    form[k, 0, g], form[k, 1, g], form[k, 2, g], form[k, 3, g], form[k, 4, g] = direct(*now)


@helper
def movement(freq, freq_before, q, q_before, gain_db, gain_db_before):
    """How far a design is from the one before it: 0 where nothing changed; 1/8 is 1.5 dB, or a ratio of 1.29."""
    moved = abs(freq - freq_before) / (freq + freq_before)
    moved += abs(q - q_before) / (q + q_before)
    return moved + abs(gain_db - gain_db_before) * (1.0 / 12.0)


@helper
def follow(k, frames, type, freq, q, gain_db, seen, form, w, v, rate):
    """Run form k, of a node of its own, over ``v[:frames]`` in place, towards where its params now are.

    A change is a step, made at once. But where a value lasts from a tick's first frame to its last, one that is small
    or carries on a movement cannot be told from a movement, and the filter glides there over the tick; to another type
    too. ``seen[k, 4, 0]`` is how far it moved before.
    """
    moved = 0.0
    if seen[k, 0, 0] > 0.0:
        moved = movement(freq, seen[k, 0, 0], q, seen[k, 1, 0], gain_db, seen[k, 2, 0])
    small = moved <= max(0.125, 2.0 * seen[k, 4, 0])
    seen[k, 4, 0] = moved
    changed = seen[k, 0, 0] != freq or seen[k, 1, 0] != q or seen[k, 2, 0] != gain_db or seen[k, 3, 0] != type
    if changed and small and frames == TICK and seen[k, 0, 0] > 0.0:
        glide(k, type, freq, q, gain_db, seen, form, w, v, rate)
        return
    if changed:
        settle(k, 0, v.shape[1], type, freq, q, gain_db, seen, form, w, rate)
    for i in range(frames):
        for lane in range(v.shape[1]):
            x, w1, w2 = v[i, lane], w[k, 0, lane], w[k, 2, lane]
            v[i, lane] = fma(form[k, 0, 0], x, fma(form[k, 1, 0], w1, form[k, 2, 0] * w2))
            w[k, 0, lane] = fma(form[k, 3, 0], w1, fma(form[k, 4, 0], w2, x))
            w[k, 2, lane] = w1


@helper
def glide(k, type, freq, q, gain_db, seen, form, w, v, rate):
    """A tick of form k on its integrators, from what it was made of to what its params now say."""
    g, damping, m0, m1, m2 = design(int(seen[k, 3, 0]), seen[k, 0, 0], seen[k, 1, 0], seen[k, 2, 0], rate)
    after = design(type, freq, q, gain_db, rate)
    dg, dd = (after[0] - g) * (1.0 / TICK), (after[1] - damping) * (1.0 / TICK)
    d0, d1, d2 = (after[2] - m0) * (1.0 / TICK), (after[3] - m1) * (1.0 / TICK), (after[4] - m2) * (1.0 / TICK)
    for lane in range(v.shape[1]):
        w[k, 0, lane], w[k, 2, lane] = integrators(g, damping, w[k, 0, lane], w[k, 2, lane])
    for i in range(TICK):
        g, damping, m0, m1, m2 = g + dg, damping + dd, m0 + d0, m1 + d1, m2 + d2
        e1 = 1.0 / fma(g, g + damping, 1.0)
        e2 = g * e1
        e3 = g * e2
        for lane in range(v.shape[1]):
            x, s1, s2 = v[i, lane], w[k, 0, lane], w[k, 2, lane]
            v1 = fma(e2, x - s2, e1 * s1)
            v2 = fma(e3, x - s2, fma(e2, s1, s2))
            w[k, 0, lane] = fma(2.0, v1, -s1)
            w[k, 2, lane] = fma(2.0, v2, -s2)
            v[i, lane] = fma(m0, x, fma(m1, v1, m2 * v2))
    for lane in range(v.shape[1]):
        w[k, 0, lane], w[k, 2, lane] = delays(after[0], after[1], w[k, 0, lane], w[k, 2, lane])
    seen[k, 0, 0], seen[k, 1, 0], seen[k, 2, 0], seen[k, 3, 0] = freq, q, gain_db, type
    form[k, 0, 0], form[k, 1, 0], form[k, 2, 0], form[k, 3, 0], form[k, 4, 0] = direct(*after)


def transfer(type: int, freq: float, q: float, gain_db: float, rate: float, freqs: Curve) -> npt.NDArray[np.complex128]:
    """The complex response of a filter at ``freqs`` (Hz)."""
    b0, c1, c2, a1, a2 = direct(*design(type, freq, q, gain_db, rate))
    z = np.exp(-2j * np.pi * np.minimum(freqs / rate, 0.5))
    return b0 + (c1 + c2 * z) * z / (1.0 - (a1 + a2 * z) * z)


def decibels(response: npt.NDArray[np.complex128]) -> Curve:
    """Magnitude in dB, no lower than -400."""
    return 20.0 * np.log10(np.maximum(np.abs(response), 1e-20))


def ringing(
    types: Iterable[int], freqs: Sequence[float], qs: Sequence[float], gains_db: Sequence[float], rate: float
) -> float:
    """Seconds in which what a filter holds falls below -120 dBFS, full scale in, wherever it is between the given ends.

    The slowest is at an end of each, since a pole comes no nearer to the circle anywhere between two places: its
    radius falls with the tuning g up to g = 1 and rises from there, falls with the damping k up to k = 2 (for the
    slower of two real poles, rises from there), and each of frequency, Q and gain moves g and k one way.
    """
    ends = product(types, freqs, qs, gains_db)
    slowest = max(radius(*design(*end, rate)[:2]) for end in ends)
    level_db = 140.0 + max(*gains_db, 0.0) + max(20.0 * math.log10(max(qs)), 0.0)
    return level_db / (-20.0 * math.log10(min(max(slowest, 1e-9), 1.0 - 1e-12)) * rate)


def radius(g: float, k: float) -> float:
    """How far from zero the outer pole of a filter is, in the plane of z."""
    if k < 2.0:
        return math.sqrt((1.0 + g * (g - k)) / (1.0 + g * (g + k)))
    slow = 2.0 * g / (k + math.sqrt(k * k - 4.0))
    return max(abs(1.0 - s) / (1.0 + s) for s in (slow, g * g / slow))
