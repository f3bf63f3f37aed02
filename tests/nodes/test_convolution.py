"""Convolution against scipy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.signal import oaconvolve

from graph.errors import PatchError
from nodes.dsp import partitions

RATE = 48000


def noise(frames: int, channels: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((frames, channels)) * 0.25).astype(np.float32)


def response(taps: int, channels: int, seed: int = 9) -> np.ndarray:
    decay = np.exp(-np.arange(taps) / (taps / 5))
    return (noise(taps, channels, seed) * decay[:, None]).astype(np.float32)


def exact(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    return oaconvolve(x.astype(np.float64), h.astype(np.float64))[: len(x)]


def error_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest error, relative to the largest sample."""
    return 20 * np.log10(np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)))


def convolved(
    play: Any, x: np.ndarray, h: np.ndarray, params: Any = None, normalize: bool = False, **kw: Any
) -> np.ndarray:
    settings = {"path": "ir.wav", "normalize": normalize}
    return play("convolution", {"in": x}, params, settings, files={"ir.wav": (h, RATE)}, **kw)["out"]


@pytest.mark.parametrize("taps", [1, 63, 64, 65, 448, 449, 3000, 8128, 8129, 65473, 200_000])
def test_agrees_with_scipy(play: Any, taps: int) -> None:
    x, h = noise(taps + 70_000, 2, taps), response(taps, 2)
    y = convolved(play, x, h)
    for k in range(2):
        assert error_db(y[:, k], exact(x[:, k], h[:, k])) < -120


def test_has_no_latency(play: Any) -> None:
    x = np.zeros((90_000, 2), np.float32)
    x[1234] = 1.0, -0.5
    h = response(80_000, 2)
    y = convolved(play, x, h)
    assert not np.any(y[: 1234 - 64])
    assert error_db(y[1234 : 1234 + 80_000], h * [1.0, -0.5]) < -120
    assert np.max(np.abs(y[:1234])) < 1e-6 * np.max(np.abs(y))


def test_quiet_channels_stay_clean_beside_loud_ones(play: Any) -> None:
    x = noise(20_000, 2, 4)
    x[:, 1] = 0
    assert not np.any(convolved(play, x, response(9000, 2))[:, 1])


def test_partitions_cover_every_tap_once() -> None:
    starts = np.array(partitions.FIRST_TAPS)
    for taps in [*range(1, 1200), 8127, 8128, 8129, 65471, 65472, 65473, 196_543, 196_544, 480_000]:
        counts = partitions.partitions(taps)
        ends = starts + np.array(counts) * partitions.fft.SIZES
        used = [k for k, count in enumerate(counts) if count]
        assert used == list(range(len(used)))
        assert all(ends[k] == starts[k + 1] for k in used[:-1])
        assert ends[used[-1]] - partitions.fft.SIZES[used[-1]] < taps <= ends[used[-1]]


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_mono_response_on_every_channel(play: Any, channels: int) -> None:
    x, h = noise(20_000, channels, 1), response(9000, 1)
    y = convolved(play, x, h)
    for k in range(channels):
        assert error_db(y[:, k], exact(x[:, k], h[:, 0])) < -120


@pytest.mark.parametrize("channels", [4, 6])
def test_response_as_wide_as_the_signal(play: Any, channels: int) -> None:
    x, h = noise(20_000, channels, 2), response(9000, channels)
    y = convolved(play, x, h)
    for k in range(channels):
        assert error_db(y[:, k], exact(x[:, k], h[:, k])) < -120


def test_true_stereo(play: Any) -> None:
    x, h = noise(100_000, 2, 3), response(70_000, 4)
    y = convolved(play, x, h)
    assert error_db(y[:, 0], exact(x[:, 0], h[:, 0]) + exact(x[:, 1], h[:, 2])) < -120
    assert error_db(y[:, 1], exact(x[:, 0], h[:, 1]) + exact(x[:, 1], h[:, 3])) < -120


@pytest.mark.parametrize(("signal", "ir"), [(1, 2), (2, 3), (1, 4), (6, 2), (6, 4)])
def test_widths_that_do_not_fit_are_refused(play: Any, signal: int, ir: int) -> None:
    with pytest.raises(PatchError, match=f"{ir} channels does not fit a signal of {signal}"):
        convolved(play, noise(640, signal, 1), response(100, ir))


def test_missing_file_is_refused(play: Any) -> None:
    with pytest.raises(PatchError, match=r"nowhere\.wav"):
        play("convolution", {"in": noise(640, 2, 1)}, settings={"path": "nowhere.wav"})


def test_without_a_file_the_signal_passes(play: Any) -> None:
    x = noise(6400, 2, 1)
    assert error_db(play("convolution", {"in": x})["out"], x) < -120


