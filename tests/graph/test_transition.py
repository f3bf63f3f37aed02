"""From plan to plan: on random graphs, nothing jumps, and where it leads is the new patch."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.document import Patch
from graph.plan import emit, plan
from graph.transition import transition
from host.native.abi import FADE, TIME
from host.native.arena import Arena
from host.native.binding import bind, new_context
from host.native.steps import PAST_IDENTITY, PAST_LAST
from host.offline import run_arrays

from .test_compiler_properties import RATE, check_liveness, random_patch, registry, schedule_of

AUTO = ("bus", "send", "latency")
"""Kinds that are stereo with nothing plugged in, which does not fit here."""
SETTLED = 6400
RAMP = 512
BLOCK = 64
STEEPEST = 1.5 / RAMP
"""Of a crossfade from 0 to 1, per frame."""


def without_echoes(patch: Patch) -> Patch:
    """The patch without what is heard late on purpose: it would go on changing by itself."""
    late = [id for id, entry in patch.nodes().items() if entry.kind == "sample_delay"]
    kept = Patch(sample_rate=RATE)
    for id, entry in patch.nodes().items():
        if id not in late:
            kept.add(id, entry.kind, settings=dict(entry.settings), **entry.params)
    for _, _, data in _cables(patch):
        c = data["cable"]
        if not c.feedback and c.source not in late and c.target not in late:
            kept.connect(f"{c.source}.{c.source_port}", f"{c.target}.{c.target_port}", amount=c.amount)
    for id, entry in kept.nodes().items():
        if entry.kind in ("bus", "send", "latency") and not any(
            data["cable"].target == id for _, _, data in _cables(kept)
        ):
            kept.connect("in0.out", f"{id}.in")
    return kept


def _cables(patch: Patch):
    return list(patch.graph.edges(data=True))


def edited(patch: Patch, chance: random.Random) -> Patch:
    """Some of its cables, a few of its nodes silenced or bypassed, and some of another patch."""
    other = without_echoes(random_patch(chance.randrange(1 << 30)))
    mixed = Patch(sample_rate=RATE)
    for source in (patch, other):
        for id, entry in source.nodes().items():
            if id not in mixed.graph and (source is patch or chance.random() < 0.7):
                mixed.add(id, entry.kind, settings=dict(entry.settings), **entry.params)
    order = {id: k for k, id in enumerate(mixed.nodes())}
    plugged: set[tuple[str, str, str]] = set()
    for source in (patch, other):
        for _, _, data in _cables(source):
            c = data["cable"]
            if c.source not in order or c.target not in order or chance.random() < 0.2:
                continue
            fits = c.target_port == "in" or mixed.nodes()[c.target].kind == "keyed"
            forward = order[c.source] < order[c.target] or c.target == "out"
            if fits and forward and (c.source, c.target, c.target_port) not in plugged:
                plugged.add((c.source, c.target, c.target_port))
                mixed.connect(f"{c.source}.{c.source_port}", f"{c.target}.{c.target_port}", amount=c.amount)
    for id, entry in mixed.nodes().items():
        if entry.kind in AUTO and not any(target == id for _, target, _ in plugged):
            mixed.connect("in0.out", f"{id}.in")  # with nothing plugged in they would be stereo
    return mixed


class Player:
    """Runs programs one after the other over steady inputs of 1, collecting what comes out."""

    def __init__(self) -> None:
        self.arena = Arena()
        self.context = new_context()
        self.parts: list[np.ndarray] = []
        self.cells: dict[tuple[str, str], float] = {}

    def run(self, made, frames: int, wait: int = -1) -> None:
        program = bind(emit(made), self.arena, None, block=BLOCK, context=self.context)
        for name, moved in program.moved.items():
            if name in self.cells and not moved.past[PAST_IDENTITY]:  # the conductor's work
                moved.past[PAST_LAST] = np.float64(self.cells[name]).view(np.int64)
                moved.past[PAST_IDENTITY] = -1
        self.cells |= {name: float(knobs[0].cell[0]) for name, knobs in program.knobs.items()}
        if not any(node.bypass or node.mute for node in made.nodes):  # which it knows nothing of
            check_liveness(program.schedule)
        if wait >= 0:
            self.context[FADE] = self.context[TIME] + wait
        rings = {}
        for id, stream in program.streams.items():
            name = "ring" + id
            program.keys.add((name,))
            ring = rings[id] = self.arena.array((name,), (BLOCK, stream.channels), "f4")
            stream.header[:5] = ring.ctypes.data, BLOCK - 1, 0, 0, stream.channels
        for _ in range(frames // BLOCK):
            for id, stream in program.streams.items():
                start = int(self.context[TIME]) - stream.node.arrival
                stream.header[2:4] = start, start + BLOCK
                if stream.flow == "in":
                    rings[id][:] = 1.0
            program.run(BLOCK)
            total = np.zeros(BLOCK, np.float32)
            for id, stream in program.streams.items():
                if stream.flow == "out":
                    total += rings[id][(int(stream.header[2]) + np.arange(BLOCK)) % BLOCK, 0]
            self.parts.append(total)
        self.arena.keep_only(program.keys)


def steady(patch: Patch) -> float:
    """Where the output comes to rest."""
    inputs = {id: np.ones(SETTLED, np.float32) for id, e in patch.nodes().items() if e.kind == "audio_in"}
    found, _ = run_arrays(schedule_of(patch), None, SETTLED, inputs)
    return float(found["out"][-1, 0]) if "out" in found else 0.0


def check(first: Patch, second: Patch) -> float:
    """Go from one to the other; the steepest step, by the steepest that crossfades of that size could make."""
    old = plan(first, registry(), None, RATE, together=True)
    player = Player()
    player.run(old, SETTLED)
    new = plan(second, registry(), None, RATE, together=True)
    change = transition(old, new, 1)
    if change.needed:
        player.run(change.plan, change.wait + 2 * RAMP + -change.wait % BLOCK, change.wait)
    for node in new.nodes:
        node.params = {**node.params, **{name: v for (key, name), v in change.params.items() if key == node.key}}
    before = len(player.parts)
    player.run(new, SETTLED)
    heard = np.concatenate(player.parts)
    was, now = steady(first), steady(second)
    landed = before * BLOCK
    assert abs(heard[SETTLED - 1] - was) < 1e-5 * max(1.0, abs(was))
    assert abs(heard[-1] - now) < 1e-5 * max(1.0, abs(now))
    if change.params:
        # Stored values are taken on after the crossfade, elsewhere by ramps; here at once, so look only before that.
        heard = heard[:landed]
    return float(np.abs(np.diff(heard[SETTLED - 64 :])).max())


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_nothing_jumps_and_the_new_patch_is_reached(seed):
    chance = random.Random(seed)
    first = without_echoes(random_patch(seed))
    second = edited(first, chance)
    for id, entry in list(second.nodes().items()):
        if entry.kind == "keyed" and chance.random() < 0.2:
            second.graph.nodes[id]["entry"] = _with(entry, mute=True)
        elif entry.kind in ("latency", "send") and chance.random() < 0.2:
            second.graph.nodes[id]["entry"] = _with(entry, bypass=entry.kind == "latency")
    loudest = max(1.0, abs(steady(first)), abs(steady(second)))
    # Crossfades that follow one another multiply; a jump of what one cable carries is far steeper.
    assert check(first, second) < 8 * STEEPEST * loudest


def _with(entry, **changes):
    from dataclasses import replace

    return replace(entry, **changes)


def chain(frames: int) -> Patch:
    """Something late beside something that waits for it."""
    patch = Patch(sample_rate=RATE)
    patch.add("in0", "audio_in", settings={"layout": "mono"})
    patch.add("slow", "latency", settings={"frames": frames})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    for cable in (("in0.out", "slow.in"), ("slow.out", "out.in"), ("in0.out", "out.in")):
        patch.connect(*cable)
    return patch


def test_new_delays_are_filled_before_they_are_heard():
    assert check(chain(64), chain(1000)) < 3 * STEEPEST


def test_the_check_hears_what_is_not_waited_for(monkeypatch):
    """The check above can fail."""
    from graph import transition as module

    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.0)
    assert check(chain(64), chain(1000)) > 0.1


@pytest.mark.parametrize("seed", range(60))
def test_loops_are_led_over_too(seed):
    """With feedback and delays there is no rest to compare, but the plans must be whole, and nothing may blow up."""
    old = plan(random_patch(seed), registry(), None, RATE)
    player = Player()
    player.run(old, 1024)
    for k in range(1, 4):
        new = plan(random_patch(seed + k), registry(), None, RATE)
        change = transition(old, new, k)
        player.run(change.plan, 1024, 0)
        player.run(new, 512)
        old = new
    heard = np.concatenate(player.parts)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 50


def test_a_param_that_changes_with_the_way_round_a_loop_is_as_the_new_patch_has_it():
    """Old and new cables go round together, so the nodes there begin anew, as they are now."""
    plans = []
    for first, second, level in (("a", "b", -6.0), ("b", "a", -20.0)):
        patch = Patch(sample_rate=RATE)
        patch.add("in0", "audio_in", settings={"layout": "mono"})
        patch.add("out", "audio_out", settings={"layout": "mono"})
        for id in ("a", "b"):
            patch.add(id, "gain", level_db=level)
        for source, target in (("in0", first), (first, second), (second, "out")):
            patch.connect(f"{source}.out", f"{target}.in")
        plans.append(plan(patch, registry(), None, RATE))
    old, new = plans
    change = transition(old, new, 1)
    assert change.needed
    assert {node.id: node.params["level_db"] for node in new.nodes if node.id in "ab"} == {"a": -20.0, "b": -20.0}
    assert not change.params
