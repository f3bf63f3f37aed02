"""What nodes learn from files is kept in the patch, and does what the file did."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.document import Patch
from graph.errors import PatchError
from graph.patchfile import load, save
from host.learning import learned
from host.rendering import render
from host.services import FileServices
from nodes import kinds
from nodes.dsp import profiles

ROOT = Path(__file__).parents[2]
RATE = 48000


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(5)
    noise = 0.01 * rng.standard_normal(2 * RATE)
    soundfile.write(tmp_path / "room.wav", noise.astype(np.float32), RATE, subtype="FLOAT")
    signal = 0.01 * rng.standard_normal(RATE) + 0.2 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / "in.wav", signal.astype(np.float32), RATE, subtype="FLOAT")
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": "mono"})
    patch.add("clean", "denoise", settings={"learn_from": "room.wav"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("in.out", "clean.in")
    patch.connect("clean.out", "out.in")
    save(patch, tmp_path / "take.pwp")
    return tmp_path


def command(*words: str, cwd: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    full = [sys.executable, "-P", "-m", "patchwright", *words]
    return subprocess.run(full, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def rendered(folder: Path, name: str) -> np.ndarray:
    render(load(folder / "take.pwp"), {"out": folder / name}, {"in": folder / "in.wav"})
    return soundfile.read(folder / name)[0]


def test_a_patch_that_has_learned_needs_the_file_no_more(folder):
    before = rendered(folder, "before.wav")
    done = command("learn", "take.pwp", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("clean: ")
    (folder / "room.wav").unlink()
    assert rendered(folder, "after.wav") == pytest.approx(before, abs=1e-6)
    assert profiles.decoded(load(folder / "take.pwp").node("clean").state or b"").rate == RATE


def test_without_what_was_learned_a_missing_file_is_named(folder):
    (folder / "room.wav").unlink()
    done = command("learn", "take.pwp", cwd=folder)
    assert done.returncode == 1
    assert "settings.learn_from" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert load(folder / "take.pwp").node("clean").state is None


def test_nodes_that_learn_nothing_are_refused_by_name(folder):
    patch = load(folder / "take.pwp")
    services = FileServices(folder)
    assert list(learned(patch, kinds(), services, ["clean"])) == ["clean"]
    with pytest.raises(PatchError, match=r"nodes\.out: it names no file to learn from"):
        learned(patch, kinds(), services, ["clean", "out"])
    with pytest.raises(PatchError, match="there is no node 'dirty'"):
        learned(patch, kinds(), services, ["dirty"])


def test_what_is_missing_elsewhere_does_not_matter(folder):
    patch = load(folder / "take.pwp")
    patch.add("song", "file_player", settings={"path": "gone.wav"})
    patch.add("other", "audio_out")
    patch.connect("song.out", "other.in")
    services = FileServices(folder)
    kept = learned(patch, kinds(), services)
    assert list(kept) == ["clean"]
    assert learned(patch, kinds(), services, ["clean"]) == kept


def test_a_file_that_is_gone_is_named_though_something_is_kept(folder):
    assert command("learn", "take.pwp", cwd=folder).returncode == 0
    (folder / "room.wav").unlink()
    before = (folder / "take.pwp").read_bytes()
    done = command("learn", "take.pwp", cwd=folder)
    assert done.returncode == 1
    assert "nodes.clean.settings.learn_from: room.wav: no such file" in done.stderr
    assert (folder / "take.pwp").read_bytes() == before


def test_a_node_in_a_group_learns_too(folder):
    patch = load(folder / "take.pwp")
    inner = {
        "nodes": {"hiss": {"kind": "denoise", "settings": {"learn_from": "room.wav"}}},
        "cables": [],
    }
    ports = {"in": "hiss.in", "out": "hiss.out"}
    patch.add("strip", "group", settings={"patch": inner, "ports": ports, "params": {}})
    patch.connect("in.out", "strip.in")
    patch.connect("strip.out", "out.in")
    save(patch, folder / "take.pwp")
    done = command("learn", "take.pwp", cwd=folder)
    assert sorted(line.partition(":")[0] for line in done.stdout.splitlines()) == ["clean", "strip/hiss"], done.stderr
    (folder / "room.wav").unlink()
    rendered(folder, "after.wav")
