"""*Duck music under dialogue*, from nothing, with mouse and keyboard alone: built, heard, saved, opened, rendered."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from graph.document import Patch
from graph.patchfile import load
from tests.editor.window import DEADLINE_S, Screen, Window

Opens = Callable[..., Window]


@pytest.fixture
def opens(screen: Screen, tmp_path: Path) -> Iterator[Opens]:
    """Opens windows that, one after another, share settings and data."""
    opened: list[Window] = []

    def open_one(*arguments: str | Path) -> Window:
        opened.append(Window(screen, tmp_path / "shared", arguments))
        return opened[-1]

    yield open_one
    for window in opened:
        window.discard()


def chosen_with_the_mouse(window: Window, *rows: str) -> None:
    """Go through folders to a file in the file dialog, each clicked twice."""
    deadline = monotonic() + DEADLINE_S
    for row in rows:
        tag = f"dialog:file:row:{row}"
        while window.ask(do="locate", what=tag)["rect"] is None:
            assert monotonic() < deadline, f"there is no {row}"
            sleep(0.02)
        window.settle(4)
        while (rect := window.ask(do="locate", what=tag)["rect"]) is not None:
            assert monotonic() < deadline, f"{row} does not open"  # on a slow machine two clicks may be too far apart
            window.double_click((rect[0] + 30, rect[1] + rect[3] / 2))
            window.settle(4)


def typed(window: Window, text: str) -> None:
    """Type in place of what is in a field that has the keyboard, and Enter."""
    window.key("ctrl+a")
    window.type(text)
    window.key("Return")


def titled(window: Window, node: str, title: str) -> None:
    window.click(f"header:{node}")
    window.until(lambda state: state["selection"] == [node])
    window.key("F2")
    window.settle(4)
    typed(window, title)
    window.until(lambda state: window.patch()["nodes"][node].get("title") == title, f"{node} is not called {title}")


def peak(window: Window, node: str) -> float:
    found = window.ask(do="readings")["readings"].get(node, {}).get("peak", [])
    return max(found, default=0.0)


def in_the_patch(window: Window, *where: str) -> object:
    found: object = window.patch()
    for name in where:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def test_duck_music_under_dialogue_from_nothing(opens: Opens, root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(root / "patches" / "audio", work / "audio")
    window = opens(root / "patches" / "duck_music_under_dialogue.json", "--device", "null")
    window.click("menu:File")
    window.settle(4)
    x, y = window.middle("menu:File")
    window.click((x + 20, y + 28))
    window.until(lambda state: not state["nodes"] and not state["file"])

    # Narration: a player from the palette, its file by typing a path.
    window.click("palette:search")
    window.type("file play")
    window.settle(4)
    window.drag("palette:file_player", "plane:150,60")
    window.until(lambda state: state["selection"] == ["file_player"])
    window.settle(6)
    window.click("inspector:file_player:path:browse")
    window.dialog("A file for File player")
    window.type(f"{work}/audio/narration.flac")
    window.key("Return")
    path = window.until(lambda state: in_the_patch(window, "nodes", "file_player", "settings", "path"))
    assert path

    # Music: the same from the search at the mouse, its file with the mouse.
    window.move(*window.middle("plane:150,340"))
    window.key("Tab")
    window.settle(4)
    window.type("file pl")
    window.key("Return")
    window.until(lambda state: state["selection"] == ["file_player2"])
    window.settle(6)
    window.click("inspector:file_player2:path:browse")
    window.dialog("A file for File player 2")
    window.type(f"{work}/")
    window.key("Return")
    chosen_with_the_mouse(window, "audio", "music.flac")
    window.until(lambda state: in_the_patch(window, "nodes", "file_player2", "settings", "path"))
    window.shot("from-nothing-players")

    # The compressor at the end of a cable from the music, keyed by the narration.
    window.drag("pin:file_player2.out", "plane:380,400")
    window.settle(4)
    window.type("compressor")
    window.shot("from-nothing-search")
    window.key("Return")
    window.until(lambda state: "file_player2.out -> compressor.in" in state["cables"])
    window.drag("pin:file_player.out", "pin:compressor.sidechain")
    window.until(lambda state: "file_player.out -> compressor.sidechain" in state["cables"])

    # The bus from the palette; the output at the end of its cable.
    window.click("palette:search")
    window.key("ctrl+a")
    window.type("bus")
    window.settle(4)
    window.drag("palette:bus", "plane:750,150")
    window.until(lambda state: "bus" in state["nodes"])
    window.drag("pin:compressor.out", "pin:bus.in")
    window.until(lambda state: "compressor.out -> bus.in" in state["cables"])
    window.drag("pin:file_player.out", "pin:bus.in")
    window.until(lambda state: "file_player.out -> bus.in" in state["cables"])
    window.drag("pin:bus.out", "plane:900,240")
    window.settle(4)
    window.type("audio out")
    window.key("Return")
    state = window.until(lambda state: len(state["cables"]) == 5)
    assert state["nodes"] == ["audio_out", "bus", "compressor", "file_player", "file_player2"]
    assert sorted(state["cables"]) == [
        "bus.out -> audio_out.in",
        "compressor.out -> bus.in",
        "file_player.out -> bus.in",
        "file_player.out -> compressor.sidechain",
        "file_player2.out -> compressor.in",
    ]
    for node, title in (("file_player", "Narration"), ("file_player2", "Music"), ("compressor", "Duck")):
        titled(window, node, title)

    # The threshold: by the node's own knob, and typed in the inspector.
    x, y = window.middle("knob:compressor.threshold_db")
    window.drag((x, y), (x, y + 30))
    turned = in_the_patch(window, "nodes", "compressor", "params", "threshold_db")
    assert isinstance(turned, float | int)
    assert -80 <= turned < -18
    window.settle(6)
    x, y, width, height = window.rect("inspector:compressor.threshold_db")
    window.click((x + width / 2, y + height * 0.65))
    window.settle(4)
    typed(window, "-33")
    window.until(lambda state: in_the_patch(window, "nodes", "compressor", "params", "threshold_db") == -33)

    # Heard: the meters move, and the compressor works.
    window.click("transport:play")
    window.until(lambda state: state["rolling"] and state["place_s"] > 0.2, "it does not play")
    window.until(lambda state: peak(window, "audio_out") > 0.01, "nothing is heard")
    first = peak(window, "audio_out")
    window.until(lambda state: peak(window, "audio_out") != first, "the meter stands")

    def ducked(state: object) -> bool:
        rows = window.ask(do="readings")["readings"].get("compressor", {}).get("gain_reduction", [0.0])
        return max(map(abs, rows)) > 1.0

    window.until(ducked, "the compressor does nothing")
    window.shot("from-nothing-playing")
    window.click("transport:stop")
    window.until(lambda state: not state["rolling"])

    # Saved, closed, and opened again.
    window.key("ctrl+s")
    window.dialog("Save the patch")
    typed(window, f"{work}/ducked")
    window.until(lambda state: state["file"] == str(work / "ducked.pwp"))
    document = window.state()["patch"]
    assert load(work / "ducked.pwp").to_json() == document
    assert in_the_patch(window, "nodes", "file_player", "settings", "path") == "audio/narration.flac"
    assert window.problems() == []
    window.close()
    assert "Traceback" not in window.log()

    again = opens("--new", "--device", "null")
    again.settle(6)
    again.click("plane:300,300")
    again.key("ctrl+o")
    again.dialog("Open a patch")
    chosen_with_the_mouse(again, "ducked.pwp")
    again.until(lambda state: state["file"] == str(work / "ducked.pwp"))
    assert again.state()["patch"] == document
    again.settle(6)
    again.shot("from-nothing-again")

    # Rendered from the dialog, to a folder that is chosen, and by the command line.
    again.key("ctrl+r")
    again.dialog("Render")
    again.click("dialog:render:choose")
    again.dialog("Render to")
    again.type(str(tmp_path))
    again.key("Return")
    again.dialog("Render")
    again.click("dialog:render:accept")
    again.until(lambda state: any("Rendered" in text for _, text in state["notices"]), "the render does not end")
    again.settle(6)
    again.shot("from-nothing-rendered")
    by_dialog, by_command = tmp_path / "ducked.wav", tmp_path / "by_command.wav"
    words = ["render", str(work / "ducked.pwp"), "--out", f"audio_out={by_command}"]
    subprocess.run([sys.executable, "-P", str(root / "patchwright.py"), *words], check=True, capture_output=True)
    assert by_dialog.read_bytes() == by_command.read_bytes()
    audio, _ = soundfile.read(by_dialog)
    assert np.abs(audio).max() > 0.05, "it is silent"
    again.key("Escape")
    again.dialog("")
    assert again.problems() == []
    again.close()
    assert Patch.from_json(document) == load(work / "ducked.pwp")
