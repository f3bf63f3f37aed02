"""In a real window: killed and recovered; saved under another name, opened again, rendered from the dialog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from editor.journal import WORK
from graph.document import Patch
from graph.patchfile import load
from tests.editor.window import DEADLINE_S, Screen, Window

Opens = Callable[..., Window]


@pytest.fixture
def reopen(screen: Screen, tmp_path: Path) -> Iterator[Opens]:
    """Opens windows that, one after another, share settings and data."""
    opened: list[Window] = []

    def open_one(*arguments: str | Path) -> Window:
        (tmp_path / "shared" / "probe").unlink(missing_ok=True)
        opened.append(Window(screen, tmp_path / "shared", arguments))
        return opened[-1]

    yield open_one
    for window in opened:
        window.discard()


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < end, what
        sleep(0.02)


def content(window: Window) -> dict[str, Any]:
    return window.patch()


def delete_a_node(window: Window, node: str) -> None:
    """Select everything but the canvas's own ways aside: by keys alone."""
    before = window.state()["nodes"]
    window.command("edit.all")
    window.until(lambda state: len(state["selection"]) == len(before))
    window.key("Delete")
    window.until(lambda state: len(state["nodes"]) == 0, node)


def test_killed_and_recovered(reopen: Opens, shipped: Path, tmp_path: Path) -> None:
    window = reopen(shipped, "--no-engine")
    saved = content(window)
    delete_a_node(window, "all")
    window.command("edit.undo")
    window.command("arrange.auto")
    edited = window.until(lambda state: state["dirty"])
    document = content(window)
    assert document != saved
    journal = tmp_path / "shared" / "data" / "journal"
    wait_for(lambda: list(journal.glob(f"*/{WORK}")), "nothing is kept")
    wait_for(
        lambda: any(edited["undo"][-1] in _steps(file) for file in journal.glob(f"*/{WORK}")),
        "the last edit is not kept",
    )
    window.kill()

    again = reopen(shipped, "--no-engine")
    assert content(again) == document
    state = again.state()
    assert state["dirty"]
    assert state["file"] == str(shipped)
    assert [text for _, text in state["notices"] if text.startswith("Recovered") and shipped.name in text]
    again.shot("recovered")
    again.command("edit.undo")
    again.until(lambda state: not state["dirty"])
    assert content(again) == saved
    assert again.problems() == []
    again.close()
    wait_for(lambda: not list(journal.glob(f"*/{WORK}")), "closed, and yet there is unsaved work")


def _steps(file: Path) -> list[str]:
    with file.open("rb") as stream:
        return json.loads(stream.readline())["steps"]


