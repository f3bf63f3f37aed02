"""Nodes that are submitted early and collected late: the order, and that no sample depends on it."""

from __future__ import annotations

import importlib.util
import random
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.allocate import reads, writes
from graph.compiler import compile
from graph.document import Patch
from graph.schedule import KernelStep, Schedule
from graph.spec import TICK, AudioIn, AudioOut, Level, Memory, Node, Param, Sidechain, kernel
from host.offline import run_arrays
from nodes import kinds

RATE, FRAMES = 48000, 640


@cache
def properties() -> ModuleType:
    """The module of the compiler's property tests: its graphs, and its arithmetic."""
    spec = importlib.util.spec_from_file_location("properties", Path(__file__).with_name("test_compiler_properties.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Away(Node):
    """The property tests' processor, with its work done in two goes: computed and put by, then fetched."""

    kind = "keyed"
    bypassable = True
    signal = AudioIn("in", "mono")
    key = Sidechain("sidechain")
    out = AudioOut("out", "mono")
    level = Level("level_db", 0.0)
    offset = Param("offset", 0.0, 0.0, 1.0)
    kept = Memory(2)

    @classmethod
    def prepare(cls, config: Any, services: Any) -> dict[str, np.ndarray]:
        return {"kept": np.zeros((1024, 1), np.float32)}

    @kernel
    def process(signal, key, out, level, offset, n):
        for i in range(n):
            out[i, 0] = signal[i, 0] * level[i, 0] + 0.25 * key[i, 0] + offset[i, 0]

    @kernel
    def submit(signal, key, level, offset, kept, n):
        for i in range(n):
            kept[i, 0] = signal[i, 0] * level[i, 0] + 0.25 * key[i, 0] + offset[i, 0]

    @kernel
    def collect(kept, out, n):
        for i in range(n):
            out[i, 0] = kept[i, 0]
            kept[i, 0] = 1e9  # whoever collects twice, or without a submit, is heard


def compiled(patch: Patch, **options: bool) -> Schedule:
    return compile(patch, {**kinds(), "keyed": Away}, None, RATE, **options)


def inputs_of(patch: Patch, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"in{k}": rng.uniform(0, 1, FRAMES).astype(np.float32) for k in range(2) if f"in{k}" in patch.graph.nodes}


def render(schedule: Schedule, inputs: dict[str, np.ndarray], **options: Any) -> np.ndarray:
    found, program = run_arrays(schedule, None, FRAMES, inputs, **options)
    assert program.faults == 0
    return found["out"][:, 0]


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_no_sample_depends_on_it(seed):
    patch = properties().random_patch(seed)
    inputs = inputs_of(patch, seed)
    whole = compile(patch, {**kinds(), "keyed": properties().Keyed}, None, RATE)
    options: dict[str, Any] = {"block": random.Random(seed).choice([64, 128, 512]), "checked": seed % 8 == 0}
    assert np.array_equal(render(compiled(patch), inputs, **options), render(whole, inputs, block=128))


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_each_is_submitted_once_and_collected_once_after_it_and_in_loops_neither(seed):
    schedule = compiled(properties().random_patch(seed))
    looping = {id for loop in schedule.loops for id in loop.nodes}
    done: dict[str, list[str]] = {}
    held: set[int] = set()
    for step in schedule.steps:
        assert {slot.buffer for slot in reads(step) if slot.buffer} <= held, "a buffer is read before it is written"
        held |= {slot.buffer for slot in writes(step)}
        if isinstance(step, KernelStep) and schedule.nodes[step.nodes[0]].kind is Away:
            done.setdefault(schedule.nodes[step.nodes[0]].id, []).append(step.kernel)
    for id, found in done.items():
        assert found == (["process"] if id in looping else ["submit", "collect"]), id


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_what_waits_for_nothing_away_runs_before_anything_is_collected(seed):
    schedule = compiled(properties().random_patch(seed))
    into: dict[int, set[int]] = {}
    for source, _, target, _, _ in schedule.cables:
        into.setdefault(target, set()).add(source)
    looping = {id for loop in schedule.loops for id in loop.nodes}
    waits: set[int] = set()
    away = {k for k, n in enumerate(schedule.nodes) if n.kind is Away and n.id not in looping}
    while True:  # everything downstream of what works elsewhere
        more = {k for k, sources in into.items() if sources & (away | waits)} - waits
        if not more:
            break
        waits |= more
    order = [(s.nodes, s.kernel) for s in schedule.steps if isinstance(s, KernelStep)]
    first = next((at for at, (_, kernel) in enumerate(order) if kernel == "collect"), len(order))
    late = {k for nodes, _ in order[first:] for k in nodes if schedule.nodes[k].kind is not Away}
    assert late <= waits


@pytest.mark.parametrize("seed", range(6))
def test_blocks_and_threads_do_not_change_a_bit(seed):
    patch = properties().random_patch(seed * 104729)
    inputs = inputs_of(patch, seed)
    first = render(compiled(patch), inputs, block=64)
    for options in ({"block": 448}, {"block": 512, "threads": 2}):
        assert np.array_equal(render(compiled(patch, parallel="threads" in options), inputs, **options), first)


def test_parallel_chains_are_all_under_way_at_once():
    patch = Patch(sample_rate=RATE)
    patch.add("in0", "audio_in", settings={"layout": "mono"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    for chain in "abc":
        before = "in0"
        for k in range(3):
            patch.add(f"{chain}{k}", "keyed")
            patch.connect(f"{before}.out", f"{chain}{k}.in")
            before = f"{chain}{k}"
        patch.connect(f"{before}.out", "out.in")
    schedule = compiled(patch)
    steps = [s for s in schedule.steps if isinstance(s, KernelStep)]
    order = [f"{s.kernel[0]}{schedule.nodes[s.nodes[0]].id}" for s in steps if s.kernel != "process"]
    assert order[:6] == ["sa0", "sb0", "sc0", "ca0", "sa1", "cb0"]
    assert order.index("sc1") < order.index("ca1")


@pytest.mark.parametrize("how", ["bypass", "mute"])
def test_bypass_and_mute_are_the_same_for_it(how):
    outputs = []
    for kind in (Away, properties().Keyed):
        patch = Patch(sample_rate=RATE)
        patch.add("in0", "audio_in", settings={"layout": "mono"})
        patch.add("one", "keyed", level_db=-6.0)
        patch.add("out", "audio_out", settings={"layout": "mono"})
        patch.connect("in0.out", "one.in")
        patch.connect("one.out", "out.in")
        patch.automate("one", how, [(0.0, 0.0, "hold"), (0.004, 1.0, "hold")])
        bypassable = type("Keyed", (kind,), {"bypassable": True})
        schedule = compile(patch, {**kinds(), "keyed": bypassable}, None, RATE)
        outputs.append(render(schedule, inputs_of(patch, 3), block=128))
    assert np.array_equal(*outputs)
    assert not np.array_equal(outputs[0][: 3 * TICK], outputs[0][-3 * TICK :])
