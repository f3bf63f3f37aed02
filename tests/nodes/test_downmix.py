"""Downmixes, against their matrices, and the phase between fronts and surrounds of Lt/Rt."""

from __future__ import annotations

import numpy as np
import pytest

from graph.layouts import LAYOUTS, channels_of
from nodes.dsp import quadrature

RNG = np.random.default_rng(8)
LEFT = ("Ls", "Lss", "Lrs", "Ltf", "Ltr")
RIGHT = ("Rs", "Rss", "Rrs", "Rtf", "Rtr")


def noise(layout: str, frames: int = 300) -> np.ndarray:
    return RNG.uniform(-0.2, 0.2, (frames, channels_of(layout))).astype(np.float32)


def lo_ro(x: np.ndarray, layout: str, center: float, surround: float, lfe: float) -> np.ndarray:
    """Rec. ITU-R BS.775-4, annex 4, table 2 (2/0), with the coefficients as arguments."""
    by = dict(zip(LAYOUTS[layout], x.T.astype(np.float64), strict=True))
    both = by.get("M", 0) + center * by.get("C", 0) + lfe * by.get("LFE", 0)
    left = by.get("L", 0) + both + surround * sum(by[c] for c in LEFT if c in by)
    right = by.get("R", 0) + both + surround * sum(by[c] for c in RIGHT if c in by)
    return np.stack([left, right], 1) + np.zeros((len(x), 1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lo_ro_with_the_coefficients_of_bs_775(play, layout):
    x = noise(layout)
    got = play("downmix", {"in": x})["out"]
    assert np.max(np.abs(got - lo_ro(x, layout, np.sqrt(0.5), np.sqrt(0.5), 0.0))) < 1.2e-7


@pytest.mark.parametrize("layout", ["5.1", "7.1.4"])
def test_the_levels_are_heard(play, layout):
    x = noise(layout)
    params = {"center_db": -4.5, "surround_db": -6, "lfe_db": -10}
    got = play("downmix", {"in": x}, params)["out"]
    assert np.max(np.abs(got - lo_ro(x, layout, *(10 ** (v / 20) for v in params.values())))) < 1.2e-7
    closed = play("downmix", {"in": x}, {"center_db": -96, "surround_db": -96})["out"]
    assert np.array_equal(closed, x[:, :2])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mono_is_half_of_both_sides(play, layout):
    x = noise(layout)
    got = play("downmix", {"in": x}, settings={"to": "mono"})["out"]
    wanted = lo_ro(x, layout, np.sqrt(0.5), np.sqrt(0.5), 0.0).mean(axis=1)
    assert np.max(np.abs(got[:, 0] - wanted)) < 1.2e-7


def test_mono_of_five_channels_is_that_of_bs_775_three_decibels_down(play):
    """BS.775-4, table 2 (1/0): 0.7071 L + 0.7071 R + C + 0.5 Ls + 0.5 Rs."""
    x = noise("5.0")
    got = play("downmix", {"in": x}, settings={"to": "mono"})["out"][:, 0]
    wanted = x.astype(np.float64) @ [np.sqrt(0.5), np.sqrt(0.5), 1, 0.5, 0.5] * np.sqrt(0.5)
    assert np.max(np.abs(got - wanted)) < 1.2e-7


def test_stereo_stays_stereo_bit_by_bit(play):
    x = noise("stereo")
    for mode in ("lo_ro", "lt_rt"):
        assert np.array_equal(play("downmix", {"in": x}, settings={"mode": mode})["out"], x)


def test_to_five_one(play):
    half = np.sqrt(0.5)
    x = noise("7.1.4")
    by = dict(zip(LAYOUTS["7.1.4"], x.T.astype(np.float64), strict=True))
    wanted = [
        by["L"] + half * by["Ltf"],
        by["R"] + half * by["Rtf"],
        by["C"],
        by["LFE"],
        half * (by["Lss"] + by["Lrs"] + by["Ltr"]),
        half * (by["Rss"] + by["Rrs"] + by["Rtr"]),
    ]
    got = play("downmix", {"in": x}, settings={"to": "5.1"})["out"]
    assert np.max(np.abs(got - np.stack(wanted, 1))) < 1.2e-7
    for layout in ("stereo", "lcr", "quad", "5.0", "5.1"):
        x = noise(layout)
        got = play("downmix", {"in": x}, settings={"to": "5.1"})["out"]
        for lane, label in enumerate(LAYOUTS["5.1"]):
            own = x[:, LAYOUTS[layout].index(label)] if label in LAYOUTS[layout] else np.zeros(len(x))
            assert np.array_equal(got[:, lane], own)
    heights = play("downmix", {"in": noise("5.1.4")}, {"surround_db": -96}, {"to": "5.1"})
    assert heights["out"].shape[1] == 6


def test_mono_into_more(play):
    x = noise("mono")
    assert np.array_equal(play("downmix", {"in": x})["out"], np.repeat(x, 2, axis=1))
    got = play("downmix", {"in": x}, settings={"to": "5.1"})["out"]
    assert np.array_equal(got[:, 2:3], x)
    assert not np.delete(got, 2, axis=1).any()


@pytest.mark.parametrize("to", ["mono", "stereo"])
def test_levels_move_frame_by_frame(play, to):
    x = noise("5.1", 1000)
    got = play(
        "downmix",
        {"in": x},
        settings={"to": to},
        automation={"center_db": [(0, -60, "linear"), (600 / 48000, 0, "hold")]},
    )["out"]
    level = np.interp(np.arange(1000), [0, 600], [-60, 0])
    wanted = lo_ro(x, "5.1", 10 ** (level / 20), np.sqrt(0.5), 0.0)
    wanted = wanted.mean(axis=1, keepdims=True) if to == "mono" else wanted
    assert np.max(np.abs(got - wanted)) < 3e-7


# -- Lt/Rt -------------------------------------------------------------------------------------------------------------


def responses(play, lane: int, layout: str = "5.1", rate: int = 48000) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and the transfer from one channel to Lt and Rt ``[frequency, side]``."""
    frames = 1 << 17
    x = np.zeros((frames, channels_of(layout)), np.float32)
    x[0, lane] = 1
    y = play("downmix", {"in": x}, settings={"mode": "lt_rt"}, rate=rate)["out"]
    freqs = np.fft.rfftfreq(frames, 1 / rate)
    inside = (freqs >= 20) & (freqs <= min(20000, 0.45 * rate))
    return freqs[inside], np.fft.rfft(y.astype(np.float64), axis=0)[inside]


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_surrounds_lead_the_fronts_by_ninety_degrees_and_are_opposite_in_lt_and_rt(play, rate):
    _, front = responses(play, 0, rate=rate)
    _, center = responses(play, 2, rate=rate)
    for lane in (4, 5):
        _, around = responses(play, lane, rate=rate)
        assert np.abs(np.abs(around) - np.sqrt(0.5)).max() < 2e-4
        for side, lead in ((0, -90.0), (1, 90.0)):
            phase = np.degrees(np.angle(around[:, side] / center[:, side]))
            assert np.abs(phase - lead).max() < 0.06
    assert np.abs(np.abs(front[:, 0]) - 1).max() < 2e-4
    assert np.abs(front[:, 1]).max() < 1e-6
    assert np.abs(center / front[:, :1] - np.sqrt(0.5)).max() < 1e-4


def test_the_phase_error_is_what_the_design_promises():
    for rate in (8000, 22050, 44100, 48000, 88200, 96000, 192000):
        found = quadrature.sections(rate)
        freqs = np.geomspace(20, min(20000, 0.45 * rate), 5000)
        z = np.exp(-2j * np.pi * freqs / rate)
        chains = [
            np.prod([(c + z) / (1 + c * z) for c in found[row, :count]], axis=0)
            for row, count in ((0, quadrature.LAGGING), (1, quadrature.LEADING))
        ]
        assert np.abs(np.degrees(np.angle(chains[1] / chains[0])) - 90).max() < 0.05


def test_a_decoder_finds_the_surround_again(play):
    """(Rt − Lt)/2 of a surround is the surround, as loud as it was put in, and nothing of the centre."""
    n = np.arange(20000)
    x = np.zeros((len(n), 6), np.float32)
    x[:, 4] = 0.5 * np.sin(2 * np.pi * 997 * n / 48000)
    x[:, 2] = 0.5 * np.sin(2 * np.pi * 3001 * n / 48000)
    y = play("downmix", {"in": x}, settings={"mode": "lt_rt"})["out"].astype(np.float64)[8000:]
    difference, total = (y[:, 1] - y[:, 0]) / 2, (y[:, 1] + y[:, 0]) / 2
    assert np.std(difference) == pytest.approx(0.5 * np.sqrt(0.5) * np.sqrt(0.5), rel=1e-3)
    assert np.std(total) == pytest.approx(0.5 * np.sqrt(0.5) * np.sqrt(0.5), rel=1e-3)
    spectrum = np.abs(np.fft.rfft(difference * np.hanning(len(difference))))
    assert spectrum[round(3001 * len(difference) / 48000)] < 1e-5 * spectrum.max()


def test_lt_rt_falls_silent_within_its_tail(play):
    x = np.zeros((48000, 6), np.float32)
    x[:1000] = RNG.uniform(-1, 1, (1000, 6))
    y = play("downmix", {"in": x}, settings={"mode": "lt_rt"})["out"]
    end = 1000 + round(48000 * quadrature.settling(48000))
    assert end < 40000
    assert np.abs(y[end:]).max() < 1e-6
