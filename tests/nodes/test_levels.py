"""Gain, send, bus, and the levels of inputs and outputs, against float64."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.schedule import KernelStep
from host.offline import run_arrays
from nodes import kinds

PRECISION = 1.2e-7
RNG = np.random.default_rng(5)


def noise(frames: int = 1000, channels: int = 2) -> np.ndarray:
    return RNG.uniform(-1, 1, (frames, channels)).astype(np.float32)


def close(got: np.ndarray, wanted: np.ndarray) -> bool:
    """Within 1.2e-7 of what it should be, for what is within ±1 and in proportion beyond."""
    return bool(np.all(np.abs(got - wanted) <= PRECISION * np.maximum(1.0, np.abs(wanted))))


@pytest.mark.parametrize("kind", ["gain", "send"])
@pytest.mark.parametrize("level", [-95.9, -40.0, -6.0, -0.1, 12.3, 24.0])
@pytest.mark.parametrize("channels", [1, 2, 6, 12])
def test_a_level_is_ten_to_a_twentieth_of_it(play, kind, level, channels):
    x = noise(200, channels)
    assert close(play(kind, {"in": x}, {"level_db": level})["out"], x * 10 ** (level / 20))


@pytest.mark.parametrize("kind", ["gain", "bus"])
def test_unity_changes_no_bit(play, kind):
    x = noise()
    assert np.array_equal(play(kind, {"in": x})["out"], x)


@pytest.mark.parametrize("kind", ["gain", "send", "bus"])
def test_the_lowest_level_and_mute_are_exactly_silent(play, kind):
    x = noise()
    assert not play(kind, {"in": x}, {"level_db": -96})["out"].any()
    assert not play(kind, {"in": x}, {"mute": 1})["out"].any()


def test_a_send_is_down_by_twelve_decibels_unless_told(play):
    x = noise()
    assert close(play("send", {"in": x})["out"], x * 10 ** (-12 / 20))


def test_invert_turns_every_sign(play):
    x = noise()
    assert np.array_equal(play("gain", {"in": x}, {"invert": 1})["out"], -x)


@pytest.mark.parametrize("kind", ["gain", "send", "bus"])
def test_a_level_that_moves_is_linear_in_decibels_frame_by_frame(play, kind):
    x = noise(2000)
    got = play(kind, {"in": x}, automation={"level_db": [(0, -30, "linear"), (1000 / 48000, 6, "hold")]})["out"]
    level = np.interp(np.arange(2000), [0, 1000], [-30, 6])
    assert np.allclose(got, x * 10 ** (level / 20)[:, None], rtol=0, atol=4e-7)


@pytest.mark.parametrize("name", ["mute", "invert"])
def test_a_switch_lands_on_its_frame_and_fades_where_it_is_drawn_as_a_fade(play, name):
    x = np.ones((600, 2), np.float32)
    to = {"mute": 0.0, "invert": -1.0}[name]
    step = play("gain", {"in": x}, automation={name: [(0, 0, "hold"), (301 / 48000, 1, "hold")]})["out"]
    assert (step[:301] == 1).all()
    assert (step[301:] == to).all()
    ramp = play("gain", {"in": x}, automation={name: [(0, 0, "linear"), (512 / 48000, 1, "hold")]})["out"]
    fade = np.minimum(np.arange(600) / 512, 1.0)
    assert ramp[:, 0] == pytest.approx(1 + (to - 1) * fade, abs=1e-6)


@pytest.mark.parametrize("pan", [-1.0, -0.5, 0.0, 0.3, 1.0])
def test_a_stereo_bus_balances_and_its_pre_is_the_sum_itself(play, pan):
    x = noise()
    got = play("bus", {"in": x}, {"pan": pan, "level_db": -3})
    angle = (pan + 1) * np.pi / 4
    gains = 10 ** (-3 / 20) * np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])
    assert close(got["out"], x * gains)
    assert np.array_equal(got["pre"], x)


def test_pre_does_not_hear_fader_and_mute(play):
    x = noise()
    got = play("bus", {"in": x}, {"level_db": -96, "mute": 1, "pan": 1})
    assert np.array_equal(got["pre"], x)
    assert not got["out"].any()


def test_a_pan_that_moves_while_the_level_does(play):
    x = noise(2000)
    got = play(
        "bus",
        {"in": x},
        automation={
            "pan": [(0, -1, "linear"), (1500 / 48000, 1, "hold")],
            "level_db": [(0, 0, "linear"), (800 / 48000, -20, "hold")],
        },
    )["out"]
    pan = np.interp(np.arange(2000), [0, 1500], [-1, 1])
    level = np.interp(np.arange(2000), [0, 800], [0, -20])
    angle = (pan + 1) * np.pi / 4
    gains = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], 1) * 10 ** (level / 20)[:, None]
    assert np.allclose(got, x * gains, rtol=0, atol=5e-7)


def test_a_bus_of_another_layout_cannot_be_panned(play):
    x = noise(100, 6)
    assert np.array_equal(play("bus", {"in": x})["out"], x)
    with pytest.raises(PatchError, match=r"nodes\.node\.params\.pan: only a stereo bus can be panned.*5\.1"):
        play("bus", {"in": x}, {"pan": 0.1})
    with pytest.raises(PatchError, match="only a stereo bus"):
        play("bus", {"in": noise(100, 1)}, automation={"pan": [(0, 0, "hold")]})


def test_a_bus_sums_in_its_own_layout(play):
    mono = noise(300, 1)
    got = play("bus", {"in": mono}, settings={"layout": "stereo"})["out"]
    assert np.array_equal(got, np.repeat(mono, 2, axis=1))
    with pytest.raises(PatchError, match=r"stereo does not fit 5\.1"):
        play("bus", {"in": noise()}, settings={"layout": "5.1"})


@pytest.mark.parametrize("kind", ["gain", "bus"])
def test_bypass_is_the_input(play, kind):
    x = noise()
    assert np.array_equal(play(kind, {"in": x}, {"level_db": -20}, bypass=True)["out"], x)


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def through(x: np.ndarray, into: dict | None = None, out: dict | None = None, **options) -> np.ndarray:
    """An input straight to an output, with params of each."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[x.shape[1]]
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in", settings={"layout": layout}, **(into or {}))
    patch.add("out", "audio_out", settings={"layout": layout}, **(out or {}))
    patch.connect("in.out", "out.in")
    for id, param, points in options.pop("automation", ()):
        patch.automate(id, param, points)
    found, _ = run_arrays(compile(patch, kinds(), None), None, len(x), {"in": x}, **options)
    return found["out"]


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("block", [64, 448, 16384])
def test_what_goes_in_comes_out(channels, block):
    x = noise(40_000, channels)
    assert np.array_equal(through(x, block=block), x)


