"""The disk cache: what is heard stays the same to the bit, copies are of the files as they are now, none is left."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from graph.spec import FileRequest
from host.disk import cache as module
from host.disk.cache import Copy, DiskCache
from host.disk.memory import Memory
from host.disk.reader import Reader
from host.disk.tapes import AHEAD, RING, Tape
from host.services import FileServices

from .conftest import RATE, Head, holds, noise, offline, play, until, write

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies are made on Linux only")

CHUNK = 512
PLENTY = 1 << 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes a second takes less."""
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    monkeypatch.setattr(module, "SETTLED_S", 0.02)
    monkeypatch.setattr(module, "BUSY_S", 0.001)
    monkeypatch.setattr("host.disk.tapes.RETRY_S", 0.01)


@contextmanager
def reading(folder: Path, head: Head, most: int = PLENTY) -> Iterator[tuple[Reader, list[str]]]:
    said: list[str] = []
    with Reader(RATE, FileServices(folder), head, said.append) as reader:
        reader.cache.limit(most)
        yield reader, said
    assert not copies_of_this()
    assert "disk cache" not in {thread.name for thread in threading.enumerate()}


@contextmanager
def caching(*paths: Path, most: int = PLENTY, busy: Callable[[], bool] = lambda: False) -> Iterator[DiskCache]:
    with closing(DiskCache(most, busy)) as cache:
        cache.want(paths)
        yield cache


def open_files() -> dict[int, str]:
    """What this process has open, by its number."""
    found: dict[int, str] = {}
    for link in Path("/proc/self/fd").iterdir():
        try:
            found[int(link.name)] = str(link.readlink())
        except OSError:
            continue  # the one that lists them
    return found


def copies_of_this() -> set[int]:
    """Which copies are in memory, whoever holds them."""
    found: set[int] = set()
    for number, name in open_files().items():
        if name.startswith("/memfd:patchwright"):
            found.add(os.stat(number).st_ino)
    return found


def from_memory(tape: Tape) -> Callable[[], bool]:
    return lambda: str(tape.path) not in open_files().values() and tape._copy is not None


def from_disk(tape: Tape) -> Callable[[], bool]:
    return lambda: str(tape.path) in open_files().values() and tape._copy is None


def content(copy: Copy) -> bytes:
    with os.fdopen(copy.open(), "rb") as file:
        return file.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a.wav", noise(8 * RATE))
    write(tmp_path / "b.flac", noise(8 * RATE, seed=1), subtype="PCM_24")
    write(tmp_path / "c.wav", noise(8 * 44100, seed=2), rate=44100, subtype="PCM_16")
    write(tmp_path / "d.wav", noise(8 * 96000, 1, seed=3), rate=96000)
    write(tmp_path / "e.ogg", noise(8 * RATE, seed=4))
    return tmp_path


