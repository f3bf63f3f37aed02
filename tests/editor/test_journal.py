"""Unsaved work outlives an editor that was killed, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import editor.journal as journal_module
from editor.journal import (
    LATEST_S,
    LOCK,
    LONGEST_LINE,
    MOST_LEFT,
    QUIET_S,
    WORK,
    Header,
    Journal,
    Left,
    _read,
    left_behind,
)
from editor.model import Session
from graph.document import Patch
from graph.edits import AddNode, SetParam
from graph.errors import PatchError


class Said(list[tuple[str, str]]):
    def __call__(self, level: str, text: str) -> None:
        self.append((level, text))


@pytest.fixture
def session() -> Session:
    patch = Patch("Work")
    patch.add("level", "gain")
    return Session(patch)


def edited(session: Session, journal: Journal, at: float, value: float) -> None:
    session.do(SetParam("level", "level_db", value))
    journal.note(at)
    journal.step(session, at)


def test_work_is_written_when_the_hand_rests(session: Session, tmp_path: Path) -> None:
    journal = Journal(Said(), tmp_path)
    edited(session, journal, 10.0, -3)
    journal.flush()
    assert not (journal.place / WORK).exists()
    journal.step(session, 10.0 + QUIET_S)
    journal.flush()
    assert (journal.place / WORK).exists()
    journal.close()


def test_work_is_written_while_the_hand_does_not_rest(session: Session, tmp_path: Path) -> None:
    journal = Journal(Said(), tmp_path)
    steps = int(LATEST_S / 0.1) + 2
    for k in range(steps):
        edited(session, journal, 10.0 + 0.1 * k, -float(k))
    journal.flush()
    assert (journal.place / WORK).exists()
    journal.close()


def test_on_a_disk_that_stands_still_only_the_newest_work_waits(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still, begun, written = Event(), Event(), []
    real = journal_module.write_whole

    def write(path: Path, data: bytes, **rest: Any) -> None:
        begun.set()
        assert still.wait(30.0)
        written.append(data)
        real(path, data, **rest)

    monkeypatch.setattr(journal_module, "write_whole", write)
    (place := tmp_path / "old").mkdir()
    said = Said()
    journal = Journal(said, tmp_path)
    journal.adopt(Left(place, Header("", "", 0.0, ()), Patch()))
    for k in range(50):
        edited(session, journal, 10.0 * k, -float(k))
        journal.step(session, 10.0 * k + LATEST_S)
        assert begun.wait(30.0)
    assert place.exists()
    still.set()
    journal.flush()
    assert len(written) == 2
    assert not said
    assert left_work(journal).patch.node("level").params["level_db"] == -49.0
    assert not place.exists()
    journal.close()


def test_adopted_work_stays_while_what_it_became_cannot_be_written(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place := tmp_path / "old").mkdir()
    said = Said()
    journal = Journal(said, tmp_path)
    journal.adopt(Left(place, Header("", "", 0.0, ()), Patch()))
    real = journal_module.write_whole

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal_module, "write_whole", full)
    edited(session, journal, 10.0, 1)
    journal.step(session, 20.0)
    journal.flush()
    assert [level for level, _ in said] == ["warning"]
    assert place.exists()
    monkeypatch.setattr(journal_module, "write_whole", real)
    edited(session, journal, 30.0, 2)
    journal.step(session, 40.0)
    journal.flush()
    assert not place.exists()
    journal.close()


def left_work(journal: Journal) -> Left:
    """What another editor would find, were this one killed now."""
    return _read(journal.place)


def test_what_runs_is_not_left_behind_and_what_is_closed_leaves_nothing(session: Session, tmp_path: Path) -> None:
    journal = Journal(Said(), tmp_path)
    edited(session, journal, 10.0, -3)
    journal.step(session, 20.0)
    journal.flush()
    assert left_behind(tmp_path) == ([], [])
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_saving_forgets_and_the_next_edit_keeps_again(session: Session, tmp_path: Path) -> None:
    journal = Journal(Said(), tmp_path)
    edited(session, journal, 10.0, -3)
    journal.step(session, 20.0)
    session.saved(tmp_path / "x.pwp")
    journal.note(21.0)
    journal.step(session, 21.0)
    journal.flush()
    assert not (journal.place / WORK).exists()
    edited(session, journal, 30.0, -4)
    journal.step(session, 40.0)
    journal.flush()
    assert (journal.place / WORK).exists()
    journal.close()


KILLED = """
import sys, time
from pathlib import Path
from editor.journal import Journal
from editor.model import Session
from graph.edits import AddNode
from graph.document import NodeEntry, Patch
session = Session(Patch("Killed"), file=Path(sys.argv[2]))
journal = Journal(print, Path(sys.argv[1]))
session.do(AddNode("kept", NodeEntry("gain", params={"level_db": -7.0})))
journal.note(1.0)
journal.step(session, 9.0)
journal.flush()
print("written", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_had_is_there(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "song.pwp"
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{KILLED}"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "journal"), str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "written\n"
    assert left_behind(tmp_path / "journal") == ([], [])
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdin.close()
    process.stdout.close()
    (left,), problems = left_behind(tmp_path / "journal")
    assert problems == []
    assert left.patch.node("kept").params == {"level_db": -7.0}
    assert left.header.file == str(file.resolve())
    assert left.patch.folder == tmp_path
    assert "song.pwp" in left.words()
    assert "Add kept" in left.words()
    (again,), _ = left_behind(tmp_path / "journal")
    assert again.header == left.header
    left.discard()
    assert left_behind(tmp_path / "journal") == ([], [])


def test_adopted_work_goes_only_when_what_it_became_is_written(session: Session, tmp_path: Path) -> None:
    first = Journal(Said(), tmp_path)
    edited(session, first, 10.0, -3)
    first.step(session, 20.0)
    first.close(keep=True)
    (left,), _ = left_behind(tmp_path)
    second = Journal(Said(), tmp_path)
    second.adopt(left)
    other = Session(Patch("New"))
    second.step(other, 0.0)
    second.flush()
    assert left.place.exists()
    other.do(AddNode("n", left.patch.node("level")))
    second.note(1.0)
    second.step(other, 9.0)
    second.flush()
    assert not left.place.exists()
    assert (second.place / WORK).exists()
    second.close()


@pytest.mark.parametrize("how", ["undone", "closed"])
def test_adopted_work_that_is_wanted_no_more_goes(how: str, session: Session, tmp_path: Path) -> None:
    (place := tmp_path / "old").mkdir()
    journal = Journal(Said(), tmp_path)
    journal.adopt(Left(place, Header("", "", 0.0, ()), Patch()))
    edited(session, journal, 10.0, 1)
    if how == "undone":
        session.undo()  # before anything of it was written
        journal.note(10.1)
        journal.step(session, 10.2)
        journal.flush()
        assert not place.exists()
    journal.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "work",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b'{"file": 1, "folder": "", "at": 0, "steps": []}\n',
        b'{"file": "a\\u0000b", "folder": "", "at": 0, "steps": []}\n',
        b'{"file": "", "folder": "", "at": true, "steps": []}\n',
        b'{"file": "", "folder": "", "at": 1e300, "steps": []}\n',
        b'{"file": "", "folder": "", "at": 1, "steps": [2]}\n',
        b'{"file": "", "folder": "", "at": 1, "steps": []}\nnot a patch',
        b"[" * 30_000 + b"\n",
        b" " * (LONGEST_LINE + 1) + b"\n",
    ],
)
def test_work_that_cannot_be_read_is_said_and_stays(work: bytes, tmp_path: Path) -> None:
    place = tmp_path / "1-2-3"
    place.mkdir()
    (place / LOCK).touch()
    (place / WORK).write_bytes(work)
    found, problems = left_behind(tmp_path)
    assert found == []
    assert len(problems) == 1
    assert str(place / WORK) in problems[0]
    assert (place / WORK).read_bytes() == work


