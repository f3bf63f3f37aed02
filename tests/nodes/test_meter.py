"""The meter: what passes through it, and what it shows."""

from __future__ import annotations

import numpy as np
import pytest

RNG = np.random.default_rng(10)


def show(play, x: np.ndarray, **options) -> dict[str, np.ndarray]:
    program = play("meter", {"in": x}, **options).program
    return {name: program.readings["node", name] for name in ("peak", "rms", "highest")}


@pytest.mark.parametrize("channels", [1, 2, 6, 12])
def test_the_signal_passes_through(play, channels):
    x = RNG.uniform(-1, 1, (1000, channels)).astype(np.float32)
    assert np.array_equal(play("meter", {"in": x})["out"], x)


def test_rms_and_peak_of_a_sine_channel_by_channel(play):
    n = np.arange(96_000)
    x = np.stack([np.sin(2 * np.pi * 997 * n / 48000), 0.1 * np.sin(2 * np.pi * 441 * n / 48000)], 1)
    shown = show(play, x)
    assert 20 * np.log10(shown["rms"]) == pytest.approx([-3.0103, -23.0103], abs=0.01)
    assert 20 * np.log10(shown["highest"]) == pytest.approx([0, -20], abs=0.01)
    assert 20 * np.log10(shown["peak"]) == pytest.approx([0, -20], abs=0.05)


def test_the_peak_falls_by_twenty_decibels_in_1_7_seconds(play):
    x = np.zeros((64 + 81_600, 1), np.float32)
    x[10] = -0.5
    shown = show(play, x)
    assert 20 * np.log10(shown["peak"] / 0.5) == pytest.approx(-20, abs=0.01)
    assert shown["highest"][0] == 0.5


def test_the_mean_is_taken_over_three_tenths_of_a_second(play):
    x = np.ones((14_400, 1), np.float32)
    assert show(play, x)["rms"][0] ** 2 == pytest.approx(1 - np.exp(-1), abs=1e-4)


@pytest.mark.parametrize("block", [64, 448, 1024])
def test_the_block_does_not_matter(play, block):
    x = RNG.uniform(-1, 1, (9_984, 2)).astype(np.float32)
    shown, other = show(play, x, block=block), show(play, x)
    assert all(np.array_equal(shown[name], other[name]) for name in shown)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_it_recovers_from_what_is_no_number(play, bad):
    x = RNG.uniform(-1, 1, (96_000, 1)).astype(np.float32)
    good = show(play, x)
    x[100:164] = bad
    shown = show(play, x)
    assert shown["rms"][0] == pytest.approx(good["rms"][0], rel=1e-3)
    assert np.isfinite(shown["peak"]).all()


def test_bypass(play):
    x = RNG.uniform(-1, 1, (300, 2)).astype(np.float32)
    assert np.array_equal(play("meter", {"in": x}, bypass=True)["out"], x)
