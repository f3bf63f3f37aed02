"""Nothing of a file runs before somebody said so, for the very bytes that it has."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph import Patch
from graph.errors import PatchError
from graph.patchfile import load, save
from host import render
from host.checking import check
from host.plugins.trial import Limits
from host.services import FileServices
from host.usernodes.listing import in_patch, listed
from host.usernodes.source import MOST_BYTES, glance, read
from host.usernodes.trial import held_to_contract, tried, trusted_after_trial
from host.usernodes.trust import grants, is_trusted, trust, untrust
from nodes import kinds

from .conftest import GAIN

MARKED = GAIN + "\nopen({!r}, 'w').close()\n"


def found_wrong(patch: Patch) -> list[tuple[str, str]]:
    found = check(patch, kinds(), FileServices(patch.folder or Path()))
    return [(f.node, f.message) for f in found.findings]


def test_a_file_that_is_not_trusted_never_runs_and_sound_passes(written, patch, tmp_path):
    marker = tmp_path / "ran"
    file = written(MARKED.format(str(marker)), trusted=False)
    ((node, message),) = found_wrong(patch)
    assert node == "own"
    assert "is not trusted" in message
    assert f"patchwright nodes trust {file}" in message
    with pytest.raises(PatchError, match="is not trusted"):
        render(patch, {"out": tmp_path / "out.wav"}, seconds=0.1)
    assert not (tmp_path / "out.wav").exists()
    report = render(patch, {"out": tmp_path / "out.wav"}, seconds=0.1, allow_missing=True)
    assert any("is not trusted" in note for note in report.notes)
    assert np.abs(soundfile.read(tmp_path / "out.wav")[0]).max() > 0.01
    listed(tmp_path), in_patch(patch), glance(read(file))
    assert not marker.exists()
    trust(read(file).digest, file)
    assert not marker.exists()
    render(patch, {"out": tmp_path / "out.wav"}, seconds=0.1)
    assert marker.exists()  # else the test would prove nothing


def test_a_file_that_has_changed_is_to_be_trusted_again(written, patch, tmp_path):
    file = written(GAIN)
    assert not found_wrong(patch)
    file.write_text(GAIN + "\n# a word more\n")
    assert "is not trusted" in found_wrong(patch)[0][1]
    assert [own.standing for own in in_patch(patch)] == ["changed since it was trusted"]
    file.write_text(GAIN)
    assert not found_wrong(patch)  # what was trusted is trusted, whatever came between
    assert untrust(read(file).digest)
    assert "is not trusted" in found_wrong(patch)[0][1]
    assert not untrust(read(file).digest)


def test_what_a_link_leads_to_is_what_is_trusted(written, patch, tmp_path):
    real = written(GAIN, "real.py")
    (tmp_path / "mine.py").symlink_to(real)
    assert not found_wrong(patch)
    other = written(GAIN.replace("my_gain", "other"), "other.py", trusted=False)
    (tmp_path / "mine.py").unlink()
    (tmp_path / "mine.py").symlink_to(other)
    assert "is not trusted" in found_wrong(patch)[0][1]


def test_trust_outlives_the_process_and_says_of_what_and_since_when(written, data):
    file = written(GAIN)
    (grant,) = grants()
    assert (grant.digest, grant.path) == (read(file).digest, str(file.resolve()))
    assert grant.since.startswith("20")
    (data / "trusted_nodes" / ("0" * 64)).write_bytes(b"\xff{[")
    assert len(grants()) == 2
    assert is_trusted("0" * 64)


def test_a_node_keeps_ports_params_and_cables_until_it_is_trusted(written, patch, tmp_path):
    written(GAIN, trusted=False)
    patch.set("own", level_db=-12.5)
    patch.add("wobble", "lfo")
    patch.connect("wobble.out", "own.level_db", amount=0.5)
    patch.automate("own", "level_db", [(0.0, -12.0, "hold")])
    save(patch, tmp_path / "patch.json")
    again = load(tmp_path / "patch.json")
    assert again.node("own").params == {"level_db": -12.5}
    assert [(c.target, c.target_port, c.amount) for c in again.cables() if c.source == "wobble"] == [
        ("own", "level_db", 0.5)
    ]
    assert len(found_wrong(again)) == 1
    trust(read(tmp_path / "mine.py").digest, tmp_path / "mine.py")
    assert not found_wrong(again)


def test_one_in_the_node_folder_is_found_by_its_name_and_one_beside_the_patch_goes_before_it(
    written, patch, tmp_path, data
):
    (data / "nodes").mkdir(parents=True)
    text = GAIN.replace("my_gain", "far")
    (data / "nodes" / "mine.py").write_text(text)
    trust(read(data / "nodes" / "mine.py").digest, data / "nodes" / "mine.py")
    assert not found_wrong(patch)
    patch.node("own").settings["path"] = "mine"
    assert not found_wrong(patch)
    written(GAIN, "mine.py", trusted=False)
    patch.node("own").settings["path"] = "mine.py"
    assert str(tmp_path / "mine.py") in found_wrong(patch)[0][1]
    patch.node("own").settings["path"] = "../nodes/mine.py"
    assert "No such file" in found_wrong(patch)[0][1]


def hostile(tmp_path) -> dict[str, bytes]:
    plain = GAIN.encode()
    return {
        "syntax": plain.replace(b"class MyGain", b"clas MyGain"),
        "empty": b"",
        "not text": plain + b"# \xff\xfe",
        "huge": plain + b"#" * MOST_BYTES,
        "zero": plain + b"\0",
        "deep": b"x = " + b"(" * 5000 + b")" * 5000,
        "two classes": plain + plain,
        "imports os": plain + b"import os\n",
        "imports beside": plain + b"def late():\n    from .helper import x\n",
        "imports us": plain + b"import host.services\n",
    }


@pytest.mark.parametrize("case", hostile(Path()))
def test_hostile_files_are_refused_in_one_sentence_without_running(written, patch, tmp_path, case):
    file = written("", trusted=False)
    file.write_bytes(hostile(tmp_path)[case])
    with pytest.raises(PatchError) as refused:
        glance(read(file))
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)
    ((node, message),) = found_wrong(patch)
    assert (node, message) == ("own", refused.value.message)
    assert [own.standing for own in in_patch(patch)] == [message]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
def test_a_pipe_and_a_folder_are_no_nodes_and_hold_nothing_up(patch, tmp_path):
    os.mkfifo(tmp_path / "mine.py")
    assert "is no file" in found_wrong(patch)[0][1]
    (tmp_path / "mine.py").unlink()
    (tmp_path / "mine.py").mkdir()
    assert "irectory" in found_wrong(patch)[0][1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("while True:\n    pass\n", "did not answer"),
        ("raise SystemExit(0)\n", "mine.py:21: SystemExit"),
        ("import numpy\nnumpy.ctypeslib.ctypes.string_at(0)\n", "SIGSEGV"),
        ("1 / 0\n", "mine.py:21: ZeroDivisionError"),
        ("class Other(MyGain):\n    kind = str(2)\n", "expected one class with a kind, found 2"),
    ],
)
def test_a_file_that_does_not_load_cannot_be_trusted(written, more, said):
    file = written(GAIN + more, trusted=False)
    with pytest.raises(PatchError) as refused:
        trusted_after_trial(read(file), Limits(4.0))
    assert said in str(refused.value)
    assert not grants()


def test_a_file_that_loads_and_compiles_is_trusted_and_keeps_the_contract(written):
    file = written(GAIN, trusted=False)
    trusted_after_trial(read(file))
    assert is_trusted(read(file).digest)
    verdicts = held_to_contract(read(file))
    assert len(verdicts) > 10
    assert not [line for verdict in verdicts for line in verdict.found]


def test_the_contract_finds_what_is_wrong_with_a_node_of_ones_own(written):
    broken = GAIN.replace("    bypassable = True", "    latency = classmethod(lambda cls, config: 7)")
    found = {v.check for v in held_to_contract(read(written(broken))) if v.found}
    assert "latency" in found
    assert not found & {"declared", "native", "bounds", "finite", "blocks"}
    deadly = GAIN.replace("out[i, lane] =", "out[i + 100000000, lane] =")
    assert {v.check for v in held_to_contract(read(written(deadly, "deadly.py"))) if v.found} == {"bounds"}


def test_a_trial_can_be_stopped(written):
    from host.plugins.trial import StoppedError

    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        tried(read(written(GAIN)), stop=stop)


def test_two_classes_that_changed_meanwhile_are_not_confused(written, tmp_path):
    """What was looked at is what is tried: a file that changes between the two is refused."""
    file = written(GAIN, trusted=False)
    source = read(file)
    file.write_text(GAIN + "\n# another\n")
    with pytest.raises(PatchError, match="has changed meanwhile"):
        trusted_after_trial(source)
    assert not grants()


def test_a_patch_of_before_there_were_such_nodes_keeps_what_it_had_under_the_name(tmp_path):
    text = """{"format": "patchwright", "version": 1, "nodes": {
        "in": {"kind": "noise"}, "old": {"kind": "user", "settings": {"script": [1, 2]}},
        "out": {"kind": "audio_out", "settings": {"layout": "mono"}}},
        "cables": [{"from": "in.out", "to": "old.in"}, {"from": "old.out", "to": "out.in"}]}"""
    (tmp_path / "old.json").write_text(text)
    patch = load(tmp_path / "old.json")
    assert not found_wrong(patch)
    save(patch, tmp_path / "again.json")
    assert load(tmp_path / "again.json").node("old").settings == {"script": [1, 2]}
