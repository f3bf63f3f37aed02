"""Dehum, against scipy's notches and against hum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import freqz, iirnotch

from graph.compiler import compile
from graph.document import Patch
from nodes import kinds

RATE = 48000
T = np.arange(4 * RATE) / RATE


def measured(play, params, frames=1 << 18):
    x = np.zeros(frames, np.float32)
    x[0] = 1.0
    return np.fft.rfft(play("dehum", {"in": x}, params)["out"][:, 0].astype(float))


@pytest.mark.parametrize(("hz", "harmonics", "q"), [(50, 1, 30), (60, 4, 10), (50, 32, 50)])
def test_to_nothing_it_is_a_row_of_notches(play, hz, harmonics, q):
    got = measured(play, {"freq_hz": hz, "harmonics": harmonics, "q": q, "depth_db": -96})
    w = np.pi * np.arange(len(got)) / (len(got) - 1)
    wanted = np.ones(len(got), complex)
    for k in range(1, harmonics + 1):
        # scipy's Q is bent by the bilinear transform otherwise than ours: both are the same notch where it matters.
        wanted *= freqz(*iirnotch(k * hz, k * q, fs=RATE), w)[1]
    assert np.abs(got - wanted).max() < 5e-3


@pytest.mark.parametrize("depth", [-6, -20, -40])
def test_the_depth_is_what_is_left_and_the_width_is_that_of_the_first(play, depth):
    hz, q = 50.0, 20.0
    params = {"freq_hz": hz, "harmonics": 5, "q": q, "depth_db": depth}
    size = 20 * np.log10(np.abs(measured(play, params, 4 * RATE)))
    for k in range(1, 6):
        assert size[round(4 * k * hz)] == pytest.approx(depth, abs=0.3)
        for side in (-1, 1):
            # Half the width off, a bandpass is at √½ and ±45°.
            edge = abs(1 - (1 - 10 ** (depth / 20)) * (0.5 + 0.5j))
            assert size[round(4 * (k * hz + side * hz / q / 2))] == pytest.approx(20 * np.log10(edge), abs=0.35)
    assert size[4 * 275] == pytest.approx(0, abs=0.05)


def test_the_curve_that_is_drawn_is_the_one_that_is_heard(play):
    params = {"freq_hz": 60.0, "harmonics": 6.5, "q": 12.0, "depth_db": -30.0}
    patch = Patch(sample_rate=RATE)
    patch.add("node", "dehum", **params)
    config = compile(patch, kinds(), None).node("node").config
    freqs = np.arange(1, (1 << 17) + 1) * RATE / (1 << 18)
    drawn = kinds()["dehum"].response(config, freqs)
    assert drawn == pytest.approx(20 * np.log10(np.abs(measured(play, params)))[1:], abs=2e-3)


def test_hum_goes_and_the_rest_stays(play):
    hum = sum(0.1 / k * np.sin(2 * np.pi * 50 * k * T + k) for k in range(1, 9))
    tone = 0.3 * np.sin(2 * np.pi * 1030 * T)
    params = {"freq_hz": 50, "harmonics": 8, "depth_db": -96}
    got = play("dehum", {"in": hum + tone}, params)["out"][:, 0].astype(float)
    late = slice(3 * RATE, 4 * RATE)
    left = np.fft.rfft(got[late]) / (RATE / 2)
    assert np.abs(left[50:401:50]).max() < 1e-5
    assert np.abs(left[1030]) == pytest.approx(0.3, rel=2e-3)


def test_harmonics_come_and_go_softly(play):
    """A notch that comes on has heard nothing yet, and one whose width changes goes on with what it takes away."""
    x = 0.5 * np.sin(2 * np.pi * 150 * T)
    steps = {"harmonics": [(0.0, 1, "hold"), (2.0, 3, "hold")]}
    got = play("dehum", {"in": x}, {"depth_db": -96, "q": 10}, automation=steps)["out"][:, 0].astype(float)
    steepest = 0.5 * 2 * np.pi * 150 / RATE
    assert np.abs(np.diff(got)).max() < 1.05 * steepest
    assert np.abs(got[-RATE // 2 :]).max() < 1e-3
    widths = {"q": [(0.0, 10, "hold"), (2.0, 100, "hold")]}
    got = play("dehum", {"in": x}, {"depth_db": -96, "harmonics": 3}, automation=widths)["out"][:, 0].astype(float)
    # The other notches hold a little of the sine, too, and that rings off.
    assert np.abs(got[int(1.9 * RATE) :]).max() < 0.08
    assert np.abs(np.diff(got)).max() < 1.05 * steepest
