"""Oscillator, noise and impulse: what they play, against closed forms and their spectra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from nodes.dsp import pinking
from nodes.dsp.chance import base_of, chance, chances

RATE = 48000
BITS = 16
"""Spectra are taken over 2^BITS frames."""


# -- oscillator --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("freq", [1.0, 440.0, 440.1, 997.0, 261.6255653005986, 20000.0])
@pytest.mark.parametrize("phase", [0.0, 0.25, 0.6])
def test_a_sine_is_the_sine_of_the_timeline(play, freq, phase):
    got = play("oscillator", params={"freq_hz": freq, "phase": phase, "level_db": 0}, frames=200_000)["out"][:, 0]
    t = np.arange(200_000) / RATE
    turn = np.float64(np.float32(phase))
    assert np.max(np.abs(got - np.sin(2 * np.pi * (freq * t + turn)))) < 2e-7


def test_the_level_is_the_peak(play):
    got = play("oscillator", params={"freq_hz": 100}, frames=4800)["out"]
    assert 20 * np.log10(np.abs(got).max()) == pytest.approx(-12, abs=0.001)


def amplitudes(wave: str, count: int) -> np.ndarray:
    """Fourier series of the waves, by harmonic."""
    k = np.arange(1, count + 1)
    match wave:
        case "saw":
            return 2 / (np.pi * k)
        case "square":
            return 4 / (np.pi * k) * (k % 2)
        case _:
            return 8 / (np.pi * k) ** 2 * (k % 2)


def spectrum(play, wave: str, bin: int, rate: int) -> np.ndarray:
    """Amplitudes by bin of a wave whose frequency is a bin of the spectrum."""
    frames = 1 << BITS
    got = play(
        "oscillator",
        params={"freq_hz": bin * rate / frames, "level_db": 0},
        settings={"wave": wave},
        rate=rate,
        frames=frames,
    )
    window = np.kaiser(frames, 24)
    return np.abs(np.fft.rfft(got["out"][:, 0].astype(np.float64) * window)) * 2 / window.sum()


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("bin", [101, 1201, 3001, 6007, 13007, 24001])
@pytest.mark.parametrize("wave", ["triangle", "saw", "square"])
def test_harmonics_have_their_levels_and_aliases_are_110_decibels_down(play, wave, bin, rate):
    found = spectrum(play, wave, bin, rate)
    top = int(0.44 * len(found) * 2)
    count = top // bin
    harmonics = bin * np.arange(1, count + 1)
    wanted = amplitudes(wave, count)
    there = wanted > 0
    assert 20 * np.log10(found[harmonics][there] / wanted[there]) == pytest.approx(np.zeros(there.sum()), abs=0.01)
    between = np.ones(top, bool)
    for k in range(-12, 13):
        between[np.clip(np.append(harmonics, 0) + k, 0, top - 1)] = False
    between[top - 12 :] = False
    assert 20 * np.log10(found[:top][between].max() / found[bin]) < -110


@pytest.mark.parametrize("wave", ["triangle", "saw", "square"])
def test_far_from_its_corners_a_slow_wave_is_as_it_is_drawn(play, wave):
    """Sine and triangle start at zero going up, the saw rises, the square starts high."""
    frames = 9600
    got = play("oscillator", params={"freq_hz": 10, "level_db": 0}, settings={"wave": wave}, frames=frames)["out"][:, 0]
    p = (np.arange(frames) / 4800) % 1
    drawn = {
        "triangle": 1 - 4 * np.abs((p + 0.25) % 1 - 0.5),
        "saw": 2 * p - 1,
        "square": np.where(p < 0.5, 1.0, -1.0),
    }[wave]
    corners = {"triangle": (0.25, 0.75), "saw": (0.0, 1.0), "square": (0.0, 0.5, 1.0)}[wave]
    far = np.min([np.abs(p - c) for c in corners], axis=0) * 4800 > 24
    assert np.max(np.abs(got - drawn)[far]) < 1e-6
    assert np.abs(got).max() < 1.2


def test_a_frequency_that_moves_goes_on_where_it_is(play):
    got = play(
        "oscillator",
        params={"level_db": 0},
        frames=12_000,
        automation={"freq_hz": [(0, 200, "hold"), (5000 / RATE, 300, "hold"), (9001 / RATE, 50, "hold")]},
    )["out"][:, 0]
    n = np.arange(12_000)
    freq = np.where(n < 5000, 200, np.where(n < 9001, 300, 50)) / RATE
    turns = np.concatenate([[0], np.cumsum(freq)[:-1]])
    assert np.max(np.abs(got - np.sin(2 * np.pi * turns))) < 2e-7


def test_frequency_modulation_frame_by_frame(play):
    shake = np.sin(2 * np.pi * 100 * np.arange(9600) / RATE).astype(np.float32)
    got = play("oscillator", params={"level_db": 0, "freq_hz": 1000}, modulation={"freq_hz": (shake, 0.05)})["out"][
        :, 0
    ]
    freq = 1000 * 20000 ** (0.05 * shake.astype(np.float64)) / RATE
    turns = np.concatenate([[0], np.cumsum(freq)[:-1]])
    assert np.max(np.abs(got - np.sin(2 * np.pi * turns))) < 1e-4


@pytest.mark.parametrize("wave", ["sine", "saw"])
def test_nothing_sounds_above_half_of_the_rate(play, wave):
    got = play("oscillator", params={"freq_hz": 5000}, settings={"wave": wave}, rate=8000, frames=1000)["out"]
    assert not got.any()


# -- noise -------------------------------------------------------------------------------------------------------------


def noise(play, frames: int = 200_000, rate: int = RATE, **settings) -> np.ndarray:
    return play("noise", settings=settings, params={"level_db": 0}, frames=frames, rate=rate)["out"][:, 0]


def test_white_noise_is_what_its_sequence_says(play):
    got = noise(play, 1000, seed=12345)
    assert np.array_equal(got, (chances(base_of(12345), 0, 1000) * np.sqrt(3)).astype(np.float32))


def test_the_generator_is_splitmix64():
    """The published sequence of seed 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64")."""
    wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert chances(1234567, 1, 5) == pytest.approx([(w >> 11) * 2.0**-52 - 1 for w in wanted], abs=1e-15)


