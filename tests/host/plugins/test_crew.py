"""Plugins that share a process: played by one crew, the same to the bit as each alone; what one does to the others."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest

from graph.document import Patch
from graph.spec import helper
from host.native.program import native
from host.plugins import serving
from host.plugins.errors import PluginError
from host.plugins.grouping import GROUPINGS, Grouping
from host.plugins.hosted import Patience
from host.plugins.instance import NativeCall
from host.plugins.link import Link
from host.plugins.serving import Crew, Part
from host.plugins.shared import Calls, Seat, new_semaphore
from nodes.dsp import handover
from nodes.dsp.crew import call
from nodes.dsp.raw import load_atomic, now_ns, set_word, store_atomic, take_until, word

from .c.build import USABLE, WHY_NOT
from .rig import RATE, Stage, noise, rendered, until
from .test_foretold import known

BLOCK = 4096
BRISK = Patience(load_s=30.0, block_s=0.3)
GAINS = {"a1": 0.5, "a2": 0.25, "b1": 0.125, "c1": 0.75, "c2": 0.5, "d1": 1.0, "e1": 0.0625}
CHAINS = ("a1", "a2"), ("b1",), ("c1", "c2"), ("d1",), ("e1",)


def several(evil: str = "") -> Patch:
    """Chains of plugins side by side, summed; and beside them the input, which must never notice. One may be evil in
    the sixth block.
    """
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("out", "audio_out")
    patch.add("dry", "audio_out", settings={"channel": 2})
    patch.connect("in.out", "dry.in")
    for chain in CHAINS:
        before = "in"
        for id in chain:
            patch.add(id, "plugin", settings={"name": "Evil" if id == evil else "Foretold"}, gain=GAINS[id])
            patch.connect(f"{before}.out", f"{id}.in")
            before = id
        patch.connect(f"{before}.out", "out.in")
    if evil:
        at = 6 * BLOCK / RATE
        patch.automate(evil, "evil", [(0.0, 0.0, "hold"), (at, 1.0, "hold"), (at + 64 / RATE, 0.0, "hold")])
    return patch


def linked(grouping: Grouping, live: bool = True, **rest: Any) -> Link:
    """A link to plugins built for this; ``evils`` are the macros of the one called Evil."""
    evils = rest.pop("evils", {})

    def find(settings: Mapping[str, Any]) -> Any:
        return known(**evils) if settings["name"] == "Evil" else known()

    return Link(live=live, block=BLOCK, finder=find, grouping=grouping, **rest)


def foretold(source: np.ndarray) -> np.ndarray:
    return source * np.float32(sum(np.prod([GAINS[id] for id in chain]) for chain in CHAINS))


@pytest.mark.skipif(not USABLE, reason=WHY_NOT)
def test_together_or_apart_live_or_offline_they_sound_the_same_to_the_bit():
    source = np.concatenate([noise(BLOCK, k) for k in range(8)])
    found = []
    for grouping in GROUPINGS:
        with linked(grouping, live=False) as link:
            found.append(rendered(several(), link, source)["out"])
    assert np.allclose(found[0], foretold(source), atol=1e-6)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    with linked("patch") as link:
        stage = Stage(several(), link, outputs=4, block=BLOCK)
        link.settle()
        stage.play(8)
        assert sum(s.passed for s in link.standing().values()) == 0
        assert len(link._watch.groups) == 1
        own = link.own_ns()
    assert np.array_equal(stage.all_given, source)
    assert np.array_equal(stage.all_heard[:, :2], found[0])
    assert own > 0


@pytest.mark.skipif(not USABLE, reason=WHY_NOT)
@pytest.mark.parametrize("how", ["killed", "hangs", "crashes"])
def test_a_shared_process_that_is_lost_comes_back_with_all_that_was_in_it(how, capsys):
    told: list[str] = []
    evils = {"hangs": {"HANGS": True}, "crashes": {"CRASHES": True}}.get(how, {})
    evil = "" if how == "killed" else "b1"
    with linked("patch", evils=evils, patience=BRISK, notice=told.append) as link:
        stage = Stage(several(evil), link, outputs=4, block=BLOCK)
        link.settle()
        stage.play(3)
        assert np.allclose(stage.heard[-1][:, :2], foretold(stage.given[-1]), atol=1e-6)
        (group,) = link._watch.groups.values()
        assert group.child is not None
        if how == "killed":
            os.kill(group.child.process.pid, signal.SIGKILL)
        stage.play_until(lambda: all(s.recoveries for s in link.standing().values()), "all to be back")
        stage.play_until(lambda: _wet(stage), "their sound")
        losses = {node: standing.losses for node, standing in link.standing().items()}
        guilty = [h.request.node for h in group.members if h.deaths]
        back = max(s.recoveries[0] for s in link.standing().values())
    assert np.array_equal(stage.all_heard[:, 2:], stage.all_given), "what is beside them never noticed"
    assert losses == dict.fromkeys(GAINS, 1)
    if evil:
        assert guilty == [evil], "nobody is blamed for having been next to it"
        assert any("a1: Foretold was lost with Foretold, with which it shares a process" in text for text in told), told
    with capsys.disabled():
        print(f"\none process for {len(GAINS)} plugins, {how}: all are back after {back:.2f} s")


def _wet(stage: Stage) -> bool:
    """Whether the last block was played by all plugins, with the params that the patch gives."""
    return bool(np.allclose(stage.heard[-1][:, :2], foretold(stage.given[-1]), atol=1e-6))


KEPT: list[object] = []
"""The threads of a crew live as long as the process, and so does what they look at."""
COUNTED, ROUNDS = 60, 20_000
STEP = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
CALL = ctypes.CFUNCTYPE(None, ctypes.c_int64)


class Played:
    """Plugins that are Python functions, and the engine's side of them."""

    def __init__(self, count: int, threads: int = 1) -> None:
        self.calls = Calls(threads)
        self.crew = Crew(self.calls, lambda: None)
        self.crew._table[serving.NAP] = 1 << 50  # so that a call that was lost is not made up for
        self.seats = [Seat(("mono",), ("mono",), 64) for _ in range(count)]
        self.done: list[list[int]] = [[] for _ in range(count)]
        self.inside = [0] * count
        self.crowded = 0
        self.wait: dict[int, threading.Event] = {}
        self.parts: list[Part] = []
        for k, seat in enumerate(self.seats):
            new_semaphore(seat.back)
            words = np.zeros(64, np.int64)
            step = STEP(partial(self._play, k))
            KEPT.append((self, words, step))
            address = ctypes.cast(step, ctypes.c_void_p).value or 0
            self.parts.append(self.crew.add(seat, NativeCall(address, words.ctypes.data)))
        self._call = CALL(native(call, 1))

    def _play(self, k: int, words: int, frames: int, _: int) -> None:
        self.inside[k] += 1
        self.crowded += self.inside[k] > 1
        if k in self.wait:
            self.wait[k].wait(30.0)
        self.done[k].append(int(self.seats[k].head[handover.BEGUN]))
        self.inside[k] -= 1

    def pending(self, k: int) -> bool:
        head = self.seats[k].head
        return bool(head[handover.SUBMITTED] != head[handover.DONE])

    def submit(self, k: int) -> None:
        assert not self.pending(k)
        self.seats[k].head[handover.SUBMITTED] += 1
        self._call(self.calls.address)

    def settle(self, *ks: int) -> None:
        until(lambda: not any(self.pending(k) for k in ks), f"blocks of {ks}")


