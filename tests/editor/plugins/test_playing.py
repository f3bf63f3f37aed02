"""What happens in plugins' windows becomes steps of the history; how plugins are doing is said in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from editor.model import Session
from editor.plugins import playing as module
from editor.plugins.playing import Playing
from editor.plugins.turning import PluginTurning
from editor.plugins.words import doing, latency_words, origin, other_version
from graph.edits import SetParam
from graph.errors import PatchError
from host.plugins.description import PluginParam
from tests.editor.plugins.rig import CRUSH, entry_of, filled, good, session_with


@dataclass
class Edit:
    node: str
    param: str
    value: float
    gesture: int
    phase: str


@dataclass
class Change:
    state: bytes
    by_hand: bool = False
    moved: dict[str, float] = field(default_factory=dict)


@dataclass
class Standing:
    name: str = "Crush"
    status: str = "ready"
    error: str = ""
    backend: str = "native"
    latency: int = 64
    window: bool = False
    losses: int = 0
    recoveries: int = 0
    missed: int = 0
    passed: int = 0
    scrubbed: int = 0


@dataclass
class Engine:
    """What the engine says of its plugins, as a test has it."""

    told: list[Edit] = field(default_factory=list)
    changed: dict[str, Change] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    called: dict[str, tuple[str, str]] = field(default_factory=dict)
    stands: dict[str, Standing] = field(default_factory=lambda: {"fx": Standing()})
    has: dict[str, float] = field(default_factory=dict)
    shows: dict[tuple[str, float], str] = field(default_factory=dict)

    def edits(self) -> list[Edit]:
        found, self.told = self.told, []
        return found

    def changes(self) -> dict[str, Change]:
        found, self.changed = self.changed, {}
        return found

    def ask_states(self) -> int:
        self.asked.append(len(self.asked) + 1)
        return self.asked[-1]

    def states_told(self, ticket: int) -> bool:
        return ticket in self.answered

    def give_state(self, node: str) -> None:
        self.given.append(node)

    def standing(self) -> dict[str, Standing]:
        return self.stands

    def values(self, node: str) -> dict[str, float]:
        return self.has

    def text(self, node: str, param: str, value: float) -> str | None:
        return self.shows.get((param, value))

    def titles(self, node: str) -> dict[str, tuple[str, str]]:
        return self.called

    def value_of(self, node: str, param: str, text: str) -> float | None:
        return {"6": 0.375}.get(text)

    def ask(self, task: Any) -> None:
        """As the editor's link to the engine does, at once."""
        task(self)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return session_with(filled(tmp_path), ("fx", CRUSH))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def playing(session: Session, engine: Engine) -> Playing:
    return Playing(session, lambda: engine)  # type: ignore[arg-type,return-value]


def turn(engine: Engine, gesture: int, *values: float, node: str = "fx") -> None:
    """A knob is turned in a plugin's window."""
    engine.told += [Edit(node, "drive", 0.0, gesture, "begin")]
    engine.told += [Edit(node, "drive", value, gesture, "perform") for value in values]
    engine.told += [Edit(node, "drive", values[-1], gesture, "end")]


def test_one_turn_of_a_knob_in_a_window_is_one_step(session: Session, engine: Engine, playing: Playing) -> None:
    turn(engine, 1, 0.3, 0.4)
    playing.step()
    turn(engine, 2, 0.6)
    playing.step()
    assert session.patch.node("fx").params == {"drive": 0.6}
    assert session.history.done == ["Set drive", "Set drive"]
    assert session.to_engine[-1] == ("fx", "drive", 0.6), "the engine is told the value, not the whole patch"
    session.undo()
    assert session.patch.node("fx").params == {"drive": 0.4}
    session.undo()
    assert session.patch.node("fx").params == {}


def test_the_state_that_comes_of_a_turn_belongs_to_its_step(session: Session, engine: Engine, playing: Playing) -> None:
    turn(engine, 1, 0.3)
    playing.step()
    engine.changed["fx"] = Change(b"after")
    playing.step()
    assert session.patch.node("fx").state == b"after"
    assert session.history.done == ["Set drive"]
    session.undo()
    assert session.patch.node("fx").state is None


def test_a_state_that_nobody_made_by_hand_is_no_step(session: Session, engine: Engine, playing: Playing) -> None:
    engine.changed["fx"] = Change(b"as loaded")
    playing.step()
    assert session.history.done == [], "a plugin that was loaded has a state, and the patch is not changed by that"
    assert session.patch.node("fx").state is None


