"""The steps that are no node's: sums, delays, feedback, param curves, fades. Each is ``step(args, offset, n)`` over
its own words.

Signals may be any number of lanes; a step over whole frames is one loop over ``n · lanes`` samples.
"""

from __future__ import annotations

from graph.spec import RAMP, TICK, helper
from host.native.abi import JUMPS, PLACE, ROLLING, SCRUBBED
from host.native.raw import load_f32, load_f64, set_word, store_f32, word
from nodes.dsp.exponentials import exp2, gain_of_db, log2
from nodes.dsp.machine import bits_of, finite, float_of

# Words of a step's table, by step.
MIX_TARGET, MIX_LEFT, MIX_RIGHT, MIX_LANES = 1, 2, 3, 4
COPY_TARGET, COPY_TARGET_PITCH, COPY_SOURCE, COPY_SOURCE_PITCH, COPY_LANES, COPY_SPREAD = 1, 2, 3, 4, 5, 6
RUN_TARGET, RUN_SOURCE, RUN_PITCH, RUN_LANES, RUN_COUNT = 1, 2, 3, 4, 5
DELAY_TARGET, DELAY_SOURCE, DELAY_LANES, DELAY_LINE, DELAY_FRAMES, DELAY_PLACE = 1, 2, 3, 4, 5, 6
LOOP_SIGNAL, LOOP_LINE, LOOP_LANES = 1, 2, 3
FADE_TARGET, FADE_WET, FADE_DRY, FADE_CONTROL, FADE_LANES = 1, 2, 3, 4, 5
(
    PARAM_TARGET,
    PARAM_SEGMENTS,
    PARAM_COUNT,
    PARAM_ARRIVAL,
    PARAM_BASE,
    PARAM_FLAGS,
    PARAM_RANGE,
    PARAM_SOURCES,
    PARAM_SOURCE_COUNT,
    PARAM_IDENTITY,
    PARAM_PAST,
) = range(1, 12)
FLAG_HOLD, FLAG_GAIN, FLAG_LOG, FLAG_STEPS = 1, 2, 4, 8
# What a moving param remembers: the value it had last (float64), which params and jumps it had seen then, and how far
# (float64) and for how many frames it still is from where it should be.
PAST_LAST, PAST_IDENTITY, PAST_JUMPS, PAST_GAP, PAST_LEFT = 0, 1, 2, 3, 4
PAST_WORDS = 5
SEGMENT_WORDS = 5  # float64: start, value, end value, length, curve


