"""Snapshots of a patch with plugins: states are kept and come back, unless a node leaves its own out."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.model import Session
from editor.snapshots.values import recall, rename, taken, taken_states
from graph.document import Patch
from graph.edits import SetParam, SetSetting, SetSnapshot, SetState
from tests.editor.plugins.rig import CRUSH, filled, session_with


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return session_with(filled(tmp_path), ("fx", CRUSH), ("other", CRUSH))


def keep(session: Session, name: str) -> None:
    patch = session.patch
    session.do(SetSnapshot(name, taken(patch, session.kinds), taken_states(patch)))


def go_to(session: Session, name: str) -> None:
    edits, missing = recall(session.patch, session.kinds, name)
    assert missing == 0
    if edits:
        session.do(*edits, name="Recall")


def test_a_snapshot_has_the_states_of_plugins_and_brings_them_back(session: Session) -> None:
    session.do(SetState("fx", b"soft"), SetParam("fx", "drive", 0.25))
    keep(session, "soft")
    session.do(SetState("fx", b"loud"), SetParam("fx", "drive", 0.75), SetParam("fx", "dry_wet", 0.5))
    session.do(SetState("other", b"later"))
    go_to(session, "soft")
    fx = session.patch.node("fx")
    assert fx.state == b"soft"
    assert fx.params == {"drive": 0.25}, "what the snapshot does not hold stands where its state has it"
    assert session.patch.node("other").state == b"later", "it had none when the snapshot was taken"
    session.undo()
    assert (fx.state, fx.params) == (b"loud", {"drive": 0.75, "dry_wet": 0.5})


def test_a_param_that_the_patch_does_not_say_is_not_in_a_snapshot(session: Session) -> None:
    session.do(SetParam("fx", "drive", 0.5))
    found = taken(session.patch, session.kinds)
    assert found["fx"] == {"drive": 0.5, "bypass": 0.0, "mute": 0.0}
    session.do(SetSnapshot("a", found, taken_states(session.patch)))
    session.do(SetParam("fx", "drive", None))
    go_to(session, "a")
    assert session.patch.node("fx").params == {"drive": 0.5}, "also where it stands at its default meanwhile"


def test_a_node_may_leave_its_state_out(session: Session) -> None:
    session.do(SetState("fx", b"one"), SetState("other", b"two"))
    session.do(SetSetting("fx", "state_in_snapshots", False))
    keep(session, "a")
    assert session.patch.snapshot_states["a"] == {"other": b"two"}
    session.do(SetState("fx", b"kept"), SetState("other", b"gone"))
    go_to(session, "a")
    assert session.patch.node("fx").state == b"kept"
    assert session.patch.node("other").state == b"two"


def test_states_follow_a_snapshot_to_its_new_name_and_into_the_file(session: Session) -> None:
    session.do(SetState("fx", b"\x00\xff"))
    keep(session, "a")
    session.do(*rename(session.patch, "a", "b"))
    assert session.patch.snapshot_states == {"b": {"fx": b"\x00\xff"}}
    assert Patch.from_json(session.patch.to_json()).snapshot_states == {"b": {"fx": b"\x00\xff"}}
