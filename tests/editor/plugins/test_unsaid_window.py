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


def test_what_was_picked_without_a_word_is_saved_snapped_asked_about_and_undone(
    open_window: Open, scanned: tuple[Path, Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick = tmp_path / "pick"
    monkeypatch.setenv("PATCHWRIGHT_TEST_PICK", str(pick))
    shutil.copytree(scanned[0], tmp_path / "window0" / "data")
    patch = Patch("Picking")
    patch.add("tone", "oscillator")
    patch.add("fx", "plugin")
    patch.add("out", "audio_out")
    for k, id in enumerate(("tone", "fx", "out")):
        patch.node(id).position = (300.0 * k, 0.0)
    patch.node("fx").settings.update(of_plugin(scanned[1]).entry().settings)
    patch.connect("tone.out", "fx.in")
    patch.connect("fx.out", "out.in")
    path = tmp_path / "picking.json"
    patch.save(path)
    window = open_window(path, "--device", "null")
    window.until(lambda s: s["engine"] == "on")
    window.click("header:fx")
    until(lambda: window.ask(do="locate", what="inspector:fx:plugin:window")["rect"], "there is no button")
    until(lambda: window.ask(do="locate", what="badge:fx")["rect"] is None, "it is not ready")
    environment = {**os.environ, "DISPLAY": window._display}

    def own() -> list[str]:
        words = ["xdotool", "search", "--onlyvisible", "--name", "^Picking$"]
        return subprocess.run(words, capture_output=True, text=True, env=environment, check=False).stdout.split()

    def choose(what: bytes) -> None:
        """As a person would, with the keyboard: the pointer is elsewhere."""
        fresh = tmp_path / "fresh"
        fresh.write_bytes(what)
        fresh.replace(pick)
        until(lambda: not pick.exists(), "it is not picked")

    window.click("inspector:fx:plugin:window")
    until(own, "its window does not open")
    window.settle(10)
    assert window.state()["undo"] == [], "a window that is opened changes nothing"

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
    until(lambda: not own(), "its window does not close")
    window.settle(60)
    assert window.state()["redo"] == ["Change in Picking"], "what came of the undo is no step"
    window.command("file.save")
    window.until(lambda s: not s["dirty"])
    assert picked(Patch.load(path).node("fx").state) == b"B", "and the plugin took it back"
    assert window.state()["redo"] == ["Change in Picking"]
    assert window.problems() == []
    window.close()
