"""The delay against its definition in float64: repeats to the bit, fractions by sines, filters by their corners."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.signal import butter, freqz

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from host.contract.bench import RawIn
from host.offline import run_arrays
from nodes import kinds

RATE = 48000


def noise(frames=3000, channels=2, seed=1, level=1.0):
    return (level * np.random.default_rng(seed).uniform(-1, 1, (frames, channels))).astype(np.float32)


def late(x, frames):
    return np.concatenate([np.zeros((frames, x.shape[1]), x.dtype), x])[: len(x)]


def ms(frames, rate=RATE):
    """The time of a number of frames, as somebody would type it."""
    return frames * 1000 / rate


def repeats(x, frames, feedback, crossed=False):
    """y[n] = x[n − D] + feedback · y[n − D] in float64; crossed, the feedback comes from the other side."""
    y = late(x.astype(np.float64), frames)
    feedback = np.broadcast_to(feedback, len(x))
    for n in range(frames, len(y)):
        before = y[n - frames]
        y[n] += feedback[n - frames] * (before[::-1] if crossed else before)
    return y


def db(gain):
    return 20 * np.log10(np.maximum(np.abs(gain), 1e-300))


def response(y, freq, first, frames, rate=RATE):
    """Amplitude and phase of a sine in what was heard, as one complex number: 1 for the sine itself."""
    n = np.arange(first, first + frames)
    window = np.hanning(frames)
    return 2j * np.sum(y[n].astype(float) * np.exp(-2j * np.pi * freq * n / rate) * window) / window.sum()


def sine(freq, frames, rate=RATE):
    return np.sin(2 * np.pi * freq * np.arange(frames) / rate).astype(np.float32)


def wet(play, x, frames, settings=None, rate=RATE, **params):
    return play("delay", {"in": x}, {"time_ms": ms(frames, rate), "mix": 1, **params}, settings or {}, rate=rate)["out"]


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(0, 140, 20))
def test_every_short_delay_of_whole_frames_is_exact(play, first):
    x = noise(1000)
    for frames in range(first, first + 20):
        assert np.array_equal(wet(play, x, frames), late(x, frames)), frames


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_long_delays_of_whole_frames_are_exact(play, rate):
    """Although no float32 says their milliseconds exactly."""
    longest = 5 * rate
    lengths = [1000, 4799, 18000, longest // 3, 199_999, longest - 12_345, longest - 7, longest - 1, longest]
    for frames in lengths:
        x = noise(frames + 600, 1, seed=frames)
        assert np.array_equal(wet(play, x, frames, rate=rate), late(x, frames)), frames


def test_a_line_that_has_gone_round_is_exact(play):
    x = noise(3 << 18, 1)
    assert np.array_equal(wet(play, x, 239_999), late(x, 239_999))


@pytest.mark.parametrize("frames", [17.5, 40.1, 64.25, 333.5, 1000.9, 18000.75])
def test_fractions_are_flat_and_on_time(play, frames):
    """Within 0.01 dB, and 0.01 frames, up to 10 kHz; and 0.02 dB up to 18 kHz."""
    settled = math.ceil(frames) + 100
    for freq in (200.0, 1000.0, 3000.0, 5000.0, 7000.0, 9000.0, 10000.0, 14000.0, 18000.0):
        y = wet(play, sine(freq, settled + 8000), frames)[:, 0]
        found = response(y, freq, settled, 8000)
        assert abs(db(found)) < (0.01 if freq <= 10000 else 0.02), freq
        off = np.angle(found * np.exp(2j * np.pi * freq * frames / RATE))
        assert abs(off / (2 * np.pi * freq / RATE)) < 0.01, freq


def test_below_17_frames_times_are_rounded(play):
    x = noise(500)
    for frames in (0.4, 3.3, 9.6, 16.4):
        assert np.array_equal(wet(play, x, frames), late(x, round(frames))), frames


# -- feedback, mix, sides ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("frames", [1, 17, 63, 64, 65, 500, 2001])
@pytest.mark.parametrize("feedback", [-0.99, -0.5, 0.4, 0.99])
def test_repeats_repeat(play, frames, feedback, crossed):
    """In ping_pong, too: each repeat is on the other side."""
    x = noise(12000, level=0.2)
    settings = {"mode": "ping_pong" if crossed else "stereo"}
    wanted = repeats(x, frames, feedback, crossed)
    y = wet(play, x, frames, settings, feedback=feedback)
    assert np.abs(y - wanted).max() < 1e-6 * max(1.0, np.abs(wanted).max())


def test_ping_pong_goes_from_side_to_side(play):
    x = np.zeros((5000, 2), np.float32)
    x[0, 0] = 1.0
    y = wet(play, x, 1000, {"mode": "ping_pong"}, feedback=0.5)
    hits = {(int(n), int(side)): float(y[n, side]) for n, side in np.argwhere(y)}
    assert hits == {(1000, 0): 1.0, (2000, 1): 0.5, (3000, 0): 0.25, (4000, 1): 0.125}


@pytest.mark.parametrize("channels", [1, 6])
def test_ping_pong_needs_two_sides(play, channels):
    with pytest.raises(PatchError, match="ping_pong takes stereo"):
        play("delay", {"in": noise(64, channels)}, settings={"mode": "ping_pong"})


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_channel_has_its_own_line(play, channels):
    x = noise(4000, channels)
    y = wet(play, x, 700, feedback=-0.7)
    assert np.abs(y - repeats(x, 700, -0.7)).max() < 1e-6


@pytest.mark.parametrize("frames", [20.5, 50, 700])
def test_mix(play, frames):
    """0 is the input and 1 the repeats, to the bit; between, the one fades into the other."""
    x = noise(4000)
    x[1000:2000] *= 1e-9
    full = wet(play, x, frames, feedback=0.6)
    params = {"time_ms": ms(frames), "feedback": 0.6}
    assert np.array_equal(play("delay", {"in": x}, {**params, "mix": 0})["out"], x)
    for mix in (0.25, 0.5, 0.9):
        y = play("delay", {"in": x}, {**params, "mix": mix})["out"]
        assert np.abs(y - (x * (1 - mix) + full.astype(float) * mix)).max() < 5e-7


def test_as_it_comes_it_is_half_an_echo_after_a_quarter_of_a_second(play):
    x = noise(30000)
    assert np.abs(play("delay", {"in": x})["out"] - 0.5 * (x + late(x, 12000))).max() < 1e-7


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stereo", "ping_pong"])
def test_filters_are_off_at_their_ends(play, mode):
    x = noise(6000)
    off = {"low_cut_hz": 10, "high_cut_hz": 24000}
    assert np.array_equal(wet(play, x, 300, {"mode": mode}, **off), late(x, 300))
    for on in ({"low_cut_hz": 10.5}, {"high_cut_hz": 23900}):
        assert not np.array_equal(wet(play, x, 300, {"mode": mode}, **{**off, **on}), late(x, 300))


@pytest.mark.parametrize(
    ("param", "corner"),
    [("low_cut_hz", f) for f in (40.0, 500.0, 2000.0)] + [("high_cut_hz", f) for f in (200.0, 3000.0, 15000.0)],
)
def test_filters_cut_where_they_say(play, param, corner):
    """3 dB at the corner, around it the curve of a Butterworth filter of the first order; with every repeat again."""
    frames = RATE + 500
    coefficients = butter(1, corner, "highpass" if param == "low_cut_hz" else "lowpass", fs=RATE)
    for freq in (corner, 4.0, 50.0, 200.0, 2000.0, 8000.0, 20000.0):
        y = wet(play, sine(freq, frames), 100, **{param: corner})[:, 0]
        wanted = db(freqz(*coefficients, [freq], fs=RATE)[1][0])
        assert db(response(y, freq, 500, RATE)) == pytest.approx(wanted, abs=0.05), freq
        assert freq != corner or wanted == pytest.approx(-3.01, abs=0.01)
    x = np.zeros((RATE, 1), np.float32)
    x[:12000, 0] = sine(corner, 12000)
    y = wet(play, x, 12000, feedback=0.9, **{param: corner})[:, 0]
    first, second = (db(response(y, corner, at + 4800, 7200)) for at in (12000, 24000))
    assert second - first == pytest.approx(-3.01 + db(0.9), abs=0.1)


def test_filters_come_and_go_without_a_click(play):
    """A filter that begins does so from where the sound is, also when it was on before."""
    x = 0.5 * sine(200, RATE)
    plain = np.abs(np.diff(x)).max()
    for param, off, on in (("low_cut_hz", 10, 10.2), ("high_cut_hz", 24000, 23000)):
        points = [(k * 0.05, (off, on)[k % 2], "hold") for k in range(19)]
        y = play("delay", {"in": x}, {"time_ms": 10, "mix": 1}, automation={param: points})["out"][600:, 0]
        assert np.abs(np.diff(y)).max() < 1.1 * plain + 0.005


# -- movement ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("feedback", "frames"), [(0.0, 30.5), (0.0, 480), (0.6, 480)])
def test_small_steps_do_not_click(play, feedback, frames):
    """Steps of a millisecond, at any frame, in a sound that would jump by two thirds if it were cut there."""
    x = 0.9 * sine(100, RATE, RATE)
    slope = np.abs(np.diff(x)).max()
    points = [(0.1 + k * 0.01117, ms(frames) + k % 7, "hold") for k in range(60)]
    moving = {"time_ms": [(0.0, ms(frames), "hold"), *points]}
    y = play("delay", {"in": x}, {"mix": 1, "feedback": feedback}, automation=moving)["out"][1200:, 0]
    jump = 6 * 0.9 * 2 * np.pi * 100 / 1000 / 64
    assert np.abs(np.diff(y)).max() < (slope + jump) / (1 - feedback)


@pytest.mark.parametrize(("param", "step"), [("mix", 0.01), ("feedback", 0.01)])
@pytest.mark.parametrize("curve", ["hold", "linear"])
def test_levels_in_small_steps_jump_no_further_than_the_steps(play, param, step, curve):
    x = 0.5 * sine(100, RATE)
    points = [(k * 0.01117, step * (k % 80), curve) for k in range(80)]
    params = {"time_ms": 10, "mix": 0.5} | {param: 0.0}
    y = play("delay", {"in": x}, params, automation={param: points})["out"][2000:40000, 0]
    loudest = 2 * np.abs(y).max()
    natural = 2 * np.pi * 100 / RATE * loudest
    assert np.abs(np.diff(y)).max() < natural + (step * loudest if curve == "hold" else 0)


def test_feedback_and_mix_follow_automation_frame_by_frame(play):
    x = noise(9000)
    at, end = 2345, 6001
    lines = {
        "feedback": [(0.0, 0.0, "hold"), (at / RATE, -0.5, "linear"), (end / RATE, 0.8, "hold")],
        "mix": [(0.0, 1.0, "linear"), (end / RATE, 0.25, "hold")],
    }
    y = play("delay", {"in": x}, {"time_ms": ms(700)}, automation=lines)["out"]
    n = np.arange(len(x))
    feedback = np.where(n < at, 0.0, np.interp(n, [at, end], [-0.5, 0.8]))
    mix = np.interp(n, [0, end], [1.0, 0.25])[:, None]
    wanted = x * (1 - mix) + repeats(x, 700, feedback) * mix
    assert np.abs(y - wanted).max() < 2e-6


def test_a_step_in_time_is_a_fade_of_one_tick(play):
    """From the old place in the line to the new one; before and after, each to the bit."""
    x = noise(6000, 1)
    at = 3011
    moving = {"time_ms": [(0.0, ms(100), "hold"), (at / RATE, ms(900), "hold")]}
    y = play("delay", {"in": x}, {"mix": 1}, automation=moving)["out"]
    assert np.array_equal(y[:at], late(x, 100)[:at])
    assert np.array_equal(y[at + 64 :], late(x, 900)[at + 64 :])
    step = (np.arange(64)[:, None] + 1) / 64
    fade = late(x, 100)[at : at + 64] * (1 - step) + late(x, 900)[at : at + 64] * step
    assert np.abs(y[at : at + 64] - fade).max() < 1e-6


def test_a_time_that_glides_bends_the_pitch(play):
    """A delay that shrinks by a tenth of the time plays a tenth faster: nearly all of the sound is at 1100 Hz."""
    x = 0.5 * sine(1000, 2 * RATE)
    moving = {"time_ms": [(0.0, 250.0, "hold"), (0.3, 250.0, "linear"), (1.8, 100.0, "hold")]}
    y = play("delay", {"in": x}, {"mix": 1}, automation=moving)["out"][RATE // 2 : RATE * 3 // 2, 0]
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    assert np.argmax(power) == 1100
    assert power[1090:1111].sum() > 0.99 * power.sum()


MOVES = {
    "time_ms": [(0.0, 3.0, "linear"), (0.05, 20.0, "hold"), (0.0631, 0.1, "hold"), (0.071, 30.02, "linear")],
    "feedback": [(0.0, -0.9, "linear"), (0.07, 0.9, "hold"), (0.0801, 0.2, "hold")],
    "mix": [(0.0, 0.2, "linear"), (0.05, 1.0, "hold"), (0.0711, 0.4, "hold")],
    "low_cut_hz": [(0.0, 10.0, "hold"), (0.02003, 10.0, "linear"), (0.07, 900.0, "hold"), (0.0902, 10, "hold")],
    "high_cut_hz": [(0.0, 24000.0, "hold"), (0.03107, 800.0, "exponential"), (0.08, 24000.0, "hold")],
}  # fmt: skip


@pytest.mark.parametrize("mode", ["stereo", "ping_pong"])
@pytest.mark.parametrize("moved", [*([name] for name in MOVES), list(MOVES)], ids=lambda names: "+".join(names))
def test_automation_sounds_the_same_in_every_block(play, mode, moved):
    x = noise(6400)
    lines = {name: MOVES[name] for name in moved}
    params = {"time_ms": 7.3, "feedback": 0.7, "mix": 0.8}
    found = [
        play("delay", {"in": x}, params, {"mode": mode}, automation=lines, block=block, checked=checked)
        for block, checked in ((64, False), (448, False), (1024, False), (512, True))
    ]
    assert all(np.array_equal(found[0]["out"], other["out"]) for other in found[1:])
    assert found[-1].program.faults == 0
    assert np.isfinite(found[0]["out"]).all()


def test_modulation(play):
    """A cable that says one in its second half adds its amount, as a share of the range: 0.1 · 5 s."""
    x = noise(40000, 1)
    shift = (np.arange(len(x)) >= 30000).astype(np.float32)
    y = play("delay", {"in": x}, {"time_ms": 10, "mix": 1}, modulation={"time_ms": (shift, 0.1)})["out"]
    assert np.array_equal(y[:30000], late(x, 480)[:30000])
    assert np.array_equal(y[30100:], late(x, 24480)[30100:])


# -- the rest ----------------------------------------------------------------------------------------------------------


def heard_raw(x, settings=None, **params):
    """What becomes of numbers that come in as they are, even those that are none: an input would clean them."""
    patch = Patch(sample_rate=RATE)
    patch.add("in", "raw_in")
    patch.add("node", "delay", settings=settings or {}, **params)
    patch.add("out", "audio_out")
    patch.connect("in.out", "node.in")
    patch.connect("node.out", "out.in")
    return run_arrays(compile(patch, {**kinds(), "raw_in": RawIn}, None), None, len(x), {"in": x})[0]["out"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("frames", [20, 500, 300.5])
@pytest.mark.parametrize("filters", [{}, {"low_cut_hz": 300.0, "high_cut_hz": 3000.0}])
def test_what_is_no_number_is_silence_in_the_line(bad, frames, filters):
    broken, silent = noise(6000), noise(6000)
    broken[1024:1088], silent[1024:1088] = bad, 0.0
    params = {"time_ms": ms(frames), "mix": 0.5, **filters}
    y = heard_raw(broken, **params)
    assert np.isfinite(y[:1024]).all()
    assert np.array_equal(y[1088:], heard_raw(silent, **params)[1088:])
    again = heard_raw(broken, feedback=0.9, **params)[1088:]
    assert np.isfinite(again).all()
    assert np.sqrt(np.mean(again**2)) < 3


def test_floats_that_overflow_do_not_stay(play):
    x = noise(RATE // 2)
    x[2000:2064] = 3e38
    for filters in ({}, {"low_cut_hz": 300.0, "high_cut_hz": 3000.0}):
        y = wet(play, x, 100, feedback=0.99, **filters)
        assert np.isfinite(y).all()
    assert np.abs(heard_raw(x, time_ms=ms(100), mix=1.0)[2300:]).max() <= 1


def tail_of(rate, params, settings=None):
    patch = Patch(sample_rate=rate)
    patch.add("node", "delay", settings=settings or {}, **params)
    config = compile(patch, kinds(), None).node("node").config
    return kinds()["delay"].tail(config)


@pytest.mark.parametrize("mode", ["stereo", "ping_pong"])
@pytest.mark.parametrize(
    "params",
    [
        {"time_ms": 0.0},
        {"time_ms": 5000.0},
        {"time_ms": 33.33},
        {"time_ms": 5.0, "feedback": 0.99},
        {"time_ms": 0.0, "feedback": 0.99},
        {"time_ms": 40.01, "feedback": -0.9},
        {"time_ms": 10.0, "feedback": 0.5, "low_cut_hz": 10.1},
        {"time_ms": 10.0, "low_cut_hz": 10.1},
        {"time_ms": 1.0, "feedback": 0.5, "high_cut_hz": 200.0},
        {"time_ms": 3.0, "feedback": 0.8, "high_cut_hz": 200.0, "low_cut_hz": 2000.0},
    ],
    ids=str,
)
def test_silent_after_its_tail(play, params, mode):
    """Below −120 dB of the loudest, with a line full of noise and a step, and with low frequencies to ring on."""
    rate = 8000
    burst = round(rate * (0.5 + params["time_ms"] / 1000))
    x = np.zeros((burst + 4000 + math.ceil(tail_of(rate, params) * rate), 2), np.float32)
    x[:burst] = 0.5 * noise(burst) + 0.5
    y = play("delay", {"in": x}, {"mix": 1, **params}, {"mode": mode}, rate=rate)["out"]
    silent = burst + math.ceil(tail_of(rate, params, {"mode": mode}) * rate)
    assert np.abs(y[silent:]).max() < 1e-6 * max(1.0, np.abs(y).max())


@pytest.mark.parametrize("mode", ["stereo", "ping_pong"])
def test_the_ends_of_every_param_together(play, mode):
    """Finite, within the sum of all repeats, and no index out of range."""
    x = noise(4000)
    names = ("time_ms", "feedback", "mix", "low_cut_hz", "high_cut_hz")
    declared = {p.name: p for p in kinds()["delay"].params({"mode": mode})}
    for values in itertools.product(*((declared[name].low, declared[name].high) for name in names)):
        played = play("delay", {"in": x}, dict(zip(names, values, strict=True)), {"mode": mode}, checked=True)
        assert np.isfinite(played["out"]).all(), values
        assert np.abs(played["out"]).max() <= 100, values
        assert played.program.faults == 0, values


@pytest.mark.parametrize("frames", [17.5, 20.2, 100.99])
def test_the_most_feedback_dies_away_at_every_frequency(play, frames):
    """An interpolator that gave back more than it got would grow without end."""
    x = np.zeros((3 * RATE, 1), np.float32)
    x[:200] = noise(200, 1)
    y = wet(play, x, frames, feedback=0.99)[:, 0].astype(float)
    passes = RATE / frames
    early, later = (np.abs(np.fft.rfft(y[at : at + RATE // 2])) for at in (RATE // 2, RATE * 3 // 2))
    assert db(later.max()) < db(early.max()) + 0.95 * passes * db(0.99)


def test_bypass_takes_it_away(play):
    x = noise(2000)
    assert np.array_equal(play("delay", {"in": x}, {"feedback": 0.5}, bypass=True)["out"], x)
