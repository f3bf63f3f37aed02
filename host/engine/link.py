"""The client's hold on an engine: a thread that carries messages, notices when the engine dies, and starts another."""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Protocol

from host.engine import folder as folders
from host.engine import process as processes
from host.engine.process import COMMAND, EngineError, Reached
from host.engine.wire import WireError
from host.messages import FromEngine, MessageError, Quit, ToEngine, decode, encode

LOOK_S = 0.1
"""How often a silent engine's process is looked at."""
MOST_DEATHS = 4
DEATHS_IN_S = 20.0
"""An engine that dies so often in so short a time is not started again."""

_left_playing: list[subprocess.Popen[bytes]] = []
"""Engines that were left to themselves; they are looked at now and then, so that none stays a zombie."""


class Listener(Protocol):
    """Who uses a link; all of these are called from its thread."""

    def greeted(self, reached: Reached) -> Sequence[ToEngine]:
        """Another engine has been reached; the answer is what to tell it first."""
        ...

    def came(self, message: FromEngine) -> None:
        """The engine tells something."""
        ...

    def lost(self, reason: str) -> None:
        """The engine has died. Another one is being started."""
        ...

    def given_up(self, reason: str) -> None:
        """No engine can be had any more."""
        ...


class Link:
    """Starts an engine, or finds one that waits where ``attach`` says so. Raises EngineError."""

    def __init__(
        self, listener: Listener, *, attach: bool, patience_s: float, command: Sequence[str] | None = None
    ) -> None:
        _left_playing[:] = [process for process in _left_playing if process.poll() is None]
        self._listener = listener
        self._patience_s = patience_s
        self._command = command or COMMAND
        self._lock = threading.Lock()
        self._outgoing: deque[bytes] = deque()
        self._connected = False
        self._closing = False
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._reached = (self._waiting() if attach else None) or self._started()
        self._thread = threading.Thread(target=self._run, name="engine link", daemon=True)

    def start(self) -> None:
        """Begin to carry messages."""
        self._greet()
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether there is an engine to talk to."""
        return self._connected

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._reached.hello.pid

    @property
    def folder(self) -> Path:
        """The engine's private folder."""
        return self._reached.folder

    def send(self, message: ToEngine, note: Callable[[ToEngine], None] | None = None) -> bool:
        """Send a message; False where there is no engine just now. ``note`` is called first, in one with it: what an
        engine that has just come is told either has the message in it, or comes before it.
        """
        data = encode(message)
        with self._lock:
            if note:
                note(message)
            if not self._connected:
                return False
            self._outgoing.append(data)
        self._wake()
        return True

    def send_made(self, make: Callable[[], ToEngine]) -> None:
        """Send the message that ``make`` gives; it is called, and what it notes is noted, in one with sending it."""
        with self._lock:
            message = make()
            if self._connected:
                self._outgoing.append(encode(message))
        self._wake()

    def close(self, quit: bool) -> None:
        """Let go of the engine; with ``quit``, end it too."""
        with self._lock:
            if quit and self._connected:
                self._outgoing.append(encode(Quit()))
            self._closing = True
        self._wake()
        if self._thread.ident is not None:
            self._thread.join()
        wire, process = self._reached.wire, self._reached.process
        if quit:
            processes.end(self._reached)
        elif process is not None and process.poll() is None:
            _left_playing.append(process)
        wire.close()
        self._connected = False
        self._waker.close()
        self._woken.close()

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # it is awake, or gone
            self._waker.send(b"\0")

    def _run(self) -> None:
        while True:
            wire = self._reached.wire
            self._wait()
            with self._lock:
                while self._outgoing:
                    wire.send(self._outgoing.popleft())
            wire.flush()
            try:
                payloads = wire.receive()
            except WireError:
                wire.end()
                payloads = []
            self._hear(payloads)
            if self._closing and (wire.closed or not wire.unsent):
                return
            process = self._reached.process
            if (wire.closed or (process is not None and process.poll() is not None)) and not self._revive():
                return

    def _wait(self) -> None:
        wire = self._reached.wire
        if wire.closed:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(wire.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if wire.unsent else 0))
            selector.register(self._woken, selectors.EVENT_READ)
            selector.select(LOOK_S)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)

    def _hear(self, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            try:
                message = decode(payload, FromEngine)
            except MessageError:
                # an engine that speaks nonsense is as good as dead
                self._reached.wire.end()
                return
            self._listener.came(message)

    def _revive(self) -> bool:
        """Another engine in place of the dead one; False where it is of no use to try any longer."""
        with self._lock:
            self._connected = False
            self._outgoing.clear()
        dead = self._reached
        dead.wire.close()
        if dead.process is not None:
            if dead.process.poll() is None:  # it closed the connection, or speaks nonsense
                dead.process.kill()
            dead.process.wait()
        status = dead.process.returncode if dead.process else None
        reason = processes.last_words(dead.folder) or (f"exit status {status}" if status is not None else "it is gone")
        folders.remove(dead.folder)
        self._listener.lost(reason)
        while not self._closing:
            now = monotonic()
            self._deaths.append(now)
            if len(self._deaths) == MOST_DEATHS and now - self._deaths[0] < DEATHS_IN_S:
                self._listener.given_up(reason)
                return False
            try:
                self._reached = self._started()
            except (EngineError, folders.FolderError, OSError) as error:
                reason = str(error)
                continue
            self._greet()
            return True
        return False

    def _greet(self) -> None:
        with self._lock:
            self._outgoing.extend(encode(message) for message in self._listener.greeted(self._reached))
            self._connected = True
        self._hear(self._reached.rest)
        self._wake()

    def _started(self) -> Reached:
        folder = folders.new()
        process: subprocess.Popen[bytes] | None = None
        try:
            process = processes.spawn(folder, self._patience_s, self._command)
            return processes.reach(folder, process)
        except BaseException:
            if process is not None:
                process.kill()
                process.wait()
            folders.remove(folder)
            raise

    def _waiting(self) -> Reached | None:
        for folder in folders.engines():
            try:
                return processes.reach(folder)
            except EngineError:
                continue  # it has a client, or is about to end
        return None
