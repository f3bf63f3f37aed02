"""Width, mid and side, upmix: what happens to the channels."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError
from graph.layouts import LAYOUTS

RNG = np.random.default_rng(31)
X = RNG.uniform(-1, 1, (1000, 2)).astype(np.float32)
MID, SIDE = (X[:, 0].astype(float) + X[:, 1]) / 2, (X[:, 0].astype(float) - X[:, 1]) / 2


@pytest.mark.parametrize("width", [0.0, 0.5, 1.5, 2.0])
def test_width_scales_the_side(play, width):
    got = play("width", {"in": X}, {"width": width})["out"]
    assert got == pytest.approx(np.stack([MID + width * SIDE, MID - width * SIDE], 1), abs=1.2e-7)


def test_width_of_one_changes_no_bit_and_of_zero_is_mono(play):
    assert np.array_equal(play("width", {"in": X}, {"width": 1})["out"], X)
    got = play("width", {"in": X}, {"width": 0})["out"]
    assert np.array_equal(got[:, 0], got[:, 1])


def test_width_over_time(play):
    got = play("width", {"in": X}, automation={"width": [(0.0, 0.0, "linear"), (1000 / 48000, 2.0, "hold")]})["out"]
    w = 2 * np.arange(1000) / 1000
    assert got == pytest.approx(np.stack([MID + w * SIDE, MID - w * SIDE], 1), abs=1e-6)


def test_mid_side_by_its_formulas_and_back(play):
    encoded = play("mid_side", {"in": X})["out"]
    assert encoded == pytest.approx(np.stack([MID, SIDE], 1), abs=6e-8)
    assert play("mid_side", {"in": encoded}, settings={"mode": "decode"})["out"] == pytest.approx(X, abs=1.2e-7)
    got = play("mid_side", {"in": X}, settings={"mode": "decode"})["out"]
    assert got == pytest.approx(np.stack([X.sum(1), X[:, 0] - X[:, 1]], 1), abs=1.2e-7)


@pytest.mark.parametrize("kind", ["width", "mid_side"])
def test_they_are_for_stereo(play, kind):
    with pytest.raises(PatchError, match=r"5\.1 does not fit stereo"):
        play(kind, {"in": np.zeros((10, 6))})
    mono = X[:, :1]
    got = play(kind, {"in": mono})["out"]
    wanted = np.repeat(mono, 2, 1) if kind == "width" else np.hstack([mono, 0 * mono])
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize(
    ("own", "to", "places"),
    [
        ("mono", "5.1", {"C": "M"}),
        ("mono", "lcr", {"C": "M"}),
        ("mono", "stereo", {"L": "M", "R": "M"}),
        ("mono", "quad", {"L": "M", "R": "M"}),
        ("mono", "mono", {"M": "M"}),
        ("stereo", "7.1.4", {"L": "L", "R": "R"}),
        ("lcr", "5.0", {"L": "L", "R": "R", "C": "C"}),
        ("quad", "5.1", {"L": "L", "R": "R", "Ls": "Ls", "Rs": "Rs"}),
        ("5.1", "7.1", {"L": "L", "R": "R", "C": "C", "LFE": "LFE", "Lss": "Ls", "Rss": "Rs"}),
        (
            "5.1.4",
            "7.1.4",
            {c: c for c in ("L", "R", "C", "LFE", "Ltf", "Rtf", "Ltr", "Rtr")} | {"Lss": "Ls", "Rss": "Rs"},
        ),
    ],
)
def test_upmix_puts_channels_where_their_names_are(play, own, to, places):
    x = RNG.uniform(-1, 1, (300, len(LAYOUTS[own]))).astype(np.float32)
    got = play("upmix", {"in": x}, settings={"to": to})["out"]
    wanted = np.zeros((300, len(LAYOUTS[to])), np.float32)
    for out, into in places.items():
        wanted[:, LAYOUTS[to].index(out)] = x[:, LAYOUTS[own].index(into)]
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize(
    ("own", "to", "label"), [("stereo", "mono", "L"), ("lcr", "quad", "C"), ("5.1.4", "7.1", "Ltf")]
)
def test_a_channel_without_a_place_is_refused(play, own, to, label):
    with pytest.raises(PatchError, match=f"no place for {label}; use downmix or channel_map"):
        play("upmix", {"in": np.zeros((10, len(LAYOUTS[own])))}, settings={"to": to})
