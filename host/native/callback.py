"""What the audio device calls: commands taken in, the transport, ramps of params, the program, device channels. All of
it compiled; nothing here allocates, locks, waits or raises.

The state is a table of 64-bit words. The control side writes commands into a ring and reads what it likes; every other
word belongs to the callback, or is set while no callback runs.
"""

from __future__ import annotations

from graph.spec import RAMP, TICK, helper
from host.native.abi import (
    DEADLINE,
    PLACE,
    RATE,
    ROLLING,
    STREAM_DATA,
    STREAM_END,
    STREAM_MASK,
    STREAM_START,
    TIME,
)
from host.native.abi import FADE as FADED
from host.native.pace import keep_time
from host.native.ramps import end_ramp, fill_ramp, start_ramp
from host.native.raw import (
    cycles,
    flush_denormals,
    load_atomic,
    load_f32,
    load_f64,
    now_ns,
    restore_float_mode,
    set_word,
    store_atomic,
    store_f32,
    word,
)
from host.native.rolling import go_by, jump, put_off, roll, seam_between, turn_on
from host.native.runner import ROW_CYCLES, ROW_WORDS, ROW_WORST, advance, run_rows
from host.native.state import (
    ACTIVE,
    ACTIVE_COUNT,
    BANK,
    BANK_WORDS,
    BASE,
    BEND,
    BEND_COUNT,
    BEND_IDENTITY,
    BEND_SEGMENTS,
    BLOCK,
    BUDGET,
    CALLBACKS,
    CLOCK,
    COMMAND_WORDS,
    COMMANDS,
    COMMANDS_MASK,
    CONTEXT,
    CULPRIT,
    DIRECT,
    FADE_END,
    FIFO_FRAMES,
    FIFO_IN,
    FIFO_IN_FILL,
    FIFO_OUT,
    FIFO_OUT_FILL,
    GO,
    INPUTS,
    JUMP,
    LATE,
    LOCATE,
    LOOP,
    LOOP_END,
    NEXT_BANK,
    NEXT_END,
    NEXT_START,
    OTHER_LOOP,
    OUTPUTS,
    PENDING,
    PENDING_BANK,
    PENDING_PLACE,
    PLAY,
    PLAYED,
    PORT_ARRIVAL,
    PORT_CHANNELS,
    PORT_HEADER,
    PORT_PLACES,
    PORT_WORDS,
    ROLL_LEFT,
    ROW_COUNT,
    ROWS,
    SINK_COUNT,
    SINKS,
    SLOWEST,
    SOURCE_COUNT,
    SOURCES,
    SPENT,
    SPENT_WORST,
    TAKE_COUNT,
    TAKEN,
    TAKES,
    TAPE_COUNT,
    TAPES,
    TURN,
    WAIT,
    WRITTEN,
)
from host.native.steps import PARAM_COUNT, PARAM_IDENTITY, PARAM_SEGMENTS, PAST_JUMPS
from nodes.dsp.machine import float_of

PATIENCE_NS = 0.7e9
"""How much of each second of sound may be spent waiting for what is done elsewhere, in nanoseconds."""


@helper
def callback(source, target, frames, info, flags, live):
    """What PortAudio calls (PaStreamCallback): interleaved float32 in and out."""
    start = cycles()
    frames &= 0xFFFFFFFF
    if word(live, PLAYED):
        context = word(live, CONTEXT)
        first = word(context, TIME) + (0 if word(live, DIRECT) else word(live, FIFO_IN_FILL))
        keep_time(live + 8 * CLOCK, first, frames, float_of(word(context, RATE)), now_ns())
    if word(live, DIRECT) and frames % TICK == 0:
        render(live, source, target, frames)
    else:
        buffered(live, source, target, frames)
    spent = cycles() - start
    set_word(live, SPENT, word(live, SPENT) + spent)
    set_word(live, SPENT_WORST, max(word(live, SPENT_WORST), spent))
    if spent > frames * load_f64(live, BUDGET):
        set_word(live, CULPRIT, word(live, SLOWEST))
        set_word(live, LATE, word(live, LATE) + 1)
    store_atomic(live + 8 * CALLBACKS, word(live, CALLBACKS) + 1)
    return 0


