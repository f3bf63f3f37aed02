"""The worker's side of a hand-over, for plugins that run without the interpreter: native threads that play all of them.

A process has one crew, and its threads look through all its plugins for blocks that were handed over. So what is handed
over at one time is done one after another without a wake in between, and as side by side as there are threads. A thread
that would fall asleep tells the engine first of all that was done: an engine that waits is woken when there is nothing
left that could be done meanwhile, and not for every block.

Waking a thread takes longer than most plugins need for a block. Where there is a processor to spare, one thread stays
awake for a moment after each block, and is awake by itself when the next is due, judging by when the last ones came.

While anything is done to a plugin that must not happen during a block, the plugin is held: whoever wants that counts
itself in ``HOLD`` and waits until no block is under way. The crew plays the others meanwhile.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from graph.spec import helper
from host.native.arena import aligned
from host.native.program import native
from host.native.raw import (
    add_atomic,
    call_step,
    flush_denormals,
    load_atomic,
    now_ns,
    set_word,
    sleep_until,
    store_atomic,
    word,
)
from host.plugins import instance as calls
from host.plugins.errors import PluginError
from host.plugins.instance import NativeCall
from host.plugins.shared import Calls, Seat
from nodes.dsp import handover
from nodes.dsp.crew import BELL, CALLS, EAGER
from nodes.dsp.crew import call as call_crew
from nodes.dsp.handover import BACK, BEGUN, BY_CREW, CHANGES, DONE, EVENTS, FRAMES, OWN, SUBMITTED, TRANSPORT
from nodes.dsp.raw import post, relax, take, take_until

# Words of a plugin's table.
HEAD, FUNCTION, WORDS, CAPACITY, SLOTS, STRIDE, CHANNELS = 0, 1, 2, 3, 4, 5, 6
"""From CHANNELS on, the addresses of input and output channels, for either slot."""
HOLD, BUSY, OWED, PART_WORDS = 16, 24, 32, 40
"""How many hold the plugin; how many threads are at it; blocks that were done and of which the engine was not told."""
# Words of the crew's table: what it shares with the engine, how many places there are, nanoseconds after which a thread
# that sleeps looks all the same, from TIMES on, when blocks come, and from PLACES on, the table of the plugin in each
# place, or 0.
SHARED, COUNT, NAP, TIMES, PLACES = 0, 1, 2, 8, 16
MOST_PLUGINS = 512
NAP_NS, BREATH_NS = 500_000_000, 100_000
EARLY_NS, LATE_NS, LONGEST_NS = 120_000, 120_000, 25_000_000
"""An eager thread is awake from so long before a block is due until so long after, where blocks come often enough."""
DUE, PERIOD, CAME, STRAYS, CLOCK_WORDS = 0, 1, 2, 3, 8
"""When blocks come: when the next is due; nanoseconds between them, 0 while that is not known; when the last came; how
many came at quite another time of late: two for each, less one for each that did not.
"""
MOST_STRAYS = 8
LINGER_NS, PAUSE_NS = 30_000, 200_000
"""It stays awake so long after the last call; a call that comes so long after the one before begins another block."""
END_NS, FOREVER_NS = 2_000_000_000, 1 << 60
GRACE_S = 10.0
"""How long a plugin that goes may take for its last block; how long what a thread might still look at is kept."""
INPUTS, OUTPUTS, CALL_CHANGES, CALL_EVENTS, CALL_TRANSPORT = (
    calls.INPUTS,
    calls.OUTPUTS,
    calls.CHANGES,
    calls.EVENTS,
    calls.TRANSPORT,
)


@helper
def serve(table, first):
    """Do what is handed over, for as long as the process lives. Only the ``first`` thread is ever eager."""
    flush_denormals()
    shared = word(table, SHARED)
    clock = table + 8 * TIMES
    at = 0
    while True:
        if add_atomic(shared + 8 * CALLS, -1) <= 0:
            # It counts as asleep from here on, so that it is called for whatever the last look does not see.
            found = look(table, at)
            if found >= 0:
                at = found
                add_atomic(shared + 8 * CALLS, 1)
                continue
            report(table)
            eager = first and load_atomic(shared + 8 * EAGER)
            if eager == 0 or expect(shared, word(clock, DUE) if word(clock, PERIOD) else 0) == 0:
                rest(shared, word(table, NAP))
            if eager:
                keep_time(clock, now_ns())
        found = look(table, at)
        at = found if found >= 0 else at


@helper
def keep_time(clock, now):
    """Learn from when a call came when the next is due. Devices keep time and those who call do not: what comes a
    little late or early moves the time that is expected by a quarter of that, and what comes quite out of time, not at
    all, unless that happens again and again.
    """
    gap, period = now - word(clock, CAME), word(clock, PERIOD)
    if gap <= PAUSE_NS:
        return
    set_word(clock, CAME, now)
    error = now - word(clock, DUE)
    if period == 0 or gap > LONGEST_NS or word(clock, STRAYS) >= MOST_STRAYS:
        period = gap if gap < LONGEST_NS else 0
        set_word(clock, STRAYS, 0)
        set_word(clock, DUE, now + period)
    elif abs(error) > period // 4:
        set_word(clock, STRAYS, word(clock, STRAYS) + 2)
        set_word(clock, DUE, word(clock, DUE) + period * max(0, error // period + 1))
    else:
        period += error // 32
        set_word(clock, STRAYS, max(0, word(clock, STRAYS) - 1))
        set_word(clock, DUE, word(clock, DUE) + period + error // 4)
    set_word(clock, PERIOD, period)


@helper
def rest(shared, nap):
    """Sleep until there is a call, or for so long."""
    if take_until(shared + 8 * BELL, now_ns() + nap) == 0:
        add_atomic(shared + 8 * CALLS, 1)


@helper
def expect(shared, due):
    """Stay awake for a moment, and be awake when a block is due, if that is known; whether there was a call."""
    bell = shared + 8 * BELL
    if awake(bell, now_ns() + LINGER_NS):
        return 1
    if due == 0:
        return 0
    if now_ns() < due - EARLY_NS and take_until(bell, due - EARLY_NS):
        return 1
    return awake(bell, due + LATE_NS)


@helper
def awake(bell, until):
    """Wait for a call without sleeping; whether it came."""
    while now_ns() < until:
        if take(bell):
            return 1
        relax()
    return 0


@helper
def look(table, at):
    """Play the next plugin that has something to do, after the one in place ``at``; the place it has, or -1."""
    count = load_atomic(table + 8 * COUNT)
    for _ in range(count):
        at = at + 1 if at + 1 < count else 0
        part = load_atomic(table + 8 * (PLACES + at))
        if part and play(part):
            return at
    return -1


@helper
def play(part):
    """Do what one plugin has to do, unless it is held or somebody is at it; whether there was something.

    Whoever leaves last looks once more, so that nothing stays undone that came while another stood in the way.
    """
    head = word(part, HEAD)
    played = 0
    while load_atomic(head + 8 * SUBMITTED) != load_atomic(head + 8 * DONE) and add_atomic(part + 8 * HOLD, 0) == 0:
        if add_atomic(part + 8 * BUSY, 1) == 0 and add_atomic(part + 8 * HOLD, 0) == 0:
            number = load_atomic(head + 8 * SUBMITTED)
            if number != load_atomic(head + 8 * DONE):
                set_word(head, BEGUN, number)
                began = now_ns()
                block(part, number & 1)
                set_word(head, OWN, now_ns() - began)
                store_atomic(head + 8 * DONE, number)
                add_atomic(part + 8 * OWED, 1)
                played = 1
        if add_atomic(part + 8 * BUSY, -1) != 1:
            break
    return played


@helper
def report(table):
    """Tell the engine of all that was done."""
    for at in range(load_atomic(table + 8 * COUNT)):
        part = load_atomic(table + 8 * (PLACES + at))
        while part and load_atomic(part + 8 * OWED) > 0:
            if add_atomic(part + 8 * OWED, -1) > 0:
                post(word(part, HEAD) + 8 * BACK)
            else:
                add_atomic(part + 8 * OWED, 1)


@helper
def block(part, k):
    """One block, from slot k to slot k."""
    slot, words = word(part, SLOTS) + k * word(part, STRIDE), word(part, WORDS)
    set_word(words, INPUTS, word(part, CHANNELS + 2 * k))
    set_word(words, OUTPUTS, word(part, CHANNELS + 2 * k + 1))
    set_word(words, CALL_CHANGES, slot + 8 * CHANGES)
    set_word(words, CALL_EVENTS, slot + 8 * EVENTS)
    set_word(words, CALL_TRANSPORT, slot + 8 * TRANSPORT)
    frames = min(max(word(slot, FRAMES), 0), word(part, CAPACITY))
    call_step(word(part, FUNCTION), words, frames, 0)


@helper
def hold(part, patience):
    """Keep a plugin from its next block, and wait for the one under way, so many nanoseconds; whether it was done."""
    add_atomic(part + 8 * HOLD, 1)
    until = now_ns() + patience
    while add_atomic(part + 8 * BUSY, 0):
        if now_ns() > until:
            return 0
        sleep_until(now_ns() + BREATH_NS)
    return 1


@helper
def let_go(part, shared):
    """Let it go on, with what came meanwhile."""
    add_atomic(part + 8 * HOLD, -1)
    call_crew(shared)


@cache
def _call(function: Any, args: int) -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * args)(native(function, args))


class Part:
    """A plugin that the crew plays."""

    def __init__(self, shared: Calls, seat: Seat, call: NativeCall) -> None:
        self.seat, self._shared = seat, shared
        self.table = aligned((PART_WORDS,), "i8")
        self._channels: list[Any] = []
        table = self.table
        table[HEAD], table[FUNCTION], table[WORDS] = seat.shared.address, call.function, call.words
        table[CAPACITY], table[STRIDE] = seat.capacity, seat.stride
        table[SLOTS] = seat.shared.address + 8 * handover.HEAD_WORDS
        for k in (0, 1):
            for flow in (0, 1):
                channels = _channels(seat.buses(k, flow))
                self._channels.append(channels)
                table[CHANNELS + 2 * k + flow] = channels.ctypes.data

    @contextmanager
    def held(self) -> Iterator[None]:
        """No block of this plugin is played meanwhile."""
        _call(hold, 2)(self.table.ctypes.data, FOREVER_NS)
        try:
            yield
        finally:
            _call(let_go, 2)(self.table.ctypes.data, self._shared.address)

    def stop(self) -> bool:
        """Play no more blocks; whether the last one was done in time."""
        return bool(_call(hold, 2)(self.table.ctypes.data, END_NS))


class Crew:
    """All plugins of a process that need no interpreter, and the threads that play them. ``begin`` is called by each
    thread at first.
    """

    def __init__(self, shared: Calls, begin: Callable[[], object]) -> None:
        self._shared, self._begin = shared, begin
        self._table = aligned((PLACES + MOST_PLUGINS,), "i8")
        self._table[SHARED], self._table[NAP] = shared.address, NAP_NS
        self._parts: list[Part | None] = []
        self._threads: list[threading.Thread] = []
        self._gone: deque[tuple[float, Part]] = deque()
        shared.clear()
        for function, args in ((serve, 2), (hold, 2), (let_go, 2)):
            _call(function, args)  # compiled or loaded here, not when it is needed

    def add(self, seat: Seat, call: NativeCall) -> Part:
        """Play a plugin from now on. Raises PluginError where there are too many."""
        self._forget()
        part = Part(self._shared, seat, call)
        place = self._parts.index(None) if None in self._parts else len(self._parts)
        if place == MOST_PLUGINS:
            raise PluginError(f"a process can play {MOST_PLUGINS} plugins, and this one does")
        self._parts[place : place + 1] = [part]
        self._table[PLACES + place] = part.table.ctypes.data
        self._table[COUNT] = len(self._parts)
        seat.head[BY_CREW] = 1
        if len(self._threads) < min(self._shared.threads, sum(p is not None for p in self._parts)):
            thread = threading.Thread(target=self._serve, args=(not self._threads,), name="crew", daemon=True)
            self._threads.append(thread)
            thread.start()
        return part

    def drop(self, part: Part) -> bool:
        """Play a plugin no longer; whether nothing is under way in it any more."""
        stopped = part.stop()
        place = self._parts.index(part)
        self._parts[place] = None
        self._table[PLACES + place] = 0
        self._gone.append((time.monotonic() if stopped else float("inf"), part))
        return stopped

    def _forget(self) -> None:
        """Let go of what no thread can be looking at any more: none looks for long at what it found."""
        while self._gone and time.monotonic() - self._gone[0][0] > GRACE_S:
            self._gone.popleft()

    def _serve(self, first: bool) -> None:
        self._begin()
        _call(serve, 2)(self._table.ctypes.data, int(first))


def _channels(buses: Sequence[Any]) -> Any:
    """The addresses of all channels of some buses."""
    found = [bus.ctypes.data + k * bus.strides[0] for bus in buses for k in range(len(bus))]
    return np.array(found or [0], np.int64)
