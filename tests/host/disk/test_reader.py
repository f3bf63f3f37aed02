"""Tapes hold, bit for bit, what a render is fed: in a long walk, after jumps, and through disks that fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from graph.spec import FileRequest
from host.audiofile import AudioReader
from host.disk import reader as module
from host.disk.reader import STEP, Reader
from host.disk.tapes import AHEAD, PIECE, RING, Bank, spare
from host.services import FileServices

from .conftest import RATE, Head, agrees, heard, holds, noise, offline, play, span, until, write

CHUNK = 512


@contextmanager
def reading(folder: Path, head: Head, rate: int = RATE) -> Iterator[tuple[Reader, list[str]]]:
    said: list[str] = []
    with Reader(rate, FileServices(folder), head, said.append) as reader:
        yield reader, said
    assert not [t for t in threading.enumerate() if t.name == "disk reader"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of several kinds, some four seconds each."""
    write(tmp_path / "a.wav", noise(4 * RATE))
    write(tmp_path / "b.flac", noise(4 * RATE, seed=1), subtype="PCM_24")
    write(tmp_path / "c.wav", noise(4 * 44100, seed=2), rate=44100, subtype="PCM_16")
    write(tmp_path / "d.wav", noise(4 * 96000, 1, seed=3), rate=96000)
    write(tmp_path / "e.wav", noise(3 * RATE, 6, seed=4), subtype="PCM_24")
    write(tmp_path / "short.wav", noise(1000, seed=5))
    return tmp_path


