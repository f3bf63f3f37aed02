"""The spectrum, the correlation meter and the scope: what passes through them, and what they show."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError

RATE = 48000
RNG = np.random.default_rng(12)


def sine(hz: float, seconds: float, amplitude: float = 1.0, rate: int = RATE, phase: float = 0.0) -> np.ndarray:
    n = np.arange(round(seconds * rate))
    return (amplitude * np.sin(2 * np.pi * (hz * n / rate + phase))).astype(np.float32)


def readings(play, kind: str, x: np.ndarray, *names: str, **options) -> list[np.ndarray]:
    program = play(kind, {"in": x}, **options).program
    return [program.readings["node", name].astype(float) for name in names]


@pytest.mark.parametrize("kind", ["spectrum", "correlation", "scope"])
@pytest.mark.parametrize("bypass", [False, True])
def test_the_signal_passes_through(play, kind, bypass):
    x = RNG.uniform(-1, 1, (2000, 2)).astype(np.float32)
    assert np.array_equal(play(kind, {"in": x}, bypass=bypass)["out"], x)


@pytest.mark.parametrize(
    ("kind", "names"),
    [("spectrum", ["level"]), ("correlation", ["correlation", "balance", "points"]), ("scope", ["wave", "taken"])],
)
@pytest.mark.parametrize("block", [64, 960])
def test_the_block_does_not_matter(play, kind, names, block):
    x = RNG.uniform(-1, 1, (64 * 450, 2)).astype(np.float32)
    for one, other in zip(
        readings(play, kind, x, *names, block=block), readings(play, kind, x, *names, block=448), strict=True
    ):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("kind", "names"), [("spectrum", ["level"]), ("correlation", ["correlation", "balance"]), ("scope", ["wave"])]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_it_recovers_from_what_is_no_number(play, kind, names, bad):
    x = RNG.uniform(-1, 1, (RATE, 2)).astype(np.float32)
    params = {"spectrum": {"smoothing_ms": 0}, "correlation": {"window_ms": 10}, "scope": {}}[kind]
    wanted = readings(play, kind, x, *names, params=params)
    x[1000:1064] = bad
    for one, other in zip(readings(play, kind, x, *names, params=params), wanted, strict=True):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


# -- spectrum ----------------------------------------------------------------------------------------------------------


def in_bands(x: np.ndarray, size: int, middles: np.ndarray, per_octave: int, rate: int) -> np.ndarray:
    """The power in each band, from the lines of a plain transform of the last frames of ``x``; a full-scale sine is 1.

    The lines lie half way between whole parts of the sample rate.
    """
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (n + 0.5) / size)
    lines = np.fft.fft(x[-size:] * window * np.exp(-1j * np.pi * n / size))[: size // 2]
    power = np.abs(lines) ** 2 * 4 / np.sum(window**2) / size
    edges = middles[:, None] * 2.0 ** (np.array([-0.5, 0.5]) / per_octave) * size / rate
    below = np.concatenate([[0.0], np.cumsum(power)])
    upto = np.interp(np.minimum(edges, size // 2), np.arange(size // 2 + 1), below)
    return upto[:, 1] - upto[:, 0]


@pytest.mark.parametrize(
    ("size", "per_octave", "rate"), [(4096, 12, 48000), (512, 3, 44100), (32768, 48, 96000), (1024, 1, 8000)]
)
def test_the_bands_are_those_of_a_plain_transform(play, size, per_octave, rate):
    x = RNG.standard_normal((3 * size, 2)).astype(np.float32)
    x[:, 1] = sine(431.7, len(x) / rate, 0.3, rate)[: len(x)]
    # The last look is shown once a hop's worth of frames has gone by.
    hop = min(size // 4, 1024)
    settings = {"size": size, "per_octave": per_octave}
    play_on = np.vstack([x, RNG.standard_normal((hop - 64, 2)).astype(np.float32)])
    level, middles = readings(
        play, "spectrum", play_on, "level", "frequency", params={"smoothing_ms": 0}, settings=settings, rate=rate
    )
    level = level.reshape(len(middles), 2)
    assert middles[0] >= 20 * 2 ** (-0.51 / per_octave)
    assert middles[-1] <= min(20000.5, rate / 2)
    for channel in range(2):
        wanted = 10 * np.log10(
            np.maximum(in_bands(x[:, channel].astype(float), size, middles, per_octave, rate), 1e-16)
        )
        loud = wanted > wanted.max() - 100
        assert level[loud, channel] == pytest.approx(wanted[loud], abs=0.02)


@pytest.mark.parametrize(("hz", "db"), [(1000.0, 0.0), (1000.0, -60.0), (7000.0, -20.0), (15104.0, -90.0)])
def test_a_sine_reads_its_level_in_its_band(play, hz, db):
    x = sine(hz, 1.0, 10 ** (db / 20))
    params, settings = {"smoothing_ms": 0}, {"size": 16384, "per_octave": 3}
    level, middles = readings(play, "spectrum", x, "level", "frequency", params=params, settings=settings)
    top = int(np.argmax(level))
    assert middles[top] == pytest.approx(hz, rel=2 ** (0.5 / 3) - 1)
    assert level[top] == pytest.approx(db, abs=0.1)
    far = np.abs(np.log2(middles / hz)) > 1.2
    assert level[far].max() < max(db - 90, -150)


def test_white_noise_rises_by_three_decibels_an_octave(play):
    x = (0.1 * RNG.standard_normal(20 * RATE)).astype(np.float32)
    params, settings = {"smoothing_ms": 5000.0}, {"per_octave": 1, "size": 8192}
    level, middles = readings(play, "spectrum", x, "level", "frequency", params=params, settings=settings)
    width = middles * (2**0.5 - 2**-0.5)
    # 2 for the scale of sines; 20 s of an average over 5 s have settled to 98.2 %.
    wanted = 10 * np.log10(0.01 * 2 * width / (RATE / 2) * (1 - np.exp(-4)))
    assert level[3:, 0] == pytest.approx(wanted[3:], abs=0.5)


def test_smoothing_is_the_time_to_63_percent(play):
    x = np.concatenate([sine(1000, 0.5), np.zeros(round(0.3 * RATE), np.float32)])
    params, settings = {"smoothing_ms": 300.0}, {"size": 512, "per_octave": 1}
    level, middles = readings(play, "spectrum", x, "level", "frequency", params=params, settings=settings)
    held = 10 * np.log10(1 - np.exp(-0.5 / 0.3)) + 10 * np.log10(np.exp(-1))
    assert level[np.argmin(np.abs(middles - 1000))] == pytest.approx(held, abs=0.2)


def test_a_size_that_is_no_power_of_two_is_refused(play):
    with pytest.raises(PatchError, match="expected a power of two, found 3000"):
        play("spectrum", {"in": np.zeros(100)}, settings={"size": 3000})


# -- correlation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "correlation", "balance"),
    [
        (sine(440, 2), sine(440, 2), 1.0, 0.0),
        (sine(440, 2), -0.5 * sine(440, 2), -1.0, -0.6),
        (sine(440, 2), sine(440, 2, phase=0.25), 0.0, 0.0),
        (sine(440, 2), sine(440, 2, phase=1 / 6), 0.5, 0.0),
        (sine(440, 2), np.zeros(2 * RATE), 0.0, -1.0),
        (np.zeros(2 * RATE), np.zeros(2 * RATE), 0.0, 0.0),
    ],
)
def test_how_the_sides_belong_together(play, left, right, correlation, balance):
    found = readings(play, "correlation", np.stack([left, right], 1), "correlation", "balance")
    assert found[0] == pytest.approx([correlation], abs=0.01)
    assert found[1] == pytest.approx([balance], abs=0.01)


def test_what_has_nothing_in_common_reads_zero(play):
    x = RNG.standard_normal((10 * RATE, 2)).astype(np.float32)
    (found,) = readings(play, "correlation", x, "correlation", params={"window_ms": 3000})
    assert found == pytest.approx([0.0], abs=0.02)


def test_the_mean_is_taken_over_the_window(play):
    """One side alone, then both the same: e⁻¹ of the first is left after the window's length."""
    both = sine(1500, 0.4)
    left = np.concatenate([sine(1500, 4), both])
    right = np.concatenate([-sine(1500, 4), both])
    (found,) = readings(play, "correlation", np.stack([left, right], 1), "correlation", params={"window_ms": 400})
    assert found == pytest.approx([1 - 2 * np.exp(-1)], abs=0.01)


