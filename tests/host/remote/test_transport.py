"""A transport made of a list: what OSC, Machine Control, realtime messages and buttons do to it, and what they show."""

from __future__ import annotations

import mido
import pytest

from host.remote.buttons import Button, Buttons, buttons_in
from host.remote.changes import Changes
from host.remote.machine import seconds_of
from host.remote.mappings import controls_in
from host.remote.osc import OscSession
from host.remote.ports import Port
from host.remote.sources import Source
from host.remote.surface import Surface
from host.remote.transport import Deck, State
from host.remote.wire import read, write

from .test_ports import FakeBackend
from .test_surface import FakePort

ANN = ("127.0.0.1", 5001)


class Machine:
    """Does what it is told, and remembers it."""

    def __init__(self) -> None:
        self.rolling = self.recording = False
        self.place, self.span = 0.0, None
        self.tempo = 90.0

    def play(self) -> None:
        self.rolling = True

    def stop(self) -> None:
        self.rolling = False

    def locate(self, seconds: float) -> None:
        self.place = seconds

    def loop(self, span: tuple[float, float] | None) -> None:
        self.span = span

    def record(self, on: bool) -> None:
        self.recording = on

    def state(self) -> State:
        return State(self.rolling, self.place, self.span, self.recording, self.tempo)


@pytest.fixture
def machine() -> Machine:
    return Machine()


class Caller:
    """Somebody with OSC."""

    def __init__(self, desk, machine) -> None:
        self.session = OscSession(desk, Changes(), Deck(machine))
        self.now = 100.0

    def say(self, address: str, *arguments) -> list[tuple]:
        self.session.receive(write(address, *arguments), ANN, self.now)
        return self.sent()

    def later(self, seconds: float = 1.0) -> list[tuple]:
        self.now += seconds
        self.session.feedback(self.now)
        return self.sent()

    def sent(self) -> list[tuple]:
        found = [m for data, _ in self.session.outgoing for m in read(data)]
        self.session.outgoing.clear()
        return [(m.address, *m.arguments) for m in found]


@pytest.fixture
def caller(desk, machine) -> Caller:
    return Caller(desk, machine)


def test_osc_plays_stops_and_goes_places(caller, machine):
    assert caller.say("/transport/play") == []
    assert machine.rolling
    caller.say("/transport/stop", 0.0)  # a button that is let go
    assert machine.rolling
    caller.say("/transport/stop", 1.0)
    assert not machine.rolling
    caller.say("/transport/toggle")
    caller.say("/transport/locate", 12.5)
    assert (machine.rolling, machine.place) == (True, 12.5)
    caller.say("/transport/start")
    assert machine.place == 0.0
    caller.say("/transport/loop", 2.0, 4)
    assert machine.span == (2.0, 4.0)
    caller.say("/transport/loop", 0)
    assert machine.span is None
    caller.say("/transport/loop", 1)
    assert machine.span == (2.0, 4.0)
    caller.say("/transport/record", 1)
    assert machine.recording
    caller.say("/transport/record", 0)
    assert not machine.recording


@pytest.mark.parametrize(
    ("address", "arguments", "words"),
    [
        ("/transport/locate", (-1.0,), "expected a place from 0"),
        ("/transport/locate", ("soon",), "finite numbers"),
        ("/transport/locate", (float("nan"),), "finite numbers"),
        ("/transport/locate", (), "arguments it takes"),
        ("/transport/loop", (4.0, 2.0), "expected an end after 4 s"),
        ("/transport/loop", (1,), "no loop yet"),
        ("/transport/play", (1, 2), "arguments it takes"),
        ("/transport/fly", (), "no such param"),
    ],
)
def test_osc_is_told_what_is_wrong(caller, machine, address, arguments, words):
    before = machine.state()
    said = caller.say(address, *arguments)
    assert [row[:2] for row in said] == [("/error", address)]
    assert words in said[0][2]
    assert machine.state() == before


def test_osc_asks_and_subscribers_are_told_what_changes(caller, machine):
    machine.loop((1.0, 3.0))
    whole = [
        ("/transport/rolling", 0),
        ("/transport/loop", 1, 1.0, 3.0),
        ("/transport/recording", 0),
        ("/transport/place", 0.0),
    ]
    assert caller.say("/transport") == whole
    caller.say("/subscribe", "/transport")
    assert caller.later() == whole
    assert caller.later() == []
    machine.play()
    machine.place = 0.05
    assert caller.later() == [("/transport/rolling", 1)]
    machine.place = 0.25
    assert caller.later() == [("/transport/place", 0.25)]
    machine.loop(None)
    assert caller.later() == [("/transport/loop", 0, 0.0, 0.0)]
    caller.say("/unsubscribe")
    machine.stop()
    assert caller.later() == []


def test_without_a_transport_its_addresses_are_nothing(desk):
    session = OscSession(desk, Changes())
    session.receive(write("/transport/play"), ANN, 1.0)
    assert [m.address for data, _ in session.outgoing for m in read(data)] == ["/error"]


# -- MIDI --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def surface(desk, machine) -> Surface:
    return Surface(desk, Changes(), Deck(machine))


def played(surface: Surface, *messages: mido.Message) -> None:
    port = FakePort()
    port.coming += messages
    surface.take(port)


def command(*data: int, device: int = 0x7F) -> mido.Message:
    return mido.Message("sysex", data=(0x7F, device, 0x06, *data))


def test_realtime_messages(surface, machine):
    machine.place = 7.0
    played(surface, mido.Message("continue"))
    assert (machine.rolling, machine.place) == (True, 7.0)
    played(surface, mido.Message("stop"))
    assert not machine.rolling
    played(surface, mido.Message("start"))
    assert (machine.rolling, machine.place) == (True, 0.0)
    played(surface, mido.Message("songpos", pos=16))  # four quarter notes at 90 a minute
    assert machine.place == pytest.approx(4 * 60 / 90)


