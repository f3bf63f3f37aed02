"""In a real window: dialogs by keys alone, in small windows, and what stands in the way of closing it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.document import Patch
from graph.patchfile import load
from host import render
from tests.editor.files.test_files_window import CLOSES
from tests.editor.window import DEADLINE_S, SIZE, Screen, Window

Opens = Callable[..., Window]


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A patch that says nothing of where it ends."""
    patch = Patch("Long", sample_rate=48000)
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    patch.transport = replace(patch.transport, loop=(1.0, 1.5))
    (tmp_path / "long").mkdir()
    patch.save(tmp_path / "long" / "long.pwp")
    return tmp_path / "long" / "long.pwp"


def value(window: Window, tag: str) -> object:
    return window.ask(do="value", what=tag)["value"]


def tab_to(window: Window, tag: str, keys: str = "Tab") -> None:
    """Press Tab until an item has the keys."""
    for _ in range(40):
        before = window.state()["stop"]
        window.key(keys)
        if window.until(lambda state, before=before: state["stop"] != before, "Tab goes nowhere")["stop"] == tag:
            window.settle(5)
            return
    raise AssertionError(f"Tab does not come to {tag}")


def close_from_outside(screen: Screen) -> None:
    """As a window manager's button does."""
    environment = {**os.environ, "DISPLAY": screen.name}
    search = ["xdotool", "search", "--name", "Patchwright"]
    found = subprocess.run(search, env=environment, capture_output=True, text=True, check=True).stdout.split()
    subprocess.run([sys.executable, "-c", CLOSES, found[0]], env=environment, check=True)


def test_settings_are_chosen_by_keys_alone(open_window: Opens, shipped: Path) -> None:
    window = open_window(shipped, "--no-engine")
    window.key("ctrl+comma")
    window.dialog("Settings")
    tab_to(window, "dialog:settings:block")
    window.key("Down")
    window.key("Down")
    window.until(lambda _: value(window, "dialog:settings:block") == "64 frames")
    window.key("Up")
    window.until(lambda _: value(window, "dialog:settings:block") == "32 frames")
    tab_to(window, "dialog:settings:disk_cache")
    window.key("Down")
    window.key("Down")
    window.until(lambda _: value(window, "dialog:settings:disk_cache") == "500 MB")
    tab_to(window, "dialog:settings:safe_pins")
    window.shot("dialog-by-keys")
    window.key("space")
    window.until(lambda _: value(window, "dialog:settings:safe_pins") is True)
    tab_to(window, "dialog:settings:keys", "shift+Tab")
    window.key("Return")  # what has the keys has Enter too
    window.dialog("Keyboard shortcuts")
    window.key("Escape")
    window.dialog("Settings")
    window.key("Escape")
    window.dialog("")
    window.key("ctrl+comma")
    window.dialog("Settings")
    assert value(window, "dialog:settings:block") == "32 frames"
    assert value(window, "dialog:settings:disk_cache") == "500 MB"
    window.key("Return")
    assert window.problems() == []
    window.close()


def test_a_field_is_typed_in_after_tab_and_no_other(open_window: Opens, long: Path) -> None:
    window = open_window(long, "--no-engine")
    window.command("file.render")
    window.dialog("Render")
    tab_to(window, "dialog:render:name")
    window.key("ctrl+a")
    window.type("by hand")
    window.until(lambda _: value(window, "dialog:render:name") == "by hand")
    tab_to(window, "dialog:render:format")
    window.type("x")  # nobody's
    tab_to(window, "dialog:render:seconds")
    window.key("ctrl+a")
    window.type("1")
    window.until(lambda _: value(window, "dialog:render:seconds") == "1")
    assert value(window, "dialog:render:name") == "by hand"
    window.key("Return")
    written = long.with_name("by hand.wav")
    window.until(lambda _: written.exists(), "nothing is rendered")
    assert window.problems() == []
    window.close()


def test_the_loop_is_rendered_as_a_part_of_the_whole(open_window: Opens, long: Path) -> None:
    window = open_window(long, "--no-engine")
    window.command("file.render")
    window.dialog("Render")
    window.click("dialog:render:loop")
    window.until(lambda _: value(window, "dialog:render:start") == "1")
    assert value(window, "dialog:render:seconds") == "0.5"
    window.shot("render-a-part")
    window.key("Return")
    written = long.with_suffix(".wav")
    window.until(lambda _: written.exists(), "nothing is rendered")
    part, rate = soundfile.read(written, dtype="float32")
    whole = render(load(long), {"out": long.with_name("whole.wav")}, seconds=1.5)
    assert whole.rate == rate
    assert np.array_equal(part, soundfile.read(long.with_name("whole.wav"), dtype="float32")[0][rate:])
    assert window.problems() == []
    window.close()