def test_the_points_are_the_last_ones_turned_by_45_degrees(play):
    x = RNG.uniform(-1, 1, (6400, 2))
    (points,) = readings(play, "correlation", x, "points")
    last = x[-1024::2]
    wanted = np.stack([last[:, 1] - last[:, 0], last.sum(1)], 1) * np.sqrt(0.5)
    found = points.reshape(512, 2)
    assert found[np.argsort(found[:, 0])] == pytest.approx(wanted[np.argsort(wanted[:, 0])], abs=1e-6)


# -- scope -------------------------------------------------------------------------------------------------------------


def shown(play, x, **options) -> tuple[np.ndarray, np.ndarray, int]:
    """Lowest and highest of each point of each channel, and how many windows there were."""
    wave, taken = readings(play, "scope", x, "wave", "taken", **options)
    wave = wave.reshape(512, 2, -1)
    return wave[:, 0], wave[:, 1], int(taken[0])


@pytest.mark.parametrize(("edge", "sign"), [(0, 1), (1, -1)])
def test_a_wave_stands_still(play, edge, sign):
    for shift in (0.0, 0.13, 0.7):
        x = sine(100, 0.5, 0.8, phase=shift)
        low, high, taken = shown(play, x, params={"window_ms": 20, "edge": edge})
        wanted = sign * 0.8 * np.sin(2 * np.pi * 100 * np.arange(512) * (0.02 / 512))
        assert high[:, 0] == pytest.approx(wanted, abs=0.035)
        assert low[:, 0] == pytest.approx(wanted, abs=0.035)
        assert taken >= 15


