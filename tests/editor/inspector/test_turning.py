"""Turning params: places and values, gestures as one step, resets, several nodes at once, what else moves a param."""

from __future__ import annotations

import pytest

from editor.faces import from_unit, to_unit
from editor.inspector.several import shared
from editor.inspector.subject import automated, moved, spectrum_near, subject
from editor.model import Session
from editor.turning import Turning
from graph.document import Patch
from nodes import kinds


def session() -> Session:
    patch = Patch("Turned")
    patch.add("a", "gain", level_db=-12)
    patch.add("b", "gain")
    patch.add("bus", "bus")
    patch.add("flt", "filter", freq_hz=500)
    patch.add("lfo", "lfo")
    return Session(patch)


def param(session: Session, node: str, name: str):
    found = subject(session, node).face.param(name)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_param_goes_from_its_place_and_back(kind: str) -> None:
    declared = kinds()[kind]
    settings = {s.name: s.default for s in declared.settings_declared()}
    for each in declared.params(settings):
        for value in (each.low, each.default, each.high):
            assert from_unit(each, to_unit(each, value)) == pytest.approx(value, rel=1e-9, abs=1e-9), each.name
        assert to_unit(each, each.low) == 0.0
        if each.high > each.low:
            assert to_unit(each, each.high) == pytest.approx(1.0)


def test_a_drag_is_one_step_and_a_fine_one_goes_a_tenth_as_far() -> None:
    s = session()
    turning = Turning(s, ("flt",), param(s, "flt", "freq_hz"))
    start = turning.place
    turning.begin()
    for _ in range(10):
        turning.by(0.01)
    assert turning.place == pytest.approx(start + 0.1)
    turning.by(0.1, fine=True)
    assert turning.place == pytest.approx(start + 0.11)
    turning.end()
    assert len(s.history.done) == 1
    turning.begin()
    turning.by(-5.0)
    assert turning.value == 10.0, "no further than its range"
    turning.end()
    assert len(s.history.done) == 2
    s.undo()
    s.undo()
    assert s.here.node("flt").params == {"freq_hz": 500.0}


def test_a_step_says_what_it_did_to_what() -> None:
    s = session()
    Turning(s, ("a",), param(s, "a", "level_db")).put(-3.0)
    Turning(s, ("a", "b"), param(s, "a", "level_db")).put(-6.0)
    Turning(s, ("a",), param(s, "a", "level_db")).reset()
    assert s.history.done == ["Set Level of A", "Set Level of 2 nodes", "Reset Level of A"]


def test_typing_takes_units_and_refuses_what_is_out_of_range() -> None:
    s = session()
    turning = Turning(s, ("flt",), param(s, "flt", "freq_hz"))
    turning.type("2.6k")
    assert turning.value == 2600.0
    turning.type("880 Hz")
    assert turning.value == 880.0
    for text in ("", "loud", "5 Hz", "1e9", "nan", "inf"):
        with pytest.raises(ValueError, match="expected"):
            turning.type(text)
    assert turning.value == 880.0


def test_a_reset_stores_nothing_and_is_undone() -> None:
    s = session()
    turning = Turning(s, ("a", "b"), param(s, "a", "level_db"))
    assert not turning.agree
    turning.reset()
    assert turning.values() == [0.0, 0.0]
    assert "level_db" not in s.here.node("a").params
    s.undo()
    assert turning.values() == [-12.0, 0.0]


def test_several_nodes_are_turned_by_the_same_way_and_typed_to_the_same_value() -> None:
    s = session()
    turning = Turning(s, ("a", "b"), param(s, "a", "level_db"))
    turning.begin()
    turning.by(0.05)
    turning.end()
    assert turning.values() == pytest.approx([-6.0, 6.0])
    turning.type("-3")
    assert turning.values() == [-3.0, -3.0]
    assert len(s.history.done) == 2


def test_params_that_several_nodes_share() -> None:
    s = session()
    assert {p.name for p in shared(s, ("a", "b"))} == {"level_db", "mute", "invert"}
    assert {p.name for p in shared(s, ("a", "bus"))} == {"level_db", "mute"}
    assert shared(s, ("a", "lfo")) == []


def test_a_switch_is_flipped() -> None:
    s = session()
    turning = Turning(s, ("a",), param(s, "a", "mute"))
    turning.flip()
    assert turning.value == 1.0
    turning.flip()
    assert turning.value == 0.0


def test_what_else_moves_a_param_is_known() -> None:
    s = session()
    s.patch.connect("lfo.out", "flt.freq_hz", amount=0.25)
    s.patch.automate("flt", "q", [(0.0, 1.0, "linear"), (1.0, 2.0, "hold")])
    found = moved(s, "flt")
    assert found["freq_hz"].amounts == (0.25,)
    assert not found["freq_hz"].automated
    assert found["q"].automated
    assert found["q"].amounts == ()
    assert set(found) == {"freq_hz", "q"}


def test_automation_from_outside_a_group_is_known_inside() -> None:
    inner = Patch()
    inner.add("level", "gain")
    document = {"nodes": {"level": {"kind": "gain"}}, "cables": []}
    patch = Patch("Outer")
    patch.add("group", "group", settings={"patch": document, "ports": {}, "params": {}})
    patch.automate("group/level", "level_db", [(0.0, -6.0, "linear"), (1.0, 0.0, "hold")])
    s = Session(patch)
    s.enter("group")
    assert automated(s, "level") == {"level_db"}
    assert automated(s, "other") == set()


def test_the_spectrum_that_is_near_is_after_a_node_rather_than_before_it() -> None:
    patch = Patch("Near")
    for id in ("before", "after"):
        patch.add(id, "spectrum")
    for id, kind in (("eq", "eq"), ("gain", "gain"), ("far", "eq"), ("duck", "compressor")):
        patch.add(id, kind)
    for a, b in (
        ("before.out", "eq.in"),
        ("eq.out", "gain.in"),
        ("gain.out", "after.in"),
        ("eq.out", "duck.sidechain"),
    ):
        patch.connect(a, b)
    s = Session(patch)

    def near(id: str) -> str | None:
        found = spectrum_near(s, id)
        return found[0] if found else None

    assert near("eq") == "after"
    assert near("after") == "after"
    assert near("far") is None
    assert near("duck") is None, "a sidechain is not heard"