@helper
def step(words, frames, _):
    """What a native plugin does: count its blocks."""
    set_word(words, COUNTED, word(words, COUNTED) + 1)


@helper
def drive(heads, count, shared, rounds):
    """Hand over to all, wait for each as an engine does, and again; how often that went well."""
    for done in range(rounds):
        for k in range(count):
            head = word(heads, k)
            store_atomic(head + 8 * handover.SUBMITTED, done + 1)
            call(shared)
        for k in range(count):
            head = word(heads, k)
            until = now_ns() + 30_000_000_000
            while load_atomic(head + 8 * handover.DONE) != done + 1:
                if take_until(head + 8 * handover.BACK, until) == 0:
                    return done
    return rounds


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_call_and_no_answer_is_ever_lost(threads):
    calls, count = Calls(threads), 16
    players = Crew(calls, lambda: None)
    players._table[serving.NAP] = 1 << 50  # a thread that was not called sleeps on
    seats = [Seat(("mono",), ("mono",), 64) for _ in range(count)]
    tables = [np.zeros(64, np.int64) for _ in range(count)]
    KEPT.append((players, calls, seats, tables))
    for seat, table in zip(seats, tables, strict=True):
        new_semaphore(seat.back)
        players.add(seat, NativeCall(native(step, 3), table.ctypes.data))
    heads = np.array([seat.shared.address for seat in seats])
    whole = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 4)(native(drive, 4))
    assert whole(heads.ctypes.data, count, calls.address, ROUNDS) == ROUNDS
    assert [int(table[COUNTED]) for table in tables] == [ROUNDS] * count


def test_every_block_is_played_once_and_never_two_of_one_plugin_at_a_time():
    played = Played(9, 4)
    assert len(played.crew._threads) == 4
    order = np.random.default_rng(5)
    for _ in range(200):
        for k in order.permutation(9).tolist():
            played.settle(k)
            played.submit(k)
        if order.random() < 0.3:
            held = int(order.integers(9))
            with played.parts[held].held():
                before = len(played.done[held])
                played.settle(*(k for k in range(9) if k != held))
                assert len(played.done[held]) == before
    played.settle(*range(9))
    assert played.done == [list(range(1, 201))] * 9
    assert played.crowded == 0


def test_one_that_is_held_waits_and_the_others_are_played():
    played = Played(3)
    with played.parts[1].held():
        for k in range(3):
            played.submit(k)
        played.settle(0, 2)
        assert played.done == [[1], [], [1]]
    played.settle(1)
    assert played.done[1] == [1]


def test_one_that_goes_is_played_no_more_and_its_place_is_taken_again(monkeypatch):
    monkeypatch.setattr(serving, "END_NS", 50_000_000)
    played = Played(3, 2)
    assert played.crew.drop(played.parts[1])
    played.submit(1)
    played.submit(2)
    played.settle(2)
    assert played.done[1] == []
    seat = Seat(("mono",), ("mono",), 64)
    again = played.crew.add(seat, NativeCall(int(played.parts[1].table[serving.FUNCTION]), 0))
    assert played.crew._parts.index(again) == 1
    played.wait[0] = threading.Event()
    played.submit(0)
    until(lambda: played.inside[0], "a block to be begun")
    begun = time.monotonic()
    assert not played.crew.drop(played.parts[0]), "what is under way for long is left alone"
    assert time.monotonic() - begun < 25
    played.wait[0].set()
    played.settle(0)
    assert played.done[0] == [1]


def test_a_process_takes_so_many_plugins_and_says_so(monkeypatch):
    monkeypatch.setattr(serving, "MOST_PLUGINS", 2)
    with pytest.raises(PluginError, match="a process can play 2 plugins"):
        Played(3)
