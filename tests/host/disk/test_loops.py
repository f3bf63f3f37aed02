"""Loops of the transport: exact to the sample at the wrap, with a crossfade that ends there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.spec import FileRequest
from host.disk.loops import Loop, loop_of
from host.disk.reader import Reader
from host.disk.tapes import Bank
from host.services import FileServices

from .conftest import RATE, Head, agrees, heard, holds, noise, offline, play, until, write

TICK = 64
FADE = 240


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a.wav", noise(6 * RATE))
    write(tmp_path / "b.flac", noise(6 * RATE, seed=1), subtype="PCM_24")
    write(tmp_path / "c.wav", noise(6 * 44100, seed=2), rate=44100)
    return tmp_path


def looped(folder: Path, request: FileRequest, loop: tuple[int, int]) -> np.ndarray:
    """One turn of the loop, in double precision: what lies there, its end blended into what leads up to its start."""
    start, end = loop
    fade = min(FADE, end - start)
    turn = offline(folder, request, start, end - start).astype(np.float64)
    lead = offline(folder, request, start - fade, fade)
    gain = np.sin(0.5 * np.pi * np.arange(1, fade + 1) / (fade + 1))[:, None] ** 2
    turn[-fade:] = turn[-fade:] * (1 - gain) + lead * gain
    return turn


@pytest.mark.parametrize("path", ["a.wav", "b.flac", "c.wav"])
@pytest.mark.parametrize("loop", [(48_000, 96_000), (20_001, 200_003), (64_000, 64_960)], ids=["1s", "4s", "20ms"])
def test_turns_of_a_loop_are_exact(folder: Path, path: str, loop: tuple[int, int]) -> None:
    request = FileRequest(path)
    length = loop[1] - loop[0]
    ready = min(12_000, length + 4096)
    head = Head(place=loop[0], loop=loop)
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, loop[0])
        found = []
        for _ in range(3 * length // TICK + 10):
            found.append(play(tape, head, TICK))
            if head.place >= loop[1]:
                late = head.place - loop[1]
                assert late < TICK
                until(lambda: holds(tape, head.bank ^ 1, loop[0] - 8192, 8192 + ready), "the loop's start")
                head.wrap()
        assert head.wraps >= 3
    sound = np.concatenate(found)
    turn = looped(folder, request, loop)
    expected = np.tile(turn, (4, 1))[: len(sound)]
    np.testing.assert_allclose(sound, expected, atol=2e-8)
    plain = np.arange(len(sound)) % length < length - FADE
    # Outside the crossfades it is what a render is fed, bit for bit.
    np.testing.assert_array_equal(sound[plain], expected.astype(np.float32)[plain])


def test_beyond_the_end_and_before_the_start_the_loop_goes_on(folder: Path) -> None:
    """Whoever lags behind the transport when it wraps still hears the end; whoever wraps late, the start."""
    request, loop = FileRequest("a.wav"), (48_000, 72_000)
    turn = looped(folder, request, loop).astype(np.float32)
    head = Head(place=60_000, loop=loop)
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, 60_000)
        until(lambda: holds(tape, 0, 72_000, 4096), "what lies beyond the end")
        np.testing.assert_array_equal(heard(tape, 0, 72_000, 4096), turn[:4096])
        until(lambda: holds(tape, 1, 48_000 - 8192, 8192 + 24_000), "the loop's start")
        np.testing.assert_allclose(heard(tape, 1, 48_000 - 8192, 8192), turn[-8192:], atol=2e-8)


def test_a_tune_that_fits_its_loop_has_no_seam(tmp_path: Path) -> None:
    """480 frames hold ten whole periods: with the crossfade it is one endless sine."""
    time = np.arange(RATE)
    sine = (0.5 * np.sin(2 * np.pi * 1000 * time / RATE)).astype(np.float32)[:, None]
    write(tmp_path / "s.wav", sine)
    head = Head(place=4800, loop=(4800, 9600))
    with Reader(RATE, FileServices(tmp_path), head, pytest.fail) as reader:
        tape = reader.tape("n", FileRequest("s.wav"), 1, 4800)
        until(lambda: holds(tape, 0, 4800, 8000), "the ring to fill")
        whole = heard(tape, 0, 4800, 8000)[:, 0]
    np.testing.assert_allclose(whole, 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4800, 12_800) / RATE), atol=1e-6)


def test_a_loop_that_is_set_and_moved_while_it_plays(folder: Path) -> None:
    request = FileRequest("a.wav")
    head = Head()
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, 0)
        until(lambda: holds(tape, 0, 0, 90_000), "the ring to fill")
        for loop in ((4_000, 40_000), (1_000, 60_000)):
            head.loop = loop
            turn = looped(folder, request, loop).astype(np.float32)
            end = loop[1] - FADE
            # Up to the loop's end as before, then from its start on.
            until(lambda turn=turn, loop=loop: agrees(tape, 0, loop[1], turn[:4000]), "the start after the end")
            np.testing.assert_array_equal(heard(tape, 0, 0, end), offline(folder, request, 0, end))
        head.loop = None
        until(lambda: agrees(tape, 0, 0, offline(folder, request, 0, 98_000)), "the loop to be forgotten")


def test_a_cue_leaves_the_loop_alone_and_brings_its_own_along(folder: Path) -> None:
    request, loop, other = FileRequest("a.wav"), (48_000, 72_000), (150_000, 180_000)
    head = Head(place=48_000, loop=loop)
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, 48_000)
        until(lambda: holds(tape, 1, 40_000, 60_000 - 40_000), "the loop's start")
        ticket = reader.cue(170_000, other)
        until(lambda: reader.cued(ticket), "the cue")
        assert holds(tape, 1, 40_000, 60_000 - 40_000)
        turn = looped(folder, request, other).astype(np.float32)
        head.loop = other
        head.jump(170_000)
        found = np.concatenate([play(tape, head, TICK) for _ in range(10_000 // TICK)])
        np.testing.assert_allclose(found, turn[20_000 : 20_000 + len(found)], atol=2e-8)
        assert agrees(tape, 3, 150_000, turn[:12_000])  # the new loop's start was there before the jump


@pytest.mark.parametrize("place", [100_000, 72_000 + TICK])
def test_a_loop_that_lies_behind_is_not_heard(folder: Path, place: int) -> None:
    request, loop = FileRequest("a.wav"), (48_000, 72_000)
    head = Head(place=place)
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, place)
        play(tape, head, TICK)
        head.loop = loop
        ticket = reader.cue(head.place, loop)
        until(lambda: reader.cued(ticket), "the cue")
        found = play(tape, head, 4096)
        head.bank = 2
        found = np.concatenate([found, play(tape, head, 48_000)])
        np.testing.assert_array_equal(found, offline(folder, request, place + TICK, len(found)))


def test_a_turn_of_a_short_loop_is_not_taken_from_under_who_plays_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes faster than a thread can be sure of: what holds the loop is left as it is."""
    request, loop = FileRequest("a.wav"), (48_000, 48_288)
    head = Head(place=48_100)
    begun: list[Bank] = []
    restart = Bank.restart

    def noted(bank: Bank, place: int, law: Loop | None, **rest: Any) -> None:
        begun.append(bank)
        restart(bank, place, law, **rest)

    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", request, 2, head.place)
        ticket = reader.cue(head.place, loop)
        until(lambda: reader.cued(ticket), "the loop")
        head.loop, head.bank = loop, 2
        until(lambda: holds(tape, 2, 48_000, 4_300), "what is in play")
        monkeypatch.setattr(Bank, "restart", noted)
        turn = looped(folder, request, loop).astype(np.float32)
        for bank in (3, 2, 3):
            head.place = loop[1]
            head.wrap()
            ticket = reader.cue(200_000, None)
            until(lambda ticket=ticket: reader.cued(ticket), "a round of the reader")
            assert head.bank == bank
            np.testing.assert_allclose(heard(tape, bank, 48_000, 288), turn, atol=2e-8)
        assert not any(bank is tape.banks[k] for bank in begun for k in (2, 3))


