"""The low-frequency oscillator, against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch, Transport
from host.offline import run_arrays
from nodes import kinds

RATE = 48000
FRAMES = 96_000
T = np.arange(FRAMES) / RATE


def lfo(play, params: dict | None = None, **settings) -> np.ndarray:
    return play("lfo", params=params, settings=settings, frames=FRAMES)["out"][:, 0]


@pytest.mark.parametrize("rate", [0.01, 0.3, 1.0, 7.77, 100.0])
@pytest.mark.parametrize("phase", [0.0, 0.75])
def test_a_sine_is_exactly_its_formula(play, rate, phase):
    got = lfo(play, {"rate_hz": rate, "phase": phase})
    assert np.max(np.abs(got - np.sin(2 * np.pi * (rate * T + phase)))) < 1.2e-7


@pytest.mark.parametrize("bipolar", [True, False])
@pytest.mark.parametrize("depth", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("wave", ["sine", "triangle", "saw", "square"])
def test_every_wave_with_depth_and_either_polarity(play, wave, depth, bipolar):
    p = (2.5 * T) % 1
    drawn = {
        "sine": np.sin(2 * np.pi * p),
        "triangle": 1 - 4 * np.abs((p + 0.25) % 1 - 0.5),
        "saw": 2 * p - 1,
        "square": np.where(p < 0.5, 1.0, -1.0),
    }[wave]
    got = lfo(play, {"rate_hz": 2.5, "depth": depth}, wave=wave, bipolar=bipolar)
    edges = (np.minimum(p, 1 - p) < 1e-6) | (np.abs(p - 0.5) < 1e-6)
    wanted = depth * (drawn if bipolar else (1 + drawn) / 2)
    assert np.max(np.abs(got - wanted)[~edges]) < 1.2e-7


def test_sample_and_hold_takes_another_value_at_each_turn(play):
    got = lfo(play, {"rate_hz": 10}, wave="sample_hold").reshape(20, -1)
    assert (got == got[:, :1]).all()
    values = got[:, 0]
    assert len(set(values)) == 20
    assert np.abs(values).max() <= 1
    assert np.array_equal(lfo(play, {"rate_hz": 10}, wave="sample_hold"), got.ravel())
    other = lfo(play, {"rate_hz": 10}, wave="sample_hold", seed=1).reshape(20, -1)[:, 0]
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.7
    many = play("lfo", params={"rate_hz": 100}, settings={"wave": "sample_hold"}, frames=480 * 2000)["out"][::480, 0]
    assert np.mean(many) == pytest.approx(0, abs=0.05)
    assert np.std(many) == pytest.approx(np.sqrt(1 / 3), abs=0.03)


def test_a_rate_that_moves_keeps_the_phase(play):
    got = play(
        "lfo", frames=FRAMES, automation={"rate_hz": [(0, 1.0, "hold"), (0.4, 3.0, "hold"), (1.5, 0.25, "hold")]}
    )["out"][:, 0]
    turns = np.interp(T, [0, 0.4, 1.5, 2.0], np.cumsum([0, 0.4, 3.3, 0.125]))
    assert np.max(np.abs(got - np.sin(2 * np.pi * turns))) < 1e-6


def test_phase_and_depth_move_frame_by_frame(play):
    line = [(0, 0.0, "linear"), (1.0, 1.0, "hold")]
    u = np.minimum(T, 1.0)
    got = play("lfo", frames=FRAMES, automation={"phase": line})["out"][:, 0]
    assert np.max(np.abs(got - np.sin(2 * np.pi * (T + u)))) < 1e-6
    got = play("lfo", frames=FRAMES, automation={"depth": line})["out"][:, 0]
    assert np.max(np.abs(got - u * np.sin(2 * np.pi * T))) < 2e-7


@pytest.mark.parametrize("tempo", [60, 90, 120])
def test_synced_the_rate_counts_turns_per_beat(tempo):
    """The sine is heard through a gain of 0 to 1 … of which the logarithm is taken again: here through a matrix."""
    patch = Patch(sample_rate=RATE)
    patch.transport = Transport(tempo=tempo)
    patch.add("one", "audio_in", settings={"layout": "mono"})
    patch.add("lfo", "lfo", settings={"sync": True}, rate_hz=0.25)
    patch.add("times", "matrix", settings={"in_layout": "mono", "out_layout": "mono"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("one.out", "times.in")
    patch.connect("lfo.out", "times.g_M_M", amount=1 / 32)
    patch.connect("times.out", "out.in")
    found, _ = run_arrays(compile(patch, kinds(), None), None, FRAMES, {"one": np.ones(FRAMES, np.float32)})
    assert np.max(np.abs(found["out"][:, 0] - np.sin(2 * np.pi * 0.25 * T * tempo / 60))) < 1e-5


@pytest.mark.parametrize("wave", ["sine", "square", "sample_hold"])
def test_the_block_does_not_matter(play, wave):
    one = play("lfo", settings={"wave": wave}, params={"rate_hz": 33.3}, frames=9000, block=64)["out"]
    assert np.array_equal(one, play("lfo", settings={"wave": wave}, params={"rate_hz": 33.3}, frames=9000)["out"])
