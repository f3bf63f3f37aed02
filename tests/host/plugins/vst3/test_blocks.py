"""The objects of a block, called as a plugin calls them, with whatever it may pass."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int32, c_uint32, c_void_p

import numpy as np
import pytest

from host.plugins.instance import DROPPED, MOST_CHANGES, MOST_EVENTS
from host.plugins.vst3 import blocks as at
from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.memory import Memory, Wire

IDS = [700, 3, 4000000000]
FRAMES = 64
GET = (c_int32, c_void_p, c_void_p)
Process = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p)


class Data(ctypes.Structure):
    """ProcessData."""

    _fields_ = [
        *((name, c_int32) for name in ("mode", "size", "frames", "inputs", "outputs")),
        *((name, c_void_p) for name in ("into", "out", "changes", "out_changes", "events", "out_events", "context")),
    ]


class Plugin:
    """A plugin that is a Python function, and the memory it is handed."""

    def __init__(self, process) -> None:
        def call(this: int, data: int) -> int:
            process(Data.from_address(data))
            return 0

        self._function = Process(call)
        function = ctypes.cast(self._function, c_void_p).value or 0
        controllers = np.full((16, at.CC_COUNT), -1, np.int64)
        controllers[0, 7] = 1
        self.memory = Memory(0, function, IDS, controllers)
        self.memory.arrange(48000, FRAMES, [Wire(True, 2, (1, 0)), Wire(False, 1)], [Wire(True, 1, (0,))])
        self.buffers = np.arange(3 * FRAMES, dtype=np.float32).reshape(3, FRAMES)
        self.tables = [np.array([row.ctypes.data for row in rows]) for rows in (self.buffers[:2], self.buffers[2:])]
        self.changes = np.zeros(1 + 3 * MOST_CHANGES, np.int64)
        self.events = np.zeros(1 + MOST_EVENTS, np.int64)
        words = self.memory.words
        words[:4] = [array.ctypes.data for array in (*self.tables, self.changes, self.events)]

    def run(self) -> int:
        call = self.memory.call()
        return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(call.function)(call.words, FRAMES)


def bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def test_a_block_is_handed_out_as_the_interface_says() -> None:
    seen: list[object] = []

    def process(data: Data) -> None:
        assert (data.mode, data.size, data.frames, data.inputs, data.outputs) == (0, 0, FRAMES, 2, 1)
        rows = np.ctypeslib.as_array(ctypes.cast(data.into, ctypes.POINTER(ctypes.c_int64)), (2, 3))
        assert list(rows[:, 0]) == [2, 1]
        assert list(rows[:, 1]) == [0, -1]
        pointers = np.ctypeslib.as_array(ctypes.cast(int(rows[0, 2]), ctypes.POINTER(ctypes.c_int64)), (18,))
        assert list(pointers[:2]) == [plugin.buffers[1].ctypes.data, plugin.buffers[0].ctypes.data]
        assert len(set(pointers[2:])) == 1
        seen.append(True)

    plugin = Plugin(process)
    assert plugin.run() == 0
    assert seen
    assert not plugin.buffers[2].any()


def test_every_block_is_handed_out_afresh() -> None:
    """The plugin overwrites all that it is given; the next block is right again."""
    sizes: list[int] = []

    def process(data: Data) -> None:
        sizes.append(data.frames)
        for table, rows in ((data.into, 2), (data.out, 1)):
            structure = np.ctypeslib.as_array(ctypes.cast(table, ctypes.POINTER(ctypes.c_int64)), (rows, 3))
            for row in structure:
                np.ctypeslib.as_array(ctypes.cast(int(row[2]), ctypes.POINTER(ctypes.c_int64)), (17,))[:] = -1
            structure[:] = -1
        ctypes.memset(data.context, 0xFF, 14 * 8)
        ctypes.memset(ctypes.addressof(data), 0xFF, ctypes.sizeof(Data))

    plugin = Plugin(process)
    assert [plugin.run() for _ in range(3)] == [0, 0, 0]
    assert sizes == [FRAMES] * 3


def test_changes_are_given_out_and_nothing_beyond_them() -> None:
    found: dict[int, list[tuple[int, float]]] = {}

    def process(data: Data) -> None:
        changes = Remote(data.changes)
        count = changes.call(3)
        for k in (-1, count, 1 << 30, -(1 << 31)):
            assert not changes.call(4, k, types=(c_int32,), result=c_void_p)
        identifier, place = c_uint32(3), c_int32(5)
        kinds = (c_void_p, c_void_p)
        assert not changes.call(5, ctypes.byref(identifier), ctypes.byref(place), types=kinds, result=c_void_p)
        out = c_void_p(7)
        assert changes.call(0, com.STREAM, ctypes.byref(out), types=(ctypes.c_char_p, c_void_p)) == com.NO_INTERFACE
        assert out.value is None
        for k in range(count):
            queue = Remote(changes.call(4, k, types=(c_int32,), result=c_void_p))
            points = queue.call(4)
            frame, value = c_int32(-1), c_double(-1)
            for wrong in (-1, points, 1 << 30):
                assert queue.call(5, wrong, ctypes.byref(frame), ctypes.byref(value), types=GET) != com.OK
            assert queue.call(5, 0, None, ctypes.byref(value), types=GET) != com.OK
            assert queue.call(5, 0, ctypes.byref(frame), None, types=GET) != com.OK
            assert (frame.value, value.value) == (-1, -1)
            assert queue.call(6, 0, 0.5, None, types=(c_int32, c_double, c_void_p)) != com.OK
            got = found.setdefault(queue.call(3, result=c_uint32), [])
            for point in range(points):
                assert queue.call(5, point, ctypes.byref(frame), ctypes.byref(value), types=GET) == com.OK
                got.append((frame.value, value.value))

    plugin = Plugin(process)
    rows = [(2, 5, bits(0.5)), (0, 6, bits(0.25)), (2, 6, bits(0.75)), (2, 1000, bits(1.0)), (7, 7, 0), (-1, 8, 0)]
    plugin.changes[: 1 + 3 * len(rows)] = [len(rows), *(value for row in rows for value in row)]
    plugin.events[:3] = [2, 2 << 32 | 0xB0 | 7 << 8 | 127 << 16, 6 << 32 | 0xB0 | 7 << 8]
    assert plugin.run() == 0
    assert found == {IDS[2]: [(5, 0.5), (6, 0.75), (63, 1.0)], IDS[0]: [(6, 0.25)], IDS[1]: [(2, 1.0), (6, 0.0)]}
    assert plugin.memory.words[DROPPED] == 2
    assert sorted(plugin.memory.take_seen()) == [(0, 0.25), (1, 0.0), (2, 1.0)]
    assert plugin.memory.take_seen() == []
    found.clear()
    plugin.changes[0] = plugin.events[0] = 0
    assert plugin.run() == 0
    assert found == {}


@pytest.mark.parametrize("count", [-5, MOST_CHANGES + 3, 1 << 60])
def test_counts_that_cannot_be_are_cut(count) -> None:
    counts: list[int] = []
    plugin = Plugin(lambda data: counts.append(Remote(data.changes).call(3)))
    plugin.changes[0] = plugin.events[0] = count
    assert plugin.run() == 0
    assert counts == [1 if count > 0 else 0]
    assert plugin.memory.words[DROPPED] == 2 * max(0, count - MOST_CHANGES)


def test_events_are_given_out_and_nothing_beyond_them() -> None:
    found: list[bytes] = []

    def process(data: Data) -> None:
        events = Remote(data.events)
        space = ctypes.create_string_buffer(48)
        kinds = (c_int32, c_void_p)
        for wrong in (-1, events.call(3), 1 << 30):
            assert events.call(4, wrong, space, types=kinds) != com.OK
        assert events.call(4, 0, None, types=kinds) != com.OK
        assert events.call(5, space, types=(c_void_p,)) != com.OK
        for k in range(events.call(3)):
            assert events.call(4, k, space, types=kinds) == com.OK
            found.append(space.raw)
        out = Remote(data.out_events)
        assert out.call(3) == 0
        assert out.call(5, space, types=(c_void_p,)) != com.OK

    plugin = Plugin(process)
    note = 0x95 | 60 << 8 | 100 << 16
    plugin.events[:4] = [3, 9 << 32 | note, 1 << 40 | 0x85 | 60 << 8 | 1 << 16, 0xF8]
    assert plugin.run() == 0
    assert len(found) == 2
    on, off = (np.frombuffer(raw, np.int32) for raw in found)
    assert (on[1], on[4], on[6], on[10]) == (9, 1, 5 | 60 << 16, -1)
    assert on[8:9].view(np.float32)[0] == np.float32(100 / 127)
    assert (off[1], off[4], off[6], off[8]) == (FRAMES - 1, 1 | 1 << 16, 5 | 60 << 16, -1)
    assert off[7:8].view(np.float32)[0] == np.float32(1 / 127)


def test_what_the_plugin_says_goes_to_its_params_and_the_rest_nowhere() -> None:
    def process(data: Data) -> None:
        out = Remote(data.out_changes)
        kinds = (c_void_p, c_void_p)
        assert out.call(3) == 0
        for identifier, value in ((4000000000, 0.5), (3, 0.25), (5, 0.75), (3, 0.125)):
            place = c_int32(-1)
            found = out.call(5, ctypes.byref(c_uint32(identifier)), ctypes.byref(place), types=kinds, result=c_void_p)
            queue = Remote(found)
            for told in (ctypes.byref(place), None):
                assert queue.call(6, 1 << 30, value, told, types=(c_int32, c_double, c_void_p)) == com.OK
            assert place.value == 0
        assert out.call(5, None, None, types=kinds, result=c_void_p)

    plugin = Plugin(process)
    assert plugin.run() == 0
    assert sorted(plugin.memory.take_seen()) == [(1, 0.125), (2, 0.5)]


def test_what_is_asked_for_outside_of_blocks_comes_first_and_once() -> None:
    found: list[list[tuple[int, float]]] = []

    def process(data: Data) -> None:
        changes = Remote(data.changes)
        found.append([])
        for k in range(changes.call(3)):
            queue = Remote(changes.call(4, k, types=(c_int32,), result=c_void_p))
            for point in range(queue.call(4)):
                frame, value = c_int32(), c_double()
                queue.call(5, point, ctypes.byref(frame), ctypes.byref(value), types=GET)
                found[-1].append((frame.value, value.value))

    plugin = Plugin(process)
    plugin.memory.ask(1, 0.125)
    plugin.memory.ask(1, 0.5)
    plugin.changes[:4] = [1, 1, 9, bits(0.75)]
    assert plugin.memory.asked()
    plugin.run()
    plugin.changes[0] = 0
    plugin.run()
    plugin.memory.ask(2, 1.0)
    plugin.memory.forget_asked()
    plugin.run()
    assert found == [[(0, 0.5), (9, 0.75)], [], []]


def test_sizes_that_were_not_agreed_are_not_run() -> None:
    plugin = Plugin(lambda data: pytest.fail("it ran"))
    call = plugin.memory.call()
    block = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(call.function)
    assert [block(call.words, frames) for frames in (-1, FRAMES + 1, 1 << 40)] == [1, 1, 1]
