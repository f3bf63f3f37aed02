"""The canvas in a real window, with a real mouse: opening, wiring, inserting, deleting, and all of it back again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def saved(folder: Path, patch: Patch) -> Path:
    """A patch in a file."""
    path = folder / "patch.json"
    patch.save(path)
    return path


def chain() -> Patch:
    """An input, a level and an output in a row, and a filter that is not plugged in."""
    patch = Patch("Chain")
    for id, kind, x, y in (("in", "audio_in", 0, 0), ("level", "gain", 320, 0), ("out", "audio_out", 640, 0)):
        patch.add(id, kind)
        patch.node(id).position = (float(x), float(y))
    patch.add("filter", "filter")
    patch.node("filter").position = (140.0, 300.0)
    patch.connect("in.out", "level.in")
    patch.connect("level.out", "out.in")
    return patch


def content(window: Window) -> Patch:
    """The patch in a window, places aside."""
    found = Patch.from_json(window.state()["patch"])
    for entry in found.nodes().values():
        entry.position = None
    return found


def test_a_shipped_patch_opens_with_all_its_nodes_in_view(open_window: Open, root: Path) -> None:
    path = root / "patches" / "duck_music_under_dialogue.json"
    window = open_window(path, "--no-engine")
    assert Patch.from_json(window.state()["patch"]) == Patch.load(path)
    area = window.rect("slot:centre")
    for node in window.state()["nodes"]:
        x, y, width, height = window.rect(f"node:{node}")
        assert area[0] <= x <= area[0] + area[2] - width, node
        assert area[1] <= y <= area[1] + area[3] - height, node
    assert not window.state()["dirty"]
    window.shot("open")
    window.close()
    assert not [line for line in window.log().splitlines() if "Traceback" in line]


def test_a_node_with_many_cables_is_deleted_and_comes_back(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Hub")
    patch.add("hub", "bus")
    patch.node("hub").position = (300.0, 300.0)
    for k in range(12):
        patch.add(f"source{k}", "oscillator")
        patch.node(f"source{k}").position = (0.0, 60.0 * k)
        patch.add(f"sink{k}", "gain")
        patch.node(f"sink{k}").position = (640.0, 60.0 * k)
        patch.connect(f"source{k}.out", "hub.in")
        patch.connect("hub.out", f"sink{k}.in")
    window = open_window(saved(tmp_path, patch), "--no-engine")
    before = Patch.from_json(window.state()["patch"])
    window.click("header:hub")
    assert window.state()["selection"] == ["hub"]
    window.key("Delete")
    state = window.until(lambda s: "hub" not in s["nodes"])
    assert state["cables"] == []
    window.settle(10)
    window.key("ctrl+z")
    state = window.until(lambda s: "hub" in s["nodes"])
    assert len(state["cables"]) == 24
    assert Patch.from_json(state["patch"]) == before
    window.key("ctrl+shift+z")
    assert window.until(lambda s: "hub" not in s["nodes"])["cables"] == []
    assert window.problems() == []
    window.close()


def test_a_cable_is_drawn_from_pin_to_pin_and_pulled_out_again(open_window: Open, tmp_path: Path) -> None:
    window = open_window(saved(tmp_path, chain()), "--no-engine")
    window.drag("pin:level.out", "pin:filter.in")
    assert "level.out -> filter.in" in window.until(lambda s: len(s["cables"]) == 3)["cables"]
    window.drag("pin:filter.in", "plane:200,600")
    assert "level.out -> filter.in" not in window.until(lambda s: len(s["cables"]) == 2)["cables"]
    assert window.state()["undo"] == ["Connect level to filter", "Disconnect level from filter"]
    assert window.problems() == []
    window.close()


def test_a_cable_that_does_not_fit_is_refused_with_a_reason(open_window: Open, tmp_path: Path) -> None:
    patch = chain()
    patch.add("lfo", "lfo")
    patch.node("lfo").position = (0.0, 300.0)
    window = open_window(saved(tmp_path, patch), "--no-engine")
    window.drag("pin:lfo.out", "pin:level.in")
    state = window.until(lambda s: s["notices"])
    assert "lfo.out -> level.in" not in state["cables"]
    assert "control" in state["notices"][-1][1]
    window.close()


def test_a_node_dropped_on_a_cable_is_inserted(open_window: Open, tmp_path: Path) -> None:
    window = open_window(saved(tmp_path, chain()), "--no-engine")
    window.drag("header:filter", "cable:level.out->out.in")
    state = window.until(lambda s: len(s["cables"]) == 3)
    assert sorted(state["cables"]) == ["filter.out -> out.in", "in.out -> level.in", "level.out -> filter.in"]
    assert len(state["undo"]) == 1, "the move and the insert are one step"
    window.shot("inserted")
    window.key("ctrl+z")
    window.until(lambda s: len(s["cables"]) == 2)
    assert Patch.from_json(window.state()["patch"]) == chain()
    window.close()


def test_a_loop_asks_whether_it_is_a_feedback_cable(open_window: Open, tmp_path: Path) -> None:
    patch = chain()
    patch.connect("level.out", "filter.in")
    window = open_window(saved(tmp_path, patch), "--no-engine")
    window.drag("pin:filter.out", "pin:level.in")
    assert len(window.state()["cables"]) == 3
    window.shot("loop")
    window.click("loop:yes")
    window.until(lambda s: len(s["cables"]) == 4)
    cables = {(c["from"], c["to"]): c.get("feedback", False) for c in window.patch()["cables"]}
    assert cables[("filter.out", "level.in")] is True
    window.close()


def test_a_knob_turns_as_one_step_and_a_double_click_resets_it(open_window: Open, tmp_path: Path) -> None:
    window = open_window(saved(tmp_path, chain()), "--no-engine")
    x, y = window.middle("knob:level.level_db")
    window.drag((x, y), (x, y + 45))
    state = window.until(lambda s: s["undo"])
    value = json.loads(state["patch"])["nodes"]["level"]["params"]["level_db"]
    assert -96 <= value < -20, "a quarter of its travel down from 0 dB"
    assert len(state["undo"]) == 1
    window.double_click("knob:level.level_db")
    state = window.until(lambda s: len(s["undo"]) == 2)
    assert "level_db" not in json.loads(state["patch"])["nodes"]["level"].get("params", {})
    window.close()


def test_a_kind_is_found_by_name_and_put_where_the_mouse_is(open_window: Open, tmp_path: Path) -> None:
    window = open_window(saved(tmp_path, chain()), "--no-engine")
    window.move(*window.middle("plane:420,420"))
    window.key("Tab")
    window.type("compr")
    window.shot("search")
    window.key("Return")
    state = window.until(lambda s: "compressor" in s["nodes"])
    assert state["selection"] == ["compressor"]
    x, y = window.middle("header:compressor")
    at = window.middle("plane:420,420")
    assert abs(x - at[0]) < 100
    assert abs(y - at[1]) < 40
    window.close()


def test_copies_travel_from_one_window_to_another(open_window: Open, tmp_path: Path) -> None:
    first = open_window(saved(tmp_path, chain()), "--no-engine")
    first.key("ctrl+a")
    first.until(lambda s: s["selection"] == s["nodes"], "all is selected")
    first.key("ctrl+c")
    second = open_window("--no-engine", "--new")
    second.click(second.middle("slot:centre"))  # which also gives it the keys, whichever window had them
    second.key("ctrl+v")
    state = second.until(lambda s: s["nodes"])
    assert content(second).nodes() == content(first).nodes()
    assert sorted(state["cables"]) == sorted(first.state()["cables"])
    second.key("ctrl+z")
    assert second.until(lambda s: not s["nodes"])["cables"] == []


def test_a_group_is_made_entered_left_and_taken_apart(open_window: Open, tmp_path: Path) -> None:
    window = open_window(saved(tmp_path, chain()), "--no-engine")
    before = Patch.from_json(window.state()["patch"])
    window.click("header:level")
    window.key("ctrl+g")
    state = window.until(lambda s: "group" in s["nodes"])
    assert sorted(state["cables"]) == ["group.out -> out.in", "in.out -> group.in"]
    window.double_click("header:group")
    assert window.until(lambda s: s["path"] == ["group"])["nodes"] == ["level"]
    window.shot("inside")
    window.key("Escape")
    window.key("Escape")
    window.until(lambda s: s["path"] == [])
    window.click("header:group")
    window.key("ctrl+shift+g")
    window.until(lambda s: "level" in s["nodes"])
    after = Patch.from_json(window.state()["patch"])
    assert after == before
    window.close()


def test_a_modifier_that_is_let_go_with_its_key_counts(open_window: Open, root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    window.move(*window.middle("canvas"))
    for _ in range(5):
        window.hold("ctrl", True)
        window.xdotool("keydown", "--delay", 0, "a", "keyup", "--delay", 0, "ctrl", "keyup", "--delay", 0, "a")
        window.until(lambda s: len(s["selection"]) == len(s["nodes"]), "all is selected")
        window.key("Escape")
        window.until(lambda s: not s["selection"])
    window.close()


@pytest.mark.parametrize("theme", ["light", "contrast", "dark"])
def test_every_theme_draws_the_whole_window(open_window: Open, root: Path, theme: str) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine", drawn=True)
    window.command(f"view.{theme}")
    window.settle(5)
    window.shot(f"theme-{theme}")
    assert window.problems() == []
    window.click("header:duck")
    assert window.state()["selection"] == ["duck"]
    window.close()
