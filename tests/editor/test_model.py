"""Sessions: edits at any level, what changed, what the engine is told, and the way back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from editor.model import NO_CHANGES, Session
from graph.document import Automation, Cable, NodeEntry, Patch, Transport
from graph.edits import (
    AddNode,
    Connect,
    Disconnect,
    Move,
    RemoveNode,
    Retitle,
    SetAutomation,
    SetMute,
    SetParam,
    SetPatchField,
)
from graph.errors import PatchError
from nodes import kinds


def chain() -> Patch:
    patch = Patch("Chain")
    patch.add("in", "audio_in")
    patch.add("level", "gain", level_db=-6)
    patch.add("out", "audio_out")
    patch.connect("in.out", "level.in")
    patch.connect("level.out", "out.in")
    return patch


def grouped() -> Patch:
    """A level inside a group inside a group."""
    inner = {"nodes": {"level": {"kind": "gain"}}, "cables": []}
    middle = {
        "nodes": {"inner": {"kind": "group", "settings": {"patch": inner, "ports": {"in": "level.in"}, "params": {}}}},
        "cables": [],
    }
    patch = Patch("Groups")
    patch.add("outer", "group", settings={"patch": middle, "ports": {}, "params": {}})
    return patch


def test_the_first_look_is_everything_and_the_next_nothing() -> None:
    session = Session(chain())
    assert session.changes().everything
    assert session.changes() is NO_CHANGES


def test_changes_say_what_an_edit_did() -> None:
    session = Session(chain())
    session.changes()
    session.do(SetParam("level", "level_db", -3.0))
    changes = session.changes()
    assert changes.params == {("level", "level_db")}
    assert not changes.structure
    session.do(Move("level", (1.0, 2.0)))
    assert session.changes().moved == {"level"}
    session.do(SetMute("level", True))
    assert session.changes().nodes == {"level"}
    session.do(Disconnect("in", "out", "level", "in"))
    assert session.changes().cables
    session.do(RemoveNode("level"))
    changes = session.changes()
    assert changes.removed == {"level"}
    assert changes.cables
    session.undo()
    assert session.changes().added == {"level"}
    session.select({"level"})
    changes = session.changes()
    assert changes.selection
    assert not changes.history


def test_several_edits_are_one_step_and_all_or_none() -> None:
    session = Session(chain())
    before = session.patch.copy()
    add = AddNode("more", NodeEntry("gain"))
    with pytest.raises(PatchError):
        session.do(add, Connect(Cable("nobody", "out", "more", "in")), name="Add")
    assert session.patch == before
    session.do(add, Connect(Cable("in", "out", "more", "in")), name="Add more")
    assert session.history.done == ["Add more"]
    session.undo()
    assert session.patch == before


def test_a_gesture_is_one_step() -> None:
    session = Session(chain())
    for value in (-5.0, -4.0, -3.0):
        session.do(SetParam("level", "level_db", value), gesture="turn")
    session.end_gesture()
    session.do(SetParam("level", "level_db", 0.0), gesture="turn")
    assert len(session.history.done) == 2
    session.undo()
    session.undo()
    assert session.patch == chain()


def test_values_go_to_the_engine_alone_and_structure_with_the_whole_patch() -> None:
    session = Session(chain())
    session.patch_changed = False
    session.do(SetParam("level", "level_db", -3.0))
    session.do(Move("level", (5.0, 5.0)))
    session.do(Retitle("level", "Volume"))
    session.do_at_root(SetPatchField("metadata", {"frames": []}))
    assert session.to_engine == [("level", "level_db", -3.0)]
    assert not session.patch_changed
    session.do(SetParam("level", "level_db", None))
    assert session.patch_changed, "the engine has to find the default"
    session.patch_changed = False
    session.do_at_root(SetPatchField("transport", replace(Transport(), loop=(0.0, 4.0))))
    assert session.patch_changed
    session.patch_changed = False
    session.undo()
    assert session.patch_changed


def test_automation_that_only_gets_other_points_goes_to_the_engine_alone() -> None:
    first = Automation("level", "level_db", ((0.0, -3.0, "hold"),))
    other = replace(first, points=((0.0, -6.0, "linear"), (1.0, 0.0, "hold")))
    session = Session(grouped())
    session.enter("outer")
    session.enter("inner")
    for line in (None, replace(other, enabled=False), replace(other, points=())):
        for one in (line, first):
            session.patch_changed = False
            session.do(SetAutomation("level", "level_db", one))
            assert session.patch_changed, "the engine has to compile it"
    session.patch_changed = False
    session.do(SetAutomation("level", "level_db", other), gesture="drag")
    assert not session.patch_changed
    assert session.points_to_engine == {("outer/inner/level", "level_db"): other.points}
    assert session.to_engine == []


def test_edits_inside_groups_are_addressed_from_the_outside() -> None:
    session = Session(grouped())
    before = session.patch.copy()
    session.enter("outer")
    session.enter("inner")
    assert session.path == ("outer", "inner")
    assert list(session.here.nodes()) == ["level"]
    assert session.address("level") == "outer/inner/level"
    session.patch_changed = False
    session.do(SetParam("level", "level_db", -9.0))
    assert session.to_engine == [("outer/inner/level", "level_db", -9.0)]
    assert session.here.node("level").params == {"level_db": -9.0}
    session.go(("outer",))
    assert session.selection == {"inner"}, "one sees what one has come out of"
    session.undo()
    assert session.patch == before


def test_undoing_a_group_that_one_is_in_leads_out_of_it() -> None:
    session = Session(Patch())
    session.do(AddNode("outer", grouped().node("outer")))
    session.enter("outer")
    session.undo()
    assert session.path == ()
    assert not session.here.graph


def test_what_is_no_group_cannot_be_entered() -> None:
    session = Session(chain())
    with pytest.raises(PatchError, match="no group"):
        session.enter("level")
    assert session.path == ()


def test_ids_are_fresh_against_automation_and_snapshots_too() -> None:
    patch = chain()
    patch.add("gain", "gain")
    patch.automate("gain2", "level_db", [(0.0, 0.0)])
    patch.snapshot("loud", {"gain3": {"level_db": 3.0}})
    assert Session(patch).fresh_id("gain") == "gain4"


def test_200_random_edits_undone_and_done_again_come_out_the_same() -> None:
    chance = random.Random(5)
    session = Session(grouped())
    first = session.patch.copy()
    names = sorted(n for n in kinds() if n in ("gain", "filter", "bus", "compressor", "lfo", "audio_out"))
    for _ in range(200):
        if session.path and chance.random() < 0.2:
            session.go(session.path[:-1])
        here = session.here
        ids = sorted(here.nodes())
        try:
            match chance.randrange(7):
                case 0 | 1:
                    kind = chance.choice(names)
                    session.do(AddNode(session.fresh_id(kind), NodeEntry(kind)))
                case 2 if ids:
                    session.do(RemoveNode(chance.choice(ids)))
                case 3 if ids:
                    session.do(Move(chance.choice(ids), (chance.uniform(-900, 900), chance.uniform(-900, 900))))
                case 4 if ids:
                    session.do(Connect(Cable(chance.choice(ids), "out", chance.choice(ids), "in")))
                case 5 if ids:
                    session.do(SetParam(chance.choice(ids), "level_db", chance.uniform(-60, 0)))
                case 6 if ids:
                    session.enter(chance.choice(ids))
        except PatchError:
            continue
    last = session.patch.copy()
    steps = len(session.history.done)
    assert steps > 100
    while session.undo():
        pass
    assert session.patch == first
    while session.redo():
        pass
    assert session.patch == last
    assert len(session.history.done) == steps


def test_changes_that_are_told_of_late_name_no_node_that_has_gone() -> None:
    session = Session(Patch(), kinds())
    session.changes()
    session.do(AddNode("a", NodeEntry("gain")))
    session.do(AddNode("b", NodeEntry("gain")))
    due = session.changes()
    session.do(SetParam("a", "level_db", -3.0))
    session.do(SetParam("b", "level_db", -3.0))
    session.do(Move("a", (10.0, 10.0)))
    due |= session.changes()
    session.do(RemoveNode("a"))
    due |= session.changes()
    assert due.added == {"b"}
    assert due.removed == set()
    assert due.params == {("b", "level_db")}
    assert due.moved == set()
    session.do(RemoveNode("b"))
    session.undo()
    due |= session.changes()
    assert due.added == {"b"}
    session.open(Patch())
    due |= session.changes()
    assert due.everything
    assert due.added == due.removed == set()
