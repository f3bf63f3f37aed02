"""A feedback delay network of sixteen lines.

J.-M. Jot and A. Chaigne, "Digital delay networks for designing artificial reverberators", AES 90, 1991: lines of
incommensurate lengths mixed by a unitary matrix, each behind a filter whose gain in decibels is proportional to the
line's length, so that all modes of a frequency decay alike. Here the filter is a first-order shelf: exact at 1 kHz,
where the decay time is meant, and shorter above. The matrix is Hadamard's, after rotations of neighbouring lines by
slowly growing angles (S. J. Schlecht and E. A. P. Habets, "Time-varying feedback matrices in feedback delay networks
and their application in artificial reverberation", JASA 138, 2015): it stays unitary at any moment, so nothing but the
filters decides how long it sounds, and no mode stands still long enough to ring. Allpasses in front make the first
echoes dense, and one before every line makes more and more of them, and modes. Left goes into, and is heard from, the
even lines, right the odd ones.
"""

from __future__ import annotations

from math import log2, sqrt, tan

from graph.spec import TICK, helper
from nodes.dsp.exponentials import exp2
from nodes.dsp.lines import close, reach
from nodes.dsp.machine import f32

LINES_MS = (
    *(23.17, 25.41, 31.69, 28.43, 37.97, 34.63, 41.93, 45.87),
    *(50.91, 56.17, 68.23, 61.79, 83.17, 75.53, 92.29, 101.61),
)
"""Lengths of the lines at the largest size."""
SMALLEST = 0.15
"""What is left of them at the smallest."""
DIFFUSERS_MS = (3.17, 4.79, 7.43, 11.29, 3.43, 4.37, 7.97, 10.61)
"""Lengths of the allpasses, left ones first."""
INNER_MS = (4.93, 5.23, 6.07, 5.57, 7.51, 6.71, 8.11, 8.69, 9.23, 9.79, 11.17, 10.39, 12.79, 11.83, 13.61, 14.33)
"""Lengths of the allpasses before the lines."""
INNER = 0.8
"""Their gain, against that of the ones in front."""
DIFFUSION, DIFFUSION_PER_S = 0.6, 1.2
"""Gain of the allpasses, and what it is per second of decay where that is less: they must not outlast the lines."""
SHELF_HZ = 5000.0
MIDDLE_HZ = 1000.0
LOG2_10 = log2(10)
DEEPEST = 0.25
"""The square root of a shelf's lowest gain: a deeper one would have its pole so low that it outlasts the lines."""
LONGEST = 1.3
"""Where high frequencies decay so much faster that the shelf reaches the middle, low ones may last this much longer."""
LOWEST_HZ, STEP_HZ = 0.1, 0.08
"""Turns per second of the first pair of lines, and how much faster each further one is; every other turns backwards."""
QUIETEST = 0.02


def lengths(rate: float) -> tuple[list[int], list[int]]:
    """Frames of the lines at the largest size, and of the allpasses, in front and inside; never less than a tick."""
    in_ms = LINES_MS, DIFFUSERS_MS + INNER_MS
    lines, allpasses = ([max(TICK, round(ms * rate / 1000)) for ms in all] for all in in_ms)
    return lines, allpasses


def shelf(rate: float) -> tuple[float, float]:
    """Where the shelf and where the middle lie on the warped axis of the bilinear transform, tan(πf / rate)."""
    return tan(3.141592653589793 * min(SHELF_HZ / rate, 0.35)), tan(3.141592653589793 * min(MIDDLE_HZ / rate, 0.3))


def seconds_to_minus_120_db(decay: float, size: float) -> float:
    """How long the slowest frequencies sound: those that the inner allpasses hold up longest, by about their length."""
    lines, inner = sum(LINES_MS) * (SMALLEST + (1 - SMALLEST) * size), sum(INNER_MS)
    return 2 * LONGEST * decay * (lines + 2 * inner) / (lines + inner) + 0.3


