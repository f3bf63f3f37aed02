"""The disk cache of an engine process: it is used unless it is switched off, and says how much it holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from graph import Patch
from host import Engine
from host.audiofile import create_audio
from host.engine.wanted import Wanted
from host.messages import KeepFiles

from .conftest import until


@pytest.fixture
def playing(tmp_path) -> tuple[Patch, int]:
    """A patch that plays a file, and the size of that."""
    noise = 0.1 * np.random.default_rng(1).standard_normal((48000, 2)).astype(np.float32)
    with create_audio(tmp_path / "a.wav", 48000, ("L", "R")) as writer:
        writer.write(noise)
    patch = Patch("Playing", sample_rate=48000)
    patch.add("player", "file_player", settings={"path": "a.wav"})
    patch.add("out", "audio_out")
    patch.connect("player.out", "out.in")
    patch.folder = tmp_path
    return patch, (tmp_path / "a.wav").stat().st_size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies are made on Linux only")
def test_played_files_come_into_memory_and_the_engine_says_so(playing):
    patch, size = playing
    with Engine(patch, device="null") as engine:
        until(lambda: engine.status.numbers["kept"] == 1)
        numbers = engine.status.numbers
        assert (numbers["files"], numbers["files_bytes"], numbers["kept_bytes"]) == (1, size, size)
        until(lambda: not engine.status.numbers["keeping"])
        engine.keep_files(0)
        until(lambda: engine.status.numbers["kept"] == 0)
        engine.keep_files(10)
        until(lambda: engine.status.numbers["kept"] == 1)
        engine.load(Patch("Empty", sample_rate=48000))
        until(lambda: engine.status.numbers["files"] == 0)
        assert engine.status.numbers["kept"] == 0


def test_none_come_into_memory_where_that_is_switched_off(playing):
    patch, _ = playing
    with Engine(patch, device="null", disk_cache_mb=0) as engine:
        until(lambda: engine.status.numbers["files"] == 1)
        numbers = engine.status.numbers
        assert (numbers["kept"], numbers["keeping"]) == (0, 0)


def test_an_engine_that_is_started_again_is_told_as_well():
    wanted = Wanted()
    wanted.note(KeepFiles(10))
    wanted.note(KeepFiles(20))
    assert [message for message in wanted.messages() if isinstance(message, KeepFiles)] == [KeepFiles(20)]
