"""The call of a block: hand out buffers, time and changes; call the plugin; make sure that what it wrote is numbers."""

from __future__ import annotations

from graph.spec import helper
from host.native.raw import (
    call_audio,
    flush_denormals,
    load_f32,
    restore_float_mode,
    set_word,
    store_f32,
    word,
)
from host.plugins.instance import FAILED, INPUTS, OUTPUTS, SCRUBBED, TRANSPORT
from host.plugins.vst3.blocks import (
    BUS_CHANNELS,
    BUS_ON,
    BUS_ORDER,
    BUS_POINTER_COUNT,
    BUS_POINTERS,
    BUS_SPARE,
    BUS_WORDS,
    CHANGE_LIST,
    CONTEXT,
    DATA,
    EVENT_LIST,
    IN_BUSES,
    IN_COUNT,
    IN_TABLE,
    MOST_FRAMES,
    OUT_BUSES,
    OUT_COUNT,
    OUT_EVENTS,
    OUT_LIST,
    OUT_TABLE,
    PROCESS,
    PROCESSOR,
    RATE_BITS,
    gather,
    queue_up,
)

SMALLEST = 1.1754943508222875e-38
"""The least float32 that is no denormal."""
LARGEST = 3.4028234663852886e38
# Flags of ProcessContext.
PLAYING, CYCLING, RECORDING = 1 << 1, 1 << 2, 1 << 3
ALWAYS = 1 << 9 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 17
"""Position in quarters, tempo, bar, time signature and continuous time are valid."""
CYCLE_VALID = 1 << 12
STOPPED_TEMPO = 0x405E000000000000
"""The bits of 120.0."""
FOUR_FOUR = 4 | 4 << 32


@helper
def hand_out(words, buses, count, table, channels):
    """Fill the pointers of all buses afresh: a bus that is off, and pointers beyond a bus's channels, get its spare."""
    first = 0
    for b in range(count):
        row = buses + 8 * BUS_WORDS * b
        pointers = word(row, BUS_POINTERS)
        own = word(row, BUS_CHANNELS)
        on = word(row, BUS_ON)
        for c in range(word(row, BUS_POINTER_COUNT)):
            if on != 0 and c < own:
                set_word(pointers, c, word(channels, first + word(word(row, BUS_ORDER), c)))
            else:
                set_word(pointers, c, word(row, BUS_SPARE))
        if on != 0:
            first += own
        buffers = table + 24 * b
        set_word(buffers, 0, own)
        set_word(buffers, 1, 0 if on != 0 else -1)
        set_word(buffers, 2, pointers)
    return first


@helper
def tell_time(words):
    """Write the ProcessContext: 14 words."""
    context = word(words, CONTEXT)
    transport = word(words, TRANSPORT)
    for k in range(14):
        set_word(context, k, 0)
    set_word(context, 1, word(words, RATE_BITS))
    set_word(context, 0, ALWAYS)
    set_word(context, 9, STOPPED_TEMPO)
    set_word(context, 10, FOUR_FOUR)
    if transport != 0:
        flags = word(transport, 0)
        state = ALWAYS
        if flags & 1:
            state |= PLAYING
        if flags & 2:
            state |= RECORDING
        if flags & 4:
            state |= CYCLING | CYCLE_VALID
        set_word(context, 0, state)
        set_word(context, 2, word(transport, 1))
        set_word(context, 4, word(transport, 2))
        set_word(context, 5, word(transport, 6))
        set_word(context, 6, word(transport, 7))
        set_word(context, 7, word(transport, 8))
        set_word(context, 8, word(transport, 9))
        set_word(context, 9, word(transport, 5))
        set_word(context, 10, word(transport, 3) & 0xFFFFFFFF | word(transport, 4) << 32)


@helper
def silence(channels, count, frames):
    """Zero the caller's output channels: a plugin that writes nothing is silent."""
    for c in range(count):
        channel = word(channels, c)
        for k in range(frames):
            store_f32(channel, k, 0.0)


@helper
def scrub(channels, count, frames):
    """Replace what is no number by zero, and denormals too; how many of the first kind there were."""
    bad = 0
    for c in range(count):
        channel = word(channels, c)
        for k in range(frames):
            value = load_f32(channel, k)
            size = abs(value)
            wrong = not (size <= LARGEST)
            bad += wrong
            store_f32(channel, k, 0.0 if wrong or size < SMALLEST else value)
    return bad


@helper
def run(words, frames):
    """Run one block: ``int64 (words, frames)``. Gives 0 when all is well, 1 for a size that was not agreed, 2 where the
    plugin says that it failed.
    """
    if frames < 0 or frames > word(words, MOST_FRAMES):
        return 1
    before = flush_denormals()
    tell_time(words)
    queue_up(words, gather(words, frames))
    channels = word(words, OUTPUTS)
    hand_out(words, word(words, IN_BUSES), word(words, IN_COUNT), word(words, IN_TABLE), word(words, INPUTS))
    count = hand_out(words, word(words, OUT_BUSES), word(words, OUT_COUNT), word(words, OUT_TABLE), channels)
    silence(channels, count, frames)
    data = word(words, DATA)
    set_word(data, 0, 0)
    set_word(data, 1, frames | word(words, IN_COUNT) << 32)
    set_word(data, 2, word(words, OUT_COUNT))
    set_word(data, 3, word(words, IN_TABLE))
    set_word(data, 4, word(words, OUT_TABLE))
    set_word(data, 5, word(words, CHANGE_LIST))
    set_word(data, 6, word(words, OUT_LIST))
    set_word(data, 7, word(words, EVENT_LIST))
    set_word(data, 8, word(words, OUT_EVENTS))
    set_word(data, 9, word(words, CONTEXT))
    answer = call_audio(word(words, PROCESS), word(words, PROCESSOR), data, 0, 0, 0, 0)
    bad = scrub(channels, count, frames)
    set_word(words, SCRUBBED, word(words, SCRUBBED) + bad)
    restore_float_mode(before)
    if answer != 0:
        set_word(words, FAILED, word(words, FAILED) + 1)
        return 2
    return 0
