"""Switch and crossfade: which of two signals is heard."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError

RNG = np.random.default_rng(21)
FADE = 512


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return RNG.uniform(-1, 1, (frames, channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("select", [0, 1])
def test_what_is_selected_passes_bit_for_bit(play, channels, select):
    a, b = noise(1000, channels), noise(1000, channels)
    got = play("switch", {"a": a, "b": b}, {"select": select})["out"]
    assert np.array_equal(got, (a, b)[select])


def test_what_is_not_selected_is_not_heard_even_if_it_is_no_number(play):
    a, b = noise(1000), np.full((1000, 2), np.nan, np.float32)
    assert np.array_equal(play("switch", {"a": a, "b": b}, {"select": 0})["out"], a)


@pytest.mark.parametrize("block", [64, 512])
def test_a_sudden_change_fades_over_eight_ticks(play, block):
    a, b = noise(4000), noise(4000)
    jump = {"select": [(0.0, 0.0, "hold"), (1000 / 48000, 1.0, "hold"), (2500 / 48000, 0.0, "hold")]}
    got = play("switch", {"a": a, "b": b}, automation=jump, block=block)["out"]
    p = np.clip((np.arange(4000) - 999) / FADE, 0, 1) - np.clip((np.arange(4000) - 2499) / FADE, 0, 1)
    assert got == pytest.approx(a + p[:, None] * (b - a), abs=2e-7)
    assert np.array_equal(got[:1000], a[:1000])
    assert np.array_equal(got[1600:2500], b[1600:2500])
    assert np.array_equal(got[3100:], a[3100:])


def test_it_never_clicks(play):
    """Between two levels no frame differs from the one before by more than the fade allows."""
    a, b = np.zeros(48000), np.ones(48000)
    shake = np.sign(RNG.standard_normal(48000)).astype(np.float32)
    got = play("switch", {"a": a, "b": b}, {"select": 0}, modulation={"select": (shake, 1.0)})["out"]
    assert np.abs(np.diff(got[:, 0])).max() <= 1.0001 / FADE
    assert got.max() > 0.01


@pytest.mark.parametrize("kind", ["switch", "crossfade"])
def test_mono_goes_with_stereo(play, kind):
    a, b = noise(500, 1), noise(500, 2)
    name = {"switch": "select", "crossfade": "position"}[kind]
    assert np.array_equal(play(kind, {"a": a, "b": b})["out"], np.repeat(a, 2, axis=1))
    assert np.array_equal(play(kind, {"a": a, "b": b}, {name: 1})["out"], b)
    assert np.array_equal(play(kind, {"a": b, "b": a}, {name: 1})["out"], np.repeat(a, 2, axis=1))


@pytest.mark.parametrize("kind", ["switch", "crossfade"])
@pytest.mark.parametrize("channels", [1, 6])
def test_what_is_not_plugged_in_has_no_layout(play, kind, channels):
    x = noise(500, channels)
    name = {"switch": "select", "crossfade": "position"}[kind]
    assert np.array_equal(play(kind, {"b": x}, {name: 1})["out"], x)
    assert np.array_equal(play(kind, {"a": x})["out"], x)
    assert not play(kind, {"b": x})["out"].any()


@pytest.mark.parametrize("kind", ["switch", "crossfade"])
@pytest.mark.parametrize(("one", "other"), [(2, 6), (1, 6), (4, 2)])
def test_layouts_that_do_not_fit_are_refused(play, kind, one, other):
    with pytest.raises(PatchError, match="expected the same layout; use downmix, upmix or channel_map"):
        play(kind, {"a": noise(100, one), "b": noise(100, other)})


@pytest.mark.parametrize("position", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("law", ["equal_power", "linear"])
def test_the_laws_of_the_crossfade(play, law, position):
    a, b = noise(1000), noise(1000)
    gains = {
        "equal_power": (np.cos(position * np.pi / 2), np.sin(position * np.pi / 2)),
        "linear": (1 - position, position),
    }[law]
    got = play("crossfade", {"a": a, "b": b}, {"position": position}, {"law": law})["out"]
    assert got == pytest.approx(gains[0] * a.astype(float) + gains[1] * b.astype(float), abs=2e-7)


def test_a_crossfade_over_time(play):
    a, b = noise(4800), noise(4800)
    got = play("crossfade", {"a": a, "b": b}, automation={"position": [(0.0, 0.0, "linear"), (0.1, 1.0, "hold")]})[
        "out"
    ]
    theta = np.arange(4800)[:, None] / 4800 * np.pi / 2
    assert got == pytest.approx(a * np.cos(theta) + b * np.sin(theta), abs=1e-6)
