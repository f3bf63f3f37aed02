"""The engine's control thread: messages in, readings out, and what the session has to do in between.

One thread does it all, and waits for nobody: sockets never block, a client that does not read is let go, and what
comes in faster than it can be acted upon is merged, the newest winning.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import selectors
import sys
import traceback
from pathlib import Path
from time import monotonic
from typing import Protocol

from graph.errors import PatchError
from host.engine import folder as folders
from host.engine.readings import Board, Source
from host.engine.wanted import Wanted, in_rows
from host.engine.wire import Wire, WireError
from host.messages import (
    PROTOCOL,
    Applied,
    Attach,
    ChangePatch,
    FromEngine,
    Held,
    Hello,
    MessageError,
    Notice,
    Ping,
    Pong,
    Progress,
    Quit,
    ReadingMap,
    SetParams,
    SetPatch,
    SetPoints,
    Status,
    ToEngine,
    decode,
    encode,
)

READINGS_PER_S = 30.0
STATUS_PER_S = 5.0
LONGEST_WAIT_S = 0.02
STRANGER_BYTES = 4096
STRANGER_S = 2.0
"""A connection may send so much, and take so long, before it has shown the key."""
MOST_STRANGERS = 16
MOST_FAULTS = 50
"""After so many faults of its own in a row the engine ends, so that its client starts a fresh one."""

MOST_TRACES = 100
"""So many faults are written down in full."""


class Work(Protocol):
    """What the server serves (``host.engine.session.Session``)."""

    def handle(self, message: ToEngine, more: bool = False) -> None:
        """Act upon a message. Raises PatchError or ValueError where it cannot be."""
        ...

    def step(self) -> float:
        """Do what is due; the answer is in how many seconds to come again."""
        ...

    def place_s(self) -> float:
        """Where the transport is."""
        ...

    def news(self) -> list[FromEngine]:
        """What has happened since the last call."""
        ...

    def status(self) -> Status:
        """What seldom changes."""
        ...

    def progress(self) -> tuple[int, int]:
        """How many kernels are compiled, of how many."""
        ...

    def numbers(self) -> dict[str, float]:
        """Numbers to publish, by their names in ``readings.NUMBERS``."""
        ...

    def sources(self) -> list[Source] | None:
        """The readings of the patch in play, or None where they are where they were at the last call."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class Server:
    """Serves one client at a time. ``patience_s``: how long it goes on without one."""

    def __init__(self, folder: Path, work: Work, patience_s: float) -> None:
        self.finished = False
        self._folder = folder
        self._work = work
        self._patience_s = patience_s
        self._wanted = Wanted()
        self._board = Board(folder / "readings")
        self._map: ReadingMap | None = None
        self._applied: Applied | None = None
        self._status: Status | None = None
        self._progress = Progress(0, 0)
        self._patch: SetPatch | None = None
        self._changes: list[ChangePatch] = []
        self._params: dict[tuple[str, str], float] = {}
        self._points: dict[tuple[str, str], SetPoints] = {}
        self._client: Wire | None = None
        self._strangers: dict[Wire, float] = {}
        self._alone_since = monotonic()
        self._publish_at = self._status_at = 0.0
        self._faults = self._all_faults = 0
        self._selector = selectors.DefaultSelector()
        self._listener, self._endpoint = folders.listen(folder)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until told to quit, or alone for too long."""
        wait = 0.0
        try:
            while not self.finished:
                wait = self.step(wait)
        finally:
            self.close()

    def step(self, wait_s: float) -> float:
        """Wait for messages at most so long and do all that is due; the answer is how long to wait next time."""
        for key, _ in self._selector.select(wait_s):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.data, Wire):
                self._read(key.data)
        self._flush()
        self._let_go()
        try:
            wait = self._work.step()
            self._tell()
            self._faults = 0
        except Exception as error:
            # a fault of the control thread must not stop the sound; the callback goes on with the schedule it has
            self._fault(error)
            wait = LONGEST_WAIT_S
        self._watch()
        return min(max(wait, 0.0), LONGEST_WAIT_S)

    def close(self) -> None:
        """End everything that is open, and remove the folder."""
        try:
            self._work.close()
        finally:
            for wire in [*self._strangers, *([self._client] if self._client else [])]:
                wire.flush()
                wire.close()
            self._selector.close()
            self._listener.close()
            folders.remove(self._folder)

    # -- connections ---------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        if len(self._strangers) >= MOST_STRANGERS:
            connection.close()
            return
        wire = Wire(connection, STRANGER_BYTES, folders.BACKLOG)
        self._strangers[wire] = monotonic()
        self._selector.register(wire.socket, selectors.EVENT_READ, wire)

    def _read(self, wire: Wire) -> None:
        wire.flush()
        try:
            payloads = wire.receive()
        except WireError as error:
            self._refuse(wire, str(error))
            return
        for payload in payloads:
            if wire.closed:
                return
            try:
                message = decode(payload, ToEngine)
            except MessageError as error:
                if wire is self._client:
                    self._send(Notice("error", f"A message was refused: {error}"))
                else:
                    self._refuse(wire, str(error))
                continue
            if wire is self._client:
                self._take(message)
            else:
                self._admit(wire, message)

    def _admit(self, wire: Wire, message: ToEngine) -> None:
        """The first message of a connection."""
        if not isinstance(message, Attach):
            self._refuse(wire, f"expected Attach first, found {type(message).__name__}")
        elif not hmac.compare_digest(message.key.encode(), self._endpoint.key.encode()):
            self._refuse(wire, "the key is wrong")
        elif message.protocol != PROTOCOL:
            self._refuse(wire, f"expected protocol {PROTOCOL}, found {message.protocol}")
        elif self._client is not None:
            self._refuse(wire, "this engine has a client already")
        else:
            del self._strangers[wire]
            self._client = wire
            wire.most = folders.MOST_MESSAGE_BYTES
            self._wanted.place_s = self._work.place_s()
            held = self._wanted.messages() if self._wanted.patch else []
            self._send(Hello(PROTOCOL, os.getpid(), "readings", len(held)))
            for one in held:
                self._send(Held(encode(one)))
            for news in (self._status, self._map, self._applied, self._progress):
                if news is not None:
                    self._send(news)

    def _refuse(self, wire: Wire, reason: str) -> None:
        """End a connection, with a word."""
        wire.send(encode(Notice("error", f"The engine refused the connection: {reason[:1000]}")))
        wire.flush()
        self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(wire.socket)
        wire.close()
        self._strangers.pop(wire, None)
        if wire is self._client:
            self._client = None
            self._alone_since = monotonic()

    def _let_go(self) -> None:
        now = monotonic()
        for wire, since in list(self._strangers.items()):
            if wire.closed or now - since > STRANGER_S:
                self._drop(wire)
        if self._client is not None and self._client.closed:
            self._drop(self._client)

    def _send(self, message: FromEngine) -> None:
        if self._client is not None:
            self._client.send(encode(message))

    # -- messages ------------------------------------------------------------------------------------------------------

    def _take(self, message: ToEngine) -> None:
        """What can be merged waits for the end of the step; anything else keeps its place in the order."""
        match message:
            case SetPatch():
                self._patch = message
                self._changes.clear()
                self._params.clear()  # a patch has the values of all its params
                self._points.clear()
            case ChangePatch():
                self._changes.append(message)
                self._params.clear()
                self._points.clear()
            case SetParams(values):
                self._params.update({(node, param): value for node, param, value in values})
            case SetPoints(node, param, _):
                self._points[node, param] = message
            case _:
                self._flush()
                self._act(message)

    def _flush(self) -> None:
        patch, changes, params, points = self._patch, self._changes, self._params, self._points
        self._patch, self._changes, self._params, self._points = None, [], {}, {}
        if patch is not None:
            self._act(patch)
        for at, change in enumerate(changes, 1):
            self._act(change, at < len(changes))
        for line in points.values():
            self._act(line)
        for rows in in_rows(params):
            self._act(rows)

    def _act(self, message: ToEngine, more: bool = False) -> None:
        match message:
            case Ping(ticket):
                self._tell_news()
                self._send(Pong(ticket))
            case Quit():
                self.finished = True
            case Attach():
                self._send(Notice("error", "A message was refused: Attach comes first, and once."))
            case _:
                self._wanted.note(message)
                try:
                    self._work.handle(message, more)
                except (PatchError, ValueError, OSError) as error:
                    self._send(Notice("error", str(error)[:1000]))
                except Exception as error:
                    # as above: what plays goes on
                    self._fault(error)
                    if isinstance(message, SetPatch | ChangePatch):
                        self._told(Applied(message.serial, False, (("", "", _words(error)),)))

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        self._all_faults += 1
        if self._all_faults <= MOST_TRACES:
            traceback.print_exception(error, file=sys.stderr)
        if self._faults > MOST_FAULTS:
            raise error
        self._send(Notice("error", f"The engine met a fault of its own and goes on: {_words(error)}"))

    # -- telling -------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self._tell_news()
        now = monotonic()
        if now >= self._status_at:
            self._status_at = now + 1 / STATUS_PER_S
            status = self._work.status()
            if status != self._status:
                self._status = status
                self._send(status)
            progress = Progress(*self._work.progress())
            if progress != self._progress:
                self._progress = progress
                self._send(progress)
        if now >= self._publish_at:
            self._publish_at = now + 1 / READINGS_PER_S
            sources = self._work.sources()
            if sources is not None:
                self._map, left_out = self._board.lay_out(sources)
                self._send(self._map)
                if left_out:
                    self._send(Notice("warning", f"{left_out} readings are not shown: there is no room for so many."))
            self._board.publish(self._work.numbers())

    def _tell_news(self) -> None:
        for news in self._work.news():
            self._told(news)

    def _told(self, news: FromEngine) -> None:
        if isinstance(news, Applied):
            self._applied = news
        elif isinstance(news, Notice) and self._client is None:
            sys.stderr.write(f"{news.level}: {news.text}\n")
        self._send(news)

    def _watch(self) -> None:
        """Listen for writing where there is something to write; end where nobody has come for long."""
        client = self._client
        if client is not None and not client.closed:
            client.flush()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.modify(client.socket, events, client)
        if client is None and monotonic() - self._alone_since > self._patience_s:
            self.finished = True


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")[:500]
