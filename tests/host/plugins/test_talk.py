"""What plugins say and are asked while a patch plays, as messages; states that come and go with the patch."""

from __future__ import annotations

from typing import Any

import pytest

from graph.document import Patch
from graph.edits import SetParam, SetState
from host.fields import FromEngine
from host.messages import Notice
from host.plugins.gestures import QUIET_S, Gestures
from host.plugins.hosted import Patience
from host.plugins.messages import (
    AskPlugin,
    AskPlugins,
    AskPluginStates,
    GivePluginState,
    OpenPluginWindow,
    PluginAnswer,
    PluginEdits,
    PluginStandings,
    PluginState,
    PluginStatesTold,
    PluginTitles,
    PluginValues,
    RestartPlugin,
)
from host.plugins.states import Memory, digest
from host.plugins.talk import Talk
from nodes import kinds

from . import fakes
from .rig import Stage, fake_link, one


class Playing:
    """A patch with a fake that plays, and the talk with it."""

    def __init__(self, **source: Any) -> None:
        talks: list[Talk] = []
        self.link = fake_link(
            {"Fake": source}, live=True, block=4096, news=lambda *said: [talk.heard(*said) for talk in talks]
        )
        self.talk = Talk(self.link, kinds(), lambda *row: self.stage.conductor.set_param(*row))
        talks.append(self.talk)
        self.told: list[FromEngine] = []
        patch = one()
        self.talk.follow(patch)
        self.stage = Stage(patch, self.link, outputs=4)
        self.until(lambda: self.of(PluginValues), "it to be loaded")

    def __enter__(self) -> Playing:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def of(self, kind: type[Any]) -> list[Any]:
        """All messages of a kind so far."""
        return [message for message in self.told if isinstance(message, kind)]

    def until(self, condition: Any, what: str) -> None:
        """Play until something holds."""

        def holds() -> object:
            self.told += self.talk.step()
            return condition()

        self.stage.play_until(holds, what)

    def change(self, patch: Patch) -> None:
        """Play another patch."""
        self.talk.follow(patch)
        self.stage.conductor.set_patch(patch, self.stage.services)
        self.until(lambda: not self.stage.conductor.busy, "the patch")

    def gain(self) -> float:
        return self.link.ask("fx", "values")[0]

    def show_window(self) -> None:
        """As if its window were open, for those that have none."""
        self.talk.heard("fx", {"notice": "window", "value": True})
        self.told += self.talk.step()


def state(gain: float, turned: float = 0.0) -> bytes:
    return fakes.struct.pack("dd", gain, turned)


def turned_on(playing: Playing) -> None:
    playing.stage.conductor.set_param("fx", "turn", 1.0)


def test_what_a_person_turns_is_told_as_one_gesture_with_the_state_after_it():
    says = (("touch", fakes.GAIN), ("edit", fakes.GAIN, 0.25), ("edit", fakes.GAIN, 0.75), ("release", fakes.GAIN))
    with Playing(says=says) as playing:
        turned_on(playing)
        playing.until(lambda: playing.of(PluginState), "its state")
        rows = [row for message in playing.of(PluginEdits) for row in message.rows]
        # of several turns between two looks only the last counts
        assert [(node, param, phase) for node, param, _, _, phase in rows] == [
            ("fx", "gain", phase) for phase in ("begin", "perform", "end")
        ]
        assert (rows[1][2], len({row[3] for row in rows})) == (0.75, 1)
        (found,) = playing.of(PluginState)
        assert found == PluginState("fx", state(0.5, 1.0), False, ())
        order = [type(message) for message in playing.told]
        assert order.index(PluginEdits) < order.index(PluginState)


def test_a_turn_without_beginning_or_end_is_given_both():
    gestures = Gestures()
    first = gestures.heard("a", "gain", "edit", 0.5, 0.0)
    assert [(t.phase, t.value) for t in first] == [("begin", 0.5), ("perform", 0.5)]
    assert [t.phase for t in gestures.heard("a", "gain", "edit", 0.6, 0.1)] == ["perform"]
    assert gestures.quiet(0.1 + QUIET_S / 2) == []
    (end,) = gestures.quiet(0.2 + QUIET_S)
    assert (end.phase, end.value, end.gesture) == ("end", 0.6, first[0].gesture)
    assert gestures.heard("a", "gain", "release", 0.0, 9.0) == []
    begin = gestures.heard("a", "gain", "touch", 0.0, 9.0)
    assert [t.phase for t in begin] == ["begin"]
    assert begin[0].gesture != end.gesture
    assert gestures.held("a")
    assert gestures.quiet(100.0) == [], "a knob that is held is held"
    assert [t.phase for t in gestures.lost("a")] == ["end"]
    assert not gestures.held("a")


def test_a_state_that_the_patch_comes_to_have_is_given_to_the_plugin_and_taken_back():
    with Playing() as playing:
        begun = playing.stage.conductor.patch
        assert begun is not None
        other = one()
        SetState("fx", state(0.125)).apply(other)
        playing.change(other)
        playing.until(lambda: playing.gain() == 0.125, "the state")
        playing.until(lambda: dict(playing.of(PluginValues)[-1].values)["gain"] == 0.125, "its values")
        assert len(playing.link._hosted) == 1, "it is the same plugin"
        playing.change(one())
        playing.until(lambda: playing.gain() == 0.5, "undo: it is as it was when it was fresh")
        assert len(playing.link._hosted) == 1
        standing = playing.link.standing()["fx"]
        assert standing.losses == 0


