"""OSC over UDP: a socket that never waits, and the session behind it."""

from __future__ import annotations

import socket
from collections.abc import Callable

from host.remote.changes import Changes
from host.remote.osc import Client, OscSession
from host.remote.target import Target
from host.remote.transport import Deck
from host.remote.wire import MOST_BYTES

PORT = 9001
"""Where clients find it, unless it is told otherwise."""
MOST_IN, MOST_OUT = 64, 64
"""Datagrams taken in and sent in one step."""
RECEIVE_BYTES = 1 << 20
"""What the system is asked to keep for us; it may give less."""


class OscServer:
    """Listens on loopback, unless it is told to let others in. Raises OSError where the address cannot be had."""

    def __init__(
        self,
        target: Target,
        changes: Changes,
        host: str = "127.0.0.1",
        port: int = PORT,
        deck: Deck | None = None,
        notice: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.session = OscSession(target, changes, deck, notice)
        self.lost = 0
        """Datagrams that the system would not send."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self.socket.bind((host, port))
            self.socket.setblocking(False)
        except OSError:
            self.socket.close()
            raise

    @property
    def address(self) -> Client:
        """The internet address and port it listens on."""
        return self.socket.getsockname()

    def step(self, now: float) -> bool:
        """Take in what came, send what is due; whether more may have come already."""
        more = True
        for _ in range(MOST_IN):
            try:
                datagram, client = self.socket.recvfrom(MOST_BYTES + 1)
            except BlockingIOError:
                more = False
                break
            except ConnectionError:
                continue  # Windows says here that an earlier client is gone
            self.session.receive(datagram, client, now)
        self.session.feedback(now)
        self._send()
        return more

    def _send(self) -> None:
        outgoing = self.session.outgoing
        for _ in range(min(MOST_OUT, len(outgoing))):
            datagram, client = outgoing[0]
            try:
                self.socket.sendto(datagram, client)
            except BlockingIOError:
                return
            except OSError:
                self.lost += 1  # UDP promises nothing: a client that is gone, or a network that went, stops nobody
            outgoing.popleft()

    def close(self) -> None:
        """Let the port go."""
        self.socket.close()
