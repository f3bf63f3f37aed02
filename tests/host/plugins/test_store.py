"""The database of scans: what it gives back, what it makes of damage, and others at it at the same time."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.plugins import database
from host.plugins.database import NAME, STEPS, StoreError
from host.plugins.description import Arrangement, Bus, Description, PluginParam
from host.plugins.store import ClassResult, FileResult, Store

DESCRIPTION = Description(
    "vst3",
    "AB",
    "Größe",
    "Vendor",
    "1.9",
    "Fx|EQ",
    inputs=(Bus("In", "main", 2, "stereo", ("stereo", "mono")),),
    outputs=(Bus("Out", "main", 2, "stereo", ("stereo",), on=False),),
    arrangements=(Arrangement(("stereo",), ("stereo",)),),
    params=(PluginParam(4294967295, "Gain", "dB", 3, 0.1, "-inf", "0", ("a", "b", "c", "d")),),
    latency_frames=480,
)


def good(path: str, version: str = "1.9", uid: str = "AB") -> FileResult:
    from dataclasses import replace

    described = replace(DESCRIPTION, version=version, uid=uid)
    return FileResult(
        path, "vst3", "stamp", "good", "why", "detail", 1.5, 1234.5, 7,
        classes=(ClassResult(uid, "Größe", "good", "", "native", "odd", described),),
    )  # fmt: skip


def test_what_is_kept_comes_back_as_it_was(tmp_path):
    bad = FileResult("/b", "vst3", "s", "crashed", "SIGSEGV", "line", 0.1, 5.0, 7)
    with Store(tmp_path) as store:
        store.put(good("/a"))
        store.put(bad)
    with Store(tmp_path, pytest.fail) as store:
        assert store.files() == [good("/a"), bad]
        assert store.files("/b") == [bad]
        store.put(FileResult("/a", "vst3", "s2", "hung", scanned=1.0))
        assert store.files("/a")[0].classes == ()
        store.forget(["/a"])
        assert [f.path for f in store.files()] == ["/b"]


def test_a_plugin_is_found_by_id_where_its_hint_says_else_the_newest(tmp_path):
    with Store(tmp_path) as store:
        for path, version in (("/a", "1.9"), ("/b", "1.10.0"), ("/c", "1.2")):
            store.put(good(path, version))
        store.put(good("/d", uid="CD"))
        assert store.find("vst3", "AB").path == "/b"
        assert store.find("vst3", "AB", hint="/c").path == "/c"
        assert store.find("vst3", "AB", hint="/never/scanned").path == "/b"
        store.mark_present({"/b": False})
        assert store.find("vst3", "AB").path == "/a"
        assert store.find("vst3", "AB").description.version == "1.9"
        assert store.find("au", "AB") is None
        assert [(p.path, p.description.uid) for p in store.plugins()] == [("/a", "AB"), ("/d", "CD")]


def test_folders_and_latencies_are_kept(tmp_path):
    with Store(tmp_path) as store:
        store.add_folder(Path("/plugins/mine"))
        store.add_folder(Path("/plugins/mine"))
        assert store.folders() == [Path("/plugins/mine")]
        assert store.remove_folder(Path("/plugins/mine"))
        assert not store.remove_folder(Path("/plugins/mine"))
        store.put(good("/a"))
        store.put_latency("/a", "AB", 48000, {"onset": 3})
        assert store.latencies() == {("/a", "AB", 48000): {"onset": 3}}
        store.put(good("/a"))
        assert store.latencies() == {}, "a file that was scanned anew has no measurements"


def test_a_database_of_the_first_schema_is_migrated_with_all_that_is_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "STEPS", STEPS[:1])
    with Store(tmp_path) as store:
        store.put(good("/a"))
        with pytest.raises(StoreError, match="no such table"):
            store.latencies()
    monkeypatch.undo()
    with Store(tmp_path, pytest.fail) as store:
        assert store.files() == [good("/a")]
        store.put_latency("/a", "AB", 48000, {"onset": 3})
    with sqlite3.connect(tmp_path / NAME) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        store.put(good("/a"))
    monkeypatch.setattr(database, "STEPS", (*STEPS, "CREATE TABLE more (a); CREATE TABLE files (a)"))
    with pytest.raises(StoreError, match="files already exists"):
        Store(tmp_path)
    monkeypatch.undo()
    with Store(tmp_path, pytest.fail) as store:
        assert store.files() == [good("/a")]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    with Store(tmp_path) as store:
        store.put(good("/a"))
    with sqlite3.connect(tmp_path / NAME) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"newer Patchwright \(schema 99"):
        Store(tmp_path, pytest.fail)
    assert [p.name for p in tmp_path.glob("*.bad*")] == []


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_set_aside_and_said(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    said: list[str] = []
    with Store(tmp_path, said.append) as store:
        assert store.files() == []
        store.put(good("/a"))
    assert len(said) == 1
    assert "is damaged" in said[0]
    assert (tmp_path / f"{NAME}.bad1").read_bytes() == content
    with Store(tmp_path, pytest.fail) as store:
        assert store.files() == [good("/a")]


def test_another_programs_database_is_set_aside_whole(tmp_path):
    with sqlite3.connect(tmp_path / NAME) as raw:
        raw.execute("CREATE TABLE theirs (a)")
    raw.close()
    said: list[str] = []
    Store(tmp_path, said.append).close()
    assert "no database of plugins" in said[0]
    with sqlite3.connect(tmp_path / f"{NAME}.bad1") as raw:
        assert raw.execute("SELECT count(*) FROM theirs").fetchone() == (0,)


def test_a_result_that_cannot_be_kept_leaves_the_one_before(tmp_path):
    with Store(tmp_path) as store:
        store.put(good("/a"))
        with pytest.raises(StoreError, match="NOT NULL"):
            store.put(FileResult("/a", "vst3", "new", "good", classes=(ClassResult(None, "x", "good"),)))  # type: ignore
        assert store.files() == [good("/a")]


def test_a_schema_that_is_none_of_ours_is_damage(tmp_path):
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / NAME) as raw:
        raw.execute("ALTER TABLE classes RENAME COLUMN backend TO bakend")
    raw.close()
    said: list[str] = []
    with Store(tmp_path, said.append) as store:
        store.put(good("/a"))
    assert "its schema is none of ours" in said[0]


def test_a_database_that_another_has_mended_meanwhile_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "data" / NAME
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)

    @contextmanager
    def mended(folder):
        with Store(tmp_path / "other") as store:
            store.put(good("/a"))
        (tmp_path / "other" / NAME).replace(path)
        yield

    monkeypatch.setattr(database, "scanning", mended)
    with Store(path.parent, pytest.fail) as store:
        assert store.files() == [good("/a")]


def test_whatever_is_damaged_it_opens_or_says_why(tmp_path):
    with Store(tmp_path) as store:
        for k in range(60):
            store.put(good(f"/{k}"))
    whole = (tmp_path / NAME).read_bytes()
    chance = random.Random(3)
    aside = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 8, 200))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        (tmp_path / NAME).write_bytes(data)
        said: list[str] = []
        try:
            with Store(tmp_path, said.append) as store:
                aside += any("damaged" in words for words in said)
                store.files()
                store.plugins()
                store.put(good("/new"))
                assert store.files("/new") == [good("/new")]
        except StoreError:
            pass
        for path in tmp_path.glob(f"{NAME}*"):
            path.unlink()
    assert aside > 10


def test_a_description_that_is_wrong_is_said_and_passed_over(tmp_path):
    with Store(tmp_path) as store:
        store.put(good("/a"))
        store.put(good("/b"))
    with sqlite3.connect(tmp_path / NAME) as raw:
        raw.execute("UPDATE classes SET description = '{\"format\": 3}' WHERE path = '/b'")
    raw.close()
    said: list[str] = []
    with Store(tmp_path, said.append) as store:
        assert [f.path for f in store.plugins()] == ["/a"]
        assert store.files("/b")[0].verdict == "good"
    assert any("scan again" in words for words in said)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        Store(tmp_path / "file" / "below")


def test_many_may_open_a_new_database_at_once(tmp_path):
    root = str(Path(__file__).resolve().parents[3])
    words = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from host.plugins.store import *;"
        "s = Store(Path(sys.argv[2]), print); [s.put(FileResult(f'/{sys.argv[3]}{k}', 'vst3', '', 'good')) "
        "for k in range(10)]"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", words, root, str(tmp_path), str(k)], stdout=subprocess.PIPE, stderr=sys.stderr
        )
        for k in range(6)
    ]
    assert [(p.communicate()[0], p.returncode) for p in processes] == [(b"", 0)] * 6
    with Store(tmp_path, pytest.fail) as store:
        assert len(store.files()) == 60


def test_a_damaged_database_opened_by_many_is_set_aside_once(tmp_path):
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    said: list[str] = []
    failed: list[StoreError] = []
    gate = threading.Barrier(6)

    def work() -> None:
        gate.wait()
        try:
            Store(tmp_path, said.append).close()
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [p.name for p in tmp_path.glob("*.bad*")] == [f"{NAME}.bad1"]
    assert len(said) == 1
    assert all("another scan is at work" in str(error) for error in failed)