def test_a_state_that_the_plugin_came_to_itself_is_not_given_to_it_again():
    with Playing(says=(("state",),)) as playing:
        turned_on(playing)
        playing.until(lambda: playing.of(PluginState), "its state")
        (told,) = playing.of(PluginState)
        playing.link.ask("fx", "set_state", state(0.25))  # as a window might go on
        late = one()
        SetState("fx", told.state).apply(late)
        playing.change(late)
        assert playing.gain() == 0.25, "the patch is late"


def asked(playing: Playing, ticket: int) -> list[PluginState]:
    """What is told of states when they are asked for."""
    before = len(playing.of(PluginState))
    playing.talk.handle(AskPluginStates(ticket))
    playing.until(lambda: PluginStatesTold(ticket) in playing.told, "the answer")
    return playing.of(PluginState)[before:]


def test_a_state_that_was_taken_into_the_patch_and_back_at_once_is_taken_back_by_the_plugin():
    with Playing() as playing:
        patch = one()
        SetState("fx", state(0.125)).apply(patch)
        playing.change(patch.copy())
        playing.until(lambda: playing.gain() == 0.125, "the state")
        playing.show_window()
        playing.link.ask("fx", "set_state", state(0.25))  # as somebody at the window would
        (told,) = asked(playing, 1)
        assert told.state == state(0.25)
        playing.change(patch.copy())
        assert playing.gain() == 0.25, "what else is edited is no reason to take it back"
        playing.talk.handle(GivePluginState("fx"))
        assert asked(playing, 2) == [], "what it is to lose is no news"
        playing.change(patch.copy())
        playing.until(lambda: playing.gain() == 0.125, "undo")
        playing.talk.handle(GivePluginState("nobody"))


def test_one_that_gives_another_state_each_time_is_not_thought_to_be_in_somebodys_hands():
    with Playing(restless=True) as playing:
        playing.show_window()
        told = [state for ticket in range(1, 5) for state in asked(playing, ticket)]
        assert len({each.state for each in told}) > 1
        assert not any(each.by_hand for each in told)


def test_a_state_that_was_only_asked_for_is_given_all_the_same():
    with Playing() as playing:
        kept = playing.link.state("fx")
        playing.change(one(gain=0.75))
        playing.until(lambda: playing.gain() == 0.75, "the param")
        patch = one()
        SetState("fx", kept).apply(patch)
        playing.change(patch)
        playing.until(lambda: playing.gain() == 0.5, "a preset that was saved before")


def test_params_that_are_not_given_any_more_are_what_the_state_holds():
    with Playing() as playing:
        patch = one()
        SetState("fx", state(0.125)).apply(patch)
        playing.change(patch.copy())
        playing.until(lambda: playing.gain() == 0.125, "the state")
        SetParam("fx", "gain", 0.75).apply(patch)
        playing.change(patch.copy())
        playing.until(lambda: playing.gain() == 0.75, "the param")
        SetParam("fx", "gain", None).apply(patch)
        playing.change(patch.copy())
        playing.until(lambda: playing.gain() == 0.125, "undo: not the default of 0.5")


def test_given_params_go_before_a_new_state():
    with Playing() as playing:
        patch = one(gain=0.75)
        playing.change(patch.copy())
        SetState("fx", state(0.125)).apply(patch)
        playing.change(patch.copy())
        playing.until(
            lambda: playing.of(PluginValues)[-1] == PluginValues("fx", (("gain", 0.125), ("turn", 0.0))), "it"
        )
        playing.until(lambda: playing.gain() == 0.75, "the param to be told once more")


def test_a_plugin_that_wants_to_be_loaded_again_is_with_its_state():
    with Playing(says=(("reload",),)) as playing:
        turned_on(playing)
        playing.until(lambda: len(playing.of(PluginValues)) >= 2, "it to be there again")
        assert playing.link.standing()["fx"].losses == 0
        assert dict(playing.of(PluginValues)[-1].values)["gain"] == 0.125, "with the state that it had"


def test_troubles_of_plugins_are_told_to_people_once_in_a_while():
    with Playing(says=(("trouble", 0, 0.0, "it hurts"), ("trouble", 0, 0.0, "again"))) as playing:
        turned_on(playing)
        playing.until(lambda: playing.of(Notice), "a notice")
        assert [notice.text for notice in playing.of(Notice)] == ["fx: Fake: it hurts"]


def test_what_params_are_called_by_now_is_told_and_told_again_to_whoever_comes_anew():
    with Playing(says=(("names",),), titles=((fakes.GAIN, "Drive", "dB"),)) as playing:
        turned_on(playing)
        playing.until(lambda: playing.of(PluginTitles), "names")
        playing.talk.handle(AskPlugins())
        playing.until(lambda: len(playing.of(PluginTitles)) == 2, "names again")
        assert set(playing.of(PluginTitles)) == {PluginTitles("fx", (("gain", "Drive", "dB"),))}
        assert playing.of(Notice) == []


