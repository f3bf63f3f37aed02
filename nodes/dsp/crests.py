"""How high a band-limited signal rises between its samples, for limiters: the true peak, frame by frame.

What lies between samples depends on the filter that reconstructs it, above all in the last tenth below half the
sample rate, where BS.1770-5 says nothing: it asks for four times the rate, and prints a filter of 12 taps a point as
an example. So three are asked, and the highest answer counts: a long one that ends at half the rate, as good
resamplers do, a short one that goes beyond, as most BS.1770 meters do, and the one of our own meter, so that
what is measured after a limiter is not above its ceiling. Each doubles the rate twice, and a parabola through three
points finds the crest between them: 0.04 dB under it at most (at 20 kHz, for 48 kHz). Below the ceiling nothing is
lost by reading high: the long filter reads at most 0.03 dB more than there is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import TICK, helper
from nodes.dsp.loudness import TAPS, between_samples
from nodes.dsp.machine import f32, fma32, select

LONG, SHORT, MIDDLE = 112, 24, 6
"""Taps at each new point: of two filters that double the rate, and of the one that doubles it again."""
EDGE = 0.957
"""Where the long filter is at −6 dB, in parts of half the sample rate."""
EXTENT = 72
"""Frames interpolated for each tick: the tick, and what its crests need on both sides."""
PAST = EXTENT + LONG - 1 - TICK
"""Frames kept from before the tick."""
LAG = PAST - (LONG // 2 - 1) - 6
"""Frames by which crests come after the samples they belong to."""


def _points(taps: int, beta: float, edge: float) -> npt.NDArray[np.float64]:
    """A Kaiser-windowed sinc at twice the rate, 2 · taps − 1 points around its middle; each phase sums to one."""
    t = (np.arange(2 * taps - 1) - (taps - 1)) / 2
    h = np.sinc(edge * t) * np.kaiser(2 * taps - 1, beta)
    h[0::2] /= h[0::2].sum()
    h[1::2] /= h[1::2].sum()
    return h


_long = _points(LONG, 3.5, EDGE)
BETWEEN = np.ascontiguousarray(_long[0::2], np.float32)
"""The long filter half way between samples, and …"""
UPON = np.ascontiguousarray(np.append(_long[1::2], 0.0), np.float32)
"""… upon them, where it differs from the sample by what it cuts off."""
NEAR = np.ascontiguousarray(_points(SHORT, 5.0, 1.0)[0::2], np.float32)
"""The short filter half way between samples."""
METERED = np.ascontiguousarray(between_samples(2)[0], np.float32)
"""The meter's filter half way between samples."""
HALVES = np.ascontiguousarray(_points(MIDDLE, 3.0, 1.0)[0::2], np.float32)
"""Half way between points at twice the rate."""

HIGHEST = float(1.5 * max(np.abs(h).sum() for h in (BETWEEN, UPON, NEAR, METERED)) * np.abs(HALVES).sum())
"""No crest is higher than this many times the largest sample around it; a parabola adds half of its points at most."""