REQUESTS = {
    "wav": FileRequest("a.wav"),
    "flac": FileRequest("b.flac"),
    "44100": FileRequest("c.wav", start_s=0.1),
    "96000": FileRequest("d.wav"),
    "six": FileRequest("e.wav", offset_s=0.3),
    "looped": FileRequest("a.wav", offset_s=3.21, loop=True),
    "looped 44100": FileRequest("c.wav", start_s=0.5, offset_s=1.0, loop=True),
    "looped flac": FileRequest("b.flac", offset_s=2.5, loop=True),
    "short": FileRequest("short.wav", start_s=0.25, offset_s=0.001, loop=True),
    "late": FileRequest("a.wav", start_s=2.0, offset_s=1.5),
}
CHANNELS = {"96000": 1, "six": 6}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_long_walk_hears_what_a_render_is_fed(folder: Path, name: str) -> None:
    frames = 6 * RATE // CHUNK * CHUNK
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS[name], CHANNELS.get(name, 2), 0)
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(frames // CHUNK)])
    expected = offline(folder, REQUESTS[name], 0, frames)
    np.testing.assert_array_equal(found, expected)
    assert expected.any()
    assert not said
    assert tape.late == 0


def test_all_that_a_bank_says_is_there_is_there(folder: Path) -> None:
    head = Head()
    request = REQUESTS["wav"]
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", request, 2, 0)
        for place in (0, 40_000, 100_000, 150_000):
            head.place = place
            until(lambda place=place: holds(tape, 0, place, AHEAD), "the ring to fill")
            start, end = span(tape, 0)
            assert end - start <= RING
            assert start <= max(0, place - RING // 8)
            np.testing.assert_array_equal(
                heard(tape, 0, start, end - start), offline(folder, request, start, end - start)
            )


@pytest.mark.parametrize("name", ["wav", "flac", "44100", "looped", "looped 44100", "late", "six"])
def test_after_a_jump_it_is_still_the_same_sound(folder: Path, name: str) -> None:
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS[name], CHANNELS.get(name, 2), 0)
        other = reader.tape("o", FileRequest("a.wav"), 2, 0)
        play(tape, head, CHUNK)
        for place in (100_003, 7, 150_000, 150_064, 48_000, 0):
            ticket = reader.cue(place, None)
            until(lambda ticket=ticket: reader.cued(ticket), "the cue")
            assert holds(tape, spare(head.bank), place, RATE // 4)
            assert holds(other, spare(head.bank), place, RATE // 4)
            head.jump(place)
            found = np.concatenate([play(tape, head, CHUNK) for _ in range(40)])
            np.testing.assert_array_equal(found, offline(folder, REQUESTS[name], place, len(found)))
            np.testing.assert_array_equal(
                heard(other, head.bank, place, CHUNK), offline(folder, FileRequest("a.wav"), place, CHUNK)
            )
    assert not said
    assert tape.late == 0


def test_a_jump_at_twice_the_rate_is_within_the_last_bits(folder: Path) -> None:
    """The resampler of a halved rate works in blocks, so where it began shows in the last bit."""
    head = Head()
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", REQUESTS["96000"], 1, 100_003)
        head.place = 100_003
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(40)])
    whole = offline(folder, REQUESTS["96000"], 0, 100_003 + len(found))
    assert np.abs(found - whole[100_003:]).max() < 1e-7


def test_who_lags_behind_finds_what_is_before_a_jump(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        ticket = reader.cue(100_000, None)
        until(lambda: reader.cued(ticket), "the cue")
        np.testing.assert_array_equal(
            heard(tape, 2, 100_000 - 8192, 8192), offline(folder, REQUESTS["wav"], 100_000 - 8192, 8192)
        )


def test_a_newer_cue_goes_before_an_older_one(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        first, second = reader.cue(50_000, None), reader.cue(120_000, None)
        until(lambda: reader.cued(second), "the second cue")
        assert not reader.cued(first)
        assert holds(tape, 2, 120_000, RATE // 4)


def test_a_place_that_was_not_cued_is_read_when_it_is_seen(folder: Path) -> None:
    head = Head(rolling=False)
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        for place in (170_000, 20_000):
            head.place = place
            np.testing.assert_array_equal(play(tape, head, CHUNK), offline(folder, REQUESTS["wav"], place, CHUNK))
    assert not said


def test_a_tape_that_begins_later_waits_for_its_place(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 60_000)
        assert holds(tape, 0, 60_000, RATE // 4)
        head.place = 4096
        other = reader.tape("o", REQUESTS["wav"], 2, 4096)
        until(lambda: holds(other, 0, 4096, AHEAD), "the other tape")
        assert holds(tape, 0, 60_000, RATE // 4)
        reader.keep_only(["n"])
        head.place = 60_000
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(200)])
        np.testing.assert_array_equal(found, offline(folder, REQUESTS["wav"], 60_000, len(found)))
    assert not said


def test_the_same_request_gives_the_same_tape(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        assert reader.tape("n", REQUESTS["wav"], 2, 5) is tape
        other = reader.tape("n", REQUESTS["flac"], 2, 0)
        third = reader.tape("m", REQUESTS["wav"], 2, 0)
        assert len({id(tape), id(other), id(third)}) == 3
        reader.keep_only(["n"])
        assert reader.tape("n", REQUESTS["flac"], 2, 0) is other
        assert reader.tape("m", REQUESTS["wav"], 2, 0) is not third
        again = reader.tape("n", REQUESTS["wav"], 2, 0)
        assert again is not tape


def test_files_are_let_go(folder: Path) -> None:
    fds = Path("/proc/self/fd")
    if not fds.is_dir():
        pytest.skip("this system does not list open files")

    def is_open() -> bool:
        links = [fd for fd in fds.iterdir() if fd.is_symlink()]
        return str(folder / "a.wav") in {str(fd.readlink()) for fd in links if fd.exists()}

    with reading(folder, Head()) as (reader, _):
        reader.tape("n", REQUESTS["wav"], 2, 0)
        assert is_open()
        reader.keep_only([])
        until(lambda: not is_open(), "the file to be closed")
        reader.tape("n", REQUESTS["wav"], 2, 0)
        assert is_open()
    assert not is_open()


def test_a_mono_file_feeds_two_channels(folder: Path) -> None:
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["96000"], 2, 0)
        found = play(tape, head, 4096)
        np.testing.assert_array_equal(found, offline(folder, REQUESTS["96000"], 0, 4096)[:, [0, 0]])
        wrong = reader.tape("w", REQUESTS["six"], 2, 0)
        assert not heard(wrong, 0, 0, 4096).any()
        assert said == [f"{folder / 'e.wav'}: has 6 channels; expected 2; it is silent"]


class Stalling:
    """Every read waits while the gate is shut."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        read_into = AudioReader.read_into

        def slow(reader: AudioReader, out: np.ndarray) -> int:
            if not self.gate.is_set():
                self.waiting.set()
                self.gate.wait(60)
            return read_into(reader, out)

        monkeypatch.setattr(AudioReader, "read_into", slow)


def test_a_disk_that_stalls_is_counted_said_once_and_overcome(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stalling = Stalling(monkeypatch)
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["looped"], 2, 0)
        until(lambda: holds(tape, 0, 0, AHEAD), "the ring to fill")
        stalling.gate.clear()
        head.place = STEP
        assert stalling.waiting.wait(30)
        filled = span(tape, 0)[1]
        # Two seconds more than the ring holds.
        head.place = filled + 2 * RATE
        assert not said
        stalling.gate.set()
        place = head.place
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(300)])
        np.testing.assert_array_equal(found, offline(folder, REQUESTS["looped"], place, len(found)))
        assert said == [f"{folder / 'a.wav'}: is not read in time; what is missing is silent"]
        # One piece was under way and came too late as well.
        assert 2 * RATE - 8192 <= tape.late <= 2 * RATE


def test_a_stall_shorter_than_the_ring_is_not_heard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stalling = Stalling(monkeypatch)
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["looped"], 2, 0)
        until(lambda: holds(tape, 0, 0, AHEAD), "the ring to fill")
        stalling.gate.clear()
        head.place = STEP
        assert stalling.waiting.wait(30)
        found = [play(tape, head, CHUNK) for _ in range((AHEAD - STEP) // CHUNK)]
        stalling.gate.set()
        found += [play(tape, head, CHUNK) for _ in range(100)]
        expected = offline(folder, REQUESTS["looped"], STEP, len(found) * CHUNK)
        np.testing.assert_array_equal(np.concatenate(found), expected)
    assert not said
    assert tape.late == 0


def test_a_disk_that_hangs_does_not_hold_up_the_caller(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stalling = Stalling(monkeypatch)
    stalling.gate.clear()
    head = Head()
    with reading(folder, head) as (reader, _):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0, limit_s=0.05)
        assert not tape.ready.is_set()
        assert stalling.waiting.wait(30)
        stalling.gate.set()
        np.testing.assert_array_equal(play(tape, head, CHUNK), offline(folder, REQUESTS["wav"], 0, CHUNK))


def test_a_disk_slower_than_the_sound_is_heard_in_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = Head()
    read_into = AudioReader.read_into

    def slow(reader: AudioReader, out: np.ndarray) -> int:
        head.place += 3 * len(out) + 1
        return read_into(reader, out)

    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["looped"], 2, 0)
        until(lambda: holds(tape, 0, 0, AHEAD), "the ring to fill")
        monkeypatch.setattr(AudioReader, "read_into", slow)
        in_time = 0

        def some_in_time() -> bool:
            nonlocal in_time
            start, end = span(tape, 0)
            in_time += end > head.place > RING and start < end
            return in_time > 3

        head.place = 2 * RING
        until(some_in_time, "frames that come in time")
        monkeypatch.setattr(AudioReader, "read_into", read_into)
        head.rolling = False
        until(lambda: holds(tape, 0, head.place, CHUNK), "the place where it stopped")
        place = head.place
        np.testing.assert_array_equal(play(tape, head, CHUNK), offline(folder, REQUESTS["looped"], place, CHUNK))
    assert tape.late > 0
    assert len(said) == 1


def test_a_missing_file_is_silent_said_once_and_played_when_it_comes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.disk.tapes.RETRY_S", 0.01)
    head = Head()
    request = FileRequest("later.wav")
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", request, 2, 0)
        assert not play(tape, head, CHUNK).any()
        tries: list[int] = []
        monkeypatch.setattr("host.disk.tapes.open_request", counted(tries, "host.disk.tapes"))
        until(lambda: len(tries) > 3, "some tries")
        assert said == [f"{folder / 'later.wav'}: no such file; it is silent"]
        (folder / "a.wav").rename(folder / "later.wav")
        until(lambda: tape.broken is None, "the file to be found")
        until(lambda: len(said) == 2, "word of it")
        assert said[1] == f"{folder / 'later.wav'}: is there again"
        head.place = 20_000
        until(lambda: heard(tape, 0, 20_000, CHUNK).any(), "sound")
        np.testing.assert_array_equal(play(tape, head, CHUNK), offline(folder, request, 20_000, CHUNK))


def counted(tries: list[int], name: str) -> Callable[..., object]:
    import importlib

    original = importlib.import_module(name).open_request

    def count(*arguments: object) -> object:
        tries.append(1)
        return original(*arguments)

    return count


def test_a_file_that_vanishes_while_it_plays_plays_on(folder: Path) -> None:
    """An open file is there until it is closed."""
    expected = offline(folder, REQUESTS["wav"], 0, 180_000)
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        (folder / "a.wav").unlink()
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(300)])
        np.testing.assert_array_equal(found, expected[: len(found)])
    assert not said


@pytest.mark.parametrize(("name", "path"), [("wav", "a.wav"), ("flac", "b.flac"), ("44100", "c.wav")])
def test_a_file_that_is_cut_short_while_it_plays(
    folder: Path, name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.disk.tapes.RETRY_S", 0.01)
    head = Head()
    whole = (folder / path).read_bytes()
    expected = offline(folder, REQUESTS[name], 0, 4 * RATE)
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS[name], 2, 0)
        until(lambda: holds(tape, 0, 0, AHEAD), "the ring to fill")
        with (folder / path).open("rb+") as file:
            file.truncate(len(whole) * 3 // 4)
        found = np.concatenate([play(tape, head, CHUNK) for _ in range(4 * RATE // CHUNK)])
        assert len(said) == 1
        assert str(folder / path) in said[0]
        half = 2 * RATE
        np.testing.assert_array_equal(found[:half], expected[:half])
        assert not found[-RATE // 2 :].any()
        # It comes back whole: what is played from now on is sound again.
        (folder / path).write_bytes(whole)
        ticket = reader.cue(half, None)
        until(lambda: reader.cued(ticket), "the cue")
        head.jump(half)
        later = half + 8192
        until(lambda: agrees(tape, head.bank, later, expected[later : later + CHUNK]), "the sound")


def test_what_breaks_in_a_decoder_does_not_end_the_thread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.disk.tapes.RETRY_S", 0.01)
    head = Head()
    read_into = AudioReader.read_into
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["wav"], 2, 0)
        until(lambda: holds(tape, 0, 0, AHEAD), "the ring to fill")

        def fail(reader: AudioReader, out: np.ndarray) -> int:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(AudioReader, "read_into", fail)
        head.place = 8192
        until(lambda: tape.broken is not None, "the failure")
        monkeypatch.setattr(AudioReader, "read_into", read_into)
        until(lambda: tape.broken is None, "it to be read again")
        until(lambda: len(said) == 2, "word of it")
        assert "Input/output error" in said[0]
        place = head.place + module.GUARD
        until(lambda: agrees(tape, 0, place, offline(folder, REQUESTS["wav"], place, 90_000)), "it")


def test_a_place_that_moves_all_the_time_is_not_followed_frame_by_frame(folder: Path) -> None:
    fills: list[int] = []
    head = Head()
    with reading(folder, head) as (reader, said):
        tape = reader.tape("n", REQUESTS["looped"], 2, 0)
        fill = tape.fill

        def counted_fill(bank: Bank, frames: int) -> None:
            fills.append(bank.end)
            head.place += 7  # while it reads, and so at every look
            fill(bank, frames)

        tape.fill = counted_fill
        while head.place < 300_000:
            play(tape, head, 64)
    assert not said
    # Twice as many as whole pieces, because the ring has an edge.
    assert len(fills) < 2 * 400_000 / PIECE
