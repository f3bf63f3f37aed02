"""Channel maps and round trips are kept per device; a hostile file is set aside, said, and never lost."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.devices.kinds import DeviceError
from host.devices.stored import ChannelMap, RoundTrip, Stored, _checked, keep, settings_file, stored

TRIP = RoundTrip("Card", "Card", 48000, 64, 612, 1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path / "settings"))
    return tmp_path / "settings"


@pytest.fixture
def said():
    return []


def test_where_nothing_is_kept_channels_go_straight(said):
    found = stored(said.append)
    assert found == Stored()
    assert said == []
    straight = found.map_of("Card").on(2, 4)
    assert straight.inputs(0, 4) == [0, 1, -1, -1]
    assert straight.outputs(2, 3) == [2, 3, -1]


def test_a_map_moves_channels_and_leaves_some_out():
    channels = ChannelMap((3, -1, 9), (1, 0)).on(4, 4)
    assert channels.inputs(0, 5) == [3, -1, -1, 3, -1]
    assert channels.inputs(1, 1) == [-1]
    assert channels.outputs(0, 4) == [1, 0, 2, 3]


def test_how_far_a_map_reaches():
    channels = ChannelMap((3, -1, 9), (5, 0, -1))
    assert channels.reach(2, 2) == (4, 6)
    assert channels.reach(3, 3) == (10, 6)
    assert channels.reach(0, 7) == (0, 7)
    assert ChannelMap((), (-1, -1)).reach(0, 2) == (0, 0)


def test_what_is_kept_comes_back(said):
    content = Stored().with_map("Card", ChannelMap((2, -1), (1, 0))).with_round_trip(TRIP)
    path = keep(content)
    assert path == settings_file()
    assert stored(said.append) == content
    assert json.loads(path.read_text())["maps"] == {"Card": {"inputs": [2, None], "outputs": [1, 0]}}
    assert stored(said.append).round_trip("Card", "Card", 48000, 64) == TRIP
    assert stored(said.append).round_trip("Card", "Card", 48000, 128) is None
    assert said == []
    assert [p.name for p in path.parent.iterdir()] == ["devices.json"]


def test_a_newer_measurement_replaces_the_older(said):
    newer = RoundTrip("Card", "Card", 48000, 64, 700, 0)
    other = RoundTrip("Card", "Card", 44100, 64, 600, 0)
    content = Stored().with_round_trip(TRIP).with_round_trip(other).with_round_trip(newer)
    assert content.round_trips == (other, newer)


GOOD = {"version": 1, "maps": {"Card": {"inputs": [1]}}, "round_trips": []}
HOSTILE = {
    "empty": (b"", "Expecting value"),
    "no JSON": (b"{", "Expecting"),
    "not UTF-8": (b"\xff\xfe{}", "UTF-8"),
    "a list": (b"[]", "the file: expected an object"),
    "no version": (b"{}", "version: expected a whole number"),
    "from the future": (b'{"version": 2}', "version 2"),
    "version true": (b'{"version": true}', "version: expected a whole number"),
    "a fraction": (b'{"version": 1, "maps": {"x": {"inputs": [0.5]}}}', r"maps.x.inputs\[0\]"),
    "negative": (b'{"version": 1, "maps": {"x": {"inputs": [-2]}}}', r"maps.x.inputs\[0\]"),
    "too high": (b'{"version": 1, "maps": {"x": {"outputs": [0, 256]}}}', r"maps.x.outputs\[1\]"),
    "twice": (b'{"version": 1, "maps": {"x": {"outputs": [0, 0]}}}', "twice"),
    "a name twice": (b'{"version": 1, "version": 1}', "twice"),
    "map of text": (b'{"version": 1, "maps": {"x": "y"}}', "maps.x: expected an object"),
    "text for channels": (b'{"version": 1, "maps": {"x": {"inputs": "01"}}}', "maps.x.inputs: expected a list"),
    "no name": (b'{"version": 1, "maps": {"": {}}}', "name of a device"),
    "long name": (json.dumps({"version": 1, "maps": {"x" * 301: {}}}).encode(), "name of a device"),
    "many": (json.dumps({"version": 1, "maps": {"x": {"inputs": [None] * 257}}}).encode(), "at most 256"),
    "NaN": (b'{"version": NaN}', "NaN is no number"),
    "a huge number": (b'{"version": 1, "maps": {"x": {"inputs": [1e400]}}}', r"inputs\[0\]"),
    "deep": (b'{"version": 1, "maps": ' + b"[" * 100_000, "recursion|expected"),
    "large": (b'{"version": 1}' + b" " * (1 << 20), "more than 1048576 bytes"),
    "half a trip": (b'{"version": 1, "round_trips": [{"rate": 48000}]}', r"round_trips\[0\].block"),
    "a trip of text": (b'{"version": 1, "round_trips": ["x"]}', r"round_trips\[0\]: expected an object"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_set_aside_and_kept(name, said):
    data, words = HOSTILE[name]
    path = settings_file()
    path.parent.mkdir()
    path.write_bytes(data)
    found = stored(said.append)
    assert not found.sound
    assert found.map_of("x").on(2, 2).inputs(0, 2) == [0, 1]
    assert len(said) == 1
    assert str(path) in said[0]
    assert re.search(words, said[0]), said[0]
    assert len(said[0]) < 400
    assert path.read_bytes() == data
    for k in (1, 2):
        keep(found.with_map("Card", ChannelMap((k,), ())))
        assert path.with_name("devices.json.bak1").read_bytes() == data
        found = Stored(sound=False) if k == 1 else found
    assert path.with_name("devices.json.bak2").exists()
    assert stored(said.append).map_of("Card").to_inputs == (2,)


def test_what_could_not_be_read_again_is_not_written(said):
    with pytest.raises(DeviceError, match="twice"):
        keep(Stored().with_map("Card", ChannelMap((1, 1), ())))
    assert not settings_file().exists()


def test_a_folder_in_the_way_is_said(said):
    settings_file().mkdir(parents=True)
    assert not stored(said.append).sound
    assert "cannot be read" in said[0]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
keys = st.sampled_from(["version", "maps", "round_trips", "x"])


@given(st.dictionaries(keys, values | st.just(1)))
def test_any_document_is_read_or_refused_with_words(document):
    found = None
    with contextlib.suppress(ValueError):
        found = _checked(json.dumps(document).encode())
    right = document.get("version") == 1 and not document.get("maps") and not document.get("round_trips")
    if found is None:
        assert not right or document.get("maps", {}) != {} or document.get("round_trips", []) != []
    else:
        assert document["version"] == 1
        assert set(found.maps) == set(document.get("maps", {}))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_words(data):
    with pytest.raises(ValueError, match=r"."):
        _checked(data)
