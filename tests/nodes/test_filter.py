"""The filter against scipy with coefficients written down from the cookbook here, by themselves."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from scipy import signal

from graph.compiler import compile
from graph.document import Patch
from graph.spec import Config
from host.offline import run_arrays
from nodes import kinds
from nodes.dsp.biquad import TYPES
from nodes.filter import Filter

RATE = 48000


def cookbook(type: str, freq: float, q: float, gain_db: float, rate: float = RATE) -> np.ndarray:
    """https://www.w3.org/TR/audio-eq-cookbook/, as one second-order section."""
    A, w = 10 ** (gain_db / 40), 2 * math.pi * freq / rate
    c, alpha = math.cos(w), math.sin(w) / (2 * q)
    r = 2 * math.sqrt(A) * alpha
    a = [1 + alpha, -2 * c, 1 - alpha]
    match type:
        case "lowpass":
            b = [(1 - c) / 2, 1 - c, (1 - c) / 2]
        case "highpass":
            b = [(1 + c) / 2, -(1 + c), (1 + c) / 2]
        case "bandpass":
            b = [alpha, 0, -alpha]
        case "notch":
            b = [1, -2 * c, 1]
        case "allpass":
            b = [1 - alpha, -2 * c, 1 + alpha]
        case "peak":
            b = [1 + alpha * A, -2 * c, 1 - alpha * A]
            a = [1 + alpha / A, -2 * c, 1 - alpha / A]
        case "lowshelf":
            b = [A * (A + 1 - (A - 1) * c + r), 2 * A * (A - 1 - (A + 1) * c), A * (A + 1 - (A - 1) * c - r)]
            a = [A + 1 + (A - 1) * c + r, -2 * (A - 1 + (A + 1) * c), A + 1 + (A - 1) * c - r]
        case "highshelf":
            b = [A * (A + 1 + (A - 1) * c + r), -2 * A * (A - 1 + (A + 1) * c), A * (A + 1 + (A - 1) * c - r)]
            a = [A + 1 - (A - 1) * c + r, 2 * (A - 1 - (A + 1) * c), A + 1 - (A - 1) * c - r]
        case _:
            raise AssertionError(type)
    return np.array([*b, *a]) / a[0]


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return (0.25 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def below(difference: np.ndarray, reference: np.ndarray) -> float:
    """The largest difference, in dB below the reference's peak."""
    return 20 * math.log10(max(np.max(np.abs(difference)), 1e-30) / np.max(np.abs(reference)))


def params(freq: float = 1000.0, q: float = 0.7071, gain_db: float = 0.0) -> dict[str, float]:
    return {"freq_hz": float(np.float32(freq)), "q": float(np.float32(q)), "gain_db": float(np.float32(gain_db))}


EXTREMES = [
    (1000, 0.7071, 6),
    (100, 4, -12),
    (8000, 0.3, 12),
    (20000, 1, -6),
    (60, 12, 40),
    (500, 0.05, -40),
    (3000, 50, 0),
]


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_magnitude_and_phase_are_the_cookbooks(play, type, rate):
    for freq, q, gain_db in EXTREMES:
        given = params(freq, q, gain_db)
        frames = 1 << (19 if freq < 500 else 16)
        impulse = np.zeros(frames, np.float32)
        impulse[0] = 1.0
        found = play("filter", {"in": impulse}, given, {"type": type}, rate=rate)["out"][:, 0]
        bins = np.unique(np.round(np.geomspace(20, 20000, 400) * frames / rate)).astype(int)
        _, wanted = signal.sosfreqz(cookbook(type, *given.values(), rate), bins * rate / frames, fs=rate)
        # Below that, what is left of the response is the rounding of the output to float32.
        audible = np.abs(wanted) > 1e-4 * np.max(np.abs(wanted))
        ratio = np.fft.rfft(found.astype(np.float64))[bins][audible] / wanted[audible]
        assert np.max(np.abs(20 * np.log10(np.abs(ratio)))) < 0.05, given
        assert np.max(np.abs(np.degrees(np.angle(ratio)))) < 1.0, given


@pytest.mark.parametrize("type", TYPES)
def test_samples_are_those_of_a_float64_reference(play, type):
    x = noise(30000, 2)
    for freq, q, gain_db in itertools.product((10.0, 333.0, 23000.0), (0.05, 0.7071, 50.0), (-40.0, 3.0, 40.0)):
        given = params(freq, q, gain_db)
        found = play("filter", {"in": x}, given, {"type": type})["out"]
        wanted = signal.sosfilt(cookbook(type, *given.values()), x.astype(np.float64), axis=0)
        assert below(found - wanted, np.append(wanted, 1e-3)) < -120, given


def test_a_peak_of_zero_decibels_changes_no_bit(play):
    x = noise(10000, 2)
    for type in ("peak", "lowshelf", "highshelf"):
        assert np.array_equal(play("filter", {"in": x}, params(5000, 3, 0), {"type": type})["out"], x)


def test_frequencies_at_and_above_half_the_rate_are_taken_just_below_it(play):
    x = noise(20000)
    for type in TYPES:
        found = play("filter", {"in": x}, params(24000, 0.7071, 6), {"type": type}, rate=44100)["out"]
        wanted = signal.sosfilt(cookbook(type, 0.499 * 44100, 0.7071, 6, 44100), x.astype(np.float64), axis=0)
        assert below(found - wanted, x) < -110, type


def test_two_hundred_in_series_stay_within_minus_120_decibels():
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    before, sections = "in", []
    for k in range(200):
        given = params(50 * 2 ** (8 * k / 200), 1, -0.5 if k % 2 else 0.5)
        sections.append(cookbook("peak", *given.values()))
        patch.add(f"f{k:03d}", "filter", settings={"type": "peak"}, **given)
        patch.connect(f"{before}.out", f"f{k:03d}.in")
        before = f"f{k:03d}"
    patch.add("out", "audio_out")
    patch.connect(f"{before}.out", "out.in")
    x = noise(48000, 2)
    found, _ = run_arrays(compile(patch, kinds(), None), None, len(x), {"in": x})
    wanted = signal.sosfilt(np.array(sections), x.astype(np.float64), axis=0)
    assert below(found["out"] - wanted, wanted) < -120


def side_by_side(count: int, layout: str) -> Patch:
    patch = Patch(sample_rate=RATE)
    for k in range(count):
        patch.add(f"i{k}", "audio_in", settings={"layout": layout})
        patch.add(f"f{k}", "filter", settings={"type": "lowshelf"}, **params(100 * (k + 1), 0.5 + k, 3 * k - 10))
        patch.add(f"o{k}", "audio_out", settings={"layout": layout})
        patch.connect(f"i{k}.out", f"f{k}.in")
        patch.connect(f"f{k}.out", f"o{k}.in")
    return patch


@pytest.mark.parametrize(("count", "layout", "channels"), [(8, "stereo", 2), (16, "mono", 1), (2, "5.1.4", 10)])
def test_many_side_by_side_give_the_bits_of_each_alone(count, layout, channels):
    patch = side_by_side(count, layout)
    inputs = {f"i{k}": noise(5000, channels, k) for k in range(count)}
    wide, _ = run_arrays(compile(patch, kinds(), None), None, 5000, inputs)
    alone, _ = run_arrays(compile(patch, kinds(), None, wide=False), None, 5000, inputs)
    for k in range(count):
        assert np.array_equal(wide[f"o{k}"], alone[f"o{k}"])
        assert wide[f"o{k}"].any()


MOVING = {
    "freq_hz": [(0.0, 100.0, "exponential"), (0.3, 9000.0, "linear"), (0.41, 300.0, "hold")],
    "gain_db": [(0.0, 0.0, "linear"), (0.2, 18.0, "hold"), (0.333, -18.0, "linear"), (0.5, 0.0, "hold")],
}


@pytest.mark.parametrize("type", ["lowpass", "peak"])
def test_blocks_make_no_difference(play, type):
    x = noise(30000, 2)
    for automation in ({}, MOVING):
        runs = [
            play("filter", {"in": x}, params(700, 5, 9), {"type": type}, automation=automation, block=block)["out"]
            for block in (64, 448, 1024)
        ]
        assert np.array_equal(runs[0], runs[1])
        assert np.array_equal(runs[0], runs[2])


def test_checked_code_finds_nothing_wrong(play):
    played = play(
        "filter", {"in": noise(3000, 6)}, params(700, 5, 9), {"type": "peak"}, automation=MOVING, checked=True
    )
    assert played.program.faults == 0
    assert np.isfinite(played["out"]).all()


def test_bypass_passes_the_input(play):
    x = noise(1000, 2)
    assert np.array_equal(play("filter", {"in": x}, params(50, 20), {"type": "highpass"}, bypass=True)["out"], x)


def config(type: str, given: dict[str, float], driven: frozenset[str] = frozenset()) -> Config:
    return Config("f", {"type": type}, given, RATE, {"in": "mono", "out": "mono"}, driven=driven)


@pytest.mark.parametrize("type", TYPES)
def test_the_curve_shown_is_the_one_heard(type):
    freqs = np.geomspace(10, 24000, 200)
    given = params(3000, 2, -9)
    _, wanted = signal.sosfreqz(cookbook(type, *given.values()), freqs, fs=RATE)
    shown = Filter.response(config(type, given), freqs)
    loud = np.abs(wanted) > 1e-10
    assert np.allclose(shown[loud], 20 * np.log10(np.abs(wanted[loud])), atol=1e-6)


@pytest.mark.parametrize("given", [params(20, 10, 20), params(1000, 0.7071), params(200, 0.05, -20), params(15000, 30)])
@pytest.mark.parametrize("type", TYPES)
def test_silence_follows_the_tail(play, type, given):
    tail = Filter.tail(config(type, given))
    frames = 64 + round(tail * RATE)
    x = np.zeros((frames + 4800, 1))
    x[:64] = np.sign(noise(64))
    found = play("filter", {"in": x}, given, {"type": type})["out"]
    assert np.max(np.abs(found[frames:])) < 1e-6


@pytest.mark.parametrize("type", TYPES)
def test_the_tail_of_what_moves_is_the_longest_that_it_may_have(type):
    chance, spans = random.Random(type), {p.name: (p.low, p.high) for p in Filter.params({})}

    def drawn(name: str) -> float:
        low, high = spans[name]
        u = chance.choice((0.0, 1.0, chance.random()))
        return low + (high - low) * u if name == "gain_db" else low * (high / low) ** u

    for _ in range(300):
        driven = frozenset(chance.sample(sorted(spans), chance.randint(1, 3)))
        given = {name: drawn(name) for name in spans}
        longest = Filter.tail(config(type, given, driven))
        for moved in [{name: drawn(name) for name in driven} for _ in range(10)]:
            assert Filter.tail(config(type, given | moved)) <= longest * (1 + 1e-9)
