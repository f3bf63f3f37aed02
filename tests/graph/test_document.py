"""The patch as scripts use it: building, changing, comparing, copying; and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from graph.document import Automation, Cable, NodeEntry, Patch, Transport
from graph.errors import PatchError

ROOT = Path(__file__).resolve().parents[2]


def small() -> Patch:
    patch = Patch("small", sample_rate=48000)
    patch.add("osc", "oscillator", freq_hz=220, settings={"wave": "saw"})
    patch.add("g", "gain", level_db=-6.0, mute=True)
    patch.add("out", "audio_out")
    patch.connect("osc.out", "g.in")
    patch.connect("g.out", "out.in")
    patch.automate("g", "level_db", [(0, -60), (1.5, 0, "hold")])
    patch.snapshot("quiet", {"g": {"level_db": -20}, "osc": {"level_db": -30}})
    return patch


def test_the_graph_is_a_networkx_multidigraph_with_entries_and_cables() -> None:
    patch = small()
    assert type(patch.graph) is nx.MultiDiGraph
    assert patch.graph.nodes["osc"]["entry"] == NodeEntry("oscillator", {"wave": "saw"}, {"freq_hz": 220})
    assert patch.graph.edges["osc", "g", ("out", "in")]["cable"] == Cable("osc", "out", "g", "in")
    assert patch.automation == [Automation("g", "level_db", ((0, -60, "linear"), (1.5, 0, "hold")))]
    assert patch.snapshots == {"quiet": {"g": {"level_db": -20}, "osc": {"level_db": -30}}}
    assert patch.nodes()["g"].params == {"level_db": -6.0, "mute": True}
    assert [cable.place for cable in patch.cables()] == ["cables.osc.out -> g.in", "cables.g.out -> out.in"]


def test_a_param_may_have_any_name_that_a_keyword_may_have() -> None:
    patch = Patch()
    assert patch.add("x", "crossfade", position=0.25, mute=1, bypass=0, title=3) == "x"
    patch.set("x", position=0.5, id=1)
    assert patch.node("x").params == {"position": 0.5, "mute": 1, "bypass": 0, "title": 3, "id": 1}


def test_removing_a_node_takes_its_cables_automation_and_snapshot_values() -> None:
    patch = small()
    patch.add("gg", "gain")
    patch.automate("g/inner", "level_db", [(0, 0)])
    patch.automate("gg", "level_db", [(0, 0)])
    patch.snapshot("more", {"g/inner": {"level_db": 1}, "gg": {"level_db": 2}})
    patch.snapshot_states["more"] = {"g/inner": b"1", "gg": b"2"}
    patch.remove("g")
    assert set(patch.nodes()) == {"osc", "out", "gg"}
    assert patch.cables() == []
    assert [line.node for line in patch.automation] == ["gg"]
    assert patch.snapshots == {"quiet": {"osc": {"level_db": -30}}, "more": {"gg": {"level_db": 2}}}
    assert patch.snapshot_states == {"more": {"gg": b"2"}}


def test_cables_are_told_apart_by_all_four_ends_and_keep_their_order() -> None:
    patch = Patch()
    for id in ("b", "a"):
        patch.add(id, "gain")
    added = [
        patch.connect("b.out", "a.in"),
        patch.connect("a.out", "b.in", feedback=True),
        patch.connect("b.out", "a.mute"),
    ]
    assert patch.cables() == added
    patch.disconnect("b.out", "a.in")
    assert patch.cables() == added[1:]
    with pytest.raises(PatchError, match=r"there is no cable from b\.out to a\.in"):
        patch.disconnect("b.out", "a.in")
    with pytest.raises(PatchError, match=r"the cable from a\.out to b\.in is there already"):
        patch.connect("a.out", "b.in")


@pytest.mark.parametrize("id", ["", "a" * 65, "a b", "a.b", "a/b", "é", "a\n", 5, None])
def test_an_id_is_1_to_64_plain_characters(id: object) -> None:
    patch = Patch()
    with pytest.raises(PatchError, match="expected an id of 1 to 64 characters") as caught:
        patch.add(id, "gain")  # type: ignore[arg-type]
    assert caught.value.place == "nodes"
    assert len(patch.graph) == 0


@pytest.mark.parametrize("address", ["", "g", "g.", ".in", "a/b.in", "g.i\nn", "g." + "x" * 300, None, 7])
def test_a_cable_ends_at_node_and_port(address: object) -> None:
    patch = small()
    with pytest.raises(PatchError) as caught:
        patch.connect("osc.out", address)  # type: ignore[arg-type]
    assert caught.value.place.startswith("cables.osc.out -> ")
    assert len(patch.cables()) == 2


def test_a_cable_needs_both_nodes() -> None:
    patch = small()
    with pytest.raises(PatchError, match="there is no node 'nowhere'"):
        patch.connect("osc.out", "nowhere.in")
    assert "nowhere" not in patch.graph


def test_an_id_is_there_once() -> None:
    patch = small()
    with pytest.raises(PatchError, match=r"nodes\.g: there is a node of this id already"):
        patch.add("g", "bus")
    assert patch.node("g").kind == "gain"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "1", None, [1], 1j, 2**64, -(2**63) - 1])
def test_params_are_finite_numbers(value: object) -> None:
    patch = small()
    for give in (
        lambda: patch.set("g", invert=1, level_db=value),
        lambda: patch.add("new", "gain", level_db=value),
        lambda: patch.snapshot("bad", {"g": {"level_db": value}}),
        lambda: patch.automate("g", "level_db", [(0, value)]),
        lambda: patch.automate("g", "level_db", [(value, 0)]),
    ):
        with pytest.raises(PatchError) as caught:
            give()
        assert caught.value.place.startswith(
            ("nodes.g.params.level_db", "nodes.new", "snapshots.bad.g.level_db", "automation.g")
        )
    assert patch == small()


def test_numbers_of_numpy_become_pythons_and_negative_zero_becomes_zero() -> None:
    patch = Patch()
    patch.add(
        "g", "gain", a=np.float32(0.5), b=np.int64(3), c=np.float64(2.5), d=-0.0, settings={"x": np.float64(-0.0)}
    )
    params = patch.node("g").params
    assert {name: type(value) for name, value in params.items()} == {"a": float, "b": int, "c": float, "d": float}
    assert str(params["d"]) == "0.0"
    assert str(patch.node("g").settings["x"]) == "0.0"


def test_settings_become_plain_data_of_their_own() -> None:
    given = {"path": Path("a") / "b.wav", "map": {"L": ("R", 1)}}
    patch = Patch()
    patch.add("x", "channel_map", settings=given)
    given["map"]["L"] = ()  # type: ignore[index]
    assert patch.node("x").settings == {"path": str(Path("a") / "b.wav"), "map": {"L": ["R", 1]}}
    with pytest.raises(PatchError, match=r"nodes\.y\.settings\.a\.b\[1\]: expected text, a number"):
        patch.add("y", "gain", settings={"a": {"b": [1, object()]}})


def test_content_decides_equality_and_order_and_folder_do_not() -> None:
    first, second = small(), Patch("small", 48000)
    second.add("out", "audio_out")
    second.add("g", "gain", mute=1, level_db=-6)
    second.add("osc", "oscillator", {"wave": "saw"}, freq_hz=220.0)
    second.connect("g.out", "out.in")
    second.connect("osc.out", "g.in")
    second.automate("g", "level_db", [(0, -60), (1.5, 0, "hold")])
    second.snapshot("quiet", {"osc": {"level_db": -30}, "g": {"level_db": -20}})
    second.folder = Path("elsewhere")
    assert first == second
    changes = [
        lambda p: p.set("g", level_db=-5),
        lambda p: p.node("g").settings.update(a=1),
        lambda p: setattr(p.node("g"), "bypass", True),
        lambda p: setattr(p, "name", "x"),
        lambda p: setattr(p, "sample_rate", 44100),
        lambda p: setattr(p, "transport", Transport(tempo=90)),
        lambda p: p.tags.append("x"),
        lambda p: p.metadata.update(x=1),
        lambda p: p.extra.update(x=1),
        lambda p: p.automation.pop(),
        lambda p: p.snapshots.clear(),
        lambda p: p.snapshot_states.update(quiet={"g": b"x"}),
        lambda p: p.disconnect("osc.out", "g.in"),
        lambda p: p.connect("g.out", "g.in", feedback=True),
        lambda p: p.remove("out"),
    ]
    for change in changes:
        other = small()
        change(other)
        assert other != first
    assert first != "small"


def test_a_copy_shares_nothing_that_can_change() -> None:
    patch = small()
    patch.node("osc").settings["deep"] = {"list": [1]}
    patch.metadata = {"a": {"b": 1}}
    patch.snapshot_states["quiet"] = {"g": b"x"}
    before, copy = patch.copy(), patch.copy()
    assert copy == patch
    copy.set("g", level_db=3)
    copy.node("osc").settings["deep"]["list"].append(2)
    copy.metadata["a"]["b"] = 2
    copy.snapshots["quiet"]["g"]["level_db"] = 0
    copy.snapshot_states["quiet"]["g"] = b"y"
    copy.tags.append("t")
    copy.remove("out")
    copy.automation.clear()
    assert patch == before
    assert copy != patch


def test_json_text_and_back() -> None:
    patch = small()
    assert Patch.from_json(patch.to_json()) == patch
    with pytest.raises(PatchError, match="line 1, column 3: expected JSON"):
        Patch.from_json("{ nonsense }")


def test_importing_graph_imports_nothing_heavy() -> None:
    heavy = "numpy networkx numba scipy soundfile soxr pedalboard msgpack"
    code = f"import sys, graph; print([m for m in {heavy.split()!r} if m in sys.modules]); print(graph.Patch('x').name)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "x"]
    heavy = "numba scipy soundfile soxr pedalboard"
    code = f"import sys, graph.check, graph.edits; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
