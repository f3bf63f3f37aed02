"""The C programs do the workloads, by the truth of scipy in float64."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from benchmarks.inputs import RESPONSE, SOURCE, TRACKS, generate
from benchmarks.limits import REFERENCES, Reference, build, compiler
from benchmarks.measure import run
from benchmarks.sound import difference_db
from benchmarks.workloads import GAINS, STAGES

SECONDS = 1.0

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate([SOURCE, RESPONSE, *TRACKS], SECONDS, tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


def _output(reference: Reference, inputs: Path, built: Path, folder: Path, block: int = 512) -> Path:
    executable = build(reference.program, built)
    if isinstance(executable, str):
        pytest.skip(executable)
    out = folder / f"{reference.program}{reference.mode}{block}.wav"
    mode = [reference.mode] if reference.mode else []
    run([str(executable), str(reference.block or block), str(SECONDS), str(out), str(inputs), *mode], folder)
    return out


def _truth(key: str, inputs: Path) -> np.ndarray:
    samples, _ = soundfile.read(inputs / SOURCE)
    if key == "w2":
        return samples * sum(GAINS)
    if key == "w4":
        response, _ = soundfile.read(inputs / RESPONSE)
        return np.stack([signal.oaconvolve(samples[:, c], response[:, c])[: len(samples)] for c in range(2)], axis=1)
    for hz, gain_db in STAGES:
        A, w = 10 ** (gain_db / 40), 2 * math.pi * hz / 48000
        c, alpha = math.cos(w), math.sin(w) / 2
        samples = signal.lfilter(
            [1 + alpha * A, -2 * c, 1 - alpha * A], [1 + alpha / A, -2 * c, 1 - alpha / A], samples, axis=0
        )
    return samples


@pytest.mark.parametrize(
    ("key", "place", "bound"),
    [("w2", 0, -130), ("w2", 2, -130), ("w3", 0, -130), ("w3", 2, -70), ("w4", 0, -120), ("w4", 1, -120)],
)
def test_the_limit_is_right(key: str, place: int, bound: float, inputs: Path, built: Path, tmp_path: Path) -> None:
    made, _ = soundfile.read(_output(REFERENCES[key][place], inputs, built, tmp_path))
    assert 10 * math.log10(np.mean((made - _truth(key, inputs)) ** 2)) < bound


@pytest.mark.parametrize(("key", "one", "other", "bound"), [("w1", 0, 1, -120), ("w1", 2, 3, -80), ("w3", 0, 1, -130)])
def test_lanes_sound_like_loops(
    key: str, one: int, other: int, bound: float, inputs: Path, built: Path, tmp_path: Path
) -> None:
    loops = _output(REFERENCES[key][one], inputs, built, tmp_path)
    assert difference_db(loops, _output(REFERENCES[key][other], inputs, built, tmp_path)) < bound


def test_the_block_changes_nothing_that_matters(inputs: Path, built: Path, tmp_path: Path) -> None:
    reference = REFERENCES["w1"][0]
    large = _output(reference, inputs, built, tmp_path, 512)
    assert difference_db(large, _output(reference, inputs, built, tmp_path, 64)) < -120


def test_a_program_refuses_inputs_that_are_too_short(inputs: Path, built: Path, tmp_path: Path) -> None:
    executable = build("w3", built)
    assert isinstance(executable, Path), executable
    with pytest.raises(RuntimeError, match="too short"):
        run([str(executable), "512", "2", str(tmp_path / "out.wav"), str(inputs)], tmp_path)


def test_it_is_said_when_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build("w3", tmp_path) == "no C compiler (gcc) was found"
