"""The pitch shifter, against tones, chords, clicks and voices whose pitch, level, time and colour are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

RATE = 48000
T = np.arange(2 * RATE) / RATE
LATE = {"short": 1024 + 128, "medium": 2048 + 192, "long": 4096 + 320}


def shifted(play, x, semitones, window="long", **params):
    return play("pitch_shift", {"in": x}, {"semitones": semitones, **params}, {"window": window})["out"].astype(float)


def lines(y):
    """Amplitudes by frequency in Hz, from the second half second to the third."""
    w = np.blackman(RATE)
    return np.abs(np.fft.rfft(y[RATE // 2 : RATE // 2 + RATE] * w)) / (w.sum() / 2)


@pytest.mark.parametrize("window", LATE)
def test_without_a_shift_it_is_a_delay_as_declared(play, window):
    x = np.random.default_rng(3).uniform(-1, 1, (RATE // 2, 2)).astype(np.float32)
    got = play("pitch_shift", {"in": x}, {}, {"window": window}, aligned=False)["out"]
    late = len(got) - len(x)
    assert late == LATE[window]
    assert got[late:] == pytest.approx(x, abs=1e-6)
    assert not got[:late].any()


@pytest.mark.parametrize("semitones", [-24, -12, -7.4, -1, 0.2, 3, 7, 12, 19, 24])
def test_a_tone_is_shifted_and_keeps_its_level(play, semitones):
    ratio = 2 ** (semitones / 12)
    hz = round(500 * ratio) / ratio  # so that it comes out at a whole number of Hz
    found = lines(shifted(play, 0.5 * np.sin(2 * np.pi * hz * T), semitones)[:, 0])
    wanted = round(hz * ratio)
    assert np.argmax(found) == wanted
    # A Blackman window is known to have fallen to this a hundredth of a line off.
    assert found[wanted] == pytest.approx(0.5, rel=2e-3)
    found[wanted - 5 : wanted + 6] = 0
    assert 20 * np.log10(found.max() / 0.5) < -50


def test_cents_are_hundredths(play):
    x = 0.5 * np.sin(2 * np.pi * 500 * T)
    assert shifted(play, x, 3, cents=-50) == pytest.approx(shifted(play, x, 2.5), abs=1e-5)


@pytest.mark.parametrize(("semitones", "lowest"), [(-12, 440), (-5, 220), (3, 220), (7, 220)])
def test_a_chord_stays_one(play, semitones, lowest):
    """Down, windows are as much shorter as the pitch is lower: so low a chord must be wider."""
    ratio = 2 ** (semitones / 12)
    tones = [round(lowest * part * ratio) for part in (1, 5 / 4, 3 / 2, 2, 6)]
    found = lines(shifted(play, sum(0.1 * np.sin(2 * np.pi * hz / ratio * T + hz) for hz in tones), semitones)[:, 0])
    assert found[tones] == pytest.approx(0.1, rel=0.1)
    for hz in tones:
        found[max(0, hz - 5) : hz + 6] = 0
    assert 20 * np.log10(found.max() / 0.1) < -30


@pytest.mark.parametrize(("semitones", "ms"), [(-24, 10), (-12, 2), (-5, 2), (5, 2), (12, 2), (24, 2)])
def test_a_click_stays_where_it_is(play, semitones, ms):
    """Wherever it falls in the windows."""
    for at in (24_000, 24_300, 24_700):
        x = np.zeros(RATE)
        x[at] = 1.0
        power = shifted(play, x, semitones)[:, 0] ** 2
        assert abs(np.sum(power * np.arange(RATE)) / np.sum(power) - at) < ms * RATE / 1000


def test_channels_turn_together(play):
    x = np.random.default_rng(4).standard_normal(RATE) * 0.1
    got = shifted(play, np.stack([x, -0.5 * x], 1), 5)
    assert got[:, 1] == pytest.approx(-0.5 * got[:, 0], abs=1e-6)


@pytest.mark.parametrize("semitones", [-12, -4, 4, 12])
def test_noise_keeps_its_loudness(play, semitones):
    x = np.random.default_rng(5).standard_normal(2 * RATE)
    x = np.convolve(x, np.sinc(np.arange(-64, 65) / 8) / 8 * np.hanning(129), "same")  # below 3 kHz
    got = shifted(play, x, semitones)[RATE // 2 :, 0]
    assert 10 * np.log10(np.mean(got**2) / np.mean(x**2)) == pytest.approx(0, abs=3)


def brightest(y):
    """Where most of the power lies, over bands of 300 Hz."""
    return np.argmax(np.convolve(lines(y) ** 2, np.ones(300), "same"))


@pytest.mark.parametrize("semitones", [7, 12])
def test_formants_move_or_stay(play, semitones):
    pulses = np.arange(2 * RATE) % 400 == 0  # 120 Hz
    pole = 0.98 * np.exp(2j * np.pi * 900 / RATE)
    voice = 0.02 * lfilter([1], np.poly([pole, pole.conj()]).real, pulses)
    ratio = 2 ** (semitones / 12)
    plain, kept = (shifted(play, voice, semitones, keep_formants=k)[:, 0] for k in (0, 1))
    assert brightest(plain) == pytest.approx(900 * ratio, rel=0.1)
    assert brightest(kept) == pytest.approx(900, rel=0.16)
    for y in (plain, kept):
        found = lines(y)
        loud = np.flatnonzero(found > 0.3 * found.max())
        off = loud / (120 * ratio)
        assert len(loud) > 3
        assert np.abs(off - np.rint(off)).max() * 120 * ratio < 2.5  # a line, and two to either side, of a window


def test_nothing_folds_back(play):
    """What would end up above half the rate is left out."""
    x = 0.5 * np.sin(2 * np.pi * 15_000 * T)
    assert np.abs(shifted(play, x, 12)[RATE // 2 : RATE + RATE // 2]).max() < 1e-3


def test_the_mix_is_in_time(play):
    x = np.random.default_rng(6).uniform(-1, 1, RATE // 2).astype(np.float32)
    assert np.array_equal(shifted(play, x, 7, mix=0)[:, 0], x)
    assert shifted(play, x, 0, mix=0.5)[:, 0] == pytest.approx(x, abs=1e-6)


def test_a_glide_is_smooth(play):
    """From an octave down to an octave up, through zero, a tone keeps its level and never jumps."""
    x = 0.5 * np.sin(2 * np.pi * 500 * T)
    points = {"semitones": [(0.25, -12, "linear"), (1.75, 12, "linear")]}
    got = play("pitch_shift", {"in": x}, automation=points)["out"][:, 0].astype(float)
    inner = got[RATE // 4 : -RATE // 4]
    assert np.abs(np.diff(inner)).max() < 1.1 * 0.5 * 2 * np.pi * 1000 / RATE
    peaks = np.abs(inner[: len(inner) // 480 * 480].reshape(-1, 480)).max(axis=1)
    assert peaks.min() > 0.4
    assert peaks.max() < 0.6
