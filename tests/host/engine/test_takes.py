"""Takes lie where they belong: what was played to the sound, with the sound."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from graph import Patch
from host.audiofile import read_tags
from host.devices.null import NullDevice
from host.devices.stored import ChannelMap, RoundTrip, Stored, keep
from host.disk.replay import save_last
from host.engine import player as players
from host.engine.parts import KeptSound, Routes
from host.engine.player import LivePlayer
from host.engine.takes import hearing

from .conftest import until
from .stage import Stage, roughness, sine

RATE = 48000
TRIP = 700
FRAMES = RATE


def overdub() -> Patch:
    """A click that is heard, what comes in, and both recorded; beside it the click itself, recorded."""
    patch = Patch("Overdub", RATE)
    patch.add("click", "impulse", period_s=0.25)
    patch.add("late", "latency", {"frames": 100})
    patch.add("out", "audio_out", {"layout": "mono"})
    patch.add("voice", "audio_in", {"layout": "mono"})
    patch.add("strip", "gain")
    patch.add("take", "file_recorder", {"path": "take.wav"})
    patch.add("mix", "file_recorder", {"path": "mix.wav"})
    patch.connect("click.out", "late.in")
    patch.connect("late.out", "out.in")
    patch.connect("voice.out", "strip.in")
    patch.connect("strip.out", "take.in")
    patch.connect("click.out", "mix.in")
    return patch


def test_only_what_comes_from_outside_is_moved():
    patch = overdub()
    assert hearing(patch) == {"take"}
    patch.connect("strip.out", "mix.in")
    assert hearing(patch) == {"take", "mix"}
    patch.remove("voice")
    patch.add("voice", "audio_in", {"layout": "mono", "return_of": "out"})
    patch.connect("voice.out", "strip.in")
    assert hearing(patch) == frozenset()


@pytest.mark.parametrize("known", [True, False])
def test_what_is_played_to_the_sound_lies_with_it(tmp_path, known):
    patch = overdub()
    player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    try:
        player.set_patch(1, patch, tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() is not None)
        player.play()
        player.running(True)
        # a musician who plays exactly with the clicks, heard through a cable as long as the round trip
        feed = np.zeros((FRAMES, 1), np.float32)
        for at in range(0, FRAMES, RATE // 4):
            feed[at + 100 + TRIP : at + 101 + TRIP] = 1.0
        player.record(True, TRIP if known else 0)
        device = NullDevice(
            player.renderer, inputs=1, outputs=1, rate=RATE, block=256, paced=False, limit=FRAMES, feed=feed
        )
        device.start()
        until(lambda: player.step() >= 0 and device.wait(0.0))
        device.stop()
        player.running(False)
        player.record(False)
    finally:
        player.close()
    take, mix = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("take", "mix"))
    apart = np.flatnonzero(take > 0.5)[:3] - np.flatnonzero(mix > 0.5)[:3]
    assert set(apart.tolist()) == ({0} if known else {TRIP + 100})


def test_a_take_knows_its_place_on_the_timeline(tmp_path):
    player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    try:
        player.set_patch(1, overdub(), tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() is not None)
        player.locate(RATE * 10)
        player.play()
        player.running(True)
        player.record(True)
        device = NullDevice(player.renderer, inputs=1, outputs=1, rate=RATE, block=256, paced=False, limit=9600)
        device.start()
        until(lambda: player.step() >= 0 and device.wait(0.0))
        device.stop()
        player.running(False)
        player.record(False)
    finally:
        player.close()
    assert read_tags(tmp_path / "mix.wav")["time_reference"] == str(RATE * 10)


class Recording:
    """A player that records a sine, driven block by block."""

    def __init__(self, folder):
        self.folder, self.said = folder, []
        self.player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), self.said.append)
        self.serial = 0

    def change(self, patch):
        """Play another patch, and a moment of it."""
        self.serial += 1
        self.player.set_patch(self.serial, patch, self.folder)
        until(lambda: self.play(256) or self.in_place())
        self.play(4096)

    def in_place(self):
        found = self.player.outcome()
        return found is not None and found[:2] == (self.serial, True) and not self.player._conductor.busy

    def play(self, frames):
        for _ in range(frames // 256):
            self.player.step()
            self.player.renderer.process(None, np.empty((256, 2), np.float32))


@pytest.fixture
def recording(tmp_path):
    made = Recording(tmp_path)
    made.player.set_patch(0, sounding("one.wav"), tmp_path)
    until(lambda: made.player.step() >= 0 and made.player.outcome() is not None)
    made.player.running(True)
    made.player.record(True)
    yield made
    made.player.running(False)
    made.player.close()


def sounding(path: str, layout: str = "mono") -> Patch:
    patch = Patch("Sounding", RATE)
    patch.add("tone", "oscillator", freq_hz=200, level_db=-6)
    patch.add("wide", "upmix", {"to": layout})
    patch.connect("tone.out", "wide.in")
    if path:
        patch.add("take", "file_recorder", {"path": path})
        patch.connect("wide.out", "take.in")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    return patch


def test_a_recorder_that_becomes_another_ends_its_take_and_begins_the_next(recording, tmp_path):
    recording.play(RATE)
    recording.change(sounding("two.wav"))
    assert recording.player.recording() == (str(tmp_path / "two.wav"),)
    recording.play(RATE)
    recording.change(sounding("two.wav", "stereo"))
    assert recording.player.recording() == (str(tmp_path / "two-2.wav"),)
    recording.play(RATE)
    recording.player.record(False)
    takes = [soundfile.read(tmp_path / name, always_2d=True)[0] for name in ("one.wav", "two.wav", "two-2.wav")]
    assert [take.shape[1] for take in takes] == [1, 1, 2]
    # each begins before what it follows has faded out, so that nothing is missed
    clock = recording.player.renderer.frames
    assert sum(map(len, takes)) >= clock
    for take in takes:
        assert np.abs(take[2048 + 512 : -4096]).max(axis=0) == pytest.approx(0.5, rel=1e-2)
    assert not any("lost" in text for text in recording.said)


def test_while_recording_a_recorder_that_goes_ends_its_take_and_one_that_comes_begins_one(recording, tmp_path):
    recording.play(RATE)
    recording.change(sounding(""))
    assert recording.player.recording() == ()
    assert soundfile.info(tmp_path / "one.wav").frames >= RATE
    recording.change(sounding("one.wav"))
    assert recording.player.recording() == (str(tmp_path / "one-2.wav"),)
    recording.player.record(False)
    recording.change(sounding("three.wav"))
    assert recording.player.recording() == ()
    assert not (tmp_path / "three.wav").exists()


def test_a_recorder_that_cannot_begin_keeps_no_other_from_it(recording, tmp_path):
    patch = sounding("one.wav")
    patch.add("bad", "file_recorder", {"path": "there/is/none.wav"})
    patch.add("good", "file_recorder", {"path": "good.wav"})
    for id in ("bad", "good"):
        patch.connect("tone.out", f"{id}.in")
    recording.change(patch)
    assert recording.player.recording() == (str(tmp_path / "one.wav"), str(tmp_path / "good.wav"))
    assert any("there/is" in text for text in recording.said)


def test_the_replays_of_several_outputs_lie_with_each_other(recording, tmp_path, monkeypatch):
    """Also while sound goes on between the writing of one and of the next."""
    patch = sounding("")
    patch.add("other", "audio_out")
    patch.connect("tone.out", "other.in")
    recording.change(patch)
    recording.play(RATE)

    def late(*words, **named):
        recording.play(4096)
        return save_last(*words, **named)

    monkeypatch.setattr(players, "save_last", late)
    recording.player.save_replay(tmp_path / "replay.wav", 0.25)
    until(lambda: sum("the last" in text for text in recording.said) == 2)
    one, two = (soundfile.read(tmp_path / f"replay-{id}.wav")[0] for id in ("out", "other"))
    assert len(one) == 12000
    assert np.array_equal(one, two)


def test_edits_that_change_how_late_a_path_is_leave_no_hole_in_what_is_kept_of_it():
    def late(frames: int) -> Patch:
        patch = Patch("Late", RATE)
        patch.add("tone", "oscillator", freq_hz=200)
        patch.add("late", "latency", {"frames": frames})
        patch.add("take", "file_recorder", {"path": "take.wav"})
        patch.add("out", "audio_out", {"layout": "mono"})
        for cable in ("tone.out late.in", "late.out take.in", "late.out out.in"):
            patch.connect(*cable.split())
        return patch

    stage = Stage(0, 1)
    stage.start(late(1000))
    stage.play(None, RATE)
    smooth = sine(RATE, 200, 10 ** (-12 / 20), 1)
    for frames in (300, 2000, 64):
        stage.change(late(frames))
        stage.settle(None)
        stage.play(None, 1024)
        kept = stage.conductor.outlets
        assert [outlet.arrival for outlet in kept] == [frames, frames]
        for outlet in kept:
            at = np.arange(stage.at - 6144, stage.at)
            heard = outlet.ring[at & (len(outlet.ring) - 1)]
            assert np.array_equal(heard, stage.heard[-6144:])
            assert roughness(heard, smooth) < 2


class Open:
    """A device that is open, as far as it is asked."""

    name, rate, block, fifo_frames = "Box + Mic", RATE, 100, 60


class Keeping:
    device = Open()


def test_a_measured_round_trip_is_found_for_the_pair_that_is_open(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    sound = KeptSound(Keeping(), print)
    assert sound.round_trip() == 0
    keep(Stored().with_round_trip(RoundTrip("Box", "Mic", RATE, 100, 640, 0)))
    assert sound.round_trip() == 700
    keep(Stored().with_map("Box", ChannelMap((5,), (3, 2))).with_map("Mic", ChannelMap((1, 0), (7,))))
    routes = Routes(print)
    assert routes.use("Box + Mic")
    assert (routes("in", 0, 2), routes("out", 0, 2)) == ([1, 0], [3, 2])
