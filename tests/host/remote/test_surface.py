"""A MIDI controller made of a list: what its messages do to a patch, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import mido
import pytest

from graph.spec import Param
from host.remote.changes import Changes
from host.remote.learn import pressed, turned
from host.remote.mappings import Control
from host.remote.sources import Decoder, Event, Source, messages, raw_at
from host.remote.surface import MOST_AT_ONCE, Surface


class FakePort:
    """Messages that came, and messages that were sent."""

    def __init__(self) -> None:
        self.coming: list[mido.Message] = []
        self.sent: list[mido.Message] = []

    def iter_pending(self) -> Iterator[mido.Message]:
        while self.coming:
            yield self.coming.pop(0)

    def send(self, msg: mido.Message) -> None:
        self.sent.append(msg)


class Hands:
    """A surface and somebody who plays on it."""

    def __init__(self, desk, *controls: Control) -> None:
        self.desk, self.port, self.changes, self.now = desk, FakePort(), Changes(), 100.0
        self.surface = Surface(desk, self.changes)
        self.surface.use(controls)

    def play(self, *played: mido.Message) -> None:
        self.port.coming += played
        while self.surface.take(self.port):
            pass
        self.now += 1
        self.changes.hand_over(self.desk, self.now)

    def cc(self, *values: int, number: int = 74) -> None:
        for value in values:
            self.play(mido.Message("control_change", channel=0, control=number, value=value))

    def note(self, velocity: int, number: int = 60) -> None:
        self.play(mido.Message("note_on", channel=0, note=number, velocity=velocity))

    def shown(self) -> list[mido.Message]:
        self.now += 1
        self.surface.feedback(self.port, self.now)
        sent, self.port.sent = self.port.sent, []
        return sent

    def value(self, node: str = "main", param: str = "level_db") -> float:
        return self.desk.values[node, param]


CC, NOTE = Source("cc", 1, 74), Source("note", 1, 60)


def decoded(coming: Iterable[mido.Message]) -> list[Event]:
    decoder = Decoder()
    return [event for message in coming for event in decoder.events(message)]


def change(control: int, value: int, channel: int = 0) -> mido.Message:
    return mido.Message("control_change", channel=channel, control=control, value=value)


# -- sources -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coming", "source", "position"),
    [
        ([change(74, 127)], CC, 1.0),
        ([change(74, 0)], CC, 0.0),
        ([mido.Message("pitchwheel", channel=3, pitch=8191)], Source("pitch_bend", 4), 1.0),
        ([mido.Message("pitchwheel", channel=3, pitch=-8192)], Source("pitch_bend", 4), 0.0),
        ([mido.Message("note_on", channel=0, note=60, velocity=127)], NOTE, 1.0),
        ([mido.Message("note_off", channel=0, note=60, velocity=64)], NOTE, 0.0),
        ([change(99, 2), change(98, 44), change(6, 127)], Source("nrpn", 1, 300), 1.0),  # the coarse half alone
        ([change(99, 2), change(98, 44), change(6, 0)], Source("nrpn", 1, 300), 0.0),
        ([change(99, 2), change(98, 44), change(6, 64), change(38, 1)], Source("nrpn", 1, 300), 8193 / 16383),
        ([change(99, 2), change(98, 44), change(6, 127), change(38, 127)], Source("nrpn", 1, 300), 1.0),
        ([change(6, 127)], Source("cc", 1, 6), 1.0),  # with nothing selected, a control change like others
        ([change(99, 2), change(98, 44), change(101, 127), change(6, 127)], Source("cc", 1, 6), 1.0),
        ([change(99, 127), change(98, 127), change(6, 127)], Source("cc", 1, 6), 1.0),
        ([change(99, 2), change(98, 44), change(6, 127, channel=1)], Source("cc", 2, 6), 1.0),
    ],
)
def test_what_messages_say(coming, source, position) -> None:
    event = decoded(coming)[-1]
    assert event.source == source
    assert event.position == pytest.approx(position)


def test_most_messages_say_nothing() -> None:
    quiet = [mido.Message("clock"), mido.Message("sysex", data=(1, 2)), mido.Message("program_change", program=3)]
    assert decoded([*quiet, change(99, 1), change(98, 1)]) == []


@pytest.mark.parametrize("source", [CC, NOTE, Source("nrpn", 16, 16382), Source("pitch_bend", 2)], ids=str)
def test_what_a_controller_is_shown_is_what_it_would_send(source: Source) -> None:
    for position in (0.0, 0.25, 0.5, 1.0):
        raw = raw_at(source, position)
        event = decoded(messages(source, raw))[-1]
        assert event.source == source
        assert event.raw == raw


# -- moving params -----------------------------------------------------------------------------------------------------


def test_jump(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", "jump"))
    for raw in (0, 127, 64):
        hands.cc(raw)
        assert hands.value() == pytest.approx(-96 + 120 * raw / 127)


def test_a_log_param_by_its_curve(desk) -> None:
    hands = Hands(desk, Control(Source("pitch_bend", 1), "flt", "freq_hz", "jump"))
    hands.play(mido.Message("pitchwheel", pitch=0))
    assert hands.value("flt", "freq_hz") == pytest.approx((10 * 24000) ** 0.5, rel=1e-3)


def test_pick_up_waits_until_the_knob_meets_the_param(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db"))  # at 0 dB: position 0.8, 101.6 of 127
    hands.cc(10, 50, 90, 99)
    assert hands.value() == 0
    hands.cc(101)
    assert hands.value() == pytest.approx(-96 + 120 * 101 / 127)
    hands.cc(20)
    assert hands.value() == pytest.approx(-96 + 120 * 20 / 127)


def test_pick_up_in_passing(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db"))
    hands.cc(120)
    assert hands.value() == 0
    hands.cc(80)
    assert hands.value() == pytest.approx(-96 + 120 * 80 / 127)


def test_pick_up_anew_when_somebody_else_moved_the_param(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db"))
    hands.cc(101, 100)
    desk.values["main", "level_db"] = -80.0
    hands.cc(99, 98)
    assert hands.value() == -80
    hands.cc(5)  # passes 17
    assert hands.value() == pytest.approx(-96 + 120 * 5 / 127)


def test_pick_up_of_a_param_out_of_reach(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", low=-60.0, high=-20.0))
    hands.cc(50, 100)
    assert hands.value() == 0
    hands.cc(127)  # its end is the nearest it can come
    assert hands.value() == pytest.approx(-20)
    hands.cc(0)
    assert hands.value() == pytest.approx(-60)


def test_turned_round(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", "jump", low=0.0, high=-60.0))
    hands.cc(127)
    assert hands.value() == pytest.approx(-60)


def test_a_switch_and_a_choice_from_a_knob(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "mute"), Control(CC, "eq1", "b1_type"))
    hands.cc(127)
    assert hands.value("main", "mute") == 1
    assert hands.value("eq1", "b1_type") == desk.addresses.find("eq1", "b1_type").param.high
    hands.cc(10)
    assert hands.value("main", "mute") == 0


def test_toggle_by_note(desk) -> None:
    hands = Hands(desk, Control(NOTE, "main", "mute", press="toggle"))
    seen = []
    for velocity in (30, 0, 30, 0, 100, 0):
        hands.note(velocity)
        seen.append(hands.value("main", "mute"))
    assert seen == [1, 1, 0, 0, 1, 1]


def test_toggle_by_a_button_that_sends_a_control_change(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "mute", press="toggle"))
    seen = []
    for value in (127, 127, 0, 127, 0):
        hands.cc(value)
        seen.append(hands.value("main", "mute"))
    assert seen == [1, 1, 1, 0, 0]


def test_hold(desk) -> None:
    hands = Hands(desk, Control(NOTE, "main", "level_db", press="hold", low=-20.0, high=3.0))
    hands.note(5)
    assert hands.value() == 3
    hands.note(0)
    assert hands.value() == -20


def test_a_param_in_a_group_and_one_it_exposes(desk) -> None:
    hands = Hands(desk, Control(CC, "strip", "squash", "jump"), Control(CC, "strip/amp", "level_db", "jump"))
    hands.cc(127)
    assert hands.value("strip/cmp", "ratio") == 100
    assert hands.value("strip/amp", "level_db") == 24


def test_what_has_no_param_here_does_nothing(desk) -> None:
    hands = Hands(desk, Control(CC, "gone", "level_db", "jump"))
    hands.cc(127)
    assert desk.calls == []
    assert hands.shown() == []


def test_a_thousand_events_in_one_step_are_one_change(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", "jump"))
    hands.play(*(change(74, i % 128) for i in range(3 * MOST_AT_ONCE)))
    assert len(desk.calls) == 1
    assert hands.value() == pytest.approx(-96 + 120 * ((3 * MOST_AT_ONCE - 1) % 128) / 127)


# -- learning ----------------------------------------------------------------------------------------------------------


def test_learn(desk) -> None:
    hands = Hands(desk, Control(Source("cc", 1, 1), "flt", "q"))
    learned: list[Source] = []
    hands.surface.learn(turned("flt", param(desk, "flt", "q")), learned.append)
    hands.note(100)  # a fader that is touched
    hands.cc(5)  # a controller that reports where it is
    assert hands.surface.learning
    hands.cc(6)
    assert learned == [CC]
    assert not hands.surface.learning


def test_learn_a_switch_by_its_first_press(desk) -> None:
    hands, learned = Hands(desk), list[Source]()
    hands.surface.learn(turned("main", param(desk, "main", "mute")), learned.append)
    hands.note(0)
    assert hands.surface.learning
    hands.note(90)
    assert learned == [NOTE]


def test_learn_a_button_by_its_press(desk) -> None:
    hands, learned = Hands(desk), list[Source]()
    hands.surface.learn(pressed, learned.append)
    hands.cc(20)
    assert hands.surface.learning
    hands.cc(100)
    assert learned == [CC]


def test_while_learning_nothing_moves(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", "jump"))
    hands.surface.learn(turned("flt", param(desk, "flt", "q")), lambda source: None)
    hands.cc(1)
    assert desk.calls == []
    hands.surface.forget()
    hands.cc(2)
    assert len(desk.calls) == 1


def param(desk, node: str, name: str) -> Param:
    return desk.addresses.find(node, name).param


# -- showing -----------------------------------------------------------------------------------------------------------


def test_the_controller_is_shown_what_is_and_then_what_changes(desk) -> None:
    hands = Hands(
        desk,
        Control(CC, "main", "level_db", "jump"),
        Control(Source("nrpn", 1, 300), "flt", "q"),
        Control(NOTE, "main", "mute"),
    )
    assert decoded(hands.shown())[-1].source == NOTE
    assert hands.shown() == []
    desk.values["main", "level_db"] = 24.0
    desk.values["main", "mute"] = 1.0
    assert hands.shown() == [change(74, 127), mido.Message("note_on", channel=0, note=60, velocity=127)]


def test_what_it_sent_itself_is_not_sent_back(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db", "jump"))
    hands.shown()
    for value in range(128):
        hands.cc(value)
        assert hands.shown() == []


def test_after_it_was_away_it_is_shown_everything(desk) -> None:
    hands = Hands(desk, Control(CC, "main", "level_db"))
    first = hands.shown()
    hands.surface.show_again()
    assert hands.shown() == first != []
