"""Sources of control: macro, envelope, random, steps."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch, Transport
from host.offline import run_arrays
from nodes import kinds

RATE = 48000


def one(play, kind: str, params: dict | None = None, frames: int = RATE, **options) -> np.ndarray:
    return play(kind, options.pop("inputs", None), params, options.pop("settings", None), frames=frames, **options)[
        "out"
    ][:, 0]


# -- macro -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_macro_is_its_value(play, value):
    assert one(play, "macro", {"value": value}, 500) == pytest.approx(value, abs=1e-7)
    assert one(play, "macro", {"value": value}, 500, settings={"bipolar": True}) == pytest.approx(
        2 * value - 1, abs=1e-7
    )


def test_a_macro_that_is_turned(play):
    got = one(play, "macro", frames=4800, automation={"value": [(0.0, 0.0, "linear"), (0.1, 1.0, "hold")]})
    assert got == pytest.approx(np.arange(4800) / 4800, abs=1e-6)


def test_one_macro_moves_two_params():
    patch = Patch(sample_rate=RATE)
    patch.add("knob", "macro", value=0.5)
    patch.add("in", "audio_in", settings={"layout": "mono"})
    patch.add("gain", "gain", level_db=-96)
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("in.out", "gain.in")
    patch.connect("knob.out", "gain.level_db", amount=1.6)
    patch.connect("gain.out", "out.in")
    x = np.ones((512, 1), np.float32)
    found, _ = run_arrays(compile(patch, kinds(), None), None, 512, {"in": x})
    # 0.5 · 1.6 of the range from −96 to 24 dB is 0 dB.
    assert found["out"] == pytest.approx(1.0, abs=1e-5)


# -- envelope ----------------------------------------------------------------------------------------------------------


def followed(x: np.ndarray, attack_ms: float, release_ms: float) -> np.ndarray:
    """The textbook's loop."""
    k = [0.0 if ms == 0 else np.exp(-1000 / (ms * RATE)) for ms in (attack_ms, release_ms)]
    y, found = 0.0, np.zeros(len(x))
    for i, v in enumerate(x):
        rest = k[0] if v > y else k[1]
        y = found[i] = rest * y + (1 - rest) * v
    return found


@pytest.mark.parametrize(("attack", "release"), [(10, 100), (0, 30), (0.2, 0), (50, 50)])
@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_an_envelope_is_the_loop_of_the_textbook(play, detector, attack, release):
    rng = np.random.default_rng(3)
    x = (rng.uniform(-1, 1, 9600) * np.repeat([0.1, 1, 0.02, 0.5], 2400)).astype(np.float32)
    params = {"attack_ms": attack, "release_ms": release}
    got = one(play, "envelope", params, inputs={"in": x}, settings={"detector": detector}, frames=9600)
    size = np.abs(x.astype(float))
    wanted = followed(size, attack, release) if detector == "peak" else np.sqrt(followed(size**2, attack, release))
    assert got == pytest.approx(wanted, abs=1e-6)


def test_the_rms_of_a_sine(play):
    x = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    params = {"attack_ms": 50, "release_ms": 50}
    got = one(play, "envelope", params, inputs={"in": x}, settings={"detector": "rms"})
    assert got[-4800:] == pytest.approx(0.5 * np.sqrt(0.5), abs=0.003)


def test_the_loudest_channel_counts_and_full_scale_is_the_end(play):
    x = np.zeros((4800, 6), np.float32)
    x[:, 4] = -0.25
    params = {"attack_ms": 0, "level_db": 6.0206}
    assert one(play, "envelope", params, inputs={"in": x}, frames=4800) == pytest.approx(0.5, abs=1e-5)
    x[:, 1] = 3.0
    got = one(play, "envelope", params, inputs={"in": x}, frames=4800)
    assert (got == 1.0).all()
    got = one(play, "envelope", params, inputs={"in": 0 * x}, settings={"bipolar": True}, frames=4800)
    assert (got == -1.0).all()


def test_an_envelope_of_nothing_is_zero(play):
    """Among mono signals, too, where nothing else is as wide as an empty stereo input."""
    assert not one(play, "envelope", frames=500).any()


# -- random ------------------------------------------------------------------------------------------------------------