@helper
def interpolate(past, lanes, between, upon, near):
    """The three new signals at twice the rate, flat [frame · lanes + lane], for ``EXTENT`` frames."""
    size = EXTENT * lanes
    for j in range(size):
        between[j] = f32(0.0)
        upon[j] = f32(0.0)
        near[j] = f32(0.0)
    for k in range(0, LONG, 4):
        b0, b1, b2, b3 = BETWEEN[k], BETWEEN[k + 1], BETWEEN[k + 2], BETWEEN[k + 3]
        u0, u1, u2, u3 = UPON[k], UPON[k + 1], UPON[k + 2], UPON[k + 3]
        at = k * lanes
        for j in range(size):
            x0, x1 = past[at + j], past[at + lanes + j]
            x2, x3 = past[at + 2 * lanes + j], past[at + 3 * lanes + j]
            between[j] = fma32(b3, x3, fma32(b2, x2, fma32(b1, x1, fma32(b0, x0, between[j]))))
            upon[j] = fma32(u3, x3, fma32(u2, x2, fma32(u1, x1, fma32(u0, x0, upon[j]))))
    for k in range(0, SHORT, 4):
        s0, s1, s2, s3 = NEAR[k], NEAR[k + 1], NEAR[k + 2], NEAR[k + 3]
        at = (k + LONG // 2 - SHORT // 2) * lanes
        for j in range(size):
            x0, x1 = past[at + j], past[at + lanes + j]
            x2, x3 = past[at + 2 * lanes + j], past[at + 3 * lanes + j]
            near[j] = fma32(s3, x3, fma32(s2, x2, fma32(s1, x1, fma32(s0, x0, near[j]))))


@helper
def interpolate_as_metered(past, lanes, metered):
    """What the meter sees half way between samples, flat, for ``EXTENT`` frames."""
    size = EXTENT * lanes
    for j in range(size):
        metered[j] = f32(0.0)
    for k in range(0, TAPS, 4):
        m0, m1, m2, m3 = METERED[k], METERED[k + 1], METERED[k + 2], METERED[k + 3]
        at = (k + LONG // 2 - TAPS // 2) * lanes
        for j in range(size):
            x0, x1 = past[at + j], past[at + lanes + j]
            x2, x3 = past[at + 2 * lanes + j], past[at + 3 * lanes + j]
            metered[j] = fma32(m3, x3, fma32(m2, x2, fma32(m1, x1, fma32(m0, x0, metered[j]))))


@helper
def halve(even, shift, odd, lanes, first, third):
    """The points a quarter and three quarters of the way from each frame to the next."""
    h0, h1, h2 = HALVES[0], HALVES[1], HALVES[2]
    for j in range(4 * lanes, (EXTENT - 2) * lanes):
        e = j + shift
        before, after = odd[j - lanes], odd[j + lanes]
        first[j] = fma32(
            h0, even[e - lanes] + after, fma32(h1, before + even[e + lanes], f32(h2 * f32(even[e] + odd[j])))
        )
        third[j] = fma32(
            h0, before + even[e + 2 * lanes], fma32(h1, even[e] + after, f32(h2 * f32(odd[j] + even[e + lanes])))
        )


@helper
def higher(best, rise, bend, left, middle, right):
    """The higher of two points, with what a parabola through it and its neighbours needs: their difference, and how
    far they lie below it together.
    """
    height = abs(middle)
    sides = f32(left + right)
    own = f32(f32(height + height) - select(middle < f32(0.0), f32(-sides), sides))
    more = height > best
    return select(more, height, best), select(more, f32(right - left), rise), select(more, own, bend)


@helper
def crown(before, p0, p1, p2, p3, after):
    """The crest among four points between two more."""
    best, rise, bend = higher(f32(0.0), f32(0.0), f32(0.0), before, p0, p1)
    best, rise, bend = higher(best, rise, bend, p0, p1, p2)
    best, rise, bend = higher(best, rise, bend, p1, p2, p3)
    best, rise, bend = higher(best, rise, bend, p2, p3, after)
    above = f32(f32(rise * rise) * f32(0.125)) / max(bend, f32(1e-30))
    return f32(best + select(abs(rise) <= bend, above, f32(0.0)))


@helper
def crests(past, lanes, between, upon, near, first, third, other_first, other_third, crest):
    """The highest magnitude from each frame up to the next, flat; true from frame 5 to frame ``EXTENT`` − 3."""
    interpolate(past, lanes, between, upon, near)
    samples = (LONG // 2 - 1) * lanes
    halve(upon, 0, between, lanes, first, third)
    halve(past, samples, near, lanes, other_first, other_third)
    for j in range(5 * lanes, (EXTENT - 2) * lanes):
        s = samples + j
        one = crown(third[j - lanes], upon[j], first[j], between[j], third[j], upon[j + lanes])
        other = crown(other_third[j - lanes], past[s], other_first[j], near[j], other_third[j], past[s + lanes])
        crest[j] = max(one, other)
    interpolate_as_metered(past, lanes, near)
    halve(past, samples, near, lanes, other_first, other_third)
    for j in range(5 * lanes, (EXTENT - 2) * lanes):
        s = samples + j
        other = crown(other_third[j - lanes], past[s], other_first[j], near[j], other_third[j], past[s + lanes])
        crest[j] = max(crest[j], other)
