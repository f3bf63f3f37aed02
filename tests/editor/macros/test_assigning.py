"""Macros: what is one, what it moves, and how it is assigned."""

from __future__ import annotations

import pytest

from editor.macros.assigning import FIRST_AMOUNT, Assigning, is_macro, macro_kinds, macros_of, release_edits, targets_of
from editor.model import Session
from graph.document import Patch
from graph.errors import PatchError


def session() -> Session:
    patch = Patch()
    patch.add("gain", "gain")
    patch.add("room", "reverb")
    patch.add("knob", "macro")
    patch.add("wobble", "lfo")
    patch.add("limiter", "limiter")
    return Session(patch)


def param(s: Session, node: str, name: str):
    found = s.face(node).param(name)
    assert found is not None
    return found


def amounts(s: Session) -> dict[str, float]:
    return {f"{c.target}.{p.name}": c.amount for c, p in targets_of(s, "knob")}


def test_a_macro_is_one_knob_with_one_control_output_and_nothing_goes_in():
    s = session()
    assert macros_of(s) == ["knob"]
    assert not is_macro(s.face("wobble"))
    assert not is_macro(s.face("gain"))
    assert macro_kinds(s)[0] == "macro"


def test_a_press_assigns_a_drag_says_how_far_and_both_are_one_step():
    s = session()
    macro = Assigning(s, "knob")
    macro.press("room", param(s, "room", "mix"))
    assert amounts(s) == {"room.mix": FIRST_AMOUNT}
    for _ in range(5):
        macro.drag(0.05)
    macro.release()
    assert amounts(s) == pytest.approx({"room.mix": FIRST_AMOUNT + 0.25})
    assert len(s.history.done) == 1
    s.undo()
    assert amounts(s) == {}


def test_what_is_assigned_already_goes_on_from_where_it_stood():
    s = session()
    macro = Assigning(s, "knob")
    macro.press("room", param(s, "room", "mix"))
    macro.drag(-0.45)
    macro.release()
    macro.press("room", param(s, "room", "mix"))
    macro.drag(-0.1, fine=True)
    macro.release()
    assert amounts(s) == pytest.approx({"room.mix": -0.21})
    macro.press("room", param(s, "room", "mix"))
    macro.drag(-5)
    assert amounts(s) == {"room.mix": -1.0}


def test_what_cannot_be_modulated_is_refused_and_nothing_changes():
    s = session()
    macro = Assigning(s, "knob")
    with pytest.raises(PatchError, match="itself"):
        macro.press("knob", param(s, "knob", "value"))
    with pytest.raises(PatchError, match="Lookahead of Limiter cannot be modulated"):
        macro.press("limiter", param(s, "limiter", "lookahead_ms"))
    macro.drag(0.5)
    assert not s.history.done


def test_it_is_freed_by_one_edit_and_other_macros_stay():
    s = session()
    macro = Assigning(s, "knob")
    for node, name in (("room", "mix"), ("gain", "level_db")):
        macro.press(node, param(s, node, name))
        macro.release()
    s.do(*release_edits(s, "knob", "room", "mix"))
    assert list(amounts(s)) == ["gain.level_db"]
    assert not release_edits(s, "knob", "room", "mix")


def test_a_macro_that_is_gone_is_assigned_no_more():
    from graph.edits import RemoveNode

    s = session()
    macro = Assigning(s, "knob")
    assert macro.valid
    s.do(RemoveNode("knob"))
    assert not macro.valid
