"""The file of a patch that somebody else changes, moves, or puts back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from editor.files.watch import EVERY_S, Watch
from editor.model import Session
from graph.document import Patch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "mix.pwp"
    file.write_bytes(b"ours")
    return file


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(file: Path, said: list[str]) -> Watch:
    session = Session(Patch(), file=file)
    found = Watch(session, lambda level, text: said.append(text))
    found.own()
    return found


def test_what_is_as_it_was_is_not_spoken_of(watch: Watch, said: list[str]) -> None:
    watch.step(EVERY_S)
    watch.step(2 * EVERY_S)
    assert said == []
    assert watch.changed() == ""


def test_what_another_writes_is_said_once_and_stays_known(watch: Watch, file: Path, said: list[str]) -> None:
    file.write_bytes(b"theirs")
    watch.step(EVERY_S)
    watch.step(2 * EVERY_S)
    assert len(said) == 1
    assert "mix.pwp was changed" in said[0]
    assert watch.changed()


def test_of_the_same_size_too_and_put_in_place_of_it(watch: Watch, file: Path) -> None:
    other, was = file.with_name("other"), file.stat()
    other.write_bytes(b"hers")
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    os.replace(other, file)
    assert watch.changed()


def test_what_is_written_here_is_ours(watch: Watch, file: Path, said: list[str]) -> None:
    file.write_bytes(b"theirs, and then ours")
    watch.own()
    watch.step(EVERY_S)
    assert said == []
    assert watch.changed() == ""


def test_a_file_that_is_gone_is_said_and_nothing_that_saving_would_replace(
    watch: Watch, file: Path, said: list[str]
) -> None:
    file.rename(file.with_name("elsewhere.pwp"))
    watch.step(EVERY_S)
    assert len(said) == 1
    assert "mix.pwp is no longer in" in said[0]
    assert watch.changed() == ""
    file.with_name("elsewhere.pwp").rename(file)
    watch.step(2 * EVERY_S)
    assert len(said) == 1
    assert watch.changed() == ""


def test_without_a_file_there_is_nothing_to_watch(said: list[str]) -> None:
    watch = Watch(Session(Patch()), lambda level, text: said.append(text))
    watch.own()
    watch.step(EVERY_S)
    assert said == []
    assert watch.changed() == ""
