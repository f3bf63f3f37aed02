"""What happens while something is held: an undo, a delete, another level, another patch. Without a window."""

from __future__ import annotations

import pytest

from editor.canvas.curves import point_at
from editor.canvas.frames import frame_edit
from editor.canvas.scene import Frame
from editor.canvas.view import Box
from editor.inspector.subject import subject
from editor.macros.assigning import Assigning
from editor.model import Session
from editor.pointer import Grip, Pointer
from editor.turning import Turning
from graph.document import Patch
from graph.edits import Disconnect, Move, RemoveNode, SetParam
from graph.form import to_document
from tests.editor.test_scene import Table, chain

WIRE = ("level", "out", "out", "in")


def nested() -> Patch:
    """A group, and inside it nodes that are called like those outside."""
    inner, outer = chain(), chain()
    document = to_document(inner)
    inside = {"nodes": document["nodes"], "cables": document["cables"]}
    outer.add("level2", "group", {"patch": inside, "ports": {}, "params": {}})
    outer.node("level2").position = (900.0, 0.0)
    return outer


def test_a_cable_that_is_deleted_while_it_is_pressed_comes_to_nothing() -> None:
    table = Table(chain())
    middle = point_at(table.scene.curves[WIRE], 0.5)
    table.gestures.press(middle)
    table.sync()
    assert table.session.cables == {WIRE}
    table.gestures.delete()
    table.sync()
    before = table.session.patch.copy()
    table.gestures.drag((middle[0], middle[1] + 90))
    table.gestures.release((middle[0], middle[1] + 90))
    assert table.gestures.held is None
    assert table.session.patch == before


def test_a_cable_that_is_in_the_hand_and_undone_is_not_plugged() -> None:
    table = Table(chain())
    table.session.do(Disconnect(*WIRE))
    table.session.undo()
    table.sync()
    start, end = table.pin("out", "in", "in"), table.pin("filter", "in", "in")
    table.gestures.press(start)
    table.gestures.drag(end)
    table.sync()
    table.session.redo()
    table.sync()
    before = table.session.patch.copy()
    table.gestures.drag(end)
    table.gestures.release(end)
    assert table.session.patch == before
    assert not table.said


def test_a_drag_ends_where_another_level_is_entered_that_has_the_same_names() -> None:
    table = Table(nested())
    box = table.scene.box("level")
    start = box.x + 60, box.y + 12
    table.gestures.press(start)
    table.gestures.drag((start[0], start[1] + 100))
    table.sync()
    table.session.enter("level2")
    table.sync()
    before = table.session.patch.copy()
    table.gestures.drag((start[0], start[1] + 200))
    table.gestures.release((start[0], start[1] + 200))
    assert table.session.patch == before


def test_a_frame_that_is_undone_while_it_is_dragged_stays_undone() -> None:
    table = Table(chain())
    frame = Frame(0, "Voices", "mix", Box(-200.0, -300.0, 300.0, 120.0))
    table.session.do(frame_edit(table.session, frame))
    table.sync()
    start = -150.0, -290.0
    table.gestures.press(start)
    table.sync()
    table.session.undo()
    table.sync()
    table.gestures.drag((start[0] + 80, start[1]))
    table.gestures.release((start[0] + 80, start[1]))
    table.sync()
    assert not table.scene.frames
    assert table.session.history.done == []


@pytest.mark.parametrize("way", [0.0, 4.0, 80.0])
def test_giving_up_a_drag_takes_back_that_drag_and_nothing_before_it(way: float) -> None:
    """Four pixels are a drag, but not far enough for another place on the grid."""
    table = Table(chain())
    table.session.do(SetParam("level", "level_db", -6.0))
    table.session.do(Move("in", (20.0, 40.0)))
    table.sync()
    before, done = table.session.patch.copy(), table.session.history.done
    box = table.scene.box("level")
    start = box.x + 60, box.y + 12
    table.gestures.press(start)
    table.gestures.drag((start[0] + way, start[1]))
    table.sync()
    table.gestures.cancel()
    assert table.session.patch == before
    assert table.session.history.done == done


def test_giving_up_a_drag_that_was_undone_already_takes_back_nothing_more() -> None:
    table = Table(chain())
    table.session.do(SetParam("level", "level_db", -6.0))
    table.sync()
    box = table.scene.box("level")
    start = box.x + 60, box.y + 12
    table.gestures.press(start)
    table.gestures.drag((start[0] + 80, start[1]))
    table.sync()
    table.session.undo()
    table.sync()
    table.gestures.cancel()
    assert len(table.session.history.done) == 1
    assert table.session.here.node("level").params["level_db"] == -6.0


