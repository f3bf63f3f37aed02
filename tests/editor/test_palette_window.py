"""The palette in a real window: found and added with keys and mouse, favourites and what was used last, remembered."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.editor.window import Window


def kept(window: Window) -> dict[str, object]:
    """What the palette remembers."""
    return json.loads((window.folder / "config" / "palette.json").read_text())


def mark_all(window: Window) -> None:
    """Mark all of a field, as slowly as people do: a field looks at keys once a frame."""
    window.hold("ctrl", True)
    window.key("a")
    window.hold("ctrl", False)


def test_things_are_added_by_keys_and_mouse_and_remembered(open_window: Callable[..., Window]) -> None:
    window = open_window("--no-engine", "--new")
    window.click("palette:search")
    window.type("compre")
    window.settle(4)
    window.shot("palette-search")
    window.key("Return")
    window.until(lambda s: s["nodes"] == ["compressor"])
    window.click("palette:search")
    mark_all(window)
    window.type("zzz")
    window.settle(4)
    window.key("Return")
    window.settle(6)
    assert window.state()["nodes"] == ["compressor"], "nothing is found, so nothing is added"
    window.click("palette:search")
    mark_all(window)
    window.type("reverb")
    window.settle(4)
    window.double_click("palette:reverb")
    window.until(lambda s: s["nodes"] == ["compressor", "reverb"])
    assert kept(window)["recent"] == ["reverb", "compressor"]
    x, y, _, height = window.rect("palette:reverb")
    width = window.rect("slot:left")[2]
    window.click((x + width - 22 - 12, y + height / 2))
    window.settle(4)
    assert kept(window)["favourites"] == ["reverb"]
    assert window.state()["nodes"] == ["compressor", "reverb"], "a star adds nothing"
    window.key("ctrl+z")
    window.key("ctrl+z")
    window.until(lambda s: not s["nodes"])
    assert window.problems() == []
    window.close()


def test_enter_adds_nothing_once_the_search_has_been_left(open_window: Callable[..., Window]) -> None:
    window = open_window("--no-engine", "--new")
    window.click("palette:search")
    window.type("gain")
    window.settle(4)
    window.click(window.middle("slot:centre"))
    window.settle(6)
    window.key("Return")
    window.settle(6)
    assert window.state()["nodes"] == []
    window.close()


def test_a_frame_keeps_the_title_that_enter_ends_and_zoom_has_its_keys(open_window: Callable[..., Window]) -> None:
    window = open_window("--no-engine", "--new")
    window.click(window.middle("slot:centre"))  # which also gives it the keys
    window.key("ctrl+shift+f")
    window.settle(8)
    mark_all(window)
    window.type("Voices")
    window.key("Return")
    window.until(lambda s: '"Voices"' in s["patch"])
    window.settle(4)
    assert "Voices" in window.state()["patch"]
    assert window.ask(do="locate", what="frame:title")["rect"] is None, "the window of the frame is closed"

    def far() -> float:
        return window.middle("plane:100,0")[0] - window.middle("plane:0,0")[0]

    before = far()
    window.key("ctrl+equal")
    assert far() > before
    window.key("ctrl+minus")
    assert abs(far() - before) <= 1
    assert window.problems() == []
    window.close()
