"""The inspector in a real window, with real mouse and keys: bands, knobs, typed values, settings, words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def patch() -> Patch:
    """An equaliser, a compressor that is modulated, two gains, a player."""
    made = Patch("Inspected", sample_rate=48000)
    made.add("eq", "eq", b1_on=1, b1_freq_hz=100, b1_gain_db=4, b2_on=1, b2_freq_hz=1000, b2_gain_db=-6, b2_q=1)
    made.add("comp", "compressor", threshold_db=-30, ratio=4)
    made.add("one", "gain", level_db=-12)
    made.add("two", "gain")
    made.add("player", "file_player")
    made.add("lfo", "lfo")
    made.connect("eq.out", "comp.in")
    made.connect("lfo.out", "comp.ratio", amount=0.25)
    for k, node in enumerate(made.nodes().values()):
        node.position = (240.0 * (k % 3), 330.0 * (k // 3))
    return made


@pytest.fixture
def window(open_window: Open, tmp_path: Path) -> Window:
    path = tmp_path / "patch.json"
    patch().save(path)
    return open_window(path, "--no-engine")


def node(window: Window, id: str) -> dict[str, Any]:
    return json.loads(window.state()["patch"])["nodes"][id]


def params(window: Window, id: str) -> dict[str, float]:
    return node(window, id).get("params", {})


def chosen(window: Window, id: str) -> None:
    """Select a node on the canvas."""
    window.click(f"header:{id}")
    window.until(lambda state: state["selection"] == [id])
    window.settle(6)


def done(window: Window) -> list[str]:
    return window.state()["undo"]


def well(window: Window) -> None:
    """Close it, and see that nothing went wrong in it."""
    assert window.problems() == []
    window.close()
    assert "Traceback" not in window.log()


def test_a_band_is_dragged_added_switched_and_its_q_turned(window: Window) -> None:
    chosen(window, "eq")
    plot = window.rect("inspector:eq:response")
    x, y = window.middle("inspector:band:2")
    assert plot[0] < x < plot[0] + plot[2]
    window.drag("inspector:band:2", (x + 40, y - 50))
    after = params(window, "eq")
    assert after["b2_freq_hz"] > 1500
    assert after["b2_gain_db"] > -4
    assert done(window) == ["Move band 2"], "a drag is one step"
    assert window.middle("inspector:band:2") == pytest.approx((x + 40, y - 50), abs=3), "it is where the mouse is"
    octaves = math.log2(after["b2_freq_hz"] / 1000)
    window.shot("eq")

    window.move(*window.middle("inspector:band:2"))
    window.wheel(2)
    assert params(window, "eq")["b2_q"] > 1.2
    assert params(window, "eq")["b2_freq_hz"] == after["b2_freq_hz"]

    window.double_click("inspector:band:1")
    window.until(lambda state: params(window, "eq")["b1_on"] == 0)
    window.double_click("inspector:band:1")
    window.until(lambda state: params(window, "eq")["b1_on"] == 1)

    spot = (plot[0] + plot[2] * 0.85, plot[1] + plot[3] * 0.25)
    window.double_click(spot)
    window.until(lambda state: params(window, "eq").get("b3_on") == 1)
    added = params(window, "eq")
    assert added["b3_freq_hz"] > 4000
    assert added["b3_gain_db"] > 2

    before = Patch.from_json(window.state()["patch"])
    steps = len(done(window))
    for _ in range(steps):
        window.key("ctrl+z")
    window.until(lambda state: not state["undo"])
    assert params(window, "eq") == patch().node("eq").params
    for _ in range(steps):
        window.key("ctrl+shift+z")
    window.until(lambda state: not state["redo"])
    assert Patch.from_json(window.state()["patch"]) == before

    x, y = window.middle("inspector:band:2")
    held = params(window, "eq")["b2_freq_hz"]
    window.hold("shift", True)
    window.drag((x, y), (x - 40, y))
    window.hold("shift", False)
    fine = math.log2(held / params(window, "eq")["b2_freq_hz"])
    assert 0 < fine < octaves / 3, "shift is finer"
    well(window)


def test_values_are_dragged_typed_and_reset(window: Window) -> None:
    chosen(window, "comp")
    x, y, width, height = window.rect("inspector:comp.threshold_db")
    knob, number = (x + width / 2, y + height * 0.3), (x + width / 2, y + height * 0.65)
    window.drag(knob, (knob[0], knob[1] - 40))
    moved = params(window, "comp")["threshold_db"]
    assert moved > -20
    assert len(done(window)) == 1

    window.click(number)
    window.settle(6)
    window.type("-24.5")
    window.key("Return")
    window.until(lambda state: params(window, "comp")["threshold_db"] == -24.5)

    window.click(number)
    window.settle(6)
    window.type("7")
    window.key("Return")
    state = window.until(lambda state: any("expected -80 to 0" in text.lower() for _, text in state["notices"]))
    assert not [text for level, text in state["notices"] if level == "error"]
    assert params(window, "comp")["threshold_db"] == -24.5

    window.click(number)
    window.settle(6)
    window.type("-50")
    window.key("Escape")
    window.settle(6)
    assert window.state()["selection"] == ["comp"], "that key was the field's"
    assert params(window, "comp")["threshold_db"] == -24.5, "escape keeps what was"

    window.double_click(knob)
    window.until(lambda state: "threshold_db" not in params(window, "comp"))
    window.key("ctrl+z")
    window.until(lambda state: params(window, "comp").get("threshold_db") == -24.5)
    window.shot("compressor")

    window.drag("inspector:threshold", (window.middle("inspector:threshold")[0] - 25, y))
    assert params(window, "comp")["threshold_db"] < -30, "the curve is taken by its threshold"

    window.move(*knob)
    window.wheel(-12)
    window.settle(6)
    x, y = window.middle("inspector:comp:amount0")
    window.drag((x, y), (x + 40, y))
    amount = next(c["amount"] for c in window.patch()["cables"] if "amount" in c)
    assert amount > 0.4, "how much a cable modulates is turned too"
    well(window)


def test_bypass_mute_title_and_settings(window: Window) -> None:
    chosen(window, "comp")
    window.click("inspector:bypass")
    window.until(lambda state: node(window, "comp").get("bypass") is True)
    window.click("inspector:mute")
    window.until(lambda state: node(window, "comp").get("mute") is True)
    x, y, _, _ = window.rect("inspector:comp:title")
    window.click((x + 40, y + 12))
    window.settle(6)
    window.type("Ducker")
    window.key("Return")
    window.until(lambda state: node(window, "comp").get("title") == "Ducker")
    window.move(x + 40, y + 300)
    window.wheel(-12)
    window.settle(6)
    window.click("inspector:comp:link")
    window.until(lambda state: node(window, "comp").get("settings", {}).get("link") is False)
    window.click("inspector:comp:link")
    window.until(lambda state: "link" not in node(window, "comp").get("settings", {}))

    chosen(window, "player")
    window.click("inspector:player:start_s")
    window.key("ctrl+a")
    window.type("2.5")
    window.key("Return")
    window.until(lambda state: node(window, "player").get("settings", {}).get("start_s") == 2.5)
    window.click("inspector:player:start_s")
    window.key("ctrl+a")
    window.type("soon")
    window.key("Return")
    window.until(lambda state: any("expected a number" in text for _, text in state["notices"]))
    assert node(window, "player")["settings"]["start_s"] == 2.5
    window.shot("settings")
    well(window)


def test_several_nodes_are_turned_together_and_the_patch_has_words(window: Window) -> None:
    window.click("header:one")
    window.hold("shift", True)
    window.click("header:two")
    window.hold("shift", False)
    window.until(lambda state: state["selection"] == ["one", "two"])
    window.settle(6)
    x, y, width, height = window.rect("inspector:several.level_db")
    window.click((x + width / 2, y + height * 0.65))
    window.settle(6)
    window.type("-9")
    window.key("Return")
    window.until(lambda state: params(window, "one")["level_db"] == params(window, "two").get("level_db") == -9)
    assert len(done(window)) == 1
    window.click("inspector:several:mute")
    window.until(lambda state: node(window, "one").get("mute") and node(window, "two").get("mute"))

    window.key("Escape")
    if window.state()["selection"]:
        left, top, wide, _ = window.rect("slot:centre")
        window.click((left + wide - 20, top + 20))
    window.until(lambda state: state["selection"] == [])
    window.settle(6)
    window.click("inspector:patch:author")
    window.type("Someone")
    window.key("Tab")
    window.until(lambda state: json.loads(state["patch"]).get("author") == "Someone")
    window.click("inspector:patch:tempo")
    window.key("ctrl+a")
    window.type("98.5")
    window.key("Return")
    window.until(lambda state: json.loads(state["patch"]).get("transport", {}).get("tempo") == 98.5)
    window.shot("patch")
    well(window)


def test_pages_leave_nothing_behind(window: Window) -> None:
    """Whatever is selected, and however often: what a page was made of goes with it."""

    def round_trip() -> int:
        for node in ("eq", "comp", "player"):
            window.click(f"header:{node}")
            window.until(lambda state, node=node: state["selection"] == [node])
        window.key("Escape")
        window.until(lambda state: not state["selection"])
        window.settle()
        return int(window.ask(do="items")["items"])

    round_trip()
    counts = [round_trip() for _ in range(3)]
    assert counts[0] == counts[1] == counts[2], "items pile up"
    assert window.problems() == []