@helper
def design(decay, damping, rate, delays, frames, warped, wanted, gains):
    """The filters of all lines: ``wanted[0 … 2, k]`` are b0, b1, −a1. ``gains[1]`` is the gain of the output, such that
    the energy of the response is one half for each channel that goes in; ``gains[3]`` that of the allpasses.
    """
    corner, middle = warped[0], warped[1]
    # High frequencies decay in 10^−damping of the time.
    extra = exp2(LOG2_10 * damping) - 1.0
    energy = 0.0
    for k in range(16):
        decades = -3.0 * (delays[1, k] + frames[24 + k]) / (rate * decay)
        gain = exp2(LOG2_10 * decades)
        root = max(exp2(max(LOG2_10 * 0.5 * decades * extra, -60.0)), DEEPEST)
        high = root * root
        # |shelf|² at the middle, against 1 at zero
        there = (middle * middle * high + corner * corner) / (middle * middle / high + corner * corner)
        low = min(gain / sqrt(there), exp2(LOG2_10 * decades / LONGEST))
        scale = 1.0 / (1.0 / root + corner)
        wanted[0, k] = low * (root + corner) * scale
        wanted[1, k] = low * (corner - root) * scale
        wanted[2, k] = (1.0 / root - corner) * scale
        energy += gain * gain
    energy = energy / 16.0
    gains[1] = sqrt((1.0 - energy) / (8.0 * max(energy, QUIETEST)))
    gains[3] = min(DIFFUSION, DIFFUSION_PER_S * decay)


@helper
def diffuse(lines, place, frames, gains, signal):
    """A tick of both channels through Schroeder's allpasses, four in a row for each."""
    for k in range(8):
        at = reach(lines, place, frames[16 + k])
        channel = k // 4
        for i in range(TICK):
            g = f32(gains[2]) + f32(gains[3] - gains[2]) * (f32(i + 1) * f32(1.0 / TICK))
            held = lines[k, at + i]
            keep = signal[channel, i] + g * held
            lines[k, place + i] = keep
            signal[channel, i] = held - g * keep


@helper
def turn(turning, rate):
    """Turn every pair on by a tick; the angles before and after are left in ``turning`` as cosines and sines."""
    for j in range(8):
        speed = (LOWEST_HZ + STEP_HZ * j) * (1 - 2 * (j & 1))
        # e^(iα) for tan(α / 2) = half: of modulus one, however it is rounded
        half = 3.141592653589793 * TICK * speed / rate
        scale = 1.0 / (1.0 + half * half)
        c, s = turning[2, j], turning[3, j]
        turning[0, j] = c
        turning[1, j] = s
        c, s = (
            (c * (1.0 - half * half) - s * 2.0 * half) * scale,
            (s * (1.0 - half * half) + c * 2.0 * half) * scale,
        )
        norm = 1.5 - 0.5 * (c * c + s * s)
        turning[2, j] = c * norm
        turning[3, j] = s * norm


@helper
def to_tile(planar, tile):
    """Sixteen rows side by side, in two eights."""
    for g in range(2):
        k = 8 * g
        for i in range(TICK):
            tile[g, i, 0] = planar[k, i]
            tile[g, i, 1] = planar[k + 1, i]
            tile[g, i, 2] = planar[k + 2, i]
            tile[g, i, 3] = planar[k + 3, i]
            tile[g, i, 4] = planar[k + 4, i]
            tile[g, i, 5] = planar[k + 5, i]
            tile[g, i, 6] = planar[k + 6, i]
            tile[g, i, 7] = planar[k + 7, i]


@helper
def from_tile(tile, planar):
    """What undoes ``to_tile``."""
    for g in range(2):
        k = 8 * g
        for i in range(TICK):
            planar[k, i] = tile[g, i, 0]
            planar[k + 1, i] = tile[g, i, 1]
            planar[k + 2, i] = tile[g, i, 2]
            planar[k + 3, i] = tile[g, i, 3]
            planar[k + 4, i] = tile[g, i, 4]
            planar[k + 5, i] = tile[g, i, 5]
            planar[k + 6, i] = tile[g, i, 6]
            planar[k + 7, i] = tile[g, i, 7]


