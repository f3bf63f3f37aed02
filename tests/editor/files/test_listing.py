"""What the file dialog and the browser list, and which files were open last."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from editor.files.listing import MOST_ROWS, PATCHES, crumbs, listed, size_words, target
from editor.files.recent import MOST, Recent
from editor.files.shelf import fitting, on_the_shelves
from editor.files.start import plugins_off
from graph.document import Patch


def test_folders_come_first_and_only_what_fits(tmp_path: Path) -> None:
    for name in ("b.pwp", "A.JSON", "c.wav", ".hidden.pwp"):
        (tmp_path / name).write_bytes(b"12")
    for name in ("z", ".git"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe.pwp")
    (tmp_path / "dangling.pwp").symlink_to(tmp_path / "nowhere")
    names = [row.name for row in listed(tmp_path, PATCHES).rows]
    assert names == ["z", "A.JSON", "b.pwp"]
    assert [row.name for row in listed(tmp_path, PATCHES, hidden=True).rows] == [
        ".git",
        "z",
        ".hidden.pwp",
        "A.JSON",
        "b.pwp",
    ]
    assert [row.name for row in listed(tmp_path, (), "WAV").rows] == ["c.wav"]
    assert listed(tmp_path, PATCHES).rows[1].size == 2


def test_a_large_folder_is_cut_and_one_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for k in range(MOST_ROWS + 5):
        (tmp_path / f"{k}.pwp").touch()
    found = listed(tmp_path, PATCHES)
    assert (len(found.rows), found.more) == (MOST_ROWS, 5)
    assert "cannot be read" in listed(tmp_path / "nowhere").problem
    assert "cannot be read" in listed(Path("a\0b")).problem


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("song", "/m/song.pwp"),
        (" song.json ", "/m/song.json"),
        ("v1.2", "/m/v1.2.pwp"),
        ("../x.PWP", "/x.PWP"),
        ("/else/y", "/else/y.pwp"),
        ("", None),
        ("..", None),
        ("a\0b", None),
    ],
)
def test_a_typed_name_is_a_path(typed: str, path: str | None) -> None:
    assert target(Path("/m"), typed, PATCHES) == (Path(path) if path else None)


def test_words_for_sizes_and_ways() -> None:
    assert [size_words(n) for n in (0, 999, 1500, 250_000, 3_000_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "250 kB",
        "3.0 GB",
    ]
    assert [name for name, _ in crumbs(Path("/a/b"))] == ["/", "a", "b"]


def test_recent_files_are_remembered_once_each(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "data" / "recent.json")
    files = [tmp_path / f"{k}.pwp" for k in range(MOST + 2)]
    for file in files:
        file.touch()
        recent.add(file)
    recent.add(files[5])
    again = Recent(recent.file)
    assert again.paths()[:2] == [files[5], files[-1]]
    assert len(again.paths()) == MOST
    files[5].unlink()
    assert again.paths()[0] == files[-1]


@pytest.mark.parametrize("data", [b"{", b"{}", b"[1]", b'["a\\u0000"]', b'[""]', b"[" * 100_000, b" " * 300_000])
def test_a_hostile_list_is_empty_and_said(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "recent.json"
    file.write_bytes(data)
    recent = Recent(file)
    assert recent.paths() == []
    assert str(file) in recent.problem
    (tmp_path / "x.pwp").touch()
    recent.add(tmp_path / "x.pwp")
    assert json.loads(file.read_text()) == [str(tmp_path / "x.pwp")]


def test_shelves_hold_what_patches_say(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder in (shipped, own):
        folder.mkdir()
    patch = Patch("Ducking")
    patch.description, patch.tags = "Music makes way", ["post"]
    patch.add("g", "gain")
    patch.save(shipped / "d.pwp")
    (own / "broken.json").write_text("{")
    Patch("Elsewhere").save(tmp_path / "e.pwp")
    found = on_the_shelves([tmp_path / "e.pwp", shipped / "d.pwp"], shipped, own)
    assert [(a.shelf, a.name, a.nodes) for a in found] == [
        ("Shipped", "Ducking", 1),
        ("Mine", "broken", 0),
        ("Recent", "Elsewhere", 0),
    ]
    assert found[1].problem
    assert [a.name for a in fitting(found, "WAY post")] == ["Ducking"]
    assert on_the_shelves([], tmp_path / "no", tmp_path / "no") == []


def test_in_safe_mode_there_are_no_plugins_and_the_patch_keeps_them() -> None:
    plugin = {"kind": "plugin", "settings": {"uid": "1"}, "params": {}}
    inner = {
        "nodes": {"p": plugin, "deep": {"kind": "group", "settings": {"patch": {"nodes": {"q": plugin}, "cables": []}}}}
    }
    patch = Patch()
    patch.add("p", "plugin", {"uid": "1"})
    patch.add("own", "user", {"path": "mine.py"})
    patch.add("g", "group", {"patch": {**inner, "cables": []}})
    before = patch.to_json()
    off = plugins_off(patch)
    assert '"plugin"' not in off.to_json()
    assert '"user"' not in off.to_json()
    assert off.to_json().count('"plugin-off"') == 4
    assert patch.to_json() == before
