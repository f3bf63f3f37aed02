"""The worker process by itself: what it is given over its sockets, and blocks through shared memory."""

from __future__ import annotations

import ctypes
import os
import time

import numpy as np
import pytest

from host.native.program import native
from host.plugins.child import Child
from host.plugins.choose import choose
from host.plugins.description import plain
from host.plugins.shared import CALLS_NUMBER, Calls, Seat, Shared, new_semaphore, post, take
from nodes.dsp import crew, handover

from . import fakes
from .c.build import USABLE, WHY_NOT, build, uid
from .rig import until

CAPACITY = 512


class Given:
    """A worker with one plugin, driven from Python as native code drives it."""

    def __init__(self, source: dict[str, object], opener: str = fakes.OPENER, **rest: object) -> None:
        self.child = Child(opener, fakes.HERE)
        self.seat = Seat(("stereo", ""), ("stereo",), CAPACITY)
        new_semaphore(self.seat.back)
        new_semaphore(self.seat.call)
        self.answers: list[dict[str, object]] = []
        self.calls = Calls()
        self.child.send_memory(CALLS_NUMBER, self.calls.shared.fd)
        self.child.send_memory(5, self.seat.shared.fd)
        told = {"source": source, "rate": 48000.0, "block": CAPACITY, "state": None, "programs": ()}
        told |= {"inputs": ("stereo", ""), "outputs": ("stereo",), **rest}
        self.child.send(do="load", seat=5, **told)

    def __enter__(self) -> Given:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.seat.shared.close()
        self.calls.shared.close()

    def answer(self, key: str) -> object:
        """Wait for an answer that has something to say of this."""

        def heard() -> bool:
            self.answers += self.child.receive()
            return any(key in answer for answer in self.answers)

        until(heard, key)
        return next(answer[key] for answer in self.answers if key in answer)

    def call(self) -> None:
        """Say that something was handed over, to whoever plays the plugin."""
        if self.seat.head[handover.BY_CREW]:
            ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(crew.call, 1))(self.calls.address)
        else:
            post(self.seat.call)

    def block(self, signal: np.ndarray, changes: tuple[tuple[int, int, float], ...] = ()) -> np.ndarray:
        """Have a block done: planar in, planar out."""
        head = self.seat.head
        number = int(head[handover.SUBMITTED]) + 1
        slot = self.seat.slot(number & 1)
        frames = signal.shape[1]
        slot[handover.FRAMES] = frames
        slot[handover.CHANGES], slot[handover.EVENTS] = len(changes), 0
        for k, (place, frame, value) in enumerate(changes):
            at = handover.CHANGES + 1 + 3 * k
            slot[at : at + 3] = place, frame, np.float64(value).view(np.int64)
        self.seat.buses(number & 1, 0)[0][:, :frames] = signal
        head[handover.SUBMITTED] = number
        self.call()
        until(lambda: take(self.seat.back), "a block")
        assert head[handover.DONE] == number
        return self.seat.buses(number & 1, 1)[0][:, :frames].copy()


def noise(frames: int = CAPACITY) -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.5, 0.5, (2, frames)).astype(np.float32)


def test_blocks_changes_and_questions():
    with Given({}) as given:
        assert given.answer("loaded") == {"latency": 0, "tail": 0, "values": [0.5, 0.0, 0.0], "refused": ""}
        assert np.array_equal(given.block(noise()), noise())
        wanted = noise()
        wanted[:, 100:] *= np.float32(0.5)
        assert np.array_equal(given.block(noise(), ((0, 100, 0.25),)), wanted)
        assert np.array_equal(given.block(noise(64)), noise(64) * np.float32(0.5))
        given.child.send(do="ask", id=1, seat=5, what="state", values=[])
        assert given.answer("value") == fakes.struct.pack("dd", 0.25, 0.0)
        given.child.send(do="ask", id=2, seat=5, what="text", values=[])
        assert given.answer("error") == "a worker cannot be asked for 'text'"