def test_a_question_is_answered_by_keys(open_window: Opens, shipped: Path) -> None:
    before = shipped.read_bytes()
    window = open_window(shipped, "--no-engine")
    window.command("arrange.auto")
    window.until(lambda state: state["dirty"])
    window.key("ctrl+q")
    window.dialog("Save the changes?")
    tab_to(window, "dialog:unsaved:discard")
    window.xdotool("key", "Return")  # after which there is no window that could be asked
    assert window.process.wait(DEADLINE_S) == 0, window.log()
    assert shipped.read_bytes() == before


def test_a_dialog_that_is_taller_than_the_window_can_be_closed(
    screen: Screen, open_window: Opens, shipped: Path
) -> None:
    window = open_window(shipped, "--no-engine")
    for _ in range(4):
        window.command("view.larger")
    window.command("file.settings")
    window.dialog("Settings")
    window.settle(10)
    _, top, _, height = window.rect("dialog:settings:title")
    assert 0 <= top < SIZE[1] / 4, height
    tab_to(window, "dialog:settings:cancel", "shift+Tab")
    window.settle(10)
    window.shot("dialog-too-tall")
    _, top, _, height = window.rect("dialog:settings:cancel")
    assert top + height <= SIZE[1]
    window.click("dialog:settings:cancel")
    window.dialog("")
    window.close()


def test_a_window_that_renders_asks_before_it_closes(screen: Screen, open_window: Opens, long: Path) -> None:
    window = open_window(long, "--no-engine")
    window.command("file.render")
    window.dialog("Render")
    window.click("dialog:render:seconds")
    window.key("ctrl+a")
    window.type("600:00")
    window.key("Return")
    window.until(lambda _: len(list(long.parent.iterdir())) > 1, "no render begins")
    close_from_outside(screen)
    window.dialog("Stop this?")
    window.shot("closing-while-rendering")
    window.key("Escape")
    window.dialog("Render")
    close_from_outside(screen)
    window.dialog("Stop this?")
    window.xdotool("key", "Return")
    assert window.process.wait(DEADLINE_S) == 0, window.log()
    assert [each.name for each in long.parent.iterdir()] == [long.name]


def test_an_open_dialog_does_not_hide_the_question_of_unsaved_work(
    screen: Screen, open_window: Opens, shipped: Path
) -> None:
    window = open_window(shipped, "--no-engine")
    window.command("arrange.auto")
    window.until(lambda state: state["dirty"])
    window.key("ctrl+comma")
    window.dialog("Settings")
    close_from_outside(screen)
    window.dialog("Save the changes?")
    window.key("Escape")
    window.dialog("Settings")
    window.key("Escape")
    window.dialog("")
    window.close()


def test_what_another_has_saved_is_not_overwritten_unasked(open_window: Opens, shipped: Path) -> None:
    window = open_window(shipped, "--no-engine")
    other = load(shipped)
    other.name = "Of another window"
    other.save(shipped)
    theirs = shipped.read_bytes()
    window.until(lambda state: any("was changed by another" in text for _, text in state["notices"]), "nothing is said")
    window.command("edit.all")
    window.command("edit.delete")
    window.until(lambda state: not state["nodes"])
    window.command("file.save")
    window.dialog("Replace the file?")
    window.shot("changed-by-another")
    window.key("Escape")
    window.dialog("")
    assert shipped.read_bytes() == theirs
    assert window.state()["dirty"]
    window.command("file.save")
    window.dialog("Replace the file?")
    tab_to(window, "dialog:changed:other")
    window.key("Return")
    window.dialog("Save the patch")
    window.key("Escape")
    window.dialog("")
    window.command("file.save")
    window.dialog("Replace the file?")
    tab_to(window, "dialog:changed:replace")
    window.key("Return")
    window.until(lambda state: not state["dirty"])
    assert shipped.read_bytes() != theirs
    window.command("edit.undo")
    window.command("file.save")  # it is ours again
    window.until(lambda state: not state["dirty"])
    assert window.problems() == []
    window.close()
