"""Files that a patch names are found again, and go with it when it is saved elsewhere or collected."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from editor.files.collect import StoppedError, collected, to_folder, to_zip
from editor.files.missing import as_named, missing_files, moved, named_files, search
from graph.document import Patch
from graph.edits import Batch
from graph.errors import PatchError
from graph.patchfile import load
from nodes import kinds


def never() -> bool:
    return False


def tell(done: int, whole: int) -> None:
    assert 0 <= done <= whole


@pytest.fixture
def shipped(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root / "patches", tmp_path / "patches")
    return tmp_path / "patches" / "duck_music_under_dialogue.json"


@pytest.fixture
def grouped(tmp_path: Path) -> Patch:
    """A patch that reads a file in a group, and writes one."""
    inner = {"nodes": {"play": {"kind": "file_player", "settings": {"path": "a/take.wav"}}}, "cables": []}
    patch = Patch()
    patch.add("g", "group", {"patch": inner, "ports": {"out": "play.out"}})
    patch.add("rec", "file_recorder", {"path": "out.wav"})
    patch.folder = tmp_path
    return patch


def test_named_files_are_found_in_groups_too(grouped: Patch) -> None:
    found = [(named.address, named.path, named.read) for named in named_files(grouped, kinds())]
    assert found == [("g/play", "a/take.wav", True), ("rec", "out.wav", False)]
    assert [named.address for named in missing_files(grouped, kinds())] == ["g/play"]


def test_a_file_in_a_group_is_relinked(grouped: Patch, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "Take.WAV").touch()
    (named,) = missing_files(grouped, kinds())
    (found,) = search([named.path], [tmp_path])[named.path]
    named.naming(as_named(found, tmp_path)).apply(grouped)
    assert missing_files(grouped, kinds()) == []
    assert named_files(grouped, kinds())[0].path == "b/Take.WAV"


def test_the_best_match_comes_first(tmp_path: Path) -> None:
    for place in ("x/take.wav", "y/day2/take.wav", "take.wav", ".hidden/day1/take.wav", "z/day1/take.wav"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = search(["D:\\film\\day1\\take.wav"], [tmp_path])["D:\\film\\day1\\take.wav"]
    assert [file.relative_to(tmp_path).as_posix() for file in found] == [
        "z/day1/take.wav",
        "take.wav",
        "x/take.wav",
        "y/day2/take.wav",
    ]


def test_files_are_named_from_where_the_patch_is(tmp_path: Path) -> None:
    assert as_named(tmp_path / "a" / "b.wav", tmp_path) == "a/b.wav"
    assert as_named(tmp_path / "a" / "b.wav", tmp_path / "c") == "../a/b.wav"
    far = tmp_path / "1" / "2" / "3" / "4" / "5"
    assert as_named(tmp_path / "b.wav", far) == (tmp_path / "b.wav").as_posix()


def test_saved_elsewhere_it_reads_the_same_files(shipped: Path, tmp_path: Path) -> None:
    patch = load(shipped)
    before = {(patch.folder / named.path).resolve() for named in named_files(patch, kinds())}
    elsewhere = tmp_path / "other" / "place"
    elsewhere.mkdir(parents=True)
    Batch("", tuple(moved(patch, kinds(), elsewhere))).apply(patch)
    patch.save(elsewhere / "p.pwp")
    again = load(elsewhere / "p.pwp")
    assert missing_files(again, kinds()) == []
    assert {(again.folder / named.path).resolve() for named in named_files(again, kinds())} == before
    assert moved(again, kinds(), elsewhere) == []


def test_what_was_chosen_in_full_is_named_from_the_patch_where_it_lies_below_it(shipped: Path, tmp_path: Path) -> None:
    patch = load(shipped)
    full = (shipped.parent / "audio" / "music.flac").resolve()
    patch.node("music").settings["path"] = str(full)
    Batch("", tuple(moved(patch, kinds(), shipped.parent))).apply(patch)
    assert patch.node("music").settings["path"] == "audio/music.flac"
    patch.node("music").settings["path"] = str(full)
    Batch("", tuple(moved(patch, kinds(), tmp_path / "elsewhere"))).apply(patch)
    assert patch.node("music").settings["path"] == str(full)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_collection_stands_alone(shipped: Path, tmp_path: Path, zipped: bool) -> None:
    original = load(shipped)
    collection = collected(original, kinds())
    assert collection.missing == ()
    target = tmp_path / "target"
    target.mkdir()
    if zipped:
        archive = to_zip(collection, target / "all.zip", "all", tell, never)
        with zipfile.ZipFile(archive) as opened:
            assert opened.testzip() is None
            opened.extractall(target)
        archive.unlink()
    else:
        assert to_folder(collection, target, "all", tell, never) == target / "all" / "all.pwp"
    contents = {named.node: (original.folder / named.path).read_bytes() for named in named_files(original, kinds())}
    shutil.rmtree(shipped.parent)
    (target / "all").rename(tmp_path / "moved")
    patch = load(tmp_path / "moved" / "all.pwp")
    assert missing_files(patch, kinds()) == []
    assert {n.node: (patch.folder / n.path).read_bytes() for n in named_files(patch, kinds())} == contents
    assert [file.name for file in target.iterdir()] == []


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    patch = Patch()
    for k in ("a", "b", "c"):
        (tmp_path / k).mkdir()
        (tmp_path / k / "take.wav").write_bytes(k.encode())
        patch.add(k, "file_player", {"path": f"{k}/take.wav"})
    patch.add("again", "file_player", {"path": "a/take.wav"})
    patch.add("gone", "file_player", {"path": "gone.wav"})
    patch.folder = tmp_path
    collection = collected(patch, kinds())
    assert collection.missing == ("gone.wav",)
    read = {
        n.node: collection.files[n.path].read_bytes()
        for n in named_files(collection.patch, kinds())
        if n.node != "gone"
    }
    assert read == {"a": b"a", "again": b"a", "b": b"b", "c": b"c"}
    assert len(collection.files) == 3


def test_a_collection_that_is_stopped_or_in_the_way_leaves_all_as_it_was(shipped: Path, tmp_path: Path) -> None:
    collection = collected(load(shipped), kinds())
    target = tmp_path / "target"
    target.mkdir()
    asked: list[int] = []

    def soon() -> bool:
        asked.append(1)
        return len(asked) > 1

    with pytest.raises(StoppedError):
        to_folder(collection, target, "all", tell, soon)
    asked.clear()
    with pytest.raises(StoppedError):
        to_zip(collection, target / "all.zip", "all", tell, soon)
    assert list(target.iterdir()) == []
    (target / "all").mkdir()
    with pytest.raises(PatchError):
        to_folder(collection, target, "all", tell, never)
    assert list((target / "all").iterdir()) == []
