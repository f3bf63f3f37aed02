"""Nodes side by side: when they are, that they feed one another directly, and that no bit changes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.schedule import KernelStep, MixStep
from graph.spec import LANES, AudioIn, AudioOut, Level, Node, Setting, Sidechain, State, kernel
from host.offline import run_arrays
from nodes import kinds


class Pole(Node):
    """One pole for each lane."""

    kind = "pole"
    wide = True
    signal = AudioIn("in")
    key = Sidechain("sidechain", fallback="in")
    out = AudioOut("out")
    variant = Setting("variant", 0, "integer")
    level = Level("level_db", 0.0)
    z = State((LANES,))

    @kernel
    def process(signal, key, out, level, z, n):
        for i in range(n):
            for lane in range(out.lanes):
                z[lane] += 0.3 * (signal[i, lane] - z[lane]) + 0.01 * key[i, lane]
                out[i, lane] = z[lane] * level[i, lane]


REGISTRY = {**kinds(), "pole": Pole}
FRAMES = 256


def mixdown(tracks: int, layout: str = "stereo", buses: int = 2) -> Patch:
    """Tracks through pole -> gain -> two destinations; every bus sums its tracks and everything meets in the output."""
    patch = Patch(sample_rate=48000)
    patch.add("out", "audio_out", settings={"layout": layout})
    for b in range(buses):
        patch.add(f"bus{b}", "gain")
        patch.connect(f"bus{b}.out", "out.in")
    for k in range(tracks):
        patch.add(f"in{k:02d}", "audio_in", settings={"layout": layout})
        patch.add(f"pole{k:02d}", "pole", level_db=-0.5 * k)
        patch.add(f"gain{k:02d}", "gain", level_db=-6 - 0.25 * k)
        patch.connect(f"in{k:02d}.out", f"pole{k:02d}.in")
        patch.connect(f"pole{k:02d}.out", f"gain{k:02d}.in")
        patch.connect(f"gain{k:02d}.out", f"bus{k % buses}.in")
    return patch


def sounds(schedule) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    inputs = [n for n in schedule.nodes if n.kind.kind == "audio_in"]
    return {n.id: rng.standard_normal((FRAMES, n.config.channels("out"))) for n in inputs}


def both(patch: Patch, **options):
    schedule = compile(patch, REGISTRY, None)
    wide, _ = run_arrays(schedule, None, FRAMES, sounds(schedule), **options)
    alone, _ = run_arrays(compile(patch, REGISTRY, None, wide=False), None, FRAMES, sounds(schedule), **options)
    return schedule, wide, alone


def wide_steps(schedule):
    return [s for s in schedule.steps if isinstance(s, KernelStep) and len(s.nodes) > 1]


@pytest.mark.parametrize(
    ("tracks", "layout", "groups"), [(16, "stereo", 2), (8, "stereo", 2), (9, "mono", 1), (32, "mono", 2)]
)
def test_tracks_run_side_by_side_with_the_same_bits(tracks, layout, groups):
    schedule, wide, alone = both(mixdown(tracks, layout))
    poles = [s for s in wide_steps(schedule) if schedule.nodes[s.nodes[0]].kind is Pole]
    assert len(poles) >= groups - 1
    for id, sound in alone.items():
        assert sound.any()
        assert np.array_equal(wide[id], sound)


def test_a_chain_of_wide_steps_hands_on_its_signal_without_copies():
    schedule, _, _ = both(mixdown(16))
    gains = [s for s in wide_steps(schedule) if schedule.nodes[s.nodes[0]].kind.kind == "gain"]
    assert len(gains) == 2
    assert all(len(s.nodes) == 8 for s in gains)
    copies = [s for s in schedule.steps if isinstance(s, MixStep) and len(s.sources) == 1 and not s.adding]
    assert len(copies) <= 2, "at most the first term of each bus"


def test_tracks_of_one_bus_are_kept_together():
    schedule, _, _ = both(mixdown(16))
    for step in wide_steps(schedule):
        numbers = [int(schedule.nodes[k].id[-2:]) for k in step.nodes]
        assert len({n % 2 for n in numbers}) == 1


def test_what_moves_or_differs_stays_alone():
    patch = mixdown(8)
    patch.automate("pole00", "level_db", [(0.0, -20.0, "linear"), (0.005, 0.0, "hold")])
    patch.graph.nodes["pole02"]["entry"].settings["variant"] = 3
    schedule, wide, alone = both(patch)
    inside = {schedule.nodes[k].id for s in wide_steps(schedule) for k in s.nodes}
    assert not inside & {"pole00", "pole02"}
    assert np.array_equal(wide["out"], alone["out"])


def test_nodes_in_series_are_never_side_by_side():
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in")
    before = "in"
    for k in range(8):
        patch.add(f"p{k}", "pole")
        patch.connect(f"{before}.out", f"p{k}.in")
        before = f"p{k}"
    patch.add("out", "audio_out")
    patch.connect(f"{before}.out", "out.in")
    schedule, wide, alone = both(patch)
    assert not wide_steps(schedule)
    assert np.array_equal(wide["out"], alone["out"])


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_have_the_same_bits(seed):
    rng = random.Random(seed)
    patch = Patch(sample_rate=48000)
    layout = rng.choice(["mono", "stereo"])
    sources = [f"in{k}" for k in range(rng.randint(1, 4))]
    for id in sources:
        patch.add(id, "audio_in", settings={"layout": layout})
    rows: list[list[str]] = [sources]
    for depth in range(rng.randint(2, 4)):
        row = []
        for k in range(rng.randint(6, 18)):
            id = f"n{depth}-{k}"
            kind = rng.choice(["pole", "pole", "gain"])
            patch.add(id, kind, level_db=rng.uniform(-20, -8))
            if rng.random() < 0.1:
                patch.graph.nodes[id]["entry"].bypass = kind == "gain"
            for source in rng.sample(rows[-1], k=min(len(rows[-1]), rng.choice([1, 1, 1, 2, 3]))):
                patch.connect(f"{source}.out", f"{id}.in")
            if kind == "pole" and rng.random() < 0.1:
                patch.connect(f"{rng.choice(rows[-1])}.out", f"{id}.sidechain")
            row.append(id)
        rows.append(row)
    patch.add("out", "audio_out", settings={"layout": layout})
    for id in rows[-1]:
        patch.connect(f"{id}.out", "out.in")
    schedule, wide, alone = both(patch, checked=seed % 5 == 0, block=rng.choice([64, 128]))
    assert np.array_equal(wide["out"], alone["out"])
    if seed % 5 == 0:
        threaded, _ = run_arrays(schedule, None, FRAMES, sounds(schedule), threads=2)
        assert np.array_equal(threaded["out"], wide["out"])
