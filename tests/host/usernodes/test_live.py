"""Nodes of one's own while they play: files that change, and trust that comes and goes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from time import monotonic, sleep

import numpy as np
import pytest

from graph import Patch
from host import Engine
from host.engine import folder as folders
from host.engine.player import LivePlayer
from host.usernodes import loading
from host.usernodes.source import read
from host.usernodes.trust import trust, untrust

from .conftest import GAIN

RATE = 48000
BLOCK = 256
DEADLINE_S = 60.0
HALF = GAIN.replace("signal[i, lane] * level", "0.5 * signal[i, lane] * level")
QUARTER = GAIN.replace("signal[i, lane] * level", "0.25 * signal[i, lane] * level")


class Deck:
    """A player that is asked for block after block."""

    def __init__(self, patch: Patch, folder) -> None:
        self.said: list[str] = []
        self.player = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), self.said.append)
        self.parts: list[np.ndarray] = []
        self.player.set_patch(1, patch, folder)
        self.until(lambda: self.player.outcome() is not None, play=False)
        self.player.renderer.prepare(0, 1, BLOCK)
        self.player.running(True)

    def block(self) -> None:
        self.player.step()
        out = np.zeros((BLOCK, 1), np.float32)
        self.player.renderer.process(None, out)
        self.parts.append(out)

    def until(self, condition, play: bool = True) -> None:
        deadline = monotonic() + DEADLINE_S
        while not condition():
            assert monotonic() < deadline, self.said
            self.block() if play else self.player.step()

    @property
    def level(self) -> float:
        """The peak of the last turns of the tone."""
        return float(np.abs(np.concatenate(self.parts[-4:])).max()) if len(self.parts) >= 4 else 0.0

    def settles_at(self, level: float) -> None:
        self.until(lambda: self.level == pytest.approx(level, rel=1e-3))

    def close(self) -> None:
        self.player.close()


@pytest.fixture
def tone(tmp_path, monkeypatch) -> Patch:
    monkeypatch.setattr(loading, "LOOK_S", 0.0)
    patch = Patch("Live", sample_rate=RATE)
    patch.add("tone", "oscillator", freq_hz=375, level_db=-6.0206)
    patch.add("own", "user", settings={"path": "mine.py"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("tone.out", "own.in")
    patch.connect("own.out", "out.in")
    return patch


def test_a_file_that_is_saved_plays_on_as_it_was_until_it_is_trusted_and_then_is_heard_without_a_click(
    written, tone, tmp_path
):
    written(GAIN)
    with closing(Deck(tone, tmp_path)) as deck:
        deck.settles_at(0.5)
        deck.parts.clear()
        file = written(HALF, trusted=False)
        deck.until(lambda: any("it plays on as it was" in words for words in deck.said))
        deck.settles_at(0.5)
        assert len(deck.said) == 1
        trust(read(file).digest, file)
        deck.settles_at(0.25)
        assert deck.player.outcome() == (1, True, [])
        heard = np.concatenate(deck.parts)[:, 0].astype(float)
        smooth = 0.5 * np.sin(2 * np.pi * 375 * np.arange(1000) / RATE)
        assert np.abs(np.diff(heard, 2)).max() < 1.2 * np.abs(np.diff(smooth, 2)).max()


def test_what_is_missing_is_heard_once_it_is_trusted_and_no_problem_is_left(written, tone, tmp_path):
    file = written(HALF, trusted=False)
    with closing(Deck(tone, tmp_path)) as deck:
        _, played, problems = deck.player.outcome()
        assert played
        assert [(node, "is not trusted" in message) for node, _, message in problems] == [("own", True)]
        deck.settles_at(0.5)
        trust(read(file).digest, file)
        deck.settles_at(0.25)
        deck.until(lambda: deck.player.outcome() == (1, True, []))


def test_what_is_trusted_no_longer_is_heard_no_longer(written, tone, tmp_path):
    file = written(QUARTER)
    with closing(Deck(tone, tmp_path)) as deck:
        deck.settles_at(0.125)
        untrust(read(file).digest)
        deck.settles_at(0.5)
        deck.until(lambda: len(deck.player.outcome()[2]) == 1)
        trust(read(file).digest, file)
        deck.settles_at(0.125)


def test_a_file_that_is_gone_plays_on_as_it_was(written, tone, tmp_path):
    file = written(HALF)
    with closing(Deck(tone, tmp_path)) as deck:
        deck.settles_at(0.25)
        file.unlink()
        deck.until(lambda: any("No such file" in words for words in deck.said))
        deck.settles_at(0.25)


def test_a_trusted_change_that_does_not_compile_leaves_what_plays(written, tone, tmp_path):
    written(HALF)
    with closing(Deck(tone, tmp_path)) as deck:
        deck.settles_at(0.25)
        written(GAIN.replace("signal[i, lane] * level", "signal[i] * level"))
        deck.until(lambda: not deck.player.outcome()[1])
        ((_, _, message),) = deck.player.outcome()[2]
        assert "mine.py:20: expected signal[frame, lane]" in message
        deck.settles_at(0.25)
        written(QUARTER)
        deck.settles_at(0.125)


def test_its_params_turn_and_what_is_no_number_is_counted(written, tone, tmp_path):
    written(GAIN.replace("signal[i, lane] * level[i, lane]", "level[i, lane] / (i % 64)"))
    with closing(Deck(tone, tmp_path)) as deck:
        deck.settles_at(1.0)
        deck.player.set_param("own", "level_db", -20.0)
        deck.settles_at(0.1)
        assert deck.player.numbers()["scrubbed"] >= 4 * len(deck.parts) - 4


@pytest.mark.skipif(sys.platform == "win32", reason="crashes have other names")
def test_a_kernel_that_brings_the_engine_down_is_survived_once_it_is_trusted_no_longer(
    written, tone, tmp_path, monkeypatch
):
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        monkeypatch.setenv(folders.VARIABLE, name)
        file = written(GAIN.replace("out[i, lane] =", "out[i + 100000000, lane] ="))
        tone.folder = tmp_path
        with Engine(tone, device="null") as engine:
            wait(lambda: any("has died" in notice.text for notice in engine.notices))
            untrust(read(file).digest)
            assert "Segmentation fault" in next(n.text for n in engine.notices if "has died" in n.text)
            wait(lambda: engine.status.alive and engine.status.numbers.get("clock", 0) > RATE)


def wait(condition) -> None:
    deadline = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)
