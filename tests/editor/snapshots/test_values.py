"""Snapshots as edits: taken, recalled in groups too, mixed, renamed."""

from __future__ import annotations

import json
from math import sqrt

import pytest

from editor.model import Session
from editor.snapshots.values import current, differing, edits_to, fresh_name, morph, recall, rename, taken
from graph.document import Patch
from graph.edits import Batch, Edit, SetBypass, SetMute, SetParam, SetSnapshot
from graph.errors import PatchError
from nodes import kinds


def rig() -> Session:
    """A bus, a filter, and a group of a level that the group shows and a filter that it does not."""
    inner = Patch("Inner")
    inner.add("trim", "gain")
    inner.add("cut", "filter")
    document = {k: v for k, v in json.loads(inner.to_json()).items() if k not in ("format", "version")}
    patch = Patch("Rig")
    patch.add("main", "bus")
    patch.add("tone", "filter")
    patch.add("box", "group", {"patch": document, "ports": {}, "params": {"loud": "trim.level_db"}})
    return Session(patch, kinds())


def do(session: Session, edits: list[Edit]) -> None:
    """Edits as a step."""
    session.do_at_root(Batch("Step", tuple(edits)))


def test_what_a_group_shows_is_kept_by_the_name_it_shows_it_under() -> None:
    session = rig()
    session.do(SetParam("box", "loud", -7.0))
    now = current(session.patch, session.kinds)
    assert now["box", "loud"] == -7
    assert ("box/trim", "level_db") not in now
    assert ("box/cut", "freq_hz") in now


def test_recall_takes_everything_back() -> None:
    session = rig()
    kept = taken(session.patch, session.kinds)
    do(session, [SetSnapshot("Start", kept)])
    session.do(SetParam("main", "level_db", -20.0), SetParam("box", "loud", 3.0), SetBypass("tone", True),
               SetMute("tone", True))  # fmt: skip
    session.enter("box")
    session.do(SetParam("cut", "freq_hz", 222.0))
    session.go(())
    assert taken(session.patch, session.kinds) != kept
    edits, missing = recall(session.patch, session.kinds, "Start")
    assert (len(edits), missing) == (5, 0)
    do(session, edits)
    assert taken(session.patch, session.kinds) == kept
    session.undo()
    assert current(session.patch, session.kinds)["box/cut", "freq_hz"] == 222
    assert current(session.patch, session.kinds)["tone", "bypass"] == 1


def test_recall_says_how_much_has_gone() -> None:
    session = rig()
    do(session, [SetSnapshot("Old", {"gone": {"level_db": 1.0}, "main": {"level_db": -3.0, "colour": 1.0}})])
    edits, missing = recall(session.patch, session.kinds, "Old")
    assert edits == [SetParam("main", "level_db", -3.0)]
    assert missing == 2


def test_a_selection_is_taken_alone_with_all_that_is_in_it() -> None:
    session = rig()
    assert set(taken(session.patch, session.kinds, ["box"])) == {"box", "box/cut", "box/trim"}
    assert set(taken(session.patch, session.kinds, ["main"])) == {"main"}


def test_a_morph_goes_in_proportion_and_ends_at_its_ends() -> None:
    session = rig()
    low = {"main": {"level_db": -20.0, "mute": 0.0}, "tone": {"freq_hz": 100.0}}
    high = {"main": {"level_db": 0.0, "mute": 1.0, "pan": 1.0}, "tone": {"freq_hz": 10000.0}}
    do(session, [SetSnapshot("A", low), SetSnapshot("B", high)])
    assert differing(session.patch, "A", "B") == 3
    for x, level, freq, mute in ((0.0, -20, 100, 0), (0.25, -15, 100 * sqrt(10), 0), (1.0, 0, 10000, 1)):
        do(session, morph(session.patch, session.kinds, "A", "B", x))
        now = current(session.patch, session.kinds)
        assert now["main", "level_db"] == pytest.approx(level)
        assert now["tone", "freq_hz"] == pytest.approx(freq)
        assert now["main", "mute"] == mute
        assert now["main", "pan"] == 0


def test_what_stands_already_is_no_edit() -> None:
    session = rig()
    rows = [(node, param, value) for (node, param), value in current(session.patch, session.kinds).items()]
    assert edits_to(session.patch, session.kinds, rows) == ([], 0)


def test_renaming_keeps_the_values_and_takes_no_name_that_is_taken() -> None:
    session = rig()
    do(session, [SetSnapshot("A", {"main": {"level_db": -1.0}}), SetSnapshot("B", {})])
    for wrong in ("B", "  "):
        with pytest.raises(PatchError):
            rename(session.patch, "A", wrong)
    assert rename(session.patch, "A", "A ") == []
    do(session, rename(session.patch, "A", " Verse "))
    assert session.patch.snapshots == {"Verse": {"main": {"level_db": -1.0}}, "B": {}}


def test_a_fresh_name_is_no_ones() -> None:
    assert fresh_name({}) == "Snapshot 1"
    assert fresh_name({"Snapshot 1": 0, "Snapshot 3": 0}) == "Snapshot 2"
