"""What goes wrong with files while an engine plays: the sound goes on, and it is counted and said."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph import Patch
from host import Engine

from .conftest import until

RATE = 48000
STALLING = (sys.executable, "-P", str(Path(__file__).with_name("stalling.py")))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte: two seconds of sound."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has tmpfs")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=1m"):
        pytest.skip(f"cannot mount a small file system: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


@pytest.fixture
def player(tmp_path: Path) -> Patch:
    """Ten seconds of a file, round and round, beside a tone of its own output."""
    hiss = np.random.default_rng(3).uniform(-0.5, 0.5, (RATE * 10, 2)).astype(np.float32)
    soundfile.write(tmp_path / "hiss.wav", hiss, RATE, subtype="FLOAT")
    patch = Patch("Files", RATE)
    patch.add("file", "file_player", {"path": "hiss.wav", "loop": True})
    patch.add("out", "audio_out")
    patch.connect("file.out", "out.in")
    patch.add("tone", "oscillator")
    patch.add("beside", "audio_out", {"channel": 2})
    patch.connect("tone.out", "beside.in")
    patch.folder = tmp_path
    return patch


def peak(engine: Engine, node: str) -> float:
    """The highest sample that left the patch there of late."""
    return float(np.max(engine.readings().get(node, {}).get("peak", [0.0])))


def goes_on(engine: Engine, node: str) -> None:
    """Assert that the engine renders, and that this output sounds."""
    clock = engine.status.numbers["clock"]
    until(lambda: engine.status.numbers["clock"] > clock + RATE // 4)
    assert peak(engine, node) > 0.1


def said(engine: Engine, words: str) -> list[str]:
    """What it said that has these words in it."""
    return [notice.text for notice in engine.notices if words in notice.text]


def test_a_full_disk_ends_a_take_readable_and_not_the_sound(small_disk):
    patch = Patch("Full", RATE)
    patch.add("tone", "noise", level_db=-12)
    patch.add("take", "file_recorder", {"path": "take.wav"})
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    patch.connect("tone.out", "take.in")
    patch.folder = small_disk
    with Engine(patch, device="null") as engine:
        pid = engine.status.pid
        until(lambda: peak(engine, "out") > 0.1)
        engine.record()
        until(lambda: said(engine, "recording to"))
        until(lambda: said(engine, "No space left"))
        until(lambda: engine.status.device is not None and not engine.status.device.recording)
        goes_on(engine, "out")
        assert len(said(engine, "No space left")) == 1
        assert engine.status.pid == pid
        data, rate = soundfile.read(small_disk / "take.wav")
    assert rate == RATE
    assert len(data) > RATE
    assert np.abs(data[-RATE // 10 :]).max() > 0.1


def test_a_disk_that_stands_still_is_counted_and_said_and_the_rest_plays_on(player, tmp_path, monkeypatch):
    stall = tmp_path / "stall"
    monkeypatch.setenv("STALL", str(stall))
    with Engine(player, device="null", command=STALLING) as engine:
        engine.play()
        until(lambda: peak(engine, "out") > 0.1)
        stall.touch()
        until(lambda: engine.status.numbers["missed"] > 0)
        until(lambda: peak(engine, "out") == 0.0)
        goes_on(engine, "beside")
        stall.unlink()
        until(lambda: peak(engine, "out") > 0.1)
        missed = engine.status.numbers["missed"]
        goes_on(engine, "out")
        assert engine.status.numbers["missed"] == missed
        until(lambda: said(engine, "is not read in time"))
        assert len(said(engine, "hiss.wav")) == 1


def test_a_file_that_vanishes_is_said_when_it_is_wanted_again_and_played_when_it_returns(player, tmp_path):
    bare = player.copy()
    bare.remove("file")
    bare.folder = tmp_path
    with Engine(player, device="null") as engine:
        engine.play()
        until(lambda: peak(engine, "out") > 0.1)
        (tmp_path / "hiss.wav").rename(tmp_path / "elsewhere.wav")
        engine.locate(5.0)
        goes_on(engine, "out")  # an open file is there until it is closed
        engine.load(bare)
        until(lambda: peak(engine, "out") == 0.0)
        problems = engine.load(player)
        assert any("hiss.wav" in message for _, _, message in problems) or said(engine, "hiss.wav")
        goes_on(engine, "beside")
        assert peak(engine, "out") == 0.0
        (tmp_path / "elsewhere.wav").rename(tmp_path / "hiss.wav")
        engine.load(player)
        until(lambda: peak(engine, "out") > 0.1)


def test_a_file_that_is_emptied_while_it_plays_is_silent_and_said(player, tmp_path):
    with Engine(player, device="null") as engine:
        engine.play()
        until(lambda: peak(engine, "out") > 0.1)
        os.truncate(tmp_path / "hiss.wav", 0)
        until(lambda: said(engine, "hiss.wav"))
        until(lambda: peak(engine, "out") == 0.0)
        goes_on(engine, "beside")
