"""Instruments by the command line: a plugin that was scanned plays MIDI files into a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.document import Patch
from host.plugins.folders import find
from host.plugins.scan import Scan
from host.plugins.store import Store
from host.plugins.trial import Limits

from .c.build import USABLE, WHY_NOT, build, uid
from .rig import RATE
from .scores import by_frame, levels, note, write

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
ROOT = Path(__file__).resolve().parents[3]
NAME, NUMBER = "Levels", 40
SONG = [(1000, 9000, 60, 100), (4000, 20_000, 64, 64)]
PLAYED = [(2222, 12_345, 30, 127)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Path:
    """A folder with a patch, its MIDI, and a store that knows the instrument."""
    folder = tmp_path_factory.mktemp("studio")
    with Store(folder) as store:
        bundle = build(NAME, NUMBER, INSTRUMENT=True, DELAY=100)
        Scan(store, pytest.fail, limits=Limits(seconds=60.0)).these(find([bundle], pytest.fail))
    write(folder / "song.mid", by_frame(*(note(*each) for each in SONG)))
    write(folder / "played.mid", by_frame(*(note(*each) for each in PLAYED)))
    patch = Patch(sample_rate=RATE)
    patch.add("song", "midi_file", settings={"path": "song.mid"})
    patch.add("keys", "midi_in")
    patch.add("synth", "plugin", settings={"uid": uid(NUMBER), "name": NAME})
    patch.add("out", "audio_out")
    for source, target in (("song.out", "synth.events"), ("keys.out", "synth.events"), ("synth.out", "out.in")):
        patch.connect(source, target)
    patch.save(folder / "patch.json")
    return folder


def run(studio: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATCHWRIGHT_DATA": str(studio), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-P", "-m", "patchwright", *words]
    return subprocess.run(command, cwd=studio, env=environment, capture_output=True, text=True, timeout=300)


def rendered(studio: Path, *words: str) -> np.ndarray:
    done = run(studio, "render", "patch.json", "--out", "out=out.wav", *words)
    assert done.returncode == 0, done.stderr
    return soundfile.read(studio / "out.wav", dtype="float32", always_2d=True)[0]


def test_a_render_plays_both_files_aligned_and_the_same_in_any_block(studio):
    heard = rendered(studio, "--in", "keys=played.mid", "--seconds", "0.5")
    assert np.allclose(heard[:, 0], levels([*SONG, *PLAYED], 24_000), atol=1e-6)
    for block in ("64", "1024"):
        assert np.array_equal(rendered(studio, "--in", "keys=played.mid", "--seconds", "0.5", "--block", block), heard)


def test_without_a_length_it_lasts_as_long_as_the_longest_song(studio):
    heard = rendered(studio, "--tail", "0.01")
    assert len(heard) == 20_000 + 480
    assert np.allclose(heard[:, 0], levels(SONG, 20_480), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--in", "keys=none.mid"), "none.mid: No such file or directory"),
        (("--in", "keys=patch.json"), "patch.json: expected a MIDI file, which begins with MThd"),
        (("--in", "song=played.mid"), "there is no audio_in or midi_in node 'song'; there are keys"),
    ],
)
def test_what_is_no_midi_is_refused_in_one_line(studio, words, message):
    done = run(studio, "render", "patch.json", "--out", "out=never.wav", *words)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (studio / "never.wav").exists()


def test_check_nodes_and_show_know_events(studio):
    checked = json.loads(run(studio, "check", "patch.json", "--json").stdout)
    assert checked["ok"], checked
    assert checked["outputs"]["out"]["latency_frames"] == 100
    ports = {kind["kind"]: kind["ports"] for kind in json.loads(run(studio, "nodes", "--json").stdout)}
    for kind in ("midi_in", "midi_file"):
        assert [(p["name"], p["flow"], p["type"]) for p in ports[kind]] == [("out", "out", "events")]
    assert run(studio, "show", "patch.json").returncode == 0
    patch = Patch.load(studio / "patch.json")
    patch.disconnect("keys.out", "synth.events")
    patch.connect("keys.out", "out.in")
    patch.save(studio / "wrong.json")
    wrong = json.loads(run(studio, "check", "wrong.json", "--json").stdout)
    assert [p["message"] for p in wrong["problems"]] == ["keys.out carries events, and out.in takes audio"]
