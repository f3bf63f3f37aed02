"""The worker's side of a hand-over, for plugins that run without the interpreter: a native loop on a thread of its own.

Waking a thread takes longer than most plugins need for a block. Where there is a processor to spare, the loop is awake
by itself when the next block is due, judging by when the last ones came.

While anything is done to the plugin that must not happen during a block, the loop is held: whoever wants that counts
itself in ``HOLD`` and waits until no block is under way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from graph.spec import helper
from host.native.program import native
from host.native.raw import (
    add_atomic,
    call_step,
    flush_denormals,
    load_atomic,
    now_ns,
    restore_float_mode,
    set_word,
    sleep_until,
    store_atomic,
    word,
)
from host.plugins import instance as calls
from host.plugins.instance import NativeCall
from host.plugins.shared import Seat
from nodes.dsp import handover
from nodes.dsp.handover import BACK, CALL, CHANGES, DONE, EAGER, EVENTS, FRAMES, OWN, QUIT, SUBMITTED, TRANSPORT
from nodes.dsp.raw import post, relax, take, take_until

HEAD, FUNCTION, WORDS, CAPACITY, SLOTS, STRIDE, CHANNELS = 0, 1, 2, 3, 4, 5, 6
"""Words of the loop's table; from CHANNELS on, the addresses of input and output channels, for either slot."""
HOLD, BUSY = 16, 24
TABLE_WORDS = 32
NAP_NS, BREATH_NS = 500_000_000, 100_000
EARLY_NS, LATE_NS, LONGEST_NS = 120_000, 120_000, 25_000_000
"""An eager loop is awake from so long before a block is due until so long after, where blocks come often enough."""
INPUTS, OUTPUTS, CALL_CHANGES, CALL_EVENTS, CALL_TRANSPORT = (
    calls.INPUTS,
    calls.OUTPUTS,
    calls.CHANGES,
    calls.EVENTS,
    calls.TRANSPORT,
)


@helper
def serve(table):
    """Do what is handed over, until told to quit."""
    before = flush_denormals()
    head = word(table, HEAD)
    came, period = 0, 0
    while load_atomic(head + 8 * QUIT) == 0:
        if period == 0 or load_atomic(head + 8 * EAGER) == 0 or not expect(head, came + period):
            take_until(head + 8 * CALL, now_ns() + NAP_NS)
        number = load_atomic(head + 8 * SUBMITTED)
        if number != load_atomic(head + 8 * DONE):
            earlier, came = came, now_ns()
            period = came - earlier if came - earlier < LONGEST_NS else 0
            add_atomic(table + 8 * BUSY, 1)
            while add_atomic(table + 8 * HOLD, 0):
                add_atomic(table + 8 * BUSY, -1)
                sleep_until(now_ns() + BREATH_NS)
                add_atomic(table + 8 * BUSY, 1)
            began = now_ns()
            block(table, number & 1)
            set_word(head, OWN, now_ns() - began)
            add_atomic(table + 8 * BUSY, -1)
            store_atomic(head + 8 * DONE, number)
            post(head + 8 * BACK)
    restore_float_mode(before)


@helper
def expect(head, due):
    """Be awake when a block is due; whether it came."""
    if now_ns() < due - EARLY_NS and take_until(head + 8 * CALL, due - EARLY_NS):
        return True
    while load_atomic(head + 8 * SUBMITTED) == load_atomic(head + 8 * DONE):
        if now_ns() > due + LATE_NS:
            return False
        relax()
    take(head + 8 * CALL)
    return True


@helper
def block(table, k):
    """One block, from slot k to slot k."""
    slot, words = word(table, SLOTS) + k * word(table, STRIDE), word(table, WORDS)
    set_word(words, INPUTS, word(table, CHANNELS + 2 * k))
    set_word(words, OUTPUTS, word(table, CHANNELS + 2 * k + 1))
    set_word(words, CALL_CHANGES, slot + 8 * CHANGES)
    set_word(words, CALL_EVENTS, slot + 8 * EVENTS)
    set_word(words, CALL_TRANSPORT, slot + 8 * TRANSPORT)
    frames = min(max(word(slot, FRAMES), 0), word(table, CAPACITY))
    call_step(word(table, FUNCTION), words, frames, 0)


@helper
def hold(table):
    """Keep the loop from its next block, and wait for the one under way."""
    add_atomic(table + 8 * HOLD, 1)
    while add_atomic(table + 8 * BUSY, 0):
        sleep_until(now_ns() + BREATH_NS)


@helper
def let_go(table):
    """Let the loop go on."""
    add_atomic(table + 8 * HOLD, -1)


@cache
def _call(function: Any) -> Any:
    return ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(function, 1))


class Loop:
    """The native loop of one plugin."""

    def __init__(self, seat: Seat, call: NativeCall) -> None:
        self._table = np.zeros(TABLE_WORDS, np.int64)
        self._keep: list[Any] = [seat]
        table = self._table
        table[HEAD], table[FUNCTION], table[WORDS] = seat.shared.address, call.function, call.words
        table[CAPACITY], table[STRIDE] = seat.capacity, seat.stride
        table[SLOTS] = seat.shared.address + 8 * handover.HEAD_WORDS
        for k in (0, 1):
            for flow in (0, 1):
                channels = _channels(seat.buses(k, flow))
                self._keep.append(channels)
                table[CHANNELS + 2 * k + flow] = channels.ctypes.data
        for function in (serve, hold, let_go):
            _call(function)  # compiled or loaded here, not when it is needed

    def run(self) -> None:
        """Serve, without the interpreter, until the seat's QUIT."""
        _call(serve)(self._table.ctypes.data)

    @contextmanager
    def held(self) -> Iterator[None]:
        """No block is played meanwhile."""
        _call(hold)(self._table.ctypes.data)
        try:
            yield
        finally:
            _call(let_go)(self._table.ctypes.data)


def _channels(buses: Sequence[Any]) -> Any:
    """The addresses of all channels of some buses."""
    found = [bus.ctypes.data + k * bus.strides[0] for bus in buses for k in range(len(bus))]
    return np.array(found or [0], np.int64)
