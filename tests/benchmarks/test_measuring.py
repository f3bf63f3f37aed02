"""The measuring itself: costs, pairs, differences, inputs, tables."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.command import main
from benchmarks.inputs import RESPONSE, SOURCE, generate
from benchmarks.measure import Contender, Cost, Ratio, RunError, in_turn, run
from benchmarks.races import OURS, Race, print_race, verdict
from benchmarks.sound import difference_db
from benchmarks.workloads import WORKLOADS


def _script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_cost_of_a_process_is_its_own_and_its_childrens(tmp_path: Path) -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    idle = run(_script("pass"), tmp_path)
    own = run(_script(work), tmp_path)
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}], check=True)"
    child = run(_script(parent), tmp_path)
    assert idle.cpu < 0.3 <= own.cpu
    assert child.cpu >= 0.3
    assert own.wall > 0


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^the reason$"):
        run(_script("import sys; print('noise', file=sys.stderr); sys.exit('the reason')"), tmp_path)
    with pytest.raises(RunError, match="No such file"):
        run([str(tmp_path / "nothing")], tmp_path)


def test_contenders_take_turns_and_the_first_turn_does_not_count(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def contender(name: str) -> Contender:
        def command(seconds: float, out: Path) -> list[str]:
            return _script(f"open({str(log)!r}, 'a').write('{name}{seconds:g} '); open({str(out)!r}, 'w').close()")

        return Contender(name, command, tmp_path)

    broken = Contender("broken", lambda seconds, out: _script("raise SystemExit('no')"), tmp_path)
    found = [contender("a"), broken, contender("b")]
    files = in_turn(found, 2, 2, tmp_path)
    assert log.read_text().split() == ["a0.1", "b0.1", *["a0.1", "a2", "b0.1", "b2"] * 2]
    assert [len(c.fulls) for c in found] == [len(c.starts) for c in found] == [2, 0, 2]
    assert broken.failure == "no"
    assert set(files) == {"a", "b"}


def test_ratios_are_of_pairs() -> None:
    assert Ratio.of([2, 9, 4], [1, 3, 2]) == Ratio(2, 2, 3)
    assert Ratio.of([1, 1], [1, 0]) is None
    assert Ratio.of([], []) is None


def test_differences_are_root_mean_square(tmp_path: Path) -> None:
    one, other, short, bad = (tmp_path / f"{name}.wav" for name in ("one", "other", "short", "bad"))
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (700_000, 2)).astype(np.float32)
    nudged = samples.copy()
    nudged[:, 0] += np.float32(0.001)
    broken = samples.copy()
    broken[600_000, 1] = np.nan
    for path, data in ((one, samples), (other, nudged), (short, samples[:-1]), (bad, broken)):
        soundfile.write(path, data, 48000, subtype="FLOAT")
    assert difference_db(one, one) == -math.inf
    assert difference_db(one, other) == pytest.approx(-63.01, abs=0.01)
    with pytest.raises(ValueError, match="700000 frames of 2 channels, not 699999 of 2"):
        difference_db(one, short)
    with pytest.raises(ValueError, match="no numbers"):
        difference_db(one, bad)


def test_inputs_are_the_same_each_time(tmp_path: Path) -> None:
    first = generate([SOURCE, "trk31.wav", RESPONSE], 0.5, tmp_path / "a")
    second = generate([SOURCE, "trk31.wav", RESPONSE], 0.5, tmp_path / "b")
    for name, frames in ((SOURCE, 24000), ("trk31.wav", 24000), (RESPONSE, 96000)):
        samples, rate = soundfile.read(first / name)
        assert (samples.shape, rate) == ((frames, 2), 48000)
        assert np.array_equal(samples, soundfile.read(second / name)[0])
        assert np.abs(samples).max() < 1
    response, _ = soundfile.read(first / RESPONSE)
    np.testing.assert_allclose((response**2).sum(axis=0), 1, rtol=1e-6)


def _race(ours: float, reference: float, difference: float | str) -> Race:
    def contender(name: str, net: float) -> Contender:
        found = Contender(name, lambda seconds, out: [], Path())
        found.starts, found.fulls = [Cost(1.0, 1.0)] * 3, [Cost(1.0 + net, 1.0 + net)] * 3
        return found

    contenders = [contender(OURS, ours), contender("C, per node", reference), contender("C, lanes", reference / 2)]
    return Race(WORKLOADS["w2"], 60, contenders, ["somebody: not installed"], {OURS: difference})


@pytest.mark.parametrize(
    ("ours", "difference", "expected"),
    [
        (0.5, -120.0, "met; sound: the same (RMS difference -120.0 dBFS)"),
        (1.25, -120.0, "NOT MET by 0.50; sound: the same (RMS difference -120.0 dBFS)"),
        (0.5, -60.0, "met; sound: ANOTHER (RMS difference -60.0 dBFS)"),
        (0.5, "too short", "met; sound: WRONG: too short"),
    ],
)
def test_the_verdict_is_about_speed_and_sound(ours: float, difference: float | str, expected: str) -> None:
    assert verdict(_race(ours, 0.5, difference)) == f"bound ≤ 2 × per-node C: {expected}"


def test_the_table_shows_everybody(capsys: pytest.CaptureFixture[str]) -> None:
    print_race(_race(1.0, 0.5, -120.0))
    lines = capsys.readouterr().out.splitlines()
    ours = next(line for line in lines if line.startswith(OURS))
    assert ours.split()[1:] == ["1.000", "2.000", "1.000", "60", "2.00", "2.00…2.00", "4.00", "-120.0"]
    assert "somebody: not installed" in lines


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["w5"], "'w5'"),
        (["--block", "100"], "multiple of 64"),
        (["--seconds", "0"], "1 to 3600"),
        (["--runs", "0"], "runs"),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err
