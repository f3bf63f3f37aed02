"""The multiband compressor: its bands against Linkwitz-Riley filters by scipy, its gains against the curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, freqz_sos

RATE = 48000
T = np.arange(RATE) / RATE
CUTS = {2: (1000.0,), 3: (200.0, 3000.0), 4: (120.0, 800.0, 5000.0)}


def bands(hz, cuts):
    """The complex response of each band at a frequency: squared Butterworth filters, and for the bands below a cut the
    allpass that the halves of that cut sum up to.
    """
    w, found, rest = [2 * np.pi * hz / RATE], [], 1.0 + 0j
    for cut in cuts:
        sides = (freqz_sos(butter(2, cut, kind, fs=RATE, output="sos"), w)[1][0] ** 2 for kind in ("low", "high"))
        low, high = sides
        found = [band * (low + high) for band in found]
        found.append(rest * low)
        rest *= high
    return np.array([*found, rest])


def curve(level_db, threshold, ratio, knee):
    over = level_db - threshold
    if 2 * over <= -knee:
        return 0.0
    if 2 * abs(over) <= knee and knee:
        return (1 - 1 / ratio) * (over + knee / 2) ** 2 / (2 * knee)
    return (1 - 1 / ratio) * over


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("knee", [0.0, 12.0])
@pytest.mark.parametrize("hz", [60, 470, 1900, 9011])
def test_each_band_follows_its_own_curve(play, count, knee, hz):
    x = 0.5 * np.sin(2 * np.pi * hz * T)
    thresholds, ratios, levels = (-40, -20, -30, -10), (2, 8, 100, 1), (3, 0, -6, 1)
    params = {"knee_db": knee}
    for b in range(count):
        params |= {f"b{b + 1}_threshold_db": thresholds[b], f"b{b + 1}_ratio": ratios[b]}
        params |= {f"b{b + 1}_level_db": levels[b]}
    played = play("multiband_compressor", {"in": x}, params, {"bands": count})
    parts = bands(hz, CUTS[count])
    falls = [curve(20 * np.log10(0.5 * abs(part)), thresholds[b], ratios[b], knee) for b, part in enumerate(parts)]
    gains = 10 ** ((np.array(levels[:count]) - falls) / 20)
    wanted = 20 * np.log10(0.5 * abs(np.sum(parts * gains)))
    got = 20 * np.log10(np.sqrt(2 * np.mean(played["out"][-9600:, 0].astype(float) ** 2)))
    assert got == pytest.approx(wanted, abs=0.1)
    assert played.program.readings["node", "gain_reduction"] == pytest.approx(falls, abs=0.1)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("idle", [{"mix": 0.0}, {"b1_ratio": 1, "b2_ratio": 1, "b3_ratio": 1, "b4_ratio": 1}])
def test_with_nothing_to_do_only_the_phase_changes(play, count, idle):
    x = np.zeros(1 << 16, np.float32)
    x[100] = 1.0
    params = {k: v for k, v in idle.items() if k == "mix" or int(k[1]) <= count}
    got = play("multiband_compressor", {"in": x}, params, {"bands": count})["out"][:, 0].astype(float)
    assert 20 * np.log10(np.abs(np.fft.rfft(got))) == pytest.approx(0, abs=1e-4)


def test_a_loud_bass_leaves_the_treble_alone(play):
    treble = 0.01 * np.sin(2 * np.pi * 8000 * T)
    bass = np.sin(2 * np.pi * 50 * T)
    alone = play("multiband_compressor", {"in": treble})["out"][:, 0]
    both = play("multiband_compressor", {"in": treble + bass})["out"][:, 0]
    size = lambda y, hz: np.abs(np.fft.rfft(y[-RATE // 2 :].astype(float)))[hz // 2]  # noqa: E731
    assert size(both, 8000) == pytest.approx(size(alone, 8000), rel=1e-3)
    assert size(both, 50) < 0.35 * np.abs(np.fft.rfft(bass[-RATE // 2 :]))[25]


def test_the_times_of_a_band_are_its_own(play):
    x = np.where((T > 0.3) & (T < 0.7), 0.5, 1e-4) * (np.sin(2 * np.pi * 40 * T) + np.sin(2 * np.pi * 12_000 * T)) / 2
    params = {"knee_db": 0, "b1_attack_ms": 0, "b2_attack_ms": 40, "b1_ratio": 100, "b2_ratio": 100}
    params |= {"b1_threshold_db": -22.04, "b2_threshold_db": -22.04}
    frames = round(0.34 * RATE / 64) * 64
    played = play("multiband_compressor", {"in": x[:frames]}, params, {"bands": 2})
    now = played.program.readings["node", "gain_reduction"]
    assert now[0] == pytest.approx(10, abs=0.5)
    assert now[1] == pytest.approx(10 * (1 - np.exp(-1)), abs=0.3)


def test_channels_are_tied(play):
    left, right = 0.8 * np.sin(2 * np.pi * 440 * T), 0.01 * np.sin(2 * np.pi * 440 * T)
    got = play("multiband_compressor", {"in": np.stack([left, right], 1)})["out"][-4800:]
    assert got[:, 1] == pytest.approx(got[:, 0] / 80, abs=1e-6)
