"""A lane in a real window: points added, moved, bent, deleted and drawn with the mouse, and all of it undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.document import Patch
from tests.editor.window import RIGHT, Window

Open = Callable[..., Window]


def test_a_lane_is_edited_with_the_mouse(open_window: Open, root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    before = Patch.from_json(window.state()["patch"])

    def points() -> list[list[Any]]:
        lines = window.patch()["automation"]
        return lines[0]["points"] if lines else []

    window.click("tab:automation")
    window.settle(6)
    assert [p[0] for p in points()] == [0, 1.2, 22, 26.5]
    window.shot("automation")
    x, y, width, height = window.rect("automation:lane")
    window.double_click((x + width / 2, y + height / 2))
    window.until(lambda _: len(points()) == 5, "a point is added")
    assert 12 < points()[2][0] < 17
    at = window.middle("point:2")
    window.drag(at, (at[0] + 60, at[1] - 20))
    window.until(lambda _: points()[2][0] > 15.5, "the point is moved")
    at = window.middle("point:2")
    window.click((at[0] + 40, y + height * 0.8), RIGHT)
    window.until(lambda _: points()[2][2] == "linear", "the curve is another")
    window.click("point:2", RIGHT)
    window.until(lambda _: len(points()) == 4, "the point is deleted")
    window.hold("ctrl", True)
    window.drag((x + width * 0.2, y + height * 0.3), (x + width * 0.4, y + height * 0.7))
    window.hold("ctrl", False)
    window.until(lambda _: len(points()) > 5, "a stroke is drawn")
    window.until(lambda s: len(s["undo"]) == 5, "each is a step")
    while window.state()["undo"]:
        window.command("edit.undo")
    assert Patch.from_json(window.state()["patch"]) == before
    assert window.problems() == []
    window.close()
