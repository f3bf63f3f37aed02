"""What is done in a plugin's window, and the plugin says nothing of: saved, kept, undone. In a real window."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from editor.stock import of_plugin
from graph.document import Patch
from graph.groups import expand
from host.plugins.folders import find
from host.plugins.presets import unpack
from host.plugins.scan import Scan
from host.plugins.store import Found, Store
from tests.editor.plugins.test_plugins_window import until
from tests.editor.window import Window
from tests.host.plugins.c.build import USABLE, WHY_NOT, build

Open = Callable[..., Window]
pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Found]:
    """The data folder of somebody who has the plugin, and what is known of it."""
    folder = tmp_path_factory.mktemp("scanned")
    with Store(folder) as store:
        Scan(store, lambda words: None).these(find([build("Picking", 77, WINDOW=True)], lambda words: None))
        (found,) = store.plugins()
    return folder, found


def picked(state: bytes | None) -> bytes:
    """What a state has as picked; nothing where there is no state."""
    return b"" if state is None else bytes([int(struct.unpack("4d", unpack(state, "test").component)[3])])


def node_of(window: Window) -> bytes:
    """What the patch in the window has as picked."""
    return picked(Patch.from_json(window.state()["patch"]).node("fx").state)


class Desk:
    """A window with the patch "tone -> fx -> out", fx being the plugin, loaded, and its own window open."""

    def __init__(self, open_window: Open, data: Path, about: Found, folder: Path) -> None:
        self.pick, self.folder, self.path = folder / "pick", folder, folder / "picking.json"
        shutil.copytree(data, folder / "window0" / "data")
        patch = Patch("Picking")
        patch.add("tone", "oscillator")
        patch.add("fx", "plugin")
        patch.add("out", "audio_out")
        for k, id in enumerate(("tone", "fx", "out")):
            patch.node(id).position = (300.0 * k, 0.0)
        patch.node("fx").settings.update(of_plugin(about).entry().settings)
        patch.connect("tone.out", "fx.in")
        patch.connect("fx.out", "out.in")
        patch.save(self.path)
        window = self.window = open_window(self.path, "--device", "null")
        window.until(lambda s: s["engine"] == "on")
        window.click("header:fx")
        until(lambda: window.ask(do="locate", what="inspector:fx:plugin:window")["rect"], "there is no button")
        until(lambda: window.ask(do="locate", what="badge:fx")["rect"] is None, "it is not ready")
        window.click("inspector:fx:plugin:window")
        until(self.own, "its window does not open")
        window.settle(10)
        assert window.state()["undo"] == [], "a window that is opened changes nothing"

    def own(self) -> list[str]:
        """The plugin's own windows."""
        words = ["xdotool", "search", "--onlyvisible", "--name", "^Picking$"]
        environment = {**os.environ, "DISPLAY": self.window._display}
        return subprocess.run(words, capture_output=True, text=True, env=environment, check=False).stdout.split()

    def choose(self, what: bytes) -> None:
        """As a person would, with the keyboard: the pointer is elsewhere."""
        fresh = self.folder / "fresh"
        fresh.write_bytes(what)
        fresh.replace(self.pick)
        until(lambda: not self.pick.exists(), "it is not picked")

    def saved(self, node: str = "fx") -> bytes:
        """What a saved patch has as picked: the plugin is asked for it before."""
        self.path.unlink()
        self.window.command("file.save")
        until(self.path.exists, "it is not saved")
        return picked(expand(Patch.load(self.path)).nodes[node].state)


