"""Surround pan: power, places, and what is written of them elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError
from graph.layouts import LAYOUTS

RNG = np.random.default_rng(71)
STEPS = 361


def sweep(play, layout, params, moved, channels=1, position="angle"):
    """The gains of every channel, ``[step, label]``, while params go from one end to the other in a second."""
    x = np.zeros((STEPS, channels), np.float32)
    x[:, 0] = 1.0
    rate = STEPS - 1
    automation = {name: [(0.0, a, "linear"), (1.0, b, "hold")] for name, (a, b) in moved.items()}
    got = play(
        "surround_pan",
        {"in": x},
        params,
        {"layout": layout, "position": position},
        automation=automation,
        rate=rate,
    )["out"]
    return dict(zip(LAYOUTS[layout], got.astype(float).T, strict=True))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("spread", [0.0, 0.4, 1.0])
def test_the_power_is_the_same_all_around(play, layout, spread):
    for center in (1.0, 0.3):
        params = {"elevation_deg": 20, "spread": spread, "center": center}
        gains = sweep(play, layout, params, {"angle_deg": (-180, 180)})
        assert sum(g**2 for g in gains.values()) == pytest.approx(1.0, abs=2e-6)
        assert gains.get("LFE", np.zeros(1)) == pytest.approx(0, abs=0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_power_is_the_same_everywhere_in_a_room(play, layout):
    for y, z in ((1, 0), (0.3, 0.5), (-0.6, 1), (-1, 0.2)):
        params = {"y": y, "z": z}
        gains = sweep(play, layout, params, {"x": (-1, 1)}, position="room")
        assert sum(g**2 for g in gains.values()) == pytest.approx(1.0, abs=2e-6)


ANGLES = {"L": -30, "R": 30, "C": 0, "Ls": -110, "Rs": 110, "Lss": -90, "Rss": 90, "Lrs": -135, "Rrs": 135}


@pytest.mark.parametrize("layout", ["stereo", "lcr", "quad", "5.0", "5.1", "7.1", "7.1.4"])
def test_at_a_loudspeaker_it_is_that_one_alone(play, layout):
    for label in LAYOUTS[layout]:
        if label in ANGLES:
            x = RNG.uniform(-1, 1, 128).astype(np.float32)
            got = play("surround_pan", {"in": x}, {"angle_deg": ANGLES[label]}, {"layout": layout})["out"]
            wanted = np.zeros((128, len(LAYOUTS[layout])), np.float32)
            wanted[:, LAYOUTS[layout].index(label)] = x
            assert got == pytest.approx(wanted, abs=2e-7)


@pytest.mark.parametrize(
    ("angle", "one", "other", "part"),
    [
        (-15, "L", "C", 0.5),
        (10, "C", "R", 1 / 3),
        (70, "R", "Rs", 0.5),
        (180, "Rs", "Ls", 0.5),
        (-170, "Rs", "Ls", 4 / 7),
    ],
)
def test_between_two_it_is_chownings_law(play, angle, one, other, part):
    got = play("surround_pan", {"in": np.ones(64, np.float32)}, {"angle_deg": angle}, {"layout": "5.1"})["out"][-1]
    gains = dict(zip(LAYOUTS["5.1"], got, strict=True))
    assert gains.pop(one) == pytest.approx(np.cos(part * np.pi / 2), abs=1e-6)
    assert gains.pop(other) == pytest.approx(np.sin(part * np.pi / 2), abs=1e-6)
    assert max(gains.values()) == 0


def test_in_stereo_it_is_equal_power_panning(play):
    gains = sweep(play, "stereo", {}, {"angle_deg": (-30, 30)})
    theta = np.linspace(0, np.pi / 2, STEPS)
    assert gains["L"] == pytest.approx(np.cos(theta), abs=1e-5)
    assert gains["R"] == pytest.approx(np.sin(theta), abs=1e-5)


def test_the_corners_of_a_room_are_the_loudspeakers(play):
    corners = {"L": (-1, 1, 0), "C": (0, 1, 0), "R": (1, 1, 0), "Lss": (-1, 0, 0), "Rss": (1, 0, 0)}
    corners |= {"Lrs": (-1, -1, 0), "Rrs": (1, -1, 0), "Ltf": (-1, 1, 1), "Rtr": (1, -1, 1)}
    for label, (x, y, z) in corners.items():
        params = {"x": x, "y": y, "z": z}
        got = play("surround_pan", {"in": np.ones(64)}, params, {"layout": "7.1.4", "position": "room"})["out"][-1]
        wanted = [float(own == label) for own in LAYOUTS["7.1.4"]]
        assert got == pytest.approx(wanted, abs=1e-6)
    got = play("surround_pan", {"in": np.ones(64)}, {"x": 0, "y": 0}, {"layout": "7.1", "position": "room"})["out"][-1]
    assert dict(zip(LAYOUTS["7.1"], got, strict=True))["Lss"] == pytest.approx(np.sqrt(0.5), abs=1e-6)


def test_height_goes_to_the_upper_circle(play):
    gains = sweep(play, "5.1.4", {"angle_deg": 45}, {"elevation_deg": (0, 90)})
    theta = np.minimum(np.linspace(0, 2, STEPS), 1) * np.pi / 2
    assert gains["Rtf"] == pytest.approx(np.sin(theta), abs=1e-5)
    assert np.hypot(gains["R"], gains["Rs"]) == pytest.approx(np.cos(theta), abs=1e-5)


def test_the_channels_of_a_stereo_input_are_apart(play):
    x = RNG.uniform(-1, 1, (128, 2)).astype(np.float32)
    got = play("surround_pan", {"in": x}, {"angle_deg": 0, "width_deg": 60}, {"layout": "5.1"})["out"]
    assert got[:, :2] == pytest.approx(x, abs=2e-7)
    got = play("surround_pan", {"in": x}, {"angle_deg": 180, "width_deg": 140}, {"layout": "5.1"})["out"]
    assert got[:, 4] == pytest.approx(x[:, 1], abs=2e-7)  # seen from behind, left is right
    got = play("surround_pan", {"in": x}, {"y": 1, "width": 2}, {"layout": "quad", "position": "room"})["out"]
    assert got[:, :2] == pytest.approx(x, abs=2e-7)


def test_spread_center_and_lfe(play):
    ones = np.ones((64, 2))
    got = play("surround_pan", {"in": ones[:, 0]}, {"spread": 1, "lfe_db": -6}, {"layout": "5.1"})["out"][-1]
    assert got == pytest.approx([5**-0.5, 5**-0.5, 5**-0.5, 10**-0.3, 5**-0.5, 5**-0.5], abs=1e-6)
    got = play("surround_pan", {"in": ones[:, 0]}, {"center": 0}, {"layout": "lcr"})["out"][-1]
    assert got == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)
    got = play("surround_pan", {"in": ones}, {"lfe_db": 0}, {"layout": "5.1"})["out"][-1]
    assert got[3] == pytest.approx(1.0, abs=1e-6)


def test_wider_inputs_are_refused(play):
    with pytest.raises(PatchError, match=r"mono and stereo, and this is 5\.1"):
        play("surround_pan", {"in": np.zeros((64, 6))})
