"""Handing audio to another process and having it back: the memory both share, and the native code on the engine's side.

For each plugin there is a *head*, 64-bit words that both sides watch, and two *slots*, each with room for one block:
frames, transport, param changes, events, then planar inputs and outputs. ``submit`` fills a slot, publishes its number
and wakes the worker; ``collect`` waits for that number, within what the block has left. A plugin that does not answer
in time is missed: what went into it passes instead, as late as the plugin would have been. Nothing more is asked of it
until it has caught up; late answers are never looked at.
"""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp import playing
from nodes.dsp.crew import call
from nodes.dsp.events import TRACKER_WORDS
from nodes.dsp.machine import bits_of, f32, finite, float_of
from nodes.dsp.playing import MOST_EVENTS, begin_anew, miss_events, tell_events
from nodes.dsp.raw import (
    add_atomic,
    load_atomic,
    load_f32,
    now_ns,
    post,
    relax,
    set_word,
    store_atomic,
    store_f32,
    take,
    take_until,
)
from nodes.dsp.raw import word as raw_word

# Words of the head. Engine, worker and whoever watches over both write on cache lines of their own.
SUBMITTED, DONE, OWN, BEGUN, BY_CREW, STATE, EPOCH, BACK, CALL, QUIT = 0, 8, 9, 10, 11, 16, 17, 24, 32, 40
"""The last block handed over; the last one that is done; nanoseconds that the plugin itself took for it; the last one
that was begun; whether the worker's crew plays the plugin (``nodes.dsp.crew``), or a thread of its own; what became of
the plugin; how often it was loaded; a semaphore that is posted once a block is done; one that is posted for each handed
over to a thread of its own; 1 for such a thread that is to end.
"""
NOTES = 64
"""Where the engine notes what the plugin was told to play, for as long as the plugin is there, whoever plays it."""
NOTES_EPOCH = NOTES + TRACKER_WORDS
"""The epoch of the plugin that was told."""
HEAD_WORDS = -(-(NOTES_EPOCH + 1) // 8) * 8
LOADING, READY, FAILED = 0, 1, 2

# Words at the start of a slot.
FRAMES = 0
TRANSPORT, TRANSPORT_WORDS = 8, 16
"""As plugins read it: flags (1 playing), position, elapsed, numerator, denominator, and the bits of tempo, quarters,
the bar's beginning, the loop's two ends.
"""
CHANGES, MOST_CHANGES = 24, 1024
"""A count; then for each param change the plugin's number of the param, the frame, the bits of the value (float64)."""
EVENTS = CHANGES + 1 + 3 * MOST_CHANGES
"""A count; then a word for each: ``frame << 32 | bytes``."""
SLOT_WORDS = -(-(EVENTS + 1 + MOST_EVENTS) // 8) * 8

# Words of the engine's own table. The first are set when it is made …
HEAD, CREW, SLOTS, STRIDE, CAPACITY, OUTPUTS_AT, SPIN, LIMIT, INPUT_PORTS, OUTPUT_PORTS = range(10)
"""Addresses of the head, of what the crew shares, of the first slot; bytes from slot to slot; frames in a slot;
the byte of a slot at which its outputs start; nanoseconds to wait without sleeping, and to wait at most where there is
no deadline; ports.
"""
LATENCY, TEMPO, MAIN, MAIN_LANES, RING, PARAMS, CROWD, SPARE = range(10, 18)
"""Frames by which the plugin lags; beats per minute (float64); the input port that passes when the plugin is missed,
or -1, and its lanes; frames that are remembered of it, a power of two; params; the address of how many threads of
workers have something to do, and how many processors there are for them: with more at work, waiting awake would only
be in their way.
"""
TASKS, THREADS = 22, 23
"""The address of how many blocks the crew has to do, and how many threads it has."""
# … and these are the native code's; everybody may read them.
SEQUENCE, AWAY, WET, SEEN, MISSED, PASSED, SCRUBBED, WAITED, FED, BLOCKS, KEY, CAME = range(24, 36)
"""The last block's number; whether one is under way (2: with the crew); whether the plugin was heard last; the epoch
last seen; how often a block was not done in time; blocks that passed without the plugin; samples that were no numbers;
the longest wait (nanoseconds); frames that came in; blocks so far; which block this is; whether it came back, -1 while
nobody asked.
"""
IN_LANES, OUT_LANES = 40, 104
"""Lanes of each port in the slot; 0: switched off."""
MOST_PORTS = 64
TABLE_WORDS = -(-playing.END // 8) * 8
"""From 18 and from 168 on with what ``nodes.dsp.playing`` needs."""

FADE = 64
"""Frames to go from the plugin's sound to what passes it, or back."""
NAP_NS = 20_000_000
BEAT_S = 60.0


@helper
def submit(ins, values, places, sent, touched, words, known, dry, offset, key, time, position, roll, rate, n, deadline):
    """Hand a block over, unless the plugin is not there or still behind. ``key`` tells one block from another: while an
    edit is crossfaded two nodes may share a plugin, and what the first has handed over serves both.

    ``values`` are the params, raw; ``places[k]`` is the plugin's own number of each, ``sent[k]`` what it was
    told last; ``touched[k]`` is 0 where it was never told, 1 where it was, 2 where it must be told. ``known[0]`` is 1
    once this node has told it anything.
    """
    if words[KEY] == key and words[BLOCKS]:
        remember(ins, words, dry, words[FED] - n, offset, n)
        return
    remember(ins, words, dry, words[FED], offset, n)
    words[FED] += n
    words[KEY] = key
    words[CAME] = -1
    words[AWAY] = 0
    words[BLOCKS] += 1
    head = words[HEAD]
    state = load_atomic(head + 8 * STATE)
    if deadline == 0 and state == LOADING:
        until = now_ns() + words[LIMIT]
        while state == LOADING and now_ns() < until:
            take_until(head + 8 * BACK, now_ns() + NAP_NS)
            state = load_atomic(head + 8 * STATE)
    if state != READY or n > words[CAPACITY]:
        miss_events(words, head + 8 * NOTES, ins, offset, n)
        return
    epoch = load_atomic(head + 8 * EPOCH)
    if epoch != words[SEEN]:
        words[SEEN] = epoch
        for k in range(words[PARAMS]):
            touched[k] *= 2 if touched[k] == 1 else 1
    if raw_word(head, NOTES_EPOCH) != epoch:
        set_word(head, NOTES_EPOCH, epoch)
        begin_anew(head + 8 * NOTES)
    number = words[SEQUENCE]
    if load_atomic(head + 8 * DONE) != number:
        miss_events(words, head + 8 * NOTES, ins, offset, n)
        return
    number += 1
    slot = words[SLOTS] + (number & 1) * words[STRIDE]
    set_word(slot, FRAMES, n)
    tell_time(slot + 8 * TRANSPORT, words, time, position, roll, rate)
    tell_changes(slot + 8 * CHANGES, values, words[PARAMS], places, sent, touched, offset, n)
    tell_events(slot + 8 * EVENTS, words, head + 8 * NOTES, ins, known, offset, n)
    target = slot + 8 * SLOT_WORDS
    for p in range(words[INPUT_PORTS]):
        source, pitch = raw_word(ins, 1 + 3 * p) + 4 * offset * raw_word(ins, 3 + 3 * p), raw_word(ins, 3 + 3 * p)
        for lane in range(words[IN_LANES + p]):
            take_lane(target, source + 4 * lane, pitch, n)
            target += 4 * words[CAPACITY]
    words[SEQUENCE] = number
    words[AWAY] = 2 if load_atomic(head + 8 * BY_CREW) else 1
    store_atomic(head + 8 * SUBMITTED, number)
    if words[AWAY] == 2:
        add_atomic(words[CROWD], 1 if add_atomic(words[TASKS], 1) < words[THREADS] else 0)
        call(words[CREW])
    else:
        add_atomic(words[CROWD], 1)
        post(head + 8 * CALL)


@helper
def take_lane(target, source, pitch, n):
    """One lane of a signal, put by itself. The widths met most have loops of their own, which become vector code."""
    if pitch == 1:
        for i in range(n):
            store_f32(target, i, load_f32(source, i))
    elif pitch == 2:
        for i in range(n):
            store_f32(target, i, load_f32(source, 2 * i))
    else:
        for i in range(n):
            store_f32(target, i, load_f32(source, i * pitch))


@helper
def give_lane(target, pitch, source, n):
    """The opposite; what is no number becomes zero: how many there were."""
    bad = 0
    if pitch == 1:
        for i in range(n):
            x = load_f32(source, i)
            bad += finite(x) != x
            store_f32(target, i, finite(x))
    elif pitch == 2:
        for i in range(n):
            x = load_f32(source, i)
            bad += finite(x) != x
            store_f32(target, 2 * i, finite(x))
    else:
        for i in range(n):
            x = load_f32(source, i)
            bad += finite(x) != x
            store_f32(target, i * pitch, finite(x))
    return bad


@helper
def remember(ins, words, dry, at, offset, n):
    """Keep what goes into the main input, for when the plugin is missed."""
    p, lanes, mask = words[MAIN], words[MAIN_LANES], words[RING] - 1
    if p >= 0:
        source, pitch = raw_word(ins, 1 + 3 * p), raw_word(ins, 3 + 3 * p)
        done = 0
        while done < n:
            row = (at + done) & mask
            run = min(n - done, mask + 1 - row)
            first = source + 4 * (offset + done) * pitch
            if lanes == pitch:
                for k in range(run * lanes):
                    dry[row * lanes + k] = load_f32(first, k)
            else:
                for i in range(run):
                    for lane in range(lanes):
                        dry[(row + i) * lanes + lane] = load_f32(first, i * pitch + lane)
            done += run


@helper
def tell_time(target, words, time, position, roll, rate):
    """Where the timeline is at the first frame of the block; in four four."""
    tempo = float_of(words[TEMPO])
    quarters = position / rate * tempo / BEAT_S
    set_word(target, 0, 1 if roll > 0.0 else 0)
    set_word(target, 1, position)
    set_word(target, 2, time)
    set_word(target, 3, 4)
    set_word(target, 4, 4)
    set_word(target, 5, words[TEMPO])
    set_word(target, 6, bits_of(quarters))
    bar = quarters / 4.0
    whole = float(int(bar)) if bar >= 0.0 or bar == float(int(bar)) else float(int(bar)) - 1.0
    set_word(target, 7, bits_of(4.0 * whole))
    set_word(target, 8, 0)
    set_word(target, 9, 0)


@helper
def value_at(values, k, frame):
    """A param at a frame of the block."""
    return load_f32(raw_word(values, 2 * k), frame * raw_word(values, 2 * k + 1))


@helper
def next_change(values, count, frame, end):
    """The first frame after this one, before ``end``, at which a param is not what it is here; else ``end``."""
    for k in range(count):
        if raw_word(values, 2 * k + 1):
            for j in range(frame + 1, end):
                if value_at(values, k, j) != value_at(values, k, frame):
                    end = j
                    break
    return end


@helper
def tell_changes(target, values, count, places, sent, touched, offset, n):
    """Every param that is not what the plugin was told last, from the frame on at which it is not; what there is no
    room for waits for the next block.
    """
    used = 0
    i = 0
    while i < n:
        for k in range(count):
            value = value_at(values, k, offset + i)
            if (value != sent[k] or touched[k] == 2) and used < MOST_CHANGES:
                set_word(target, 1 + 3 * used, places[k])
                set_word(target, 2 + 3 * used, i)
                set_word(target, 3 + 3 * used, bits_of(float(value)))
                sent[k] = value
                touched[k] = 1
                used += 1
        i = next_change(values, count, offset + i, offset + n) - offset
    set_word(target, 0, used)


@helper
def wait_back(words, deadline):
    """Wait for the block under way; whether it came. The semaphore may have been posted for an earlier one."""
    head, number = words[HEAD], words[SEQUENCE]
    back = head + 8 * BACK
    began = now_ns()
    limit = deadline if deadline else began + words[LIMIT]
    own = words[AWAY] == 1 or add_atomic(words[TASKS], -1) <= words[THREADS]
    crowd = add_atomic(words[CROWD], -1 if own else 0)
    spin = words[SPIN] if crowd <= words[SPARE] else 0
    now = began
    while True:
        take(back)
        came = load_atomic(head + 8 * DONE) == number
        if came or now >= limit or load_atomic(head + 8 * STATE) != READY:
            break
        if now - began < spin:
            relax()
        else:
            take_until(back, min(limit, now + NAP_NS))
        now = now_ns()
    words[WAITED] = max(words[WAITED], now - began)
    return came


@helper
def collect(outs, words, edge, dry, offset, n, deadline):
    """Fetch the block under way, or let the input pass. ``edge`` is the last sample of each output channel."""
    if words[CAME] < 0:
        words[CAME] = 0
        if words[AWAY]:
            words[CAME] = 1 if wait_back(words, deadline) else 0
            words[MISSED] += 1 - words[CAME]
        words[AWAY] = 0
        words[PASSED] += 1 - words[CAME]
    wet = words[CAME] == 1
    source = words[SLOTS] + (words[SEQUENCE] & 1) * words[STRIDE] + words[OUTPUTS_AT]
    channel = 0
    for p in range(words[OUTPUT_PORTS]):
        target, pitch = raw_word(outs, 1 + 3 * p) + 4 * offset * raw_word(outs, 3 + 3 * p), raw_word(outs, 3 + 3 * p)
        for lane in range(words[OUT_LANES + p]):
            if wet and words[WET]:
                words[SCRUBBED] += give_lane(target + 4 * lane, pitch, source, n)
            else:
                between(target + 4 * lane, pitch, source, wet, words, edge[channel], dry, lane if p == 0 else -1, n)
            edge[channel] = load_f32(target, (n - 1) * pitch + lane)
            source += 4 * words[CAPACITY]
            channel += 1
    words[WET] = 1 if wet else 0


@helper
def between(target, pitch, source, wet, words, last, dry, lane, n):
    """One channel while the plugin is missed, or while it comes back. What its last sample was away from the input
    fades out.
    """
    lanes, mask = words[MAIN_LANES], words[RING] - 1
    if lanes == 1:
        lane = min(lane, 0)
    passes = 0 <= lane < lanes and words[MAIN] >= 0
    first = words[FED] - n - words[LATENCY]
    gap = last - (finite(dry[((first - 1) & mask) * lanes + lane]) if passes else f32(0.0))
    bad = 0
    for i in range(n):
        y = finite(dry[((first + i) & mask) * lanes + lane]) if passes else f32(0.0)
        if wet:
            x = load_f32(source, i)
            clean = finite(x)
            bad += clean != x
            y += (clean - y) * f32(min(i + 1, FADE)) * f32(1.0 / FADE)
        elif words[WET]:
            y += gap * f32(max(FADE - 1 - i, 0)) * f32(1.0 / FADE)
        store_f32(target, i * pitch, y)
    words[SCRUBBED] += bad
