"""Takes lie where they belong: what was played to the sound, with the sound."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from graph import Patch
from host.audiofile import read_tags
from host.devices.null import NullDevice
from host.devices.stored import ChannelMap, RoundTrip, Stored, keep
from host.engine.parts import KeptSound, Routes
from host.engine.player import LivePlayer
from host.engine.takes import hearing

from .conftest import until

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