@pytest.mark.parametrize("color", ["white", "pink"])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_level_of_noise_is_rms(play, color, seed):
    got = noise(play, 1_000_000, color=color, seed=seed)
    assert 20 * np.log10(np.sqrt(np.mean(np.square(got, dtype=np.float64)))) == pytest.approx(0, abs=0.2)
    assert play("noise", settings={"color": color}, frames=100)["out"] == pytest.approx(
        noise(play, 100, color=color)[:, None] * 10 ** (-12 / 20), rel=1e-5
    )


def test_white_noise_is_flat_uniform_and_without_memory(play):
    got = noise(play, 1 << 20).astype(np.float64)
    _, power = signal.welch(got, RATE, nperseg=256)
    assert 10 * np.log10(power[2:-2] * RATE / 2) == pytest.approx(np.zeros(len(power) - 4), abs=0.3)
    counts, _ = np.histogram(got, 100, (-np.sqrt(3), np.sqrt(3)))
    assert counts.sum() == len(got)
    assert np.sum((counts - len(got) / 100) ** 2) / (len(got) / 100) < 180, "chi squared of 99 degrees of freedom"
    for lag in (1, 2, 64, 512):
        assert abs(np.mean(got[lag:] * got[:-lag])) < 0.005


def test_seeds_have_nothing_in_common(play):
    first, second = noise(play, seed=0), noise(play, seed=1)
    assert np.array_equal(first, noise(play, seed=0))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01


def test_pink_noise_has_equal_power_in_every_octave(play):
    got = noise(play, 1 << 21, color="pink").astype(np.float64)
    freqs, power = signal.welch(got, RATE, nperseg=1 << 15)
    lows = 20000 / 2.0 ** np.arange(1, 10)
    octaves = [np.sum(power[(freqs >= low) & (freqs < 2 * low)]) for low in lows]
    levels = 10 * np.log10(octaves)
    assert levels - levels.mean() == pytest.approx(np.zeros(len(levels)), abs=0.5)


