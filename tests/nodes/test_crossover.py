"""The crossover: its bands against Linkwitz-Riley filters by scipy, and their sum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, freqz_sos

RATE = 48000
NAMES = {2: ("low", "high"), 3: ("low", "mid", "high"), 4: ("low", "low_mid", "high_mid", "high")}
CUTS = {2: (500.0,), 3: (120.0, 3000.0), 4: (60.0, 1000.0, 12000.0)}
FRAMES = 1 << 16


def responses(play, bands: int, cuts: tuple[float, ...], rate: int = RATE) -> np.ndarray:
    """The complex response of each band."""
    x = np.zeros(FRAMES, np.float32)
    x[0] = 1.0
    params = {f"f{k + 1}_hz": f for k, f in enumerate(cuts)}
    played = play("crossover", {"in": x}, params, {"bands": bands}, rate=rate)
    assert tuple(played.outputs) == NAMES[bands]
    return np.stack([np.fft.rfft(played[name][:, 0].astype(float)) for name in NAMES[bands]])


def halves(cut: float, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high by squared Butterworth filters of second order."""
    w = np.arange(FRAMES // 2 + 1) * 2 * np.pi / FRAMES
    low, high = (freqz_sos(butter(2, cut, kind, fs=rate, output="sos"), w)[1] for kind in ("lowpass", "highpass"))
    return low**2, high**2


@pytest.mark.parametrize(("bands", "rate"), [(2, 48000), (3, 44100), (4, 48000), (4, 96000)])
def test_the_sum_is_flat(play, bands, rate):
    total = np.abs(responses(play, bands, CUTS[bands], rate).sum(axis=0))
    assert 20 * np.log10(total) == pytest.approx(0.0, abs=1e-4)


def test_two_bands_are_linkwitz_riley(play):
    found = responses(play, 2, (500.0,))
    for got, wanted in zip(found, halves(500.0, RATE), strict=True):
        assert got == pytest.approx(wanted, abs=3e-7)
    at = round(500 / RATE * FRAMES)
    assert 20 * np.log10(np.abs(found[:, at])) == pytest.approx(-6.02, abs=0.02)
    assert np.angle(found[0] / found[1])[at] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("bands", [3, 4])
def test_more_bands_are_one_split_after_the_other(play, bands):
    found = responses(play, bands, CUTS[bands])
    rest = np.ones(FRAMES // 2 + 1)
    for k, cut in enumerate(CUTS[bands]):
        low, high = halves(cut, RATE)
        assert np.abs(found[k]) == pytest.approx(np.abs(rest * low), abs=1e-6)
        rest = rest * high
    assert np.abs(found[-1]) == pytest.approx(np.abs(rest), abs=1e-6)


def test_channels_do_not_mix_and_blocks_do_not_matter(play):
    x = np.random.default_rng(5).uniform(-1, 1, (4096, 6)).astype(np.float32)
    whole = play("crossover", {"in": x}, settings={"bands": 4})
    for channel in (0, 5):
        alone = play("crossover", {"in": x[:, channel]}, settings={"bands": 4}, block=64)
        for name in NAMES[4]:
            assert np.array_equal(whole[name][:, channel], alone[name][:, 0])


def test_a_cut_that_moves_does_not_click_and_sums_to_the_level_of_the_input(play):
    n = np.arange(RATE)
    x = (0.5 * np.sin(2 * np.pi * 100 * n / RATE)).astype(np.float32)
    sweep = {"f1_hz": [(0.0, 2000.0, "exponential"), (0.5, 6000.0, "exponential"), (1.0, 2000.0, "hold")]}
    played = play("crossover", {"in": x}, automation=sweep)
    low = played["low"][4800:, 0].astype(float)
    # The third difference of a slow sine is tiny; a step in the signal would be as large there.
    assert np.abs(np.diff(low, 3)).max() < 1e-4
    assert np.abs(low).max() == pytest.approx(0.5, abs=0.005)
    assert np.abs(played["high"][4800:]).max() < 0.01