REQUESTS = {
    "wav": FileRequest("a.wav"),
    "flac": FileRequest("b.flac", offset_s=0.3),
    "44100": FileRequest("c.wav", start_s=0.1),
    "96000": FileRequest("d.wav"),
    "ogg": FileRequest("e.ogg"),
    "looped": FileRequest("b.flac", offset_s=6.21, loop=True),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_sound_is_the_same_when_the_copy_takes_over_and_when_the_disk_does(folder: Path, name: str) -> None:
    """Resampled by half or decoded, a file that was opened anew in the middle would differ in the last bits."""
    request, head = REQUESTS[name], Head()
    found: list[np.ndarray] = []
    with reading(folder, head, most=0) as (reader, said):
        tape = reader.tape("n", request, 1 if name == "96000" else 2, 0)
        for most, there in ((0, from_disk(tape)), (PLENTY, from_memory(tape)), (0, from_disk(tape))):
            reader.cache.limit(most)
            until(there, f"{most} bytes to be in use")
            found += [play(tape, head, CHUNK) for _ in range(220)]
    expected = offline(folder, request, 0, head.place)
    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert head.place > 3 * AHEAD
    assert expected[-CHUNK:].any()
    assert not said
    assert tape.late == 0


def test_two_players_of_a_file_share_a_copy(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, _):
        tapes = [reader.tape(f"n{k}", FileRequest("a.wav", start_s=k / 10), 2, 0) for k in range(3)]
        tapes.append(reader.tape("m", FileRequest("b.flac"), 2, 0))
        for tape in tapes:
            until(from_memory(tape), "the copy")
        assert len(copies_of_this()) == 2
        sizes = [(folder / name).stat().st_size for name in ("a.wav", "b.flac")]
        until(lambda: reader.cache.counts == (2, sum(sizes), 2, sum(sizes), False), "the count")


def test_copies_keep_to_the_limit_and_as_many_files_as_can_be_have_one(folder: Path) -> None:
    paths = [folder / name for name in ("a.wav", "b.flac", "c.wav", "d.wav")]
    sizes = sorted(path.stat().st_size for path in paths)
    with caching(*paths, most=sum(sizes[:3]) + 1000) as cache:
        until(lambda: cache.counts.kept == 3 and not cache.counts.keeping, "three copies")
        assert cache.counts == (4, sum(sizes), 3, sum(sizes[:3]), False)
        assert len(copies_of_this()) == 3
        cache.limit(sum(sizes))
        until(lambda: cache.counts.kept == 4, "the fourth")
        cache.limit(sizes[0])
        until(lambda: cache.counts.kept == 1, "the others to go")
        assert cache.counts.kept_bytes == sizes[0]
        cache.limit(0)
        until(lambda: not copies_of_this(), "the last to go")


def test_a_copy_has_every_byte(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 5000)
    monkeypatch.setattr(module, "BYTES_PER_S", 1 << 40)
    path = folder / "b.flac"
    with caching(path) as cache:
        until(lambda: cache.counts.kept == 1, "the copy")
        news = cache.news(path)
        assert news is not None
        assert news.copy is not None
        assert content(news.copy) == path.read_bytes()


@pytest.mark.parametrize("how", ["by another", "in place"])
def test_a_file_that_is_written_anew_is_heard_as_it_is_now(folder: Path, how: str) -> None:
    other = write(folder / "new.wav", noise(8 * RATE, seed=9), subtype="PCM_24")
    expected = offline(folder, FileRequest("new.wav"), 0, 8 * RATE)
    before = offline(folder, REQUESTS["wav"], 0, 8 * RATE)
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(from_memory(tape), "the copy")
        held = copies_of_this()
        np.testing.assert_array_equal(play(tape, head, CHUNK), before[:CHUNK])
        if how == "by another":
            other.rename(folder / "a.wav")
        else:
            (folder / "a.wav").write_bytes(other.read_bytes())
        head.place = RATE

        def heard_anew() -> bool:
            head.place += CHUNK
            part = play(tape, head, CHUNK)
            return np.array_equal(part, expected[head.place - CHUNK : head.place])

        until(heard_anew, "the new sound")
        until(from_memory(tape), "the copy of the new file")
        assert copies_of_this() - held
        head.place = 0
        np.testing.assert_array_equal(play(tape, head, CHUNK), expected[:CHUNK])
    assert not said


def test_while_a_file_is_being_written_the_copy_is_heard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = Head()
    expected = offline(folder, REQUESTS["wav"], 0, 8 * RATE)
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(from_memory(tape), "the copy")
        monkeypatch.setattr(module, "SETTLED_S", 60.0)
        looks = reader.cache._looks
        (folder / "a.wav").write_bytes((folder / "a.wav").read_bytes()[:5000])
        until(lambda: reader.cache._looks is not looks and reader.cache.news(tape.path) is None, "a look at it")
        found = [play(tape, head, CHUNK) for _ in range(2 * RING // CHUNK)]
        np.testing.assert_array_equal(np.concatenate(found), expected[: head.place])
    assert not said


def test_a_file_that_goes_plays_on_from_memory_which_is_said(folder: Path) -> None:
    head = Head()
    path = folder / "a.wav"
    expected = offline(folder, REQUESTS["wav"], 0, 8 * RATE)
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(from_memory(tape), "the copy")
        path.rename(folder / "away.wav")
        until(lambda: bool(said), "word of it")
        found = [play(tape, head, CHUNK) for _ in range(2 * RING // CHUNK)]
        np.testing.assert_array_equal(np.concatenate(found), expected[: head.place])
        assert said == [f"{path}: is not there any more; it plays on from memory"]
        (folder / "away.wav").rename(path)
        until(lambda: len(said) == 2, "word of its return")
        assert said[1] == f"{path}: is there again"
        assert from_memory(tape)()


def test_a_file_that_changes_while_it_is_copied_is_copied_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, add, changed = folder / "a.wav", Copy.add, threading.Event()
    size = path.stat().st_size

    def change(copy: Copy, source: int, place: int, most: int) -> int:
        if place + most >= size and not changed.is_set():
            changed.set()
            with path.open("rb+") as file:
                file.seek(size - 200)
                file.write(b"\1" * 100)
        return add(copy, source, place, most)

    monkeypatch.setattr(Copy, "add", change)
    with caching(path) as cache:
        until(lambda: changed.is_set() and cache.counts.kept == 1, "the copy")
        assert set(cache._copies) == {module.stamp_at(path)}
        (copy,) = cache._copies.values()
        assert content(copy) == path.read_bytes()


def test_nothing_is_copied_while_players_need_the_disk(folder: Path) -> None:
    asked: list[bool] = []
    with caching(folder / "a.wav", busy=lambda: asked.append(True) or len(asked) < 200) as cache:
        until(lambda: len(asked) >= 100, "the players to have what they need")
        assert cache._going is None
        until(lambda: cache.counts.kept == 1, "the copy")
        assert len(asked) >= 200


def test_copies_of_what_is_not_played_any_more_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(folder, Head()) as (reader, _):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(from_memory(tape), "the copy")
        held = copies_of_this()
        reader.keep_only([])
        until(lambda: reader.cache.counts.files == 0, "the cache to know")
        # Who undoes it finds it where it was.
        again = reader.tape("n", REQUESTS["wav"], 2, 0)
        assert again is not tape
        until(from_memory(again), "the copy")
        assert copies_of_this() == held
        monkeypatch.setattr(module, "UNUSED_S", 0.05)
        reader.keep_only([])
        until(lambda: not copies_of_this(), "the copy to go")


def test_what_is_not_played_makes_room_the_longest_unused_first(folder: Path) -> None:
    a, b, c, d = (folder / name for name in ("a.wav", "b.flac", "c.wav", "d.wav"))
    room = a.stat().st_size + b.stat().st_size + c.stat().st_size
    with caching(a, b, c, most=room) as cache:
        until(lambda: cache.counts.kept == 3, "three copies")
        first = {path: cache._copies[module.stamp_at(path)] for path in (a, b, c)}
        for left in ((b, c), (b,)):
            cache.want(left)
            until(lambda left=left: cache.counts.files == len(left), "a look")
            until(lambda: cache.news(b) is not None, "what is played to be settled")
        cache.want((b, d))
        until(lambda: cache.counts.kept == 2, "the copy of another")
        kept = list(cache._copies.values())
        assert first[b] in kept
        assert first[a] not in kept
        assert first[c] in kept


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = folder / "b.flac", folder / "a.wav"
    add, refused = Copy.add, bad.stat().st_ino

    def broken(copy: Copy, source: int, place: int, most: int) -> int:
        if os.fstat(source).st_ino == refused:
            raise OSError(5, "Input/output error")
        return add(copy, source, place, most)

    monkeypatch.setattr(Copy, "add", broken)
    with caching(bad, good) as cache:
        until(lambda: cache.counts.kept == 1 and not cache.counts.keeping, "the other copy")
        assert cache.counts.kept_bytes == good.stat().st_size
        assert not [name for name in open_files().values() if name == str(bad)]


def test_a_disk_that_hangs_stalls_nothing_that_is_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = Head()
    gate, hanging = threading.Event(), threading.Event()
    expected = offline(folder, REQUESTS["wav"], 0, 8 * RATE)
    stamp_at = module.stamp_at

    def hang(path: Path) -> object:
        hanging.set()
        gate.wait(60)
        return stamp_at(path)

    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(from_memory(tape), "the copy")
        monkeypatch.setattr(module, "stamp_at", hang)
        assert hanging.wait(30)
        found = [play(tape, head, CHUNK) for _ in range(2 * RING // CHUNK)]
        np.testing.assert_array_equal(np.concatenate(found), expected[: head.place])
        reader.cache.close(0.01)  # leaves the thread behind
        reader.keep_only([])
        until(lambda: not copies_of_this(), "the memory to be free all the same")
        gate.set()
    assert not said
    assert tape.late == 0


def test_copies_leave_memory_for_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (folder / "a.wav").stat().st_size
    there = [Memory(100 * size, 25 * size + size // 2)]
    monkeypatch.setattr(module, "memory", lambda: there[0])
    with caching(folder / "a.wav") as cache:
        until(lambda: cache.news(folder / "a.wav") is not None and not cache.counts.keeping, "a look")
        assert not copies_of_this()
        there[0] = Memory(100 * size, 26 * size + size // 2)
        until(lambda: cache.counts.kept == 1, "the copy")
        there[0] = Memory(100 * size, 6 * size)
        until(lambda: not copies_of_this(), "the copy to go")


def test_a_player_goes_back_to_the_disk_when_memory_is_short(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [Memory(PLENTY, PLENTY)]
    monkeypatch.setattr(module, "memory", lambda: there[0])
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["flac"], 2, 0)
        until(from_memory(tape), "the copy")
        there[0] = Memory(PLENTY, PLENTY // 20)
        until(lambda: from_disk(tape)() and not copies_of_this(), "it to go")
        found = [play(tape, head, CHUNK) for _ in range(2 * RING // CHUNK)]
        np.testing.assert_array_equal(np.concatenate(found), offline(folder, REQUESTS["flac"], 0, head.place))
        assert holds(tape, 0, head.place, CHUNK)
    assert not said


def test_without_a_limit_of_ones_own_the_machine_says_how_much(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (folder / "a.wav").stat().st_size
    for available, copies in ((4 * size - 8, 0), (4 * size + 8, 1)):
        monkeypatch.setattr(module, "memory", lambda available=available: Memory(available, available))
        with closing(DiskCache()) as cache:
            cache.want([folder / "a.wav"])
            until(lambda cache=cache: cache.counts.files == 1 and not cache.counts.keeping, "the copy")
            assert cache.counts.kept == copies


def test_elsewhere_files_are_only_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform="darwin"))
    path = folder / "a.wav"
    with caching(path) as cache:
        until(lambda: cache.news(path) is not None, "a look")
        assert cache.news(path) == (module.stamp_at(path), None)
        until(lambda: cache.counts == (1, path.stat().st_size, 0, 0, False), "the count")


def test_what_is_wanted_again_and_again_is_not_looked_at_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 1e9)
    stamp_at, looks = module.stamp_at, list[Path]()
    monkeypatch.setattr(module, "stamp_at", lambda path: looks.append(path) or stamp_at(path))
    paths = [folder / name for name in ("a.wav", "b.flac", "c.wav")]
    with caching() as cache:
        for count in (1, 2, 3):
            cache.want(paths[:count])
            until(lambda count=count: cache.counts.files == count, "a look")
        assert looks == paths
