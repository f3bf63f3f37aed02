"""The shipped demo, rendered as ``dev.py demo`` does, judged by others: ffmpeg, the music's file, stems that add up.

Golden levels lie beside this file; after a change that is meant, ``.venv/bin/python -m tests.test_demo`` writes them
anew.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import dev
from graph.patchfile import load
from host import render

SECONDS = 12
RATE = 48000
GOLDEN = Path(__file__).with_name("golden") / "demo_levels.json"
SPOKEN = 3.5
"""Seconds at which the narration begins; its first sentences end before 10.5 s."""
STEMS = ("dialogue", "music_bus", "room")

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def db(power):
    return 10 * np.log10(np.maximum(power, 1e-30))


def read(path: Path) -> np.ndarray:
    """Samples as ``[frame, channel]``."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate == RATE
    return samples


def powers(samples: np.ndarray) -> np.ndarray:
    """Mean squares of every 100 ms, ``[window, channel]``."""
    return np.mean(samples.reshape(-1, RATE // 10, samples.shape[1]) ** 2, axis=1)


def rendered(path: Path, *options: str) -> Path:
    """The mix, by the command line."""
    answer = dev.answer(["render", str(dev.PATCH), "--out", f"out={path}", "--seconds", str(SECONDS), *options])
    assert isinstance(answer, dict)
    assert (answer["frames"], answer["rate"], answer["scrubbed"]) == (SECONDS * RATE, RATE, 0)
    assert answer["notes"] == []
    return path


def stems(folder: Path, snapshot: str | None = None) -> dict[str, np.ndarray]:
    """The mix, and what goes into it."""
    patch = load(dev.PATCH)
    for node in STEMS:
        patch.add(f"stem_{node}", "audio_out")
        patch.connect(f"{node}.out", f"stem_{node}.in")
    files = {"out": folder / "out.wav"} | {f"stem_{node}": folder / f"{node}.wav" for node in STEMS}
    render(patch, files, seconds=SECONDS, snapshot=snapshot)
    return {id.removeprefix("stem_"): read(path) for id, path in files.items()}


@pytest.fixture(scope="module")
def mix(tmp_path_factory) -> Path:
    return rendered(tmp_path_factory.mktemp("demo") / "mix.wav")


@pytest.fixture(scope="module")
def ducked(tmp_path_factory) -> dict[str, np.ndarray]:
    return stems(tmp_path_factory.mktemp("ducked"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, np.ndarray]:
    return stems(tmp_path_factory.mktemp("plain"), "No duck")


def speech(dialogue: np.ndarray) -> np.ndarray:
    """The windows in which somebody speaks, without the first half second, in which the music still goes down."""
    loud = db(powers(dialogue).mean(axis=1)) > -30
    loud[: round(10 * (SPOKEN + 0.5))] = False
    return loud


# -- loudness ----------------------------------------------------------------------------------------------------------


def ffmpeg_readings(path: Path) -> dict[str, float]:
    """What ffmpeg's ebur128 says in the end, in thousandths."""
    filters = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-"
    command = [
        "ffmpeg",
        "-nostdin",
        "-hide_banner",
        "-loglevel",
        "error",
        "-i",
        path,
        "-af",
        filters,
        "-f",
        "null",
        "-",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {key: float(value) for key, value in re.findall(r"lavfi\.r128\.(\S+?)=(\S+)", text)}


@needs_ffmpeg
@pytest.mark.parametrize(("input_db", "lowest", "highest"), [(1.5, -23, -14), (9.0, -14, -8)])
def test_loudness_and_peaks_are_what_ffmpeg_finds(tmp_path, input_db, lowest, highest):
    """As it is shipped, and driven into the limiter, which holds −1 dBTP."""
    mix = rendered(tmp_path / "mix.wav", "--set", f"limiter.input_db={input_db}")
    answer = dev.answer(["measure", str(mix)])
    assert isinstance(answer, list)
    (ours,) = answer
    theirs = ffmpeg_readings(mix)
    assert ours["integrated_lufs"] == pytest.approx(theirs["I"], abs=0.1)
    loudest = 20 * np.log10(max(theirs["true_peaks_ch0"], theirs["true_peaks_ch1"]))
    assert ours["true_peak_dbtp"] == pytest.approx(loudest, abs=0.2)
    assert loudest <= -1.0 + 0.1
    assert loudest > -2
    assert lowest < theirs["I"] < highest


def test_golden_levels(mix):
    """The RMS of every 100 ms of each channel within 0.01 dB of what it was."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    levels = db(powers(read(mix)))
    assert levels.shape == (10 * SECONDS, 2)
    for channel, label in enumerate(("L", "R")):
        off = np.abs(levels[:, channel] - golden[label])
        assert off.max() < 0.01, f"{label} at {np.argmax(off) / 10} s: {off.max():.3f} dB off"


# -- the duck ----------------------------------------------------------------------------------------------------------


def test_music_goes_down_under_speech(ducked, plain):
    """By 9 dB at least in every tenth of a second, and by 11 over all."""
    spoken = speech(ducked["dialogue"])
    assert spoken.sum() > 50
    down = powers(plain["music_bus"])[spoken].sum(axis=1) / powers(ducked["music_bus"])[spoken].sum(axis=1)
    assert db(down).min() > 9
    total = powers(plain["music_bus"])[spoken].sum() / powers(ducked["music_bus"])[spoken].sum()
    assert db(total) > 11


def test_speech_is_well_above_the_music_only_with_the_duck(ducked, plain):
    spoken = speech(ducked["dialogue"])
    for heard, low, high in ((ducked, 12, 20), (plain, 0, 6)):
        over = powers(heard["dialogue"])[spoken].sum() / powers(heard["music_bus"])[spoken].sum()
        assert low < db(over) < high


def test_nobody_speaks_and_nothing_is_ducked(ducked, plain):
    """To the bit until just before the first word (the lookahead); and in a pause the music comes back."""
    before = round((SPOKEN - 0.010) * RATE)
    assert np.array_equal(ducked["music_bus"][:before], plain["music_bus"][:before])
    assert not ducked["dialogue"][: round(SPOKEN * RATE)].any()
    last = slice(-RATE // 2, None)
    assert not ducked["dialogue"][last].any()
    assert 0 < db(np.mean(plain["music_bus"][last] ** 2) / np.mean(ducked["music_bus"][last] ** 2)) < 1


def test_the_snapshot_ducks_deeper(ducked, tmp_path):
    deeper = stems(tmp_path, "Deeper duck")
    spoken = speech(ducked["dialogue"])
    assert np.array_equal(deeper["dialogue"], ducked["dialogue"])
    assert 5 < db(powers(ducked["music_bus"])[spoken].sum() / powers(deeper["music_bus"])[spoken].sum()) < 7


# -- time --------------------------------------------------------------------------------------------------------------


def test_without_the_duck_the_music_is_its_file_sample_for_sample(plain):
    """Turned down by 2 dB, once the fader is up: the compressor's lookahead is made up for."""
    music = read(dev.PATCH.parent / "audio" / "music.flac")
    up = slice(round(1.2 * RATE), SECONDS * RATE)
    assert np.abs(plain["music_bus"][up] - 10 ** (-2 / 20) * music[up]).max() < 1.2e-7


def test_the_stems_add_up_to_the_mix(ducked, mix):
    """1.5 dB louder, by the limiter's input; its ceiling is not reached so far. Each stem is as late as the others."""
    whole = 10 ** (1.5 / 20) * sum(ducked[node] for node in STEMS)
    assert np.abs(whole).max() < 10 ** (-1.5 / 20)
    assert np.abs(ducked["out"] - whole).max() < 1e-6
    assert np.array_equal(ducked["out"], read(mix))


def write_golden() -> None:
    """Render anew, and keep the levels."""
    with tempfile.TemporaryDirectory() as folder:
        levels = db(powers(read(rendered(Path(folder) / "mix.wav"))))
    GOLDEN.parent.mkdir(exist_ok=True)
    rows = {label: [round(float(x), 3) for x in levels[:, k]] for k, label in enumerate(("L", "R"))}
    GOLDEN.write_text(json.dumps(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
