"""Macros in a real window: added, assigned by dragging knobs on the canvas, turned, renamed, freed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def test_a_macro_is_added_assigned_turned_and_freed(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Rig")
    patch.add("room", "reverb")
    patch.add("main", "bus")
    patch.connect("room.out", "main.in")
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")

    def amounts() -> dict[str, float]:
        return {c["to"]: c.get("amount") for c in window.patch()["cables"] if c["from"] == "macro.out"}

    window.click("tab:macros")
    window.click("macros:add")
    window.until(lambda state: "macro" in state["nodes"], "a macro is there")
    x, y = window.middle("knob:room.decay_s")
    window.drag((x, y), (x, y - 50))
    window.until(lambda _: amounts().get("room.decay_s", 0) > 0.4, "the drag says how far")
    assert "decay_s" not in window.patch()["nodes"]["room"].get("params", {}), "the knob itself is not turned"
    window.click("knob:main.level_db")
    window.until(lambda _: amounts().get("main.level_db") == 0.25, "a click assigns too")
    window.shot("macros")
    window.key("Escape")
    x, y = window.middle("knob:room.decay_s")
    window.drag((x, y), (x, y - 30))
    window.until(lambda _: "decay_s" in window.patch()["nodes"]["room"].get("params", {}), "knobs are knobs again")
    x, y = window.middle("macro:macro:knob")
    window.drag((x, y - 10), (x, y - 90))
    window.until(lambda _: window.patch()["nodes"]["macro"]["params"]["value"] > 0.2, "the macro is turned")
    window.click("macro:macro:amount0:free")
    window.until(lambda _: list(amounts()) == ["main.level_db"], "one is free")
    window.click("macro:macro:name")
    window.key("ctrl+a")
    window.type("Drama")
    window.key("Return")
    window.until(lambda _: window.patch()["nodes"]["macro"]["title"] == "Drama", "it has a name")
    while window.state()["undo"]:
        window.key("ctrl+z")
    assert window.state()["nodes"] == ["main", "room"]
    assert not window.problems()
    window.close()
