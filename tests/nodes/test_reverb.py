"""Reverb: Freeverb against a plain reference in float64; the network against what it promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import butter, lfilter, sosfilt
from scipy.special import erfc

from graph.errors import PatchError

RATE = 48000
ALGORITHMS = ("fdn", "freeverb")


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((frames, channels)) * 0.25).astype(np.float32)


def reverberated(play: Any, x: np.ndarray, algorithm: str = "fdn", params: Any = None, **kw: Any) -> np.ndarray:
    return play("reverb", {"in": x}, {"mix": 1.0} | (params or {}), {"algorithm": algorithm}, **kw)["out"]


def response(play: Any, seconds: float, algorithm: str = "fdn", rate: int = RATE, **params: float) -> np.ndarray:
    x = np.zeros((int(seconds * rate), 2), np.float32)
    x[0] = 1.0
    return reverberated(play, x, algorithm, params, rate=rate).astype(np.float64)


def peak(x: np.ndarray) -> float:
    return float(np.max(np.abs(x)))


def error_db(found: np.ndarray, wanted: np.ndarray) -> float:
    return 20 * np.log10(peak(found - wanted) / peak(wanted))


def comb(x: np.ndarray, frames: int, feedback: float, damp: float) -> np.ndarray:
    """What leaves a line that gets x and the lowpassed, scaled end of itself; a line's length at a time."""
    line, state, out = np.zeros(frames), np.zeros(1), []
    for start in range(0, len(x), frames):
        part = x[start : start + frames]
        low, state = lfilter([1 - damp], [1, -damp], line[: len(part)], zi=state)
        out.append(line[: len(part)])
        line = part + feedback * low
    return np.concatenate(out)


def allpass(x: np.ndarray, frames: int) -> np.ndarray:
    line, out = np.zeros(frames), []
    for start in range(0, len(x), frames):
        part = x[start : start + frames]
        out.append(line[: len(part)] - part)
        line = part + 0.5 * line[: len(part)]
    return np.concatenate(out)


