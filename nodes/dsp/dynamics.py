"""What compressors and limiters share: smoothing by attack and release, the static curve, sliding windows, delay.

How far a gain falls is a base-2 logarithm here: one is 6.02 dB. A *track* is one detector: a lane of its own, or all
the lanes of a node where they are linked. Arrays of a tick are ``[frame, track]``.
"""

from __future__ import annotations

from graph.spec import TICK, helper
from nodes.dsp.exponentials import exp2
from nodes.dsp.machine import exponent32, f32, fma, fma32, mantissa32, scaled32, select

LOG2_PER_DB = 0.16609640474436813
DB_PER_LOG2 = 6.020599913279624

FOREVER = 1 << 61
"""A param that holds until after this does not move."""
NEAREST = 12582912.0
"""1.5 · 2^23: added to a float32, it leaves the nearest whole number in the low bits."""


@helper
def log2_32(x):
    """Base-2 logarithm of a float32 ≥ 0, in float32 arithmetic: within 1e-7 around 1, and of its last place elsewhere.

    A polynomial for the mantissa less one (minimax by the Remez exchange, 7e-9), in pairs, so that its operations
    wait for each other as little as possible. Of zero it makes about −127.
    """
    t = f32(mantissa32(x) - f32(1.0))
    t2 = f32(t * t)
    t4 = f32(t2 * t2)
    low = fma32(
        t2, fma32(t, -0.36072064050552644, 0.4809215279265841), fma32(t, -0.7213471329296297, 1.4426948831400317)
    )
    high = fma32(
        t2, fma32(t, -0.21017420741202913, 0.2172496305029656), fma32(t, -0.23853606339693717, 0.28767639341404944)
    )
    p = fma32(t4, fma32(t4, 0.1255598502050474, high), low)
    return fma32(p, t, exponent32(x))


@helper
def exp2_32(x):
    """2^x for |x| < 126 in float32 arithmetic, relative error below 2e-7; exactly 1 at 0."""
    shifted = f32(x + f32(NEAREST))
    f = f32(x - f32(shifted - f32(NEAREST)))
    f2 = f32(f * f)
    low = fma32(f2, fma32(f, 0.05550333470272044, 0.24022647920029647), fma32(f, 0.6931472021366348, 1.0))
    high = fma32(f2, 0.00015352616804477473, fma32(f, 0.0013398575851089507, 0.00961843873350814))
    return scaled32(fma32(f32(f2 * f2), high, low), shifted)


@helper
def remainder(ms, rate):
    """What a frame leaves of a difference of which ``ms`` make up 63.2 %: exp(−1000 / (ms · rate))."""
    return exp2(-min(1442.695040888963 / max(ms * rate, 1e-9), 900.0))


@helper
def follow(level, state, tracks, first, end, speed):
    """Smooth frames ``first`` … ``end`` − 1 of a tick, in place, by y = k·y + (1 − k)·x, from ``state[track]`` on.

    Rows of ``speed[row, track]``: 0 k where x is above y, 1 its complement to 1, 2 and 3 the same where it is not.
    The two outcomes are computed beside each other, so that only a multiplication and a choice lie between a frame
    and the next.
    """
    for i in range(first, end):
        for track in range(tracks):
            x, y = level[i, track], state[track]
            up = fma(speed[0, track], y, speed[1, track] * x)
            down = fma(speed[2, track], y, speed[3, track] * x)
            y = select(x > y, up, down)
            state[track] = y
            level[i, track] = y
    for track in range(tracks):
        # What is no number, or beyond all numbers, must not stay.
        state[track] = select(abs(state[track]) < 1e300, state[track], 0.0)


@helper
def fall(level, state, tracks, first, end, rest):
    """Let each track of a tick fall no faster than to ``rest`` of itself in a frame: y = max(x, rest · y), in place.

    Four frames at a time, so that only one multiplication and one maximum lie between four frames and the next four.
    """
    rest2 = rest * rest
    rest3, rest4 = rest2 * rest, rest2 * rest2
    last = first + ((end - first) & -4)
    for track in range(tracks):
        y = state[track]
        for i in range(first, last, 4):
            x0 = level[i, track]
            x1 = max(level[i + 1, track], rest * x0)
            x2 = max(level[i + 2, track], rest * x1)
            x3 = max(level[i + 3, track], rest * x2)
            level[i, track] = max(x0, rest * y)
            level[i + 1, track] = max(x1, rest2 * y)
            level[i + 2, track] = max(x2, rest3 * y)
            y = max(x3, rest4 * y)
            level[i + 3, track] = y
        for i in range(last, end):
            y = max(level[i, track], rest * y)
            level[i, track] = y
        state[track] = y


