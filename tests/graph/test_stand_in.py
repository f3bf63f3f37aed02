"""What stands where a kind is not known: its ports, and what comes out of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph import Patch
from graph.compiler import compile
from graph.errors import PatchError
from host.offline import run_arrays
from host.services import FileServices
from nodes import kinds

FRAMES = 4096


def heard(patch: Patch, signal: np.ndarray) -> tuple[dict[str, np.ndarray], list[PatchError]]:
    missing: list[PatchError] = []
    services = FileServices(Path())
    schedule = compile(patch, kinds(), services, 48000, missing=missing)
    return run_arrays(schedule, services, FRAMES, {"in": signal})[0], missing


@pytest.fixture
def signal() -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (FRAMES, 2)).astype(np.float32)


def test_an_unknown_source_of_control_leaves_what_it_moves_where_it_is(signal):
    patch = Patch("Unknown", sample_rate=48000)
    for id, kind in (("in", "audio_in"), ("level", "gain"), ("shape", "mystery"), ("out", "audio_out")):
        patch.add(id, kind)
    patch.set("level", level_db=-6)
    patch.connect("in.out", "level.in")
    patch.connect("level.out", "out.in")
    patch.connect("shape.out", "level.level_db", amount=0.5)
    found, missing = heard(patch, signal)
    assert [error.node for error in missing] == ["shape"]
    assert np.abs(found["out"] - signal * 10 ** (-6 / 20)).max() < 1e-6


def test_the_first_output_has_the_first_input_and_all_others_are_silent(signal):
    patch = Patch("Unknown", sample_rate=48000)
    for id, kind in (("in", "audio_in"), ("mystery", "mystery"), ("after", "gain"), ("moved", "gain")):
        patch.add(id, kind)
    for k in range(3):  # so that there are buffers that hold something and are free again
        patch.add(f"before{k}", "filter", freq_hz=300.0 * (k + 1))
        patch.connect("in.out" if k == 0 else f"before{k - 1}.out", f"before{k}.in")
    patch.connect("before2.out", "mystery.in")
    for id, source in (("out", "mystery.out"), ("low", "mystery.low"), ("high", "mystery.high"), ("rest", "moved.out")):
        patch.add(id, "audio_out")
        patch.connect(source, f"{id}.in")
    patch.connect("mystery.shape", "moved.level_db", amount=1.0)
    patch.connect("in.out", "moved.in")
    found, _ = heard(patch, signal)
    patch.connect("before2.out", "after.in")
    patch.add("passed", "audio_out")
    patch.connect("after.out", "passed.in")
    assert np.array_equal(found["out"], heard(patch, signal)[0]["passed"])
    assert np.abs(found["out"]).max() > 0.01
    assert not found["low"].any()
    assert not found["high"].any()
    assert np.array_equal(found["rest"], signal)
