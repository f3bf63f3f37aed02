"""What is asked of the window about something that has gone: with real keys and a real mouse, several in a frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from graph.form import to_document
from tests.editor.window import RIGHT, Window

Open = Callable[..., Window]


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """A group with a level in it, and an output beside it."""
    inner, patch = Patch("Inside"), Patch("Nested")
    inner.add("level", "gain")
    settings = {"patch": {"nodes": to_document(inner)["nodes"], "cables": []}, "ports": {}, "params": {}}
    for id, kind, own, x in (("box", "group", settings, 80.0), ("out", "audio_out", {}, 420.0)):
        patch.add(id, kind, own)
        patch.node(id).position = (x, 80.0)
    path = tmp_path / "nested.json"
    patch.save(path)
    return path


def seen(window: Window, what: str) -> None:
    """Wait until something is there, and has been for a few frames."""
    window.until(lambda _: window.ask(do="locate", what=what)["rect"], f"there is no {what}")
    window.settle(6)


def well(window: Window) -> None:
    """Close it, and see that nothing went wrong in it."""
    assert window.problems() == []
    window.close()
    assert "Traceback" not in window.log()


def test_a_group_that_was_entered_by_a_double_click_is_not_what_keys_are_about(open_window: Open, nested: Path) -> None:
    window = open_window(nested, "--no-engine")
    window.double_click("header:box")
    state = window.until(lambda state: state["path"] == ["box"], "it is entered")
    assert state["selection"] == []
    before = window.state()["patch"]
    for keys in ("ctrl+Return", "F2", "Left", "m", "ctrl+c", "ctrl+d", "Delete"):
        window.key(keys)
    state = window.state()
    assert state["patch"] == before
    assert [text for level, text in state["notices"] if level != "good"] == []
    well(window)


def test_a_search_among_nodes_is_over_when_another_patch_is_opened(open_window: Open, nested: Path) -> None:
    window = open_window(nested, "--no-engine")
    window.key("ctrl+f")
    seen(window, "search:text")
    window.type("box")
    window.key("ctrl+n")
    window.until(lambda state: state["nodes"] == [], "the patch is empty")
    window.key("Return")
    assert window.state()["nodes"] == []
    well(window)


def test_what_is_pasted_is_at_once_what_the_next_key_is_about(open_window: Open, nested: Path) -> None:
    """All in one call, so that several keys may come in one frame."""
    window = open_window(nested, "--no-engine")
    window.click("header:out")
    window.xdotool(
        *("key", "--delay", "0", *("ctrl+c", "ctrl+v", "ctrl+d", "Left", "ctrl+d", "Left", "b", "m", "ctrl+g", "F2"))
    )
    seen(window, "rename:text")
    window.type("Ends")
    window.key("Return")
    window.until(
        lambda _: any(node.get("title") == "Ends" for node in window.patch()["nodes"].values()), "it has a name"
    )
    well(window)


def test_what_is_typed_over_a_title_is_not_put_into_another_patch(open_window: Open, nested: Path) -> None:
    window = open_window(nested, "--no-engine")
    window.click("header:out")
    seen(window, "inspector:out:title")
    window.click("inspector:out:title")
    seen(window, "type-in:text")
    window.type("Other")
    window.key("ctrl+n")
    window.until(lambda state: state["nodes"] == [], "the patch is empty")
    window.key("Return")
    window.settle(6)
    state = window.state()
    assert (state["nodes"], state["undo"], state["notices"]) == ([], [], [])
    well(window)


def test_a_menu_of_a_param_opens_whichever_one_was_open_before(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Level")
    patch.add("level", "gain")
    patch.node("level").position = (80.0, 80.0)
    path = tmp_path / "level.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    window.click("header:level")
    for what in ("inspector:level.level_db", "knob:level.level_db", "inspector:level.level_db"):
        seen(window, what)
        window.click(what, RIGHT)
        seen(window, "menu:param:learn")
        window.click("header:level")  # a click elsewhere closes it
    window.click("inspector:level.level_db", RIGHT)
    seen(window, "menu:param:learn")
    window.key("Escape")
    window.until(lambda _: window.ask(do="locate", what="menu:param:learn")["rect"] is None, "it is closed")
    assert window.state()["selection"] == ["level"], "Escape closes the menu, and no more"
    well(window)