@helper
def reduction(ratio, curve, at, track):
    """How far the gain falls where a level is ``ratio`` times the threshold: straight, but a parabola within the knee.

    Rows of ``curve[frame, row, track]``, float32: 1 slope (1 − 1/ratio), 2 half the knee, 3 slope / (2 · knee).
    Giannoulis, Massberg, Reiss: "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 4.
    """
    half = curve[at, 2, track]
    over = f32(log2_32(ratio) + half)
    bent = min(max(over, f32(0.0)), f32(half + half))
    straight = max(f32(over - f32(half + half)), f32(0.0))
    return fma32(f32(bent * bent), curve[at, 3, track], f32(curve[at, 1, track] * straight))


@helper
def slide_max(level, tracks, ring, places, which):
    """Replace each frame of a tick by the largest of the last frames, as many as ``ring`` has rows less one. All are
    ≥ 0.

    The frames are dealt into stretches as long as the window, which therefore is the end of one stretch and the
    beginning of the next: the largest of the end is known from running over a stretch backwards once it is full, that
    of the beginning is kept on the way (M. van Herk, Pattern Recognition Letters 13, 1992). Row ``places[which]`` of
    the ring is where the next frame goes; the rows after it hold the largest from there to the end of the stretch
    before; the last row holds the largest of this stretch.
    """
    frames = ring.shape[0] - 1
    at = places[which]
    i = 0
    while i < TICK:
        run = min(TICK - i, frames - at)
        for track in range(tracks):
            top = ring[frames, track]
            for k in range(run):
                x = level[i + k, track]
                top = max(top, x)
                ring[at + k, track] = x
                # After the last row of a full stretch comes the largest of this stretch, which changes nothing.
                ring[frames, track] = top
                level[i + k, track] = max(top, ring[at + k + 1, track])
        i += run
        at += run
        if at == frames:
            at = 0
            for track in range(tracks):
                top = 0.0
                for k in range(frames):
                    row = frames - 1 - k
                    top = max(top, ring[row, track])
                    ring[row, track] = top
                ring[frames, track] = 0.0
    places[which] = at


@helper
def slide_sum(level, tracks, ring, places, which):
    """Replace each frame of a tick by the sum of the last frames, as many as ``ring`` has rows less two.

    As ``slide_max``, with sums for maxima: nothing is ever subtracted, so nothing drifts, however long it runs and
    however loud it was. The last row but one stays zero; the last holds the sum of this stretch.
    """
    frames = ring.shape[0] - 2
    at = places[which]
    i = 0
    while i < TICK:
        run = min(TICK - i, frames - at)
        for track in range(tracks):
            total = ring[frames + 1, track]
            for k in range(run):
                x = level[i + k, track]
                total += x
                ring[at + k, track] = x
                level[i + k, track] = total + ring[at + k + 1, track]
            ring[frames + 1, track] = total
        i += run
        at += run
        if at == frames:
            at = 0
            for track in range(tracks):
                total = 0.0
                for k in range(frames):
                    row = frames - 1 - k
                    total += ring[row, track]
                    ring[row, track] = total
                ring[frames + 1, track] = 0.0
    places[which] = at


@helper
def box(values, tracks, ring, places, which):
    """Replace each frame of a tick by the sum of the last frames, as many as ``ring`` has rows less one, in whole
    numbers.

    Whole numbers lose nothing when what was added is taken away again. The last row of the ring holds the sum.
    """
    frames = ring.shape[0] - 1
    at = places[which]
    i = 0
    while i < TICK:
        run = min(TICK - i, frames - at)
        for track in range(tracks):
            total = ring[frames, track]
            for k in range(run):
                x = values[i + k, track]
                total += x - ring[at + k, track]
                ring[at + k, track] = x
                values[i + k, track] = total
            ring[frames, track] = total
        i += run
        at += run
        if at == frames:
            at = 0
    places[which] = at


@helper
def delay_tick(frames, lanes, line, places, which):
    """Delay a tick in place, by as many frames as ``line`` has rows."""
    at = places[which]
    i = 0
    while i < TICK:
        run = min(TICK - i, line.shape[0] - at)
        for k in range(run):
            for lane in range(lanes):
                x = frames[i + k, lane]
                frames[i + k, lane] = line[at + k, lane]
                line[at + k, lane] = x
        i += run
        at += run
        if at == line.shape[0]:
            at = 0
    places[which] = at