def test_what_was_done_in_a_window_without_a_word_is_one_step(
    session: Session, engine: Engine, playing: Playing
) -> None:
    session.do(SetParam("fx", "drive", 0.5))
    engine.changed["fx"] = Change(b"a preset of its own", True, {"drive": 0.75, "dry_wet": 0.5})
    playing.step()
    node = session.patch.node("fx")
    assert (node.state, node.params) == (b"a preset of its own", {"drive": 0.75}), "a param that is not given is in it"
    assert session.history.done == ["Set fx.drive", "Change in Crush"]
    session.undo()
    assert (node := session.patch.node("fx")).state is None
    assert node.params == {"drive": 0.5}


def test_the_patch_is_kept_when_it_has_what_was_done_in_windows(
    session: Session, engine: Engine, playing: Playing
) -> None:
    kept: list[bytes | None] = []

    def keep() -> None:
        kept.append(session.patch.node("fx").state)

    playing.step()
    playing.settle(keep)
    assert (kept, engine.asked) == ([None], []), "at once, where no window was ever open"
    engine.stands["fx"].window = True
    playing.step()
    engine.stands["fx"].window = False
    playing.step()
    playing.settle(keep)
    playing.step()
    assert (kept, engine.asked) == ([None], [1]), "it is asked for"
    engine.changed["fx"] = Change(b"picked", True)
    engine.answered.add(1)
    playing.step()
    assert kept == [None, b"picked"]
    assert session.history.done == ["Change in Crush"]


def test_what_came_of_the_patch_is_kept_and_is_no_step(session: Session, engine: Engine, playing: Playing) -> None:
    session.do(SetParam("fx", "drive", 0.5))
    session.do(SetParam("fx", "drive", 0.6))
    session.undo()
    playing.step()
    playing.opened("fx")
    playing.settle(lambda: None)
    engine.changed["fx"] = Change(b"with its drive turned")
    engine.answered.add(1)
    playing.step()
    assert session.patch.node("fx").state == b"with its drive turned"
    assert (session.history.done, session.history.undone) == (["Set fx.drive"], ["Set fx.drive"])
    assert session.patch_changed, "the engine hears that the patch has it"


