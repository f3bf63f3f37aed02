"""The system's file dialogs: what is run for each, what is made of the answers; and in a real window, with a program
that answers as zenity does.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from time import monotonic, sleep

import pytest

from editor.files.native import OWN, Answer, Asking, Question, command
from graph.document import Patch
from tests.editor.window import DEADLINE_S, Window

Opens = Callable[..., Window]
OPEN = Question("open", "Open a patch", Path("/mixes/new"), suffixes=(".pwp", ".json"))
SAVE = Question("save", "Save the patch", Path("/mixes/new"), "it's \u201cmine\u2019s\u201d.pwp", (".pwp",))
FOLDER = Question("folder", "Choose a folder", Path("/mixes"))


def every(name: str) -> str | None:
    return f"/usr/bin/{name}"


def only(wanted: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name == wanted else None


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OWN, raising=False)


def test_there_is_none_where_no_program_is_and_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(OPEN, "linux", lambda _: None) is None
    assert command(OPEN, "darwin", only("zenity")) is None
    monkeypatch.setenv(OWN, "own")
    assert command(OPEN, "linux", every) is None


@pytest.mark.parametrize(
    ("system", "desktop", "there", "program"),
    [
        ("linux", "GNOME", every, "zenity"),
        ("linux", "KDE", every, "kdialog"),
        ("linux", "KDE", only("zenity"), "zenity"),
        ("freebsd14", "", only("kdialog"), "kdialog"),
        ("darwin", "", every, "osascript"),
        ("win32", "", every, "powershell"),
    ],
)
def test_each_system_has_its_program(system: str, desktop: str, there: Callable, program: str) -> None:
    words = command(OPEN, system, there, desktop)
    assert words is not None
    assert PurePosixPath(words[0]).name == program


def test_zenity_is_told_where_to_begin_what_fits_and_what_for() -> None:
    asked = command(OPEN, "linux", only("zenity"))
    assert asked is not None
    assert "--filename=/mixes/new/" in asked
    assert "--file-filter=*.pwp *.json" in asked
    assert "--save" not in asked
    saved = command(SAVE, "linux", only("zenity"))
    assert saved is not None
    assert {"--save", "--confirm-overwrite", f"--filename=/mixes/new/{SAVE.name}"} <= set(saved)
    folder = command(FOLDER, "linux", only("zenity"))
    assert folder is not None
    assert "--directory" in folder


def test_names_are_no_code_on_any_system() -> None:
    apple = command(SAVE, "darwin", every)
    assert apple is not None
    assert apple[-1] == SAVE.name
    assert not any(SAVE.name in word for word in apple[:-1])
    windows = command(SAVE, "win32", every)
    assert windows is not None
    script = base64.b64decode(windows[-1]).decode("utf-16-le")
    line = next(line for line in script.splitlines() if line.startswith("$d.FileName"))
    assert line == "$d.FileName = 'it''s \u201cmine\u2019\u2019s\u201d.pwp'"


def answered(*words: str) -> Answer:
    asking, end = Asking([sys.executable, "-c", *words]), monotonic() + DEADLINE_S
    while (found := asking.answer()) is None:
        assert monotonic() < end
        sleep(0.01)
    return found


def test_what_is_printed_is_the_path_a_status_of_one_is_no_answer_and_all_else_a_problem() -> None:
    assert answered("print('/mixes/a b.pwp')") == Answer(Path("/mixes/a b.pwp"))
    assert answered("raise SystemExit(1)") == Answer()
    assert answered("print('')") == Answer()
    assert answered("raise SystemExit('cannot open display: :9')").problem == "cannot open display: :9"
    assert answered("import sys; sys.stderr.write('no GTK\\n'); sys.exit(5)") == Answer(problem="no GTK")


def test_a_dialog_that_is_given_up_ends() -> None:
    asking = Asking([sys.executable, "-c", "import time; time.sleep(600)"])
    assert asking.answer() is None
    asking.end()
    assert asking._process.poll() is not None


@pytest.fixture
def desk(open_window: Opens, tmp_path: Path) -> Callable[[str], Window]:
    """Opens a window beside a ``zenity`` that is a line of shell; what it was asked stands in ``asked``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    Patch("One").save(tmp_path / "one.pwp")
    Patch("Two").save(tmp_path / "two.pwp")

    def opened(line: str) -> Window:
        program = tools / "zenity"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{line}\n', encoding="utf-8")
        program.chmod(0o755)
        path = f"{tools}:/usr/bin:/bin"
        return open_window(tmp_path / "one.pwp", "--no-engine", environment={OWN: "", "PATH": path})

    return opened


def test_a_patch_is_opened_by_the_systems_dialog(desk: Callable[[str], Window], tmp_path: Path) -> None:
    window = desk(f"echo {tmp_path}/two.pwp")
    window.key("ctrl+o")
    window.until(lambda state: state["file"].endswith("two.pwp") and not state["dialog"])
    assert "--title=Open a patch" in (tmp_path / "asked").read_text()
    window.close()


def test_it_can_be_given_up_at_either_end_and_done_here(desk: Callable[[str], Window], tmp_path: Path) -> None:
    window = desk(f"test -e {tmp_path}/go && exit 1; exec sleep 600")
    window.key("ctrl+o")
    window.dialog("Open a patch")
    window.key("Escape")
    window.dialog("")
    window.key("ctrl+o")
    window.dialog("Open a patch")
    window.click("dialog:system:own")
    window.until(lambda _: window.ask(do="locate", what="dialog:file:name")["rect"] is not None)
    window.key("Escape")
    window.dialog("")
    (tmp_path / "go").touch()
    window.key("ctrl+o")
    window.until(lambda _: (tmp_path / "asked").read_text().count("Open a patch") == 3)
    window.dialog("")
    assert window.state()["file"].endswith("one.pwp")
    assert window.problems() == []
    window.close()


def test_where_it_does_not_work_the_editors_own_asks(desk: Callable[[str], Window]) -> None:
    window = desk("echo 'cannot open display: :7' >&2; exit 1")
    window.key("ctrl+o")
    window.until(lambda _: window.ask(do="locate", what="dialog:file:name")["rect"] is not None)
    window.until(lambda state: any("cannot open display" in text for _, text in state["notices"]))
    window.key("Escape")
    window.dialog("")
    window.close()


def test_a_name_that_gets_its_suffix_here_is_asked_about_here(desk: Callable[[str], Window], tmp_path: Path) -> None:
    before = (tmp_path / "two.pwp").read_bytes()
    window = desk(f"echo {tmp_path}/two")
    window.key("ctrl+shift+s")
    window.dialog("Replace the file?")
    assert (tmp_path / "two.pwp").read_bytes() == before
    window.key("Return")
    window.until(lambda state: state["file"].endswith("two.pwp"))
    assert Patch.load(tmp_path / "two.pwp").name == "One"
    window.close()
