"""Messages over a socket that never blocks: a length of four bytes, then so many bytes."""

from __future__ import annotations

import contextlib
import socket
from collections import deque

LENGTH = 4
PIECE = 1 << 20
"""Bytes read at a time, so that a flood leaves time for other work."""


class WireError(ValueError):
    """The other side does not keep to the form."""


class Wire:
    """One end of a connection. ``most`` is how large an incoming message may be; ``backlog`` how many bytes may wait
    to be sent before the other side counts as gone.
    """

    def __init__(self, connection: socket.socket, most: int, backlog: int) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.most = most
        self.closed = False
        self._backlog = backlog
        self._came = bytearray()
        self._going: deque[memoryview] = deque()
        self._waiting = 0

    @property
    def unsent(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._going)

    def receive(self) -> list[bytes]:
        """The messages that are complete by now. Raises WireError; sets ``closed`` at the end."""
        try:
            piece = self.socket.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            piece = b""
        if not piece:
            self.end()
            return []
        self._came += piece
        found: list[bytes] = []
        start = 0
        while len(self._came) - start >= LENGTH:
            size = int.from_bytes(self._came[start : start + LENGTH], "big")
            if size > self.most:
                raise WireError(f"expected a message of at most {self.most} bytes, found one of {size}")
            end = start + LENGTH + size
            if len(self._came) < end:
                break
            found.append(bytes(self._came[start + LENGTH : end]))
            start = end
        del self._came[:start]
        return found

    def send(self, payload: bytes) -> None:
        """Send as soon as the other side takes it; one that takes nothing for too long is closed."""
        if self.closed:
            return
        self._going.append(memoryview(len(payload).to_bytes(LENGTH, "big") + payload))
        self._waiting += LENGTH + len(payload)
        self.flush()
        if self._waiting > self._backlog:
            self.end()

    def flush(self) -> None:
        """Send what the other side takes now."""
        while self._going and not self.closed:
            part = self._going[0]
            try:
                sent = self.socket.send(part)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.end()
                return
            self._waiting -= sent
            if sent == len(part):
                self._going.popleft()
            else:
                self._going[0] = part[sent:]

    def end(self) -> None:
        """Nothing more comes or goes. The socket keeps its number until ``close``, so that no other gets it while
        somebody still waits on it.
        """
        self.closed = True
        self._going.clear()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection, and let go of the socket."""
        self.end()
        self.socket.close()
