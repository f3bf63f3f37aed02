"""Killed in the middle of play: the engine, and then the editor. Nothing is lost, and the sound comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from editor.journal import WORK
from graph.patchfile import loads
from tests.editor.window import DEADLINE_S, Screen, Window


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < end, what
        sleep(0.02)


def engines(folder: Path) -> set[int]:
    """The processes that say in their folders how they are reached."""
    found: set[int] = set()
    for endpoint in (folder / "run").glob("*/endpoint"):
        pid = json.loads(endpoint.read_bytes())["pid"]
        if Path(f"/proc/{pid}").exists():
            found.add(pid)
    return found


def loudest(window: Window) -> float:
    readings = window.ask(do="readings")["readings"].values()
    return max((max(each.get("peak", []), default=0.0) for each in readings), default=0.0)


def kept(folder: Path) -> str:
    """The document in the journal."""
    for file in (folder / "data" / "journal").glob(f"*/{WORK}"):
        return loads(file.read_bytes().partition(b"\n")[2]).to_json()
    return ""


def test_engine_and_editor_are_killed_while_it_plays(screen: Screen, root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "patches", tmp_path / "patches")
    patch, folder = tmp_path / "patches" / "duck_music_under_dialogue.json", tmp_path / "shared"
    window = Window(screen, folder, (patch, "--device", "null"))
    again: Window | None = None
    try:
        window.until(lambda state: state["engine"] == "on", "there is no engine")
        window.click("header:duck")
        window.key("m")
        window.until(lambda state: state["undo"])
        document = window.state()["patch"]
        window.command("sound.play")
        window.until(lambda state: state["rolling"] and loudest(window) > 0.01, "nothing is heard")

        before = engines(folder)
        assert len(before) == 1
        os.kill(before.pop(), signal.SIGKILL)
        state = window.until(lambda state: any("has died" in text for _, text in state["notices"]), "it is not said")
        window.settle(4)
        window.shot("engine-died")
        place = state["place_s"]
        window.until(
            lambda state: state["rolling"] and state["place_s"] > place and loudest(window) > 0.01, "no sound is back"
        )
        assert window.state()["patch"] == document
        assert window.problems() == []

        wait_for(lambda: kept(folder) == document, "the work is not kept")
        window.kill()
        (folder / "probe").unlink()
        again = Window(screen, folder, (patch, "--device", "null"))
        state = again.until(lambda state: any("Recovered" in text for _, text in state["notices"]), "it is not said")
        assert state["patch"] == document
        assert state["dirty"]
        again.settle(4)
        again.shot("editor-recovered")
        again.until(lambda state: state["engine"] == "on", "there is no engine")
        again.command("edit.undo")
        again.until(lambda state: not state["dirty"])
        assert again.problems() == []
        again.close()
    finally:
        for each in (window, again):
            if each is not None:
                each.discard()
        for pid in engines(folder):
            os.kill(pid, signal.SIGKILL)