@helper
def eased(ticks):
    """How far a ramp that goes tick by tick has come: gently, each step at most 1.8 times the one before.

    Filters take a step from rest that is large, or more than twice the one before it, for one that is meant, and make
    it at once.
    """
    all_ticks = RAMP // TICK
    ticks = min(ticks, all_ticks)
    part, whole, step = 0.0, 0.0, 1.0
    for k in range(all_ticks // 2):
        whole += 2.0 * step
        if k < min(ticks, all_ticks - ticks):
            part += step
        step *= 1.8
    return part / whole if 2 * ticks <= all_ticks else 1.0 - part / whole


@helper
def add_two(args, offset, n):
    """target = left + right, all of one width."""
    lanes = word(args, MIX_LANES)
    shift = offset * lanes * 4
    target, left, right = word(args, MIX_TARGET) + shift, word(args, MIX_LEFT) + shift, word(args, MIX_RIGHT) + shift
    for k in range(n * lanes):
        store_f32(target, k, load_f32(left, k) + load_f32(right, k))


@helper
def add_onto(args, offset, n):
    """target += source, lane by lane, or a mono source onto every lane. Each may be some lanes of a wider signal: its
    pitch.
    """
    lanes, pitch, own = word(args, COPY_LANES), word(args, COPY_TARGET_PITCH), word(args, COPY_SOURCE_PITCH)
    target = word(args, COPY_TARGET) + offset * pitch * 4
    source = word(args, COPY_SOURCE) + offset * own * 4
    if word(args, COPY_SPREAD):
        for i in range(n):
            x = load_f32(source, i * own)
            for lane in range(lanes):
                store_f32(target, i * pitch + lane, load_f32(target, i * pitch + lane) + x)
    elif lanes == pitch and lanes == own:
        for k in range(n * lanes):
            store_f32(target, k, load_f32(target, k) + load_f32(source, k))
    elif lanes == 2:
        for i in range(n):
            left = load_f32(target, i * pitch) + load_f32(source, i * own)
            right = load_f32(target, i * pitch + 1) + load_f32(source, i * own + 1)
            store_f32(target, i * pitch, left)
            store_f32(target, i * pitch + 1, right)
    else:
        for i in range(n):
            for lane in range(lanes):
                store_f32(
                    target, i * pitch + lane, load_f32(target, i * pitch + lane) + load_f32(source, i * own + lane)
                )


@helper
def add_run(args, offset, n):
    """target += each of several sources that lie side by side in one wide signal, in their order."""
    lanes, own, count = word(args, RUN_LANES), word(args, RUN_PITCH), word(args, RUN_COUNT)
    target = word(args, RUN_TARGET) + offset * lanes * 4
    source = word(args, RUN_SOURCE) + offset * own * 4
    if lanes == 2:
        for i in range(n):
            left, right = load_f32(target, 2 * i), load_f32(target, 2 * i + 1)
            for k in range(count):
                left += load_f32(source, i * own + 2 * k)
                right += load_f32(source, i * own + 2 * k + 1)
            store_f32(target, 2 * i, left)
            store_f32(target, 2 * i + 1, right)
    else:
        for i in range(n):
            for lane in range(lanes):
                x = load_f32(target, i * lanes + lane)
                for k in range(count):
                    x += load_f32(source, i * own + lanes * k + lane)
                store_f32(target, i * lanes + lane, x)


@helper
def copy(args, offset, n):
    """target = source, lane by lane, or a mono source to every lane. Each may be some lanes of a wider signal: its
    pitch.
    """
    lanes, pitch, own = word(args, COPY_LANES), word(args, COPY_TARGET_PITCH), word(args, COPY_SOURCE_PITCH)
    target = word(args, COPY_TARGET) + offset * pitch * 4
    source = word(args, COPY_SOURCE) + offset * own * 4
    if word(args, COPY_SPREAD):
        for i in range(n):
            x = load_f32(source, i * own)
            for lane in range(lanes):
                store_f32(target, i * pitch + lane, x)
    elif lanes == pitch and lanes == own:
        for k in range(n * lanes):
            store_f32(target, k, load_f32(source, k))
    elif lanes == 2:
        for i in range(n):
            left, right = load_f32(source, i * own), load_f32(source, i * own + 1)
            store_f32(target, i * pitch, left)
            store_f32(target, i * pitch + 1, right)
    else:
        for i in range(n):
            for lane in range(lanes):
                store_f32(target, i * pitch + lane, load_f32(source, i * own + lane))


@helper
def delay(args, offset, n):
    """target = source, some frames ago. The line is a ring of exactly that many frames; its place is kept beside it."""
    lanes = word(args, DELAY_LANES)
    target = word(args, DELAY_TARGET) + offset * lanes * 4
    source = word(args, DELAY_SOURCE) + offset * lanes * 4
    line, frames, home = word(args, DELAY_LINE), word(args, DELAY_FRAMES), word(args, DELAY_PLACE)
    place = word(home, 0)
    done = 0
    while done < n:
        run = min(n - done, frames - place)
        ring = line + place * lanes * 4
        shift = done * lanes
        for k in range(run * lanes):
            x = load_f32(source, shift + k)
            store_f32(target, shift + k, load_f32(ring, k))
            store_f32(ring, k, x)
        done += run
        place += run
        if place == frames:
            place = 0
    set_word(home, 0, place)


@helper
def read_loop(args, offset, n):
    """What was written a tick ago; NaN and infinity end here."""
    lanes = word(args, LOOP_LANES)
    target, line = word(args, LOOP_SIGNAL) + offset * lanes * 4, word(args, LOOP_LINE)
    bad = 0
    for k in range(n * lanes):
        x = load_f32(line, k)
        clean = finite(x)
        bad += clean != x
        store_f32(target, k, clean)
    context = word(args, 0)
    set_word(context, SCRUBBED, word(context, SCRUBBED) + bad)


@helper
def write_loop(args, offset, n):
    """Keep a tick for the next one."""
    lanes = word(args, LOOP_LANES)
    source, line = word(args, LOOP_SIGNAL) + offset * lanes * 4, word(args, LOOP_LINE)
    for k in range(n * lanes):
        store_f32(line, k, load_f32(source, k))


@helper
def fade(args, offset, n):
    """wet · (1 − c) + dry · c; where c is 0 or 1, exactly wet or dry."""
    lanes = word(args, FADE_LANES)
    shift = offset * lanes * 4
    target, wet = word(args, FADE_TARGET) + shift, word(args, FADE_WET) + shift
    dry, control = word(args, FADE_DRY), word(args, FADE_CONTROL) + offset * 4
    if dry:
        dry += shift
    for i in range(n):
        c = min(max(load_f32(control, i), 0.0), 1.0)
        for lane in range(lanes):
            k = i * lanes + lane
            w = load_f32(wet, k)
            d = load_f32(dry, k) if dry else 0.0
            store_f32(target, k, w if c == 0.0 else d if c == 1.0 else w * (1.0 - c) + d * c)


@helper
def segment_at(segments, count, frame):
    """The last segment that starts at a frame or before it; the first one for frames before them all."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high + 1) >> 1
        if load_f64(segments, middle * SEGMENT_WORDS) <= frame:
            low = middle
        else:
            high = middle - 1
    return low


@helper
def automated(segments, at, frame):
    """The value of a segment of automation at a frame of the timeline; its ends hold outside."""
    at *= SEGMENT_WORDS
    start, value, end_value = load_f64(segments, at), load_f64(segments, at + 1), load_f64(segments, at + 2)
    length, curve = load_f64(segments, at + 3), load_f64(segments, at + 4)
    u = (frame - start) / length
    if u <= 0.0 or curve == 0.0:
        return value
    if u >= 1.0:
        return end_value
    if curve == 1.0:
        return value + (end_value - value) * u
    return value * exp2(u * log2(end_value / value))


@helper
def modulated(args, value, i, flags):
    """A value moved by the control signals plugged into the param: in the normalised range, clamped."""
    bounds = word(args, PARAM_RANGE)
    low, high, floor = load_f64(bounds, 0), load_f64(bounds, 1), load_f64(bounds, 2)
    sources, count = word(args, PARAM_SOURCES), word(args, PARAM_SOURCE_COUNT)
    if count:
        x = log2(value / low) / log2(high / low) if flags & FLAG_LOG else (value - low) / (high - low)
        for k in range(count):
            x += load_f64(sources, 2 * k + 1) * load_f32(word(sources, 2 * k), i)
        x = min(max(x, 0.0), 1.0)
        value = low * exp2(x * log2(high / low)) if flags & FLAG_LOG else low + x * (high - low)
    return max(value, floor)


@helper
def move_param(args, offset, n):
    """The values of a param: automation at the node's own time, then modulation, then decibels to gain where wanted."""
    target = word(args, PARAM_TARGET) + offset * 4
    segments, count = word(args, PARAM_SEGMENTS), word(args, PARAM_COUNT)
    flags = word(args, PARAM_FLAGS)
    value = load_f64(word(args, PARAM_BASE), 0)
    context = word(args, 0)
    rolling = word(context, ROLLING)
    first = word(context, PLACE) + offset * rolling - word(args, PARAM_ARRIVAL)
    at = segment_at(segments, count, float(first))
    i = 0
    while i < n:
        end = n
        if count and rolling:
            if at + 1 < count and load_f64(segments, (at + 1) * SEGMENT_WORDS) <= first + i:
                at += 1
            if at + 1 < count:
                end = min(n, max(i + 1, int(load_f64(segments, (at + 1) * SEGMENT_WORDS)) - first))
        if flags & FLAG_HOLD:
            end = min(end, (i // TICK + 1) * TICK)
            held = param_value(args, segments, at, count, value, first + i * rolling, offset + i, flags)
            for k in range(i, end):
                store_f32(target, k, held)
        else:
            for k in range(i, end):
                frame = first + k * rolling
                store_f32(target, k, param_value(args, segments, at, count, value, frame, offset + k, flags))
        i = end
    glide(args, target, n, flags)


@helper
def glide(args, target, n, flags):
    """Lead a param from what it was last to what it is now, where an edit or a jump of the transport came between."""
    past = word(args, PARAM_PAST)
    identity, jumps = word(args, PARAM_IDENTITY), word(word(args, 0), JUMPS)
    known = word(past, PAST_IDENTITY)
    if known and not flags & FLAG_STEPS and (known != identity or word(past, PAST_JUMPS) != jumps):
        set_word(past, PAST_GAP, bits_of(load_f64(past, PAST_LAST) - load_f32(target, 0)))
        set_word(past, PAST_LEFT, RAMP)
    set_word(past, PAST_IDENTITY, identity)
    set_word(past, PAST_JUMPS, jumps)
    left = word(past, PAST_LEFT)
    if left:
        gap = float_of(word(past, PAST_GAP)) * (1.0 / RAMP)
        for k in range(n):
            share = max(left - k, 0)
            if flags & FLAG_HOLD:
                share = max(left - k // TICK * TICK, 0)
            store_f32(target, k, load_f32(target, k) + gap * share)
        set_word(past, PAST_LEFT, max(left - n, 0))
    set_word(past, PAST_LAST, bits_of(float(load_f32(target, n - 1))))


@helper
def param_value(args, segments, at, count, base, frame, i, flags):
    """What a param is at one frame."""
    value = modulated(args, automated(segments, at, float(frame)) if count else base, i, flags)
    return gain_of_db(value) if flags & FLAG_GAIN else value
