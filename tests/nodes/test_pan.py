"""Panning laws, against their formulas in float64."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError

PRECISION = 1.2e-7
PANS = (-1.0, -0.75, -0.2, 0.0, 0.1, 0.5, 1.0)
RNG = np.random.default_rng(6)


def mono_gains(law: str, pan: np.ndarray) -> np.ndarray:
    """``[frame, channel]``, as DESIGN says: θ = (pan + 1)·π/4."""
    angle = (pan + 1) * np.pi / 4
    match law:
        case "equal_power":
            return np.stack([np.cos(angle), np.sin(angle)], -1)
        case "linear":
            return np.stack([(1 - pan) / 2, (1 + pan) / 2], -1)
        case _:
            return np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], -1)


def stereo_panner(x: np.ndarray, pan: float) -> np.ndarray:
    """https://www.w3.org/TR/webaudio/#stereopanner-algorithm, its stereo case."""
    place = pan + 1 if pan <= 0 else pan
    left, right = np.cos(place * np.pi / 2), np.sin(place * np.pi / 2)
    if pan <= 0:
        return np.stack([x[:, 0] + x[:, 1] * left, x[:, 1] * right], 1)
    return np.stack([x[:, 0] * left, x[:, 1] + x[:, 0] * right], 1)


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("law", ["equal_power", "linear", "balance"])
def test_mono(play, law, pan):
    x = RNG.uniform(-1, 1, 500).astype(np.float32)
    got = play("pan", {"in": x}, {"pan": pan}, {"law": law})["out"]
    assert np.max(np.abs(got - x[:, None] * mono_gains(law, np.array(pan)))) < PRECISION


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("law", ["equal_power", "linear"])
def test_stereo_follows_the_stereo_panner(play, law, pan):
    x = RNG.uniform(-0.5, 0.5, (500, 2)).astype(np.float32)
    got = play("pan", {"in": x}, {"pan": pan}, {"law": law})["out"]
    assert np.max(np.abs(got - stereo_panner(x.astype(np.float64), pan))) < PRECISION


@pytest.mark.parametrize("pan", PANS)
def test_balance(play, pan):
    x = RNG.uniform(-0.7, 0.7, (500, 2)).astype(np.float32)
    got = play("pan", {"in": x}, {"pan": pan}, {"law": "balance"})["out"]
    assert np.max(np.abs(got - x * mono_gains("balance", np.array(pan)))) < PRECISION


@pytest.mark.parametrize("law", ["equal_power", "linear", "balance"])
def test_the_middle_leaves_stereo_as_it_is_and_the_ends_are_silent_on_the_other_side(play, law):
    x = RNG.uniform(-1, 1, (300, 2)).astype(np.float32)
    assert np.array_equal(play("pan", {"in": x}, settings={"law": law})["out"], x)
    for source in (x, x[:, 0]):
        assert not play("pan", {"in": source}, {"pan": -1}, {"law": law})["out"][:, 1].any()
        assert not play("pan", {"in": source}, {"pan": 1}, {"law": law})["out"][:, 0].any()


@pytest.mark.parametrize("law", ["equal_power", "linear", "balance"])
def test_a_pan_moves_frame_by_frame(play, law):
    x = RNG.uniform(-1, 1, 3000).astype(np.float32)
    got = play(
        "pan", {"in": x}, settings={"law": law}, automation={"pan": [(0, -1, "linear"), (2000 / 48000, 1, "hold")]}
    )
    pan = np.interp(np.arange(3000), [0, 2000], [-1, 1])
    assert np.max(np.abs(got["out"] - x[:, None] * mono_gains(law, pan))) < 2e-7


def test_wider_signals_are_told_where_to_go(play):
    with pytest.raises(PatchError, match=r"nodes\.node: .*5\.1; use surround_pan"):
        play("pan", {"in": np.zeros((64, 6), np.float32)})
