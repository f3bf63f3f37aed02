"""Colours of nodes: what shows them, what keeps them, and how they are taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editor.canvas.clip import copied, paste_edits, pasted
from editor.canvas.grouping import group, ungroup
from editor.canvas.scene import Scene
from editor.model import Changes, Session
from editor.swatches import colour_nodes, tint_of
from editor.telling import told
from graph.document import Patch
from graph.edits import SetTint
from tests.editor.window import Window


@pytest.fixture
def session() -> Session:
    patch = Patch("Row")
    for k, (id, kind) in enumerate((("a", "gain"), ("b", "filter"), ("c", "no_such_kind"))):
        patch.add(id, kind)
        patch.node(id).position = (300.0 * k, 0.0)
    patch.connect("a.out", "b.in")
    return Session(patch)


def test_a_colour_shows_on_what_has_it_and_is_taken_back_as_one_step(session: Session) -> None:
    families = {id: session.face(id).hue for id in "abc"}
    colour_nodes(session, "abc", "teal")
    assert {session.face(id).hue for id in "abc"} == {"teal"}
    assert session.changes().everything or session.changes().nodes
    assert tint_of(session, "abc") == "teal"
    colour_nodes(session, "a", "red")
    assert tint_of(session, "abc") is None
    assert session.undo() == "Colour a"
    assert session.undo() == "Colour nodes"
    assert {id: session.face(id).hue for id in "abc"} == families
    assert session.undo() is None


def test_nothing_is_done_where_nothing_changes(session: Session) -> None:
    colour_nodes(session, ["a", "gone"], "")
    assert session.undo() is None


def test_a_colour_of_another_program_is_kept_and_not_shown(session: Session) -> None:
    session.do(SetTint("a", "#ff8800"))
    assert session.face("a").hue == session.face("a").family
    assert Patch.from_json(session.patch.to_json()).node("a").tint == "#ff8800"


def test_the_engine_hears_nothing_of_colours() -> None:
    assert told(SetTint("a", "red"), lambda path: None) == []


def test_a_colour_goes_along_into_copies_groups_and_out_again(session: Session) -> None:
    colour_nodes(session, "ab", "violet")
    clip = pasted(session, copied(session, "ab").to_json())
    edits, names = paste_edits(session, clip, None)
    session.do(*edits)
    assert {session.here.node(id).tint for id in names.values()} == {"violet"}
    scene = Scene(session)
    scene.sync(Changes(everything=True))
    made = group(session, frozenset("ab"), scene.places)
    session.enter(made)
    assert [session.here.node(id).tint for id in "ab"] == ["violet", "violet"]
    session.go(())
    assert session.here.node(made).tint == ""
    colour_nodes(session, [made], "pink")
    assert session.face(made).hue == "pink"
    back = ungroup(session, made, (0.0, 0.0))
    assert {session.here.node(id).tint for id in back} == {"violet"}


def test_colours_are_chosen_in_the_window(open_window: Callable[..., Window], root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    before = window.state()["patch"]
    window.click("header:duck", 3)
    window.settle(6)
    window.shot("colours-in-the-menu")
    window.click("canvas-popup:swatch:teal")
    window.until(lambda s: s["undo"] == ["Colour duck"])
    assert window.patch()["nodes"]["duck"]["tint"] == "teal"
    window.click("inspector:colour")
    window.settle(6)
    window.click("canvas-popup:swatch:plain")
    window.until(lambda s: s["patch"] == before)
    window.key("ctrl+a")
    window.settle(6)
    window.click("inspector:several:colours:swatch:pink")
    window.until(lambda s: s["undo"][-1:] == ["Colour nodes"])
    assert {node["tint"] for node in window.patch()["nodes"].values()} == {"pink"}
    window.settle(6)
    window.shot("colours-of-all")
    window.command("edit.undo")
    window.until(lambda s: s["patch"] == before)
    assert window.problems() == []
    window.close()
    assert "Traceback" not in window.log()
