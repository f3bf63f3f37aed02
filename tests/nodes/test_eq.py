"""The equaliser against scipy with the cookbook's transfer functions, written down here by themselves."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import signal

from graph.compiler import compile
from graph.document import Patch
from graph.spec import Config
from host.native.arena import Arena
from host.native.runner import ROW_INSTEAD
from host.offline import Offline, feed_array, run_arrays
from nodes import kinds
from nodes.dsp.biquad import TYPES
from nodes.eq import Eq

RATE = 48000
RAMP = 8 * 64 / RATE
"""How long a switch takes that is thrown by hand."""

Band = tuple[str, float, float, float]
"""Type, Hz, Q, dB."""


def cookbook(band: Band, rate: float = RATE) -> np.ndarray:
    """https://www.w3.org/TR/audio-eq-cookbook/: H(s), by the bilinear transform, as one second-order section."""
    type, freq, q, gain_db = band
    A, w = 10 ** (gain_db / 40), math.tan(math.pi * freq / rate)
    r = math.sqrt(A) / q
    b, a = {
        "lowpass": ([0, 0, 1], [1, 1 / q, 1]),
        "highpass": ([1, 0, 0], [1, 1 / q, 1]),
        "bandpass": ([0, 1 / q, 0], [1, 1 / q, 1]),
        "notch": ([1, 0, 1], [1, 1 / q, 1]),
        "allpass": ([1, -1 / q, 1], [1, 1 / q, 1]),
        "peak": ([1, A / q, 1], [1, 1 / (A * q), 1]),
        "lowshelf": ([A, A * r, A * A], [A, r, 1]),
        "highshelf": ([A * A, A * r, A], [1, r, A]),
    }[type]
    over = np.array([1, w, w * w])  # s is taken at tan(π·freq/rate) as the cookbook takes it at 1
    b, a = signal.bilinear(b * over, a * over, fs=0.5)
    return np.concatenate([np.pad(b, (3 - len(b), 0)), a])


def exact(*bands: Band) -> list[Band]:
    """The bands as float32 keeps them."""
    return [(type, *(float(np.float32(v)) for v in values)) for type, *values in bands]


