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


def test_a_macro_is_assigned_in_the_inspector_by_dragging_and_by_typing(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Rig")
    patch.add("tone", "filter", freq_hz=1000.0)
    patch.add("knob", "macro")
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")

    def amounts() -> dict[str, float]:
        return {c["to"]: c.get("amount") for c in window.patch()["cables"] if c["from"] == "knob.out"}

    window.click("tab:macros")
    window.settle()
    window.click("macro:knob:assign")
    window.click("header:tone")
    window.settle(8)
    x, y = window.middle("inspector:tone.freq_hz")
    window.move(x, y - 12)
    window.press()
    window.move(x, y - 40)
    window.move(x, y - 60)
    window.settle()
    window.shot("macro_dragged")
    window.move(x, y - 70)
    window.release()
    window.until(lambda _: amounts().get("tone.freq_hz", 0) > 0.45, "the drag goes on after the cable is made")
    assert len(window.state()["undo"]) == 1, "a press, its drag and its release are one step"
    assert window.patch()["nodes"]["tone"]["params"] == {"freq_hz": 1000.0}
    window.settle(8)
    window.shot("macro_assigned")
    # a click on the number types how far: an end of the way
    x, y = window.middle("inspector:tone.freq_hz")
    window.click((x, y + 22))
    window.settle()
    window.key("ctrl+a")
    window.type("4 kHz")
    window.key("Return")
    window.until(lambda _: abs(amounts()["tone.freq_hz"] - 0.1781) < 0.001, "the end that was typed is gone to")
    # and in the line of what modulates it
    x, y, width, _ = window.rect("inspector:tone:amount0")
    window.click((x + width * 0.9, y + 10))
    window.settle()
    window.key("ctrl+a")
    window.type("-40 %")
    window.key("Return")
    window.until(lambda _: amounts()["tone.freq_hz"] == -0.4, "a share is typed")
    window.settle(6)
    window.shot("macro_typed")
    # on the canvas both ends are shown while it is dragged
    x, y = window.middle("knob:tone.q")
    window.move(x, y)
    window.press()
    window.move(x, y - 20)
    window.move(x, y - 40)
    window.settle()
    window.shot("macro_canvas")
    window.release()
    window.until(lambda _: "tone.q" in amounts())
    assert not window.problems()
    window.close()
