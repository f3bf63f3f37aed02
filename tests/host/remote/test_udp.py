"""Real datagrams over loopback, from python-osc's own client."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from pythonosc.udp_client import SimpleUDPClient

from host.remote.changes import Changes
from host.remote.control import Remote
from host.remote.udp import OscServer
from host.remote.wire import Message, read


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


class Listener:
    """A client's socket, and what came to it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.server = ("127.0.0.1", port)
        self.heard: list[Message] = []

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.server)

    def hears(self, address: str) -> bool:
        while True:
            try:
                self.heard += read(self.socket.recv(65536))
            except BlockingIOError:
                return any(message.address == address for message in self.heard)


@pytest.fixture
def remote(desk) -> Iterator[Remote]:
    with Remote(desk, osc=("127.0.0.1", 0)) as remote:
        remote.start()
        yield remote


def port_of(remote: Remote) -> int:
    assert remote.osc is not None
    return remote.osc.address[1]


@pytest.fixture
def client(remote) -> SimpleUDPClient:
    return SimpleUDPClient("127.0.0.1", port_of(remote))


def test_it_listens_on_loopback_unless_told_otherwise(desk) -> None:
    server = OscServer(desk, Changes(), port=0)
    assert server.address[0] == "127.0.0.1"
    with pytest.raises(OSError, match=r"in use|10048|permitted"):
        OscServer(desk, server.session.changes, port=server.address[1])
    server.close()


def test_set(desk, client) -> None:
    client.send_message("/flt/freq_hz", 440.0)
    client.send_message("/strip/squash", 7)
    client.send_message("/main/mute", True)
    assert until(
        lambda: (
            desk.values["flt", "freq_hz"] == 440
            and desk.values["strip/cmp", "ratio"] == 7
            and desk.values["main", "mute"] == 1
        )
    )


def test_query_and_feedback(desk, remote) -> None:
    listener = Listener(port_of(remote))
    ask = SimpleUDPClient(*listener.server)
    ask._sock.close()
    ask._sock = listener.socket  # python-osc's client, with a socket that can listen
    ask.send_message("/query", "/flt")
    assert until(lambda: listener.hears("/end"))
    rows = [m for m in listener.heard if m.address == "/param"]
    assert len(rows) == len(desk.addresses.under("/flt")) == listener.heard[-1].arguments[1]
    ask.send_message("/subscribe", "/flt/q")
    assert until(lambda: listener.hears("/flt/q"))
    listener.heard.clear()
    SimpleUDPClient(*listener.server).send_message("/flt/q", 4.5)  # somebody else
    assert until(lambda: listener.hears("/flt/q"))
    assert listener.heard[-1] == Message("/flt/q", (4.5,))
    ask.send_message("/no/such", 1.0)
    assert until(lambda: listener.hears("/error"))
    listener.socket.close()


def test_a_thousand_messages_reach_the_target_as_few(desk, client) -> None:
    for i in range(1000):
        client.send_message("/flt/freq_hz", 100.0 + i)
        if i % 100 == 99:  # loopback drops what is not taken in time, and this test is not about that
            assert until(lambda i=i: desk.values["flt", "freq_hz"] == 100.0 + i)
    rows = [row for call in desk.calls for row in call]
    assert rows[-1] == ("flt", "freq_hz", 1099.0)
    assert all(len(call) == 1 for call in desk.calls)
    assert len(desk.calls) < 1000


def test_noise_stops_nothing(desk, remote, client) -> None:
    listener = Listener(port_of(remote))
    chance = random.Random(1)
    starts = (b"", b"/", b"#bundle\0", b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc", b"/flt/q\0\0,f\0\0", b"/*\0\0,")
    for i in range(500):
        listener.send(starts[i % len(starts)] + chance.randbytes(chance.randrange(0, 200)))
    listener.send(bytes(60_000))
    assert until(lambda: listener.hears("/error"))

    def sent_again() -> bool:  # UDP may drop what follows a flood
        client.send_message("/main/level_db", -7.0)
        return desk.values["main", "level_db"] == -7

    assert until(sent_again)
    for place in desk.addresses:
        assert place.param.low <= desk.values[place.key] <= place.param.high
    listener.socket.close()


def test_a_client_that_is_gone_stops_nothing(desk, remote, client) -> None:
    gone = Listener(port_of(remote))
    gone.send(b"/subscribe\0\0")
    assert until(lambda: gone.hears("/flt/q"))
    gone.socket.close()
    for value in (1.0, 2.0, 3.0):
        client.send_message("/flt/q", value)
        assert until(lambda value=value: desk.values["flt", "q"] == value)


def test_what_was_set_last_is_handed_over_at_the_end(desk) -> None:
    remote = Remote(desk, osc=("127.0.0.1", 0))
    remote.changes.put("flt", "q", 2.0)
    remote.changes.hand_over(desk, time.monotonic())
    remote.changes.put("flt", "q", 3.0)
    remote.stop()
    assert desk.values["flt", "q"] == 3


def test_an_error_of_the_target_is_said(desk) -> None:
    said: list[str] = []
    remote = Remote(desk, osc=("127.0.0.1", 0), notice=said.append)

    def fail(values) -> None:
        raise RuntimeError("the target is broken")

    desk.set = fail
    remote.changes.put("flt", "q", 2.0)
    with pytest.raises(RuntimeError):
        remote._run()
    assert "the target is broken" in said[0]
    desk.set = lambda values: None
    remote.stop()