def test_only_so_much_is_kept(session: Session, tmp_path: Path) -> None:
    for k in range(MOST_LEFT + 3):
        journal = Journal(Said(), tmp_path)
        edited(session, journal, 10.0, -1 - k)
        journal.step(session, 20.0)
        journal.close(keep=True)
    found, _ = left_behind(tmp_path)
    assert [left.patch.node("level").params["level_db"] for left in found][:2] == [-MOST_LEFT - 3, -MOST_LEFT - 2]
    assert len(found) == MOST_LEFT == len(list(tmp_path.iterdir()))


def test_a_folder_that_cannot_be_written_is_said_and_the_editor_goes_on(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = Said()
    journal = Journal(said, tmp_path / "file")
    edited(session, journal, 10.0, -3)
    journal.step(session, 20.0)
    journal.flush()
    journal.close()
    assert [level for level, _ in said] == ["warning"]


def test_a_header_says_the_last_steps() -> None:
    line = b'{"file": "", "folder": "/", "at": 1, "steps": ["' + b'", "'.join([b"x" * 300] * 40) + b'"]}\n'
    header = Header.read(line)
    assert len(header.steps) == 30
    assert all(len(step) == 200 for step in header.steps)
    with pytest.raises(PatchError):
        Header.read(b"null\n")
