"""Steps over events: cables that come together, and compensation. ``nodes.dsp.events`` says what a signal holds.

A tick has room for so many events; those beyond wait in a queue and come first in the next tick. Where the queue is
full too, what ends notes still has room, for a while, that nothing else has; what is lost is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from graph.schedule import EventDelayStep, GatherStep, Slot
from graph.spec import TICK, helper
from host.native.raw import add_atomic, load_f32, set_word, word
from nodes.dsp.events import (
    RELEASE,
    ROWS,
    TRACKER_WORDS,
    end_rows,
    ending,
    ending_meant,
    follow,
    is_note_off,
    is_of_a_channel,
    put_row,
    row_at,
)

QUEUE_READ, QUEUE_WRITTEN, QUEUE_MASK, QUEUE_CLOCK, QUEUE_ITEMS = 0, 1, 2, 3, 4
"""Words of a queue: how many were taken and put, the size less one, frames so far, then pairs: when an event is due by
that clock, and the event.
"""
GATHER_TARGET, GATHER_COUNT, GATHER_CABLES, GATHER_QUEUE = 1, 2, 3, 4
CABLE_SIGNAL, CABLE_TRACKER, CABLE_MUTE, CABLE_ROW = 0, 1, 2, 3
CABLE_WORDS = 4
DELAY_TARGET, DELAY_SOURCE, DELAY_FRAMES, DELAY_QUEUE = 1, 2, 3, 4
LOST = 12
"""The word of the context that counts events for which there was no room."""
WAITING = 4096
"""Events that may wait for room where cables come together; a power of two."""
LONGEST_QUEUE = 1 << 16
FRAME_BYTES = 8
"""Of an events signal, from row to row."""


@helper
def queued(queue):
    """How many wait."""
    return word(queue, QUEUE_WRITTEN) - word(queue, QUEUE_READ)


@helper
def put(queue, due, event, context):
    """Let an event wait; what there is no room for is counted in the context."""
    size = word(queue, QUEUE_MASK) + 1
    if queued(queue) < (size if is_note_off(event) or event & 255 == RELEASE else size // 2):
        at = word(queue, QUEUE_WRITTEN)
        item = QUEUE_ITEMS + 2 * (at & word(queue, QUEUE_MASK))
        set_word(queue, item, due)
        set_word(queue, item + 1, event)
        set_word(queue, QUEUE_WRITTEN, at + 1)
    else:
        add_atomic(context + 8 * LOST, 1)


@helper
def give(args, target, rows, frame, event):
    """An event into the tick, or, where that is full, into the queue; how many the tick has then."""
    if rows < ROWS:
        put_row(target, rows, frame, event)
        return rows + 1
    put(word(args, GATHER_QUEUE), 0, event, word(args, 0))
    return rows


@helper
def release(args, target, rows, frame, tracker):
    """End all that a cable holds."""
    event = ending(tracker)
    while event:
        rows = give(args, target, rows, frame, event)
        event = ending(tracker)
    return rows


@helper
def gather_tick(args, offset):
    """One tick of all cables, by frame, then in their order."""
    target = word(args, GATHER_TARGET) + FRAME_BYTES * offset
    cables, count, queue = word(args, GATHER_CABLES), word(args, GATHER_COUNT), word(args, GATHER_QUEUE)
    rows = 0
    while rows < ROWS and queued(queue):
        at = word(queue, QUEUE_READ)
        put_row(target, rows, 0, word(queue, QUEUE_ITEMS + 2 * (at & word(queue, QUEUE_MASK)) + 1))
        set_word(queue, QUEUE_READ, at + 1)
        rows += 1
    for k in range(count):
        cable = cables + 8 * CABLE_WORDS * k
        mute = word(cable, CABLE_MUTE)
        shut = word(cable, CABLE_SIGNAL) == 0 or (mute != 0 and load_f32(mute, offset) >= 0.5)
        set_word(cable, CABLE_ROW, ROWS if shut else 0)
        if shut:
            rows = release(args, target, rows, 0, word(cable, CABLE_TRACKER))
    while True:
        chosen, earliest = -1, TICK << 32
        for k in range(count):
            cable = cables + 8 * CABLE_WORDS * k
            row = word(cable, CABLE_ROW)
            if row < ROWS:
                found = row_at(word(cable, CABLE_SIGNAL) + FRAME_BYTES * offset, row)
                if found == 0:
                    set_word(cable, CABLE_ROW, ROWS)
                elif found >> 32 < earliest >> 32:
                    chosen, earliest = k, found
        if chosen < 0:
            break
        cable = cables + 8 * CABLE_WORDS * chosen
        set_word(cable, CABLE_ROW, word(cable, CABLE_ROW) + 1)
        frame, event = earliest >> 32, earliest & 0xFFFFFF
        if event & 255 == RELEASE:
            rows = release(args, target, rows, frame, word(cable, CABLE_TRACKER))
        elif is_of_a_channel(event):
            meant = ending_meant(word(cable, CABLE_TRACKER), event)
            while meant:
                rows = give(args, target, rows, frame, meant)
                meant = ending_meant(word(cable, CABLE_TRACKER), event)
            follow(word(cable, CABLE_TRACKER), event)
            rows = give(args, target, rows, frame, event)
    end_rows(target, rows)


@helper
def gather(args, offset, n):
    """Cables as one signal, tick by tick."""
    for tick in range(offset, offset + n, TICK):
        gather_tick(args, tick)


@helper
def delay(args, offset, n):
    """target = source, some frames later."""
    queue, frames = word(args, DELAY_QUEUE), word(args, DELAY_FRAMES)
    for tick in range(offset, offset + n, TICK):
        target = word(args, DELAY_TARGET) + FRAME_BYTES * tick
        source = word(args, DELAY_SOURCE) + FRAME_BYTES * tick
        clock = word(queue, QUEUE_CLOCK)
        for row in range(ROWS):
            found = row_at(source, row)
            if found == 0:
                break
            put(queue, clock + (found >> 32) + frames, found & 0xFFFFFF, word(args, 0))
        rows = 0
        while rows < ROWS and queued(queue):
            at = word(queue, QUEUE_READ)
            item = QUEUE_ITEMS + 2 * (at & word(queue, QUEUE_MASK))
            due = word(queue, item) - clock
            if due >= TICK:
                break
            put_row(target, rows, max(due, 0), word(queue, item + 1))
            set_word(queue, QUEUE_READ, at + 1)
            rows += 1
        end_rows(target, rows)
        set_word(queue, QUEUE_CLOCK, clock + TICK)


def queue_size(frames: int) -> int:
    """How many events a delay of so many frames holds; whatever comes in, up to some seconds."""
    return min(1 << (2 * ROWS * (frames // TICK + 3)).bit_length(), LONGEST_QUEUE)


Array = Callable[[tuple[str, ...], tuple[int, ...], str], Any]
"""Lasting memory by its key, shape and type."""


def gather_words(step: GatherStep, place: Callable[[Slot], int], array: Array, keep: list[Any]) -> list[int]:
    """The words of a gathering step after the first."""
    rows = np.array(list(_cables(step, place, array)), np.int64)
    keep.append(rows)
    queue = _queue(array, ("queue", step.name), WAITING)
    return [place(step.target), len(rows), rows.ctypes.data, queue.ctypes.data]


def _cables(step: GatherStep, place: Callable[[Slot], int], array: Array) -> Iterator[list[int]]:
    for cable in step.cables:
        tracker = array(("notes", cable.name), (TRACKER_WORDS,), "i8")
        signal = place(cable.signal) if cable.signal.buffer else 0
        yield [signal, tracker.ctypes.data, place(cable.mute) if cable.mute else 0, 0]


def delay_words(step: EventDelayStep, place: Callable[[Slot], int], array: Array) -> list[int]:
    """The words of a delaying step after the first."""
    queue = _queue(array, ("delay", step.name), queue_size(step.frames))
    return [place(step.target), place(step.source), step.frames, queue.ctypes.data]


def _queue(array: Array, key: tuple[str, ...], size: int) -> Any:
    queue = array(key, (QUEUE_ITEMS + 2 * size,), "i8")
    queue[QUEUE_MASK] = size - 1
    return queue