@helper
def buffered(live, source, target, frames):
    """For devices whose blocks are no whole ticks: what is in hand is run as soon as it makes a tick."""
    inputs, outputs = word(live, INPUTS), word(live, OUTPUTS)
    fifo_in, fifo_out = word(live, FIFO_IN), word(live, FIFO_OUT)
    done = 0
    while done < frames:
        piece = min(frames - done, word(live, FIFO_FRAMES))
        fill = word(live, FIFO_IN_FILL)
        copy_frames(fifo_in, fill * inputs, source, done * inputs, piece * inputs)
        fill += piece
        whole = fill - fill % TICK
        ready = word(live, FIFO_OUT_FILL)
        render(live, fifo_in, fifo_out + 4 * ready * outputs, whole)
        copy_frames(fifo_in, 0, fifo_in, whole * inputs, (fill - whole) * inputs)
        set_word(live, FIFO_IN_FILL, fill - whole)
        ready += whole
        if target:
            copy_frames(target, done * outputs, fifo_out, 0, piece * outputs)
        copy_frames(fifo_out, 0, fifo_out, piece * outputs, (ready - piece) * outputs)
        set_word(live, FIFO_OUT_FILL, ready - piece)
        done += piece


@helper
def copy_frames(target, to, source, at, count):
    """Copy samples, from the first to the last; zeros where there is no source."""
    for k in range(count):
        store_f32(target, to + k, load_f32(source, at + k) if source else 0.0)


@helper
def render(live, source, target, frames):
    """Whole ticks from the device's input to its output; either may be missing."""
    before = flush_denormals()
    inputs, outputs, context = word(live, INPUTS), word(live, OUTPUTS), word(live, CONTEXT)
    began, done = now_ns(), 0
    while done < frames:
        obey(live)
        n = min(frames - done, word(live, BLOCK), horizon(live))
        given = source + 4 * done * inputs if source else 0
        wanted = target + 4 * done * outputs if target else 0
        if wanted:
            for k in range(n * outputs):
                store_f32(wanted, k, 0.0)
        if word(live, PLAYED):
            set_word(context, DEADLINE, began + int((done + n) * PATIENCE_NS / float_of(word(context, RATE))))
            play(live, given, wanted, n)
            turn_on(live, n)
        done += n
    restore_float_mode(before)


