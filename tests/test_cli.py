"""The command line as other programs see it: exit status, one clear line, JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from host.commands import ended_by_signals

ROOT = Path(__file__).parents[1]


COMMAND = [sys.executable, "-P", "-m", "patchwright"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, encoding="utf-8", timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a patch made by `new`, and a second of sound."""
    path = tmp_path_factory.mktemp("cli")
    assert run("new", "start", cwd=path).stdout.strip() == "start.pwp"
    sound = 0.25 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    soundfile.write(path / "in.wav", np.stack([sound, sound], axis=1).astype(np.float32), 48000, subtype="FLOAT")
    return path


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 1 and one line that says why, no traceback."""
    assert done.returncode == 1, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_render_writes_what_it_says(folder):
    done = run(
        "render", "start.pwp", "--in", "in=in.wav", "--out", "out=out.wav", "--set", "level.level_db=-6", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "1.00 s of audio at 48000 Hz" in done.stdout
    got, want = soundfile.read(folder / "out.wav")[0], soundfile.read(folder / "in.wav")[0]
    assert got == pytest.approx(want * 10 ** (-6 / 20), abs=1e-7)


def test_render_answers_in_json_and_tags_the_file(folder):
    done = run(
        *("render", "start.pwp", "--out", "out=tagged.flac", "--seconds", "0.5", "--json"),
        *("--tag", "title=A test", "--tag", "isrc=USRC17607839", "--subtype", "PCM_16", "--dither"),
        cwd=folder,
    )
    answer = json.loads(done.stdout)
    assert (answer["frames"], answer["rate"]) == (24_000, 48000)
    assert "in has no input file" in answer["notes"][0]
    with soundfile.SoundFile(folder / "tagged.flac") as file:
        assert file.title == "A test"
        assert file.subtype == "PCM_16"


@pytest.mark.parametrize(
    "words",
    [
        ("render",),
        ("render", "start.pwp", "--block", "100"),
        ("render", "start.pwp", "--block", "0"),
        ("render", "start.pwp", "--seconds", "1", "--tail", "1"),
        ("render", "start.pwp", "--out", "nonsense"),
        ("render", "start.pwp", "--set", "level=3"),
        ("render", "start.pwp", "--set", "level.level_db=loud"),
        ("render", "start.pwp", "--out", "out=a.wav", "--out", "out=b.wav"),
        ("check", "start.pwp", "--rate", "0"),
        ("nonsense",),
        ("run",),
        ("run", "start.pwp", "--block", "0"),
        ("run", "start.pwp", "--rate", "1"),
        ("run", "start.pwp", "--seconds", "-1"),
        ("plugins", "nonsense"),
    ],
)
def test_wrong_usage_is_exit_status_2(folder, words):
    done = run(*words, cwd=folder)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="there is always a display")
@pytest.mark.parametrize("words", [(), ("edit",), ("edit", "start.pwp"), ("start.pwp",)])
def test_without_a_display_the_editor_names_what_needs_none(folder, words, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    refused(run(*words, cwd=folder), "render")


@pytest.mark.parametrize(
    "words", [("check",), ("show",), ("diff", "start.pwp"), ("render", "--seconds", "1", "--out", "out=loud.wav")]
)
def test_a_patch_cannot_command_the_terminal(folder, tmp_path, words):
    document = {
        "format": "patchwright",
        "version": 1,
        "name": "quiet\x1b]0;loud\x07",
        "description": "\x1b[2J\x9b",
        "nodes": {
            "song": {"kind": "file_player", "title": "\x1b[2J", "settings": {"path": "\x1b[2J[/gone].wav"}},
            "out": {"kind": "audio_out"},
        },
        "cables": [{"from": "song.out", "to": "out.in"}],
    }
    (tmp_path / "loud.json").write_text(json.dumps(document))
    (tmp_path / "start.pwp").write_bytes((folder / "start.pwp").read_bytes())
    done = run(words[0], "loud.json", *words[1:], cwd=tmp_path)
    assert "gone" in done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\x9b"} & set(done.stdout + done.stderr)
    assert "Traceback" not in done.stderr


def test_problems_are_one_line_and_exit_status_1(folder):
    refused(run("render", "absent.pwp", "--out", "out=x.wav", cwd=folder), "absent.pwp")
    refused(run("render", "in.wav", "--out", "out=x.wav", cwd=folder), "in.wav")
    refused(run("render", "start.pwp", "--out", "out=x.wav", cwd=folder), "how long")
    refused(run("render", "start.pwp", "--out", "nope=x.wav", "--seconds", "1", cwd=folder), "nope")
    refused(
        run("render", "start.pwp", "--set", "level.level_db=99", "--out", "out=x.wav", "--seconds", "1", cwd=folder),
        "level",
        "-96",
        "24",
    )
    refused(run("render", "start.pwp", "--in", "in=start.pwp", "--out", "out=x.wav", cwd=folder), "start.pwp")
    refused(run("measure", "absent.wav", cwd=folder), "absent.wav")
    refused(run("nodes", "nope", cwd=folder), "nope", "gain")
    refused(run("new", "start", cwd=folder), "start.pwp", "already")
    refused(run("new", "", cwd=folder), "expected the name of a file")
    refused(run("convert", "start.pwp", "in.wav", cwd=folder), "in.wav", "already")
    refused(run("convert", "start.pwp", "start.txt", cwd=folder), "start.txt", ".pwp or .json")
    refused(run("show", "start.pwp", "--svg", "absent/x.svg", cwd=folder), "absent/x.svg: No such")
    refused(run("render", "start.pwp", "--rate", "0", "--out", "out=x.wav", "--seconds", "1", cwd=folder), "0 Hz")
    words = ("render", "start.pwp", "--out", "out=x.wav", "--seconds", "1", "--set")
    refused(run(*words, "level.level_db=true", cwd=folder), "level_db", "found true")
    assert not (folder / "x.wav").exists()
    assert not (folder / "start.txt").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP"])
def test_a_render_that_is_told_to_end_leaves_nothing(folder, how):
    there = set(folder.iterdir())
    words = ["render", "start.pwp", "--out", "out=long.wav", "--seconds", "36000"]
    before = signal.signal(getattr(signal, how), signal.SIG_DFL)  # under nohup it would be ignored, by the child too
    try:
        child = subprocess.Popen([*COMMAND, *words], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(getattr(signal, how), before)
    deadline = monotonic() + 60
    while set(folder.iterdir()) == there and child.poll() is None and monotonic() < deadline:
        sleep(0.01)
    child.send_signal(getattr(signal, how))
    _, said = child.communicate(timeout=60)
    assert said.splitlines() == ["patchwright: stopped; nothing was left half-written"]
    assert child.returncode == 130
    assert set(folder.iterdir()) == there


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals")
def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_terminals_that_lack_signs_get_others_and_programs_get_utf_8(folder, monkeypatch):
    patch = json.loads(run("show", "start.pwp", "--json", cwd=folder).stdout)
    (folder / "named.json").write_text(json.dumps(patch | {"name": "−∞ ü"}))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    for words in (["nodes"], ["show", "named.json"]):
        done = run(*words, cwd=folder)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.isascii()
    assert "??" in done.stdout
    assert json.loads(run("show", "named.json", "--json", cwd=folder).stdout)["name"] == "−∞ ü"
    change = json.loads(run("diff", "start.pwp", "named.json", "--json", cwd=folder).stdout)[0]
    assert change["after"] == "−∞ ü"


def test_convert_and_back_is_the_same_document(folder):
    assert run("convert", "start.pwp", "twin.json", cwd=folder).returncode == 0
    assert run("convert", "twin.json", "again.pwp", cwd=folder).returncode == 0
    assert (folder / "again.pwp").read_bytes() == (folder / "start.pwp").read_bytes()
    done = run("diff", "start.pwp", "twin.json", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")


def test_diff_names_places(folder):
    document = json.loads(run("show", "start.pwp", "--json", cwd=folder).stdout)
    document["nodes"]["level"]["params"] = {"level_db": -3}
    del document["nodes"]["in"]
    document["cables"] = document["cables"][1:]
    (folder / "other.json").write_text(json.dumps(document))
    lines = run("diff", "start.pwp", "other.json", cwd=folder).stdout.splitlines()
    assert any(line.startswith("- nodes.in") for line in lines)
    assert any(line.startswith("+ nodes.level.params") for line in lines)
    assert any(line.startswith("- cables.in.out -> level.in") for line in lines)
    changes = json.loads(run("diff", "start.pwp", "other.json", "--json", cwd=folder).stdout)
    assert {c["kind"] for c in changes} == {"added", "removed"}


def test_check_answers_in_the_agreed_shape(folder):
    patch = {
        "format": "patchwright",
        "version": 1,
        "nodes": {
            "in": {"kind": "audio_in"},
            "late": {"kind": "latency", "settings": {"frames": 100}},
            "back": {"kind": "gain"},
            "sum": {"kind": "bus"},
            "out": {"kind": "audio_out"},
        },
        "cables": [
            {"from": "in.out", "to": "late.in"},
            {"from": "late.out", "to": "sum.in"},
            {"from": "in.out", "to": "sum.in"},
            {"from": "sum.out", "to": "back.in"},
            {"from": "back.out", "to": "sum.in", "feedback": True},
            {"from": "sum.out", "to": "out.in"},
        ],
    }
    (folder / "loop.json").write_text(json.dumps(patch))
    answer = json.loads(run("check", "loop.json", "--json", cwd=folder).stdout)
    assert answer["ok"] is True
    assert answer["problems"] == []
    assert answer["outputs"]["out"]["latency_frames"] == 100
    assert {
        (tuple(p["nodes"]), p["latency_frames"], p["compensation_frames"]) for p in answer["outputs"]["out"]["paths"]
    } == {
        (("in", "late", "sum", "out"), 100, 0),
        (("in", "sum", "out"), 0, 100),
    }
    assert answer["compensation"] == [{"cable": "in.out -> sum.in", "frames": 100}]
    (loop,) = answer["loops"]
    assert set(loop["nodes"]) == {"sum", "back"}
    assert loop["period_frames"] == 64
    words = run("check", "loop.json", cwd=folder).stdout
    assert "out: 100 frames of latency" in words
    assert "64 frames" in words


def test_check_lists_every_problem_and_says_where(folder):
    patch = {
        "format": "patchwright",
        "version": 1,
        "nodes": {
            "g": {"kind": "gain", "params": {"level_db": 99}},
            "odd": {"kind": "nonsense"},
            "p": {"kind": "file_player", "settings": {"path": "absent.wav"}},
            "out": {"kind": "audio_out"},
        },
        "cables": [{"from": "g.out", "to": "out.nope"}],
    }
    (folder / "bad.json").write_text(json.dumps(patch))
    done = run("check", "bad.json", "--json", cwd=folder)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"]) == (1, False)
    assert {"g", "odd", "out"} <= {p["node"] for p in answer["problems"]}
    for problem in answer["problems"]:
        assert set(problem) == {"node", "place", "message"}
    assert any("-96" in p["message"] and "24" in p["message"] for p in answer["problems"])


def test_check_answers_in_json_also_where_the_file_holds_no_patch(folder):
    (folder / "cut.json").write_text('{"format": "patchwright", "version": 1, "nodes": {"a": 3}, "cables": []}')
    for name, place, said in (("cut.json", "nodes.a", "expected a node"), ("none.json", "", "no such file")):
        done = run("check", name, "--json", cwd=folder)
        answer = json.loads(done.stdout)
        assert done.returncode == 1
        assert answer["ok"] is False
        assert answer["outputs"] == {}
        assert answer["problems"][0].keys() == {"node", "place", "message"}
        assert answer["problems"][0]["place"] == place
        assert said in answer["problems"][0]["message"]


def test_check_notes_what_is_kept_and_has_no_effect(folder):
    patch = {
        "format": "patchwright",
        "version": 1,
        "mood": "blue",
        "nodes": {
            "in": {"kind": "audio_in", "colour": "red"},
            "g": {"kind": "gain", "settings": {"warmth": 3}},
            "out": {"kind": "audio_out"},
        },
        "cables": [{"from": "in.out", "to": "g.in", "amount": 0.5}, {"from": "g.out", "to": "out.in", "wire": "gold"}],
    }
    (folder / "odd.json").write_text(json.dumps(patch))
    done = run("check", "odd.json", "--json", cwd=folder)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"], answer["problems"]) == (0, True, [])
    assert {(note["node"], note["place"]) for note in answer["notes"]} == {
        ("", "mood"),
        ("in", "nodes.in.colour"),
        ("g", "nodes.g.settings.warmth"),
        ("g", "cables.in.out -> g.in.amount"),
        ("out", "cables.g.out -> out.in.wire"),
    }
    assert all(set(note) == {"node", "place", "message"} and note["message"] for note in answer["notes"])
    done = run("check", "odd.json", cwd=folder)
    assert done.returncode == 0
    assert "no problems found" in done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("note: ") for line in lines)
    assert any("nodes.g.settings.warmth: gain does not have it" in line for line in lines)
    assert json.loads(run("check", "start.pwp", "--json", cwd=folder).stdout)["notes"] == []


def test_the_catalogue_has_the_agreed_shape(folder):
    kinds = json.loads(run("nodes", "--json", cwd=folder).stdout)
    by_name = {k["kind"]: k for k in kinds}
    assert {"gain", "audio_in", "audio_out"} <= by_name.keys()
    for kind in kinds:
        assert {"kind", "doc", "ports", "settings", "params"} <= kind.keys()
        for port in kind["ports"]:
            assert {"name", "flow", "type"} <= port.keys()
        for param in kind["params"]:
            assert {"name", "default", "low", "high", "unit", "curve", "doc"} <= param.keys()
    (level,) = [p for p in by_name["gain"]["params"] if p["name"] == "level_db"]
    assert (level["default"], level["low"], level["high"], level["unit"]) == (0, -96, 24, "dB")
    assert [k["kind"] for k in json.loads(run("nodes", "gain", "--json", cwd=folder).stdout)] == ["gain"]


def test_measure_answers_in_the_agreed_shape(folder):
    (answer,) = json.loads(run("measure", "in.wav", "--json", cwd=folder).stdout)
    assert answer["channels"] == ["L", "R"]
    assert (answer["frames"], answer["sample_rate"]) == (48_000, 48_000)
    assert answer["integrated_lufs"] == pytest.approx(-12.7, abs=0.1)
    assert answer["peak_dbfs"] == pytest.approx(-12.04, abs=0.05)
    assert answer["short_term_max_lufs"] is None, "a second is too short for it"


def test_a_picture_of_a_patch(folder):
    assert run("show", "start.pwp", "--svg", "picture.svg", cwd=folder).returncode == 0
    picture = (folder / "picture.svg").read_text()
    assert picture.startswith("<svg")
    for word in ("level", "audio_in", "audio_out"):
        assert word in picture
    import xml.etree.ElementTree as ElementTree

    ElementTree.fromstring(picture)


def test_doctor_and_version(folder):
    done = run("doctor", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert {"numba", "native code", "kernel cache"} <= {line["subject"] for line in json.loads(done.stdout)}
    assert run("--version", cwd=folder).stdout.strip()


def test_a_hostile_folder_beside_the_patch_is_not_imported(folder, tmp_path):
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes" / "__init__.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "graph.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "start.pwp").write_bytes((folder / "start.pwp").read_bytes())
    done = run("check", "start.pwp", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