def test_a_cue_that_comes_while_the_one_before_is_taken_up_is_made(folder: Path) -> None:
    @dataclass
    class Racing(Head):
        """One that goes over to the bank that was cued just when the reader has looked, and asks for the next."""

        reads: int = 0
        meanwhile: Callable[[], None] | None = None

        @property
        def wraps(self) -> int:
            self.reads += 1
            if self.reads % 2 == 0 and self.meanwhile is not None:  # the last that is read of a look
                meanwhile, self.meanwhile = self.meanwhile, None
                meanwhile()
            return 0

        @wraps.setter
        def wraps(self, value: int) -> None:
            pass

    head = Racing(place=50_000)
    with Reader(RATE, FileServices(folder), head, pytest.fail) as reader:
        tape = reader.tape("n", FileRequest("a.wav"), 2, head.place)
        first = reader.cue(head.place, (48_000, 96_000))
        until(lambda: reader.cued(first), "the first cue")
        tickets: list[int] = []

        def taken_up() -> None:
            head.bank, head.loop = 2, (48_000, 96_000)
            tickets.append(reader.cue(120_000, None))

        head.meanwhile = taken_up
        until(lambda: bool(tickets) and reader.cued(tickets[0]), "the cue that came meanwhile")
        assert holds(tape, 0, 120_000, RATE // 4)


def test_an_empty_loop_is_none() -> None:
    assert loop_of((100, 100), RATE) is None
    assert loop_of((100, 50), RATE) is None
    assert loop_of(None, RATE) is None
    assert loop_of((0, 100), RATE) == Loop(0, 100, 100)
    assert loop_of((0, 48_000), RATE) == Loop(0, 48_000, FADE)
