"""The native loop of a device that is none: it calls an audio callback by the clock, or as fast as it goes."""

from __future__ import annotations

from graph.spec import helper
from host.native.raw import (
    call_audio,
    load_atomic,
    load_f32,
    now_ns,
    set_word,
    sleep_until,
    store_atomic,
    store_f32,
    word,
)

WORDS = 32
CALLBACK, USER, RATE, INPUTS, OUTPUTS = 0, 1, 2, 3, 4
INPUT, OUTPUT, TIMES = 5, 6, 7
"""Addresses of one block each way (input 0: none), and of a PaStreamCallbackTimeInfo."""
SIZES, COUNT = 8, 9
"""Address and length of the list of block sizes, which are asked for in turn."""
PACED, LIMIT = 10, 11
"""Whether to keep to the clock; frames after which to end, or 0."""
FED, FED_FRAMES, TAKEN, TAKEN_FRAMES = 12, 13, 14, 15
"""Addresses and lengths of what to give as input, and of where to keep the output."""
QUIT, FRAMES, LATE = 16, 17, 18
SECOND = 1_000_000_000
SLIP = SECOND
"""A clock that is further ahead than this means that the machine slept: time goes on from there."""
UNDERFLOW = 4


@helper
def due(start, frames, rate):
    """When a frame is due. In two parts: nanoseconds times frames would overflow within a day."""
    return start + frames // rate * SECOND + frames % rate * SECOND // rate


@helper
def copied(source, first, there, target, at, count, channels):
    """Copy frames between interleaved arrays; silence where the source has ended."""
    for k in range(count * channels):
        value = 0.0
        if first * channels + k < there * channels:
            value = load_f32(source, first * channels + k)
        store_f32(target, at * channels + k, value)


@helper
def loop(words):
    """Call the callback until told to quit, or until the limit. Behind by more than a block is a dropout."""
    rate = word(words, RATE)
    inputs = word(words, INPUTS)
    outputs = word(words, OUTPUTS)
    start = now_ns()
    done = 0
    turn = 0
    flags = 0
    while load_atomic(words + 8 * QUIT) == 0 and (word(words, LIMIT) == 0 or done < word(words, LIMIT)):
        size = word(word(words, SIZES), turn)
        turn = (turn + 1) % word(words, COUNT)
        if word(words, PACED):
            at = due(start, done, rate)
            while now_ns() < at and load_atomic(words + 8 * QUIT) == 0:
                sleep_until(at)
        if inputs > 0:
            copied(word(words, FED), done, word(words, FED_FRAMES), word(words, INPUT), 0, size, inputs)
        call_audio(
            word(words, CALLBACK),
            word(words, INPUT),
            word(words, OUTPUT),
            size,
            word(words, TIMES),
            flags,
            word(words, USER),
        )
        keep = min(size, max(0, word(words, TAKEN_FRAMES) - done))
        copied(word(words, OUTPUT), 0, size, word(words, TAKEN), done, keep, outputs)
        done += size
        flags = 0
        store_atomic(words + 8 * FRAMES, done)
        if word(words, PACED):
            behind = now_ns() - due(start, done, rate)
            if behind > 0:
                flags = UNDERFLOW
                set_word(words, LATE, word(words, LATE) + 1)
            if behind > SLIP:
                start += behind
    return done