@pytest.fixture
def desk(open_window: Open, scanned: tuple[Path, Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PATCHWRIGHT_TEST_PICK", str(tmp_path / "pick"))
    return Desk(open_window, *scanned, tmp_path)


def test_what_was_picked_without_a_word_is_saved_snapped_asked_about_and_undone(desk: Desk) -> None:
    window, path, choose = desk.window, desk.path, desk.choose
    choose(b"A")
    window.key("ctrl+s")
    until(lambda: picked(Patch.load(path).node("fx").state) == b"A", "it is not saved")
    state = window.until(lambda s: not s["dirty"])
    assert state["undo"] == ["Change in Picking"]

    choose(b"B")
    window.command("snapshots.take")
    state = window.until(lambda s: len(s["undo"]) == 3)
    assert state["undo"] == ["Change in Picking", "Change in Picking", "Take Snapshot 1"]
    kept = Patch.from_json(state["patch"])
    assert picked(kept.snapshot_states["Snapshot 1"]["fx"]) == picked(kept.node("fx").state) == b"B"
    window.key("ctrl+s")
    window.until(lambda s: not s["dirty"])

    choose(b"C")
    window.command("file.new")
    window.dialog("Save the changes?")
    window.key("Escape")
    window.dialog("")
    assert node_of(window) == b"C"
    assert window.state()["undo"][-1] == "Change in Picking"

    window.command("edit.undo")
    window.until(lambda s: len(s["undo"]) == 3)
    window.click("inspector:fx:plugin:window")
    until(lambda: not desk.own(), "its window does not close")
    window.settle(60)
    assert window.state()["redo"] == ["Change in Picking"], "what came of the undo is no step"
    window.command("file.save")
    window.until(lambda s: not s["dirty"])
    assert picked(Patch.load(path).node("fx").state) == b"B", "and the plugin took it back"
    assert window.state()["redo"] == ["Change in Picking"]
    assert window.problems() == []
    window.close()


def test_what_was_picked_without_a_word_is_what_undo_takes_back_and_copies_take_along(desk: Desk) -> None:
    window, choose = desk.window, desk.choose
    choose(b"A")
    window.key("ctrl+z")
    state = window.until(lambda s: s["redo"])
    assert (state["undo"], state["redo"]) == ([], ["Change in Picking"])
    window.key("Right")
    window.until(lambda s: s["undo"] == ["Nudge"])
    choose(b"B")
    assert desk.saved() == b"B"
    choose(b"C")
    window.key("ctrl+z")
    state = window.until(lambda s: s["redo"])
    assert (state["undo"], state["redo"]) == (["Nudge", "Change in Picking"], ["Change in Picking"])
    assert desk.saved() == b"B", "the plugin went back with the patch"
    window.key("ctrl+y")
    window.until(lambda s: not s["redo"])
    assert desk.saved() == b"C"

    choose(b"D")
    window.key("ctrl+c")
    window.key("ctrl+v")
    state = window.until(lambda s: len(s["nodes"]) == 4)
    (copy,) = set(state["nodes"]) - {"tone", "fx", "out"}
    patch = Patch.from_json(state["patch"])
    assert picked(patch.node("fx").state) == picked(patch.node(copy).state) == b"D"
    window.key("ctrl+z")
    window.until(lambda s: len(s["nodes"]) == 3)

    window.click("header:fx")
    choose(b"E")
    window.key("ctrl+g")
    state = window.until(lambda s: "fx" not in s["nodes"])
    (box,) = set(state["nodes"]) - {"tone", "out"}
    assert desk.saved(f"{box}/fx") == b"E"
    window.key("ctrl+z")
    window.until(lambda s: "fx" in s["nodes"])
    assert desk.saved() == b"E"
    assert window.problems() == []
    window.close()


def test_what_was_picked_without_a_word_comes_back_with_a_node_that_was_deleted(desk: Desk) -> None:
    window = desk.window
    desk.choose(b"A")
    window.key("Delete")
    window.until(lambda s: "fx" not in s["nodes"])
    window.key("ctrl+z")
    window.until(lambda s: "fx" in s["nodes"])
    assert node_of(window) == b"A"
    assert desk.saved() == b"A"
    assert window.state()["undo"] == ["Change in Picking"]
    assert window.problems() == []
    window.close()
