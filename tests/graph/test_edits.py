"""Edits: each is undone to exactly the document there was; a refused one changes nothing; gestures are one entry."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from graph.document import Automation, Cable, NodeEntry, Patch, Transport
from graph.edits import (
    UNSET,
    AddNode,
    Batch,
    Connect,
    Disconnect,
    Edit,
    History,
    Inside,
    Move,
    RemoveNode,
    RenameNode,
    ReplaceAutomation,
    ReplacePatch,
    Retitle,
    SetAutomation,
    SetBypass,
    SetCable,
    SetMute,
    SetParam,
    SetPatchField,
    SetSetting,
    SetSnapshot,
    SetState,
    SetTint,
)
from graph.errors import PatchError
from graph.patchfile import load, to_document

GOLDEN = Path(__file__).resolve().parents[2] / "patches" / "golden" / "v1.json"
LINE = Automation("main", "level_db", ((0, -6, "linear"), (1, 0, "hold")))

EDITS: list[Edit] = [
    AddNode("new", NodeEntry("gain", params={"level_db": -3})),
    RemoveNode("duck"),
    RemoveNode("tone"),
    RemoveNode("main"),
    RenameNode("duck", "ducker"),
    RenameNode("tone", "sound"),
    RenameNode("echo", "e"),
    SetParam("duck", "ratio", 8),
    SetParam("duck", "attack_ms", 8),
    SetParam("duck", "ratio", None),
    SetParam("out", "level_db", None),
    SetSetting("duck", "detector", "rms"),
    SetSetting("out", "layout", "5.1"),
    SetSetting("duck", "detector", UNSET),
    SetSetting("duck", "detector", None),
    SetBypass("duck", False),
    SetMute("duck", True),
    Move("music", (1, 2.5)),
    Move("music", None),
    Retitle("music", ""),
    SetTint("music", "teal"),
    SetState("plug", None),
    SetState("out", b"\x00"),
    Inside("tone", SetParam("eq", "b1_gain_db", -1)),
    Inside("tone", RemoveNode("eq")),
    Inside("tone", Inside("deeper", AddNode("h", NodeEntry("gain")))),
    Connect.between("voice.out", "echo.in"),
    Connect.between("lfo1.out", "main.level_db", amount=-2),
    Disconnect.between("music.out", "duck.in"),
    SetCable(Cable("lfo1", "out", "echo", "time_ms", amount=-1)),
    SetCable(Cable("voice", "out", "main", "in", feedback=True)),
    SetAutomation("main", "level_db", LINE),
    SetAutomation("main", "level_db", None),
    SetAutomation("echo", "mix", Automation("echo", "mix", ())),
    ReplaceAutomation((LINE,)),
    SetSnapshot("quiet", None),
    SetSnapshot("quiet", {"out": {"level_db": 1}}),
    SetSnapshot("third", {}),
    SetPatchField("name", ""),
    SetPatchField("tags", ("a", "b")),
    SetPatchField("sample_rate", None),
    SetPatchField("transport", Transport(60)),
    SetPatchField("metadata", {"a": [1]}),
    ReplacePatch(Patch("another")),
    Batch("Two things", (SetParam("duck", "ratio", 2), RemoveNode("duck"))),
]


@pytest.mark.parametrize("edit", EDITS, ids=[f"{i} {edit.name}" for i, edit in enumerate(EDITS)])
def test_an_edit_does_something_and_is_undone_and_done_again_exactly(edit: Edit) -> None:
    patch = load(GOLDEN)
    before = to_document(patch)
    kept = copy.deepcopy(before)
    back = edit.apply(patch)
    after = to_document(patch)
    assert after != before or edit == SetParam("out", "level_db", None)
    again = back.apply(patch)
    assert to_document(patch) == before == kept
    back = again.apply(patch)
    assert to_document(patch) == after
    back.apply(patch)
    assert to_document(patch) == before
    assert edit.name


REFUSED: list[Edit] = [
    AddNode("duck", NodeEntry("gain")),
    AddNode("a b", NodeEntry("gain")),
    AddNode("new", NodeEntry("gain"), ((99, Cable("new", "out", "nowhere", "in")),)),
    AddNode("new", NodeEntry("gain"), ((99, Cable("new", "out", "out", "in")), (99, Cable("new", "out", "out", "in")))),
    RemoveNode("nowhere"),
    RenameNode("duck", "main"),
    RenameNode("duck", "a b"),
    RenameNode("nowhere", "x"),
    SetParam("nowhere", "x", 1),
    SetParam("duck", "ratio", math.nan),
    SetParam("duck", "", 1),
    SetSetting("duck", "x", object()),
    SetSetting("duck", "x", {1: 2}),
    SetBypass("duck", 1),  # type: ignore[arg-type]
    SetMute("nowhere", True),
    Move("duck", (math.inf, 0)),
    Retitle("duck", "\ud800"),
    SetTint("duck", "\ud800"),
    SetState("duck", "text"),  # type: ignore[arg-type]
    Inside("duck", SetParam("x", "y", 1)),
    Inside("tone", SetParam("nowhere", "y", 1)),
    Connect.between("music.out", "duck.in"),
    Connect.between("nowhere.out", "duck.in"),
    Connect(Cable("lfo1", "out", "duck", "mix", amount=math.nan)),
    Disconnect.between("duck.out", "music.in"),
    SetCable(Cable("duck", "out", "music", "in")),
    SetAutomation("duck", "ratio", LINE),
    SetAutomation("main", "level_db", Automation("main", "level_db", ((0, math.nan, "hold"),))),
    SetSnapshot("x", {"a b": {}}),
    SetSnapshot("x", {"duck": {"ratio": "4"}}),  # type: ignore[dict-item]
    SetPatchField("graph", {}),
    SetPatchField("name", 5),
    SetPatchField("tags", "post"),
    SetPatchField("tags", [1]),
    SetPatchField("sample_rate", 1.5),
    SetPatchField("transport", {}),
    SetPatchField("metadata", []),
    Batch("Half", (SetParam("duck", "ratio", 2), RemoveNode("main"), RemoveNode("main"))),
]


@pytest.mark.parametrize("edit", REFUSED, ids=[f"{i} {edit.name}" for i, edit in enumerate(REFUSED)])
def test_an_edit_that_cannot_be_done_changes_nothing(edit: Edit) -> None:
    patch = load(GOLDEN)
    before = to_document(patch)
    history = History(patch)
    with pytest.raises(PatchError) as caught:
        history.do(edit)
    assert caught.value.message
    assert to_document(patch) == before
    assert history.done == []
    assert not history.dirty


def test_connecting_between_nonsense_is_refused() -> None:
    for source, target in (("a", "b.in"), ("a.out", ""), ("a.out", "b/c.in")):
        with pytest.raises(PatchError, match="expected a port"):
            Connect.between(source, target)


def test_a_node_comes_back_to_where_automation_spoke_of_it_already() -> None:
    patch = Patch()
    patch.automate("ghost", "level_db", [(0, 1)])
    patch.snapshot("s", {"ghost/in": {"x": 1}})
    before = to_document(patch)
    history = History(patch)
    history.do(AddNode("ghost", NodeEntry("gain")))
    history.do(RemoveNode("ghost"))
    assert patch.automation == []
    history.undo()
    history.undo()
    assert to_document(patch) == before
    patch.add("real", "gain")
    with pytest.raises(PatchError, match="automation or a snapshot of this id is there already"):
        RenameNode("real", "ghost").apply(patch)


def test_renaming_takes_everything_along() -> None:
    patch = Patch()
    patch.add("a", "group")
    patch.add("ab", "gain")
    patch.connect("a.out", "a.in", feedback=True)
    patch.connect("a.out", "ab.in")
    patch.connect("ab.out", "a.in")
    patch.automate("a/x/y", "p", [])
    patch.automate("ab", "p", [])
    patch.snapshot("s", {"a": {"p": 1}, "a/x": {"p": 2}, "ab": {"p": 3}})
    patch.snapshot_states["s"] = {"a/x": b"1", "ab": b"2"}
    RenameNode("a", "z").apply(patch)
    assert [c.place for c in patch.cables()] == [
        "cables.z.out -> z.in",
        "cables.z.out -> ab.in",
        "cables.ab.out -> z.in",
    ]
    assert [line.node for line in patch.automation] == ["z/x/y", "ab"]
    assert patch.snapshots == {"s": {"z": {"p": 1}, "z/x": {"p": 2}, "ab": {"p": 3}}}
    assert patch.snapshot_states == {"s": {"z/x": b"1", "ab": b"2"}}


def test_a_patch_that_is_replaced_stays_in_its_folder() -> None:
    patch = load(GOLDEN)
    ReplacePatch(Patch("another")).apply(patch)
    assert patch == Patch("another")
    assert patch.folder == GOLDEN.parent


def test_edits_share_nothing_with_the_patch() -> None:
    patch = Patch()
    entry, values, states = NodeEntry("gain", {"m": {"a": 1}}), {"n": {"p": 1.0}}, {"n": b"x"}
    AddNode("n", entry).apply(patch)
    SetSnapshot("s", values, states).apply(patch)
    states["n"] = b"y"
    patch.node("n").settings["m"]["a"] = 2
    values["n"]["p"] = 2.0
    assert entry.settings == {"m": {"a": 1}}
    assert patch.snapshots == {"s": {"n": {"p": 1.0}}}
    assert patch.snapshot_states == {"s": {"n": b"x"}}
    SetSnapshot("s", None).apply(patch)
    assert (patch.snapshots, patch.snapshot_states) == ({}, {})


def test_a_state_in_a_snapshot_is_bytes() -> None:
    patch = Patch()
    with pytest.raises(PatchError, match=r"snapshot_states\.s\.n: expected bytes, found the text 'x'"):
        SetSnapshot("s", {}, {"n": "x"}).apply(patch)  # pyright: ignore[reportArgumentType]
    assert patch == Patch()


# -- any sequence ------------------------------------------------------------------------------------------------------

ids = st.sampled_from(["a", "b", "c", "d", "g"])
ports = st.sampled_from(["in", "out", "level_db"])
params = st.sampled_from(["level_db", "mute"])
values = st.sampled_from([None, 0, 1, -0.0, 2.5, True])
points = st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9), st.sampled_from(["linear", "hold"])), max_size=3)
positions = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9))
nodes = st.sampled_from(["a", "b", "c", "d", "g", "g/x", "g/y/z"])
INNER: dict[str, Any] = {
    "nodes": {"x": {"kind": "gain"}, "y": {"kind": "gain"}},
    "cables": [{"from": "x.out", "to": "y.in"}],
}
entries = st.builds(
    NodeEntry,
    kind=st.sampled_from(["gain", "bus", "group"]),
    settings=st.sampled_from([{}, {"layout": "mono"}, {"patch": INNER}]),
    params=st.dictionaries(params, st.integers(0, 3), max_size=2),
    bypass=st.booleans(),
    title=st.sampled_from(["", "T"]),
    tint=st.sampled_from(["", "red"]),
)
cables = st.builds(
    Cable, ids, st.sampled_from(["out", "pre"]), ids, ports, feedback=st.booleans(), amount=st.none() | st.just(0.5)
)
lines = st.builds(Automation, nodes, params, points.map(tuple), enabled=st.booleans())
snapshots = st.dictionaries(nodes, st.dictionaries(params, st.integers(0, 3), max_size=2), max_size=3)
states = st.dictionaries(nodes, st.sampled_from([b"", b"x"]), max_size=2)
inner = st.one_of(
    st.builds(SetParam, st.sampled_from(["x", "y"]), params, values),
    st.builds(RemoveNode, st.sampled_from(["x", "y"])),
    st.builds(AddNode, st.sampled_from(["x", "z"]), entries),
    st.builds(RenameNode, st.just("x"), st.sampled_from(["y", "w"])),
)
single = st.one_of(
    st.builds(AddNode, ids, entries),
    st.builds(RemoveNode, ids),
    st.builds(RenameNode, ids, ids),
    st.builds(SetParam, ids, params, values),
    st.builds(
        SetSetting,
        ids,
        st.sampled_from(["layout", "patch"]),
        st.sampled_from([UNSET, None, "mono", [1, {"a": b"x"}], INNER]),
    ),
    st.builds(SetBypass, ids, st.booleans()),
    st.builds(SetMute, ids, st.booleans()),
    st.builds(Move, ids, positions),
    st.builds(Retitle, ids, st.sampled_from(["", "x"])),
    st.builds(SetTint, ids, st.sampled_from(["", "red"])),
    st.builds(SetState, ids, st.sampled_from([None, b"", b"x"])),
    st.builds(Inside, st.sampled_from(["g", "a"]), inner),
    st.builds(Connect, cables),
    st.builds(lambda cable: Disconnect(*cable.key), cables),
    st.builds(SetCable, cables),
    lines.map(lambda line: SetAutomation(line.node, line.param, line)),
    st.builds(SetAutomation, nodes, params, st.none()),
    st.builds(ReplaceAutomation, st.lists(lines, max_size=3).map(tuple)),
    st.builds(SetSnapshot, st.sampled_from(["s", "t"]), st.none() | snapshots, st.none() | states),
    st.builds(SetPatchField, st.sampled_from(["name", "author"]), st.sampled_from(["", "x"])),
    st.builds(SetPatchField, st.just("transport"), st.builds(Transport, st.integers(60, 62))),
)
edits = single | st.lists(single, min_size=1, max_size=4).map(lambda several: Batch("Several", tuple(several)))


class Editing(RuleBasedStateMachine):
    """Anything done in any order; every state passed through is kept, and met again on the way back and forth."""

    @initialize(start=st.sampled_from(["empty", "golden"]))
    def begin(self, start: str) -> None:
        self.patch = load(GOLDEN) if start == "golden" else Patch()
        for id in ("a", "b", "g"):
            self.patch.add(id, "gain" if id != "g" else "group", settings={"patch": INNER} if id == "g" else None)
        self.history = History(self.patch)
        self.states = [to_document(self.patch)]
        self.gestures: list[object] = [None]
        self.at = 0

    @rule(edit=edits, gesture=st.none() | st.sampled_from(["one", "two"]))
    def do(self, edit: Edit, gesture: str | None) -> None:
        try:
            self.history.do(edit, gesture=gesture)
        except PatchError:
            return
        del self.states[self.at + 1 :], self.gestures[self.at + 1 :]
        if gesture is not None and gesture == self.gestures[-1]:
            self.states.pop()
            self.gestures.pop()
        self.states.append(to_document(self.patch))
        self.gestures.append(gesture)
        self.at = len(self.states) - 1

    @rule()
    def replace(self) -> None:
        other = self.patch.copy()
        other.tags.append("replaced")
        self.do(ReplacePatch(other), None)

    @rule()
    def undo(self) -> None:
        assert (self.history.undo() is not None) == (self.at > 0)
        if self.at > 0:
            self.at -= 1
            self.gestures[self.at] = None

    @rule()
    def redo(self) -> None:
        assert (self.history.redo() is not None) == (self.at < len(self.states) - 1)
        if self.at < len(self.states) - 1:
            self.at += 1
            self.gestures[self.at] = None

    @invariant()
    def the_document_is_the_one_that_was_here(self) -> None:
        assert to_document(self.patch) == self.states[self.at]

    def teardown(self) -> None:
        if not hasattr(self, "states"):
            return
        while self.history.undo():
            self.at -= 1
            assert to_document(self.patch) == self.states[self.at]
        assert self.at == 0
        while self.history.redo():
            self.at += 1
            assert to_document(self.patch) == self.states[self.at]
        assert self.at == len(self.states) - 1


Editing.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEditing = Editing.TestCase