def freeverb(x: np.ndarray, rate: int = RATE, size: float = 0.7, damping: float = 0.5) -> np.ndarray:
    mono = x.astype(np.float64).sum(axis=1) * 0.015
    channels = []
    for spread in (0, 23):
        tunings = [1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617]
        y = sum(comb(mono, (n + spread) * rate // 44100, 0.28 * size + 0.7, 0.4 * damping) for n in tunings)
        for n in (556, 441, 341, 225):
            y = allpass(y, (n + spread) * rate // 44100)
        channels.append(y)
    return np.stack(channels, axis=1)


def decay_time(h: np.ndarray, freq: float, rate: int = RATE) -> float:
    """Seconds per 60 dB in an octave, from the slope of Schroeder's integral between −5 and −35 dB."""
    band = sosfilt(butter(3, [freq / 2**0.5, freq * 2**0.5], "band", fs=rate, output="sos"), h)
    energy = np.cumsum(band[::-1] ** 2)[::-1]
    level = 10 * np.log10(energy / energy[0] + 1e-30)
    first, last = np.argmax(level < -5), np.argmax(level < -35)
    return float(-60 / np.polyfit(np.arange(first, last), level[first:last], 1)[0] / rate)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_freeverb_is_the_reference(play: Any, rate: int) -> None:
    x = noise(2 * rate)
    x[rate:] = 0
    assert error_db(reverberated(play, x, "freeverb", rate=rate), freeverb(x, rate)) < -120


@pytest.mark.parametrize(("size", "damping"), [(0.0, 0.0), (1.0, 0.0), (0.3, 1.0), (1.0, 1.0)])
def test_freeverb_at_its_edges(play: Any, size: float, damping: float) -> None:
    x = noise(2 * RATE, seed=1)
    y = reverberated(play, x, "freeverb", {"size": size, "damping": damping, "decay_s": 0.3})
    assert error_db(y, freeverb(x, size=size, damping=damping)) < -110


def test_freeverb_with_moving_params_is_the_reference_where_they_rest(play: Any) -> None:
    x = noise(3 * RATE, seed=2)
    x[RATE // 2 :] = 0
    y = reverberated(play, x, "freeverb", automation={"size": [(0.0, 0.7, "hold"), (2.0, 0.0, "hold")]})
    wanted = freeverb(x)
    assert error_db(y[: 2 * RATE], wanted[: 2 * RATE]) < -120
    assert peak(y[-RATE // 4 :]) < 0.5 * peak(wanted[-RATE // 4 :])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_predelay_is_silence_before(play: Any, algorithm: str) -> None:
    x = noise(RATE, seed=3)
    x[RATE // 4 :] = 0
    late = reverberated(play, x, algorithm, {"predelay_ms": 12.5})
    shifted = np.concatenate([np.zeros((600, 2), np.float32), x[:-600]])
    assert np.array_equal(late, reverberated(play, shifted, algorithm))
    assert not np.any(late[:600])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_width_and_mix(play: Any, algorithm: str) -> None:
    x = noise(RATE // 2, seed=4)
    wide = reverberated(play, x, algorithm).astype(np.float64)
    middle = wide.mean(axis=1, keepdims=True)
    assert error_db(reverberated(play, x, algorithm, {"width": 0.0}), np.repeat(middle, 2, axis=1)) < -120
    half = 0.75 * wide + 0.25 * wide[:, ::-1]
    assert error_db(reverberated(play, x, algorithm, {"width": 0.5}), half) < -120
    assert np.array_equal(reverberated(play, x, algorithm, {"mix": 0.0}), x)
    assert error_db(reverberated(play, x, algorithm, {"mix": 0.25}), 0.75 * x + 0.25 * wide) < -120


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_mono_is_the_left_channel(play: Any, algorithm: str) -> None:
    x = noise(RATE // 2, 1, seed=5)
    stereo = reverberated(play, np.repeat(x, 2, axis=1), algorithm)
    assert np.array_equal(reverberated(play, x, algorithm)[:, 0], stereo[:, 0])


@pytest.mark.parametrize("channels", [3, 6])
def test_wider_than_stereo_is_refused(play: Any, channels: int) -> None:
    with pytest.raises(PatchError, match="mono or stereo"):
        reverberated(play, noise(640, channels))


@pytest.mark.parametrize(
    ("decay", "size", "damping"),
    [
        (1.8, 0.7, 0.5),
        (0.3, 0.7, 0.5),
        (0.1, 0.0, 0.5),
        (6.0, 0.7, 0.5),
        (1.8, 0.0, 0.5),
        (1.8, 1.0, 0.0),
        (3.0, 0.5, 1.0),
    ],
)
def test_decay_time_is_met_at_1_khz(play: Any, decay: float, size: float, damping: float) -> None:
    h = response(play, 0.3 + 1.2 * decay, decay_s=decay, size=size, damping=damping)
    assert decay_time(h[:, 0], 1000.0) == pytest.approx(decay, rel=0.1)
    assert decay_time(h[:, 1], 1000.0) == pytest.approx(decay, rel=0.1)


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_decay_time_does_not_depend_on_the_rate(play: Any, rate: int) -> None:
    h = response(play, 2.0, rate=rate, decay_s=1.5, damping=0.3)
    assert decay_time(h[:, 0], 1000.0, rate) == pytest.approx(1.5, rel=0.1)


def test_damping_shortens_high_frequencies_only(play: Any) -> None:
    plain = response(play, 3.0, damping=0.0)[:, 0]
    damped = response(play, 3.0, damping=0.7)[:, 0]
    for freq in (250.0, 1000.0, 8000.0):
        assert decay_time(plain, freq) == pytest.approx(1.8, rel=0.1)
    assert decay_time(damped, 250.0) == pytest.approx(1.8, rel=0.35)
    assert decay_time(damped, 8000.0) < 0.5 * decay_time(damped, 1000.0)


@pytest.mark.parametrize(("decay", "size"), [(0.5, 0.2), (1.8, 0.7), (6.0, 1.0)])
def test_loudness_does_not_depend_on_decay_or_size(play: Any, decay: float, size: float) -> None:
    h = response(play, 1.2 * decay, decay_s=decay, size=size, damping=0.0)
    assert 10 * np.log10(np.sum(h**2, axis=0)) == pytest.approx([0.0, 0.0], abs=1.5)


def test_the_network_sounds_like_noise_and_not_like_metal(play: Any) -> None:
    h = response(play, 3.0)
    left, right = h.T
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1
    # Echo density (J. S. Abel and P. Huang, AES 121, 2006): samples beyond one deviation, against a normal distribution
    for at, lowest in ((0.08, 0.85), (0.15, 0.9), (0.3, 0.9)):
        part = left[int((at - 0.01) * RATE) : int((at + 0.01) * RATE)]
        assert np.mean(np.abs(part) > np.std(part)) / erfc(0.5**0.5) > lowest
    # Flatness of the spectrum of a second of tail, its slopes of time and frequency removed: 0.56 for Gaussian noise
    tail = (left * 10 ** (3 * np.arange(len(left)) / RATE / 1.8))[RATE // 2 : RATE // 2 + RATE]
    power = np.abs(np.fft.rfft(tail * np.hanning(RATE)))[200:4000] ** 2
    power = (power / np.convolve(power, np.ones(401) / 401, "same"))[401:-401]
    assert np.exp(np.mean(np.log(power))) / np.mean(power) > 0.35
    assert 10 * np.log10(np.max(power)) < 15


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_stays_bounded_at_the_extremes(play: Any, algorithm: str, size: float) -> None:
    x = np.ones((6 * RATE, 2), np.float32)
    x[RATE:] = noise(5 * RATE, seed=6) * 4
    params = {"size": size, "damping": 0.0, "decay_s": 30.0, "predelay_ms": 500.0}
    assert peak(reverberated(play, x, algorithm, params)) < 50


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_stays_bounded_while_everything_moves(play: Any, algorithm: str) -> None:
    rng = np.random.default_rng(7)
    ranges = {"size": (0, 1), "damping": (0, 1), "decay_s": (0.1, 30), "predelay_ms": (0, 500), "width": (0, 1)}
    automation = {
        name: [(k * 0.05, float(rng.uniform(*bounds)), "linear" if k % 3 else "hold") for k in range(80)]
        for name, bounds in ranges.items()
    }
    x = noise(4 * RATE, seed=8)
    y = reverberated(play, x, algorithm, automation=automation)
    assert peak(y) < 20
    for block in (64, 448, 4096):
        assert np.array_equal(reverberated(play, x, algorithm, automation=automation, block=block), y)


@pytest.mark.parametrize(
    ("param", "before", "after"),
    [("size", 0.3, 0.9), ("predelay_ms", 0.0, 80.0), ("decay_s", 0.5, 8.0), ("damping", 0.0, 1.0)],
)
def test_a_change_does_not_click(play: Any, param: str, before: float, after: float) -> None:
    """A low tone has nothing above 6 kHz, and a change adds next to nothing there."""
    x = np.repeat(0.25 * np.sin(2 * np.pi * 150 / RATE * np.arange(3 * RATE))[:, None], 2, axis=1)
    ramp = [(0.0, before, "hold"), (1.5, before, "linear"), (1.5 + 512 / RATE, after, "linear")]
    y = reverberated(play, x.astype(np.float32), automation={param: ramp}).astype(np.float64)[:, 0]
    high = sosfilt(butter(6, 6000, "high", fs=RATE, output="sos"), y)[RATE:]
    assert peak(high) < 10 ** (-60 / 20) * peak(y[RATE:])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nan_and_infinity_end_where_they_came_in(play: Any, algorithm: str) -> None:
    clean, dirty = noise(RATE, seed=9), noise(RATE, seed=9)
    clean[20_000:20_100] = 0
    dirty[20_000:20_050] = np.nan
    dirty[20_050:20_100] = -np.inf
    outside = np.r_[0:20_000, 20_100:RATE]
    found = reverberated(play, dirty, algorithm, {"mix": 0.5})
    assert np.array_equal(found[outside], reverberated(play, clean, algorithm, {"mix": 0.5})[outside])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "params", [{"size": 0.2, "decay_s": 0.5}, {"predelay_ms": 200.0, "decay_s": 1.0, "damping": 0.0}]
)
def test_silent_after_its_tail(play: Any, algorithm: str, params: dict[str, float]) -> None:
    first = play("reverb", {"in": noise(64)}, params, {"algorithm": algorithm}).program.schedule.node("node")
    tail = first.kind.tail(first.config)
    assert tail < 20
    x = np.zeros((RATE // 2 + round(tail * RATE) + 4800, 2), np.float32)
    x[: RATE // 2] = noise(RATE // 2, seed=10)
    y = reverberated(play, x, algorithm, params)
    assert peak(y[RATE // 2 + round(tail * RATE) :]) < 1e-6 * peak(y)
    assert peak(y[RATE // 2 + round(0.2 * tail * RATE) :]) > 1e-6 * peak(y)


def test_a_driven_param_may_make_the_tail_longer(play: Any) -> None:
    moving = {"automation": {"decay_s": [(0.0, 1.0, "linear"), (1.0, 2.0, "linear")]}}
    still = play("reverb", {"in": noise(64)}).program.schedule.node("node")
    driven = play("reverb", {"in": noise(64)}, **moving).program.schedule.node("node")
    assert still.kind.tail(still.config) < 10
    assert driven.kind.tail(driven.config) > 60


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_index_is_in_range(play: Any, algorithm: str) -> None:
    automation = {
        "size": [(0.0, 0.0, "linear"), (0.3, 1.0, "linear")],
        "predelay_ms": [(0.0, 500.0, "linear"), (0.3, 0.0, "linear")],
    }
    settings = {"algorithm": algorithm}
    played = play("reverb", {"in": noise(RATE // 2)}, settings=settings, automation=automation, checked=True)
    assert played.program.faults == 0
