"""Instruments: notes from files reach a plugin on their frames, and end when they should."""

from __future__ import annotations

import mido
import numpy as np
import pytest

from .c.build import USABLE, WHY_NOT
from .rig import RATE, noise
from .scores import FRAMES, PLUGIN, by_frame, levels, note, played, playing, real_link, write

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)

NOTES = [(100, 3000, 60, 100), (1000, 5000, 64, 64), (1000, 4001, 67, 1), (4001, 4002, 67, 127), (6000, 9000, 1, 127)]


def test_notes_sound_from_their_frame_to_their_end_in_blocks_of_any_size(tmp_path):
    write(tmp_path / "a.mid", by_frame(*(note(*each) for each in NOTES)))
    heard = {}
    for block in (64, 512, 1024):
        with real_link({PLUGIN: {"INSTRUMENT": True}}, live=False, block=block) as link:
            heard[block] = played(playing(), link, tmp_path)
    assert np.allclose(heard[64][:, 0], levels(NOTES, FRAMES), atol=1e-6)
    assert np.array_equal(np.flatnonzero(np.diff(heard[64][:, 0]) != 0) + 1, [100, 1000, 3000, 4001, 4002, 5000, 6000])
    assert np.array_equal(heard[64], heard[512])
    assert np.array_equal(heard[64], heard[1024])


def test_voices_are_sines_of_their_pitch_from_their_own_frame(tmp_path):
    write(tmp_path / "a.mid", by_frame(note(777, 5000, 69, 127), note(2001, 7000, 76, 64)))
    with real_link({"Sines": {"INSTRUMENT": True, "SINES": True}}, live=False) as link:
        heard = played(playing(name="Sines"), link, tmp_path)
    wanted = np.zeros(FRAMES)
    for start, end, pitch, velocity in ((777, 5000, 69, 127), (2001, 7000, 76, 64)):
        t = np.arange(end - start) / RATE
        wanted[start:end] += velocity / 127 / 4 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t)
    assert np.abs(wanted).max() > 0.3
    assert np.allclose(heard, wanted[:, None], atol=1e-6)


def test_notes_and_sound_meet_aligned_whatever_came_between(tmp_path):
    """The events are delayed as much as the sound beside them is late, by a number of frames that is no whole tick."""
    write(tmp_path / "a.mid", by_frame(*(note(*each) for each in NOTES)))
    patch = playing(name="Keys")
    patch.add("in", "audio_in")
    patch.add("late", "latency", settings={"frames": 777})
    patch.connect("in.out", "late.in")
    patch.connect("late.out", "synth.in")
    source = noise(FRAMES)
    with real_link({"Keys": {"DELAY": 100}}, live=False) as link:
        heard = played(patch, link, tmp_path, source)
    assert np.allclose(heard, source + levels(NOTES, FRAMES)[:, None], atol=1e-6)


def test_instruments_of_different_latency_sound_together(tmp_path):
    write(tmp_path / "a.mid", by_frame(*(note(*each) for each in NOTES)))
    patch = playing()
    patch.add("slow", "plugin", settings={"name": "Slow"})
    patch.connect("song.out", "slow.events")
    patch.connect("slow.out", "out.in")
    with real_link({PLUGIN: {"INSTRUMENT": True}, "Slow": {"INSTRUMENT": True, "DELAY": 333}}, live=False) as link:
        heard = played(patch, link, tmp_path)
    assert np.allclose(heard[:, 0], 2 * levels(NOTES, FRAMES), atol=1e-6)


def test_a_controller_moves_the_param_that_the_plugin_gives_it_on_its_frame(tmp_path):
    turn = mido.Message("control_change", control=1, value=0)
    write(tmp_path / "a.mid", [(1234, turn)])
    patch = playing(name="Keys")
    patch.add("in", "audio_in")
    patch.connect("in.out", "synth.in")
    source = noise(FRAMES)
    with real_link({"Keys": {}}, live=False) as link:
        heard = played(patch, link, tmp_path, source)
    assert np.array_equal(heard[:1234], source[:1234])
    assert not heard[1234:].any()


def test_a_muted_song_is_silent_and_one_whose_mute_is_automated_ends_its_notes(tmp_path):
    write(tmp_path / "a.mid", by_frame(note(100, 6000, 60)))
    with real_link({PLUGIN: {"INSTRUMENT": True}}, live=False) as link:
        patch = playing()
        patch.node("song").mute = True
        assert not played(patch, link, tmp_path).any()
        patch = playing()
        patch.automate("song", "mute", [(0.0, 0.0, "hold"), (3200 / RATE, 1.0, "hold")])
        assert np.allclose(played(patch, link, tmp_path)[:, 0], levels([(100, 3200, 60, 100)], FRAMES), atol=1e-6)


@pytest.mark.parametrize("backend", ["native", "board"])
def test_every_backend_plays_notes_on_their_frames(tmp_path, backend):
    write(
        tmp_path / "a.mid",
        by_frame(*(note(*each) for each in NOTES), [(50, mido.Message("program_change", program=3))]),
    )
    with real_link({PLUGIN: {"INSTRUMENT": True, "SINGLE": True, "backend": backend}}, live=False) as link:
        heard = played(playing(), link, tmp_path)
    assert np.allclose(heard, levels(NOTES, FRAMES)[:, None], atol=1e-6)
