"""One worker process as the engine sees it: started, spoken to, found dead, killed."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import msgpack

from host.engine.wire import Wire, WireError
from host.plugins.trial import ended, environment, kill_group, last_lines, resident

MOST_MESSAGE = 256 << 20
MOST_NOISE = 64 << 20
ENDING_S = 0.3
"""How long a process may take to be gone once its socket is."""
OPENER = "host.plugins.worker:open_source"


class Child:
    """A worker. To be made by the thread that lives longest: some systems end a process with the thread that started
    it. Raises OSError where none can be started.
    """

    def __init__(self, opener: str = OPENER, paths: str = "") -> None:
        control, own = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        descriptors, self._descriptors = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the child)
        words = [sys.executable, "-P", "-m", "host.plugins.worker", "--control", str(control.fileno())]
        words += ["--descriptors", str(descriptors.fileno()), "--parent", str(os.getpid()), "--opener", opener]
        env = environment()
        if paths:
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), paths]))
        try:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=self._noise,
                stderr=self._noise,
                pass_fds=(control.fileno(), descriptors.fileno()),
                env=env,
                start_new_session=True,
            )
        finally:
            control.close()
            descriptors.close()
        self._descriptors.setblocking(False)
        self.wire = Wire(own, MOST_MESSAGE, MOST_MESSAGE)

    def send_memory(self, number: int, fd: int) -> None:
        """Give it some shared memory, under a number. Raises OSError."""
        socket.send_fds(self._descriptors, [number.to_bytes(8, "big")], [fd])

    def send(self, **message: Any) -> None:
        """Ask it for something."""
        self.wire.send(msgpack.packb(message) or b"")

    def receive(self) -> list[Mapping[str, Any]]:
        """What it said since the last call. Whatever makes no sense ends the connection."""
        self.wire.flush()
        try:
            found = [msgpack.unpackb(message) for message in self.wire.receive()]
        except (WireError, ValueError, msgpack.UnpackException):
            self.wire.end()
            return []
        return [message for message in found if isinstance(message, dict)]

    @property
    def dead(self) -> bool:
        """Whether it ended, or closed its side."""
        return self.wire.closed or self.process.poll() is not None

    @property
    def memory(self) -> int:
        """Bytes it has in use."""
        return resident(self.process.pid)

    @property
    def noisy(self) -> bool:
        """Whether it wrote more on its standard error than anybody will read."""
        return os.fstat(self._noise.fileno()).st_size > MOST_NOISE

    def kill(self) -> tuple[str, str]:
        """End it now, whatever it is doing: how it had ended before, if it had, and its last words."""
        status = self.process.poll()
        if status is None and self.wire.closed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self.process.wait(ENDING_S)
        kill_group(self.process)
        self.wire.close()
        self._descriptors.close()
        words = last_lines(self._noise)
        self._noise.close()
        return ("" if status is None else ended(status)[1]), words
