"""Two snapshots at one loudness: what is measured, and what the engine is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from editor.link import Sound
from editor.model import Session
from editor.snapshots.matching import Match, Measuring, Passage, loudness_of, together, trims, without_recorders
from graph.document import Patch
from graph.edits import SetParam
from graph.patchfile import load
from nodes import kinds

DEADLINE_S = 120.0


def rig(folder: Path) -> Patch:
    """A 997 Hz sine at −20 dBFS, silent for its first two seconds, and two snapshots of its level."""
    t = np.arange(6 * 48000) / 48000
    sine = 0.1 * np.sin(2 * np.pi * 997 * t) * (t >= 2)
    soundfile.write(folder / "sine.wav", np.stack([sine, sine], 1).astype(np.float32), 48000, subtype="FLOAT")
    patch = Patch("Rig", sample_rate=48000)
    patch.add("in", "file_player", settings={"path": "sine.wav"})
    patch.add("bus", "bus")
    patch.add("take", "file_recorder", settings={"path": "take.wav"})
    patch.add("out", "audio_out", level_db=-1.0)
    patch.connect("in.out", "bus.in")
    patch.connect("bus.out", "out.in")
    patch.connect("bus.out", "take.in")
    patch.snapshot("Loud", {"bus": {"level_db": 6.0}})
    patch.snapshot("Soft", {"bus": {"level_db": -3.5}})
    patch.save(folder / "rig.json")
    return load(folder / "rig.json")


def test_the_louder_one_is_turned_down_and_nothing_is_turned_up():
    match = Match(-14.0, -23.5)
    assert match.trim(0.0) == -9.5
    assert match.trim(1.0) == 0.0
    assert match.trim(0.5) == -4.75
    assert Match(-23.0, -20.0).trim(1.0) == -3.0
    assert Match(None, -20.0).trim(1.0) == 0.0


def test_powers_of_several_outputs_add_up():
    assert together([-20.0, -20.0]) == pytest.approx(-16.99, abs=0.01)
    assert together([-20.0, None]) == -20.0
    assert together([None, None]) is None


def test_the_loop_is_what_is_compared_else_what_comes_next():
    patch = Patch()
    assert Passage.of(patch, 12.0) == Passage(12.0, 10.0)
    patch.transport = replace(patch.transport, loop=(4.0, 6.5))
    assert Passage.of(patch, 12.0) == Passage(4.0, 2.5)


def test_a_passage_has_the_loudness_that_the_standard_says(tmp_path: Path):
    """BS.1770: a stereo sine of 997 Hz with a peak of −20 dBFS in both channels is at −20 LUFS."""
    patch = rig(tmp_path)
    loud = loudness_of(without_recorders(patch, kinds()), "Loud", ["out"], 3.0, 2.0, tmp_path)
    assert loud == pytest.approx(-20.0 + 6.0 - 1.0, abs=0.1)
    assert loudness_of(without_recorders(patch, kinds()), "Loud", ["out"], 0.0, 1.5, tmp_path) is None
    assert not (tmp_path / "take.wav").exists(), "a comparison records nothing"
    assert patch.node("take").settings["path"] == "take.wav"


def test_it_is_measured_aside(tmp_path: Path):
    measuring = Measuring(rig(tmp_path), kinds(), "Loud", "Soft", Passage(2.5, 3.0))
    deadline = monotonic() + DEADLINE_S
    while not measuring.over:
        measuring.step()
        assert monotonic() < deadline, "the comparison takes for ever"
        sleep(0.01)
    assert measuring.error == ""
    assert measuring.match is not None
    assert measuring.match.a == pytest.approx(-15.0, abs=0.1)
    assert measuring.match.trim(0.0) == pytest.approx(-9.5, abs=0.02)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rig.json", "sine.wav"]


def test_what_goes_wrong_is_said(tmp_path: Path):
    patch = rig(tmp_path)
    measuring = Measuring(patch, kinds(), "Loud", "Nothing", Passage(0.0, 1.0))
    deadline = monotonic() + DEADLINE_S
    while not measuring.over:
        measuring.step()
        assert monotonic() < deadline, "the comparison takes for ever"
        sleep(0.01)
    assert measuring.match is None
    assert measuring.error


class _Player:
    def __init__(self) -> None:
        self.told: list[object] = []

    def load(self, patch: Patch, wait: bool = True) -> None:
        self.told.append(patch.node("out").params.get("level_db"))

    def set(self, node: str, param: str, value: float) -> None:
        self.told.append((node, param, value))

    def close(self) -> None:
        self.told.append("closed")


def test_the_engine_hears_the_trim_and_the_document_does_not(tmp_path: Path):
    session, player, said = Session(rig(tmp_path)), _Player(), list[tuple[str, str]]()
    sound = Sound(lambda: player, lambda level, text: said.append((level, text)))  # type: ignore[arg-type,return-value]
    sound.follow(session)
    sound.trim(trims(session.patch, session.kinds, -9.5))
    session.do(SetParam("out", "level_db", -2.0))
    sound.follow(session)
    sound.trim(trims(session.patch, session.kinds, 0.0))
    sound.close()
    assert said == []
    assert player.told == [
        -1.0,
        ("out", "level_db", -10.5),
        ("out", "level_db", -11.5),
        ("out", "level_db", -2.0),
        "closed",
    ]
    assert session.patch.node("out").params["level_db"] == -2.0