def test_random_takes_another_value_at_each_turn(play):
    got = one(play, "random", {"rate_hz": 10}).reshape(10, -1)
    assert (got == got[:, :1]).all()
    assert len(set(got[:, 0])) == 10
    assert np.array_equal(one(play, "random", {"rate_hz": 10}, block=64), got.ravel())
    other = one(play, "random", {"rate_hz": 10}, settings={"seed": 1}).reshape(10, -1)[:, 0]
    assert not np.array_equal(other, got[:, 0])


@pytest.mark.parametrize(("bipolar", "low"), [(False, 0.0), (True, -1.0)])
def test_random_values_are_evenly_spread(play, bipolar, low):
    many = one(play, "random", {"rate_hz": 100}, 480 * 4000, settings={"bipolar": bipolar}, block=4096)[::480]
    found = np.histogram((many - low) / (1 - low), bins=8, range=(0, 1))[0]
    assert found.sum() == 4000
    # Five standard deviations of a count of 500.
    assert np.abs(found - 500).max() < 5 * np.sqrt(500 * 7 / 8)
    assert abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 0.08


@pytest.mark.parametrize("smooth", [0.25, 1.0])
def test_random_glides_from_value_to_value(play, smooth):
    steps = one(play, "random", {"rate_hz": 10}).reshape(10, 4800)[:, 0].astype(float)
    got = one(play, "random", {"rate_hz": 10, "smooth": smooth}).reshape(10, 4800)
    u = np.minimum(np.arange(4800) / 4800 / smooth, 1)
    eased = 3 * u**2 - 2 * u**3
    wanted = steps[:-1, None] + np.diff(steps)[:, None] * eased
    assert got[1:] == pytest.approx(wanted, abs=1e-6)


# -- steps -------------------------------------------------------------------------------------------------------------


def row(*values: float) -> dict[str, float]:
    return {f"step_{k + 1}": v for k, v in enumerate(values)}


def test_steps_are_played_in_turn(play):
    got = one(play, "steps", {"rate_hz": 10, **row(0.1, 0.9, 0.4)}, settings={"steps": 3}).reshape(10, 4800)
    wanted = np.resize([0.1, 0.9, 0.4], 10)
    assert got == pytest.approx(np.repeat(wanted[:, None], 4800, 1), abs=1e-7)
    bipolar = one(play, "steps", {"rate_hz": 10, **row(0.1, 0.9, 0.4)}, settings={"steps": 3, "bipolar": True})
    assert bipolar == pytest.approx(2 * got.ravel() - 1, abs=1e-6)


def test_steps_glide(play):
    got = one(play, "steps", {"rate_hz": 10, "glide": 0.5, **row(0, 1)}, settings={"steps": 2}).reshape(10, 4800)
    line = np.minimum(np.arange(4800) / 2400, 1)
    assert got[1::2] == pytest.approx(np.tile(line, (5, 1)), abs=1e-6)
    assert got[0::2] == pytest.approx(np.tile(1 - line, (5, 1)), abs=1e-6)


@pytest.mark.parametrize(("kind", "settings"), [("steps", {"steps": 4}), ("random", {})])
def test_sync_counts_in_beats(play, kind, settings):
    """At 90 beats per minute two turns per beat are three in a second."""
    params = row(0.0, 0.3, 0.6, 0.9) if kind == "steps" else {}
    patch = Patch(sample_rate=RATE)
    patch.transport = Transport(tempo=90)
    patch.add("node", kind, settings={**settings, "sync": True}, rate_hz=2, **params)
    patch.add("gain", "gain", level_db=-96)
    patch.add("in", "audio_in", settings={"layout": "mono"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("in.out", "gain.in")
    patch.connect("gain.out", "out.in")
    patch.connect("node.out", "gain.level_db", amount=1.0)
    found, _ = run_arrays(compile(patch, kinds(), None), None, RATE, {"in": np.ones((RATE, 1), np.float32)})
    y = found["out"][:, 0]
    changes = 1 + np.flatnonzero(np.diff(y))
    assert changes.tolist() == [16000, 32000]
    plain = one(play, kind, {"rate_hz": 3, **params}, settings=settings)
    assert (1 + np.flatnonzero(np.diff(plain))).tolist() == [16000, 32000]
