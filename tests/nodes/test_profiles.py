"""Long-term spectra, against scipy's, and as they are kept."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from scipy.signal import welch

from graph.errors import PatchError
from nodes.dsp import profiles

RATE = 48000
RNG = np.random.default_rng(91)


def test_it_is_welchs():
    x = RNG.standard_normal((RATE, 2)).astype(np.float32) * [1.0, 0.3]
    freqs, density = welch(x, RATE, "hann", 1024, 512, detrend=False, axis=0)
    found = profiles.learned(x.astype(np.float32), RATE, 1024)
    assert found.freqs == pytest.approx(freqs)
    assert found.density_at(freqs) == pytest.approx(density.mean(axis=1), rel=1e-6)


def test_a_sine_of_full_scale_has_half_a_unit():
    x = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)[:, None]
    assert profiles.learned(x.astype(np.float32), RATE, 1024).power.sum() == pytest.approx(0.5, rel=1e-3)


def test_a_short_sound_is_enough():
    assert profiles.learned(np.ones((10, 1), np.float32), RATE, 64).power.sum() > 0
    assert profiles.learned(np.zeros((0, 1), np.float32), RATE, 64).power.sum() == 0


def test_it_is_kept_as_it_was():
    found = profiles.learned(RNG.standard_normal((RATE, 1)).astype(np.float32), 44100.0, 1024)
    again = profiles.decoded(profiles.encoded(found))
    assert again.rate == 44100
    assert again.power == pytest.approx(found.power, rel=1e-5)


GOOD = profiles.encoded(profiles.Profile(np.ones(33), 48000.0))


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"PWSP",
        GOOD[:-1],
        GOOD + b"\0",
        b"XXXX" + GOOD[4:],
        GOOD[:8] + struct.pack("<d", float("nan")) + GOOD[16:],
        GOOD[:8] + struct.pack("<d", 0.0) + GOOD[16:],
        GOOD[:-4] + struct.pack("<f", float("nan")),
        GOOD[:-4] + struct.pack("<f", 1e30),
        GOOD[:16] + struct.pack("<I", 0xFFFFFFFF) + GOOD[20:],
        GOOD[:16] + struct.pack("<I", 0),
    ],
)
def test_what_is_no_spectrum_is_refused(state):
    with pytest.raises(PatchError, match="expected a spectrum that was learned") as caught:
        profiles.decoded(state)
    assert caught.value.place == "state"


def test_another_version_is_named():
    with pytest.raises(PatchError, match="version 7; expected 1"):
        profiles.decoded(GOOD[:4] + struct.pack("<I", 7) + GOOD[8:])


@pytest.mark.parametrize("octaves", [0.1, 0.5, 2.0])
def test_smoothing_keeps_what_is_even_and_spreads_what_is_not(octaves):
    even = profiles.Profile(np.full(4097, 2.0), 48000.0)
    freqs = np.geomspace(30, 11_000, 50)
    width = 24000 / 4096
    assert profiles.smoothed(even, freqs, octaves) == pytest.approx(2.0 / width, rel=1e-9)
    line = np.zeros(4097)
    line[171] = 1.0  # 1002 Hz
    found = profiles.smoothed(profiles.Profile(line, 48000.0), np.array([1000.0, 4100.0]), octaves)
    assert found == pytest.approx([1 / (1000 * (2 ** (octaves / 2) - 2 ** (-octaves / 2))), 0.0], rel=1e-6)