def test_only_what_is_there_is_selected() -> None:
    session = Session(nested())
    session.select({"level", "level2", "gone"}, cables={WIRE, ("gone", "out", "out", "in")})
    assert session.selection == {"level", "level2"}
    assert session.cables == {WIRE}
    session.enter("level2")
    session.select({"level2"})
    assert session.chosen is None


@pytest.mark.parametrize("gone", [("level",), ("level", "level3")])
def test_params_of_several_nodes_are_turned_on_where_some_are_deleted_meanwhile(gone: tuple[str, ...]) -> None:
    patch = chain()
    for id in ("level2", "level3"):
        patch.add(id, "gain")
    session = Session(patch)
    nodes = ("level", "level2", "level3")
    for id, value in zip(nodes, (-30.0, -20.0, -10.0), strict=True):
        session.do(SetParam(id, "level_db", value))
    level = subject(session, "level").face.param("level_db")
    assert level is not None
    turning = Turning(session, nodes, level)
    turning.begin()
    turning.by(0.05)
    session.do(*map(RemoveNode, gone))
    turning.by(0.05)
    turning.end()
    left = [id for id in nodes if id not in gone]
    values = {"level2": -20.0 + 12.0, "level3": -10.0 + 12.0}
    for id in left:
        assert session.here.node(id).params["level_db"] == pytest.approx(values[id], abs=0.01)
    turning.type("-3")
    assert [session.here.node(id).params["level_db"] for id in left] == [-3.0] * len(left)


def test_a_knob_whose_node_is_gone_is_turned_typed_and_reset_without_harm() -> None:
    session = Session(chain())
    level = subject(session, "level").face.param("level_db")
    assert level is not None
    turning = Turning(session, ("level",), level)
    turning.begin()
    turning.by(0.05)
    session.do(RemoveNode("level"))
    before = session.patch.copy()
    turning.by(0.05)
    turning.end()
    turning.type("-3")
    turning.reset()
    assert session.patch == before


def test_a_macro_is_assigned_at_its_own_level_and_in_its_own_patch_only() -> None:
    inner, outer = Patch("Inside"), Patch("Outside")
    for patch in (inner, outer):
        patch.add("macro", "macro")
        patch.add("level", "gain")
    document = to_document(inner)
    outer.add("box", "group", {"patch": {"nodes": document["nodes"], "cables": []}, "ports": {}, "params": {}})
    session = Session(outer)
    macro = Assigning(session, "macro")
    assert macro.valid
    session.enter("box")
    assert not macro.valid
    session.go(())
    assert macro.valid
    session.open(inner)
    assert not macro.valid


def test_a_knob_is_turned_though_a_macro_that_is_gone_was_being_assigned() -> None:
    patch = chain()
    patch.add("macro", "macro")
    patch.node("macro").position = (0.0, 600.0)
    table = Table(patch)
    macro = Assigning(table.session, "macro")
    table.gestures.assigning = lambda: macro
    table.session.do(RemoveNode("macro"))
    table.sync()
    box = table.scene.box("level")
    knob = table.scene.shapes["level"].knobs[0]
    start = box.x + knob.at[0], box.y + knob.at[1]
    table.drag(start, (start[0], start[1] - 40))
    assert table.session.history.done[1:] == [f"Turn level.{knob.param.name}"]


def test_what_is_claimed_anew_is_held_by_nobody_who_had_it_before() -> None:
    pointer, before, now = Pointer(), Grip(), Grip()
    pointer.claim("lane", before)
    pointer._held = ("lane", before, 0)
    pointer.claim("lane", before)
    assert pointer.busy
    pointer.claim("lane", now)
    assert not pointer.busy


def test_a_frame_with_its_nodes_inside_a_group_is_moved_in_one_step_that_keeps_each_thing_once() -> None:
    table = Table(nested())
    table.session.enter("level2")
    here = table.session.here
    places = [place for node in here.graph if (place := here.node(node).position) is not None]
    left, top = min(x for x, _ in places) - 60, min(y for _, y in places) - 60
    table.session.do(frame_edit(table.session, Frame(0, "All", "mix", Box(left, top, 2000.0, 1200.0))))
    table.sync()
    before, done = table.session.patch.copy(), table.session.history.done
    start = left + 50, top + 10
    table.gestures.press(start)
    for k in range(1, 30):
        table.gestures.drag((start[0] + 20 * k, start[1]))
        table.sync()
    table.gestures.release((start[0] + 580, start[1]))
    after = {node: table.session.here.node(node).position for node in table.session.here.graph}
    assert [(x + 580, y) for x, y in places] == list(after.values())
    assert table.session.history.done == [*done, "Move a frame"]
    assert len(table.session.history._done[-1].steps) == 1
    table.session.undo()
    assert table.session.patch == before
