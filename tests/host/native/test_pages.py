"""What the callback writes to is in memory before it gets there, and commands take no more of it than at the start."""

from __future__ import annotations

import ctypes
import mmap
import sys

import numpy as np
import pytest

from host.native.arena import aligned, touched
from host.native.buffers import Buffers
from host.native.live import QUEUE
from tests.host.engine.stage import RATE, Stage, patch, sine

CHAIN = "i.out>g.in g.out>o.in"
NODES = {"i": {"kind": "audio_in"}, "g": {"kind": "gain"}, "o": {"kind": "audio_out"}}
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux which pages are there")


def absent(array: np.ndarray) -> int:
    """How many pages of an array are not in memory."""
    start = array.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    size = array.ctypes.data + array.nbytes - start
    there = (ctypes.c_ubyte * (-(-size // mmap.PAGESIZE)))()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), there) == 0, ctypes.get_errno()
    return sum(not flags & 1 for flags in there)


@linux
def test_every_page_is_touched_wherever_an_array_begins():
    size = 1 << 24  # 64 MB: what is smaller may lie where something else has been
    assert absent(aligned((size,), "f4")) > 200
    for first in (0, 16, 1000):
        raw = aligned((size,), "f4")[first : -first or None]
        assert absent(touched(raw)) == 0


@linux
def test_the_callback_is_never_the_first_to_write_to_a_page():
    stage = Stage(inputs=8, outputs=8)
    live = stage.live
    stage.start(patch(NODES, CHAIN))
    pool = live._kept[-1][1].program.binding.buffers.pool
    assert [absent(array) for array in (pool, live._queue, live._active, *live._fifos)] == [0, 0, 0, 0, 0]
    assert absent(Buffers([2] * 500, 512).pool) == 0


def test_more_commands_than_there_is_room_for_wait_their_turn():
    signal = sine(RATE)
    stage = Stage()
    stage.start(patch(NODES, CHAIN))
    stage.play(signal, 4800)
    playing = stage.conductor.playing
    assert playing is not None
    key = next(node.key for node in playing.program.schedule.nodes if node.kind.kind == "gain")
    for k in range(2 * QUEUE + 5):
        stage.live.turn(playing, key, "level_db", -(k % 20))
    assert len(stage.live._waiting) == QUEUE + 5
    stage.conductor.set_param("g", "level_db", -6.0)
    stage.settle(signal)
    stage.play(signal, 4800)
    begin = stage.at
    stage.play(signal, 4800)
    assert stage.at < RATE
    wanted = signal[begin : stage.at] * np.float32(10 ** (-6 / 20))
    assert np.abs(stage.heard[begin : stage.at] - wanted).max() < 1e-6