def test_a_plugin_that_says_nothing_holds_nothing_up_for_long(
    session: Session, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    playing = Playing(session, lambda: engine, lambda level, text: said.append(text))  # type: ignore[arg-type,return-value]
    playing.step()
    playing.opened("fx")
    monkeypatch.setattr(module, "LONGEST_S", 0.0)
    done: list[int] = []
    playing.settle(lambda: done.append(1))
    playing.settle(lambda: done.append(2))
    playing.step()
    assert done == [1, 2]
    assert said == ["A plugin did not say its state in time; what was known of it before is kept."] * 2


def test_what_was_done_in_a_window_is_what_undo_takes_back(session: Session, engine: Engine, playing: Playing) -> None:
    session.do(SetParam("fx", "drive", 0.5))
    playing.opened("fx")
    playing.step()
    undone: list[str | None] = []
    for _ in range(2):  # pressed twice, faster than the plugin answers
        playing.settle(lambda: undone.append(session.undo()))
    playing.settle(lambda: undone.append("something else"), ask=False)
    playing.step()
    assert (undone, engine.asked) == ([], [1]), "one after the other"
    engine.changed["fx"] = Change(b"picked", True)
    engine.answered.add(1)
    playing.step()
    playing.edited()
    assert undone == ["Change in Crush"]
    assert (session.patch.node("fx").state, engine.given) == (None, ["fx"]), "the engine has never seen it in the patch"
    assert engine.asked == [1, 2]
    engine.answered.add(2)
    playing.step()
    assert undone == ["Change in Crush", "Set fx.drive", "something else"]
    assert engine.given == ["fx"]
    playing.settle(lambda: undone.append("at once"), ask=False)
    assert undone[-1] == "at once"


def test_a_window_that_was_closed_long_ago_is_asked_about_only_before_the_patch_is_kept(
    engine: Engine, playing: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not playing.in_hand
    engine.stands["fx"].window = True
    playing.step()
    assert playing.in_hand
    engine.stands["fx"].window = False
    playing.step()
    assert playing.in_hand, "it may not have been looked at since"
    monkeypatch.setattr(module, "LATELY_S", 0.0)
    assert (playing.in_hand, playing.unsettled) == (False, True)


def test_without_its_engine_what_waited_is_done(session: Session, engine: Engine) -> None:
    there: list[Engine] = [engine]
    playing = Playing(session, lambda: there[0] if there else None)  # type: ignore[arg-type,return-value]
    playing.step()
    playing.opened("fx")
    done: list[int] = []
    playing.settle(lambda: done.append(1))
    playing.step()
    assert not done
    there.clear()
    playing.step()
    playing.step()
    assert done == [1]


def test_what_a_plugin_makes_of_an_undo_leaves_redo_alone(session: Session, engine: Engine, playing: Playing) -> None:
    turn(engine, 1, 0.3)
    playing.step()
    session.undo()
    playing.edited()
    engine.changed["fx"] = Change(b"taken back")
    playing.step()
    assert session.history.undone == ["Set drive"]
    session.redo()
    assert session.patch.node("fx").params == {"drive": 0.3}


def test_windows_of_plugins_in_groups_change_what_is_inside(tmp_path: Path, engine: Engine) -> None:
    session = session_with(filled(tmp_path))
    entry = entry_of(CRUSH)
    inner = {"nodes": {"fx": {"kind": "plugin", "settings": dict(entry.settings)}}, "cables": []}
    session.patch.add("box", "group")
    session.patch.node("box").settings["patch"] = inner
    playing = Playing(session, lambda: engine)  # type: ignore[arg-type,return-value]
    turn(engine, 1, 0.7, node="box/fx")
    playing.step()
    session.enter("box")
    assert session.here.node("fx").params == {"drive": 0.7}
    assert session.undo() == "Set drive"


def test_a_plugin_that_was_removed_meanwhile_is_passed_over(session: Session, engine: Engine, playing: Playing) -> None:
    turn(engine, 1, 0.3, node="gone")
    playing.step()
    assert session.history.done == []
    turn(engine, 2, 0.5)
    playing.step()
    assert session.history.done == ["Set drive"]


def knob(session: Session, playing: Playing, engine: Engine, name: str) -> PluginTurning:
    """A param of the plugin as something to turn."""
    face = session.face("fx")
    param = face.param(name)
    assert param is not None
    return PluginTurning(session, "fx", param, face.own[name], playing, engine)  # type: ignore[arg-type]


def test_a_param_without_a_value_stands_where_the_plugin_has_it(
    session: Session, engine: Engine, playing: Playing
) -> None:
    playing.step()
    drive = knob(session, playing, engine, "drive")
    assert drive.value == 0.25, "the default, while nothing else is known"
    engine.has = {"drive": 0.5}
    playing.step()
    assert drive.value == 0.5
    session.do(SetParam("fx", "drive", 0.75))
    assert drive.value == 0.75
    drive.reset()
    assert drive.value == 0.5


def test_values_are_shown_in_the_plugins_own_words(session: Session, engine: Engine, playing: Playing) -> None:
    playing.step()
    drive = knob(session, playing, engine, "drive")
    assert drive.label == "Drive"
    assert drive.words(0.5) == "0.500"
    assert playing.waiting
    engine.shows[("drive", 0.5)] = "12.000000"
    assert drive.words(0.5) == "12.0 dB"
    engine.stands["fx"].status = "loading"
    assert drive.words(0.5) == "0.500", "what is not there is not asked"


def test_steps_are_kept_to_and_chosen_by_name(session: Session, engine: Engine, playing: Playing) -> None:
    playing.step()
    kind = knob(session, playing, engine, "shape")
    assert list(kind.choices) == ["Soft", "Hard", "Fold"]
    assert kind.chosen == 1
    kind.choose(2)
    assert session.patch.node("fx").params == {"shape": 1.0}
    kind.type("soft")
    assert kind.chosen == 0
    kind.put(0.4)
    assert session.patch.node("fx").params == {"shape": 0.5}


def test_a_typed_value_is_what_the_plugin_makes_of_it(session: Session, engine: Engine, playing: Playing) -> None:
    playing.step()
    drive = knob(session, playing, engine, "drive")
    drive.type("6 dB")
    playing.step()
    assert session.patch.node("fx").params == {"drive": 0.375}
    drive.type("nonsense")
    with pytest.raises(ValueError, match="does not understand 'nonsense'"):
        playing.step()
    assert session.patch.node("fx").params == {"drive": 0.375}


def test_without_an_engine_a_number_from_0_to_1_can_be_typed(session: Session) -> None:
    drive = knob(session, Playing(session, lambda: None), Engine(), "drive")
    drive.type("0.5")
    assert drive.value == 0.5
    with pytest.raises(ValueError, match="expected"):
        drive.type("6 dB")


def test_how_a_plugin_is_doing_is_said_with_what_is_lost(session: Session) -> None:
    face, fine = session.face("fx"), Standing()
    assert doing(face, fine, True, True).level == "good"
    assert doing(face, fine, True, True).badge == ""
    lost = doing(face, replace(fine, status="loading", losses=1), True, True)
    assert (lost.level, lost.badge) == ("warn", "coming back")
    assert "Nothing of the patch is lost" in lost.more
    failed = doing(face, replace(fine, status="failed", error="it would not load"), True, True)
    assert failed.level == "bad"
    assert failed.more.startswith("it would not load")
    assert "once" in doing(face, replace(fine, losses=1), True, True).more
    assert doing(face, None, True, False).badge == "off", "safe mode"
    assert doing(face, None, False, False).level == "dim"


def test_when_a_plugin_was_lost_is_remembered(session: Session, engine: Engine, playing: Playing) -> None:
    playing.step()
    assert playing.lost == {}
    engine.stands = {"fx": Standing(losses=1, status="loading")}
    playing.step()
    clock = playing.lost["fx"]
    assert len(clock.split(":")) == 3
    engine.stands = {"fx": Standing(losses=1)}
    playing.step()
    told = doing(session.face("fx"), playing.standing["fx"], True, True, lost=playing.lost["fx"])
    assert told.more == f"It was lost once at {clock}, and came back with its last state."


def test_version_latency_and_maker_are_told(session: Session) -> None:
    face = session.face("fx")
    assert origin(face) == "Acme Audio   version 2.1.0   VST3"
    assert other_version(face) == ""
    older = replace(face, settings={**face.settings, "version": "1.9"})
    assert other_version(older) == "The patch was made with version 1.9; here is 2.1.0."
    assert latency_words(face, Standing(latency=480), 48000) == "480 frames, 10.0 ms"
    set_ = replace(face, settings={**face.settings, "latency_frames": 12})
    assert latency_words(set_, Standing(latency=480), 48000) == "taken as 12 frames; it reports 480 frames, 10.0 ms"


def test_an_edit_that_cannot_be_is_said_and_changes_nothing(session: Session, engine: Engine, playing: Playing) -> None:
    engine.told.append(Edit("fx", "drive", float("nan"), 1, "perform"))
    with pytest.raises(PatchError):
        playing.step()
    assert session.patch.node("fx").params == {}


def test_a_param_is_called_what_the_plugin_calls_it_now(session: Session, engine: Engine, playing: Playing) -> None:
    playing.step()
    drive = knob(session, playing, engine, "drive")
    engine.shows["drive", 0.25] = "3"
    assert (drive.label, drive.words(0.25)) == ("Drive", "3 dB")
    engine.called["drive"] = ("Cutoff", "%")
    playing.step()
    assert (drive.label, drive.words(0.25)) == ("Cutoff", "3 %")


def test_a_program_that_is_chosen_is_one_step_with_what_it_turns(tmp_path: Path, engine: Engine) -> None:
    bank = tuple(f"Sound {k}" for k in range(100))
    programs = PluginParam(5, "Program", "", 99, 0.0, bank[0], bank[-1], bank, program=True)
    about = replace(CRUSH, params=(*CRUSH.params, programs))
    session = session_with(filled(tmp_path, (good(about, "/plugins/Crush.vst3"),)), ("fx", about))
    playing = Playing(session, lambda: engine)  # type: ignore[arg-type,return-value]
    session.do(SetParam("fx", "drive", 0.75))
    playing.step()
    program = knob(session, playing, engine, "program")
    assert program.choices == bank, "however many there are"
    program.choose(33)
    assert session.patch.node("fx").params["program"] == pytest.approx(1 / 3)
    engine.changed["fx"] = Change(b"sound 33", False, {"drive": 0.1, "dry_wet": 0.2})
    playing.step()
    node = session.patch.node("fx")
    assert (node.state, node.params) == (b"sound 33", {"drive": 0.1}), "as of a preset: the state says it all"
    session.undo()
    node = session.patch.node("fx")
    assert (node.state, node.params) == (None, {"drive": 0.75})
