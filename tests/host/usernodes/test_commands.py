"""``patchwright nodes`` with nodes of one's own, and the example of the documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from graph import Patch
from graph.patchfile import save
from host import render
from host.usernodes.source import read
from host.usernodes.trust import is_trusted
from nodes import kinds
from patchwright import app

from .conftest import GAIN

DOCS = Path(__file__).parents[3] / "docs" / "nodes.md"


def said(*words: object, status: int = 0, input: str | None = None) -> str:
    result = CliRunner().invoke(app, ["nodes", *map(str, words)], input=input)
    assert result.exit_code == status, result.output
    return result.output


def test_a_new_node_works_is_listed_and_keeps_the_contract(data):
    file = data / "nodes" / "soften.py"
    assert said("new", "soften").strip() == str(file)
    assert "soften.py: soften, trusted" in said("own")
    assert "freq_hz" in said("soften")
    assert "BAD" not in said("check", file)
    assert all(not verdict["found"] for verdict in json.loads(said("check", file, "--json")))
    before = file.read_text()
    said("new", "soften", status=1)
    assert file.read_text() == before
    for name in ("Bad", "../soften", "class", ""):
        said("new", name, status=1)


def test_the_catalogue_stays_as_it_was_and_has_ones_own_behind(data):
    built_in = json.loads(said("--json"))
    assert [kind["kind"] for kind in built_in] == list(kinds())
    assert json.loads(said("gain", "--json"))[0]["kind"] == "gain"
    said("no_such_kind", status=1)
    (data / "nodes").mkdir(parents=True)
    (data / "nodes" / "mine.py").write_text(GAIN)
    (data / "nodes" / "broken.py").write_text("class")
    *rest, broken, mine = json.loads(said("--json"))
    assert rest == built_in
    assert (mine["kind"], mine["params"], mine["own"]["trusted"]) == ("my_gain", [], False)
    assert "not trusted" in mine["doc"]
    assert "broken.py:1: invalid syntax" in broken["doc"]
    said("trust", data / "nodes" / "mine.py")
    assert [p["name"] for p in json.loads(said("my_gain", "--json"))[0]["params"]] == ["level_db"]


def test_a_file_that_is_named_is_trusted_and_those_of_a_patch_only_with_a_yes(written, tmp_path):
    file, other = written(GAIN, trusted=False), written(GAIN.replace("my_gain", "b"), "other.py", trusted=False)
    patch = Patch("Two")
    patch.add("one", "user", settings={"path": "mine.py"})
    patch.add("two", "user", settings={"path": "other.py"})
    save(patch, tmp_path / "two.json")
    said("trust", tmp_path / "two.json", status=1, input="y\n")  # nobody is at a terminal
    assert not is_trusted(read(file).digest)
    said("trust", file)
    assert (is_trusted(read(file).digest), is_trusted(read(other).digest)) == (True, False)
    said("trust", "--yes", tmp_path / "two.json")
    assert is_trusted(read(other).digest)
    assert "trusted no longer" in said("untrust", other)
    assert not is_trusted(read(other).digest)


def test_nothing_is_checked_before_it_is_trusted(written, tmp_path):
    marker = tmp_path / "ran"
    file = written(GAIN + f"\nopen({str(marker)!r}, 'w')\n", trusted=False)
    assert "is not trusted" in said("check", file, status=1)
    assert not marker.exists()
    assert "ok" in said("check", "--trust", file)
    assert marker.exists()


def test_what_the_contract_finds_ends_with_status_1(written):
    output = said(
        "check", written(GAIN.replace("    bypassable = True\n", "")[:-1] + " + level[n + 7, lane]\n"), status=1
    )
    assert "BAD   bounds" in output


@pytest.fixture
def example(tmp_path) -> Path:
    """The files of the documentation, in a folder."""
    text = DOCS.read_text(encoding="utf-8").partition("## Write your own node")[2]
    for language, name in (("python", "wave_folder.py"), ("json", "folded.json")):
        found = re.search(rf"```{language}\n(.*?)```", text, re.S)
        assert found is not None
        (tmp_path / name).write_text(found[1], encoding="utf-8")
    return tmp_path


def test_the_example_of_the_documentation_folds(example):
    """A fold is the arc sine of a sine, here computed by numpy."""
    said("trust", example / "wave_folder.py")
    assert "BAD" not in said("check", example / "wave_folder.py")
    x = np.random.default_rng(2).uniform(-1, 1, (4800, 2)).astype(np.float32)
    soundfile.write(example / "in.wav", x, 48000, subtype="FLOAT")
    patch = Patch("Fold", sample_rate=48000)
    patch.folder = example
    patch.add("in", "audio_in")
    patch.add("fold", "user", settings={"path": "wave_folder.py"}, drive_db=15, bias=0.3, mix=0.75)
    patch.add("out", "audio_out")
    patch.connect("in.out", "fold.in")
    patch.connect("fold.out", "out.in")
    render(patch, {"out": example / "out.wav"}, {"in": example / "in.wav"}, seconds=0.1)
    found = soundfile.read(example / "out.wav")[0]

    def fold(v):
        return np.arcsin(np.sin(v * np.pi / 2)) * 2 / np.pi

    x = x.astype(float)
    wet = fold(x * 10 ** (15 / 20) + 0.3) - fold(0.3)
    assert np.abs(found - (x + 0.75 * (wet - x))).max() < 1e-6


def test_the_patch_of_the_documentation_renders(example):
    said("trust", "--yes", example / "folded.json")
    result = CliRunner().invoke(
        app, ["render", str(example / "folded.json"), "--out", f"out={example / 'f.wav'}", "--seconds", "0.5"]
    )
    assert result.exit_code == 0, result.output
    assert np.abs(soundfile.read(example / "f.wav")[0]).max() > 0.1
