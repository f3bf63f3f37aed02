"""What must hold of every schedule, on random graphs: with sends, sidechains, modulation, delays and feedback."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.allocate import reads, writes
from graph.compiler import compile
from graph.document import Patch
from graph.schedule import DelayStep, FeedbackStep, KernelStep, Schedule
from graph.spec import AudioIn, AudioOut, Level, Node, Param, Sidechain, kernel
from host.offline import run_arrays
from nodes import kinds

RATE = 48000
FRAMES = 640
TICK = 64


class Keyed(Node):
    """A mono processor with a sidechain, and a param that is added to the signal."""

    kind = "keyed"
    signal = AudioIn("in", "mono")
    key = Sidechain("sidechain")
    out = AudioOut("out", "mono")
    level = Level("level_db", 0.0)
    offset = Param("offset", 0.0, 0.0, 1.0)

    @kernel
    def process(signal, key, out, level, offset, n):
        for i in range(n):
            out[i, 0] = signal[i, 0] * level[i, 0] + 0.25 * key[i, 0] + offset[i, 0]


@cache
def registry() -> dict[str, type[Node]]:
    return {**kinds(), "keyed": Keyed}


def random_patch(seed: int) -> Patch:
    """A random graph: mostly forward cables, some feedback cables, some loops through long delays."""
    rng = random.Random(seed)
    patch = Patch(sample_rate=RATE)
    count = rng.randint(2, 12)
    ids = [f"{rng.choice('abcdefgh')}{k}" for k in range(count)]
    made: list[tuple[str, str]] = []
    for k in range(rng.randint(1, 2)):
        patch.add(f"in{k}", "audio_in", settings={"layout": "mono"})
        made.append((f"in{k}", "audio_in"))
    for id in ids:
        match rng.choice(["keyed", "keyed", "latency", "sample_delay", "bus", "send"]):
            case "keyed":
                patch.add(id, "keyed", level_db=rng.uniform(-30, -12))
                made.append((id, "keyed"))
            case "latency":
                patch.add(id, "latency", settings={"frames": rng.choice([0, 1, 17, 63, 64, 65, 130, 200])})
                made.append((id, "latency"))
            case "sample_delay":
                patch.add(id, "sample_delay", frames=rng.choice([0, 1, 30, 64, 100, 400, 700]))
                made.append((id, "sample_delay"))
            case kind:
                patch.add(id, kind, level_db=rng.uniform(-30, -12))
                made.append((id, kind))
    patch.add("out", "audio_out", settings={"layout": "mono"})
    made.append(("out", "audio_out"))
    plugged: set[tuple[str, str, str]] = set()

    def plug(source: str, target: str, port: str, *, feedback: bool = False, amount: float | None = None) -> None:
        if (source, target, port) not in plugged:
            plugged.add((source, target, port))
            patch.connect(f"{source}.out", f"{target}.{port}", feedback=feedback, amount=amount)

    sources = [m for m in made if m[1] != "audio_out"]
    for at, (target, kind) in enumerate(made):
        if kind == "audio_in":
            continue
        before = made[:at]
        for _ in range(rng.randint(1, 3)):
            plug(rng.choice(before)[0], target, "in")
        if kind == "keyed" and rng.random() < 0.5:
            plug(rng.choice(before)[0], target, "sidechain")
        if kind == "keyed" and rng.random() < 0.3:
            plug(rng.choice(before)[0], target, "offset", amount=0.1)
        if kind != "audio_out" and rng.random() < 0.25:
            later = [m for m in sources[1:] if m[1] != "audio_in"]
            plug(rng.choice(later)[0], target, "in", feedback=True)
    return patch


def schedule_of(patch: Patch) -> Schedule:
    return compile(patch, registry(), None, RATE)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_listing_order_does_not_change_the_schedule(seed):
    patch = random_patch(seed)
    rng = random.Random(seed + 1)
    shuffled = Patch(sample_rate=RATE)
    nodes = list(patch.graph.nodes(data=True))
    rng.shuffle(nodes)
    for id, data in nodes:
        entry = data["entry"]
        shuffled.add(id, entry.kind, settings=dict(entry.settings), **entry.params)
    cables = [data["cable"] for _, _, data in patch.graph.edges(data=True)]
    rng.shuffle(cables)
    for c in cables:
        shuffled.connect(
            f"{c.source}.{c.source_port}", f"{c.target}.{c.target_port}", feedback=c.feedback, amount=c.amount
        )
    assert schedule_of(shuffled) == schedule_of(patch)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_buffers_are_written_before_they_are_read_and_never_overwritten_while_needed(seed):
    schedule = schedule_of(random_patch(seed))
    holds: dict[int, int] = {}  # buffer -> the write it holds
    for at, step in enumerate(schedule.steps):
        inputs = {slot.buffer for slot in reads(step) if slot.buffer}
        outputs = {slot.buffer for slot in writes(step)}
        assert 0 not in outputs, "silence is never written"
        assert inputs <= holds.keys(), "a buffer is read before it is written"
        added = outputs if getattr(step, "adding", False) else set()
        assert not (outputs - added) & inputs, "an output shares a buffer with an input"
        for buffer in outputs:
            holds[buffer] = at
    check_liveness(schedule)


def check_liveness(schedule: Schedule) -> None:
    """Every read finds what its producer meant for it: replay the steps, carrying for each buffer who contributed to
    it.
    """
    holds: dict[int, frozenset[str]] = defaultdict(frozenset)
    expected: dict[tuple[int, str], set[str]] = defaultdict(set)
    for source, port, target, target_port, _ in schedule.cables:
        expected[target, target_port].add(f"{schedule.nodes[source].key}.{port}")
    for step in schedule.steps:
        match step:
            case KernelStep():
                node = schedule.nodes[step.nodes[0]]
                for port, slot in step.inputs.items():
                    assert holds[slot.buffer] == expected[step.nodes[0], port], (node.id, port)
                for port, slot in step.outputs.items():
                    mine = frozenset({f"{node.key}.{port}"})
                    holds[slot.buffer] = holds[slot.buffer] | mine if step.adding else mine
            case FeedbackStep(name, signal, False):
                holds[signal.buffer] = frozenset({name})
            case FeedbackStep(name, signal, True):
                assert holds[signal.buffer] == {name}
            case _:
                found = frozenset().union(*(holds[slot.buffer] for slot in reads(step)))
                for slot in writes(step):
                    holds[slot.buffer] = found


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_all_paths_into_a_node_arrive_equally_late(seed):
    schedule = schedule_of(random_patch(seed))
    inside = {id: k for k, loop in enumerate(schedule.loops) for id in loop.nodes}
    added = {c.cable: c.frames for c in schedule.compensations}
    for source, port, target, target_port, closing in schedule.cables:
        a, b = schedule.nodes[source], schedule.nodes[target]
        cable = f"{a.id}.{port} -> {b.id}.{target_port}"
        due = b.arrival + (b.skew if target_port == "in" else 0)
        leaves = a.arrival + a.latency
        if closing:
            assert leaves + added.get(cable, 0) == max(due, leaves), cable
        else:
            assert leaves + added.get(cable, 0) == due, cable
    for loop_number in range(len(schedule.loops)):
        members = [n for n in schedule.nodes if inside.get(n.id) == loop_number]
        outside = [
            schedule.nodes[s].arrival + schedule.nodes[s].latency
            for s, _, t, _, _ in schedule.cables
            if inside.get(schedule.nodes[t].id) == loop_number and inside.get(schedule.nodes[s].id) != loop_number
        ]
        assert min(n.arrival for n in members) >= max(outside, default=0), "the loop is entered before all is there"


def reference(patch: Patch, schedule: Schedule, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The output as mathematics has it, in float64: no latency anywhere; loops with the periods that were declared.

    On the timeline an ordinary cable delays nothing, a sample_delay by its frames, a feedback cable by its period if
    it closes a loop and by a tick if not. Tick by tick in schedule order, so that loops can be followed.
    """
    entries = {id: data["entry"] for id, data in patch.graph.nodes(data=True)}
    order = [
        schedule.nodes[s.nodes[0]].id for s in schedule.steps if isinstance(s, KernelStep) and s.kernel != "absorb"
    ]
    closing = {(schedule.nodes[s].id, p, schedule.nodes[t].id, q) for s, p, t, q, c in schedule.cables if c}
    cables: dict[tuple[str, str], list[tuple[str, int, float]]] = defaultdict(list)
    by_id = {n.id: n for n in schedule.nodes}
    for _, _, data in patch.graph.edges(data=True):
        c = data["cable"]
        delay = 0
        if (c.source, c.source_port, c.target, c.target_port) in closing:
            u, v = by_id[c.source], by_id[c.target]
            due = v.arrival + (v.skew if c.target_port == "in" else 0)
            delay = TICK + max(0, u.arrival + u.latency - due)
        elif c.feedback:
            delay = TICK
        cables[c.target, c.target_port].append((c.source, delay, 1.0 if c.amount is None else c.amount))
    outputs = {id: np.zeros(FRAMES) for id in entries}
    taken = {id: np.zeros(FRAMES) for id in entries}

    def heard(id: str, port: str, start: int, delayed: int = 0) -> np.ndarray:
        total = np.zeros(TICK)
        for source, delay, amount in cables[id, port]:
            total += amount * late(outputs[source], start, delay + delayed)
        return total

    def late(signal: np.ndarray, start: int, delay: int) -> np.ndarray:
        padded = np.concatenate([np.zeros(delay + FRAMES), signal])
        return padded[FRAMES + start : FRAMES + start + TICK]

    for start in range(0, FRAMES, TICK):
        here = slice(start, start + TICK)
        for id in order:
            entry = entries[id]
            if entry.kind == "audio_in":
                outputs[id][here] = inputs[id][here]
            elif entry.kind == "sample_delay":
                frames = int(entry.params.get("frames", 0))
                if frames < TICK:
                    taken[id][here] = heard(id, "in", start)
                outputs[id][here] = late(taken[id], start, frames)
            else:
                x = heard(id, "in", start)
                gain = 10 ** (entry.params.get("level_db", 0.0) / 20) if entry.kind != "latency" else 1.0
                y = x * gain
                if entry.kind == "keyed":
                    moved = np.clip(heard(id, "offset", start), 0, 1) if cables[id, "offset"] else 0.0
                    y = y + 0.25 * heard(id, "sidechain", start) + moved
                outputs[id][here] = y
        for id in order:
            if entries[id].kind == "sample_delay":
                taken[id][here] = heard(id, "in", start)
    return outputs["out"]