def test_inputs_and_outputs_have_levels_and_mutes():
    x = noise()
    assert close(through(x, {"level_db": -7}), x * 10 ** (-7 / 20))
    assert close(through(x, None, {"level_db": 5}), x * 10 ** (5 / 20))
    assert not through(x, {"mute": 1}).any()
    assert not through(x, None, {"mute": 1}).any()


@pytest.mark.parametrize("id", ["in", "out"])
def test_levels_of_inputs_and_outputs_move_frame_by_frame(id):
    x = noise(40_000)
    points = [(0, -60, "linear"), (0.5, 0, "hold")]
    got = through(x, automation=[(id, "level_db", points)])
    level = np.interp(np.arange(len(x)), [0, 24000], [-60, 0])
    assert np.allclose(got, x * 10 ** (level / 20)[:, None], rtol=0, atol=4e-7)


def test_what_is_no_number_ends_at_the_input():
    x = noise(300)
    x[5, 0], x[6, 1], x[7, 0] = np.nan, np.inf, -np.inf
    assert np.array_equal(through(x), np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0))


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gain", "send", "bus", "pan", "meter"])
def test_tracks_side_by_side_have_the_same_bits_as_alone(kind):
    """Eight stereo filters run in one step, and what follows each of them too."""
    patch = Patch(sample_rate=48000)
    patch.add("out", "audio_out")
    params = {"pan": {"pan": 0.3}, "bus": {"pan": -0.4, "level_db": -2}, "meter": {}}.get(kind, {"level_db": -4})
    for k in range(8):
        patch.add(f"in{k}", "audio_in")
        patch.add(f"meter{k}", "meter")
        patch.add(f"n{k}", kind, **params)
        patch.connect(f"in{k}.out", f"meter{k}.in")
        patch.connect(f"meter{k}.out", f"n{k}.in")
        patch.connect(f"n{k}.out", "out.in")
    sounds = {f"in{k}": noise(1000) * (k + 1) / 8 for k in range(8)}
    schedule = compile(patch, kinds(), None)
    assert any(
        isinstance(s, KernelStep) and len(s.nodes) == 8 and schedule.nodes[s.nodes[0]].kind.kind == kind
        for s in schedule.steps
    )
    wide, program = run_arrays(schedule, None, 1000, sounds)
    alone, other = run_arrays(compile(patch, kinds(), None, wide=False), None, 1000, sounds)
    assert np.array_equal(wide["out"], alone["out"])
    for k in range(8):
        assert np.array_equal(program.readings[f"meter{k}", "highest"], np.abs(sounds[f"in{k}"]).max(axis=0))
        assert np.array_equal(program.readings[f"meter{k}", "rms"], other.readings[f"meter{k}", "rms"])
