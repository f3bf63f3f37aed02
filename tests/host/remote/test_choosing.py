"""Controls chosen by name and by being moved, and kept in the patch: from the command line, too."""

from __future__ import annotations

import json
from collections.abc import Iterator

import mido
import pytest
from typer.testing import CliRunner

import patchwright
from graph import Patch
from graph.errors import PatchError
from host.remote import choosing, ports
from host.remote.buttons import buttons_in
from host.remote.mappings import controls_in
from host.remote.sources import Source
from nodes import kinds

from .conftest import make_patch


class Moved:
    """A controller on which this is moved, a message at each look."""

    def __init__(self, *coming: mido.Message) -> None:
        self._coming = list(coming)

    def step(self, now: float) -> bool:
        return False

    def iter_pending(self) -> Iterator[mido.Message]:
        if self._coming:
            yield self._coming.pop(0)

    def close(self) -> None:
        self._coming.clear()


def change(control: int, value: int) -> mido.Message:
    return mido.Message("control_change", channel=0, control=control, value=value)


def test_the_knob_that_is_moved_is_learned(patch):
    what = choosing.meant(patch, kinds(), "flt.freq_hz")
    moved = Moved(mido.Message("note_on", channel=0, note=3, velocity=9), change(7, 40), change(74, 10), change(74, 11))
    assert choosing.learned(moved, what, 10.0) == Source("cc", 1, 74)


def test_the_button_that_is_pressed_is_learned(patch):
    what = choosing.meant(patch, kinds(), "play")
    moved = Moved(change(41, 0), mido.Message("note_on", channel=9, note=94, velocity=127))
    assert choosing.learned(moved, what, 10.0) == Source("note", 10, 94)


def test_where_nothing_is_moved_that_is_said(patch):
    with pytest.raises(PatchError, match="nothing was moved within"):
        choosing.learned(Moved(), "play", 0.05)


@pytest.mark.parametrize("text", ["", "flt", "flt.", ".freq_hz", "flt.speed", "nowhere.freq_hz", "fly"])
def test_what_there_is_not_is_refused(patch, text):
    with pytest.raises(PatchError, match=r"expected NODE\.PARAM, or one of play"):
        choosing.meant(patch, kinds(), text)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "desk.json"
    patch = make_patch()
    patch.metadata = {"controls": [{"from": "cc 1 1", "node": "gone", "what": 1}], "mine": True}
    patch.save(path)
    return path


def run(*words: object):
    return CliRunner().invoke(patchwright.app, ["controls", *map(str, words)])


def test_controls_from_the_command_line(saved):
    assert run(saved, "flt.freq_hz", "--from", "cc 1 74").exit_code == 0
    assert run(saved, "strip/cmp.ratio", "--from", "pitch_bend 2", "--jump").exit_code == 0
    assert run(saved, "flt.freq_hz", "--from", "cc 1 75").exit_code == 0  # in place of the other
    done = run(saved, "play", "--from", "note 1 94")
    assert done.stdout.splitlines() == [
        "pitch_bend 2: strip/cmp.ratio, at once",
        "cc 1 75: flt.freq_hz, from where they meet",
        "note 1 94: play",
    ]
    assert "metadata.controls[0]" in done.stderr
    patch = Patch.load(saved)
    assert [str(c.source) for c in controls_in(patch.metadata)[0]] == ["pitch_bend 2", "cc 1 75"]
    assert [b.word for b in buttons_in(patch.metadata)[0]] == ["play"]
    assert patch.metadata["controls"][0] == {"from": "cc 1 1", "node": "gone", "what": 1}
    assert patch.metadata["mine"] is True
    assert run(saved, "play", "--forget").exit_code == 0
    assert run(saved, "flt.freq_hz", "--forget").exit_code == 0
    assert json.loads(run(saved, "--json").stdout) == [
        {"from": "pitch_bend 2", "to": "strip/cmp.ratio", "takeover": "jump"}
    ]


def test_learning_from_the_command_line(saved, monkeypatch):
    monkeypatch.setattr(ports, "why_none", lambda api="": "")
    monkeypatch.setattr(ports, "Port", lambda name, notice: Moved(change(20, 1), change(20, 2)))
    done = run(saved, "main.level_db", "--learn", "--midi", "Box")
    assert done.exit_code == 0
    assert "Move the control for main.level_db" in done.stderr
    assert "cc 1 20: main.level_db" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("flt.freq_hz", "--from", "knob"), 1, "expected a source such as"),
        (("flt.speed", "--from", "cc 1 1"), 1, "there is no param 'flt.speed'"),
        (("flt.freq_hz",), 2, "give what, and one of"),
        (("--from", "cc 1 1"), 2, "give what, and one of"),
        (("flt.freq_hz", "--from", "cc 1 1", "--forget"), 2, "give one of"),
        (("flt.freq_hz", "--learn"), 2, "needs --midi"),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_patch_left_alone(saved, words, status, said):
    before = saved.read_bytes()
    done = run(saved, *words)
    assert done.exit_code == status
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert saved.read_bytes() == before


def test_without_midi_learning_says_so(saved, monkeypatch):
    monkeypatch.setattr(ports, "why_none", lambda api="": "There is no MIDI here.")
    done = run(saved, "play", "--learn", "--midi", "Box")
    assert (done.exit_code, done.stderr) == (1, "patchwright: There is no MIDI here.\n")