def test_normalize_gives_each_channel_unit_energy(play: Any) -> None:
    x, h = noise(20_000, 2, 5), response(5000, 2) * np.float32([3.0, 0.01])
    y = convolved(play, x, h, normalize=True)
    for k in range(2):
        unit = h[:, k] / np.sqrt(np.sum(h[:, k].astype(np.float64) ** 2))
        assert error_db(y[:, k], exact(x[:, k], unit)) < -120


def test_normalize_leaves_silence_alone(play: Any) -> None:
    x, h = noise(6400, 2, 5), response(500, 2)
    h[:, 1] = 0
    y = convolved(play, x, h, normalize=True)
    assert np.any(y[:, 0])
    assert not np.any(y[:, 1])


def test_a_response_of_another_rate_keeps_its_gain(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the samples for the same impulse response: each tap counts half."""
    h = np.ones((100, 1), np.float32)
    services = play.__globals__["MemoryServices"]
    monkeypatch.setattr(services, "read_audio", lambda self, path, rate: (np.repeat(h, 2, axis=0), ("M",)))
    x = np.ones((640, 1), np.float32)
    settings = {"path": "ir.wav", "normalize": False}
    y = play("convolution", {"in": x}, settings=settings, files={"ir.wav": (h, RATE // 2)})["out"]
    assert y[-1, 0] == pytest.approx(100.0, rel=1e-5)


def test_mix_and_level(play: Any) -> None:
    x, h = noise(20_000, 2, 6), response(9000, 2)
    wet = convolved(play, x, h).astype(np.float64)
    assert np.array_equal(convolved(play, x, h, {"mix": 0.0}), x)
    assert not np.any(convolved(play, x, h, {"level_db": -96.0}))
    assert error_db(convolved(play, x, h, {"level_db": -6.0}), wet * 10 ** (-6 / 20)) < -120
    half = convolved(play, x, h, {"mix": 0.25, "level_db": 6.0})
    assert error_db(half, 0.75 * x + 0.25 * 10 ** (6 / 20) * wet) < -120


def test_mix_may_move(play: Any) -> None:
    x, h = noise(9600, 2, 6), response(900, 2)
    wet = convolved(play, x, h).astype(np.float64)
    curve = np.interp(np.arange(9600), [0, 9600], [0.0, 1.0])[:, None]
    moving = convolved(play, x, h, automation={"mix": [(0.0, 0.0, "linear"), (0.2, 1.0, "linear")]})
    assert error_db(moving, x * (1 - curve) + wet * curve) < -120


@pytest.mark.parametrize("taps", [300, 30_000, 200_000])
def test_same_samples_whatever_the_block(play: Any, taps: int) -> None:
    x, h = noise(70_016, 2, 7), response(taps, 2)
    wanted = convolved(play, x, h, block=512)
    for block in (64, 448, 1024, 16384):
        assert np.array_equal(convolved(play, x, h, block=block), wanted)


def test_nan_and_infinity_end_where_they_came_in(play: Any) -> None:
    x, h = noise(30_016, 2, 8), response(9000, 2)
    clean, dirty = x.copy(), x.copy()
    clean[10_000:10_200] = 0
    dirty[10_000:10_100] = np.nan
    dirty[10_100:10_200] = np.inf
    wanted, found = convolved(play, clean, h), convolved(play, dirty, h)
    outside = np.r_[0:10_000, 10_200 : len(x)]
    assert np.array_equal(found[outside], wanted[outside])


def test_absurdly_loud_input_is_forgotten(play: Any) -> None:
    x, h = noise(40_000, 2, 8), response(9000, 2)
    x[5000:5100] = 3e38
    y = convolved(play, x, h)
    assert np.all(np.isfinite(y))
    after = 5100 + 9000 + 2 * 4096
    wanted = np.stack([exact(x[:, k] * (np.abs(x[:, k]) < 1e9), h[:, k]) for k in range(2)], axis=1)
    assert error_db(y[after:], wanted[after:]) < -120


def test_tail_is_the_response(play: Any) -> None:
    x = np.zeros((60_000, 2), np.float32)
    x[:1000] = noise(1000, 2, 1)
    played = play("convolution", {"in": x}, settings={"path": "ir.wav"}, files={"ir.wav": (response(24_000, 2), RATE)})
    node = played.program.schedule.node("node")
    tail = node.kind.tail(node.config)
    assert tail == 0.5
    end = 1000 + round(tail * RATE)
    assert np.any(np.abs(played["out"][end - 3000 : end]) > 1e-5)
    assert np.max(np.abs(played["out"][end:])) < 1e-6
    assert node.latency == 0


def test_every_index_is_in_range(play: Any) -> None:
    for taps, channels in ((300, 2), (200_000, 2), (9000, 4)):
        x = noise(34_000, 2, 1)
        settings = {"path": "ir.wav"}
        played = play(
            "convolution",
            {"in": x},
            settings=settings,
            files={"ir.wav": (response(taps, channels), RATE)},
            checked=True,
        )
        assert played.program.faults == 0
