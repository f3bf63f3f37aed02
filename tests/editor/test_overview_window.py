"""Finding one's way and keeping order on the canvas, and patches as JSON, in a real window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from graph.patchfile import load
from tests.editor.window import Window

Open = Callable[..., Window]


@pytest.fixture
def window(open_window: Open, tmp_path: Path) -> Window:
    """A chain of six, each some way from the other, and a node that is a branch of it."""
    patch = Patch("Rig")
    kinds = ("noise", "eq", "compressor", "bus", "limiter", "audio_out")
    for k, kind in enumerate(kinds):
        patch.add(kind, kind)
        patch.node(kind).position = (400.0 * k, 300.0 * (k % 2))
        if k:
            patch.connect(f"{kinds[k - 1]}.out", f"{kind}.in")
    patch.add("meter", "meter")
    patch.node("meter").position = (2600.0, 1200.0)
    patch.connect("eq.out", "meter.in")
    path = tmp_path / "rig.json"
    patch.save(path)
    return open_window(path, "--no-engine")


def places(window: Window) -> dict[str, list[float]]:
    return {id: entry["position"] for id, entry in window.patch()["nodes"].items()}


def near(a: tuple[float, float], b: tuple[float, float], reach: float) -> bool:
    return abs(a[0] - b[0]) <= reach and abs(a[1] - b[1]) <= reach


def test_find_flies_to_a_node_and_the_wheel_zooms_where_the_mouse_is(window: Window) -> None:
    window.command("view.full")
    window.key("ctrl+f")
    window.type("meter")
    window.key("Return")
    window.until(lambda state: state["selection"] == ["meter"], "it is selected")
    canvas = window.rect("slot:centre")
    middle = canvas[0] + canvas[2] / 2, canvas[1] + canvas[3] / 2
    window.until(lambda _: near(window.middle("node:meter"), middle, 3.0), "it is in the middle")
    corner = window.rect("node:meter")[:2]
    window.move(corner[0] + 2, corner[1] + 2)
    before = window.rect("node:meter")
    window.wheel(-2)
    window.until(lambda _: window.rect("node:meter")[2] < before[2] * 0.9, "it is smaller")
    assert near(window.rect("node:meter")[:2], before[:2], 3.0), "what is below the mouse stays there"
    window.close()


def test_the_map_leads_to_another_part(window: Window) -> None:
    window.command("view.full")
    canvas = window.rect("slot:centre")
    before = window.middle("node:meter")
    window.click((canvas[0] + canvas[2] - 30, canvas[1] + canvas[3] - 30))
    window.until(lambda _: not near(window.middle("node:meter"), before, 50), "the view has moved")
    x, y = window.middle("node:meter")
    assert canvas[0] < x < canvas[0] + canvas[2]
    assert canvas[1] < y < canvas[1] + canvas[3]
    window.close()


def test_nodes_are_aligned_spaced_and_arranged_by_signal_flow(window: Window) -> None:
    before = places(window)
    window.key("ctrl+a")
    window.command("arrange.top")
    window.until(lambda _: len({y for _, y in places(window).values()}) == 1, "all are at one height")
    window.command("edit.undo")
    window.until(lambda _: places(window) == before, "and back where they were")
    window.command("arrange.left")
    window.until(lambda _: len({x for x, _ in places(window).values()}) == 1, "all are in one column")
    window.command("edit.undo")
    window.command("arrange.auto")
    window.until(lambda _: places(window) != before, "they are arranged")
    found = places(window)
    for cable in window.patch()["cables"]:
        source, target = cable["from"].split(".")[0], cable["to"].split(".")[0]
        assert found[source][0] < found[target][0], "sound goes to the right"
    boxes = [window.rect(f"node:{id}") for id in found]
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            apart = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
            assert apart, "no node lies on another"
    window.close()


def test_a_frame_has_a_title_and_takes_its_nodes_along(window: Window) -> None:
    window.click("header:eq")
    window.command("arrange.frame")
    window.settle()
    window.key("ctrl+a")
    window.type("Voice")
    window.until(lambda _: window.patch()["metadata"]["frames"][0]["title"] == "Voice", "it has a title")
    window.key("Escape")
    window.settle()
    before = places(window)
    frame = window.patch()["metadata"]["frames"][0]["box"]
    at = window.middle(f"plane:{frame[0] + 40},{frame[1] + 12}")
    window.drag(at, (at[0] + 60, at[1] + 40))
    window.until(lambda _: places(window)["eq"] != before["eq"], "the node goes with it")
    after = places(window)
    assert {id for id in after if after[id] != before[id]} == {"eq"}
    window.close()


def test_exported_as_json_and_imported_as_a_new_patch(window: Window, tmp_path: Path) -> None:
    document = json.loads(window.state()["patch"])
    target = tmp_path / "out"
    target.mkdir()
    window.command("file.export")
    window.until(lambda state: state["dialog"] == "Export JSON")
    window.key("ctrl+a")
    window.type(f"{target}/copy.json")
    window.key("Return")
    window.until(lambda state: any("Exported" in text for _, text in state["notices"]), "it is exported")
    assert json.loads(load(target / "copy.json").to_json()) == document
    assert window.state()["file"].endswith("rig.json"), "what is open stays what it is"
    window.command("file.import")
    window.until(lambda state: state["dialog"] == "Import JSON")
    window.type(f"{target}/copy.json")
    window.key("Return")
    window.until(lambda state: state["file"] == "", "it is a new patch")
    assert json.loads(window.state()["patch"])["nodes"] == document["nodes"]
    assert window.problems() == []
    window.close()


def test_dropouts_can_be_asked_for(window: Window) -> None:
    window.command("status.dropouts")
    window.until(lambda state: state["dialog"] == "Where sound dropped out", "the list is open")
    window.key("Escape")
    window.until(lambda state: state["dialog"] == "", "and shut")
    assert window.problems() == []
    window.close()
