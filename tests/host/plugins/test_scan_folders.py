"""Where plugins are looked for, and what counts as a change of one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from host.plugins.folders import find, stamp, standard_folders


def bundle(path: Path, content: bytes = b"code") -> Path:
    library = path / "Contents" / "x86_64-linux" / f"{path.stem}.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(content)
    return path


def names(*places: Path, system: str = "linux") -> list[str]:
    return [c.path.name for c in find(places, pytest.fail, system)]


def test_each_system_has_its_folders():
    home = Path("/users/me")
    assert standard_folders("linux", {"VST3_PATH": f"/mine{os.pathsep}/yours"}, home)[:5] == [
        Path("/mine"),
        Path("/yours"),
        home / ".vst3",
        Path("/usr/lib/vst3"),
        Path("/usr/local/lib/vst3"),
    ]
    mac = standard_folders("darwin", {}, home)
    assert home / "Library/Audio/Plug-Ins/VST3" in mac
    assert Path("/Library/Audio/Plug-Ins/Components") in mac
    windows = standard_folders("win32", {"CommonProgramFiles": "D:/Common", "LOCALAPPDATA": "D:/Local"}, home)
    assert windows == [Path("D:/Local/Programs/Common/VST3"), Path("D:/Common/VST3")]


def test_plugins_are_found_below_and_bundles_are_not_looked_into(tmp_path):
    bundle(tmp_path / "b.vst3")
    bundle(tmp_path / "vendor" / "deep" / "A.VST3")
    bundle(tmp_path / "b.vst3" / "Contents" / "Resources" / "inner.vst3")
    (tmp_path / "readme.txt").touch()
    (tmp_path / "single.vst3").touch()
    assert names(tmp_path) == ["b.vst3", "single.vst3", "A.VST3"]
    assert names(tmp_path / "b.vst3") == ["b.vst3"]
    assert names(tmp_path / "nowhere") == []


def test_audio_units_are_plugins_on_macos_only(tmp_path):
    bundle(tmp_path / "one.component")
    assert names(tmp_path) == []
    assert names(tmp_path, system="darwin") == ["one.component"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_links_lead_to_each_plugin_once_and_never_round_and_round(tmp_path):
    bundle(tmp_path / "a" / "one.vst3")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "gone.vst3").symlink_to(tmp_path / "nothing")
    assert names(tmp_path, tmp_path / "a") == ["one.vst3"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_is_passed_over_and_said(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/\xff.vst3")
    bundle(tmp_path / "one.vst3")
    said: list[str] = []
    assert [c.path.name for c in find([tmp_path], said.append)] == ["one.vst3"]
    assert len(said) == 1
    assert r"\xff.vst3" in said[0]


def test_a_stamp_changes_with_the_binary_and_not_with_resources(tmp_path):
    path = bundle(tmp_path / "one.vst3")
    library = path / "Contents" / "x86_64-linux" / "one.so"
    resources = path / "Contents" / "Resources"
    resources.mkdir()
    first = stamp(path)
    (resources / "preset").write_bytes(b"x")
    assert stamp(path) == first
    seen = {first}
    before = library.stat()
    library.write_bytes(b"longer code")
    os.utime(library, ns=(before.st_atime_ns, before.st_mtime_ns))
    seen.add(stamp(path))
    os.utime(library, ns=(1, 1))
    seen.add(stamp(path))
    copy = library.with_suffix(".new")
    copy.write_bytes(library.read_bytes())
    os.utime(copy, ns=(1, 1))
    os.replace(copy, library)
    seen.add(stamp(path))
    assert len(seen) == 4
    with pytest.raises(OSError, match="nothing"):
        stamp(tmp_path / "nothing.vst3")