@helper
def horizon(live):
    """Frames until something happens that must stand at the start of a block."""
    context = word(live, CONTEXT)
    n = word(live, BLOCK)
    if word(live, ROLL_LEFT):
        n = min(n, word(live, ROLL_LEFT))
    place, end = word(context, PLACE), word(live, LOOP_END)
    if word(context, ROLLING) and place < end:
        n = min(n, (end - place + TICK - 1) // TICK * TICK)
    return n


@helper
def play(live, source, target, n):
    """One block of the program."""
    context, program = word(live, CONTEXT), word(live, PLAYED)
    for k in range(word(live, ACTIVE_COUNT)):
        fill_ramp(word(word(live, ACTIVE), k), n)
    for k in range(word(program, SOURCE_COUNT)):
        take_in(word(program, SOURCES) + 8 * PORT_WORDS * k, context, source, word(live, INPUTS), n)
    for k in range(word(program, TAPE_COUNT)):
        thread_tape(word(program, TAPES) + 8 * PORT_WORDS * k, word(live, BANK))
    run_measured(live, word(program, ROWS), word(program, ROW_COUNT), n)
    for k in range(word(program, SINK_COUNT)):
        port = word(program, SINKS) + 8 * PORT_WORDS * k
        publish(port, context, n)
        if target:
            give_out(port, context, target, word(live, OUTPUTS), n)
    for k in range(word(program, TAKE_COUNT)):
        publish(word(program, TAKES) + 8 * PORT_WORDS * k, context, n)
    k = 0
    while k < word(live, ACTIVE_COUNT):
        if end_ramp(live, k, n):
            k += 1
    advance(context, n)


@helper
def run_measured(live, rows, count, n):
    """Run the rows, and note what each takes."""
    at, slowest, most = 0, 0, 0
    before = cycles()
    while at < count:
        following = run_rows(rows, at, n)
        now = cycles()
        spent = now - before
        set_word(rows, at * ROW_WORDS + ROW_CYCLES, word(rows, at * ROW_WORDS + ROW_CYCLES) + spent)
        if spent > word(rows, at * ROW_WORDS + ROW_WORST):
            set_word(rows, at * ROW_WORDS + ROW_WORST, spent)
        if spent > most:
            most, slowest = spent, at
        before = now
        at = following
    set_word(live, SLOWEST, slowest)


# Device channels, tapes and takes


@helper
def take_in(port, context, source, inputs, n):
    """Copy device channels into the ring of an input."""
    header, channels, places = word(port, PORT_HEADER), word(port, PORT_CHANNELS), word(port, PORT_PLACES)
    publish(port, context, n)
    data, mask, start = word(header, STREAM_DATA), word(header, STREAM_MASK), word(header, STREAM_START)
    for lane in range(channels):
        channel = word(places, lane)
        there = source != 0 and 0 <= channel < inputs
        for i in range(n):
            x = load_f32(source, i * inputs + channel) if there else 0.0
            store_f32(data, ((start + i) & mask) * channels + lane, x)


@helper
def give_out(port, context, target, outputs, n):
    """Add what an output made to its device channels."""
    header, channels, places = word(port, PORT_HEADER), word(port, PORT_CHANNELS), word(port, PORT_PLACES)
    data, mask, start = word(header, STREAM_DATA), word(header, STREAM_MASK), word(header, STREAM_START)
    for lane in range(channels):
        channel = word(places, lane)
        if 0 <= channel < outputs:
            for i in range(n):
                x = load_f32(data, ((start + i) & mask) * channels + lane)
                store_f32(target, i * outputs + channel, load_f32(target, i * outputs + channel) + x)


@helper
def publish(port, context, n):
    """Say which frames of a stream this block is about: what lies before its end is there for whoever reads it."""
    header = word(port, PORT_HEADER)
    start = word(context, TIME) - word(port, PORT_ARRIVAL)
    set_word(header, STREAM_START, start)
    store_atomic(header + 8 * STREAM_END, start + n)


@helper
def thread_tape(port, bank):
    """Let a player read from the bank that is in play, as far as it is filled."""
    header, words = word(port, PORT_HEADER), word(port, PORT_PLACES)
    if words:
        words += 8 * BANK_WORDS * bank
        end = load_atomic(words + 8 * 3)
        set_word(header, STREAM_DATA, word(words, 0))
        set_word(header, STREAM_MASK, word(words, 1))
        set_word(header, STREAM_START, load_atomic(words + 8 * 2))
        set_word(header, STREAM_END, end)


# Commands


@helper
def obey(live):
    """Do what the control side asked for since the last block."""
    taken, written = word(live, TAKEN), load_atomic(live + 8 * WRITTEN)
    while taken < written:
        command = word(live, COMMANDS) + 8 * COMMAND_WORDS * (taken & word(live, COMMANDS_MASK))
        follow(live, word(command, 0), word(command, 1), word(command, 2), word(command, 3))
        taken += 1
    store_atomic(live + 8 * TAKEN, taken)


@helper
def follow(live, what, one, two, three):
    """One command."""
    context = word(live, CONTEXT)
    if what == PLAY:
        wait = word(one, WAIT)
        if wait >= 0:
            set_word(context, FADED, word(context, TIME) + wait)
            set_word(live, FADE_END, word(context, TIME) + wait + RAMP)
        store_atomic(live + 8 * PLAYED, one)
    elif what == GO:
        start_ramp(live, one, float_of(two))
    elif what == BASE:
        set_word(one, 0, two)
        set_word(three, PAST_JUMPS, -1)
    elif what == BEND:
        set_word(one, PARAM_SEGMENTS, word(two, BEND_SEGMENTS))
        set_word(one, PARAM_COUNT, word(two, BEND_COUNT))
        set_word(one, PARAM_IDENTITY, word(two, BEND_IDENTITY))
    elif what == TURN:
        roll(live, one, two)
    elif what == LOCATE:
        if word(context, ROLLING):
            set_word(live, PENDING_PLACE, one)
            set_word(live, PENDING_BANK, two)
            put_off(live, JUMP)
        else:
            jump(live, one, two)
    elif what == LOOP:
        if word(live, PENDING) or (three >= 0 and seam_between(live, one, two, three)):
            set_word(live, NEXT_START, one)
            set_word(live, NEXT_END, two)
            set_word(live, NEXT_BANK, three)
            put_off(live, OTHER_LOOP)
        else:
            go_by(live, one, two, three)
