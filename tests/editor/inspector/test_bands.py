"""Bands of an equaliser: found in declarations, drawn, taken hold of and moved."""

from __future__ import annotations

import math

import numpy as np
import pytest

from editor.faces import face
from editor.inspector.axes import HIGHEST_HZ, LOWEST_HZ, Axis, range_for, runs, steps
from editor.inspector.bands import Curves, Hold, bands_of, line_of, nearest, turned
from editor.model import Session
from graph.document import Patch

RATE = 48000.0
ACROSS = Axis(LOWEST_HZ, HIGHEST_HZ, 28.0, 316.0, log=True)
UP = Axis(-12.0, 12.0, 180.0, 4.0)


def curves(kind: str = "eq", settings: dict | None = None, **params: float) -> Curves:
    patch = Patch("One")
    patch.add("node", kind, settings=settings, **params)
    session = Session(patch)
    return Curves(face("node", patch.node("node"), session.kinds), RATE)


def rbj_peak(freqs: np.ndarray, freq: float, gain_db: float, q: float) -> np.ndarray:
    """The peaking filter of the RBJ cookbook, straight from its transfer function: decibels."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * freq / RATE
    alpha, z = math.sin(w) / (2 * q), np.exp(-2j * np.pi * freqs / RATE)
    top = (1 + alpha * a) - 2 * math.cos(w) * z + (1 - alpha * a) * z**2
    low = (1 + alpha / a) - 2 * math.cos(w) * z + (1 - alpha / a) * z**2
    return 20 * np.log10(np.abs(top / low))


def test_bands_are_found_by_their_params_and_only_where_there_is_a_response() -> None:
    eq = curves()
    assert len(eq.bands) == 8
    assert eq.bands[2].names == ("b3_on", "b3_type", "b3_freq_hz", "b3_gain_db", "b3_q")
    assert [band.names for band in curves("filter").bands] == [("freq_hz", "gain_db", "q")]
    patch = Patch("Others")
    for kind in ("compressor", "oscillator", "gain"):
        patch.add(kind, kind)
    session = Session(patch)
    for kind in ("compressor", "oscillator", "gain"):
        assert bands_of(face(kind, patch.node(kind), session.kinds), session.kinds[kind]) == ()


def test_the_curve_is_the_sum_of_the_bands_that_are_on() -> None:
    bands = {1: (420.0, -5.5, 1.3), 2: (2600.0, 3.0, 0.9), 3: (90.0, 4.0, 1.1)}
    params: dict[str, float] = {"b3_on": 0.0}
    for k, (freq, gain, q) in bands.items():
        params |= {f"b{k}_freq_hz": freq, f"b{k}_gain_db": gain, f"b{k}_q": q}
        params.setdefault(f"b{k}_on", 1.0)
    eq, freqs = curves(**params), ACROSS.sampled(289)
    expected = rbj_peak(freqs, *bands[1]) + rbj_peak(freqs, *bands[2])
    assert np.allclose(eq.whole(freqs), expected, atol=1e-6)
    assert np.allclose(eq.alone(eq.bands[2], freqs), rbj_peak(freqs, *bands[3]), atol=1e-6), "also of one that is off"


@pytest.mark.parametrize(
    ("type", "has_gain"),
    [(0, False), (1, False), (2, False), (3, False), (4, False), (5, True), (6, True), (7, True)],
)
def test_whether_a_gain_counts_is_asked_of_the_response(type: int, has_gain: bool) -> None:
    eq = curves(b1_on=1, b1_type=type, b1_freq_hz=500, b1_gain_db=38)
    assert eq.has_gain(eq.bands[0]) is has_gain


def test_handles_are_at_the_gain_or_on_the_curve() -> None:
    eq = curves(b1_on=1, b1_freq_hz=420, b1_gain_db=-5.5, b2_on=1, b2_type=0, b2_freq_hz=2000, b2_q=2)
    assert eq.handle(eq.bands[0]) == (420.0, -5.5)
    freq, gain = eq.handle(eq.bands[1])
    assert freq == 2000.0
    assert gain == pytest.approx(20 * math.log10(2), abs=1e-6), "a lowpass is up by its Q at its corner"


def test_a_band_goes_where_the_mouse_goes() -> None:
    eq = curves(b1_on=1, b1_freq_hz=420, b1_gain_db=-5.5)
    band, values = eq.bands[0], eq.face.values
    freq, gain = eq.face.param(band.freq), eq.face.param(band.gain or "")
    assert freq is not None
    x, y = ACROSS.place(420) + 3, UP.place(-5.5) - 2  # not quite in its middle
    hold = Hold(freq, gain, None, values, x, y)
    assert hold.moved(x, y, ACROSS, UP) == {"b1_freq_hz": 420.0, "b1_gain_db": -5.5}, "no jump"
    moved = hold.moved(ACROSS.place(2000) + 3, UP.place(6) - 2, ACROSS, UP)
    assert moved["b1_freq_hz"] == pytest.approx(2000, rel=1e-3)
    assert moved["b1_gain_db"] == 6.0
    beyond = hold.moved(-5000, -5000, ACROSS, UP)
    assert beyond == {"b1_freq_hz": freq.low, "b1_gain_db": 40.0}


def test_a_band_without_gain_turns_its_q() -> None:
    eq = curves(b1_on=1, b1_type=1, b1_freq_hz=80)
    band = eq.bands[0]
    freq, q = eq.face.param(band.freq), eq.face.param(band.q or "")
    assert freq is not None
    hold = Hold(freq, None, q, eq.face.values, 100, 90)
    assert hold.moved(100, 90, ACROSS, UP)["b1_q"] == pytest.approx(0.7071, rel=1e-3)
    assert hold.moved(100, 60, ACROSS, UP)["b1_q"] > 1.0, "up is more"
    assert set(hold.moved(100, 60, ACROSS, UP)) == {"b1_freq_hz", "b1_q"}


def test_the_nearest_handle_within_reach() -> None:
    handles = [(10.0, 10.0), None, (20.0, 10.0), (200.0, 10.0)]
    assert nearest(handles, 17, 10, 13) == 2
    assert nearest(handles, 12, 10, 13) == 0
    assert nearest(handles, 100, 10, 13) is None
    assert nearest([], 0, 0, 13) is None


def test_the_wheel_turns_q_there_and_back() -> None:
    q = curves().face.param("b1_q")
    assert q is not None
    up = turned(q, 1.0, 3)
    assert up > 1.3
    assert turned(q, up, -3) == pytest.approx(1.0, rel=1e-3)
    assert turned(q, 50.0, 1) == 50.0
    assert turned(q, 0.05, -1) == 0.05


def test_axes_go_there_and_back() -> None:
    for axis, values in ((ACROSS, (20, 37.5, 1000, 20000)), (UP, (-12, -0.1, 0, 7.5, 12))):
        for value in values:
            assert axis.value(axis.place(value)) == pytest.approx(value)
        assert np.allclose(axis.places(np.array(values, float)), [axis.place(v) for v in values])
    assert ACROSS.place(20) == 28.0
    assert ACROSS.place(20000) == 316.0
    assert ACROSS.place(math.sqrt(20 * 20000)) == pytest.approx(172.0), "the middle of a logarithmic axis"
    assert UP.clamped(40) == 4.0


def test_the_range_has_room_for_what_is_shown_and_the_lines_are_round() -> None:
    assert range_for([3.0, -5.0]) == 12.0
    assert range_for([17.0]) == 18.0
    assert range_for([-60.0, 2.0]) == 45.0
    assert range_for([]) == 12.0
    assert steps(-12, 12, 7) == [-12.0, -6.0, 0.0, 6.0, 12.0]
    assert steps(-18, 18, 7) == [-18.0, -12.0, -6.0, 0.0, 6.0, 12.0, 18.0]


def test_a_spectrum_takes_the_loudest_channel_and_goes_straight_between_bands() -> None:
    frequency = np.array([100.0, 1000.0, 10000.0])
    level = np.array([[-40.0, -20.0], [-60.0, -80.0], [-90.0, -30.0]]).ravel()
    line = line_of(frequency, level, np.array([100.0, math.sqrt(1e5), 1000.0, 10000.0, 20000.0]))
    assert np.allclose(line, [-20.0, -40.0, -60.0, -30.0, -30.0])


def test_a_line_is_drawn_in_stretches_where_it_is_in_sight() -> None:
    inside = np.array([True, True, False, True, False, False, True, True, True])
    assert runs(inside) == [slice(0, 2), slice(6, 9)], "a single point is no line"
    assert runs(np.zeros(4, bool)) == []
    assert runs(np.ones(4, bool)) == [slice(0, 4)]
