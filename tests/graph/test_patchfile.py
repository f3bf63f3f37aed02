"""Patch files: both forms hold the same document, nothing is lost, old versions load, wrong ones are refused."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import encoding
from graph.document import Patch, Transport
from graph.errors import PatchError
from graph.patchfile import dumps, from_document, load, loads, packed, save, to_document

GOLDEN = Path(__file__).resolve().parents[2] / "patches" / "golden"

DESIGN: dict[str, Any] = {
    "format": "patchwright",
    "version": 1,
    "name": "Duck music under dialogue",
    "tags": ["post"],
    "sample_rate": 48000,
    "nodes": {
        "dx": {"kind": "audio_in", "settings": {"layout": "stereo"}},
        "mx": {"kind": "audio_in", "settings": {"layout": "stereo"}, "title": "Music", "position": [40, 200]},
        "duck": {"kind": "compressor", "params": {"threshold_db": -30, "ratio": 4}, "bypass": False},
        "main": {"kind": "bus", "settings": {}, "state": None, "mute": False},
        "out": {"kind": "audio_out", "title": "", "position": None},
    },
    "cables": [
        {"from": "mx.out", "to": "duck.in"},
        {"from": "dx.out", "to": "duck.sidechain"},
        {"from": "duck.out", "to": "main.in", "feedback": False, "amount": None},
        {"from": "dx.out", "to": "main.in"},
        {"from": "main.out", "to": "out.in"},
    ],
    "automation": [
        {"node": "main", "param": "level_db", "enabled": True, "points": [[0.0, -60.0, "linear"], [1.5, 0.0, "hold"]]}
    ],
    "snapshots": {"quiet": {"main": {"level_db": -20}}},
    "transport": {"tempo": 120, "time_signature": [4, 4], "loop": None},
    "metadata": {},
}
UNKNOWN: dict[str, Any] = {
    "format": "patchwright",
    "version": 1,
    "nodes": {
        "a": {
            "kind": "not_invented_yet",
            "params": {"x": 1e300, "Dry / Wet": True},
            "lanes": [1, {"b": None}],
            "state": b"\0\xff",
        },
        "b": {"kind": "gain", "tint": "of another program", "settings": {"unheard_of": [b"bytes", {"c": 0.1}]}},
    },
    "cables": [{"from": "a.anything at all", "to": "b.in", "colour": [1, 2, 3]}],
    "automation": [{"node": "b/c", "param": "x", "points": [], "lane": 5}],
    "transport": {"swing": 0.5},
    "experiments": {"deep": [[[{"x": b""}]]]},
}


@pytest.mark.parametrize("document", [DESIGN, UNKNOWN], ids=["design", "unknown"])
@pytest.mark.parametrize("form", ["pwp", "json"])
def test_what_is_loaded_is_saved_untouched_in_either_form(document: dict[str, Any], form: str) -> None:
    patch = from_document(document)
    assert to_document(patch) == document
    again = loads(dumps(patch, form))  # type: ignore[arg-type]
    assert again == patch
    assert to_document(again) == document
    for id, entry in patch.nodes().items():
        kept = again.node(id).params
        assert {name: type(kept[name]) for name in kept} == {name: type(v) for name, v in entry.params.items()}


def test_a_document_is_not_shared_with_the_patch() -> None:
    document = copy.deepcopy(UNKNOWN)
    patch = from_document(document)
    document["nodes"]["b"]["settings"]["unheard_of"].clear()
    document["experiments"].clear()
    out = to_document(patch)
    out["nodes"]["a"]["lanes"].clear()
    out["nodes"]["b"]["settings"].clear()
    assert to_document(patch) == UNKNOWN


def test_the_two_forms_of_a_file_hold_the_same_document_in_sorted_keys() -> None:
    patch = from_document(DESIGN)
    packed, text = dumps(patch, "pwp"), dumps(patch, "json")
    assert msgpack.unpackb(packed) == json.loads(text) == DESIGN
    for document in (msgpack.unpackb(packed), json.loads(text)):
        assert list(document) == sorted(document)
        assert list(document["nodes"]) == sorted(document["nodes"])
        assert list(document["nodes"]["duck"]) == sorted(document["nodes"]["duck"])
    assert text.endswith(b"}\n")
    assert max(map(len, text.decode().splitlines())) <= 120


def test_the_listing_order_of_nodes_does_not_change_a_byte() -> None:
    shuffled = {**DESIGN, "nodes": dict(reversed(DESIGN["nodes"].items()))}
    assert dumps(from_document(shuffled)) == dumps(from_document(DESIGN))


def test_what_is_in_the_file_says_which_form_it_has_and_the_name_says_it_when_saving(tmp_path: Path) -> None:
    patch = from_document(DESIGN)
    save(patch, tmp_path / "a.pwp")
    save(patch, tmp_path / "a.JSON")
    assert (tmp_path / "a.pwp").read_bytes() == dumps(patch, "pwp")
    assert (tmp_path / "a.JSON").read_bytes() == dumps(patch, "json")
    (tmp_path / "a.pwp").replace(tmp_path / "b.json")
    (tmp_path / "a.JSON").replace(tmp_path / "b.pwp")
    for name in ("b.json", "b.pwp"):
        loaded = load(tmp_path / name)
        assert loaded == patch
        assert loaded.folder == tmp_path.resolve()


def test_every_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{"format": "patchwright", "version": 1, "nodes": {"a": {}}, "cables": []}')
    with pytest.raises(PatchError) as caught:
        load(file)
    assert str(caught.value) == f'{file}: nodes.a: the field "kind" is missing'
    assert caught.value.node == "a"
    for missing, words in ((tmp_path / "none.pwp", "there is no such file"), (tmp_path, "it cannot be read")):
        with pytest.raises(PatchError, match=words) as caught:
            load(missing)
        assert caught.value.place == str(missing)
    with pytest.raises(PatchError, match="there is no such file"):
        load("a\0b")


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["pwp", "json"])
def test_the_golden_patch_of_version_1_loads_and_saves_byte_for_byte(form: str) -> None:
    data = (GOLDEN / f"v1.{form}").read_bytes()
    patch = loads(data)
    assert dumps(patch, form) == data  # type: ignore[arg-type]
    assert patch == load(GOLDEN / "v1.json")
    assert patch.transport == Transport(92.5, (7, 8), (1.0, 8.5), {"swing": 0.25})
    assert patch.node("plug").state == bytes(range(0, 256, 5))
    assert patch.node("future").kind == "granulator_3000"
    assert patch.metadata["big"] == 2**63
    assert patch.metadata["tiny"] == 5e-324
    assert [c.key for c in patch.cables() if c.feedback] == [("echo", "out", "duck", "in")]
    assert patch.automation[1].enabled is False
    assert patch.node("tone").settings["patch"]["nodes"]["deeper"]["kind"] == "group"


def test_the_golden_patch_of_version_0_is_brought_up_to_date() -> None:
    patch = load(GOLDEN / "v0.json")
    expected = Patch("Music under a voice", 48000, author="Patchwright", license="CC0-1.0")
    expected.add("voice", "audio_in", {"layout": "mono"})
    expected.add("music", "audio_in", {"layout": "stereo"}, level_db=-6)
    expected.add("duck", "compressor", threshold_db=-30, ratio=4)
    expected.node("duck").title = "Duck"
    expected.node("duck").position = (240, 80)
    expected.add("main", "bus", level_db=-1.5)
    expected.node("main").extra = {"colour": "blue"}
    expected.add("out", "audio_out")
    for ends in ("music.out duck.in", "voice.out duck.sidechain", "duck.out main.in", "main.out out.in"):
        expected.connect(*ends.split())
    expected.automate("main", "level_db", [(0, -60, "linear"), (1.5, -1.5, "hold")])
    expected.metadata = {"made_with": "a draft"}
    assert expected.cables()[:3] == patch.cables()[:3]
    assert patch.cables()[3].extra == {"note": "the mix"}
    expected.disconnect("main.out", "out.in")
    expected.plug(patch.cables()[3])
    assert patch == expected
    assert to_document(patch)["version"] == 1
    assert loads(dumps(patch)) == patch


DRAFT = {
    "format": "patchwright",
    "version": 0,
    "nodes": [{"id": "a", "type": "gain", "params": {"gain_db": 1}}],
    "edges": [],
}


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"nodes": {}}, "nodes", "expected a list, found an empty map"),
        ({"nodes": [{"id": "a"}]}, "nodes[0].type", "expected text, found nothing"),
        ({"nodes": [*DRAFT["nodes"]] * 2}, "nodes[1].id", "the id 'a' is given twice"),
        ({"nodes": [5]}, "nodes[0]", "expected a node, a map, found 5"),
        (
            {"nodes": [{"id": "a", "type": "bus", "params": {"gain_db": 1, "level_db": 2}}]},
            "nodes[0].params",
            "same param",
        ),
        ({"edges": [["a.out"]]}, "edges[0]", "expected [from, to], found a list of 1"),
        ({"edges": [["a.out", "b.in"]]}, "cables[0]", "there is no node 'b'"),
        ({"cables": []}, "cables", 'a patch of version 0 has "edges" and no "cables"'),
        ({"rate": "fast"}, "sample_rate", "expected a whole number"),
        ({"automation": 3}, "automation", "expected a list, found 3"),
        ({"automation": [3]}, "automation[0]", "expected automation, a map, found 3"),
    ],
)
def test_a_bad_draft_is_refused(changes: dict[str, Any], place: str, message: str) -> None:
    assert loads(json.dumps(DRAFT).encode()).node("a").params == {"level_db": 1}
    with pytest.raises(PatchError) as caught:
        loads(json.dumps(DRAFT | changes).encode())
    assert caught.value.place == place
    assert message in caught.value.message


def test_a_newer_version_is_refused_in_a_clear_sentence() -> None:
    with pytest.raises(PatchError) as caught:
        loads(json.dumps(DESIGN | {"version": 2, "nodes": "something new"}).encode())
    assert str(caught.value) == "version: this patch is of version 2, and this program reads up to 1; use a newer one"


# -- refusals ----------------------------------------------------------------------------------------------------------


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(DESIGN)
    *way, last = path.split("/")
    holder: Any = document
    for step in way:
        holder = holder[int(step) if isinstance(holder, list) else step]
    holder[int(last) if isinstance(holder, list) else last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("format", "zip", "format: expected \"patchwright\", found the text 'zip'"),
        ("version", True, "version: expected a whole number up to 1, found true"),
        ("name", 5, "name: expected text, found 5"),
        ("tags", "post", "tags: expected a list of texts, found the text 'post'"),
        ("tags", ["a", 1], "tags[1]: expected text, found 1"),
        ("sample_rate", 44100.5, "sample_rate: expected a whole number from 8000 to 768000 Hz, found 44100.5"),
        ("nodes", [], "nodes: expected a map of nodes, found a list of 0"),
        (
            "nodes/a b",
            {"kind": "gain"},
            "nodes: expected an id of 1 to 64 characters of A-Z a-z 0-9 _ -, found the text 'a b'",
        ),
        ("nodes/dx", {}, 'nodes.dx: the field "kind" is missing'),
        ("nodes/dx", None, "nodes.dx: expected a node, a map, found nothing"),
        ("nodes/dx/kind", 1, "nodes.dx.kind: expected a name of 1 to 256 printable characters, found 1"),
        ("nodes/dx/settings", [], "nodes.dx.settings: expected a map of settings, found a list of 0"),
        ("nodes/duck/params/ratio", "4", "nodes.duck.params.ratio: expected a number, found the text '4'"),
        ("nodes/duck/params/ratio", None, "nodes.duck.params.ratio: expected a number, found nothing"),
        ("nodes/duck/params/ratio", math.inf, "nodes.duck.params.ratio: expected a finite number, found infinity"),
        ("nodes/duck/params/ratio", -0.0, "nodes.duck.params.ratio: expected 0, found -0.0 (negative zero)"),
        ("nodes/duck/bypass", 1, "nodes.duck.bypass: expected true or false, found 1"),
        ("nodes/mx/position", [1], "nodes.mx.position: expected [x, y], found a list of 1"),
        ("nodes/mx/position", [1, True], "nodes.mx.position[1]: expected a number, found true"),
        ("nodes/mx/title", None, "nodes.mx.title: expected text, found nothing"),
        ("nodes/mx/tint", 3, "nodes.mx.tint: expected text, found 3"),
        ("nodes/mx/state", "AA", "nodes.mx.state: expected bytes, found the text 'AA'"),
        ("nodes/mx/lanes", [{"a": math.nan}], "nodes.mx.lanes[0].a: expected a finite number, found not-a-number"),
        ("cables", {}, "cables: expected a list of cables, found an empty map"),
        ("cables/0", [], "cables[0]: expected a cable, a map, found a list of 0"),
        ("cables/1", {"from": "dx.out"}, 'cables[1]: the field "to" is missing'),
        ("cables/1/to", "duck", "cables[1].to: expected a port as \"node.port\", found the text 'duck'"),
        ("cables/1/to", "dck.in", "cables[1]: there is no node 'dck'"),
        (
            "cables/1",
            {"from": "mx.out", "to": "duck.in"},
            "cables[1]: the cable from mx.out to duck.in is there already",
        ),
        ("cables/1/feedback", 0, "cables[1].feedback: expected true or false, found 0"),
        ("cables/1/amount", True, "cables[1].amount: expected a number, found true"),
        ("automation/0/points", {}, "automation[0].points: expected a list of points, found an empty map"),
        (
            "automation/0/points/1",
            [1, 2],
            "automation[0].points[1]: expected [seconds, value, curve], found a list of 2",
        ),
        ("automation/0/points/1/0", "1", "automation[0].points[1][0]: expected a number, found the text '1'"),
        (
            "automation/0/node",
            "a.b",
            'automation[0].node: expected a node, such as "eq" or "group/eq", found the text \'a.b\'',
        ),
        ("automation/0/enabled", None, "automation[0].enabled: expected true or false, found nothing"),
        ("snapshots/quiet/main/level_db", [], "snapshots.quiet.main.level_db: expected a number, found a list of 0"),
        ("snapshots/quiet/main", 3, "snapshots.quiet.main: expected a map of params, found 3"),
        ("transport/tempo", 0, "transport.tempo: expected 1 to 1000 beats per minute, found 0"),
        (
            "transport/loop",
            [2, 1],
            "transport.loop: expected a start of 0 seconds or later and an end after it, found 2 and 1",
        ),
        ("transport/loop", [0, 1e300], "transport.loop: expected an end of at most 1e+07 seconds, found 1e+300"),
        ("metadata/x", 2**64, "metadata.x: expected a whole number of at most 64 bits, found a larger one"),
        ("metadata/$bytes", 1, "metadata: the key $bytes is how the JSON form marks bytes; it cannot be a name"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: str, value: Any, error: str) -> None:
    document = changed(path, value)
    with pytest.raises(PatchError) as caught:
        loads(json.dumps(document).encode() if value == 2**64 else msgpack.packb(document))
    assert str(caught.value) == error


GROUP = {
    "kind": "group",
    "settings": {
        "patch": {"nodes": {"eq": {"kind": "eq"}}, "cables": [], "automation": []},
        "ports": {"in": "eq.in"},
        "params": {"tone": "eq.b1_gain_db"},
    },
}


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("patch", None, ".patch: expected the inner patch, a map with nodes and cables, found nothing"),
        ("patch/nodes", [], ".patch.nodes: expected a map of nodes, found a list of 0"),
        ("patch/nodes/eq/params", {"a": "b"}, ".patch.nodes.eq.params.a: expected a number, found the text 'b'"),
        ("patch/cables", [{"from": "a.b", "to": "c.d"}], ".patch.cables[0]: there is no node 'a'"),
        ("ports", {"in": "eq"}, ".ports.in: expected \"node.port\" inside the group, found the text 'eq'"),
        ("params", {"in": 5}, '.params.in: expected "node.port" inside the group, found 5'),
        ("ports", [], ".ports: expected a map, found a list of 0"),
    ],
)
def test_what_is_wrong_inside_a_group_is_named_with_its_place(path: str, value: Any, error: str) -> None:
    node: Any = copy.deepcopy(GROUP)
    assert from_document(changed("nodes/grp", node)).node("grp").settings == GROUP["settings"]
    *way, last = path.split("/")
    holder = node["settings"]
    for step in way:
        holder = holder[step]
    holder[last] = value
    with pytest.raises(PatchError) as caught:
        from_document(changed("nodes/grp", node))
    assert str(caught.value) == "nodes.grp.settings" + error
    assert caught.value.node == "grp"


def test_what_no_file_can_hold_is_refused_when_saving_and_the_file_stays(tmp_path: Path) -> None:
    patch = from_document(DESIGN)
    file = tmp_path / "a.pwp"
    save(patch, file)
    before = file.read_bytes()
    for spoil, place in (
        (lambda p: p.node("duck").params.update(ratio=math.nan), "nodes.duck.params.ratio"),
        (lambda p: p.node("duck").settings.update(x=object()), "nodes.duck.settings.x"),
        (lambda p: p.metadata.update(x={1: 2}), "metadata.x"),
        (lambda p: p.metadata.update(x="\ud800"), "metadata.x"),
        (lambda p: setattr(p, "sample_rate", 5), "sample_rate"),
        (lambda p: setattr(p, "name", None), "name"),
        (lambda p: p.graph.add_node("a b", entry=p.node("dx")), "nodes"),
    ):
        bad = patch.copy()
        spoil(bad)
        with pytest.raises(PatchError) as caught:
            save(bad, file)
        assert caught.value.place == place
        assert file.read_bytes() == before
    with pytest.raises(PatchError, match="it cannot be saved"):
        save(patch, tmp_path / "no such folder" / "a.pwp")
    with pytest.raises(PatchError, match="it cannot be saved"):
        save(patch, "a\0b.pwp")


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_bounds_count_the_same_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    document = DESIGN | {"metadata": {"a": [[], {}, [1, [2]], {"b": {"c": None}}], 'text, [with] {marks}: \\"': "x,y"}}
    packed, text = encoding.write_msgpack(document), encoding.write_json(document)

    def most(read: Any, data: bytes) -> int:
        low, high = 1, 10_000
        while low < high:
            middle = (low + high) // 2
            monkeypatch.setattr(encoding, "MOST_ELEMENTS", middle)
            try:
                read(data)
                high = middle
            except PatchError:
                low = middle + 1
        return low

    assert most(encoding.read_msgpack, packed) == most(encoding.read_json, text) > 100


@pytest.mark.parametrize("read", ["pwp", "json"])
def test_nesting_is_bounded_at_the_same_depth_in_both_forms(read: str) -> None:
    def nested(levels: int) -> bytes:
        value: Any = 0
        for _ in range(levels):
            value = [value]
        document = DESIGN | {"metadata": {"deep": value}}
        return msgpack.packb(document) if read == "pwp" else json.dumps(document).encode()

    assert loads(nested(126)).metadata["deep"] != 0
    for levels in (127, 128, 129, 130, 500, 900):
        with pytest.raises(PatchError, match="lists and maps nest deeper than 128"):
            loads(nested(levels))


def test_texts_and_files_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(loads(msgpack.packb(DESIGN | {"description": "é" * 1_000_000})).description) == 1_000_000
    with pytest.raises(PatchError, match="description: expected at most 1000000 characters, found 1000001"):
        loads(msgpack.packb(DESIGN | {"description": "é" * 1_000_001}))
    monkeypatch.setattr(encoding, "MOST_BYTES", 1000)
    with pytest.raises(PatchError, match="expected a file of at most 0 MiB"):
        loads(b"{" + b" " * 1000 + b"}")


# -- anything ----------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False).map(lambda v: v + 0.0)
leaves = st.none() | st.booleans() | numbers | texts | st.binary(max_size=12)
keys = texts.filter(lambda key: key != "$bytes")
data = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, data, max_size=5))
def test_any_plain_data_survives_both_forms(metadata: dict[str, Any]) -> None:
    patch = from_document(DESIGN | {"metadata": metadata})
    for form in ("pwp", "json"):
        again = loads(dumps(patch, form))  # type: ignore[arg-type]
        assert again.metadata == metadata
        assert repr(again.metadata) == repr(loads(dumps(patch, "pwp")).metadata)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for start in (b"", b"{", b"\x81", b"\x82\xa1a", b'{"a":'):
        try:
            encoding.read_plain(start + raw)
        except PatchError as error:
            assert str(error)  # noqa: PT017 - most are refused, and some are not


@pytest.mark.parametrize("form", ["pwp", "json"])
def test_states_in_snapshots_come_back(form) -> None:
    patch = from_document({**DESIGN, "snapshot_states": {"quiet": {"main": b"\0state", "g/x": b""}}})
    assert loads(dumps(patch, form)) == patch
    assert loads(dumps(patch, form)).snapshot_states == {"quiet": {"main": b"\0state", "g/x": b""}}


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({"quiet": {"main": "x"}}, "snapshot_states.quiet.main: expected bytes, found the text 'x'"),
        ({"quiet": b""}, "snapshot_states.quiet: expected a map of nodes"),
        ([], "snapshot_states: expected a map of snapshots"),
    ],
)
def test_states_that_are_none_are_refused(states, words) -> None:
    with pytest.raises(PatchError, match=f"^{words}"):
        from_document({**DESIGN, "snapshot_states": states})


def test_what_is_packed_for_the_engine_is_the_same_patch() -> None:
    for document in (DESIGN, UNKNOWN):
        patch = from_document(document)
        assert to_document(loads(packed(patch))) == to_document(patch)


def test_what_has_no_bytes_is_refused_when_packing() -> None:
    patch = from_document(DESIGN)
    for spoil in ({"path": object()}, {"path": "\ud800"}, {"path": 2**70}):
        patch.node("mx").settings.update(spoil)
        with pytest.raises(PatchError):
            packed(patch)


def test_the_copy_of_an_entry_has_every_field_and_shares_none_that_can_change() -> None:
    entry = from_document(UNKNOWN).node("a")
    entry.position, entry.title, entry.tint, entry.bypass, entry.mute = (1.0, 2.0), "A", "red", True, True
    other = entry.copy()
    for name in (field.name for field in fields(entry)):
        ours, theirs = getattr(entry, name), getattr(other, name)
        assert ours == theirs, name
        assert ours is not theirs or not isinstance(ours, dict | list), name
