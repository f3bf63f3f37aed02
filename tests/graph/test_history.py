"""The history of edits: gestures are one entry, in which each thing is kept once, and what is kept is bounded."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from graph.document import NodeEntry, Patch
from graph.edits import (
    AddNode,
    Batch,
    History,
    Inside,
    Move,
    RemoveNode,
    ReplacePatch,
    Retitle,
    SetMute,
    SetParam,
    SetState,
)
from graph.patchfile import to_document
from graph.weight import weight

INNER: dict[str, Any] = {"nodes": {"x": {"kind": "gain"}, "y": {"kind": "gain"}}, "cables": []}


def two_gains() -> Patch:
    patch = Patch()
    patch.add("a", "gain", level_db=-1)
    patch.add("b", "gain")
    return patch


def test_a_gesture_is_one_entry_and_keeps_one_step_for_each_thing_it_sets() -> None:
    patch = two_gains()
    history = History(patch)
    for i in range(100):
        history.do(Move("a", (i, i)), gesture="drag")
        history.do(Move("b", (i, 0)), gesture="drag")
    history.do(SetParam("a", "level_db", 5), gesture="turn")
    history.do(SetParam("a", "level_db", 6), gesture="turn")
    history.end_gesture()
    history.do(SetParam("a", "level_db", 7), gesture="turn")
    history.do(SetParam("a", "level_db", 8))
    history.do(SetParam("a", "level_db", 9))
    assert history.done == ["Move a", *["Set a.level_db"] * 4]
    assert len(history._done[0].steps) == 2
    levels = []
    while history.undo():
        levels.append(patch.node("a").params["level_db"])
    assert levels == [8, 7, 6, -1, -1]
    assert patch == two_gains()
    assert history.undo() is None
    assert history.undone == ["Move a", *["Set a.level_db"] * 4]
    assert history.redo() == "Move a"
    assert (patch.node("a").position, patch.node("b").position) == ((99, 99), (99, 0))
    while history.redo():
        pass
    assert patch.node("a").params["level_db"] == 9
    assert history.redo() is None


def test_a_gesture_of_many_at_once_keeps_one_step_however_often_they_are_set() -> None:
    patch = two_gains()
    patch.add("g", "group", settings={"patch": INNER})
    before = to_document(patch)
    history = History(patch)
    for i in range(100):
        history.do(Batch("Both", (Move("a", (i, i)), Move("b", (i, 0)))), gesture="drag")
        history.do(Batch("One", (Move("b", (i, 1)),)), gesture="drag")
        history.do(Inside("g", Move("x", (i, 0))), gesture="drag")
        history.do(Inside("g", Batch("In it", (Move("y", (i, 0)), Retitle("y", str(i))))), gesture="drag")
    assert history.done == ["Both"]
    assert len(history._done[0].steps) == 2
    after = to_document(patch)
    assert history.undo() == "Both"
    assert to_document(patch) == before
    assert history.redo() == "Both"
    assert to_document(patch) == after


def test_what_does_not_merge_splits_what_a_gesture_sets() -> None:
    patch = two_gains()
    history = History(patch)
    for edit in (
        SetParam("a", "level_db", 1),
        RemoveNode("a"),
        AddNode("a", NodeEntry("gain")),
        SetParam("a", "level_db", 2),
        SetParam("a", "level_db", 3),
    ):
        history.do(edit, gesture="one", name="Everything")
    assert history.done == ["Everything"]
    assert history.undo() == "Everything"
    assert patch == two_gains()
    assert history.redo() == "Everything"
    assert patch.node("a").params == {"level_db": 3}


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = History(two_gains())
    history.do(SetMute("a", True))
    history.undo()
    history.do(SetMute("b", True))
    assert history.undone == []
    assert history.redo() is None


def test_a_history_is_bounded_and_knows_when_the_saved_state_is_out_of_reach() -> None:
    patch = two_gains()
    history = History(patch, limit=3)
    assert not history.dirty
    for i in range(5):
        history.do(SetParam("a", "level_db", i))
    assert len(history.done) == 3
    while history.undo():
        pass
    assert patch.node("a").params["level_db"] == 1
    assert history.dirty, "the state that was saved is two edits further back"
    history.mark_saved()
    assert not history.dirty
    history.redo()
    assert history.dirty
    history.undo()
    assert not history.dirty
    with pytest.raises(ValueError, match="at least one entry"):
        History(patch, limit=0)


def test_a_history_is_bounded_by_what_it_takes_too() -> None:
    patch = two_gains()
    patch.node("a").state = bytes(1_000_000)
    history = History(patch, heaviest=5_500_000)
    history.mark_saved()
    for i in range(50):
        history.do(SetState("a", bytes([i]) * 1_000_000))
    assert len(history.done) == 5
    for _ in range(3):
        while history.undo():
            pass
        assert patch.node("a").state == bytes([44]) * 1_000_000
        while history.redo():
            pass
        assert len(history.done) == 5
    assert history.dirty
    for i in range(200):
        history.do(SetParam("a", "level_db", i))
    assert len(history.done) > 200, "what takes little is not thrown out for what took much"
    history.do(SetState("a", bytes(9_000_000)))
    history.do(SetState("a", None))
    assert len(history.done) == 1, "the newest step can be undone, whatever it takes"
    history.undo()
    assert patch.node("a").state == bytes(9_000_000)


def test_a_weight_is_about_what_is_in_memory() -> None:
    state = bytes(10_000)
    assert 10_000 < weight(SetState("a", state)) < 10_500
    assert weight(RemoveNode("a")) < 500
    patch = two_gains()
    patch.node("a").state = state
    assert 10_000 < weight(ReplacePatch(patch)) < 20_000
    assert 10_000 < weight(RemoveNode("a").apply(patch)) < 12_000
    values = {str(k): float(k) for k in range(1000)}
    tracemalloc.start()
    try:
        copied = [{key + "": value + 0.5 for key, value in values.items()} for _ in range(100)]
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken / 3 < weight(copied) < 6 * taken


def test_going_on_with_a_gesture_after_saving_makes_it_dirty_again() -> None:
    history = History(two_gains())
    history.do(SetParam("a", "level_db", 1), gesture="turn")
    history.mark_saved()
    history.do(SetParam("a", "level_db", 2), gesture="turn")
    assert history.dirty
    assert len(history.done) == 1
