"""The editor's link to its engine, with an engine that only remembers what it is asked."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import editor.link
from editor.link import Sound
from editor.model import Session
from graph.document import Automation, Cable, NodeEntry, Patch
from graph.edits import AddNode, Connect, Move, SetAutomation, SetParam
from nodes import kinds


class Engine:
    """``asked``: what it was asked, in turn."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.notices: list[Any] = []
        self.closed = threading.Event()

    def load(self, patch: Patch, wait: bool = True) -> None:
        assert not wait
        self.asked.append(("load", patch))

    def set(self, node: str, param: str, value: float) -> None:
        self.asked.append(("set", node, param, value))

    def set_points(self, node: str, param: str, points: Any) -> None:
        self.asked.append(("points", node, param, points))

    def play(self) -> None:
        self.asked.append(("play",))

    def stop(self) -> None:
        raise RuntimeError("no transport")

    def close(self) -> None:
        self.closed.set()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patches go out at once, however fast they follow each other."""
    monkeypatch.setattr(editor.link, "PATCH_EVERY_S", 0.0)
    monkeypatch.setattr(editor.link, "HELD_EVERY_S", 0.0)


@pytest.fixture
def said() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def sound(engine: Engine, said: list[tuple[str, str]]):
    found = Sound(lambda: engine, lambda level, text: said.append((level, text)))  # type: ignore[arg-type,return-value]
    yield found
    found.close()
    assert engine.closed.is_set()


def session() -> Session:
    patch = Patch("Linked", 48000)
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    return Session(patch, kinds())


def test_the_first_thing_it_hears_is_the_patch(sound: Sound, engine: Engine) -> None:
    linked = session()
    sound.follow(linked)
    until(lambda: engine.asked)
    assert [what for what, *_ in engine.asked] == ["load"]
    assert engine.asked[0][1].to_json() == linked.patch.to_json()


def test_a_turned_knob_sends_its_value_alone_and_only_the_newest(sound: Sound, engine: Engine) -> None:
    linked = session()
    sound.follow(linked)
    for value in (100.0, 200.0, 300.0):
        linked.do(SetParam("tone", "freq_hz", value), gesture="turn")
    sound.follow(linked)
    until(lambda: len(engine.asked) >= 2)
    assert engine.asked[1:] == [("set", "tone", "freq_hz", 300.0)]


def test_points_of_automation_go_alone_and_only_the_newest(sound: Sound, engine: Engine) -> None:
    linked = session()
    first = Automation("tone", "freq_hz", ((0.0, 100.0, "hold"),))
    linked.do(SetAutomation("tone", "freq_hz", first))
    sound.follow(linked)
    for value in (200.0, 300.0):
        linked.do(SetAutomation("tone", "freq_hz", replace(first, points=((0.0, value, "hold"),))), gesture="drag")
    sound.follow(linked, held=True)
    until(lambda: len(engine.asked) >= 2)
    assert engine.asked[1:] == [("points", "tone", "freq_hz", ((0.0, 300.0, "hold"),))]
    linked.undo()
    sound.follow(linked)
    until(lambda: len(engine.asked) >= 3)
    assert engine.asked[2][0] == "load"
    assert engine.asked[2][1].automation == [first]


def test_moving_a_node_says_nothing(sound: Sound, engine: Engine) -> None:
    linked = session()
    sound.follow(linked)
    linked.do(Move("tone", (50.0, 60.0)))
    sound.follow(linked)
    sound.play()
    until(lambda: len(engine.asked) >= 2)
    assert [what for what, *_ in engine.asked] == ["load", "play"]


def test_an_edit_of_the_structure_sends_the_patch_as_it_was_then(sound: Sound, engine: Engine) -> None:
    linked = session()
    sound.follow(linked)
    linked.do(AddNode("gain", NodeEntry("gain")), Connect(Cable("tone", "out", "gain", "in")))
    wanted = linked.patch.to_json()
    sound.follow(linked)
    linked.do(SetParam("gain", "level_db", -20.0))
    until(lambda: len(engine.asked) >= 2)
    assert engine.asked[1][0] == "load"
    assert engine.asked[1][1].to_json() == wanted
    sound.follow(linked)
    until(lambda: len(engine.asked) >= 3)
    assert engine.asked[2] == ("set", "gain", "level_db", -20.0)


def test_patches_that_follow_fast_are_sent_as_one_with_all_values(
    sound: Sound, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = session()
    sound.follow(linked)
    monkeypatch.setattr(editor.link, "PATCH_EVERY_S", 3600.0)
    for k in range(3):
        linked.do(AddNode(f"gain{k}", NodeEntry("gain")))
        linked.do(SetParam("tone", "freq_hz", 100.0 + k))
        sound.follow(linked)
    monkeypatch.setattr(editor.link, "PATCH_EVERY_S", 0.0)
    sound.follow(linked)
    sound.play()
    until(lambda: engine.asked[-1:] == [("play",)])
    assert [what for what, *_ in engine.asked] == ["load", "load", "play"]
    assert engine.asked[1][1].to_json() == linked.patch.to_json()
    sound.follow(linked)
    sound.play()
    until(lambda: len(engine.asked) == 4)
    assert engine.asked[3] == ("play",), "what the patch held is not sent again"


def test_what_is_done_while_the_engine_starts_reaches_it_in_turn(said: list[tuple[str, str]]) -> None:
    gate, engine, linked = threading.Event(), Engine(), session()

    def make() -> Engine:
        gate.wait(30.0)
        return engine

    sound = Sound(make, lambda level, text: said.append((level, text)))  # type: ignore[arg-type,return-value]
    sound.follow(linked)
    sound.play()
    assert sound.state.phase == "starting"
    assert sound.readings() == {}
    gate.set()
    until(lambda: len(engine.asked) == 2)
    assert [what for what, *_ in engine.asked] == ["load", "play"]
    sound.close()
    assert said == []


def test_an_engine_that_cannot_start_is_told_and_nothing_more_is_asked(said: list[tuple[str, str]]) -> None:
    def make() -> Any:
        raise RuntimeError("no room")

    sound = Sound(make, lambda level, text: said.append((level, text)))
    until(lambda: sound.state.phase == "failed")
    assert sound.state.words == "no room"
    until(lambda: said)
    assert said[0][0] == "error"
    assert "no room" in said[0][1]
    sound.follow(session())
    sound.play()
    sound.close()


def test_what_the_engine_refuses_is_said_and_it_goes_on(
    sound: Sound, engine: Engine, said: list[tuple[str, str]]
) -> None:
    sound.stop()
    sound.play()
    until(lambda: engine.asked)
    assert engine.asked == [("play",)]
    assert [(level, "no transport" in text) for level, text in said] == [("error", True)]


def test_without_an_engine_the_session_is_followed_in_silence(said: list[tuple[str, str]]) -> None:
    sound, linked = Sound(None, lambda level, text: said.append((level, text))), session()
    linked.do(SetParam("tone", "freq_hz", 100.0))
    sound.follow(linked)
    assert sound.state.phase == "off"
    assert (sound.readings(), sound.fresh_notices(), linked.to_engine) == ({}, [], [])
    sound.close()
    assert said == []


def test_notices_are_told_once(sound: Sound, engine: Engine) -> None:
    until(lambda: sound._player)
    engine.notices = [SimpleNamespace(level="info", text="one"), SimpleNamespace(level="warning", text="two")]
    assert sound.fresh_notices() == [("info", "one"), ("warning", "two")]
    assert sound.fresh_notices() == []
    engine.notices = [*engine.notices, SimpleNamespace(level="error", text="three")]
    assert sound.fresh_notices() == [("error", "three")]


def test_notices_are_told_also_when_the_engine_keeps_no_more(sound: Sound, engine: Engine) -> None:
    until(lambda: sound._player)
    kept: deque[Any] = deque(maxlen=3)
    for k in range(8):
        kept.append(SimpleNamespace(level="info", text=f"{k}"))
        engine.notices = list(kept)
        assert sound.fresh_notices() == [("info", f"{k}")]
    for k in range(8, 20):
        kept.append(SimpleNamespace(level="info", text=f"{k}"))
    engine.notices = list(kept)
    assert sound.fresh_notices() == [("info", "17"), ("info", "18"), ("info", "19")]
    assert sound.fresh_notices() == []
