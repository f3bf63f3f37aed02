"""Scans from the editor: in a thread, shown while they go on, ended when somebody wants it, and said how they ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from editor.plugins.scanning import Work
from editor.plugins.shelf import Shelf
from host.plugins.database import scanning
from host.plugins.store import Store
from tests.host.plugins.test_scan import CHILD, plugin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the plugins of this test use signals")
DEADLINE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path / "data"))
    found = tmp_path / "plugins"
    found.mkdir()
    return found


@pytest.fixture
def said() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def work(folder: Path, said: list[tuple[str, str]]):
    made = Work(Shelf(), lambda level, text: said.append((level, text)), {"command": CHILD, "jobs": 1})
    yield made
    made.close()


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def done(work: Work) -> None:
    until(lambda: not work.busy, "the work does not end")


def test_a_scan_fills_the_shelf_and_says_what_it_found(work: Work, folder: Path, said: list[tuple[str, str]]) -> None:
    plugin(folder, "Good")
    plugin(folder, "Bad", load="crash")
    shelf = work._shelf
    assert work.scan(paths=[folder])
    assert not work.scan(), "one at a time"
    done(work)
    until(lambda: len(shelf.known.files) == 2, "the shelf is not read")
    assert {Path(f.path).stem: f.verdict for f in shelf.known.files} == {"Good": "good", "Bad": "crashed"}
    assert [p.description.name for p in shelf.known.plugins] == ["Plugin A"]
    level, text = said[-1]
    assert level == "warning"
    assert "2 plugin files were looked at" in text
    assert "1 good" in text
    assert "1 crashed" in text
    assert work.progress is None


def test_only_what_is_new_is_looked_at_unless_all_is_asked_for(
    work: Work, folder: Path, said: list[tuple[str, str]]
) -> None:
    plugin(folder, "One")
    assert work.scan(paths=[folder])
    done(work)
    assert said[-1] == ("good", "1 plugin file was looked at: 1 good.")
    assert work.scan(paths=[folder])
    done(work)
    assert said[-1] == ("info", "No plugin file is new or has changed; 1 are known.")
    assert work.scan(again=True, paths=[folder])
    done(work)
    assert said[-1] == ("good", "1 plugin file was looked at: 1 good.")


def test_what_failed_is_tried_again_and_nothing_else(work: Work, folder: Path, said: list[tuple[str, str]]) -> None:
    plugin(folder, "Good")
    bad = plugin(folder, "Bad", load="crash")
    assert work.scan(paths=[folder])
    done(work)
    bad.write_text('{"classes": {"B": ""}}')
    assert work.retry()
    done(work)
    assert said[-1] == ("good", "1 plugin file was looked at: 1 good.")
    with Store() as store:
        assert {f.verdict for f in store.files()} == {"good"}


def test_a_scan_that_is_ended_leaves_no_process_and_goes_on_later(
    work: Work, folder: Path, said: list[tuple[str, str]], tmp_path: Path
) -> None:
    plugin(folder, "A")
    plugin(folder, "B", load="hang")
    assert work.scan(paths=[folder])
    until(lambda: (tmp_path / "log").is_file() and "look B" in (tmp_path / "log").read_text(), "B is not looked at")
    progress = work.progress
    assert progress is not None
    assert (progress.done, progress.due, progress.last) == (1, 2, "A")
    assert progress.share == 0.5
    work.stop()
    done(work)
    assert said[-1][1].startswith("Stopped.")
    pid = int((tmp_path / "log").read_text().split("look B.vst3 ")[1].split()[0])
    until(lambda: not Path(f"/proc/{pid}").exists() or sys.platform != "linux", "its process is left")
    plugin(folder, "B")
    assert work.scan(paths=[folder])
    done(work)
    assert said[-1] == ("good", "1 plugin file was looked at: 1 good."), "A was kept"


def test_a_folder_of_ones_own_is_kept_and_left(work: Work, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.plugins.scan.standard_folders", list)
    plugin(folder, "Mine")
    shelf = work._shelf
    assert work.add_folder(folder)
    done(work)
    until(lambda: shelf.known.folders == (folder,), "the folder is not kept")
    assert [Path(f.path).stem for f in shelf.known.files] == ["Mine"]
    assert work.remove_folder(folder)
    done(work)
    until(lambda: shelf.known.folders == (), "the folder is not left")
    assert len(shelf.known.files) == 1, "what was found stays known"


def test_another_scan_at_work_is_said(work: Work, folder: Path, said: list[tuple[str, str]]) -> None:
    plugin(folder, "One")
    with scanning():
        assert work.scan(paths=[folder])
        done(work)
    assert said == [("error", "Plugins cannot be looked at: another scan is at work; wait for it")]
