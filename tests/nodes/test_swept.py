"""Chorus and flanger, against delayed sines, whose delays are known; and the de-esser, against its curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, freqz_sos

RATE = 48000
T = np.arange(RATE) / RATE


def late(hz: float, delay: np.ndarray) -> np.ndarray:
    """A sine, delayed by so many seconds: silent before it began."""
    return np.where(delay < T, np.sin(2 * np.pi * hz * (T - delay)), 0.0)


@pytest.mark.parametrize(
    ("voices", "rate", "delay", "depth"), [(1, 2.0, 10.0, 3.0), (3, 0.8, 15.0, 2.0), (8, 5.0, 30.0, 0.5)]
)
def test_a_chorus_is_the_sum_of_delayed_copies(play, voices, rate, delay, depth):
    x = np.sin(2 * np.pi * 700 * T)
    params = {"rate_hz": rate, "delay_ms": delay, "depth_ms": depth, "spread": 0.2, "mix": 1}
    got = play("chorus", {"in": np.stack([x, x], 1)}, params, {"voices": voices})["out"]
    for channel, behind in enumerate((0.0, 0.2)):
        wanted = sum(
            late(700, (delay + depth * np.sin(2 * np.pi * (rate * T - behind + k / voices))) / 1000)
            for k in range(voices)
        ) / np.sqrt(voices)
        assert got[4800:, channel] == pytest.approx(wanted[4800:], abs=2e-4)


def test_the_mix_of_a_chorus(play):
    x = np.random.default_rng(3).uniform(-1, 1, (4800, 2)).astype(np.float32)
    assert np.array_equal(play("chorus", {"in": x}, {"mix": 0})["out"], x)
    wet, half = (play("chorus", {"in": x}, {"mix": mix})["out"] for mix in (1, 0.5))
    assert half == pytest.approx(0.5 * x + 0.5 * wet, abs=1e-6)


@pytest.mark.parametrize("feedback", [0.0, 0.5, -0.7])
def test_a_flanger_at_rest_is_a_comb(play, feedback):
    """The impulse response of w = x delayed + feedback · w delayed, for a delay of whole frames."""
    x = np.zeros(4096, np.float32)
    x[0] = 1.0
    params = {"delay_ms": 1.0, "depth_ms": 0, "feedback": feedback, "mix": 0.5}
    got = play("flanger", {"in": x}, params)["out"][:, 0]
    wanted = np.zeros(4096)
    wanted[0] = 0.5
    for k in range(1, 4096 // 48 + 1):
        wanted[48 * k : 48 * k + 1] = 0.5 * feedback ** (k - 1)
    # A delay in float32 is a whole number of frames to five digits.
    assert got == pytest.approx(wanted, abs=1e-4)


def test_a_flanger_swings(play):
    x = np.sin(2 * np.pi * 700 * T)
    params = {"rate_hz": 0.7, "delay_ms": 3, "depth_ms": 2, "feedback": 0, "spread": 0.5, "mix": 1}
    got = play("flanger", {"in": np.stack([x, x], 1)}, params)["out"]
    for channel, behind in enumerate((0.0, 0.5)):
        wanted = late(700, (3 + 2 * np.sin(2 * np.pi * (0.7 * T - behind))) / 1000)
        assert got[4800:, channel] == pytest.approx(wanted[4800:], abs=2e-4)


@pytest.mark.parametrize("kind", ["chorus", "flanger"])
@pytest.mark.parametrize("block", [64, 1024])
def test_the_block_does_not_matter(play, kind, block):
    x = np.random.default_rng(4).uniform(-1, 1, (9600, 2)).astype(np.float32)
    assert np.array_equal(play(kind, {"in": x}, block=block)["out"], play(kind, {"in": x}, block=448)["out"])


# -- de-esser ----------------------------------------------------------------------------------------------------------


def bands(hz: float, cut: float) -> tuple[complex, complex]:
    """The responses of low and high band at a frequency, by squared Butterworth filters."""
    w = [2 * np.pi * hz / RATE]
    low, high = (freqz_sos(butter(2, cut, kind, fs=RATE, output="sos"), w)[1][0] for kind in ("lowpass", "highpass"))
    return low**2, high**2


@pytest.mark.parametrize(("hz", "db"), [(200, -3), (1000, -3), (9011, -40), (9011, -24), (9011, -12), (6007, -10)])
@pytest.mark.parametrize(("ratio", "deepest"), [(4, -40), (100, -6)])
def test_the_band_follows_the_curve(play, hz, db, ratio, deepest):
    x = 10 ** (db / 20) * np.sin(2 * np.pi * hz * T)
    params = {"freq_hz": 5500, "threshold_db": -30, "ratio": ratio, "range_db": deepest}
    played = play("deesser", {"in": x}, params)
    low, high = bands(hz, 5500)
    over = max(0.0, db + 20 * np.log10(abs(high)) + 30)
    fall = max(-over * (1 - 1 / ratio), deepest)
    wanted = db + 20 * np.log10(abs(low + 10 ** (fall / 20) * high))
    got = 20 * np.log10(np.sqrt(2 * np.mean(played["out"][-9600:, 0].astype(float) ** 2)))
    assert got == pytest.approx(wanted, abs=0.15)
    assert played.program.readings["node", "gain_reduction"] == pytest.approx([-fall], abs=0.15)


def test_with_nothing_to_do_only_the_phase_changes(play):
    x = np.zeros(1 << 14, np.float32)
    x[100] = 0.01
    response = np.abs(np.fft.rfft(play("deesser", {"in": x}, {"threshold_db": 0})["out"][:, 0] / 0.01))
    assert 20 * np.log10(response) == pytest.approx(0, abs=1e-4)


def test_times_are_those_to_63_percent(play):
    x = np.sin(2 * np.pi * 12_000 * T) * np.where((T > 0.3) & (T < 0.7), 0.5, 1e-4)
    x[-1] = 0
    shown = {}
    for seconds in (0.32, 0.4, 0.805):
        frames = round(seconds * RATE / 64) * 64
        params = {"attack_ms": 20, "release_ms": 100, "ratio": 100, "range_db": -10}
        played = play("deesser", {"in": x[:frames]}, params)
        shown[seconds] = played.program.readings["node", "gain_reduction"][0]
    assert shown[0.4] == pytest.approx(10, abs=0.1)
    assert shown[0.32] == pytest.approx(10 * (1 - np.exp(-1)), abs=0.3)
    # The detector holds for 5 ms.
    assert shown[0.805] == pytest.approx(10 * np.exp(-1), abs=0.2)
