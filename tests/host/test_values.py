"""Setting params by address, snapshots, and what lies between two of them."""

from __future__ import annotations

import math

import pytest

from graph import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.patchfile import packed
from host.values import morphed, set_states, set_values, snapshot_states, snapshot_values, states_to_keep, take_up
from nodes import kinds


@pytest.fixture
def patch() -> Patch:
    inner = {"nodes": {"eq": {"kind": "filter", "params": {"q": 1}}}, "cables": []}
    patch = Patch()
    patch.add("level", "gain", level_db=-6)
    patch.add("flt", "filter")
    patch.add("wire", "sample_delay")
    patch.add("rack", "group", settings={"patch": inner, "ports": {"in": "eq.in", "out": "eq.out"}})
    patch.snapshot("a", {"level": {"level_db": -40, "mute": 0}, "flt": {"freq_hz": 100}, "wire": {"frames": 1}})
    patch.snapshot("b", {"level": {"level_db": 0, "mute": 1}, "flt": {"freq_hz": 400, "q": 2}, "wire": {"frames": 4}})
    return patch


def test_values_reach_nodes_in_groups_and_bypass_and_mute(patch):
    set_values(
        patch,
        [
            ("level", "level_db", -3.0),
            ("level", "mute", 1.0),
            ("rack/eq", "q", 3.0),
            ("rack/eq", "bypass", 1.0),
            ("flt", "mute", 1.0),
        ],
        kinds(),
    )
    assert patch.node("level").params == {"level_db": -3.0, "mute": 1.0}
    assert not patch.node("level").mute
    assert patch.node("flt").mute
    inner = patch.node("rack").settings["patch"]["nodes"]["eq"]
    assert inner["params"]["q"] == 3.0
    assert inner["bypass"] is True


@pytest.mark.parametrize("address", [("rack/eq", "q"), ("rack", "narrow"), ("outer/rack", "narrow"), ("outer", "q")])
def test_what_is_set_is_heard_whatever_groups_around_it_give(patch, address):
    rack = patch.node("rack")
    rack.settings["params"], rack.params = {"narrow": "eq.q"}, {"narrow": 5.0}
    top = patch
    if address[0].startswith("outer"):
        top = Patch()
        inner = {
            "nodes": {"rack": {"kind": "group", "settings": rack.settings, "params": {"narrow": 5.0}}},
            "cables": [],
        }
        settings = {"patch": inner, "ports": {"in": "rack.in"}, "params": {"q": "rack.narrow"}}
        top.add("outer", "group", settings=settings, q=7.0)
    set_values(top, [(*address, 3.0)], kinds())
    found = expand(top).nodes
    assert found["outer/rack/eq" if top is not patch else "rack/eq"].params["q"] == 3.0


@pytest.mark.parametrize(
    ("row", "words"),
    [(("nobody", "q", 1.0), "nobody"), (("rack/x", "q", 1.0), "rack/x"), (("flt", "mute", 0.5), "0 or 1")],
)
def test_what_cannot_be_set_is_refused(patch, row, words):
    with pytest.raises(PatchError, match=words):
        set_values(patch, [row], kinds())


def test_a_snapshot_is_its_values(patch):
    assert ("flt", "q", 2.0) in snapshot_values(patch, "b")
    with pytest.raises(PatchError, match="there are a, b"):
        snapshot_values(patch, "c")


def test_between_two_snapshots(patch):
    def at(x: float) -> dict[tuple[str, str], float]:
        return {(node, param): value for node, param, value in morphed(patch, kinds(), "a", "b", x)}

    assert at(0.0) == {
        ("level", "level_db"): -40,
        ("level", "mute"): 0,
        ("flt", "freq_hz"): 100,
        ("wire", "frames"): 1,
    }
    assert at(1.0) == {("level", "level_db"): 0, ("level", "mute"): 1, ("flt", "freq_hz"): 400, ("wire", "frames"): 4}
    half = at(0.5)
    assert half["level", "level_db"] == -20
    assert half["flt", "freq_hz"] == pytest.approx(200)
    assert at(0.25)["flt", "freq_hz"] == pytest.approx(100 * math.sqrt(2))
    assert (at(0.49)["level", "mute"], at(0.51)["level", "mute"]) == (0, 1)
    assert all(at(x / 10)["wire", "frames"] in (1, 2, 3, 4) for x in range(11))


@pytest.mark.parametrize("x", [-0.1, 1.1, math.nan])
def test_there_is_nothing_beyond(patch, x):
    with pytest.raises(PatchError, match="from 0 to 1"):
        morphed(patch, kinds(), "a", "b", x)


def test_states_in_snapshots_are_those_of_plugins_that_are_there_and_not_left_out():
    patch = Patch()
    patch.add("a", "plugin")
    patch.add("b", "plugin", settings={"state_in_snapshots": False})
    patch.add("c", "plugin")
    inner = {"nodes": {"d": {"kind": "plugin", "state": b"4"}}, "cables": []}
    patch.add("g", "group", settings={"patch": inner, "ports": {}, "params": {}})
    patch.node("a").state, patch.node("b").state = b"1", b"2"
    assert states_to_keep(patch) == {"a": b"1", "g/d": b"4"}
    patch.snapshot("s", {})
    patch.snapshot_states["s"] = {"a": b"5", "b": b"6", "gone": b"7", "g/d": b"8"}
    assert snapshot_states(patch, "s") == [("a", b"5"), ("g/d", b"8")]
    set_states(patch, snapshot_states(patch, "s"))
    assert (patch.node("a").state, patch.node("b").state) == (b"5", b"2")
    assert expand(patch).nodes["g/d"].state == b"8"
    with pytest.raises(PatchError, match="there is no snapshot 't'"):
        snapshot_states(patch, "t")


def test_of_what_an_engine_refuses_nothing_is_left(patch):
    patch.add("unknown", "from elsewhere")
    patch.automate("flt", "freq_hz", [(0.0, 100.0, "hold")])
    refused = [
        ("level", "level_db", 99.0),
        ("level", "level_dB", 0.0),
        ("flt", "q", math.inf),
        ("nowhere", "q", 1.0),
        ("rack/nowhere", "q", 1.0),
        ("rack", "q", 1.0),
        ("rack", "mute", 0.5),
        ("rack/eq", "freq_hz", 1.0),
    ]
    taken = [("level", "level_db", -3.0), ("rack/eq", "q", 3.0), ("rack", "bypass", 1.0), ("unknown", "x", 7.0)]
    before = patch.copy()
    take_up(patch, refused, [("flt", "freq_hz", [(0.0, 1.0, "hold")]), ("flt", "q", [(0.0, 1.0, "hold")])], kinds())
    assert packed(patch) == packed(before)
    take_up(patch, [*refused, *taken], [("flt", "freq_hz", [(0.0, 200.0, "hold")])], kinds())
    set_values(before, taken, kinds())
    before.automation.clear()
    before.automate("flt", "freq_hz", [(0.0, 200.0, "hold")])
    assert packed(patch) == packed(before)