def test_counts_that_make_no_sense_are_not_believed():
    with Given({}) as given:
        given.answer("loaded")
        head = given.seat.head
        slot = given.seat.slot(1)
        slot[handover.FRAMES], slot[handover.CHANGES], slot[handover.EVENTS] = 1 << 40, -5, 1 << 50
        head[handover.SUBMITTED] = 1
        given.call()
        until(lambda: take(given.seat.back), "the block")
        assert np.array_equal(given.block(noise(64)), noise(64))


def test_what_fails_to_load_is_said_and_the_worker_lives_on():
    with Given({"evil": "load raise"}) as given:
        assert given.answer("failed") == "it does not want to"
        assert not given.child.dead


def test_it_ends_with_its_socket():
    with Given({}) as given:
        given.answer("loaded")
        given.child.wire.socket.close()
        until(lambda: given.child.process.poll() is not None, "the worker to end")


def test_it_ends_when_it_is_told_and_in_a_group_of_its_own():
    with Given({}) as given:
        given.answer("loaded")
        assert os.getpgid(given.child.process.pid) == given.child.process.pid
        given.child.send(do="quit")
        until(lambda: given.child.process.poll() == 0, "the worker to end")


def test_a_hung_worker_takes_messages_without_end_and_holds_nobody_up():
    with Given({"evil": "load hang"}) as given:
        begun = time.monotonic()
        for _ in range(20):
            given.child.send(do="ask", id=1, seat=5, what="set_state", values=[bytes(1 << 20)])
        assert time.monotonic() - begun < 30
        assert not given.child.dead
    assert given.child.process.returncode is not None, "and it is killed all the same"


@pytest.mark.skipif(not USABLE, reason=WHY_NOT)
def test_a_plugin_that_needs_no_interpreter_plays_and_is_held_for_questions():
    description = choose(build(), uid()).description
    source = {"path": str(build()), "uid": uid(), "backend": "native", "format": "vst3"}
    source["description"] = plain(description)
    with Given(source, "host.plugins.worker:open_source", outputs=("stereo", "")) as given:
        loaded = given.answer("loaded")
        assert isinstance(loaded, dict)
        assert loaded["latency"] == 0
        found = given.block(noise())
        assert np.array_equal(found, noise() * np.float32(loaded["values"][0] * 2)) or np.array_equal(found, noise())
        given.child.send(do="ask", id=1, seat=5, what="state", values=[])
        state = given.answer("value")
        assert isinstance(state, bytes)
        assert state.startswith(b"VST3")
        assert np.array_equal(given.block(noise()), found), "and goes on after it was held"


def test_shared_memory_is_seen_by_both_and_refused_where_it_is_too_small():
    first = Shared(64)
    second = Shared(64, os.dup(first.fd))
    first.words[7] = 42
    assert second.words[7] == 42
    with pytest.raises(ValueError, match="expected 1024 bytes of shared memory, found 512"):
        Shared(128, os.dup(first.fd))
    first.close()
    second.close()
    assert first.words[7] == 42, "the memory itself stays for whoever holds an array over it"


def test_the_slots_of_a_seat_do_not_overlap():
    seat = Seat(("stereo", "", "mono"), ("5.1", "stereo"), 128)
    seat.shared.words[:] = 0
    parts = [seat.head, *(seat.slot(k) for k in (0, 1))]
    parts += [bus for k in (0, 1) for flow in (0, 1) for bus in seat.buses(k, flow)]
    assert [b.shape for b in seat.buses(0, 0)] == [(2, 128), (1, 128)]
    assert [b.shape for b in seat.buses(1, 1)] == [(6, 128), (2, 128)]
    for k, part in enumerate(parts, 1):
        part[:] = k
    for k, part in enumerate(parts, 1):
        assert (part == k).all()
    assert sum(p.nbytes for p in parts) == seat.shared.words.nbytes
    seat.shared.close()