def test_saved_as_opened_again_and_rendered(reopen: Opens, root: Path, shipped: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    window = reopen(shipped, "--no-engine")
    window.command("arrange.auto")
    window.until(lambda state: state["dirty"])
    window.key("ctrl+shift+s")
    window.dialog("Save the patch")
    window.shot("save-as")
    window.key("ctrl+a")
    window.type(f"{target}/mine")
    window.key("Return")
    window.until(lambda state: state["file"] == str(target / "mine.pwp"))
    assert not window.state()["dirty"]
    document = content(window)
    assert json.loads(load(target / "mine.pwp").to_json()) == document

    window.key("ctrl+n")
    window.until(lambda state: not state["nodes"])
    window.key("ctrl+o")
    window.dialog("Open a patch")
    window.type(f"{target}/mine.pwp")
    window.key("Return")
    window.until(lambda state: state["file"] == str(target / "mine.pwp"))
    assert content(window) == document

    window.key("ctrl+r")
    window.dialog("Render")
    window.key("Return")
    rendered = target / "mine.wav"
    wait_for(rendered.exists, "nothing is rendered")
    window.until(lambda state: any("Rendered" in text for _, text in state["notices"]), "the render does not end")
    window.shot("rendered")
    by_hand = tmp_path / "by_hand.wav"
    words = ["render", str(target / "mine.pwp"), "--out", f"out={by_hand}"]
    subprocess.run([sys.executable, "-P", str(root / "patchwright.py"), *words], check=True, capture_output=True)
    assert rendered.read_bytes() == by_hand.read_bytes()
    window.key("Escape")
    window.dialog("")
    assert window.problems() == []
    window.close()


def test_unsaved_work_is_asked_about(reopen: Opens, shipped: Path) -> None:
    before = shipped.read_bytes()
    window = reopen(shipped, "--no-engine")
    window.command("arrange.auto")
    window.until(lambda state: state["dirty"])
    window.key("ctrl+q")
    window.dialog("Save the changes?")
    window.shot("unsaved")
    window.key("Escape")
    window.dialog("")
    assert shipped.read_bytes() == before
    window.key("ctrl+q")
    window.dialog("Save the changes?")
    window.move(*window.middle("dialog:unsaved:save"))
    window.press()
    window.xdotool("mouseup", 1)  # after which there is no window that could be asked
    assert window.process.wait(DEADLINE_S) == 0, window.log()
    assert shipped.read_bytes() != before


def test_a_file_that_was_moved_is_found_again(reopen: Opens, shipped: Path) -> None:
    audio = shipped.parent / "audio"
    (shipped.parent / "deeper" / "still").mkdir(parents=True)
    (audio / "music.flac").rename(shipped.parent / "deeper" / "still" / "music.flac")
    window = reopen(shipped, "--no-engine")
    window.dialog("Missing files")
    wait_for(lambda: window.ask(do="locate", what="dialog:relink:accept")["rect"], "there is no dialog")
    window.settle(10)
    window.shot("missing")
    window.click("dialog:relink:accept")
    window.until(lambda state: "Relink files" in state["undo"])
    assert content(window)["nodes"]["music"]["settings"]["path"] == "deeper/still/music.flac"
    assert window.problems() == []
    window.close()


def test_keys_do_nothing_below_a_dialog(reopen: Opens, shipped: Path) -> None:
    window = reopen(shipped, "--no-engine")
    window.command("edit.all")
    nodes = window.state()["nodes"]
    window.command("file.render")
    window.dialog("Render")
    window.key("Delete")
    window.settle()
    assert window.state()["nodes"] == nodes
    window.key("Escape")
    window.dialog("")
    window.key("Delete")
    window.until(lambda state: not state["nodes"])
    window.close()


def test_a_first_start_plays_and_can_be_shown_around(reopen: Opens) -> None:
    window = reopen("--device", "null")
    state = window.until(lambda state: state["rolling"] and state["dialog"] == "Tour", "it does not play")
    assert len(state["nodes"]) > 5
    assert state["file"] == ""
    place = state["place_s"]
    window.until(lambda state: state["place_s"] > place, "it stands")
    window.click("tour:next")
    window.settle()
    window.shot("tour")
    window.key("Escape")
    window.dialog("")
    window.close()
    again = reopen("--device", "null")
    assert again.state()["dialog"] == ""
    assert again.state()["nodes"] == []
    again.close()


def test_hostile_settings_are_set_aside(reopen: Opens, shipped: Path, tmp_path: Path) -> None:
    config = tmp_path / "shared" / "config"
    config.mkdir(parents=True)
    (config / "editor.json").write_bytes(b'{"version": 1, "theme": {"$": []}}')
    window = reopen(shipped, "--no-engine")
    assert [text for level, text in window.state()["notices"] if level == "warning" and "theme" in text]
    window.command("view.light")
    window.command("file.settings")
    window.dialog("Settings")
    window.settle(10)
    window.shot("settings")
    window.key("Escape")
    window.dialog("")
    assert window.problems() == []
    window.close()
    assert json.loads((config / "editor.json").read_bytes())["theme"] == "light"
    assert (config / "editor.json.refused").exists()


CLOSES = """
import ctypes, sys
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int), ("on", ctypes.c_void_p),
                ("window", ctypes.c_ulong), ("what", ctypes.c_ulong), ("format", ctypes.c_int),
                ("data", ctypes.c_long * 5)]
class Event(ctypes.Union):
    _fields_ = [("message", Message), ("room", ctypes.c_long * 24)]
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype, x.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong
x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
x.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
x.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
display, window = x.XOpenDisplay(None), int(sys.argv[1])
event = Event(message=Message(type=33, window=window, what=x.XInternAtom(display, b"WM_PROTOCOLS", 0), format=32))
event.message.data[0] = x.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x.XSendEvent(display, window, 0, 0, ctypes.byref(event))
x.XSync(display, 0)
"""
"""Asks a window to close, as a window manager does (ICCCM 4.2.8.1)."""


def test_the_window_that_is_closed_asks_too(screen: Screen, reopen: Opens, shipped: Path) -> None:
    window = reopen(shipped, "--no-engine")
    window.command("arrange.auto")
    window.until(lambda state: state["dirty"])
    environment = {**os.environ, "DISPLAY": screen.name}
    search = ["xdotool", "search", "--name", "Patchwright"]
    found = subprocess.run(search, env=environment, capture_output=True, text=True, check=True).stdout.split()
    subprocess.run([sys.executable, "-c", CLOSES, found[0]], env=environment, check=True)
    window.dialog("Save the changes?")
    window.move(*window.middle("dialog:unsaved:discard"))
    window.press()
    window.xdotool("mouseup", 1)  # after which there is no window that could be asked
    assert window.process.wait(DEADLINE_S) == 0, window.log()
    again = reopen(shipped, "--no-engine")
    assert not again.state()["dirty"]
    again.close()


def test_a_render_is_cancelled(reopen: Opens, tmp_path: Path) -> None:
    patch = Patch("Long", sample_rate=48000)
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    folder = tmp_path / "long"
    folder.mkdir()
    patch.save(folder / "long.pwp")
    window = reopen(folder / "long.pwp", "--no-engine")
    window.command("file.render")
    window.dialog("Render")
    window.click("dialog:render:seconds")
    window.key("ctrl+a")
    window.type("600:00")
    window.key("Return")
    wait_for(lambda: len(list(folder.iterdir())) > 1, "no render begins")
    frames = window.state()["frames"]
    window.until(lambda state: state["frames"] > frames + 3, "the window waits for the render")
    window.key("Escape")
    wait_for(lambda: [file.name for file in folder.iterdir()] == ["long.pwp"], "something is left of the render")
    window.settle(5)
    window.key("Escape")
    window.dialog("")
    assert window.problems() == []
    window.close()


def test_collected_by_hand(reopen: Opens, shipped: Path, tmp_path: Path) -> None:
    window = reopen(shipped, "--no-engine")
    window.command("file.collect")
    window.dialog("Collect with all files")
    window.shot("collect")
    window.click("dialog:collect:accept")
    name = shipped.stem
    collected = tmp_path / name / f"{name}.pwp"
    wait_for(collected.exists, "nothing is collected")
    window.dialog("")
    assert load(collected).nodes().keys() == load(shipped).nodes().keys()
    assert {file.name for file in (tmp_path / name / "audio").iterdir()} == {"music.flac", "narration.flac"}
    window.close()
