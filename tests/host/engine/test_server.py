"""The server by itself, step by step: what is merged, what is refused, and that nothing stops it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.patchfile import dumps
from host import messages as m
from host.engine import folder as folders
from host.engine.readings import View
from host.engine.server import MOST_STRANGERS, STRANGER_BYTES, Server
from host.engine.session import Session
from host.engine.wire import LENGTH, Wire

from .fake import FakeParts


class Rig:
    """A server that is stepped by hand, and its clients."""

    def __init__(self, folder: Path, patience_s: float = 60.0) -> None:
        self.parts = FakeParts()
        self.server = Server(folder, Session(self.parts), patience_s)
        found = folders.endpoint(folder)
        assert found is not None
        self.endpoint = found
        self.wires: list[Wire] = []

    def connect(self) -> Wire:
        wire = folders.connect(self.endpoint)
        assert wire is not None
        self.wires.append(wire)
        return wire

    def client(self) -> Wire:
        wire = self.connect()
        wire.send(m.encode(m.Attach(m.PROTOCOL, self.endpoint.key)))
        found = self.hear(wire, lambda heard: any(isinstance(one, m.Hello) for one in heard))
        assert isinstance(found[0], m.Hello)
        return wire

    def hear(self, wire: Wire, enough: Callable[[list[m.FromEngine]], bool]) -> list[m.FromEngine]:
        """Step until enough has come, or the server has ended the connection."""
        found: list[m.FromEngine] = []
        deadline = monotonic() + 60.0
        while not enough(found) and not wire.closed:
            assert monotonic() < deadline, found
            wire.flush()
            self.server.step(0.0)
            found += [m.decode(data, m.FromEngine) for data in wire.receive()]
        return found

    def sync(self, wire: Wire) -> list[m.FromEngine]:
        ticket = secrets.randbits(50)
        wire.send(m.encode(m.Ping(ticket)))
        return self.hear(wire, lambda heard: m.Pong(ticket) in heard)


@pytest.fixture
def rig(runtime) -> Iterator[Rig]:
    rig = Rig(folders.new())
    yield rig
    for wire in rig.wires:
        wire.close()
    rig.server.close()


def prepared(rig: Rig, patch) -> Wire:
    wire = rig.client()
    wire.send(m.encode(m.OpenDevice("", "", 0, 0)))
    wire.send(m.encode(m.SetPatch(1, dumps(patch), "")))
    rig.sync(wire)
    return wire


def test_a_burst_of_patches_is_merged_and_the_newest_plays(rig, patch):
    wire = prepared(rig, patch)
    data = dumps(patch)
    for serial in range(2, 1002):
        wire.send(m.encode(m.SetPatch(serial, data, "")))
    found = rig.hear(wire, lambda heard: any(isinstance(one, m.Applied) and one.serial == 1001 for one in heard))
    given = [call[1] for call in rig.parts.players[0].calls if call[0] == "patch"]
    assert given[-1] == 1001
    assert len(given) < 50
    assert [one.serial for one in found if isinstance(one, m.Applied)][-1] == 1001


def test_a_burst_of_params_is_merged_and_the_newest_counts(rig, patch):
    wire = prepared(rig, patch)
    for k in range(1000):
        wire.send(m.encode(m.SetParams((("level", "level_db", -k / 100), ("tone", "freq_hz", 100.0 + k)))))
    rig.sync(wire)
    turned = [call for call in rig.parts.players[0].calls if call[0] == "param"]
    assert ("param", "level", "level_db", -9.99) in turned
    assert turned[-1] == ("param", "tone", "freq_hz", 1099.0)
    assert len(turned) < 100


def test_a_burst_of_points_is_merged_and_the_newest_counts_unless_a_patch_comes_after(rig, patch):
    wire = prepared(rig, patch)
    for k in range(1000):
        wire.send(m.encode(m.SetPoints("level", "level_db", ((0.0, -k / 100, "hold"),))))
    rig.sync(wire)
    bent = [call for call in rig.parts.players[0].calls if call[0] == "points"]
    assert bent[-1] == ("points", "level", "level_db", ((0.0, -9.99, "hold"),))
    assert len(bent) < 100
    wire.send(m.encode(m.SetPoints("level", "level_db", ((0.0, -1.0, "hold"),))))
    wire.send(m.encode(m.SetPatch(2, dumps(patch), "")))
    rig.sync(wire)
    calls = rig.parts.players[0].calls
    assert not [call for call in calls[calls.index(("patch", 2)) :] if call[0] == "points"]


def test_more_params_than_one_message_holds_are_all_acted_upon(rig, patch):
    wire = prepared(rig, patch)
    for start in (0, 51_000):
        rows = tuple((f"n{k}", "x", 1.0) for k in range(start, start + 51_000))
        wire.send(m.encode(m.SetParams(rows)))
    rig.sync(wire)
    assert len([call for call in rig.parts.players[0].calls if call[0] == "param"]) == 102_000
    wire.close()
    rig.server.step(0.0)
    rig.client()


def test_params_before_a_patch_do_not_come_after_it(rig, patch):
    wire = prepared(rig, patch)
    wire.send(m.encode(m.SetParams((("level", "level_db", -30.0),))))
    wire.send(m.encode(m.SetPatch(2, dumps(patch), "")))
    wire.send(m.encode(m.SetParams((("tone", "freq_hz", 50.0),))))
    rig.sync(wire)
    calls = [call for call in rig.parts.players[0].calls if call[0] in ("param", "patch")]
    assert calls[-1] == ("param", "tone", "freq_hz", 50.0)
    after = calls[calls.index(("patch", 2)) :]
    assert ("param", "level", "level_db", -30.0) not in after


def test_the_device_opens_at_the_patchs_rate_when_the_patch_is_in_place(rig, patch):
    wire = rig.client()
    wire.send(m.encode(m.OpenDevice("", "", 0, 0)))
    rig.sync(wire)
    assert rig.parts.players == []
    wire.send(m.encode(m.Play()))
    wire.send(m.encode(m.SetPatch(1, dumps(patch), "")))
    rig.sync(wire)
    rig.sync(wire)
    rig.sync(wire)
    assert [player.rate for player in rig.parts.players] == [48000]
    assert rig.parts.sounds[0].opened().outputs == 2
    patch.sample_rate = 96000
    wire.send(m.encode(m.SetPatch(2, dumps(patch), "")))
    rig.sync(wire)
    rig.sync(wire)
    rig.sync(wire)
    assert [player.rate for player in rig.parts.players] == [48000, 96000]
    assert rig.parts.players[0].calls[-1] == ("close",)
    assert [sound.closed for sound in rig.parts.sounds] == [True, False]


def test_where_the_device_has_a_rate_of_its_own_the_patch_is_played_at_that(rig, patch):
    rig.parts.own = 44100
    wire = rig.client()
    wire.send(m.encode(m.OpenDevice("", "", 0, 0)))
    wire.send(m.encode(m.SetPatch(1, dumps(patch), "")))

    def settled() -> list[m.FromEngine]:
        return [one for _ in range(6) for one in rig.sync(wire)]

    said = [one.text for one in settled() if isinstance(one, m.Notice)]
    assert "The device does not run at 48000 Hz: the patch is played at 44100 Hz." in said
    assert [player.rate for player in rig.parts.players] == [48000, 44100]
    assert [sound.opened().rate for sound in rig.parts.sounds] == [44100]
    wire.send(m.encode(m.SetPatch(2, dumps(patch), "")))
    settled()
    assert len(rig.parts.players) == 2
    rig.parts.own = rig.parts.sounds[0].other = 96000  # it was gone, and is there again
    settled()
    assert [player.rate for player in rig.parts.players] == [48000, 44100, 96000]
    assert [sound.opened().rate for sound in rig.parts.sounds] == [44100, 96000]
    rig.parts.own = 0
    wire.send(m.encode(m.OpenDevice("second", "", 0, 0)))
    settled()
    assert rig.parts.players[-1].rate == rig.parts.sounds[-1].opened().rate == 48000


def test_the_device_is_opened_again_for_more_channels(rig, patch):
    wire = prepared(rig, patch)
    rig.sync(wire)
    rig.sync(wire)
    patch.add("in", "audio_in", {"channel": 6})
    wire.send(m.encode(m.SetPatch(2, dumps(patch), "")))
    rig.sync(wire)
    assert [sound.opened().inputs for sound in rig.parts.sounds] == [0, 8]


def test_the_device_is_opened_for_the_channels_that_a_map_reaches(rig, patch):
    wire = prepared(rig, patch)
    rig.sync(wire)
    rig.sync(wire)
    rig.parts.skipped = 4
    rig.parts.device = "its name is not known yet"  # the map is found when it is
    rig.sync(wire)
    rig.sync(wire)
    assert [sound.opened().outputs for sound in rig.parts.sounds] == [2, 6]


def test_channels_are_looked_up_once_for_each_device(rig, patch):
    wire = prepared(rig, patch)
    for _ in range(4):
        rig.sync(wire)
    wire.send(m.encode(m.OpenDevice("second", "", 0, 0)))
    for _ in range(4):
        rig.sync(wire)
    assert rig.parts.players[0].calls.count(("reroute",)) == 2


def test_a_patch_that_is_none_is_refused_and_the_one_before_plays(rig, patch):
    wire = prepared(rig, patch)
    wire.send(m.encode(m.SetPatch(2, b"\xc1 nonsense", "")))
    found = rig.hear(wire, lambda heard: any(isinstance(one, m.Applied) and one.serial == 2 for one in heard))
    refused = next(one for one in found if isinstance(one, m.Applied) and one.serial == 2)
    assert not refused.playing
    assert "expected a patch" in refused.problems[0][2]
    assert [call[1] for call in rig.parts.players[0].calls if call[0] == "patch"] == [1]


def test_without_the_key_nobody_gets_in(rig):
    for first, words in [
        (m.Attach(m.PROTOCOL, "wrong"), "key"),
        (m.Attach(m.PROTOCOL + 1, rig.endpoint.key), "protocol"),
        (m.Quit(), "Attach"),
    ]:
        wire = rig.connect()
        wire.send(m.encode(first))
        found = rig.hear(wire, lambda heard: False)
        assert len(found) == 1
        assert isinstance(found[0], m.Notice)
        assert words in found[0].text
    assert not rig.server.finished


def test_a_second_client_is_refused_and_the_first_stays(rig):
    first = rig.client()
    second = rig.connect()
    second.send(m.encode(m.Attach(m.PROTOCOL, rig.endpoint.key)))
    found = rig.hear(second, lambda heard: False)
    assert "has a client" in found[0].text
    rig.sync(first)


def test_strangers_cannot_send_much_or_be_many(rig):
    wire = rig.connect()
    wire.socket.send((STRANGER_BYTES + 1).to_bytes(LENGTH, "big"))
    found = rig.hear(wire, lambda heard: False)
    assert str(STRANGER_BYTES) in found[0].text
    many: list[Wire] = []
    for _ in range(MOST_STRANGERS):
        many.append(rig.connect())
        rig.server.step(0.0)
    late = rig.connect()
    assert rig.hear(late, lambda heard: False) == []
    assert all(not wire.closed for wire in many)


raw = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=100).map(lambda data: len(data).to_bytes(LENGTH, "big") + data),
    st.just((2**32 - 1).to_bytes(LENGTH, "big")),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(raw, min_size=1, max_size=5), inside=st.booleans())
def test_hostile_bytes_are_refused_and_the_next_client_is_served(rig, parts, inside):
    wire = rig.client() if inside else rig.connect()
    for part in parts:
        try:
            wire.socket.send(part)
        except (BlockingIOError, OSError):
            break
        rig.server.step(0.0)
    wire.socket.shutdown(socket.SHUT_WR)
    said = rig.hear(wire, lambda heard: False)
    refusals = [one.text for one in said if isinstance(one, m.Notice)]
    assert all("\n" not in text and text for text in refusals)
    wire.close()
    rig.server.step(0.0)
    good = rig.client()
    rig.sync(good)
    good.close()
    rig.server.step(0.0)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\xa4Nope\x90", b"\x92\xa6Locate\x91\xcb\x7f\xf8" + bytes(6)])
def test_a_client_is_told_in_one_line_what_was_wrong(rig, data):
    wire = rig.client()
    wire.send(data)
    found = rig.sync(wire)
    notices = [one for one in found if isinstance(one, m.Notice)]
    assert len(notices) == 1
    assert notices[0].text.startswith("A message was refused: ")
    assert "\n" not in notices[0].text


def test_a_client_that_does_not_read_is_let_go(rig, patch):
    wire = prepared(rig, patch)
    client = rig.server._client
    assert client is not None
    client._backlog = 100_000
    deadline = monotonic() + 60
    while rig.server._client is not None:
        assert monotonic() < deadline
        wire.send(m.encode(m.SaveReplay("x" * 9000, 1.0)))
        rig.server.step(0.0)
    rig.client()


def test_another_client_finds_everything_as_it_was(rig, patch):
    wire = prepared(rig, patch)
    for message in (
        m.SetPoints("level", "level_db", ((0.0, -1.0, "hold"),)),
        m.SetParams((("level", "level_db", -30.0),)),
        m.SetLoop(1.0, 2.0),
        m.Locate(5.0),
        m.Play(),
        m.Record(True),
    ):
        wire.send(m.encode(message))
    rig.sync(wire)
    wire.close()
    rig.server.step(0.0)
    again = rig.connect()
    again.send(m.encode(m.Attach(m.PROTOCOL, rig.endpoint.key)))
    found = rig.hear(again, lambda heard: any(isinstance(one, m.ReadingMap) for one in heard))
    told = [m.decode(one.message, m.ToEngine) for one in found if isinstance(one, m.Held)]
    assert found[0] == m.Hello(m.PROTOCOL, found[0].pid, "readings", len(told))
    place = next(one for one in told if isinstance(one, m.Locate))
    assert 5.0 <= place.seconds < 60.0
    assert [replace(one, seconds=5.0) if isinstance(one, m.Locate) else one for one in told] == [
        m.OpenDevice("", "", 0, 0),
        m.SetLoop(1.0, 2.0),
        m.Locate(5.0),
        m.Play(),
        m.SetPatch(1, dumps(patch), ""),
        m.SetPoints("level", "level_db", ((0.0, -1.0, "hold"),)),
        m.SetParams((("level", "level_db", -30.0),)),
        m.Record(True),
    ]


def test_it_ends_when_nobody_comes(runtime):
    folder = folders.new()
    rig = Rig(folder, patience_s=0.05)
    deadline = monotonic() + 60
    while not rig.server.finished:
        assert monotonic() < deadline
        rig.server.step(0.01)
    rig.server.close()
    assert not folder.exists()


def test_quit_ends_it(rig):
    wire = rig.client()
    wire.send(m.encode(m.Quit()))
    rig.hear(wire, lambda heard: rig.server.finished)


def test_readings_are_published(rig, patch):
    wire = prepared(rig, patch)
    wire.send(m.encode(m.Play()))
    found = rig.hear(wire, lambda heard: any(isinstance(one, m.ReadingMap) for one in heard))
    layout = next(one for one in found if isinstance(one, m.ReadingMap))
    view = View(Path(folders.base()) / next(folders.base().iterdir()).name / "readings")
    deadline = monotonic() + 60
    while not view.numbers()["place"] > 100:
        assert monotonic() < deadline
        rig.server.step(0.01)
    values = view.values(layout.generation)
    assert values is not None
    at = {(node, name): start for node, name, start, _, _ in layout.entries}
    assert values[at["level", "level_db"]] == -6.0
    assert view.values(layout.generation + 1) is None


def test_folders_of_engines_that_died_are_swept_away(rig, runtime):
    dead = folders.new()
    (dead / "endpoint").write_text('{"pid": 1, "address": "/nonexistent", "key": "k", "protocol": 1}')
    odd = folders.new()
    (odd / "endpoint").write_text("[[[[")
    found = folders.engines()
    assert [folders.endpoint(path) for path in found] == [rig.endpoint]
    assert not dead.exists()
    assert odd.exists()
    folders.remove(odd)