def test_the_level_is_where_it_starts(play):
    low, high, _ = shown(play, sine(100, 0.5), params={"window_ms": 10, "level": 0.5})
    assert 0.5 <= low[0, 0] < 0.52
    assert high[40, 0] > high[0, 0]


def test_no_peak_is_lost(play):
    x = np.zeros((RATE, 2), np.float32)
    x[30_001, 1], x[30_100, 1] = 0.9, -0.7
    low, high, _ = shown(play, x, params={"window_ms": 250})
    assert high[:, 1].max() == np.float32(0.9)
    assert low[:, 1].min() == np.float32(-0.7)
    assert not high[:, 0].any()


def test_every_point_is_what_its_frames_say(play):
    x = np.concatenate([np.full(64, -1.0), np.abs(RNG.uniform(0.1, 1, 4800))]).astype(np.float32)
    low, high, taken = shown(play, x, params={"window_ms": 100})
    assert taken == 1
    place = np.arange(4800) * 512 // 4800
    for k in range(512):
        assert low[k, 0] == x[64:][place == k].min()
        assert high[k, 0] == x[64:][place == k].max()


def test_few_frames_repeat(play):
    x = np.concatenate([[-1.0], np.arange(1, 49), np.zeros(15)]).astype(np.float32)
    low, high, _ = shown(play, x, params={"window_ms": 1})
    assert np.array_equal(low, high)
    assert np.array_equal(np.unique(high), np.arange(1, 49))
    assert (np.diff(high[:, 0]) >= 0).all()


def test_without_a_trigger_it_waits_for_two_windows(play):
    x = np.full(RATE, 0.25, np.float32)
    _, high, taken = shown(play, x, params={"window_ms": 20, "level": 0.9})
    assert (high == 0.25).all()
    assert taken == pytest.approx(1.0 / 0.06, abs=1.5)
    assert shown(play, x, params={"window_ms": 20, "level": 0.9, "edge": 2})[2] == 50


def test_hold_keeps_what_is_shown(play):
    x = np.concatenate([sine(100, 0.5, 0.25), sine(100, 0.5, 1.0)])
    held = {"hold": [(0.0, 0.0, "hold"), (0.4, 1.0, "hold")]}
    assert shown(play, x, automation=held)[1].max() == pytest.approx(0.25, abs=0.01)
    assert shown(play, x)[1].max() == pytest.approx(1.0, abs=0.01)
