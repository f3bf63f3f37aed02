"""The transient shaper, against a loop written from its description, and against sounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

RATE = 48000
T = np.arange(RATE) / RATE
RNG = np.random.default_rng(61)


def gains_db(key, attack, sustain, rise, fall):
    frames = round(0.010 * RATE)
    padded = np.concatenate([np.zeros(frames), np.abs(key).max(axis=1)])
    held = maximum_filter1d(padded, frames, origin=(frames - 1) // 2)[frames:]
    floor, whole = -16.6, 2.0
    level = np.maximum(np.log2(np.maximum(held, 1e-30)), floor)
    a, b, c, d = (np.exp(-1000 / (ms * RATE)) for ms in (rise, 30.0, fall, 0.5))
    up = down = floor
    gain, found = 0.0, np.zeros(len(level))
    for i, x in enumerate(level):
        up = x + (a if x > up else b) * (up - x)
        down = x if x > down else x + c * (down - x)
        wanted = attack * min(max((x - up) / whole, 0), 1) + sustain * min(max((down - x) / whole, 0), 1)
        gain = found[i] = wanted + d * (gain - wanted)
    return found


@pytest.mark.parametrize(("attack", "sustain", "rise", "fall"), [(12, 0, 20, 200), (0, -24, 5, 50), (-9, 6, 60, 1000)])
def test_it_does_what_it_says(play, attack, sustain, rise, fall):
    hits = np.exp(-(T % 0.25) / 0.05)
    x = (RNG.standard_normal((RATE, 2)) * hits[:, None] * [0.3, 0.2]).astype(np.float32)
    params = {"attack_db": attack, "sustain_db": sustain, "rise_ms": rise, "fall_ms": fall}
    got = play("transient", {"in": x}, params)["out"]
    wanted = x * 10 ** (gains_db(x, attack, sustain, rise, fall) / 20)[:, None]
    assert got == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_attacks_are_raised_by_as_much_however_loud_they_are(play, level):
    hit = np.where(T % 0.5 < 0.25, np.sin(2 * np.pi * 1000 * T), 1e-3 * np.sin(2 * np.pi * 1000 * T)) * level
    got = play("transient", {"in": hit}, {"attack_db": 12})["out"][:, 0]
    loud = slice(RATE // 2 + 144, RATE // 2 + 480)  # 3 to 10 ms into the second
    assert 20 * np.log10(np.abs(got[loud]).max() / np.abs(hit[loud]).max()) == pytest.approx(12, abs=0.1)
    late = slice(RATE // 2 + 9600, RATE // 2 + 12000)
    assert 20 * np.log10(np.abs(got[late]).max() / np.abs(hit[late]).max()) == pytest.approx(0, abs=0.05)


def test_sustain_is_what_decays(play):
    x = np.sin(2 * np.pi * 1000 * T) * 10 ** (-3 * T)  # −60 dB in a second: 12 dB in 200 ms
    got = play("transient", {"in": x}, {"sustain_db": -10, "fall_ms": 200})["out"][:, 0]
    late = slice(int(0.9 * RATE), int(0.95 * RATE))
    assert 20 * np.log10(np.abs(got[late]).max() / np.abs(x[late]).max()) == pytest.approx(-10, abs=0.2)


@pytest.mark.parametrize("hz", [50, 100, 3000])
def test_what_stays_as_it_is_stays_as_it_is(play, hz):
    x = 0.5 * np.sin(2 * np.pi * hz * T)
    got = play("transient", {"in": x}, {"attack_db": 24, "sustain_db": 24})["out"][:, 0]
    assert got[RATE // 2 :] == pytest.approx(x[RATE // 2 :], abs=0.003)


def test_with_nothing_to_do_no_bit_changes(play):
    x = RNG.uniform(-1, 1, (4800, 2)).astype(np.float32)
    assert np.array_equal(play("transient", {"in": x})["out"], x)


def test_a_sidechain_shapes_in_its_place(play):
    x = np.ones(RATE, np.float32)
    key = np.where(T < 0.5, 0.001, 1.0) * np.sin(2 * np.pi * 2000 * T)
    got = play("transient", {"in": x, "sidechain": key}, {"attack_db": 6})["out"][:, 0]
    assert 20 * np.log10(got[RATE // 2 + 144]) == pytest.approx(6, abs=0.1)
    assert got[-1] == pytest.approx(1, abs=0.01)
