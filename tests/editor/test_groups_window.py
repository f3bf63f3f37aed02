"""Groups in a real window: made, entered, shown more of, left by the way at the top, kept as a block, put in again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def test_a_group_is_made_shown_more_of_kept_and_put_in_again(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Rig")
    patch.add("src", "noise")
    patch.add("eq", "eq")
    patch.add("comp", "compressor")
    patch.add("out", "audio_out")
    for a, b in (("src.out", "eq.in"), ("eq.out", "comp.in"), ("comp.out", "out.in")):
        patch.connect(a, b)
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    before = window.state()["patch"]
    window.click("header:eq")
    window.hold("shift", True)
    window.click("header:comp")
    window.hold("shift", False)
    window.key("ctrl+g")
    window.until(lambda state: state["nodes"] == ["group", "out", "src"], "a group is there")
    window.click("inspector:group:enter")
    window.until(lambda state: state["path"] == ["group"], "it is entered")
    window.click("exposing:search")
    window.type("sidechain")
    window.click("exposing:show:0")
    shown = lambda: window.patch()["nodes"]["group"]["settings"]  # noqa: E731
    window.until(lambda _: shown()["ports"].get("sidechain") == "comp.sidechain", "the port is shown")
    window.click("exposing:search")
    window.key("ctrl+a")
    window.type("threshold")
    window.click("exposing:show:0")
    window.until(lambda _: shown()["params"].get("threshold_db") == "comp.threshold_db", "the param is shown")
    window.click("exposing:threshold_db")
    window.key("ctrl+a")
    window.type("depth")
    window.key("Return")
    window.until(lambda _: list(shown()["params"]) == ["depth"], "it has another name")
    window.shot("inside_a_group")
    window.click("crumb:0")
    window.until(lambda state: state["path"] == [], "it is left")
    window.click("header:group")
    window.command("arrange.keep")
    window.until(lambda state: state["dialog"] == "Keep as a block", "it asks for a name")
    window.key("ctrl+a")
    window.type("Strip")
    window.click("dialog:block:keep")
    window.until(lambda state: not state["dialog"], "it is kept")
    window.click("palette:search")
    window.type("strip")
    window.settle()
    window.double_click("palette:block:Strip")
    window.until(lambda state: "strip" in state["nodes"], "it is put in")
    made = window.patch()["nodes"]
    assert made["strip"]["settings"] == made["group"]["settings"]
    assert made["strip"]["title"] == "Strip"
    window.shot("blocks")
    window.key("Escape")
    while window.state()["undo"]:
        window.command("edit.undo")
    assert window.state()["patch"] == before
    assert window.problems() == []
    window.close()


def test_a_message_is_dismissed_by_a_click_and_stays_in_the_list(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Rig")
    patch.add("bus", "bus")
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    window.click("header:bus")
    window.key("Delete")
    window.key("ctrl+z")
    window.until(lambda state: len(state["notices"]) == 1 and state["nodes"] == ["bus"], "it says what was undone")
    assert window.ask(do="locate", what="toast:0")["rect"] is not None
    window.click("toast:0")
    window.until(lambda _: window.ask(do="locate", what="toast:0")["rect"] is None, "it is shown no more")
    assert len(window.state()["notices"]) == 1
    window.close()
