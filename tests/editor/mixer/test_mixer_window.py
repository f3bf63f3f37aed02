"""The mixer in a real window: faders, solo and the order of strips by mouse, and all of it undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from tests.editor.window import RIGHT, Window

Open = Callable[..., Window]


def test_strips_are_worked_with_the_mouse(open_window: Open, root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    before = Patch.from_json(window.state()["patch"])

    def params(node: str) -> dict[str, float]:
        return window.patch()["nodes"][node].get("params", {})

    def where(node: str) -> float:
        return window.rect(f"strip:{node}")[0]

    cap = window.middle("fadercap:dialogue")
    window.drag(cap, (cap[0], cap[1] + 30))
    window.until(lambda _: -20 < params("dialogue").get("level_db", 0) < -2, "the fader goes down")
    window.double_click("fadercap:dialogue")
    window.until(lambda _: "level_db" not in params("dialogue"), "the fader goes back")
    window.click("strip:dialogue.solo")
    window.until(lambda _: params("music_bus").get("mute") == 1, "the other bus is silent")
    assert params("main").get("mute", 0) == 0
    window.click("strip:music_bus.solo", RIGHT)
    window.until(lambda _: params("music_bus").get("mute") == 0, "what is safe is heard")
    window.shot("mixer")
    assert where("room_send") < where("main")
    window.drag("strip:main.head", (where("room_send") + 8, window.middle("strip:main.head")[1]))
    window.until(lambda _: where("main") < where("room_send"), "the strip is put elsewhere")
    assert window.patch()["metadata"]["mixer"]["safe"] == ["music_bus"]
    assert window.state()["undo"][-1] == "Move the strip of Main"
    while window.state()["undo"]:
        window.command("edit.undo")
    assert Patch.from_json(window.state()["patch"]) == before
    assert where("room_send") < where("main")
    assert window.problems() == []
    window.close()


def test_a_level_can_be_typed(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Tone")
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    path = tmp_path / "tone.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    window.click("strip:tone.number")
    window.settle()
    window.type("4.5")
    window.key("Return")
    state = window.until(lambda state: '"level_db": 4.5' in state["patch"], "the level is what was typed")
    assert Patch.from_json(state["patch"]).node("tone").params["level_db"] == pytest.approx(4.5)
    window.close()


def test_sixty_tracks_are_found_on_the_canvas_and_in_the_mixer(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Reel")
    patch.add("main", "bus")
    for k in range(60):
        patch.add(f"track{k:02}", "oscillator")
        patch.connect(f"track{k:02}.out", "main.in")
    patch.save(tmp_path / "reel.json")
    window = open_window(tmp_path / "reel.json", "--no-engine")
    x, y, width, height = window.rect("slot:centre")

    def shown(node: str) -> bool:
        left, top, wide, tall = window.rect(f"node:{node}")
        return x <= left and left + wide <= x + width and y <= top and top + tall <= y + height

    assert all(shown(f"track{k:02}") for k in range(60)), "the whole patch is seen at first"
    window.click("slot:centre")
    window.key("ctrl+f")
    window.type("track47")
    window.key("Return")
    window.until(lambda state: state["selection"] == ["track47"])
    window.until(lambda _: window.rect("node:track47")[2] > 100 and shown("track47"), "it is too small to be read")
    left, wide = window.rect("slot:bottom")[::2]
    window.until(lambda _: left <= window.rect("strip:track47")[0] < left + wide, "its strip is not seen")
    window.close()
