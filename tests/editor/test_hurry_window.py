"""Hands that are quicker than the window: all that is typed and dragged arrives, in order, where it was meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graph.document import Patch
from tests.editor.window import LEFT, Window

Open = Callable[..., Window]
NAMED = {" ": "space", "/": "slash", "-": "minus", "_": "underscore"}
FIELDS = ("palette:search", "transport:clock", "transport:tempo")
"""Where Tab goes by itself."""


@pytest.fixture
def window(open_window: Open) -> Iterator[Window]:
    """A window with nothing in it, whose canvas has the keys."""
    found = open_window("--no-engine", "--new")
    found.click("plane:200,200")
    yield found
    assert found.problems() == []
    found.close()


def hurry(window: Window, *words: str) -> None:
    """Press keys with hardly any time between them: ``Tab``, ``ctrl+f``; ``=audio out`` types that. (With no time at
    all, the same key twice within a millisecond would be one press.)
    """
    keys: list[str] = []
    for word in words:
        keys += [NAMED.get(c, c) for c in word[1:]] if word.startswith("=") else [word]
    window.xdotool("key", "--delay", 3, *keys)


def test_nodes_are_added_as_fast_as_they_are_typed(window: Window) -> None:
    before = [window.ask(do="value", what=field)["value"] for field in FIELDS]
    hurry(window, "Tab", "=bus", "Return", "Tab", "=audio out", "Return", "Tab", "=gain", "Return")
    state = window.until(lambda state: len(state["nodes"]) == 3)
    assert state["undo"] == ["Add bus", "Add audio_out", "Add gain"]
    assert [window.ask(do="value", what=field)["value"] for field in FIELDS] == before
    places = [window.rect(f"node:{node}")[:2] for node in state["nodes"]]
    assert len(set(places)) == 3, "they lie on each other"


def test_what_is_marked_with_what_came_early_is_replaced(window: Window) -> None:
    hurry(window, "Tab", "=limi", "ctrl+a", "=compre", "Return")
    window.until(lambda state: state["nodes"] == ["compressor"])
    window.settle()
    assert window.state()["nodes"] == ["compressor"]


def test_letters_that_came_early_can_be_taken_back(window: Window) -> None:
    hurry(window, "Tab", "=lx")
    window.settle(10)
    window.key("BackSpace")
    window.key("BackSpace")
    window.key("BackSpace")
    window.type("gain")
    window.key("Return")
    window.until(lambda state: state["nodes"] == ["gain"])


def test_a_title_is_typed_at_once_and_the_next_keys_are_shortcuts(window: Window) -> None:
    hurry(window, "Tab", "=gain", "Return", "F2", "=Left side", "Return", "m")
    window.until(lambda state: '"mute": true' in state["patch"])
    assert window.patch()["nodes"]["gain"] | {"position": 0} == {
        "kind": "gain", "mute": True, "position": 0, "title": "Left side",
    }  # fmt: skip
    hurry(window, "F2", "=no", "Escape", "m")
    window.until(lambda state: '"mute": true' not in state["patch"])
    assert window.patch()["nodes"]["gain"]["title"] == "Left side"


def test_a_number_is_typed_at_once(window: Window) -> None:
    hurry(window, "Tab", "=gain", "Return")
    window.until(lambda state: state["nodes"] == ["gain"])
    window.settle(10)
    x, y, width, height = window.rect("inspector:gain.level_db")
    at = round(x + width / 2), round(y + height * 0.65)
    window.move(*at)
    window.xdotool("click", LEFT, "key", "--delay", 0, "minus", "1", "2", "Return")
    window.until(lambda state: window.patch()["nodes"]["gain"].get("params") == {"level_db": -12})
    window.settle(40)  # else it was a double click
    window.xdotool("click", LEFT, "key", "--delay", 0, "3", "Escape", "m")
    window.until(lambda state: window.patch()["nodes"]["gain"].get("mute"))
    assert window.patch()["nodes"]["gain"]["params"] == {"level_db": -12}


def test_a_dialog_takes_what_is_typed_behind_its_shortcut(window: Window, tmp_path: Path) -> None:
    hurry(window, "Tab", "=gain", "Return", "ctrl+s", f"={tmp_path}/quick", "Return")
    window.until(lambda state: state["file"] == f"{tmp_path}/quick.pwp")


def test_a_file_is_chosen_with_arrows_and_letters(window: Window, tmp_path: Path) -> None:
    folder = tmp_path / "fruit"
    folder.mkdir()
    for name in ("apple", "banana", "cherry"):
        Patch(name.title()).save(folder / f"{name}.pwp")
    hurry(window, "ctrl+o", f"={folder}/", "Return")
    window.until(lambda _: window.ask(do="locate", what="dialog:file:row:apple.pwp")["rect"])
    for key in ("Down", "Down"):  # one key twice within 20 ms counts as held, for GLFW
        window.key(key)
    window.until(lambda _: window.ask(do="value", what="dialog:file:name")["value"] == "banana.pwp")
    window.key("Return")
    window.until(lambda state: state["file"] == f"{folder}/banana.pwp")
    hurry(window, "ctrl+o", "Down", "=cher", "Return")
    window.until(lambda state: state["file"] == f"{folder}/cherry.pwp")


def test_a_flick_of_the_mouse_is_a_drag(window: Window) -> None:
    for node, x in (("gain", 100), ("gain2", 500)):
        window.move(*window.middle(f"plane:{x},100"))
        hurry(window, "Tab", "=gain", "Return")
        window.until(lambda state, node=node: node in state["nodes"])

    def flick(what: str, to: tuple[float, float]) -> None:
        ends = [*map(round, window.middle(what))], [*map(round, to)]
        window.xdotool("mousemove", *ends[0], "mousedown", LEFT, "mousemove", *ends[1], "mouseup", LEFT)
        window.settle(10)

    flick("pin:gain.out", window.middle("pin:gain2.in"))
    assert window.state()["cables"] == ["gain.out -> gain2.in"]
    x, y = window.middle("header:gain")
    flick("header:gain", (x, y + 90))
    assert window.middle("header:gain") == pytest.approx((x, y + 90), abs=10)
    x, y = window.middle("knob:gain.level_db")
    flick("knob:gain.level_db", (x, y + 40))
    assert window.patch()["nodes"]["gain"]["params"]["level_db"] < -5


def test_the_same_line_of_the_palette_dragged_twice_is_no_double_click(window: Window) -> None:
    window.click("palette:search")
    window.type("gain")
    window.settle(4)
    a = [*map(round, window.middle("palette:gain"))]
    for x in (100, 500):
        b = [*map(round, window.middle(f"plane:{x},100"))]
        window.xdotool("mousemove", *a, "mousedown", LEFT, "mousemove", *b, "mouseup", LEFT)
    window.until(lambda state: len(state["nodes"]) >= 2)
    window.settle(10)
    assert window.state()["nodes"] == ["gain", "gain2"]