def params(bands: list[Band], *, off: tuple[int, ...] = (), first: int = 1) -> dict[str, float]:
    found: dict[str, float] = {}
    for n, (type, freq, q, gain_db) in enumerate(bands, first):
        found |= {f"b{n}_on": n not in off, f"b{n}_type": TYPES.index(type)}
        found |= {f"b{n}_freq_hz": freq, f"b{n}_q": q, f"b{n}_gain_db": gain_db}
    return found


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return (0.25 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def decibels(difference: np.ndarray, reference: np.ndarray) -> float:
    return 20 * math.log10(max(np.max(np.abs(difference)), 1e-30) / np.max(np.abs(reference)))


def through(bands: list[Band], x: np.ndarray) -> np.ndarray:
    """The bands one after the other, in float64."""
    return signal.sosfilt(np.array([cookbook(band) for band in bands]), x.astype(np.float64), axis=0)


SINGLE = [
    exact((type, *values))
    for type in TYPES
    for values in [(1000, 0.7071, 6), (100, 4, -12), (12000, 0.3, 12), (20000, 1, -6), (3000, 30, 20), (40, 1.5, -40)]
]
CHAINS = [
    exact(("lowshelf", 80, 0.7071, -3), ("peak", 400, 1, 2), ("peak", 3000, 1.4, -2), ("highshelf", 9000, 0.7071, 2)),
    exact(("highpass", 30, 0.7071, 0), ("peak", 200, 8, 15), ("allpass", 1000, 2, 0), ("lowpass", 18000, 0.6, 0)),
    exact(*(("peak", 60 * 2.3**k, 1.5, (-1) ** k * 9) for k in range(8))),
    exact(*((type, 150 * 2**k, 0.6, 4) for k, type in enumerate(t for t in TYPES if t != "bandpass"))),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("cases", [*(SINGLE[k : k + 6] for k in range(0, len(SINGLE), 6)), CHAINS])
def test_magnitude_and_phase_are_the_cookbooks(play, cases, rate, channels):
    for bands in cases:
        frames = 1 << 17
        impulse = np.zeros((frames, channels), np.float32)
        impulse[0] = np.linspace(1.0, 0.5, channels)
        found = play("eq", {"in": impulse}, params(bands), rate=rate)["out"]
        bins = np.unique(np.round(np.geomspace(20, 20000, 600) * frames / rate)).astype(int)
        _, wanted = signal.sosfreqz([cookbook(band, rate) for band in bands], bins * rate / frames, fs=rate)
        # Below that, what is left of the response is the rounding of the output to float32.
        audible = np.abs(wanted) > 1e-4 * np.max(np.abs(wanted))
        for channel in range(channels):
            spectrum = np.fft.rfft(found[:, channel].astype(np.float64))[bins] / impulse[0, channel]
            ratio = spectrum[audible] / wanted[audible]
            assert np.max(np.abs(20 * np.log10(np.abs(ratio)))) < 0.05, bands
            assert np.max(np.abs(np.degrees(np.angle(ratio)))) < 1.0, bands


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_are_those_of_a_float64_reference(play, channels):
    x = noise(20000, channels)
    for bands in CHAINS:
        wanted = through(bands, x)
        assert decibels(play("eq", {"in": x}, params(bands))["out"] - wanted, wanted) < -120, bands


def test_bands_that_are_off_change_no_bit(play):
    x = noise(5000, 2)
    assert np.array_equal(play("eq", {"in": x})["out"], x)
    assert np.array_equal(play("eq", {"in": x}, params(CHAINS[2], off=tuple(range(1, 9))))["out"], x)
    chosen = [CHAINS[2][k] for k in (1, 4, 6)]
    among_others = play("eq", {"in": x}, params(CHAINS[2], off=(1, 3, 4, 6, 8)))["out"]
    assert np.array_equal(among_others, play("eq", {"in": x}, params(chosen))["out"])
    assert np.array_equal(among_others, play("eq", {"in": x}, params(chosen, first=6))["out"])


def test_one_band_gives_the_bits_of_a_filter(play):
    x = noise(5000, 2)
    for (band,) in SINGLE:
        type, freq, q, gain_db = band
        one = {"freq_hz": freq, "q": q, "gain_db": gain_db}
        filtered = play("filter", {"in": x}, one, {"type": type})["out"]
        assert np.array_equal(play("eq", {"in": x}, params([band]))["out"], filtered), band


def test_bands_run_in_order(play):
    """Heard where a band is switched on in the middle: those before it had rung, those behind it hear it start."""
    x, frame = noise(12000), 6007
    loud, narrow, wide = exact(("peak", 500, 2, 20), ("bandpass", 500, 40, 0), ("lowpass", 3000, 0.7071, 0))
    for order in itertools.permutations((loud, narrow, wide)):
        place = order.index(loud)
        automation = {f"b{place + 1}_on": [(0.0, 0.0, "hold"), (frame / RATE, 1.0, "hold")]}
        found = play("eq", {"in": x}, params(list(order)), automation=automation)["out"]
        before = through(list(order[:place]), x) if place else x.astype(np.float64)
        on = through([loud], before)
        wanted = np.concatenate([before[:frame], on[frame:]])
        wanted = through(list(order[place + 1 :]), wanted) if place < 2 else wanted
        assert decibels(found - wanted, wanted) < -120, order


def test_a_band_that_is_switched_by_automation_had_never_stopped(play):
    """Off, the others are heard to the last bit; on, from its frame on, what it would be had it always been on."""
    x, on, off = noise(20000, 2), 4321, 9999
    bands = CHAINS[0]
    switched = {"b2_on": [(0.0, 0.0, "hold"), (on / RATE, 1.0, "hold"), (off / RATE, 0.0, "hold")]}
    single = [bands[1]]
    found = play("eq", {"in": x}, params(single, first=2), automation=switched)["out"]
    always = play("eq", {"in": x}, params(single, first=2))["out"]
    assert np.array_equal(found[:on], x[:on])
    assert np.array_equal(found[on:off], always[on:off])
    assert np.array_equal(found[off:], x[off:])
    found = play("eq", {"in": x}, params(bands), automation=switched)["out"]
    first = through(bands[:1], x)
    second = through(bands[1:2], first)
    wanted = first.copy()
    wanted[on:off] = second[on:off]
    wanted = through(bands[2:], wanted)
    assert decibels(found - wanted, wanted) < -120


@pytest.mark.parametrize("band", exact(("peak", 1000, 1, 12), ("highshelf", 300, 0.7071, -18), ("lowpass", 900, 4, 0)))
def test_a_band_that_is_faded_in_and_out_does_not_click(play, band):
    """A fade as long as that of a switch thrown by hand adds nothing far from the sine that it fades."""
    x = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    fades = [(0.3, 0.0, "linear"), (0.3 + RAMP, 1.0, "hold"), (0.7, 1.0, "linear"), (0.7 + RAMP, 0.0, "hold")]
    abrupt = [(0.3 + RAMP / 2, 1.0, "hold"), (0.7 + RAMP / 2, 0.0, "hold")]
    window = signal.windows.blackmanharris(RATE - 480)
    far = np.abs(np.fft.rfftfreq(RATE - 480, 1 / RATE) - 1000) > 3000
    apart = []
    for points in (fades, [(0.0, 0.0, "hold"), *abrupt]):
        found = play("eq", {"in": x}, params([band]), automation={"b1_on": points})["out"][:, 0]
        spectrum, own = (np.abs(np.fft.rfft(s[480:] * window)) for s in (found, x))
        apart.append(decibels(spectrum[far], own))
        assert np.array_equal(found[-9000:], x[-9000:].astype(np.float32))
    assert apart[0] < -90
    assert apart[1] > apart[0] + 20


def test_a_fraction_of_a_band_is_that_share_of_it(play):
    x, bands = noise(8000, 2), CHAINS[0][:1]
    found = play("eq", {"in": x}, params(bands), automation={"b1_on": [(0.0, 0.25, "hold")]})["out"]
    wanted = 0.75 * x + 0.25 * through(bands, x)
    assert decibels(found - wanted, wanted) < -120


def test_type_is_automated_at_its_frame(play):
    x, frame = noise(8000), 4321
    bands = exact(("peak", 500, 1, 0))  # which holds what any other type with its frequency and Q would hold
    points = [(0.0, TYPES.index("peak"), "hold"), (frame / RATE, TYPES.index("bandpass"), "hold")]
    found = play("eq", {"in": x}, params(bands), automation={"b1_type": points})["out"]
    wanted = through([("bandpass", *bands[0][1:])], x)
    assert np.array_equal(found[:frame], x[:frame])
    assert decibels(found[frame:] - wanted[frame:], wanted) < -120


def played_on(x: np.ndarray, parts: list[tuple[int, dict[str, float]]]) -> np.ndarray:
    """An eq in a patch that is compiled again, with other params, at each frame of ``parts``, over the same memory."""
    arena, found = Arena(), np.zeros_like(x)
    for (start, given), end in zip(parts, [start for start, _ in parts[1:]] + [len(x)], strict=True):
        patch = Patch(sample_rate=RATE)
        patch.add("in", "audio_in", settings={"layout": "stereo"})
        patch.add("eq", "eq", **given)
        patch.add("out", "audio_out", settings={"layout": "stereo"})
        patch.connect("in.out", "eq.in")
        patch.connect("eq.out", "out.in")
        with Offline(compile(patch, kinds(), None), None, arena=arena) as offline:
            offline.feeds["in"] = feed_array(x[start:end])
            offline.drains["out"] = lambda at, y, start=start: found[start:].__setitem__(slice(at, at + len(y)), y)
            assert list(offline.run(end - start))[-1] == end - start
    return found


def test_bands_keep_what_they_hold_when_another_is_taken_out_or_put_in():
    """A band that was taken out comes back empty; those beside it never notice."""
    x, out, back = noise(64 * 300, 2), 64 * 100, 64 * 170
    bands = exact(("peak", 90, 6, 9), ("peak", 120, 8, 15), ("lowshelf", 200, 2, -9), ("allpass", 70, 9, 0))
    for k in range(4):
        found = played_on(x, [(0, params(bands)), (out, params(bands, off=(k + 1,))), (back, params(bands))])
        wanted = through(bands[:k], x) if k else x.astype(np.float64)
        first, last = through([bands[k]], wanted[:out]), through([bands[k]], wanted[back:])
        wanted = np.concatenate([first, wanted[out:back], last])
        wanted = through(bands[k + 1 :], wanted) if k < 3 else wanted
        assert decibels(found - wanted, wanted) < -120, k


def test_a_band_that_a_knob_switches_on_fades_in_from_the_first_frame():
    """Where nothing is automated, another step is called in place of the one at rest while the switch is thrown."""
    x, start, ramp = noise(64 * 60, 2), 64 * 16, 64 * 8
    bands = CHAINS[0][:2]
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": "stereo"})
    patch.add("eq", "eq", **params(bands))
    patch.add("out", "audio_out", settings={"layout": "stereo"})
    patch.connect("in.out", "eq.in")
    patch.connect("eq.out", "out.in")
    share = (np.arange(ramp) / ramp).astype(np.float32)
    found = np.zeros_like(x)
    with Offline(compile(patch, kinds(), None), None) as offline:
        offline.feeds["in"] = feed_array(x)
        offline.drains["out"] = lambda at, y: found.__setitem__(slice(at, at + len(y)), y)
        (knob,) = offline.program.knobs["eq", "b1_on"]
        knob.cell[...] = 0.0
        assert list(offline.run(start))[-1] == start
        instead = offline.program.binding.kernels.instead(knob.row)
        instead.pairs["eq", "b1_on"][:] = share.ctypes.data, 1
        offline.program.rows[knob.row, ROW_INSTEAD] = instead.table.ctypes.data
        assert list(offline.run(ramp))[-1] == ramp
        offline.program.rows[knob.row, ROW_INSTEAD] = 0
        knob.cell[...] = 1.0
        assert list(offline.run(len(x) - start - ramp))
    on = np.concatenate([np.zeros(start), share, np.ones(len(x) - start - ramp)])[:, None]
    first = (1 - on) * x
    first[start:] += on[start:] * through(bands[:1], x[start:])
    wanted = through(bands[1:], first)
    assert decibels(found - wanted, wanted) < -120


# -- always the same bits ----------------------------------------------------------------------------------------------


MOVING = {
    "b2_freq_hz": [(0.0, 100.0, "exponential"), (0.1, 9000.0, "linear"), (0.207, 300.0, "hold")],
    "b3_gain_db": [(0.0, 0.0, "linear"), (0.2, 18.0, "hold"), (0.333, -18.0, "linear"), (0.5, 0.0, "hold")],
    "b4_on": [(0.0, 0.0, "hold"), (0.11, 1.0, "linear"), (0.13, 0.0, "hold")],
}


@pytest.mark.parametrize("automation", [{}, MOVING])
def test_blocks_and_threads_make_no_difference(play, automation):
    x = noise(20000, 2)
    first, *others = (
        play("eq", {"in": x}, params(CHAINS[0]), automation=automation, block=block, threads=threads)["out"]
        for block, threads in ((64, 1), (448, 1), (1024, 1), (64, 2), (1024, 2))
    )
    assert all(np.array_equal(first, other) for other in others)


def test_checked_code_finds_nothing_wrong(play):
    for automation in ({}, MOVING):
        played = play("eq", {"in": noise(9000, 6)}, params(CHAINS[0]), automation=automation, checked=True)
        assert played.program.faults == 0
        assert np.isfinite(played["out"]).all()


@pytest.mark.parametrize(("count", "layout", "channels"), [(8, "stereo", 2), (16, "mono", 1), (2, "5.1", 6)])
def test_side_by_side_each_gives_the_bits_that_it_gives_alone(count, layout, channels):
    """Also where as many, but not the same, bands are on."""
    patch, inputs = Patch(sample_rate=RATE), {}
    for k in range(count):
        bands = CHAINS[k % 2]
        patch.add(f"i{k:02d}", "audio_in", settings={"layout": layout})
        patch.add(f"eq{k:02d}", "eq", **params(bands, first=1 + k % 5))
        patch.add(f"o{k:02d}", "audio_out", settings={"layout": layout})
        patch.connect(f"i{k:02d}.out", f"eq{k:02d}.in")
        patch.connect(f"eq{k:02d}.out", f"o{k:02d}.in")
        inputs[f"i{k:02d}"] = noise(5000, channels, k)
    schedule = compile(patch, kinds(), None)
    together = [len(step.nodes) for step in schedule.steps if getattr(step, "nodes", ())]
    assert max(together) == count
    by_itself = compile(patch, kinds(), None, wide=False)
    alone, _ = run_arrays(by_itself, None, 5000, inputs)
    for another, threads in ((schedule, 1), (schedule, 2), (by_itself, 2)):
        found, _ = run_arrays(another, None, 5000, inputs, threads=threads)
        assert all(np.array_equal(found[id], alone[id]) for id in alone)
    wanted = through(CHAINS[1], inputs["i01"])
    assert decibels(alone["o01"] - wanted, wanted) < -120


# -- what is declared --------------------------------------------------------------------------------------------------


def config(given: dict[str, float], driven: frozenset[str] = frozenset()) -> Config:
    full = {p.name: p.default for p in Eq.params({})} | {name: float(value) for name, value in given.items()}
    return Config("eq", {}, full, RATE, {"in": "mono", "out": "mono"}, driven=driven)


def test_the_curve_shown_is_the_one_heard():
    freqs = np.geomspace(10, 24000, 200)
    for bands in CHAINS:
        _, wanted = signal.sosfreqz([cookbook(band) for band in bands], freqs, fs=RATE)
        audible = np.abs(wanted) > 1e-8
        shown = Eq.response(config(params(bands)), freqs)
        assert np.allclose(shown[audible], 20 * np.log10(np.abs(wanted[audible])), atol=1e-6)
    _, wanted = signal.sosfreqz([cookbook(CHAINS[0][1])], freqs, fs=RATE)
    shown = Eq.response(config(params(CHAINS[0], off=(1, 3, 4))), freqs)
    assert np.allclose(shown, 20 * np.log10(np.abs(wanted)), atol=1e-6)


def test_silence_follows_the_tail(play):
    resonant = exact(("peak", 50, 20, 12), ("lowpass", 60, 9, 0), ("peak", 40, 0.05, -20))
    for bands in (*CHAINS, resonant):
        frames = 64 + round(Eq.tail(config(params(bands))) * RATE)
        x = np.zeros((frames + 4800, 1))
        x[:64] = np.sign(noise(64))
        found = play("eq", {"in": x}, params(bands))["out"]
        assert np.max(np.abs(found[frames:])) < 1e-6
        assert found[:200].any()


@pytest.mark.parametrize("what", ["on", "type", "freq_hz", "q", "gain_db"])
def test_the_tail_of_what_moves_is_the_longest_that_it_may_have(what):
    (moved,) = (p for p in Eq.params({}) if p.name == f"b2_{what}")
    for bands in CHAINS:
        given = params(bands, off=(2,) if what == "on" else ())
        longest = Eq.tail(config(given, frozenset({moved.name})))
        for u in np.linspace(0, 1, 16):
            value = (
                moved.low * (moved.high / moved.low) ** u if moved.low > 0 else moved.low + u * (moved.high - moved.low)
            )
            value = round(value) if moved.curve in ("choice", "switch") else value
            assert Eq.tail(config({**given, moved.name: value})) <= longest * (1 + 1e-9)
