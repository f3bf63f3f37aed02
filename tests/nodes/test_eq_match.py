"""EQ match, against sounds whose spectra differ by a known filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import freqz_sos, sosfilt

from graph.errors import PatchError
from nodes.dsp import profiles

RATE = 48000
RNG = np.random.default_rng(101)
NOISE = RNG.standard_normal((20 * RATE, 1)).astype(np.float32) * 0.05
FREQS = np.geomspace(60, 12_000, 120)
FRAMES, AT = 1 << 15, 1 << 14


def peak(hz, gain_db, q):
    """A bell of the cookbook (https://www.w3.org/TR/audio-eq-cookbook/) as a second-order section."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / RATE
    alpha = np.sin(w) / (2 * q)
    b0, b1, b2 = 1 + alpha * a, -2 * np.cos(w), 1 - alpha * a
    return np.array([b0, b1, b2, 1 + alpha / a, b1, 1 - alpha / a]) / (1 + alpha / a)


SOS = np.stack([peak(200, 6, 0.7), peak(3000, -8, 0.8)])
BRIGHT = sosfilt(SOS, NOISE, axis=0).astype(np.float32)
FILES = {"dark.wav": (NOISE, RATE), "bright.wav": (BRIGHT, RATE), "loud.wav": (10 * NOISE, RATE)}
MATCH = {"path": "bright.wav", "source": "dark.wav", "smoothing_octaves": 0.2}


def impulse(play, settings, params=None, channels=1, **more):
    """What becomes of an impulse at frame ``AT``, in time."""
    x = np.zeros((FRAMES, channels), np.float32)
    x[AT] = 1.0
    return play("eq_match", {"in": x}, params or {}, settings, files=FILES, **more)["out"].astype(float)


def curve(taps):
    return np.interp(FREQS, np.arange(len(taps) // 2 + 1) * RATE / len(taps), db(np.fft.rfft(taps)))


def db(x):
    return 20 * np.log10(np.maximum(np.abs(x), 1e-9))


def wanted():
    """The filter, less the mean of its curve over the octaves between the limits."""
    even = np.geomspace(40, 16_000, 400)
    found, mean = (db(freqz_sos(SOS, 2 * np.pi * f / RATE)[1]) for f in (FREQS, even))
    return found - mean.mean()


@pytest.mark.parametrize("phase", ["minimum", "linear"])
def test_it_finds_the_filter_that_lies_between(play, phase):
    taps = impulse(play, MATCH | {"phase": phase})[:, 0]
    assert curve(taps) == pytest.approx(wanted(), abs=0.7)
    assert np.mean(np.abs(curve(taps) - wanted())) < 0.25


def test_linear_phase_is_the_same_from_both_ends_and_late_as_declared(play):
    taps = impulse(play, MATCH | {"phase": "linear"})[:, 0]
    assert np.argmax(np.abs(taps)) == AT
    assert taps[AT + 1 :] == pytest.approx(taps[1:AT][::-1], abs=1e-6)
    assert np.abs(taps[AT - 4000 : AT]).max() > 1e-3


def test_minimum_phase_is_that_of_the_filter(play):
    """The filter between is one of minimum phase itself: so the phases agree, too."""
    taps = impulse(play, MATCH)[:, 0]
    assert not taps[:AT].any()
    found = np.angle(np.fft.rfft(np.roll(taps, -AT)))
    freqs = np.arange(len(found)) * RATE / FRAMES
    middle = (freqs > 100) & (freqs < 8000)
    phase = np.angle(freqz_sos(SOS, 2 * np.pi * freqs / RATE)[1])
    assert found[middle] == pytest.approx(phase[middle], abs=0.15)


@pytest.mark.parametrize("phase", ["minimum", "linear"])
@pytest.mark.parametrize("settings", [{}, {"path": "bright.wav"}, {"source": "dark.wav"}])
def test_where_one_is_missing_nothing_changes(play, phase, settings):
    taps = impulse(play, settings | {"phase": phase})[:, 0]
    alone = np.zeros(len(taps))
    alone[AT] = 1.0
    assert taps == pytest.approx(alone, abs=1e-6)


def test_the_level_is_no_matter(play):
    taps = impulse(play, MATCH | {"path": "loud.wav"})[:, 0]
    assert curve(taps) == pytest.approx(0, abs=0.01)


def test_the_range_and_the_limits(play):
    narrow = impulse(play, MATCH | {"range_db": 2.0, "low_hz": 150.0, "high_hz": 5000.0})[:, 0]
    found = curve(narrow)
    assert np.abs(found).max() < 2.1
    assert found.max() > 1.9
    assert found.min() < -1.9
    assert found[(FREQS < 70) | (FREQS > 10_500)] == pytest.approx(0, abs=0.1)


def test_the_amount_goes_from_dry_to_matched(play):
    for phase in ("minimum", "linear"):
        none, half, all = (impulse(play, MATCH | {"phase": phase}, {"amount": a})[:, 0] for a in (0, 0.5, 1))
        assert np.count_nonzero(none) == 1
        assert none[AT] == 1.0
        assert half == pytest.approx(0.5 * none + 0.5 * all, abs=1e-6)


def test_what_was_learned_is_as_good_as_the_file(play):
    """And holds in another rate, at which nothing is read."""
    state = profiles.encoded(profiles.learned(NOISE, RATE, 4096))
    own = {k: v for k, v in MATCH.items() if k != "source"}
    assert impulse(play, own, state=state) == pytest.approx(impulse(play, MATCH), abs=1e-5)
    other = profiles.encoded(profiles.learned(NOISE[::2], RATE / 2, 2048))  # white, at half the rate
    found = curve(impulse(play, own, state=other)[:, 0])
    below = FREQS < 10_000
    assert found[below] - found[below].mean() == pytest.approx(wanted()[below] - wanted()[below].mean(), abs=1.0)


def test_what_is_no_spectrum_is_refused_by_name(play):
    with pytest.raises(PatchError, match="spectrum that was learned"):
        impulse(play, {}, state=b"nonsense")
    with pytest.raises(PatchError, match=r"settings\.source.*there is no file 'none\.wav'"):
        impulse(play, MATCH | {"source": "none.wav"})


def test_every_channel_gets_the_same(play):
    taps = impulse(play, MATCH, channels=3)
    assert np.array_equal(taps[:, 0], taps[:, 1])
    assert np.array_equal(taps[:, 0], taps[:, 2])