def render(patch: Patch, inputs: dict[str, np.ndarray], **options) -> np.ndarray:
    found, program = run_arrays(schedule_of(patch), None, FRAMES, inputs, **options)
    assert program.faults == 0
    return found["out"][:, 0]


@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_sound_is_as_if_there_were_no_latency(seed):
    patch = random_patch(seed)
    schedule = schedule_of(patch)
    rng = np.random.default_rng(seed)
    inputs = {f"in{k}": rng.uniform(0, 1, FRAMES).astype(np.float32) for k in range(2) if f"in{k}" in patch.graph.nodes}
    wanted = reference(patch, schedule, {id: x.astype(np.float64) for id, x in inputs.items()})
    got = render(patch, inputs, block=random.Random(seed).choice([64, 128, 192, 512]), checked=seed % 8 == 0)
    assert np.max(np.abs(got - wanted)) < 2e-6 * max(1.0, float(np.max(np.abs(wanted))))


@pytest.mark.parametrize("seed", range(12))
def test_blocks_threads_and_checks_do_not_change_a_bit(seed):
    patch = random_patch(seed * 7919)
    rng = np.random.default_rng(seed)
    inputs = {f"in{k}": rng.uniform(0, 1, FRAMES).astype(np.float32) for k in range(2) if f"in{k}" in patch.graph.nodes}
    first = render(patch, inputs, block=64)
    for options in ({"block": 128}, {"block": 448}, {"block": 1024}, {"block": 512, "threads": 2}, {"checked": True}):
        assert np.array_equal(render(patch, inputs, **options), first), options


def test_a_wrong_compensation_would_be_heard():
    """The check above can fail: with one compensation a frame short, it does."""
    patch = Patch(sample_rate=RATE)
    patch.add("in0", "audio_in", settings={"layout": "mono"})
    patch.add("slow", "latency", settings={"frames": 100})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    for cable in (("in0.out", "slow.in"), ("slow.out", "out.in"), ("in0.out", "out.in")):
        patch.connect(*cable)
    schedule = schedule_of(patch)
    rng = np.random.default_rng(0)
    inputs = {"in0": rng.uniform(0, 1, FRAMES).astype(np.float32)}
    wanted = reference(patch, schedule, inputs)
    good, _ = run_arrays(schedule, None, FRAMES, inputs)
    assert np.max(np.abs(good["out"][:, 0] - wanted)) < 1e-6
    broken = tuple(
        DelayStep(s.name, s.target, s.source, s.frames - 1) if isinstance(s, DelayStep) else s for s in schedule.steps
    )
    from dataclasses import replace

    bad, _ = run_arrays(replace(schedule, steps=broken), None, FRAMES, inputs)
    assert np.max(np.abs(bad["out"][:, 0] - wanted)) > 0.1
