"""What a session keeps of what it has found: the same as if it were found anew after every edit."""

from __future__ import annotations

import random

import pytest

from editor.faces import face
from editor.model import NO_CHANGES, Changes, Session
from graph.document import Cable, NodeEntry, Patch
from graph.edits import AddNode, Connect, Disconnect, Edit, Move, RemoveNode, Retitle, SetMute, SetParam
from graph.errors import PatchError
from nodes import kinds


def mix() -> Session:
    patch = Patch("Mix")
    for id, kind in (("tone", "oscillator"), ("eq", "eq"), ("bus", "bus"), ("out", "audio_out"), ("odd", "not_known")):
        patch.add(id, kind)
    for cable in ("tone.out eq.in", "eq.out bus.in", "bus.out odd.in", "odd.out out.in"):
        patch.connect(*cable.split())
    return Session(patch, kinds())


def check(session: Session) -> None:
    """Everything kept is what is found anew."""
    here = session.here
    assert list(session.survey.cables) == here.cables()
    for id in here.nodes():
        assert session.face(id) == face(id, here.node(id), session.kinds, here.cables())
        touching = [c for c in here.cables() if id in (c.source, c.target)]
        assert list(session.survey.cables_of(id)) == touching


def test_a_face_stays_the_same_object_until_its_node_changes() -> None:
    session = mix()
    before = {id: session.face(id) for id in session.here.nodes()}
    session.do(SetParam("bus", "level_db", -6.0))
    assert session.face("bus") is not before["bus"]
    assert session.face("bus").values["level_db"] == -6.0
    assert all(session.face(id) is before[id] for id in before if id != "bus")


def test_a_node_of_an_unknown_kind_has_the_ports_that_its_cables_use() -> None:
    session = mix()
    assert [p.name for p in session.face("odd").inputs] == ["in"]
    session.do(Connect(Cable("eq", "out", "odd", "side")))
    assert [p.name for p in session.face("odd").inputs] == ["in", "side"]
    session.undo()
    assert [p.name for p in session.face("odd").inputs] == ["in"]


def test_a_node_that_is_gone_has_no_face() -> None:
    session = mix()
    session.face("eq")
    session.do(RemoveNode("eq"))
    with pytest.raises(PatchError):
        session.face("eq")
    session.undo()
    assert session.face("eq").kind == "eq"


def test_another_patch_with_the_same_names_is_another_patch() -> None:
    session = mix()
    session.face("eq")
    patch = Patch("Other")
    patch.add("eq", "gain")
    session.open(patch)
    assert session.face("eq").kind == "gain"
    assert session.survey.cables == ()


def test_inside_a_group_the_groups_own_nodes_are_found() -> None:
    inner = {"nodes": {"eq": {"kind": "gain"}, "two": {"kind": "eq"}}, "cables": [{"from": "eq.out", "to": "two.in"}]}
    patch = Patch("Outer")
    patch.add("eq", "eq")
    patch.put("box", NodeEntry("group", settings={"patch": inner, "ports": {}, "params": {}}))
    session = Session(patch, kinds())
    assert session.face("eq").kind == "eq"
    session.enter("box")
    assert session.face("eq").kind == "gain"
    session.do(SetParam("eq", "level_db", -3.0))
    check(session)
    assert session.face("eq").values["level_db"] == -3.0
    session.go(())
    assert session.face("eq").kind == "eq"
    check(session)


@pytest.mark.parametrize("seed", range(8))
def test_after_any_edits_what_is_kept_and_what_is_told_is_so(seed: int) -> None:
    """Random edits, undone and done again: faces and cables are as if found anew, and ``changes`` names every node
    that differs from the last time.
    """
    session, rng = mix(), random.Random(seed)
    session.changes()
    known = {id: entry.copy() for id, entry in session.here.nodes().items()}
    for step in range(60):
        for _ in range(rng.randint(1, 3)):
            _edit(session, rng, step)
        check(session)
        changes, now = session.changes(), session.here.nodes()
        assert changes.added == now.keys() - known.keys()
        assert changes.removed == known.keys() - now.keys()
        both = now.keys() & known.keys()
        assert changes.moved == {id for id in both if now[id].position != known[id].position}
        assert {id for id, _ in changes.params} == {id for id in both if now[id].params != known[id].params}
        altered = {id for id in both if (now[id].title, now[id].mute) != (known[id].title, known[id].mute)}
        assert changes.nodes == altered
        known = {id: entry.copy() for id, entry in now.items()}
        assert session.changes() == NO_CHANGES


def _edit(session: Session, rng: random.Random, step: int) -> None:
    here = session.here
    nodes = sorted(here.nodes())
    id = rng.choice(nodes)
    edits: list[Edit] = [
        Move(id, (rng.uniform(0, 99), rng.uniform(0, 99))),
        Retitle(id, rng.choice(("", "A", "B"))),
        SetMute(id, rng.random() < 0.5),
        AddNode(session.fresh_id("gain"), NodeEntry("gain")),
    ]
    if "level_db" in session.face(id).values:
        edits += [SetParam(id, "level_db", round(rng.uniform(-20, 0), 2))] * 3
    if len(nodes) > 3:
        edits.append(RemoveNode(id))
    if here.cables():
        edits.append(Disconnect(*rng.choice(here.cables()).key))
    choice = rng.randrange(len(edits) + 2)
    if choice < len(edits):
        session.do(edits[choice], gesture=("turn", step))
    else:
        session.undo() if choice == len(edits) else session.redo()


def test_changes_add_up() -> None:
    first = Changes(added=frozenset({"a"}), params=frozenset({("b", "x")}), history=True)
    then = Changes(removed=frozenset({"a"}), params=frozenset({("b", "y")}), selection=True)
    both = first | then
    assert both == Changes(  # what came and went again is not told of
        params=frozenset({("b", "x"), ("b", "y")}),
        history=True,
        selection=True,
    )
    assert first | NO_CHANGES == NO_CHANGES | first == first