def test_machine_control(surface, machine):
    played(surface, command(0x02))
    assert machine.rolling
    played(surface, command(0x01, device=3))
    assert not machine.rolling
    played(surface, command(0x06))
    assert machine.recording
    played(surface, command(0x07))
    assert not machine.recording
    played(surface, command(0x03), command(0x06), command(0x0D))
    assert (machine.rolling, machine.recording) == (False, False)
    played(surface, command(0x44, 0x06, 0x01, 0x20 | 1, 2, 3, 12, 50))  # 25 pictures a second
    assert machine.place == pytest.approx(3600 + 120 + 3 + 12.5 / 25)


@pytest.mark.parametrize(
    "data",
    [
        (0x7F, 0x7F, 0x06),
        (0x7F, 0x7F, 0x06, 0x55),
        (0x7F, 0x7F, 0x06, 0x02, 0x02),
        (0x7E, 0x7F, 0x06, 0x02),
        (0x7F, 0x7F, 0x07, 0x02),
        (0x7F, 0x7F, 0x06, 0x44, 0x06, 0x01, 1, 2),
        (0x7F, 0x7F, 0x06, 0x44, 0x06, 0x01, 31, 63, 63, 31, 99),
        (),
    ],
)
def test_what_is_no_machine_control_does_nothing(surface, machine, data):
    before = machine.state()
    played(surface, mido.Message("sysex", data=data))
    assert machine.state() == before


@pytest.mark.parametrize(
    ("hours", "time", "seconds"),
    [
        (0x00, (0, 1, 12, 0), 1.5),  # 24
        (0x20, (0, 1, 0, 0), 1.0),  # 25
        (0x40, (10, 0, 0, 0), 17982 * 1001 / 30000),  # drop-frame: ten minutes have 17982 pictures
        (0x60, (0, 0, 15, 0), 0.5),  # 30
    ],
)
def test_timecode_of_every_rate(hours, time, seconds):
    assert seconds_of(hours, *time) == pytest.approx(seconds)


def test_what_drop_frame_passes_over_is_no_place():
    assert seconds_of(0x40, 1, 0, 0, 0) is None


def test_long_exclusives_and_clocks_are_not_kept():
    backend = FakeBackend()
    backend.names = ["Box"]
    port = Port("Box", lambda text: None, backend=backend)
    port.step(0.0)
    for message in (
        mido.Message("sysex", data=[1] * 1000),
        mido.Message("clock"),
        mido.Message("start"),
        command(0x02),
    ):
        backend.opened[0].callback(message)
    assert [m.type for m in port.iter_pending()] == ["start", "sysex"]


# -- buttons -----------------------------------------------------------------------------------------------------------

METADATA = {
    "controls": [
        {"from": "cc 1 41", "transport": "play"},
        {"from": "note 1 94", "transport": "toggle"},
        {"from": "cc 1 46", "transport": "loop"},
        {"from": "cc 1 74", "node": "flt", "param": "freq_hz"},
        {"from": "cc 1 99", "transport": "fly"},
        {"from": "knob", "transport": "stop"},
    ]
}


def test_buttons_are_kept_with_the_patch():
    buttons, problems = buttons_in(METADATA)
    assert [str(b.source) + " " + b.word for b in buttons] == ["cc 1 41 play", "note 1 94 toggle", "cc 1 46 loop"]
    assert len(problems) == 2
    assert "metadata.controls[4].transport: expected one of play, stop" in problems[0]
    assert "metadata.controls[5].from" in problems[1]
    controls, others = controls_in(METADATA)
    assert [control.node for control in controls] == ["flt"]
    assert others == []


def test_a_button_is_pressed_once_and_its_light_follows(desk, machine):
    surface, port = Surface(desk, Changes(), Deck(machine)), FakePort()
    assert surface.buttons is not None
    surface.buttons.use(buttons_in(METADATA)[0])

    def change(number: int, value: int) -> mido.Message:
        return mido.Message("control_change", channel=0, control=number, value=value)

    surface.feedback(port, 1.0)
    dark = [m.value if m.type == "control_change" else m.velocity for m in port.sent]
    assert dark == [0, 0, 0]
    port.sent.clear()
    played(surface, change(41, 127), change(41, 127))
    assert machine.rolling
    machine.stop()
    played(surface, change(41, 100))  # still down
    assert not machine.rolling
    played(surface, change(41, 0), change(41, 127))
    assert machine.rolling
    surface.feedback(port, 2.0)
    assert [(m.type, m.bytes()[1:]) for m in port.sent] == [("control_change", [41, 127]), ("note_on", [94, 127])]
    port.sent.clear()
    for _ in range(2):
        played(surface, mido.Message("note_on", channel=0, note=94, velocity=127))
    assert machine.rolling
    machine.loop((1.0, 2.0))
    played(surface, change(46, 127), change(46, 0))
    assert machine.span is None
    played(surface, change(46, 127))
    assert machine.span == (1.0, 2.0)
    surface.show_again()
    surface.feedback(port, 3.0)
    assert len(port.sent) == 3


def test_a_light_of_every_word(machine):
    deck, port = Deck(machine), FakePort()
    buttons = Buttons(deck)
    words = ("play", "stop", "toggle", "start", "loop", "record")
    buttons.use(Button(Source("cc", 1, k), word) for k, word in enumerate(words))
    machine.rolling, machine.recording, machine.span = True, True, (0.0, 1.0)
    buttons.feedback(port)
    assert [m.value for m in port.sent] == [127, 0, 127, 0, 127, 127]
