"""Linkwitz-Riley crossovers of fourth order, whose bands sum up to an allpass.

Each half is two Butterworth filters of second order in series (S. H. Linkwitz, "Active crossover networks for
noncoincident drivers", JAES 24(1), 1976). With H the lowpass and A the allpass of the same frequency and Q = √½, the
high band is A − H², and so the sum of both is A. Filters are state variable filters with trapezoidal integrators, as
in ``biquad``, whose energy no movement of the frequency can raise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from graph.spec import TICK, helper
from nodes.dsp.biquad import HIGHEST, ringing
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma

DAMPING = math.sqrt(2.0)
"""1/Q of a Butterworth filter."""
Q = math.sqrt(0.5)

# Rows of what a filter holds: its two integrators.
FIRST, SECOND = 0, 1


@helper
def tuning(freq, rate):
    """The g of a filter, for a frequency in Hz."""
    return math.tan(math.pi * min(freq / rate, HIGHEST))


@helper
def split(low, high, frames, lanes, g, step, w, slot):
    """Split ``high`` in place into what is above, and ``low``: ``frames`` of them, ``[frame, lane]``.

    The tuning goes from ``g`` on by ``step`` each frame. ``w[slot]`` and the next are what the two filters hold.
    """
    for i in range(frames):
        g += step
        e1 = 1.0 / fma(g, g + DAMPING, 1.0)
        e2 = g * e1
        e3 = g * e2
        for lane in range(lanes):
            x, s1, s2 = high[i, lane], w[slot, FIRST, lane], w[slot, SECOND, lane]
            v1 = fma(e2, x - s2, e1 * s1)
            v2 = fma(e3, x - s2, fma(e2, s1, s2))
            w[slot, FIRST, lane], w[slot, SECOND, lane] = fma(2.0, v1, -s1), fma(2.0, v2, -s2)
            s1, s2 = w[slot + 1, FIRST, lane], w[slot + 1, SECOND, lane]
            u1 = fma(e2, v2 - s2, e1 * s1)
            u2 = fma(e3, v2 - s2, fma(e2, s1, s2))
            w[slot + 1, FIRST, lane], w[slot + 1, SECOND, lane] = fma(2.0, u1, -s1), fma(2.0, u2, -s2)
            low[i, lane] = u2
            high[i, lane] = fma(-2.0 * DAMPING, v1, x) - u2


@helper
def turn(band, which, frames, lanes, g, step, w, slot):
    """Turn the phase of ``band[which]`` in place as a split at the same frequency turns the sum of its halves."""
    for i in range(frames):
        g += step
        e1 = 1.0 / fma(g, g + DAMPING, 1.0)
        e2 = g * e1
        e3 = g * e2
        for lane in range(lanes):
            x, s1, s2 = band[which, i, lane], w[slot, FIRST, lane], w[slot, SECOND, lane]
            v1 = fma(e2, x - s2, e1 * s1)
            v2 = fma(e3, x - s2, fma(e2, s1, s2))
            w[slot, FIRST, lane], w[slot, SECOND, lane] = fma(2.0, v1, -s1), fma(2.0, v2, -s2)
            band[which, i, lane] = fma(-2.0 * DAMPING, v1, x)


@helper
def into_bands(band, low, high, frames, lanes, freqs, at, seen, w, rate):
    """Split ``high`` into ``band[k, frame, lane]``, from the lowest to the highest, at the frequencies that the bank
    ``freqs`` has at frame ``at``.

    ``seen[k]`` is the tuning so far, zero at first; it glides from there. ``w`` has ``slots`` filters.
    """
    cuts = seen.shape[0]
    for k in range(cuts):
        g = tuning(float(freqs[at, k, 0]), rate)
        before = seen[k] if seen[k] > 0.0 else g
        step = (g - before) / frames
        split(low, high, frames, lanes, before, step, w, 2 * k)
        for b in range(k):
            turn(band, b, frames, lanes, before, step, w, 2 * cuts + k * (k - 1) // 2 + b)
        for i in range(frames):
            for lane in range(lanes):
                band[k, i, lane] = low[i, lane]
        seen[k] = g
    for i in range(frames):
        for lane in range(lanes):
            band[cuts, i, lane] = high[i, lane]


@helper
def tick_into_bands(kept, band, low, high, signal, start, lanes, freqs, seen, w, rate):
    """Split the tick of ``signal`` at ``start`` into ``kept[k, frame, lane]``; ``band``, ``low`` and ``high`` are
    scratch, the rest as for ``into_bands``.
    """
    at = start
    while at < start + TICK:
        end = min(start + TICK, freqs.until(at))
        for i in range(end - at):
            for lane in range(lanes):
                high[i, lane] = clean(signal[at + i, lane])
        into_bands(band, low, high, end - at, lanes, freqs, at, seen, w, rate)
        for b in range(kept.shape[0]):
            for i in range(end - at):
                for lane in range(lanes):
                    kept[b, at - start + i, lane] = band[b, i, lane]
        at = end
    forget_nonsense(w, lanes)


@helper
def forget_nonsense(w, lanes):
    """What is no number, or beyond all numbers, must not stay."""
    for slot in range(w.shape[0]):
        for lane in range(lanes):
            if not abs(w[slot, FIRST, lane]) + abs(w[slot, SECOND, lane]) < 1e300:
                w[slot, FIRST, lane] = w[slot, SECOND, lane] = 0.0


def slots(bands: int) -> int:
    """How many filters there are for so many bands."""
    cuts = bands - 1
    return 2 * cuts + cuts * (cuts - 1) // 2


def settling(lowest: Iterable[float], rate: float) -> float:
    """Seconds until nothing is left in the filters, given the lowest frequency of each cut in Hz."""
    return sum(2.0 * ringing([0], [freq], [Q], [0.0], rate) for freq in lowest)
