"""``.vstpreset`` as published, hostile bytes of it, and the folder of a user's presets."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.plugins.description import Description
from host.plugins.errors import PluginError
from host.plugins.presets import (
    LARGEST,
    MOST_CHUNKS,
    Preset,
    PresetFolder,
    as_file_name,
    pack,
    read,
    standard_folders,
    unpack,
    write,
)

UID = "0123456789ABCDEF0123456789ABCDEF"
PRESET = Preset(UID, b"component", b"controller", b"<MetaInfo/>")


@given(st.binary(max_size=200), st.none() | st.binary(max_size=200), st.none() | st.binary(max_size=50))
def test_there_and_back(component, controller, info) -> None:
    preset = Preset(UID, component, controller, info)
    assert unpack(pack(preset)) == preset


def test_the_bytes_are_those_of_the_format() -> None:
    data = pack(Preset(UID, b"abc", b"de"))
    assert data == (
        b"VST3\x01\x00\x00\x00"
        + UID.encode()
        + struct.pack("<q", 53)
        + b"abcde"
        + b"List\x02\x00\x00\x00"
        + (b"Comp" + struct.pack("<qq", 48, 3))
        + (b"Cont" + struct.pack("<qq", 51, 2))
    )


def test_chunks_may_lie_anywhere_and_unknown_ones_are_passed_over() -> None:
    """As other programs write it: the list in front of its chunks, a chunk of programs, letters small."""
    start = 48 + 8 + 2 * 20
    data = b"VST3\x01\x00\x00\x00" + UID.lower().encode() + struct.pack("<q", 48) + b"List\x02\x00\x00\x00"
    data += b"Prog" + struct.pack("<qq", start, 2) + b"Comp" + struct.pack("<qq", start + 1, 3) + b"wxyz"
    assert unpack(data) == Preset(UID, b"xyz")


def changed(at: int, form: str, value: object) -> bytes:
    data = bytearray(pack(PRESET))
    struct.pack_into(form, data, at, value)
    return bytes(data)


LIST = 48 + len(b"componentcontroller<MetaInfo/>")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "too short"),
        (pack(PRESET)[:47], "too short"),
        (changed(0, "<4s", b"VST2"), "does not begin with VST3"),
        (changed(4, "<i", 2), "version 2"),
        (changed(8, "<4s", b"\xff\x00zz"), "class id"),
        (changed(40, "<q", -1), "outside"),
        (changed(40, "<q", 47), "outside"),
        (changed(40, "<q", 1 << 62), "outside"),
        (changed(40, "<q", len(pack(PRESET)) - 4), "outside"),
        (changed(40, "<q", 48), "no list"),
        (changed(LIST + 4, "<i", -1), "no list"),
        (changed(LIST + 4, "<i", 4), "no list"),
        (changed(LIST + 4, "<i", MOST_CHUNKS + 1), "no list"),
        (changed(LIST + 12, "<q", -1), "chunk 0"),
        (changed(LIST + 12, "<q", 1 << 63 - 1), "chunk 0"),
        (changed(LIST + 20, "<q", -1), "chunk 0"),
        (changed(LIST + 20, "<q", (1 << 63) - 1), "chunk 0"),
        (changed(LIST + 28, "<4s", b"Comp"), "second 'Comp'"),
        (changed(LIST + 8, "<4s", b"Camp"), "no chunk 'Comp'"),
    ],
)
def test_hostile_bytes_are_refused_with_what_is_wrong(data, says) -> None:
    with pytest.raises(PluginError, match=says) as caught:
        unpack(data, "mine.vstpreset")
    assert str(caught.value).startswith("mine.vstpreset: ")


@given(st.data())
def test_no_bytes_do_anything_else(data) -> None:
    good = bytearray(pack(PRESET))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    try:
        found = unpack(cut)
    except PluginError:
        return
    total = sum(len(part) for part in (found.component, found.controller or b"", found.info or b""))
    assert total <= 3 * len(cut)


def test_files(tmp_path) -> None:
    path = tmp_path / "new" / "a.vstpreset"
    write(path, PRESET)
    assert read(path) == PRESET
    assert [p.name for p in path.parent.iterdir()] == ["a.vstpreset"]
    with pytest.raises(PluginError, match=r"none\.vstpreset"):
        read(tmp_path / "none.vstpreset")
    with pytest.raises(PluginError):
        read(tmp_path)
    huge = tmp_path / "huge.vstpreset"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(PluginError, match="larger"):
        read(huge)
    with pytest.raises(PluginError):
        write(path / "below a file" / "b.vstpreset", PRESET)


@pytest.fixture
def folder(tmp_path) -> PresetFolder:
    plugin = Description("vst3", UID, "Echo: 2/3", vendor="Some\\one")
    return PresetFolder(plugin, tmp_path / "own", [tmp_path / "shared"])


def test_presets_of_ones_own(folder, tmp_path) -> None:
    path = folder.save("Warm / wide", pack(PRESET))
    assert path == tmp_path / "own" / "Some_one" / "Echo_ 2_3" / "Warm _ wide.vstpreset"
    assert folder.list() == {"Warm _ wide": path}
    assert folder.load("Warm _ wide") == pack(PRESET)
    with pytest.raises(PluginError, match="already has"):
        folder.save("Warm / wide", pack(PRESET))
    other = replace(PRESET, component=b"other")
    folder.save("Warm / wide", pack(other), replace=True)
    assert unpack(folder.load("Warm _ wide")) == other
    folder.delete("Warm / wide")
    assert folder.list() == {}
    with pytest.raises(PluginError, match="no preset"):
        folder.load("Warm _ wide")
    with pytest.raises(PluginError, match="Warm"):
        folder.delete("Warm / wide")


def test_presets_of_other_programs_are_found_and_hidden_by_ones_own(folder, tmp_path) -> None:
    there = tmp_path / "shared" / "Some_one" / "Echo_ 2_3"
    write(there / "Bank" / "Deep.vstpreset", PRESET)
    write(there / "Flat.vstpreset", PRESET)
    assert set(folder.list()) == {"Deep", "Flat"}
    own = folder.save("Flat", pack(replace(PRESET, component=b"own")))
    assert folder.list()["Flat"] == own
    assert unpack(folder.load("Flat")).component == b"own"
    assert unpack(folder.load("Deep")) == PRESET
    with pytest.raises(PluginError):
        folder.delete("Deep")
    assert "Deep" in folder.list()


def test_presets_of_other_plugins_are_refused(folder, tmp_path) -> None:
    strange = replace(PRESET, uid="F" * 32)
    with pytest.raises(PluginError, match="another plugin"):
        folder.save("x", pack(strange))
    write(tmp_path / "shared" / "Some_one" / "Echo_ 2_3" / "x.vstpreset", strange)
    with pytest.raises(PluginError, match="another plugin"):
        folder.load("x")
    with pytest.raises(PluginError, match="too short"):
        folder.save("y", b"VST3")
    assert set(folder.list()) == {"x"}


@given(st.text(max_size=300))
def test_any_text_is_a_name_that_stays_in_its_folder_or_none(text) -> None:
    try:
        name = as_file_name(text)
    except PluginError:
        return
    assert Path("a", name).parent == Path("a")
    assert name not in (".", "..")
    assert not set(name) & set('/\\:*?"<>|\0')
    assert 0 < len(name) <= 101


@pytest.mark.parametrize(("text", "name"), [("../../etc", "_.._etc"), ("CON", "_CON"), ("com1.x", "_com1.x")])
def test_names_that_mean_something_else(text, name) -> None:
    assert as_file_name(text) == name


def test_standard_folders_begin_with_the_users_own(tmp_path) -> None:
    assert standard_folders(tmp_path)[0].is_relative_to(tmp_path)
