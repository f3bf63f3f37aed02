"""What clients may say and are told, by a clock that the tests turn."""

from __future__ import annotations

import math
import struct

import pytest

from graph import Patch
from graph.spec import Param
from host.remote.addresses import addresses_of
from host.remote.changes import EVERY_S, Changes
from host.remote.osc import (
    AGAIN_S,
    LEASE_S,
    MOST_AT_ONCE,
    MOST_COMPLAINTS,
    MOST_LOOKED_AT,
    MOST_PEERS,
    MOST_SUBSCRIPTIONS,
    OscSession,
    checked_value,
)
from host.remote.wire import read, write
from nodes import kinds

ANN, BOB = ("127.0.0.1", 5001), ("127.0.0.1", 5002)


class Room:
    """A session, its clock, and what was sent to whom."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.changes = Changes()
        self.told: list[str] = []
        self.session = OscSession(desk, self.changes, notice=self.told.append)
        self.now = 100.0

    def say(self, address: str, *arguments, who=ANN) -> list[tuple]:
        return self.raw(write(address, *arguments), who)

    def raw(self, datagram: bytes, who=ANN) -> list[tuple]:
        self.session.receive(datagram, who, self.now)
        return self.sent(who)

    def sent(self, who=ANN) -> list[tuple]:
        """What was sent to someone since it was asked last; what others were sent is dropped."""
        found = [m for data, to in self.session.outgoing if to == who for m in read(data)]
        self.session.outgoing.clear()
        return [(m.address, *m.arguments) for m in found]

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.changes.hand_over(self.desk, self.now)
        self.session.feedback(self.now)


@pytest.fixture
def room(desk) -> Room:
    return Room(desk)


# -- setting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "argument", "key", "value"),
    [
        ("/flt/freq_hz", 440.0, ("flt", "freq_hz"), 440.0),
        ("/flt/freq_hz", 440, ("flt", "freq_hz"), 440.0),
        ("/flt/q", 0.1, ("flt", "q"), 0.1),  # the nearest of 32 bits is 0.10000000149
        ("/strip/cmp/ratio", 8.0, ("strip/cmp", "ratio"), 8.0),
        ("/strip/squash", 9.0, ("strip/cmp", "ratio"), 9.0),
        ("/main/mute", 1, ("main", "mute"), 1.0),
        ("/main/mute", 1.0, ("main", "mute"), 1.0),
        ("/late/frames", 480, ("late", "frames"), 480.0),
        ("/eq1/b1_type", 2, ("eq1", "b1_type"), 2.0),
        ("/main/level_db", -96.0, ("main", "level_db"), -96.0),
    ],
)
def test_set(room, address, argument, key, value) -> None:
    assert room.say(address, argument) == []
    room.later(1)
    assert room.desk.values[key] == value


def test_true_and_false_switch(room) -> None:
    room.raw(b"/main/mute\0\0,T\0\0")
    room.later(1)
    assert room.desk.values["main", "mute"] == 1
    room.raw(b"/main/mute\0\0,F\0\0")
    room.later(1)
    assert room.desk.values["main", "mute"] == 0


def test_a_choice_by_its_name(room) -> None:
    place = room.desk.addresses.get("/eq1/b1_type")
    name = place.param.choices[-1]
    assert room.say("/eq1/b1_type", name) == []
    room.later(1)
    assert room.desk.values["eq1", "b1_type"] == len(place.param.choices) - 1
    (error,) = room.say("/eq1/b1_type", "no such")
    assert error[:2] == ("/error", "/eq1/b1_type")
    assert name in error[2]


def test_a_pattern_sets_all_that_fit(room) -> None:
    room.say("/{main,flt}/mute", 1)
    room.say("/strip/*/mute", 1)
    room.later(1)
    muted = {key for key, value in room.desk.values.items() if key[1] == "mute" and value}
    assert muted == {("main", "mute"), ("flt", "mute"), ("strip/cmp", "mute"), ("strip/amp", "mute")}


def test_a_thousand_events_in_a_second_are_few_and_the_last_one_counts(room) -> None:
    for i in range(1000):
        room.say("/flt/freq_hz", 100.0 + i)
        room.say("/main/level_db", -i / 100)
        room.later(0.001)
    room.later(EVERY_S)
    assert len(room.desk.calls) <= 1 / EVERY_S + 2
    assert all(len(rows) <= 2 for rows in room.desk.calls)
    assert room.desk.values["flt", "freq_hz"] == 1099
    assert room.desk.values["main", "level_db"] == pytest.approx(-9.99)


def test_the_first_of_them_does_not_wait(room) -> None:
    room.say("/flt/q", 2.0)
    room.changes.hand_over(room.desk, room.now)
    assert room.desk.values["flt", "q"] == 2


@pytest.mark.parametrize(
    ("address", "arguments", "says"),
    [
        ("/flt/freq_hz", (math.nan,), "finite"),
        ("/flt/freq_hz", (math.inf,), "finite"),
        ("/flt/freq_hz", (30000.0,), "10 to 24000 Hz"),
        ("/flt/freq_hz", ("loud",), "found the text"),
        ("/flt/freq_hz", (1.0, 2.0), "one value"),
        ("/main/mute", (0.5,), "0 or 1"),
        ("/late/frames", (1.5,), "whole number"),
        ("/flt/nothing", (1.0,), "no such param"),
        ("/nothing/freq_hz", (), "no such param"),
        ("/*/nothing", (1.0,), "no param fits"),
        ("/fl[t/q", (1.0,), "not closed"),
        ("/shout", (), "no such message"),
        ("/", (), "no such message"),
        ("/query", (1.0,), "arguments"),
        ("/query", ("/nothing",), "no param below"),
        ("/subscribe", ("/", 80), "1024 to 65535"),
        ("/subscribe", ("/nothing",), "no param below"),
    ],
)
def test_what_is_wrong_is_answered_now_and_then_and_told_once(room, address, arguments, says) -> None:
    (error,) = room.say(address, *arguments)
    assert error[:2] == ("/error", address)
    assert says in error[2]
    for _ in range(5):
        room.later(AGAIN_S / 6)
        assert room.say(address, *arguments) == []
    room.later(AGAIN_S / 6)
    assert room.say(address, *arguments) == [error]
    assert room.say(address, *arguments, who=BOB) != []
    assert room.told == [f"OSC from 127.0.0.1:5001: {address}: {error[2]}"]
    room.later(1)
    assert room.desk.calls == []


def test_the_address_of_arguments_that_cannot_be_taken_is_said(room) -> None:
    (error,) = room.raw(b"/flt/q\0\0,b\0\0" + bytes(4))
    assert error[:2] == ("/error", "/flt/q")
    assert "found ',b'" in error[2]


def test_complaints_are_not_complained_of(room) -> None:
    """Or two programs that hear each other would never end."""
    assert room.say("/error", "/flt/q", "expected a finite number") == []


def test_the_person_here_is_not_told_too_much(room) -> None:
    for i in range(3 * MOST_COMPLAINTS):
        room.say(f"/no/such{i}", 1.0)
    assert 0 < len(room.told) <= 5
    for i in range(3 * MOST_COMPLAINTS):
        room.later(10)
        room.say(f"/no/such{i}", 1.0)
    assert len(room.told) == MOST_COMPLAINTS


def test_an_odd_double_out_of_range_is_refused(room) -> None:
    for value in (1e300, -1e300, 10 - 1e-12):
        room.raw(b"/flt/freq_hz\0\0\0\0,d\0\0" + struct.pack(">d", value))
    room.later(1)
    assert room.desk.calls == []


@pytest.mark.parametrize("end", [1 / 3, 2 / 3, 0.7, 1e-3 / 7])
def test_the_end_of_a_range_in_32_bits_is_the_end(end: float) -> None:
    (message,) = read(write("/n/p", float(end)))
    assert checked_value(Param("p", 0.0, 0.0, end), message.arguments[0]) == end
    (message,) = read(write("/n/p", float(-end)))
    assert checked_value(Param("p", 0.0, -end, 1.0), message.arguments[0]) == -end


def test_errors_are_rationed(room) -> None:
    said = sum(len(room.say(f"/no/such{i}", 1.0)) for i in range(1000))
    assert 0 < said <= 10
    room.later(1000)
    again = sum(len(room.say(f"/no/such{i}", 1.0)) for i in range(1000))
    assert 0 < again <= 10


def test_many_senders_get_no_more_than_all_may(room) -> None:
    said = sum(len(room.say("/no/such", 1.0, who=("127.0.0.1", 2000 + i))) for i in range(5000))
    assert 0 < said <= 40
    assert len(room.session._peers) <= MOST_PEERS


def test_what_is_remembered_of_a_sender_is_bounded(room) -> None:
    for i in range(3 * MOST_COMPLAINTS):
        room.say(f"/no/such{i}", 1.0)
        room.later(10)
    (peer,) = room.session._peers.values()
    assert len(peer.complained) <= MOST_COMPLAINTS


def test_noise_is_answered_once(room) -> None:
    assert len(room.raw(b"noise")) == 1
    assert room.raw(b"other noise") == []
    assert room.say("/ping") == [("/pong",)]


def test_another_patch_makes_right_what_was_wrong(room) -> None:
    assert room.say("/new/level_db", -3.0)
    patch = Patch()
    patch.add("new", "gain")
    room.desk.addresses = addresses_of(patch, kinds())
    room.desk.values = {place.key: place.param.default for place in room.desk.addresses}
    room.say("/new/level_db", -3.0)
    room.later(1)
    assert room.desk.values["new", "level_db"] == -3
    assert room.say("/flt/q", 1.0)[0][0] == "/error"


def test_what_waits_for_a_param_that_is_gone_is_dropped(room) -> None:
    room.say("/flt/q", 2.0)
    room.say("/main/mute", 1)
    patch = Patch()
    patch.add("main", "bus")
    room.desk.addresses = addresses_of(patch, kinds())
    room.later(1)
    assert room.desk.calls == [[("main", "mute", 1.0)]]


# -- asking ------------------------------------------------------------------------------------------------------------


def test_an_address_alone_asks_for_its_value(room) -> None:
    room.desk.values["flt", "freq_hz"] = 250.0
    assert room.say("/flt/freq_hz") == [("/flt/freq_hz", 250.0)]
    assert room.say("/main/mute") == [("/main/mute", 0)]
    assert isinstance(room.say("/main/mute")[0][1], int)
    room.say("/flt/freq_hz", 300.0)
    assert room.say("/flt/freq_hz") == [("/flt/freq_hz", 300.0)]  # also before it is handed over


def test_query(room) -> None:
    found = room.say("/query", "/flt")
    assert found[-1] == ("/end", "/flt", len(found) - 1)
    expected = [place.address for place in room.desk.addresses.under("/flt")]
    assert [row[1] for row in found[:-1]] == expected
    freq = next(row for row in found if row[1] == "/flt/freq_hz")
    assert freq == ("/param", "/flt/freq_hz", 1000.0, 10.0, 24000.0, 1000.0, "Hz", "log", "")
    everything = room.say("/query")
    assert everything[-1] == ("/end", "/", len(room.desk.addresses))
    kind = next(row for row in everything if row[1] == "/eq1/b1_type")
    assert kind[-1].split(", ") == list(room.desk.addresses.get("/eq1/b1_type").param.choices)


def test_a_flood_of_queries_does_not_pile_up(room) -> None:
    for _ in range(5000):
        room.session.receive(write("/query"), ANN, room.now)
    assert len(room.session.outgoing) <= 20_000


# -- being told --------------------------------------------------------------------------------------------------------


def test_a_subscriber_is_told_everything_once_and_then_what_changes(room) -> None:
    assert room.say("/subscribe", "/flt") == []
    room.later(1)
    told = room.sent()
    assert {row[0] for row in told} == {p.address for p in room.desk.addresses.under("/flt")}
    room.later(1)
    assert room.sent() == []
    room.desk.values["flt", "q"] = 3.0
    room.desk.values["main", "level_db"] = -1.0
    room.later(1)
    assert room.sent() == [("/flt/q", 3.0)]


def test_who_sets_a_value_is_not_told_it_and_others_are(room) -> None:
    room.say("/subscribe", "/flt", who=ANN)
    room.say("/subscribe", "/flt", who=BOB)
    room.later(1)
    room.sent()
    room.say("/flt/q", 5.0, who=ANN)
    room.later(1)
    outgoing = [(to, read(data)[0].address) for data, to in room.session.outgoing]
    assert outgoing == [(BOB, "/flt/q")]


def test_who_sets_a_value_is_told_when_it_came_out_otherwise(room) -> None:
    room.say("/subscribe", "/flt")
    room.later(1)
    room.sent()
    room.say("/flt/q", 5.0)
    room.changes.hand_over(room.desk, room.now + 1)
    room.desk.values["flt", "q"] = 4.0  # automation, say
    room.later(1)
    assert room.sent() == [("/flt/q", 4.0)]


def test_a_subscriber_may_listen_at_another_port_of_its_machine(room) -> None:
    room.say("/subscribe", "/flt/q", 9000)
    room.later(1)
    assert room.sent(("127.0.0.1", 9000)) == [("/flt/q", pytest.approx(0.7071, abs=1e-3))]
    room.say("/flt/q", 5.0)
    room.later(1)
    assert room.sent(("127.0.0.1", 9000)) == []
    room.say("/unsubscribe", 9000)
    room.desk.values["flt", "q"] = 1.0
    room.later(1)
    assert room.sent(("127.0.0.1", 9000)) == []


def test_a_subscription_ends_when_its_sender_is_silent(room) -> None:
    room.say("/subscribe", "/flt/q")
    for value in (1.0, 2.0, 3.0):
        room.later(LEASE_S * 0.9)
        room.sent()
        room.say("/ping")
        room.desk.values["flt", "q"] = value
        room.later(1)
        assert room.sent() == [("/flt/q", value)]
    room.later(LEASE_S)
    room.desk.values["flt", "q"] = 9.0
    room.later(1)
    assert room.sent() == []


def test_a_subscriber_of_much_is_told_all_of_it_in_turn(room) -> None:
    room.say("/subscribe")
    told: set[str] = set()
    for _ in range(20):
        room.later(0.1)
        news = room.sent()
        assert len(news) <= MOST_AT_ONCE
        told |= {row[0] for row in news}
        for key in list(room.desk.values)[:MOST_AT_ONCE]:
            room.desk.values[key] += 1e-3  # what comes first changes all the time, and still the rest has its turn
    assert told == {place.address for place in room.desk.addresses}


def test_a_subscriber_is_told_of_a_large_patch_and_of_the_one_after_it(desk) -> None:
    large = Patch()
    for i in range(300):
        large.add(f"n{i}", "compressor")
    room = Room(type(desk)(large))
    assert len(room.desk.addresses) > 2 * MOST_LOOKED_AT
    room.say("/subscribe")
    told: set[str] = set()
    for _ in range(200):
        room.later(0.1)
        told |= {row[0] for row in room.sent()}
    assert told == {place.address for place in room.desk.addresses}
    after = Patch()
    after.add("n0", "compressor")
    after.add("new", "gain")
    room.desk.addresses = addresses_of(after, kinds())
    room.desk.values = {place.key: place.param.default for place in room.desk.addresses}
    room.later(0.1)
    assert {row[0] for row in room.sent()} == {place.address for place in room.desk.addresses.under("/new")}


def test_there_are_not_more_subscriptions_than_may_be(room) -> None:
    for i in range(100):
        room.session.receive(write("/subscribe", "/flt/q", 2000 + i), ANN, room.now)
    room.later(1)
    told = {to for data, to in room.session.outgoing if read(data)[0].address == "/flt/q"}
    assert len(told) == MOST_SUBSCRIPTIONS
