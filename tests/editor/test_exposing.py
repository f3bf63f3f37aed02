"""What a group shows of its inside, and the edits that change that."""

from __future__ import annotations

import pytest

from editor.canvas import grouping
from editor.canvas.insight import Insight, layouts_here
from editor.exposing import Group
from editor.model import Session
from graph.document import Patch
from graph.errors import PatchError
from graph.form import to_document
from graph.groups import expand


def rig() -> Session:
    inner = Patch()
    inner.add("eq", "eq")
    inner.add("comp", "compressor")
    inner.connect("eq.out", "comp.in")
    raw = {k: v for k, v in to_document(inner).items() if k in ("nodes", "cables")}
    settings = {"patch": raw, "ports": {"in": "eq.in", "out": "comp.out"}, "params": {"depth": "comp.threshold_db"}}
    patch = Patch()
    patch.add("src", "noise")
    patch.add("strip", "group", settings=settings)
    patch.add("lfo", "lfo")
    patch.add("out", "audio_out")
    patch.connect("src.out", "strip.in")
    patch.connect("strip.out", "out.in")
    patch.connect("lfo.out", "strip.depth", amount=0.5)
    patch.node("strip").params["depth"] = -30.0
    patch.automate("strip", "depth", [(0, -30.0, "linear"), (1, -20.0, "hold")])
    patch.snapshot("quiet", {"strip": {"depth": -40.0}, "lfo": {"rate_hz": 2.0}})
    return Session(patch)


def group(session: Session) -> Group:
    return Group(session, ("strip",))


def names(session: Session) -> list[str]:
    return [item.name for item in group(session).shown()]


def test_it_tells_what_is_shown_and_what_could_be():
    s = rig()
    assert [(i.what, i.name, i.flow) for i in group(s).shown()] == [
        ("ports", "in", "in"),
        ("ports", "out", "out"),
        ("params", "depth", ""),
    ]
    hidden = group(s).hidden()
    assert hidden[0].inside == "comp.sidechain", "what is free inside comes first"
    assert {"comp.ratio", "eq.b1_gain_db", "eq.out"} <= {i.inside for i in hidden}
    assert not {"eq.in", "comp.threshold_db"} & {i.inside for i in hidden}


def test_what_is_shown_more_can_be_used_and_taken_back():
    s = rig()
    before = s.patch.to_json()
    item = next(i for i in group(s).hidden() if i.inside == "comp.sidechain")
    assert group(s).show(item) == "sidechain"
    again = next(i for i in group(s).hidden() if i.inside == "eq.out")
    assert group(s).show(again) == "eq_out", "a name that is taken gets the node's before it"
    face = s.face("strip")
    assert [p.name for p in face.inputs] == ["in", "sidechain"]
    assert face.port("sidechain").type == "sidechain"
    s.undo()
    s.undo()
    assert s.patch.to_json() == before


def test_a_name_changes_and_cables_values_and_automation_stay():
    s = rig()
    before = expand(s.patch)
    item = group(s).shown()[2]
    group(s).rename(item, "How deep")
    assert names(s) == ["in", "out", "How_deep"]
    after = expand(s.patch)
    assert after.cables == before.cables
    assert after.automation == before.automation
    assert after.nodes == before.nodes
    assert s.patch.node("strip").params == {"How_deep": -30.0}
    assert s.patch.snapshots["quiet"] == {"strip": {"How_deep": -40.0}, "lfo": {"rate_hz": 2.0}}
    group(s).rename(group(s).shown()[0], "voice")
    assert "src.out -> strip.voice" in [c.place.removeprefix("cables.") for c in s.patch.cables()]


@pytest.mark.parametrize("name", ["", "a.b", "x" * 65, "out", "depth"])
def test_names_that_cannot_be_are_refused(name):
    s = rig()
    with pytest.raises(PatchError):
        group(s).rename(group(s).shown()[0], name)
    assert not s.history.done


def test_what_is_hidden_loses_its_cables_and_leaves_all_else_to_what_is_inside():
    s = rig()
    before, flat = s.patch.to_json(), expand(s.patch)
    group(s).hide(group(s).shown()[2])
    assert names(s) == ["in", "out"]
    assert s.patch.node("strip").params == {}
    assert [(line.node, line.param) for line in s.patch.automation] == [("strip/comp", "threshold_db")]
    assert s.patch.snapshots["quiet"] == {"strip/comp": {"threshold_db": -40.0}, "lfo": {"rate_hz": 2.0}}
    after = expand(s.patch)
    assert after.nodes == flat.nodes
    assert after.automation == flat.automation
    assert [c.target_port for c in s.patch.cables() if c.target == "strip"] == ["in"]
    s.undo()
    assert s.patch.to_json() == before


def test_it_works_from_inside_of_groups_in_groups():
    s = rig()
    outer = grouping.group(s, frozenset({"strip"}), {"strip": (0.0, 0.0)})
    assert s.patch.snapshots["quiet"][outer] == {"depth": -40.0}, "the outermost group that shows it"
    s.enter(outer)
    s.enter("strip")
    inner = Group(s, s.path)
    inner.show(next(i for i in inner.hidden() if i.inside == "comp.ratio"))
    assert s.path == (outer, "strip")
    s.go((outer,))
    assert s.face("strip").param("ratio") is not None
    inner = Group(s, (outer, "strip"))
    inner.rename(next(item for item in inner.shown() if item.name == "depth"), "how_deep")
    assert s.patch.node(outer).settings["params"] == {"depth": "strip.how_deep"}
    assert s.patch.snapshots["quiet"][outer] == {"depth": -40.0}
    flat = expand(s.patch)
    inner = Group(s, (outer, "strip"))
    inner.hide(next(item for item in inner.shown() if item.name == "how_deep"))
    assert s.patch.node(outer).settings["params"] == {"depth": "strip/comp.threshold_db"}
    assert expand(s.patch).cables == flat.cables
    assert expand(s.patch).automation == flat.automation
    Group(s, (outer,)).hide(Group(s, (outer,)).shown()[-1])
    assert s.patch.snapshots["quiet"][f"{outer}/strip/comp"] == {"threshold_db": -40.0}
    assert expand(s.patch).automation == flat.automation


@pytest.mark.parametrize("what", ["ports", "params"])
@pytest.mark.parametrize("found", [7, "abc", [1], {"a": 3}, {"a": ["x"]}, None])
def test_what_a_file_says_of_a_group_may_be_anything(what: str, found: object) -> None:
    patch = Patch("Hostile")
    inside = {"nodes": {"level": {"kind": "gain"}}, "cables": []}
    patch.add("box", "group")
    patch.node("box").settings = {"patch": inside, "ports": {}, "params": {}, what: found}
    session = Session(patch)
    assert layouts_here(session, Insight({"box/level.in": "stereo"})) == {"box/level.in": "stereo"}
    assert session.face("box").kind == "group"
    assert {item.inside for item in Group(session, ("box",)).hidden()} >= {"level.in", "level.out", "level.level_db"}
    edits, names = grouping.ungroup_edits(session, "box", (0.0, 0.0))
    session.do(*edits)
    assert list(names) == ["level"]
    assert list(session.here.nodes()) == ["level"]
