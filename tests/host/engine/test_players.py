"""Files on the timeline, live: as rendered, through stops, jumps and loops."""

from __future__ import annotations

from contextlib import closing
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from graph.compiler import compile
from graph.spec import RAMP, FileRequest
from host.audiofile import AudioReader
from host.disk.feeds import open_request
from host.disk.reader import Reader
from host.disk.tapes import spare
from host.engine import ports
from host.engine.conductor import Conductor
from host.engine.player import LivePlayer
from host.native.live import Live
from host.offline import run_arrays
from host.services import FileServices
from nodes import kinds

from .conftest import until
from .stage import RATE, Stage, patch, roughness, sine

BLOCK = 256
AHEAD_S = 10.0
LONG_S = 120.0
PLAYER = {"kind": "file_player", "settings": {"path": "tone.wav"}}
NODES = {"p": PLAYER, "g": {"kind": "gain", "params": {"level_db": -6}}, "o": {"kind": "audio_out"}}
CABLES = "p.out>g.in g.out>o.in"


class Deck:
    """A conductor with a disk reader, driven as fast as the disk allows."""

    def __init__(self, folder):
        self.live = Live(RATE, BLOCK)
        self.live.prepare(0, 2, BLOCK)
        self.services = FileServices(folder)
        self.notices: list[str] = []
        self.reader = Reader(RATE, self.services, self.live, self.notices.append)
        self.conductor = Conductor(
            self.live, kinds(), self.reader, lambda flow, first, count: list(range(first, first + count)), replay_s=0.1
        )
        self.parts: list[np.ndarray] = []

    def start(self, first):
        self.conductor.set_patch(first, self.services)
        while self.conductor.busy:
            self.conductor.step()
        self.conductor.running = True

    def play(self, frames):
        for _ in range(-(-frames // BLOCK)):
            self.conductor.step()
            self.wait()
            out = np.empty((BLOCK, 2), np.float32)
            self.live.process(None, out)
            self.parts.append(out)

    def wait(self):
        """Until the disk has what is to be played next: here time does not pass by itself."""
        deadline = monotonic() + AHEAD_S
        for tape in (player.tape for player in self.reader._tapes):
            while self.live.rolling and not self.ready(tape):
                assert monotonic() < deadline, "the disk does not come on"
                sleep(0.0005)

    def ready(self, tape):
        here, there = tape.banks[self.live.bank], tape.banks[self.live.bank ^ 1]
        if here.end < self.live.place + 2 * BLOCK:
            return False
        loop = self.live.loop
        return loop is None or (there.loop is not None and there.start <= loop[0] and there.end >= loop[0] + 2 * BLOCK)

    def locate(self, place):
        ticket = self.reader.cue(place, self.live.loop)
        deadline = monotonic() + AHEAD_S
        while not self.reader.cued(ticket):
            assert monotonic() < deadline
            sleep(0.0005)
        self.live.locate(place, spare(self.live.bank))

    @property
    def heard(self):
        return np.concatenate(self.parts)


@pytest.fixture
def deck(tmp_path):
    tone = sine(RATE * 4, 440)
    soundfile.write(tmp_path / "tone.wav", tone, RATE, subtype="FLOAT")
    made = Deck(tmp_path)
    yield made
    made.reader.close()


def test_a_file_from_the_start_is_as_rendered(deck):
    given = patch(NODES, CABLES)
    deck.start(given)
    deck.live.roll(True, hard=True)
    deck.play(RATE)
    with closing(open_request(FileRequest("tone.wav"), deck.services.folder / "tone.wav", RATE)) as feed:
        schedule = compile(given, kinds(), deck.services, RATE)
        expected, _ = run_arrays(schedule, deck.services, RATE, feeds={"p": feed})
    assert np.array_equal(deck.heard[:RATE], expected["o"])
    assert not deck.notices


def test_stops_starts_and_jumps_do_not_click(deck):
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(9600)
    deck.live.roll(False)
    deck.play(4800)
    assert not deck.live.rolling
    still = deck.live.place
    assert not deck.heard[-2048:].any()
    deck.play(2048)
    assert deck.live.place == still
    deck.live.roll(True)
    deck.play(9600)
    deck.locate(RATE * 2 + 37)
    deck.play(9600)
    assert deck.live.jumps == 1
    assert RATE * 2 < deck.live.place < RATE * 2 + 12000
    deck.live.roll(False)
    deck.play(1024)
    deck.locate(100)
    deck.live.roll(True)
    deck.play(9600)
    assert roughness(deck.heard[512:], sine(9600)) < 1.2
    assert np.abs(deck.heard[-512:]).max() > 0.2


def test_automation_follows_the_transport_and_glides_over_jumps(deck):
    line = [{"node": "g", "param": "level_db", "points": [[0, 0, "hold"], [1.0, -30, "hold"]]}]
    deck.start(patch(NODES, CABLES, automation=line))
    deck.live.roll(True, hard=True)
    deck.play(9600)
    assert np.abs(deck.heard[-400:]).max() > 0.45
    deck.locate(RATE * 2)
    deck.play(9600)
    assert np.abs(deck.heard[-400:]).max() < 0.02
    assert roughness(deck.heard[512:], sine(9600)) < 1.5


def test_a_loop_goes_round_with_its_own_length(deck):
    deck.start(patch(NODES, CABLES))
    # 12 turns of the tone less 10 frames: the loop's end lies inside a tick, and the seam must be faded.
    start, end = 4800, 4800 + 12 * RATE // 440 - 10
    deck.live.set_loop(start, end)
    deck.live.roll(True, hard=True)
    deck.play(RATE)
    turns = deck.live.wraps
    assert turns == (RATE - start) // (end - start) or turns == (RATE - start) // (end - start) - 1
    begun = deck.live.frames - turns * (end - start)
    assert deck.live.place == begun
    assert roughness(deck.heard[512:], sine(9600)) < 2.0
    # Every round sounds the same.
    heard = deck.heard[:, 0]
    one = heard[start + 2 * (end - start) : start + 3 * (end - start)]
    other = heard[start + 5 * (end - start) : start + 6 * (end - start)]
    assert np.abs(one - other).max() < 1e-6


def test_edits_while_a_file_plays_leave_it_alone(deck):
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(4800)
    more = {**NODES, "f": {"kind": "filter", "params": {"freq_hz": 5000}}}
    for k in range(6):
        deck.conductor.set_patch(
            patch(more, "p.out>g.in g.out>f.in f.out>o.in") if k % 2 == 0 else patch(NODES, CABLES), deck.services
        )
        deck.play(4800)
    assert roughness(deck.heard[512:], sine(9600)) < 1.2
    assert len(deck.reader._tapes) == 1
    assert deck.conductor.missed() == 0


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_a_player_that_goes_keeps_its_file_whatever_the_folder_of_the_next_patch_holds(deck, elsewhere):
    soundfile.write(elsewhere / "tone.wav", np.zeros((RATE, 2)), RATE, subtype="FLOAT")
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(4800)
    before = deck.reader._tapes[0].tape
    deck.reader.folder = FileServices(elsewhere)
    deck.conductor.set_patch(patch({"o": NODES["o"], "t": {"kind": "oscillator"}}, "t.out>o.in"), deck.reader.folder)
    deck.conductor.step()
    assert [player.tape for player in deck.reader._tapes] == [before]
    deck.play(9600)
    assert roughness(deck.heard[512:], sine(9600)) < 1.3
    assert not deck.reader._tapes
    assert not deck.notices


def test_the_same_path_in_another_folder_is_another_file_and_fades_in(deck, elsewhere):
    soundfile.write(elsewhere / "tone.wav", -sine(RATE * 4, 440), RATE, subtype="FLOAT")
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(4800)
    deck.reader.folder = FileServices(elsewhere)
    deck.conductor.set_patch(patch(NODES, CABLES), deck.reader.folder)
    deck.play(9600)
    assert roughness(deck.heard[512:], sine(9600)) < 1.3
    at = len(deck.heard) - 1024
    factor = -np.float32(10 ** (-6 / 20))
    np.testing.assert_allclose(deck.heard[at:], factor * sine(RATE)[at : at + 1024], atol=1e-6)


@pytest.mark.parametrize("path", ["../tone.wav", "{folder}/tone.wav"])
def test_another_way_to_the_same_file_leaves_the_player_alone(deck, elsewhere, path):
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(4800)
    before = deck.reader._tapes[0].tape
    player = {"kind": "file_player", "settings": {"path": path.format(folder=deck.services.folder)}}
    deck.reader.folder = FileServices(elsewhere)
    deck.conductor.set_patch(patch({**NODES, "p": player}, CABLES), deck.reader.folder)
    deck.play(9600)
    assert [player.tape for player in deck.reader._tapes] == [before]
    heard = sine(RATE)[: len(deck.heard)] * np.float32(10 ** (-6 / 20))
    np.testing.assert_allclose(deck.heard[1024:], heard[1024:], atol=1e-6)


def test_a_file_that_is_missing_in_the_new_folder_is_said_and_silent(deck, elsewhere):
    deck.start(patch(NODES, CABLES))
    deck.live.roll(True, hard=True)
    deck.play(4800)
    deck.reader.folder = FileServices(elsewhere)
    deck.conductor.set_patch(patch(NODES, CABLES), deck.reader.folder)
    deck.play(9600)
    assert not deck.heard[-1024:].any()
    assert [error.node for error in deck.conductor.applied[-1].problems] == ["p"]


@pytest.mark.parametrize("comes", [True, False])
def test_a_disk_that_lets_wait_holds_up_the_edit_and_nothing_else(deck, monkeypatch, comes):
    deck.start(patch({"t": {"kind": "oscillator"}, "o": {"kind": "audio_out"}}, "t.out>o.in"))
    deck.play(4 * BLOCK)
    go_on = Event()
    read_into = AudioReader.read_into

    def waiting(reader, out):
        go_on.wait()
        return read_into(reader, out)

    monkeypatch.setattr(AudioReader, "read_into", waiting)
    monkeypatch.setattr(ports, "FILL_S", LONG_S if comes else 0.0)
    several = {f"p{k}": PLAYER for k in range(5)}
    cables = "t.out>o.in " + " ".join(f"{id}.out>o.in" for id in several)
    try:
        deck.conductor.set_patch(
            patch({"t": {"kind": "oscillator"}, "o": {"kind": "audio_out"}, **several}, cables), deck.services
        )
        deck.live.roll(True)
        end = monotonic() + LONG_S
        for _ in range(20):
            deck.conductor.step()
            deck.live.process(None, np.empty((BLOCK, 2), np.float32))
        if comes:
            assert deck.conductor.busy
            assert len(deck.conductor.applied) == 1  # of the patch before
            assert deck.live.frames == 24 * BLOCK
            assert deck.live.rolling
            go_on.set()
        while deck.conductor.busy:
            assert monotonic() < end, "the edit is not made"
            deck.conductor.step()
            if comes:
                deck.wait()
            deck.live.process(None, np.empty((BLOCK, 2), np.float32))
        assert len(deck.conductor.applied) == 2
        assert (deck.conductor.missed() > 0) != comes
    finally:
        go_on.set()


class Turning:
    """A player of one file whose loop is changed while it plays."""

    def __init__(self, folder, tone):
        soundfile.write(folder / "tone.wav", tone, RATE, subtype="FLOAT")
        self.player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
        self.heard = []
        self.player.set_patch(1, patch({"p": PLAYER, "o": {"kind": "audio_out"}}, "p.out>o.in"), folder)
        until(lambda: self.player.step() >= 0 and self.player.outcome() is not None)
        self.player.play()
        self.player.running(True)
        self.play(RATE // 4)

    def play(self, frames, block=BLOCK):
        for _ in range(frames // block):
            self.player.step()
            sleep(0.0005)  # for the disk's thread, which has all the time there is only in sound that is played
            out = np.empty((block, 2), np.float32)
            self.player.renderer.process(None, out)
            self.heard.append(out)

    def turn(self, loop, block=BLOCK):
        self.player.set_loop(loop)
        until(lambda: self.play(block, block) or self.player.renderer.loop == loop)

    def close(self):
        self.player.close()


def test_other_loops_while_a_file_plays_do_not_click_and_leave_nothing_out(tmp_path):
    """A sine whose turns fit all the loops: whatever they are, it goes on as if there were none."""
    period = 96
    tone = sine(RATE * 4, RATE / period)
    with closing(Turning(tmp_path, tone)) as deck:
        for turns in [(100, 400), (0, 500), (300, 310), (305, 700), (0, 20), None, (200, 300), (50, 1000), None]:
            deck.turn((turns[0] * period, turns[1] * period) if turns else None)
            deck.play(RATE // 3)
    assert roughness(np.concatenate(deck.heard)[512:], tone) < 1.1


def test_loops_that_fit_nothing_do_not_click_wherever_the_place_is(tmp_path):
    """A loop whose end the place has just passed, or is about to, and loops that are little else than crossfade."""
    tone = sine(RATE * 8, 37.0)
    with closing(Turning(tmp_path, tone)) as deck:
        for k in range(60):
            place = deck.player.renderer.place
            end = place + 64 * k // 4
            deck.turn((end - 3333 - 47 * k, end), 64)
            deck.play(1024, 64)
            if k % 3 == 0:
                place = deck.player.renderer.place
                deck.turn((place + 10, place + 300 + k), 64)
                deck.play(1024, 64)
            deck.turn(None, 64)
        assert deck.player.renderer.wraps > 20
    # a crossfade of 5 ms between two values at their farthest, and the tone beside it
    assert np.abs(np.diff(np.concatenate(deck.heard), axis=0)).max() < 2 * 0.5 / 240 * np.pi / 2 * 1.5


@pytest.mark.parametrize("loop", [(1000, 1000), (1000, 1010), (1000, 1063), (1000, 1064), (1000, 1100)])
def test_a_loop_shorter_than_a_block_is_not_left(tmp_path, loop):
    player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    try:
        player.set_patch(1, patch(NODES, CABLES), tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() is not None)
        player.locate(500)
        player.set_loop(loop)
        player.play()
        player.running(True)
        for _ in range(100):
            step(player)
        assert loop[0] <= player.place() < max(loop[1], loop[0] + 64)
        assert player.renderer.wraps >= 99 * BLOCK // 128
        player.set_loop(None)
        until(lambda: step(player) or player.renderer.loop is None)
        step(player)
        assert player.place() > loop[1]
    finally:
        player.close()


@pytest.mark.parametrize("inside", [True, False])
def test_a_loop_that_was_just_left_when_it_comes_is_gone_round_and_one_behind_is_not(inside):
    stage = Stage(0, 2, BLOCK)
    stage.start(patch({"t": {"kind": "oscillator"}, "o": {"kind": "audio_out"}}, "t.out>o.in"))
    stage.play(None, 5 * BLOCK)
    place, end = stage.live.place, stage.live.place - 10
    stage.live.set_loop(100, end, 2, inside=inside)
    stage.play(None, RAMP if inside else BLOCK)  # going round is a jump, which is made when players have faded out
    assert stage.live.place == (100 + (place + RAMP - 100) % (end - 100) if inside else place + BLOCK)
    assert stage.live.bank == (3 if inside else 2)


def test_a_loop_that_comes_with_a_jump_begins_with_it():
    """Not before, or what fades out could be thrown back by it."""
    stage = Stage(0, 2, 64)
    stage.start(patch({"t": {"kind": "oscillator"}, "o": {"kind": "audio_out"}}, "t.out>o.in"))
    stage.play(None, 20 * 64)
    place = stage.live.place
    stage.live.locate(96_000, 2)
    stage.live.set_loop(0, place + 100)
    for k in range(1, RAMP // 64):
        stage.play(None, 64)
        assert (stage.live.place, stage.live.loop, stage.live.wraps) == (place + 64 * k, None, 0)
    stage.play(None, 64)
    assert (stage.live.place, stage.live.bank) == (96_000, 2)
    assert stage.live.loop == (0, place + 100)
    assert stage.live.rolling
    assert not stage.live.jumping


def step(player):
    player.step()
    player.renderer.process(None, np.empty((BLOCK, 2), np.float32))
