"""Ports of the system: made-up ones that come and go, and real ones where JACK or the ALSA sequencer is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mido
import pytest

from host.remote import ports
from host.remote.control import Remote
from host.remote.mappings import Control, entry_of
from host.remote.ports import LOOK_S, MOST_WAITING, Port, found_among, why_none
from host.remote.sources import Source


class FakePort:
    def __init__(self, callback: Callable[[mido.Message], None] | None = None) -> None:
        self.callback, self.closed = callback, False
        self.sent: list[mido.Message] = []

    def send(self, message: mido.Message) -> None:
        if self.closed:
            raise OSError("gone")
        self.sent.append(message)

    def close(self) -> None:
        self.closed = True


class FakeBackend:
    """A system whose ports come and go."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.opened: list[FakePort] = []

    def get_input_names(self) -> list[str]:
        return self.names

    get_output_names = get_input_names

    def open_input(self, name: str, callback) -> FakePort:
        assert name in self.names
        self.opened.append(FakePort(callback))
        return self.opened[-1]

    def open_output(self, name: str) -> FakePort:
        self.opened.append(FakePort())
        return self.opened[-1]


NAMES = ["Midi Through:Midi Through Port-0 14:0", "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", "X-Touch 24:0"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("X-Touch 24:0", "X-Touch 24:0"),
        ("X-Touch 28:0", "X-Touch 24:0"),
        ("X-Touch", "X-Touch 24:0"),
        ("nanokontrol", NAMES[1]),
        ("Launchpad", ""),
    ],
)
def test_a_controller_by_its_name(wanted: str, name: str) -> None:
    assert found_among(wanted, NAMES) == name


def test_a_controller_that_comes_and_goes() -> None:
    backend, said = FakeBackend(), []
    port = Port("X-Touch", said.append, backend=backend)
    now = 0.0
    for _ in range(5):
        now += LOOK_S
        assert not port.step(now)
    assert len(said) == 1
    assert "no MIDI controller 'X-Touch' yet" in said[0]
    backend.names = ["X-Touch 24:0"]
    now += LOOK_S
    assert port.step(now)
    assert port.is_open
    backend.opened[0].callback(mido.Message("control_change", value=3))
    assert [message.value for message in port.iter_pending()] == [3]
    port.send(mido.Message("control_change", value=4))
    assert [message.value for message in backend.opened[1].sent] == [4]
    backend.names = []
    now += LOOK_S
    port.step(now)
    assert not port.is_open
    assert all(opened.closed for opened in backend.opened)
    backend.names = ["X-Touch 28:0"]
    now += LOOK_S
    assert port.step(now)
    assert [text.split(" is ")[-1] for text in said[1:]] == ["in use.", "back.", "in use."]
    port.close()


def test_a_flood_and_long_messages_are_not_kept() -> None:
    backend = FakeBackend()
    backend.names = ["X"]
    port = Port("X", lambda text: None, backend=backend)
    port.step(0.0)
    for i in range(2 * MOST_WAITING):
        backend.opened[0].callback(mido.Message("control_change", value=i % 128))
        backend.opened[0].callback(mido.Message("sysex", data=[1] * 100))
    kept = list(port.iter_pending())
    assert len(kept) == MOST_WAITING
    assert kept[-1].value == (2 * MOST_WAITING - 1) % 128


def test_a_port_that_fails_is_said_and_stops_nothing() -> None:
    backend, said = FakeBackend(), []
    backend.names = ["X"]
    port = Port("X", said.append, backend=backend)
    port.step(0.0)
    backend.opened[1].close()
    for _ in range(3):
        port.send(mido.Message("control_change"))
    assert sum("cannot be told" in text for text in said) == 1

    def fail(name, callback) -> None:
        raise OSError("busy")

    backend.open_input = fail
    other = Port("X", said.append, backend=backend)
    assert not other.step(0.0)
    assert "cannot be opened: busy" in said[-1]


def test_remote_with_a_controller(desk) -> None:
    backend = FakeBackend()
    backend.names = ["X"]
    said: list[str] = []
    remote = Remote(desk, port=Port("X", said.append, backend=backend), notice=said.append)
    control = Control(Source("cc", 1, 74), "main", "level_db", "jump")
    bad = [{"from": "x"}] * 5
    assert remote.use({"controls": [entry_of(control), *bad]}) == [control]
    assert sum("metadata.controls" in text for text in said) == 4
    remote.step(10.0)
    shown = [message.value for message in backend.opened[1].sent]
    assert shown == [102]  # 0 dB
    backend.opened[0].callback(mido.Message("control_change", channel=0, control=74, value=127))
    remote.step(11.0)
    assert desk.values["main", "level_db"] == 24
    desk.values["main", "level_db"] = -96.0
    remote.step(12.0)
    assert [message.value for message in backend.opened[1].sent] == [102, 0]
    remote.stop()


def test_without_a_sequencer_there_is_one_clear_sentence(desk, monkeypatch) -> None:
    monkeypatch.setattr(ports.sys, "platform", "linux")
    monkeypatch.setattr(ports, "SEQUENCER", Path("/nowhere/seq"))
    reason = why_none()
    assert "/nowhere/seq" in reason
    assert "snd-seq" in reason
    assert ports.port_names() == ([], [])
    said: list[str] = []
    remote = Remote(desk, midi="X-Touch", notice=said.append)
    for now in range(10):
        remote.step(float(now * 3))
    assert said == [reason]
    remote.stop()


# -- real ports --------------------------------------------------------------------------------------------------------


@pytest.fixture
def jack(tmp_path, monkeypatch) -> Iterator[None]:
    """A JACK server of our own, with its dummy driver."""
    if not shutil.which("jackd"):
        pytest.skip("jackd is not installed")
    name = f"remote{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    with (tmp_path / "jack.log").open("wb") as log:
        server = subprocess.Popen(
            ["jackd", "-m", "-r", "-n", name, "-d", "dummy", "-r", "48000", "-p", "256"], stdout=log, stderr=log
        )
        try:
            end = time.monotonic() + 60
            while why_none("jack"):
                if server.poll() is not None or time.monotonic() > end:
                    pytest.skip("jackd does not run here")
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
            server.wait(20)


def plays_through(desk, api: str, backend_name: str) -> None:
    """A controller that is a virtual port moves a param, and is shown another's doing."""
    backend = mido.Backend(backend_name)
    knob = backend.open_output("patchwright-knob", virtual=True)
    said: list[str] = []
    remote = Remote(desk, midi="patchwright-knob", midi_api=api, notice=said.append)
    try:
        remote.surface.use([Control(Source("cc", 1, 74), "main", "level_db", "jump")])
        sent, end = 0, time.monotonic() + 60
        while desk.values["main", "level_db"] != 24 and time.monotonic() < end:
            if remote.port is not None and remote.port.is_open and sent < 100:
                knob.send(mido.Message("control_change", channel=0, control=74, value=127))
                sent += 1
            remote.step()
            time.sleep(0.01)
        assert desk.values["main", "level_db"] == 24, said
        assert "in use" in said[-1]
    finally:
        remote.stop()
        knob.close()


@pytest.mark.skipif(not shutil.which("jackd"), reason="jackd is not installed")
def test_a_real_port_of_jack(desk, jack) -> None:
    plays_through(desk, "jack", "mido.backends.rtmidi/UNIX_JACK")


@pytest.mark.skipif(not ports.SEQUENCER.exists(), reason="there is no ALSA sequencer here")
def test_a_real_port_of_the_alsa_sequencer(desk) -> None:
    plays_through(desk, "", "mido.backends.rtmidi/LINUX_ALSA")
