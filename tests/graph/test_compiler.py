"""What the compiler promises, one case at a time. The random graphs are in test_compiler_properties.py."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.paths import latencies
from graph.schedule import KernelStep, MixStep
from graph.spec import TICK
from host.offline import run_arrays
from nodes import kinds

RATE = 48000


def patch_of(nodes: dict, cables: list) -> Patch:
    """``{id: (kind, settings, params)}`` and ``[(from, to, options)]``."""
    patch = Patch(sample_rate=RATE)
    for id, (kind, settings, params) in nodes.items():
        patch.add(id, kind, settings=settings, **params)
    for source, target, *options in cables:
        patch.connect(source, target, **(options[0] if options else {}))
    return patch


def play(patch: Patch, inputs: dict | None = None, frames: int = 1024, **options) -> np.ndarray:
    found, _ = run_arrays(compile(patch, kinds(), None), None, frames, inputs, **options)
    return found["out"]


MONO_IN = ("audio_in", {"layout": "mono"}, {})
MONO_OUT = ("audio_out", {"layout": "mono"}, {})


def test_two_sines_half_a_period_apart_cancel_and_compensated_they_double():
    #  in ──────────────► out
    #   └─► late (50) ────►      a sine of period 100: half a period late, it cancels
    sine = np.sin(2 * np.pi * np.arange(1024) / 100).astype(np.float32)
    for kind, settings, params, factor in (
        ("sample_delay", {}, {"frames": 50}, 0.0),
        ("latency", {"frames": 50}, {}, 2.0),
    ):
        patch = patch_of(
            {"in": MONO_IN, "late": (kind, settings, params), "out": MONO_OUT},
            [("in.out", "late.in"), ("late.out", "out.in"), ("in.out", "out.in")],
        )
        got = play(patch, {"in": sine})[100:, 0]
        assert np.max(np.abs(got - factor * sine[100:])) < 1e-6


def test_automation_stays_with_the_audio_it_belongs_to():
    #  in ─► latency 777 ─► gain (a step at frame 1000) ─► out
    patch = patch_of(
        {"in": MONO_IN, "late": ("latency", {"frames": 777}, {}), "g": ("gain", {}, {}), "out": MONO_OUT},
        [("in.out", "late.in"), ("late.out", "g.in"), ("g.out", "out.in")],
    )
    patch.automate("g", "level_db", [(0.0, -96.0, "hold"), (1000 / RATE, 0.0, "hold")])
    got = play(patch, {"in": np.ones(2048, np.float32)}, 2048)[:, 0]
    assert not got[:1000].any()
    assert (got[1000:] == 1.0).all()


def test_a_step_lands_on_its_frame_and_two_points_at_one_time_are_a_step():
    patch = patch_of({"in": MONO_IN, "g": ("gain", {}, {}), "out": MONO_OUT}, [("in.out", "g.in"), ("g.out", "out.in")])
    patch.automate("g", "level_db", [(0.0, 0.0, "linear"), (101 / RATE, 0.0, "linear"), (101 / RATE, -6.0, "hold")])
    got = play(patch, {"in": np.ones(256, np.float32)}, 256)[:, 0]
    assert (got[:101] == 1.0).all()
    assert got[101:] == pytest.approx(10 ** (-6 / 20), rel=1e-6)


def test_the_lower_side_of_a_step_that_comes_first_holds_before_it():
    patch = patch_of({"in": MONO_IN, "g": ("gain", {}, {}), "out": MONO_OUT}, [("in.out", "g.in"), ("g.out", "out.in")])
    patch.automate("g", "level_db", [(100 / RATE, -6.0, "hold"), (100 / RATE, 0.0, "hold")])
    got = play(patch, {"in": np.ones(1024, np.float32)})[:, 0]
    assert got[:100] == pytest.approx(10 ** (-6 / 20))
    assert (got[100:] == 1.0).all()


def test_automation_curves_are_what_they_say():
    #  filter-like params hold over a tick; levels move every frame, linear in dB; exponential is a·(b/a)^u
    patch = patch_of({"in": MONO_IN, "g": ("gain", {}, {}), "out": MONO_OUT}, [("in.out", "g.in"), ("g.out", "out.in")])
    patch.automate(
        "g", "level_db", [(0.0, -40.0, "linear"), (480 / RATE, -10.0, "exponential"), (960 / RATE, -20.0, "hold")]
    )
    got = play(patch, {"in": np.ones(1200, np.float32)}, 1200)[:, 0]
    t = np.arange(480)
    assert 20 * np.log10(got[:480]) == pytest.approx(-40 + 30 * t / 480, abs=1e-4)
    assert 20 * np.log10(got[480:960]) == pytest.approx(-10 * 2.0 ** (t / 480), abs=1e-4)
    assert 20 * np.log10(got[960:]) == pytest.approx(np.full(240, -20.0), abs=1e-5)


def test_a_modulation_cable_is_aligned_with_the_audio_it_moves():
    #  in ─► latency 300 ─► gain ─► out        ctl: 1 from frame 500 on
    #  ctl ─────────────────► level_db
    patch = patch_of(
        {
            "in": MONO_IN,
            "ctl": MONO_IN,
            "late": ("latency", {"frames": 300}, {}),
            "g": ("gain", {}, {"level_db": -96}),
            "out": MONO_OUT,
        },
        [("in.out", "late.in"), ("late.out", "g.in"), ("ctl.out", "g.level_db", {"amount": 0.8}), ("g.out", "out.in")],
    )
    control = (np.arange(1024) >= 500).astype(np.float32)
    got = play(patch, {"in": np.ones(1024, np.float32), "ctl": control})[:, 0]
    assert not got[:500].any()
    assert (got[500:] == 1.0).all(), "-96 + 0.8 · 120 is 0 dB"


def test_a_sidechain_is_aligned_too():
    patch = patch_of(
        {
            "in": MONO_IN,
            "key": MONO_IN,
            "late": ("latency", {"frames": 500}, {}),
            "c": ("compressor", {}, {}),
            "out": MONO_OUT,
        },
        [("in.out", "late.in"), ("late.out", "c.in"), ("key.out", "c.sidechain"), ("c.out", "out.in")],
    )
    schedule = compile(patch, kinds(), None)
    assert [(c.cable, c.frames) for c in schedule.compensations] == [("key.out -> c.sidechain", 500)]


@pytest.mark.parametrize("inside", [0, 1, 130])
def test_a_feedback_cable_is_late_by_a_tick_beyond_the_latency_in_the_loop(inside):
    #  in ─► sum ─► late ─► g ─► out
    #         ▲──────────────┘ feedback
    patch = patch_of(
        {
            "in": MONO_IN,
            "sum": ("bus", {}, {}),
            "late": ("latency", {"frames": inside}, {}),
            "g": ("gain", {}, {"level_db": -6}),
            "out": MONO_OUT,
        },
        [
            ("in.out", "sum.in"),
            ("sum.out", "late.in"),
            ("late.out", "g.in"),
            ("g.out", "sum.in", {"feedback": True}),
            ("g.out", "out.in"),
        ],
    )
    schedule = compile(patch, kinds(), None)
    (loop,) = schedule.loops
    assert set(loop.nodes) == {"sum", "late", "g"}
    assert loop.periods == (("g.out -> sum.in", TICK + inside),)
    impulse = np.zeros(1024, np.float32)
    impulse[3] = 1.0
    got = play(patch, {"in": impulse})[:, 0]
    half = np.float32(10 ** (-6 / 20))
    echoes = {3 + k * (TICK + inside): half ** (k + 1) for k in range(20)}
    for at in np.flatnonzero(got > 1e-4):
        assert got[at] == pytest.approx(echoes[int(at)], rel=1e-5)
    assert np.count_nonzero(got > 1e-4) == sum(1 for at, v in echoes.items() if at < 1024 and v > 1e-4)


def loop_with_delay(frames: int, inside: int) -> Patch:
    return patch_of(
        {
            "in": MONO_IN,
            "sum": ("bus", {}, {}),
            "late": ("latency", {"frames": inside}, {}),
            "d": ("sample_delay", {}, {"frames": frames}),
            "g": ("gain", {}, {"level_db": -6}),
            "out": MONO_OUT,
        },
        [
            ("in.out", "sum.in"),
            ("sum.out", "late.in"),
            ("late.out", "d.in"),
            ("d.out", "g.in"),
            ("g.out", "sum.in"),
            ("sum.out", "out.in"),
        ],
    )


@pytest.mark.parametrize(("frames", "inside"), [(64, 0), (100, 0), (200, 136), (333, 100)])
def test_a_sample_delay_keeps_the_period_of_its_loop_whatever_latency_is_inside(frames, inside):
    patch = loop_with_delay(frames, inside)
    assert compile(patch, kinds(), None).loops[0].periods == (("d", frames),)
    impulse = np.zeros(1024, np.float32)
    impulse[0] = 1.0
    got = play(patch, {"in": impulse})[:, 0]
    assert set(np.flatnonzero(got > 1e-5)) == {k * frames for k in range(17) if k * frames < 1024 and 0.5012**k > 1e-5}


def test_a_delay_too_short_for_the_latency_in_its_loop_is_refused_with_both_numbers():
    with pytest.raises(PatchError, match=r"200 frames.*137 frames of latency.*at least 201") as caught:
        compile(loop_with_delay(200, 137), kinds(), None)
    assert caught.value.node == "d"


@pytest.mark.parametrize(("inside", "low"), [(0, 63), (100, 163)])
def test_automation_may_not_make_a_delay_too_short_for_its_loop(inside, low):
    patch = loop_with_delay(300, inside)
    patch.automate("d", "frames", [(0.0, 300, "linear"), (1.0, low + 1, "hold")])
    compile(patch, kinds(), None)
    patch.automation.clear()
    patch.automate("d", "frames", [(0.0, 300, "linear"), (1.0, low, "hold")])
    with pytest.raises(PatchError, match=f"{low} frames.*{inside} frames of latency.*at least {low + 1}") as caught:
        compile(patch, kinds(), None)
    assert caught.value.place == "automation.d.frames.points[1]"


def test_a_loop_without_delay_is_refused_naming_its_nodes():
    for frames in (0, 63):
        with pytest.raises(PatchError, match="no delay") as caught:
            compile(loop_with_delay(frames, 0), kinds(), None)
        for id in ("sum", "late", "d", "g"):
            assert id in str(caught.value)


def test_a_feedback_cable_that_closes_no_loop_is_an_audible_delay():
    patch = patch_of({"in": MONO_IN, "out": MONO_OUT}, [("in.out", "out.in", {"feedback": True})])
    rng = np.random.default_rng(0)
    x = rng.standard_normal(512).astype(np.float32)
    got = play(patch, {"in": x}, 512)[:, 0]
    assert np.array_equal(got[TICK:], x[:-TICK])
    assert not got[:TICK].any()


def test_nothing_outside_a_loop_changes_its_period():
    #  a (latency 500) ─► sum of the loop, and a second way in without latency
    patch = loop_with_delay(128, 0)
    patch.add("slow", "latency", settings={"frames": 500})
    patch.connect("in.out", "slow.in")
    patch.connect("slow.out", "g.in")
    assert compile(patch, kinds(), None).loops[0].periods == (("d", 128),)
    impulse = np.zeros(1024, np.float32)
    impulse[0] = 1.0
    got = play(patch, {"in": impulse})[:, 0]
    assert set(np.flatnonzero(got > 1e-4)) <= {k * 128 for k in range(9)}


def test_mono_into_stereo_goes_to_both_and_other_misfits_name_the_adapters():
    patch = patch_of({"in": MONO_IN, "out": ("audio_out", {}, {})}, [("in.out", "out.in")])
    x = np.random.default_rng(0).standard_normal(128).astype(np.float32)
    got = play(patch, {"in": x}, 128)
    assert np.array_equal(got[:, 0], x)
    assert np.array_equal(got[:, 1], x)
    for a, b in (("stereo", "mono"), ("5.1", "stereo"), ("mono", "5.1"), ("quad", "5.1")):
        patch = patch_of(
            {"in": ("audio_in", {"layout": a}, {}), "out": ("audio_out", {"layout": b}, {})}, [("in.out", "out.in")]
        )
        with pytest.raises(PatchError, match=r"downmix.*upmix.*channel_map"):
            compile(patch, kinds(), None)


def test_a_bus_takes_the_widest_cable_and_a_mono_one_joins_it():
    patch = patch_of(
        {"m": MONO_IN, "s": ("audio_in", {}, {}), "bus": ("bus", {}, {}), "out": ("audio_out", {}, {})},
        [("m.out", "bus.in"), ("s.out", "bus.in"), ("bus.out", "out.in")],
    )
    rng = np.random.default_rng(0)
    m, s = rng.standard_normal(128).astype(np.float32), rng.standard_normal((128, 2)).astype(np.float32)
    assert np.array_equal(play(patch, {"m": m, "s": s}, 128), m[:, None] + s)


def test_sums_go_by_the_names_of_their_sources():
    """(a + b) + c, not a + (b + c): with these three, only one order gives zero."""
    big = np.full(64, 1e8, np.float32)
    values = {"a": big, "b": -big, "c": np.full(64, 1.0, np.float32)}
    for ids in (("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")):
        patch = patch_of(
            {**dict.fromkeys(ids, MONO_IN), "out": MONO_OUT}, [(f"{id}.out", "out.in") for id in reversed(ids)]
        )
        assert (play(patch, values, 64) == 1.0).all()


def test_gains_add_straight_into_their_sum():
    patch = patch_of(
        {"in": MONO_IN, **{f"g{k}": ("gain", {}, {}) for k in range(6)}, "out": MONO_OUT},
        [("in.out", f"g{k}.in") for k in range(6)] + [(f"g{k}.out", "out.in") for k in range(6)],
    )
    schedule = compile(patch, kinds(), None)
    assert not any(isinstance(s, MixStep) for s in schedule.steps)
    assert sum(s.adding for s in schedule.steps if isinstance(s, KernelStep)) == 5
    assert len(schedule.buffers) == 3, "silence, the input and the sum"


@pytest.mark.parametrize("value", [True, False])
def test_bypass_keeps_latency_and_mute_silences(value):
    #  a node with latency, bypassed: the sound stays where it is
    patch = patch_of(
        {
            "in": MONO_IN,
            "late": ("latency", {"frames": 100}, {}),
            "c": ("limiter", {}, {"lookahead_ms": 5}),
            "out": MONO_OUT,
        },
        [("in.out", "late.in"), ("late.out", "c.in"), ("c.out", "out.in"), ("in.out", "out.in")],
    )
    patch.graph.nodes["c"]["entry"].bypass = True
    x = (np.random.default_rng(0).standard_normal(512) * 0.1).astype(np.float32)
    assert np.array_equal(play(patch, {"in": x}, 512)[:, 0], x + x)
    patch.graph.nodes["c"]["entry"].mute = value
    patch.graph.nodes["c"]["entry"].bypass = False
    if value:
        assert np.array_equal(play(patch, {"in": x}, 512)[:, 0], x)


def test_groups_expand_to_what_they_hold_nested_and_with_latency():
    inner = {
        "nodes": {"late": {"kind": "latency", "settings": {"frames": 90}}, "g": {"kind": "gain"}},
        "cables": [{"from": "late.out", "to": "g.in"}],
    }
    outer = {
        "nodes": {
            "deep": {
                "kind": "group",
                "settings": {
                    "patch": inner,
                    "ports": {"in": "late.in", "out": "g.out"},
                    "params": {"level": "g.level_db"},
                },
                "params": {"level": -6.0},
            },
            "trim": {"kind": "gain"},
        },
        "cables": [{"from": "deep.out", "to": "trim.in"}],
    }
    settings = {"patch": outer, "ports": {"in": "deep.in", "out": "trim.out"}, "params": {"tone": "deep.level"}}
    patch = patch_of(
        {"in": MONO_IN, "box": ("group", settings, {}), "out": MONO_OUT},
        [("in.out", "box.in"), ("box.out", "out.in"), ("in.out", "out.in")],
    )
    schedule = compile(patch, kinds(), None)
    assert {n.id for n in schedule.nodes} == {"in", "out", "box/deep/late", "box/deep/g", "box/trim"}
    x = np.random.default_rng(0).standard_normal(512).astype(np.float32)
    half = 10 ** (-6 / 20)
    assert play(patch, {"in": x}, 512)[:, 0] == pytest.approx(x * (1 + half), abs=1e-6)
    patch.set("box", tone=0.0)
    assert np.array_equal(play(patch, {"in": x}, 512)[:, 0], x + x), "the outer param goes before the inner value"
    patch.automate("box", "tone", [(0.0, -96.0, "hold")])
    assert np.array_equal(play(patch, {"in": x}, 512)[:, 0], x)


def test_latency_of_every_path_adds_up():
    patch = patch_of(
        {
            "in": MONO_IN,
            "a": ("latency", {"frames": 100}, {}),
            "b": ("latency", {"frames": 30}, {}),
            "sum": ("bus", {}, {}),
            "out": MONO_OUT,
        },
        [
            ("in.out", "a.in"),
            ("in.out", "b.in"),
            ("a.out", "sum.in"),
            ("b.out", "sum.in"),
            ("in.out", "sum.in"),
            ("sum.out", "out.in"),
        ],
    )
    (output,) = latencies(compile(patch, kinds(), None))
    assert (output.node, output.latency, output.complete) == ("out", 100, True)
    assert {(p.nodes, p.latency, p.compensation) for p in output.paths} == {
        (("in", "a", "sum", "out"), 100, 0),
        (("in", "b", "sum", "out"), 30, 70),
        (("in", "sum", "out"), 0, 100),
    }


def test_an_outboard_return_comes_after_its_send_and_its_round_trip():
    patch = patch_of(
        {
            "in": MONO_IN,
            "late": ("latency", {"frames": 40}, {}),
            "send": MONO_OUT,
            "back": ("audio_in", {"layout": "mono", "return_of": "send", "latency_frames": 200}, {}),
            "out": MONO_OUT,
        },
        [("in.out", "late.in"), ("late.out", "send.in"), ("back.out", "out.in"), ("in.out", "out.in")],
    )
    schedule = compile(patch, kinds(), None)
    assert schedule.node("back").arrival == 240
    assert [(c.cable, c.frames) for c in schedule.compensations] == [("in.out -> out.in", 240)]


def test_ten_thousand_nodes_compile():
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("out", "audio_out")
    for k in range(10_000):
        patch.add(f"g{k}", "gain")
        patch.connect("in.out" if k % 100 == 0 else f"g{k - 1}.out", f"g{k}.in")
        if k % 100 == 99:
            patch.connect(f"g{k}.out", "out.in")
    schedule = compile(patch, kinds(), None)
    assert len(schedule.nodes) == 10_002
    assert len(schedule.buffers) < 10


def test_silence_is_as_wide_as_whoever_hears_it():
    """An input with nothing plugged in is stereo, also where every signal there is has one channel."""
    patch = Patch(sample_rate=48000)
    patch.add("d", "downmix", settings={"to": "mono"})
    patch.add("o", "audio_out", settings={"layout": "mono"})
    patch.connect("d.out", "o.in")
    found, _ = run_arrays(compile(patch, kinds(), None), None, 64)
    assert not found["o"].any()