def test_one_with_other_buses_is_loaded_again():
    with Playing(says=(("layouts",),)) as playing:
        turned_on(playing)
        playing.until(lambda: len([m for m in playing.of(PluginStandings) if m.rows[0][2] != "ready"]) >= 1, "it to go")
        playing.until(lambda: playing.link.standing()["fx"].status == "ready", "it to be there again")
        assert playing.link.standing()["fx"].losses == 0


def test_questions_are_answered_or_refused_by_ticket():
    with Playing() as playing:
        for ticket, question, param in ((1, "text", "gain"), (2, "value", "gain"), (3, "state", ""), (4, "text", "no")):
            playing.talk.handle(AskPlugin(ticket, "fx", question, param, 0.5, "1.5"))
        playing.talk.handle(AskPlugin(5, "nobody", "state", "", 0.0, ""))
        playing.until(lambda: len(playing.of(PluginAnswer)) == 5, "answers")
        answers = {answer.ticket: answer for answer in playing.of(PluginAnswer)}
        assert answers[1].words == "1.00"
        assert answers[2].value == 0.75
        assert answers[3].state == state(0.5)
        assert answers[4].problem == "fx: there is no param 'no'"
        assert answers[5].problem == "nobody: there is no plugin"
        playing.talk.handle(OpenPluginWindow("fx"))
        playing.until(lambda: playing.of(Notice), "a refusal")
        assert playing.of(Notice)[-1].text.startswith("fx: ")


def test_a_plugin_is_started_again_when_that_is_asked_for():
    with Playing() as playing:
        playing.link.ask("fx", "set_state", state(0.25))
        playing.talk.handle(RestartPlugin("fx"))
        playing.until(lambda: playing.link.standing()["fx"].recoveries, "it to be back")
        assert playing.gain() == 0.25
        playing.talk.handle(RestartPlugin("nobody"))
        playing.until(lambda: playing.of(Notice), "a refusal")
        assert playing.of(Notice)[-1].text == "nobody: there is no plugin"


def test_one_that_failed_is_tried_again_when_that_is_asked_for(tmp_path):
    once = tmp_path / "once"
    with fake_link({"Fake": {"evil": "load raise", "once": str(once)}}, live=True, block=4096) as link:
        stage = Stage(one(), link, outputs=4)
        stage.play_until(lambda: link.standing()["fx"].status == "failed", "it to fail")
        link.restart("fx")
        stage.play_until(lambda: link.standing()["fx"].status == "ready", "it to be there after all")


def test_a_state_that_is_long_in_coming_costs_no_process():
    source = {"evil": "state slow", "seconds": 1.0}
    with fake_link({"Fake": source}, live=True, block=4096, patience=Patience(30.0, 0.2)) as link:
        stage = Stage(one(), link, outputs=4)
        stage.play_until(lambda: link.standing()["fx"].status == "ready", "it to be there")
        taken = link.request("fx", "set_state", state(0.25))
        stage.play_until(taken.done, "the state")
        stage.play_until(lambda: link.ask("fx", "values")[0] == 0.25, "it to play on")
        now = link.standing()["fx"]
        assert (now.losses, now.status) == (0, "ready")
        assert now.passed, "sound passed meanwhile"


def test_whoever_comes_anew_is_told_everything_again():
    with Playing() as playing:
        playing.until(lambda: [s for s in playing.of(PluginStandings) if s.rows[0][2] == "ready"], "how it does")
        before = playing.of(PluginStandings)[-1], playing.of(PluginValues)[-1]
        playing.told.clear()
        playing.talk.handle(AskPlugins())
        playing.until(lambda: playing.of(PluginStandings) and playing.of(PluginValues), "all of it")
        assert playing.of(PluginValues)[-1] == before[1]
        assert playing.of(PluginStandings)[-1].rows[0][:3] == before[0].rows[0][:3] == ("fx", "Fake", "ready")


def test_what_is_known_of_states():
    memory = Memory()
    assert not memory.follow(None)
    assert memory.show(b"a")
    assert not memory.show(b"a")
    assert memory.show(b"b")
    assert not memory.follow(b"a"), "it was told"
    assert not memory.follow(b"b")
    assert memory.follow(b"a"), "that was long ago"
    assert memory.current == digest(b"a")
    assert memory.show(b"c")
    memory.insist()
    assert not memory.show(b"d")
    assert memory.follow(b"a"), "it was told of another one meanwhile"
    for k in range(100):
        memory.note_values(str(k).encode(), [k])
    assert len(memory.values) == 64
    assert memory.values[digest(b"99")] == [99]


@pytest.mark.parametrize("kind", ["params", "state"])
def test_a_state_that_changes_by_itself_is_told_once(kind):
    with Playing(says=((kind,),)) as playing:
        playing.link.state("fx")
        turned_on(playing)
        playing.until(lambda: playing.of(PluginState), "its state")
        assert [found.state for found in playing.of(PluginState)] == [state(0.5, 1.0)]
