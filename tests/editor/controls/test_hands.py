"""A controller on a session, without a window: heard at once, then in the document, as steps that can be undone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mido
import pytest

from editor.controls import hands as module
from editor.controls.board import Board
from editor.controls.hands import QUIET_S, Hands
from editor.controls.target import SessionTarget, SessionTransport
from editor.model import Session
from editor.settings import Settings
from graph.document import Patch
from graph.edits import RemoveNode, SetParam
from graph.form import to_document
from host.remote.control import Remote
from host.remote.ports import Port


class Sound:
    """What is asked of the engine."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, float]] = []
        self.asked: list[Any] = []
        self.state = SimpleNamespace(rolling=False, place_s=0.0, device=None)

    def set(self, node: str, param: str, value: float) -> None:
        self.heard.append((node, param, value))

    def play(self) -> None:
        self.asked.append("play")

    def locate(self, seconds: float) -> None:
        self.asked.append(seconds)


class Backend:
    """One controller, played by hand."""

    def get_input_names(self) -> list[str]:
        return ["Knobs"]

    def get_output_names(self) -> list[str]:
        return []

    def open_input(self, name: str, callback: Any) -> Any:
        self.play = callback
        return SimpleNamespace(close=lambda: None)


def session() -> Session:
    inner = Patch()
    inner.add("comp", "compressor")
    raw = {k: v for k, v in to_document(inner).items() if k in ("nodes", "cables")}
    patch = Patch()
    patch.add("strip", "group", {"patch": raw, "ports": {}, "params": {}})
    patch.add("tone", "filter")
    controls = [
        {"from": "cc 1 1", "node": "tone", "param": "freq_hz", "takeover": "jump"},
        {"from": "cc 1 2", "node": "strip/comp", "param": "mix", "takeover": "jump"},
        {"from": "cc 1 3", "node": "tone", "param": "q"},
        {"from": "cc 1 40", "transport": "play"},
        {"from": "cc 1 41", "transport": "start"},
    ]
    patch.metadata = {"controls": controls}
    return Session(patch)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


class Rig:
    """Hands on a session, and a controller in theirs."""

    def __init__(self, made: Session) -> None:
        self.session, self.sound, self.now = made, Sound(), 10.0
        said: list[str] = []
        app: Any = SimpleNamespace(
            session=made, sound=self.sound, slots={}, touch=lambda: None, panels={},
            notices=SimpleNamespace(say=lambda level, text: said.append(text)),
        )  # fmt: skip
        app.panels["files"] = SimpleNamespace(settings=Settings())
        self.hands = Hands(app)
        self.backend = Backend()
        target = self.hands._target
        transport = SessionTransport(made, self.sound, self.hands._later.put, self.hands._loop)  # type: ignore[arg-type]
        port = Port("Knobs", said.append, backend=self.backend)
        self.remote = self.hands._remote = Remote(target, port=port, transport=transport)
        self.remote.use(made.patch.metadata)
        self.hands.sync(made.changes())
        self.remote.step(self.now)

    def move(self, number: int, *values: int) -> None:
        for value in values:
            self.backend.play(mido.Message("control_change", control=number, value=value))
            self.now += 0.05
            self.remote.step(self.now)

    def frame(self) -> None:
        self.hands.frame(0.0, {})
        self.hands.sync(self.session.changes())


def test_what_is_moved_is_heard_before_it_is_in_the_document(clock: list[float]) -> None:
    rig = Rig(session())
    rig.move(1, 0, 127)
    assert rig.sound.heard == [("tone", "freq_hz", 10.0), ("tone", "freq_hz", 24000.0)]
    assert "freq_hz" not in rig.session.patch.node("tone").params
    rig.frame()
    assert rig.session.patch.node("tone").params == {"freq_hz": 24000.0}


def test_what_is_moved_without_a_pause_is_one_step(clock: list[float]) -> None:
    rig = Rig(session())
    for value in (10, 60, 127):
        rig.move(1, value)
        rig.move(2, value)
        rig.frame()
        clock[0] += QUIET_S / 2
    assert len(rig.session.history.done) == 1
    inside = rig.session.patch.node("strip").settings["patch"]["nodes"]["comp"]["params"]
    assert inside == {"mix": 1.0}
    clock[0] += QUIET_S * 2
    rig.move(1, 0)
    rig.frame()
    assert len(rig.session.history.done) == 2
    rig.session.undo()
    rig.session.undo()
    assert not rig.session.patch.node("tone").params
    assert not rig.session.history.done


def test_a_knob_takes_over_from_where_the_document_stands(clock: list[float]) -> None:
    rig = Rig(session())
    rig.session.do(SetParam("tone", "q", 50.0))
    rig.frame()
    rig.move(3, 1, 20, 30)
    rig.frame()
    assert rig.session.patch.node("tone").params["q"] == 50.0, "they have not met"
    rig.move(3, 127, 0)
    rig.frame()
    assert rig.session.patch.node("tone").params["q"] == 0.05
    rig.session.undo()
    rig.frame()
    rig.move(3, 5)
    rig.frame()
    assert rig.session.patch.node("tone").params["q"] == 50.0, "an undo puts it elsewhere: it must be met again"


def test_buttons_of_the_transport(clock: list[float]) -> None:
    rig = Rig(session())
    rig.move(40, 0, 127)
    rig.move(41, 127)
    assert rig.sound.asked == ["play", 0.0]


def test_what_moves_nothing_any_more_is_passed_over(clock: list[float]) -> None:
    rig = Rig(session())
    rig.move(1, 64)
    rig.session.do(RemoveNode("tone"))
    rig.frame()
    rig.move(1, 100)
    rig.frame()
    assert "tone" not in rig.session.patch.graph
    assert rig.session.history.done == ["Remove tone"]


def test_marks_follow_the_level_that_is_looked_at(clock: list[float]) -> None:
    rig = Rig(session())
    assert {node: sorted(params) for node, params in rig.hands.marks().items()} == {"tone": ["freq_hz", "q"]}
    rig.session.enter("strip")
    rig.frame()
    assert {node: sorted(params) for node, params in rig.hands.marks().items()} == {"comp": ["mix"]}
    assert rig.hands.osc_address("comp", "mix") == "/strip/comp/mix"
    rig.hands.free_here("comp", "mix")
    assert rig.hands.marks() == {}
    rig.session.undo()
    assert list(rig.hands.marks()) == ["comp"]


def test_values_of_a_patch_that_is_gone_are_not_told(clock: list[float]) -> None:
    target = SessionTarget(Sound())  # type: ignore[arg-type]
    made = session()
    board = Board.of(made.patch, made.kinds)
    target.follow(board, board.values(made.patch))
    target.set([("tone", "q", 3.0), ("tone", "q", 4.0)])
    assert target.get("tone", "q") == 4.0
    assert target.taken() == {("tone", "q"): 4.0}
    assert target.taken() == {}
    target.follow(Board(), {})
    assert target.get("tone", "q") == 0.0
    assert len(target.addresses) == 0
