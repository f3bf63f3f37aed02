"""Matrix, channel map, split and merge: what goes where, by label."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.layouts import LAYOUTS, channels_of
from graph.schedule import KernelStep
from host.offline import run_arrays
from nodes import kinds

RNG = np.random.default_rng(7)


def noise(layout: str, frames: int = 300) -> np.ndarray:
    return RNG.uniform(-1, 1, (frames, channels_of(layout))).astype(np.float32)


# -- matrix ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("into", "out"), [("stereo", "stereo"), ("5.1", "stereo"), ("mono", "7.1.4"), ("7.1.4", "5.1")]
)
def test_a_matrix_is_a_matrix_product(play, into, out):
    x = noise(into)
    gains = RNG.uniform(-2, 2, (channels_of(out), channels_of(into))).astype(np.float32)
    params = {
        f"g_{to}_{of}": float(gains[r, c]) for r, to in enumerate(LAYOUTS[out]) for c, of in enumerate(LAYOUTS[into])
    }
    got = play("matrix", {"in": x}, params, {"in_layout": into, "out_layout": out})["out"]
    wanted = x.astype(np.float64) @ gains.T.astype(np.float64)
    assert np.all(np.abs(got - wanted) <= 1.2e-7 * np.maximum(1, np.abs(wanted)))


def test_the_first_label_of_a_gain_is_the_output(play):
    x = noise("stereo")
    got = play("matrix", {"in": x}, {"g_L_R": 1})["out"]
    assert np.array_equal(got[:, 0], x[:, 1])
    assert not got[:, 1].any()


def test_gains_move_frame_by_frame(play):
    x = noise("stereo", 1000)
    got = play("matrix", {"in": x}, {"g_R_R": 1}, automation={"g_L_R": [(0, -1, "linear"), (500 / 48000, 2, "hold")]})
    gain = np.interp(np.arange(1000), [0, 500], [-1, 2])
    assert np.max(np.abs(got["out"][:, 0] - gain * x[:, 1])) < 3e-7
    assert np.array_equal(got["out"][:, 1], x[:, 1])


# -- channel_map -------------------------------------------------------------------------------------------------------


def mapped(x: np.ndarray, into: str, out: str, map: dict[str, str]) -> np.ndarray:
    found = np.zeros((len(x), channels_of(out)), np.float32)
    for to, of in map.items():
        found[:, LAYOUTS[out].index(to)] = x[:, LAYOUTS[into].index(of)]
    return found


@pytest.mark.parametrize(
    ("into", "map", "layout", "out"),
    [
        ("stereo", {"L": "R", "R": "L"}, "auto", "stereo"),
        ("5.1", {"L": "Ls", "R": "Rs"}, "auto", "stereo"),
        ("5.1", {"C": "C"}, "auto", "5.1"),
        ("5.1", {"M": "LFE"}, "auto", "mono"),
        ("mono", {"L": "M", "R": "M"}, "auto", "stereo"),
        ("stereo", {"Ltf": "L"}, "auto", "5.1.4"),
        ("stereo", {"L": "L", "R": "R"}, "7.1", "7.1"),
        ("7.1.4", dict(zip(LAYOUTS["7.1.4"], reversed(LAYOUTS["7.1.4"]), strict=True)), "auto", "7.1.4"),
    ],
)
def test_a_map_copies_bit_by_bit_and_what_it_does_not_name_is_silent(play, into, map, layout, out):
    x = noise(into)
    got = play("channel_map", {"in": x}, settings={"map": map, "layout": layout})["out"]
    assert np.array_equal(got, mapped(x, into, out, map))


def test_an_empty_map_changes_nothing(play):
    x = noise("5.1")
    assert np.array_equal(play("channel_map", {"in": x})["out"], x)
    wider = play("channel_map", {"in": x}, settings={"layout": "5.1.4"})["out"]
    assert np.array_equal(wider[:, :6], x)
    assert not wider[:, 6:].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"map": {"L": "C"}}, r"nodes\.node\.settings\.map\.L: the input is stereo and has no C; expected one of L, R"),
        ({"map": {"C": "L"}, "layout": "stereo"}, r"settings\.map\.C: the output is stereo and has no C"),
        ({"map": {"L": 1}}, r"settings\.map: expected labels of channels, got 'L': 1"),
        ({"map": {"Lss": "L", "Ls": "R"}}, "no layout has the channels Ls, Lss"),
        ({"map": 3}, "expected a map"),
    ],
)
def test_a_wrong_map_is_refused(play, settings, message):
    with pytest.raises(PatchError, match=message):
        play("channel_map", {"in": noise("stereo")}, settings=settings)


# -- split and merge ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1", "7.1.4"])
def test_split_and_merge_are_bit_by_bit(play, layout):
    x = noise(layout)
    parts = play("split", {"in": x}, settings={"layout": layout})
    for lane, label in enumerate(LAYOUTS[layout]):
        assert np.array_equal(parts[label], x[:, lane : lane + 1])
    whole = play("merge", {label: x[:, k] for k, label in enumerate(LAYOUTS[layout])}, settings={"layout": layout})
    assert np.array_equal(whole["out"], x)


def test_an_input_that_is_not_plugged_is_silent(play):
    x = noise("mono")
    got = play("merge", {"R": x})["out"]
    assert np.array_equal(got, np.hstack([np.zeros_like(x), x]))


def test_what_runs_side_by_side_can_be_split_and_merged():
    """Lanes of one wide signal as the inputs of a merge, and as the input of a split."""
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in", settings={"layout": "7.1"})
    patch.add("split", "split", settings={"layout": "7.1"})
    patch.add("merge", "merge", settings={"layout": "7.1"})
    patch.add("out", "audio_out", settings={"layout": "7.1"})
    patch.connect("in.out", "split.in")
    for k, label in enumerate(LAYOUTS["7.1"]):
        patch.add(f"meter{k}", "meter")
        patch.connect(f"split.{label}", f"meter{k}.in")
        patch.connect(f"meter{k}.out", f"merge.{label}")
    patch.connect("merge.out", "out.in")
    for k in range(4):
        patch.add(f"stereo{k}", "audio_in")
        patch.add(f"pairs{k}", "meter")
        patch.add(f"apart{k}", "split")
        patch.add(f"left{k}", "audio_out", settings={"layout": "mono"})
        patch.connect(f"stereo{k}.out", f"pairs{k}.in")
        patch.connect(f"pairs{k}.out", f"apart{k}.in")
        patch.connect(f"apart{k}.R", f"left{k}.in")
    schedule = compile(patch, kinds(), None)
    widths = [len(s.nodes) for s in schedule.steps if isinstance(s, KernelStep)]
    assert 8 in widths
    assert 4 in widths
    x, pairs = noise("7.1"), {f"stereo{k}": noise("stereo") for k in range(4)}
    found, _ = run_arrays(schedule, None, len(x), {"in": x, **pairs})
    assert np.array_equal(found["out"], x)
    for k in range(4):
        assert np.array_equal(found[f"left{k}"], pairs[f"stereo{k}"][:, 1:])
