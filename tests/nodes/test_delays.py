"""Sample delay and latency: bit by bit, in chains and round loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from host.offline import run_arrays
from nodes import kinds
from nodes.sample_delay import SIZE

RNG = np.random.default_rng(9)


def noise(frames: int = 2000, channels: int = 2) -> np.ndarray:
    return RNG.uniform(-1, 1, (frames, channels)).astype(np.float32)


def late(x: np.ndarray, frames: int) -> np.ndarray:
    return np.concatenate([np.zeros((frames, x.shape[1]), np.float32), x])[: len(x)]


@pytest.mark.parametrize("frames", [0, 1, 30, 63, 64, 65, 127, 128, 1000, 1999])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_sample_delay_is_exact(play, frames, channels):
    x = noise(2000, channels)
    assert np.array_equal(play("sample_delay", {"in": x}, {"frames": frames})["out"], late(x, frames))


def test_the_longest_delay_and_a_line_that_has_gone_round(play):
    x = noise(SIZE + 200_000, 1)
    got = play("sample_delay", {"in": x}, {"frames": 192_000}, block=16384)
    assert np.array_equal(got["out"], late(x, 192_000))


@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, 500, 512, 1999, 5000])
def test_latency_delays_and_declares_it(play, frames):
    x = noise()
    assert np.array_equal(play("latency", {"in": x}, settings={"frames": frames})["out"], x)
    raw = play("latency", {"in": x}, settings={"frames": frames}, aligned=False)["out"]
    assert np.array_equal(raw, np.concatenate([np.zeros((frames, 2), np.float32), x]))


def test_bypass_keeps_latency_and_takes_a_sample_delay_away(play):
    x = noise()
    raw = play("latency", {"in": x}, settings={"frames": 100}, bypass=True, aligned=False)["out"]
    assert np.array_equal(raw, np.concatenate([np.zeros((100, 2), np.float32), x]))
    assert np.array_equal(play("sample_delay", {"in": x}, {"frames": 100}, bypass=True)["out"], x)


def test_a_delay_that_moves_is_rounded_frame_by_frame(play):
    x = noise(3000, 1)
    got = play("sample_delay", {"in": x}, automation={"frames": [(0, 0, "linear"), (2000 / 48000, 333, "hold")]})["out"]
    n = np.arange(3000)
    delay = np.floor(np.interp(n, [0, 2000], [0, 333]).astype(np.float32) + 0.5).astype(int)
    assert np.array_equal(got[:, 0], np.where(n >= delay, x[np.maximum(n - delay, 0), 0], 0))


def test_a_step_in_the_delay_finds_what_was_before(play):
    x = noise(3000)
    got = play("sample_delay", {"in": x}, automation={"frames": [(0, 3, "hold"), (1111 / 48000, 700, "hold")]})["out"]
    assert np.array_equal(got[:1111], late(x, 3)[:1111])
    assert np.array_equal(got[1111:], late(x, 700)[1111:])


def test_modulation(play):
    x = noise(3000, 1)
    shift = (np.arange(3000) >= 1500).astype(np.float32)
    got = play("sample_delay", {"in": x}, {"frames": 96}, modulation={"frames": (shift, 0.001)})["out"]
    assert np.array_equal(got[:1500], late(x, 96)[:1500])
    assert np.array_equal(got[1500:], late(x, 288)[1500:])


def test_how_long_they_sound(play):
    kind = kinds()["sample_delay"]
    config = compile_alone({"frames": 4800})
    assert kind.tail(config) == pytest.approx(0.1)
    assert kind.tail(compile_alone({}, automated=True)) == 4.0
    assert not math.isinf(kind.tail(config))


def compile_alone(params: dict, automated: bool = False):
    patch = Patch(sample_rate=48000)
    patch.add("d", "sample_delay", **params)
    if automated:
        patch.automate("d", "frames", [(0, 5, "hold")])
    return compile(patch, kinds(), None).node("d").config


# -- loops -------------------------------------------------------------------------------------------------------------


def echo(frames: int, gain_db: float = -6.0, latency: int = 0) -> Patch:
    """in ─► sum ─► out, and sum ─► (latency) ─► gain ─► sample_delay ─► sum."""
    patch = Patch(sample_rate=48000)
    for id in ("in", "out"):
        patch.add(id, f"audio_{id}", settings={"layout": "mono"})
    patch.add("sum", "bus", settings={"layout": "mono"})
    patch.add("slow", "latency", settings={"frames": latency})
    patch.add("back", "gain", level_db=gain_db)
    patch.add("delay", "sample_delay", frames=frames)
    for a, b in (("in", "sum"), ("sum", "out"), ("sum", "slow"), ("slow", "back"), ("back", "delay"), ("delay", "sum")):
        patch.connect(f"{a}.out", f"{b}.in")
    return patch


def echoes(x: np.ndarray, frames: int, gain: float) -> np.ndarray:
    y = x.astype(np.float64).copy()
    for n in range(frames, len(y)):
        y[n] += gain * y[n - frames]
    return y


@pytest.mark.parametrize(("frames", "latency"), [(64, 0), (65, 0), (100, 36), (1000, 0), (1000, 777), (1000, 936)])
def test_round_a_loop_the_period_is_the_delay_whatever_latency_is_inside(frames, latency):
    x = noise(6000, 1)
    patch = echo(frames, latency=latency)
    for block in (64, 512):
        found, _ = run_arrays(compile(patch, kinds(), None), None, len(x), {"in": x}, block=block)
        assert np.max(np.abs(found["out"][:, 0] - echoes(x[:, 0], frames, 10 ** (-6 / 20)))) < 1e-6


def test_a_delay_in_a_loop_moves_too():
    #  Twice as long from frame 3000 on: what is written then is heard 200 frames later
    x = np.zeros((6000, 1), np.float32)
    x[0] = x[3150] = 1
    patch = echo(100, gain_db=-96)
    patch.automate("delay", "frames", [(0, 100, "hold"), (3000 / 48000, 200, "hold")])
    patch.automate("back", "level_db", [(0, 0, "hold")])
    found, _ = run_arrays(compile(patch, kinds(), None), None, len(x), {"in": x})
    hits = np.flatnonzero(found["out"][:, 0])
    assert hits[:30].tolist() == list(range(0, 3000, 100))
    assert set(hits[hits >= 3150]) >= {3150, 3350, 3550}
    assert (found["out"][hits] == 1).all()


def test_what_is_no_number_does_not_go_round_for_ever():
    patch = Patch(sample_rate=48000)
    x = np.full((4000, 1), 1e38, np.float32)
    x[2000:] = 0
    for id in ("in", "out"):
        patch.add(id, f"audio_{id}", settings={"layout": "mono"})
    patch.add("up", "gain", level_db=24)
    patch.add("sum", "bus", settings={"layout": "mono"})
    patch.add("back", "gain", level_db=-20)
    patch.add("delay", "sample_delay", frames=64)
    for a, b in (("in", "up"), ("up", "sum"), ("sum", "back"), ("back", "delay"), ("delay", "sum"), ("sum", "out")):
        patch.connect(f"{a}.out", f"{b}.in")
    found, _ = run_arrays(compile(patch, kinds(), None), None, len(x), {"in": x})
    assert not np.isfinite(found["out"][:2000]).all()
    assert np.isfinite(found["out"][2064:]).all()


def test_a_delay_too_short_for_its_loop_is_refused():
    with pytest.raises(PatchError, match="at least"):
        compile(echo(1000, latency=937), kinds(), None)