@helper
def damp(tile, used, wanted, moving, kept):
    """The filters, all lines side by side; over a tick in which they move, from ``used`` to ``wanted``."""
    if moving:
        for i in range(TICK):
            u = f32(i + 1) * f32(1.0 / TICK)
            for g in range(2):
                for k in range(8):
                    j = 8 * g + k
                    b0 = used[0, j] + (wanted[0, j] - used[0, j]) * u
                    b1 = used[1, j] + (wanted[1, j] - used[1, j]) * u
                    a1 = used[2, j] + (wanted[2, j] - used[2, j]) * u
                    x = tile[g, i, k]
                    y = b0 * x + kept[g, k]
                    kept[g, k] = b1 * x + a1 * y
                    tile[g, i, k] = y
        for j in range(16):
            used[0, j] = wanted[0, j]
            used[1, j] = wanted[1, j]
            used[2, j] = wanted[2, j]
    else:
        for i in range(TICK):
            for g in range(2):
                for k in range(8):
                    j = 8 * g + k
                    x = tile[g, i, k]
                    y = used[0, j] * x + kept[g, k]
                    kept[g, k] = used[1, j] * x + used[2, j] * y
                    tile[g, i, k] = y


@helper
def hear(planar, gains, target):
    """Left from the even rows and right from the odd ones."""
    for c in range(2):
        for i in range(TICK):
            near = planar[c, i] + planar[c + 2, i] + planar[c + 8, i] + planar[c + 10, i]
            far = planar[c + 4, i] + planar[c + 6, i] + planar[c + 12, i] + planar[c + 14, i]
            u = f32(i + 1) * f32(1.0 / TICK)
            target[c, i] = (near - far) * (f32(gains[0]) + f32(gains[1] - gains[0]) * u)
    gains[0] = gains[1]


@helper
def rotate_and_mix(planar, turning):
    """Rotate the pairs, and mix within fours."""
    for g in range(4):
        p, q = 2 * g, 2 * g + 1
        c0, dc0 = f32(turning[0, p]), f32((turning[2, p] - turning[0, p]) / TICK)
        s0, ds0 = f32(turning[1, p]), f32((turning[3, p] - turning[1, p]) / TICK)
        c1, dc1 = f32(turning[0, q]), f32((turning[2, q] - turning[0, q]) / TICK)
        s1, ds1 = f32(turning[1, q]), f32((turning[3, q] - turning[1, q]) / TICK)
        k = 4 * g
        for i in range(TICK):
            u = f32(i + 1)
            cp, sp, cq, sq = c0 + dc0 * u, s0 + ds0 * u, c1 + dc1 * u, s1 + ds1 * u
            a, b, c, d = planar[k, i], planar[k + 1, i], planar[k + 2, i], planar[k + 3, i]
            a, b = cp * a - sp * b, sp * a + cp * b
            c, d = cq * c - sq * d, sq * c + cq * d
            ab, cd, a_b, c_d = a + b, c + d, a - b, c - d
            planar[k, i] = ab + cd
            planar[k + 1, i] = a_b + c_d
            planar[k + 2, i] = ab - cd
            planar[k + 3, i] = a_b - c_d


@helper
def mix_and_add(planar, source):
    """Mix between the fours, and add what comes in."""
    for g in range(4):
        for i in range(TICK):
            a, b, c, d = planar[g, i], planar[g + 4, i], planar[g + 8, i], planar[g + 12, i]
            ab, cd, a_b, c_d = a + b, c + d, a - b, c - d
            x, quarter = source[g & 1, i], f32(0.25)
            planar[g, i] = (ab + cd) * quarter + x
            planar[g + 4, i] = (a_b + c_d) * quarter + x
            planar[g + 8, i] = (ab - cd) * quarter - x
            planar[g + 12, i] = (a_b - c_d) * quarter + x


@helper
def feed(planar, allpasses, spot, frames, gains, lines, place):
    """Write the lines, through the inner allpasses."""
    for k in range(16):
        at = reach(allpasses, spot, frames[24 + k])
        for i in range(TICK):
            g = f32(INNER * gains[2]) + f32(INNER * (gains[3] - gains[2])) * (f32(i + 1) * f32(1.0 / TICK))
            held = allpasses[8 + k, at + i]
            keep = planar[k, i] + g * held
            allpasses[8 + k, spot + i] = keep
            lines[k, place + i] = held - g * keep
    gains[2] = gains[3]
    close(lines, 16, place)
    close(allpasses, 24, spot)
