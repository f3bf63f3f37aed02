"""The memory behind a native call: tables of functions, queues, lists, pointers, laid out as ``blocks`` reads them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from host.native.program import native
from host.plugins.instance import MOST_CHANGES, MOST_EVENTS, NativeCall
from host.plugins.vst3 import blocks as at
from host.plugins.vst3.run import run
from host.plugins.vst3.thunk import add_point

Words = npt.NDArray[np.int64]

SPARE_POINTERS = 16
"""Pointers beyond a bus's channels: some plugins count channels over all buses and would read past the end."""
SLACK = 4096
"""Frames kept free behind what a plugin may write, for those that write more."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A bus as a block hands it out: whether it is on, its channels, and for each the caller's channel."""

    on: bool
    channels: int
    order: tuple[int, ...] = ()


def _table(*functions: int) -> Words:
    begin = (native(at.no_interface, 3), native(at.counted, 1), native(at.counted, 1))
    return np.array([*begin, *functions], np.int64)


@cache
def _tables() -> dict[str, Words]:
    """The functions of each kind of object. Their addresses stay valid for the life of the process."""
    count, no, zero = native(at.list_count, 1), native(at.refused, 4), native(at.nothing, 4)
    return {
        "changes": _table(count, native(at.changes_get, 2), native(at.changes_add, 3)),
        "queue": _table(native(at.queue_id, 1), native(at.queue_count, 1), native(at.queue_get, 4), no),
        "events": _table(count, native(at.events_get, 3), no),
        "out_changes": _table(zero, zero, native(at.out_add, 3)),
        "out_queue": _table(native(at.queue_id, 1), zero, no, add_point()),
        "out_events": _table(zero, no, no),
    }


@cache
def _velocities() -> Words:
    """What MIDI's numbers are as floats, in bits."""
    seven, fourteen = np.arange(128), np.arange(16384)
    floats = (seven / 127).astype(np.float32).view(np.int32).astype(np.int64)
    return np.concatenate([floats, (seven / 127).view(np.int64), (fourteen / 16383).view(np.int64)])


@cache
def _publish() -> Callable[[int, int], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(native(at.publish, 2))


class Memory:
    """What one instance is handed, block after block."""

    def __init__(self, processor: int, process: int, ids: Sequence[int], controllers: Words | None) -> None:
        tables, count = _tables(), len(ids)
        self._kept: list[object] = [tables]
        self.words = np.zeros(at.WORDS, np.int64)
        self.queues = np.zeros((count + 1, at.QUEUE_WORDS), np.int64)
        self.queues[:, at.QUEUE_TABLE] = tables["queue"].ctypes.data
        self.queues[:count, at.QUEUE_ID] = ids
        self.seen = np.zeros((count + 1, at.SEEN_WORDS), np.int64)
        self.seen[:, at.SEEN_TABLE] = tables["out_queue"].ctypes.data
        self.seen[:count, at.SEEN_ID] = ids
        by_id = sorted((id, place) for place, id in enumerate(ids))
        self._set(at.PROCESSOR, processor)
        self._set(at.PROCESS, process)
        self._set(at.PARAMS, count)
        self._set(at.ROOM, MOST_CHANGES + count)
        self._point(at.DATA, np.zeros(16, np.int64))
        self._point(at.QUEUES, self.queues)
        self._point(at.SEEN, self.seen)
        self._point(at.USED, np.zeros(count + 1, np.int64))
        self._point(at.POINTS, np.zeros((MOST_CHANGES + count + 1, 2), np.int64))
        self._point(at.MERGED, np.zeros((MOST_CHANGES + count + 1, 3), np.int64))
        self._point(at.EVENT_SPACE, np.zeros((MOST_EVENTS, at.EVENT_WORDS), np.int64))
        self._point(at.VELOCITIES, _velocities())
        self._point(at.CONTEXT, np.zeros(16, np.int64))
        self._point(at.SORTED, np.array(by_id or [(0, 0)], np.int64))
        if controllers is not None:
            self._point(at.CONTROLLERS, controllers)
        lists = (at.CHANGE_LIST, "changes"), (at.EVENT_LIST, "events"), (at.OUT_LIST, "out_changes")
        for word, name in (*lists, (at.OUT_EVENTS, "out_events")):
            self._point(word, np.array([tables[name].ctypes.data, 0, self.words.ctypes.data], np.int64))

    def _set(self, word: int, value: int) -> None:
        self.words[word] = value

    def _point(self, word: int, array: npt.NDArray[np.int64]) -> None:
        self._kept.append(array)
        self.words[word] = array.ctypes.data

    def arrange(self, rate: float, max_block: int, inputs: Sequence[Wire], outputs: Sequence[Wire]) -> None:
        """Lay out buses and spare buffers for blocks of up to ``max_block`` frames."""
        kept: list[object] = []
        self.words[at.RATE_BITS] = np.float64(rate).view(np.int64)
        self.words[at.MOST_FRAMES] = max_block
        for wires, table, count, buffers in (
            (inputs, at.IN_BUSES, at.IN_COUNT, at.IN_TABLE),
            (outputs, at.OUT_BUSES, at.OUT_COUNT, at.OUT_TABLE),
        ):
            rows = np.zeros((max(len(wires), 1), at.BUS_WORDS), np.int64)
            for row, wire in zip(rows, wires, strict=False):
                pointers = np.zeros(wire.channels + SPARE_POINTERS, np.int64)
                spare = np.zeros(max_block + SLACK, np.float32)
                order = np.array([*wire.order, 0], np.int64)
                row[:6] = (
                    *(wire.on, wire.channels, pointers.ctypes.data, spare.ctypes.data, order.ctypes.data),
                    len(pointers),
                )
                kept += [pointers, spare, order]
            structures = np.zeros((max(len(wires), 1), 3), np.int64)
            kept += [rows, structures]
            self.words[[table, count, buffers]] = rows.ctypes.data, len(wires), structures.ctypes.data
        self._buses = kept

    def call(self) -> NativeCall:
        """How to run a block."""
        return NativeCall(native(run, 2), self.words.ctypes.data)

    def ask(self, place: int, value: float) -> None:
        """Let a param have a value from the next block on; safe while a block runs."""
        base = self.queues[place].ctypes.data
        bits = int(np.float64(value).view(np.int64))
        for address, word in (
            (base + 8 * at.QUEUE_VALUE, bits),
            (base + 8 * at.QUEUE_ASKED, 1),
            (self.words.ctypes.data + 8 * at.ASKED, 1),
        ):
            _publish()(address, word)

    def grip(self, place: int, until_s: float) -> None:
        """Let changes in blocks leave a param alone until a time of ``time.monotonic``."""
        _publish()(self.queues[place].ctypes.data + 8 * at.QUEUE_GRIP, int(until_s * 1e9))

    def asked(self) -> bool:
        """Whether values wait for the next block."""
        return bool(self.words[at.ASKED])

    def forget_asked(self) -> None:
        """Values that wait are not wanted any more. Not while a block runs."""
        self.queues[:, at.QUEUE_ASKED] = 0
        self.words[at.ASKED] = 0

    def take_seen(self) -> list[tuple[int, float]]:
        """Places and values of params that the blocks changed, or that the plugin reported, since the last call."""
        changed = np.flatnonzero(self.seen[:-1, at.SEEN_CHANGED])
        self.seen[changed, at.SEEN_CHANGED] = 0
        values = self.seen[changed, at.SEEN_VALUE].view(np.float64)
        return [(int(place), float(value)) for place, value in zip(changed, values, strict=True)]