@pytest.mark.parametrize(
    ("rate", "within"), [(8000, 0.25), (44100, 0.12), (48000, 0.06), (96000, 0.01), (192000, 0.01)]
)
def test_the_pink_filter_falls_by_three_decibels_per_octave(rate, within):
    poles, weights = pinking.design(rate)
    freqs = np.geomspace(20, min(20000, 0.48 * rate), 3000)
    z = np.exp(-2j * np.pi * freqs / rate)
    level = 20 * np.log10(np.abs((1 / (1 - poles * z[:, None])) @ weights)) + 10 * np.log10(freqs)
    assert np.ptp(level) / 2 < within


def test_pink_noise_is_as_loud_from_its_first_tick(play):
    """The filter starts as if it had always run: over many seeds the first tick has the power of all."""
    first = [noise(play, 64, color="pink", seed=k) for k in range(60)]
    assert 10 * np.log10(np.mean(np.square(first))) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("color", ["white", "pink"])
def test_noise_does_not_depend_on_the_block(play, color):
    settings = {"color": color}
    one = play("noise", settings=settings, frames=5000, block=64)["out"]
    assert np.array_equal(one, play("noise", settings=settings, frames=5000, block=448)["out"])


def test_chance_in_python_is_chance_in_numpy():
    def wrapped(z):
        return (z + (1 << 63)) % (1 << 64) - (1 << 63)

    class Word(int):
        def __add__(self, other):
            return Word(wrapped(int(self) + int(other)))

        __radd__ = __add__

        def __mul__(self, other):
            return Word(wrapped(int(self) * int(other)))

        def __xor__(self, other):
            return Word(int(self) ^ int(other))

        def __rshift__(self, other):
            return Word(int(self) >> int(other))

        def __and__(self, other):
            return Word(int(self) & int(other))

    base = base_of(3)
    assert [chance(Word(base), Word(k)) for k in range(-5, 5)] == chances(base, -5, 10).tolist()


# -- impulse -----------------------------------------------------------------------------------------------------------


def hits(y: np.ndarray) -> list[int]:
    return np.flatnonzero(y[:, 0]).tolist()


def test_one_impulse_at_zero(play):
    got = play("impulse", frames=10_000)["out"]
    assert hits(got) == [0]
    assert got[0, 0] == 1.0
    assert play("impulse", {}, {"level_db": -6}, frames=10)["out"][0, 0] == pytest.approx(10 ** (-6 / 20), rel=1e-7)


@pytest.mark.parametrize("period", [0.1, 0.01, 1 / 3, 0.0123, 100 / RATE, 1.5 / RATE, 1 / RATE])
def test_impulses_lie_at_the_rounded_multiples_of_their_period(play, period):
    got = hits(play("impulse", params={"period_s": period}, frames=200_000)["out"])
    wanted = np.floor(np.arange(200_001) * (period * RATE) + 0.5).astype(int)
    assert got == sorted(set(wanted[wanted < 200_000].tolist()))


def test_a_period_that_changes_counts_from_the_last_impulse(play):
    got = play(
        "impulse",
        frames=1500,
        automation={"period_s": [(0, 200 / RATE, "hold"), (450 / RATE, 75 / RATE, "hold"), (900 / RATE, 0, "hold")]},
    )["out"]
    assert hits(got) == [0, 200, 400, 475, 550, 625, 700, 775, 850]


@pytest.mark.parametrize("block", [64, 448])
def test_a_source_sounds_the_same_in_every_block(play, block):
    for kind, params in (("impulse", {"period_s": 0.00123}), ("oscillator", {"freq_hz": 1234.5})):
        settings = {"wave": "saw"} if kind == "oscillator" else {}
        one = play(kind, params=params, settings=settings, frames=5000, block=block)["out"]
        assert np.array_equal(one, play(kind, params=params, settings=settings, frames=5000, block=1024)["out"])
