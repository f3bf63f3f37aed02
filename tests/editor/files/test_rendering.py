"""A render from the editor has the bits of the command line's, can be stopped, and says what went wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from editor.files.rendering import INPUT, OUTPUT, Render, Wish, ends, targets
from graph.document import Patch
from graph.patchfile import load

DEADLINE_S = 120.0


def finished(render: Render) -> Render:
    end = monotonic() + DEADLINE_S
    while not render.over:
        assert monotonic() < end, "the render does not end"
        render.step()
        sleep(0.01)
    return render


@pytest.fixture
def tone() -> Patch:
    patch = Patch("Tone", sample_rate=48000)
    patch.add("tone", "oscillator", freq_hz=1000, level_db=-20)
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    return patch


@pytest.mark.parametrize(("suffix", "subtype"), [(".wav", "FLOAT"), (".flac", "PCM_24")])
def test_the_file_is_that_of_the_command_line(root: Path, tmp_path: Path, suffix: str, subtype: str) -> None:
    shutil.copytree(root / "patches", tmp_path / "patches")
    saved = tmp_path / "patches" / "duck_music_under_dialogue.json"
    wish = Wish({"out": str(tmp_path / f"mine{suffix}")}, subtype=subtype, dither=subtype != "FLOAT", seconds=3.0)
    mine = finished(Render(load(saved), wish))
    assert (mine.phase, mine.error) == ("done", "")
    words = ["render", str(saved), "--out", f"out={tmp_path / f'theirs{suffix}'}", "--seconds", "3"]
    words += ["--subtype", subtype, *(["--dither"] if wish.dither else [])]
    subprocess.run([sys.executable, "-P", str(root / "patchwright.py"), *words], check=True, capture_output=True)
    theirs = (tmp_path / f"theirs{suffix}").read_bytes()
    assert (tmp_path / f"mine{suffix}").read_bytes() == theirs
    assert len(theirs) > 48000 * 3
    assert mine.result["seconds"] == 3.0


def test_loudness_comes_with_it(tone: Patch, tmp_path: Path) -> None:
    """A stereo sine of 1 kHz has the loudness of its peak level (EBU Tech 3341, test 1: −23 dBFS is −23 LUFS)."""
    tone.folder = tmp_path
    render = finished(Render(tone, Wish({"out": str(tmp_path / "t.wav")}, seconds=5.0)))
    (measured,) = render.measured
    assert measured["integrated_lufs"] == pytest.approx(-20.0, abs=0.1)
    assert measured["frames"] == 5 * 48000


def test_one_that_is_stopped_leaves_nothing(tone: Patch, tmp_path: Path) -> None:
    tone.folder = tmp_path
    render = Render(tone, Wish({"out": str(tmp_path / "long.wav")}, seconds=20 * 3600.0))
    end = monotonic() + DEADLINE_S
    while render.share == 0.0:
        assert monotonic() < end
        assert not render.over, render.error
        render.step()
        sleep(0.01)
    render.stop()
    assert finished(render).phase == "stopped"
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_is_said(tone: Patch, tmp_path: Path) -> None:
    tone.folder = tmp_path
    render = finished(Render(tone, Wish({"no_such": str(tmp_path / "x.wav")}, seconds=1.0)))
    assert render.phase == "failed"
    assert "no_such" in render.error
    endless = finished(Render(tone, Wish({"out": str(tmp_path / "x.wav")})))
    assert endless.phase == "failed"
    assert "length" in endless.error


def test_one_whose_process_is_killed_says_so(tone: Patch, tmp_path: Path) -> None:
    tone.folder = tmp_path
    render = Render(tone, Wish({"out": str(tmp_path / "long.wav")}, seconds=20 * 3600.0))
    render._child.process.kill()
    assert finished(render).phase == "failed"
    assert "broke off" in render.error


def test_outputs_and_their_files(tmp_path: Path) -> None:
    patch = Patch()
    patch.add("b", "audio_out")
    patch.add("a", "audio_out")
    patch.add("i", "audio_in")
    assert (ends(patch, OUTPUT), ends(patch, INPUT)) == (["a", "b"], ["i"])
    assert targets(["a"], tmp_path, "n", ".wav") == {"a": str(tmp_path / "n.wav")}
    both = targets(["a", "g/b"], tmp_path, "n", ".wav")
    assert both == {"a": str(tmp_path / "n a.wav"), "g/b": str(tmp_path / "n g b.wav")}
