"""In a real window: a node of one's own is asked about before it runs, and again when it has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from tests.editor.window import Window
from tests.host.usernodes.conftest import GAIN

Open = Callable[..., Window]
ASKS = "Trust this node?"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A patch with a node of one's own beside it, which leaves a mark where it runs."""
    (tmp_path / "mine.py").write_text(GAIN + f"\nopen({str(tmp_path / 'ran')!r}, 'w').close()\n")
    patch = Patch("Own", sample_rate=48000)
    patch.add("noise", "noise")
    patch.add("own", "user", settings={"path": "mine.py"}, level_db=-6)
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("noise.out", "own.in")
    patch.connect("own.out", "out.in")
    for k, id in enumerate(("noise", "own", "out")):
        patch.node(id).position = (260 * k, 100)
    patch.save(tmp_path / "own.pwp")
    return tmp_path / "own.pwp"


def grants(window: Window) -> list[Path]:
    folder = window.folder / "data" / "trusted_nodes"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_it_is_looked_at_trusted_and_reloaded(open_window: Open, file: Path, tmp_path: Path) -> None:
    window = open_window(file, "--no-engine")
    window.click("header:own")
    window.settle()
    assert window.rect("badge:own")
    window.shot("own_untrusted")
    window.click("inspector:own:own:trust")
    window.dialog(ASKS)
    window.shot("own_dialog")
    window.key("Return")
    window.settle(10)
    assert window.state()["dialog"] == ASKS  # Enter says yes to nothing
    assert not (tmp_path / "ran").exists()
    window.click("dialog:trust:accept")
    window.dialog("")
    assert len(grants(window)) == 1
    assert (tmp_path / "ran").exists()
    window.until(lambda state: any("is trusted" in text for _, text in state["notices"]))
    window.settle(10)
    window.shot("own_trusted")
    assert window.ask(do="locate", what="badge:own")["rect"] is None
    assert window.rect("inspector:own.level_db")
    (tmp_path / "mine.py").write_text(GAIN.replace('"level_db"', '"loud_db"'))
    window.until(lambda state: any("has changed" in text for _, text in state["notices"]))
    window.settle(10)
    assert window.rect("badge:own")
    assert window.rect("inspector:own.level_db")  # it is as it plays
    window.shot("own_changed")
    window.command("usernodes.trust")
    window.dialog(ASKS)
    window.click("dialog:trust:accept")
    window.dialog("")
    window.until(lambda state: window.ask(do="locate", what="inspector:own.loud_db")["rect"] is not None)
    assert len(grants(window)) == 2
    assert not window.problems()
    window.close()


def test_a_no_is_a_no_and_what_cannot_load_is_said(open_window: Open, file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GAIN + "\n1 / 0\n")
    window = open_window(file, "--no-engine")
    window.command("usernodes.trust")
    window.dialog(ASKS)
    window.key("Escape")
    window.dialog("")
    assert not grants(window)
    window.command("usernodes.trust")
    window.dialog(ASKS)
    window.click("dialog:trust:accept")
    window.until(lambda _: "ZeroDivisionError" in window.ask(do="value", what="dialog:trust:problem")["value"])
    assert not grants(window)
    window.key("Escape")
    window.dialog("")
    window.close()


def test_those_of_the_node_folder_are_in_the_palette_as_they_come(open_window: Open, tmp_path: Path) -> None:
    window = open_window("--new", "--no-engine")
    folder = window.folder / "data" / "nodes"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(GAIN)
    window.until(lambda _: window.ask(do="locate", what="palette:user:mine.py")["rect"] is not None)
    window.double_click("palette:user:mine.py")
    window.until(lambda _: any(n["kind"] == "user" for n in window.patch()["nodes"].values()))
    ((id, node),) = window.patch()["nodes"].items()
    assert (id, node["settings"]) == ("my_gain", {"path": "mine.py"})
    window.until(lambda _: window.ask(do="locate", what=f"badge:{id}")["rect"] is not None)
    assert not window.problems()
    window.close()
