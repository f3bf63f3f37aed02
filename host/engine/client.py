"""The engine as a script, a notebook, the editor or the command line sees it: ``from host import Engine``."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from graph.document import Patch
from graph.edits import SetAutomation
from graph.errors import PatchError
from graph.fields import checked_points
from graph.form import to_document
from graph.patchfile import load, save
from host.engine.display import Display, EngineStatus, Problem
from host.engine.link import Link
from host.engine.plugins import Plugins
from host.engine.process import EngineError, Reached
from host.engine.readings import Floats
from host.engine.wanted import Wanted
from host.messages import (
    Applied,
    AskPatch,
    ChangePatch,
    FromEngine,
    KeepFiles,
    Locate,
    Notice,
    OpenDevice,
    Ping,
    Play,
    Pong,
    Progress,
    ReadingMap,
    Record,
    SaveReplay,
    SetLoop,
    SetParams,
    SetPatch,
    SetPoints,
    Status,
    Stop,
    ToEngine,
    decode,
)
from host.plugins.errors import PluginError
from host.plugins.messages import AskPlugins, PluginsIn
from host.values import morphed, set_states, snapshot_states, snapshot_values

ANSWER_S = 60.0
"""How long to wait for an engine that is asked something."""
COMPILING_S = 600.0
"""And for one that compiles, from one kernel to the next: beside much else, one may take more than a minute."""
MOST_NOTICES = 1000
DEADLY = 2
"""An engine that died so often while it opened the device is not asked to open it again."""
ANY_DEVICE = OpenDevice("", "", 0, 0)


class Engine:
    """An engine process, and our hold on it: a context manager, which ends the engine when it is left.

    ``device``, ``in_device``: names, or parts of names; empty for the system's default, ``null`` for none; rate and
    block 0: as patch and device have it. ``attach``: take over an engine that plays on without a client, if there is
    one, with the patch that it plays, and with its device where no other one is named. ``plugins_in``: which plugins
    share a process: none (``plugin``), those of a serial ``chain``, or all of the ``patch``. ``disk_cache_mb``: memory
    for copies of played files, 0: none, None: by the memory there is. ``patience_s``: how long the engine plays on when
    this process is gone. ``on_notice`` is called from another thread, as is ``on_progress``, with how many kernels are
    compiled of how many. An engine that dies is started again, as it was; ``notices`` says so. Raises EngineError where
    none can be started.
    """

    def __init__(
        self,
        patch: Patch | str | os.PathLike[str] | None = None,
        *,
        device: str = "",
        in_device: str = "",
        rate: int = 0,
        block: int = 0,
        attach: bool = False,
        plugins_in: str = "plugin",
        disk_cache_mb: int | None = None,
        patience_s: float = 60.0,
        on_notice: Callable[[Notice], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._wanted = Wanted()
        for wish in (OpenDevice(device, in_device, rate, block), PluginsIn(plugins_in), KeepFiles(disk_cache_mb)):
            self._wanted.note(wish)
        self._changed = threading.Condition()
        self._on_notice, self._on_progress = on_notice, on_progress
        self._progress: Progress | None = None
        self._notices: deque[Notice] = deque(maxlen=MOST_NOTICES)
        self._applied: Applied | None = None
        self._status: Status | None = None
        self._display = Display()
        self._serial = self._ticket = self._ponged = self._met = 0
        self._loop: tuple[float, float] | None = None
        self._good: SetPatch | None = None
        self._fresh, self._deadly = True, 0
        self.plugins = Plugins(self, self._send, self._await)
        """Windows, states, values and presets of the patch's plugins."""
        self._failure = ""
        self._link = Link(self, attach=attach, patience_s=patience_s, command=command)
        self._link.start()
        try:
            if patch is not None:
                self.load(patch)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the engine."""
        self._let_go(quit=True)

    def detach(self) -> None:
        """Let the engine play on. Another ``Engine(attach=True)`` finds it as long as its patience lasts."""
        self._let_go(quit=False)

    def _let_go(self, *, quit: bool) -> None:
        self._link.close(quit)
        self._display.close()
        with self._changed:
            self._failure = self._failure or "the engine is closed"
            self._changed.notify_all()

    # -- the patch -----------------------------------------------------------------------------------------------------

    @property
    def patch(self) -> Patch:
        """A copy of the patch as it has been asked for, with the values that were set since, but those refused."""
        with self._changed:
            return self._wanted.document()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the patch as it is now to a file, with the states that plugins came to in their windows. Waits for
        those; says in a notice where they cannot be had. Raises PatchError.
        """
        try:
            self.plugins.keep_states()
        except PluginError as error:
            self.came(Notice("warning", f"{error}; what was known of them is saved"))
        save(self.patch, Path(path))

    def load(self, patch: Patch | str | os.PathLike[str], wait: bool = True) -> tuple[Problem, ...]:
        """Play another patch, or this one as it has become; what stays the same plays on.

        With ``wait``, until it plays; the answer is what is wrong with it all the same. Raises PatchError where it
        cannot be read or cannot be played; the one before then plays on.
        """
        document = patch if isinstance(patch, Patch) else load(Path(patch))
        plain, folder = to_document(document), str((document.folder or Path.cwd()).resolve())
        serial = 0

        def made() -> SetPatch | ChangePatch:
            nonlocal serial
            with self._changed:
                serial = self._serial = self._serial + 1
                return self._wanted.follow(serial, plain, folder)

        self._check()
        self._link.send_made(made)
        if document.transport.loop != self._loop:
            self._loop = document.transport.loop
            self.loop(*(self._loop or (None,)))
        if not wait:
            return ()
        self._await(lambda: self._applied is not None and self._applied.serial >= serial)
        applied = self._applied
        assert applied is not None
        if not applied.playing:
            node, place, message = applied.problems[0] if applied.problems else ("", "", "it cannot be played")
            raise PatchError(message, place=place, node=node)
        return applied.problems

    def set(self, node: str, param: str, value: float) -> None:
        """Let a param of a node (or ``group/inner``) glide to a value, in its display unit. A value that the engine
        refuses is said in ``notices``.
        """
        self._send(SetParams(((node, param, float(value)),)))

    def set_many(self, values: Iterable[tuple[str, str, float]]) -> None:
        """Let many params glide at once: rows of node, param, value."""
        self._send(SetParams(tuple((node, param, float(value)) for node, param, value in values)))

    def automate(self, node: str, param: str, points: Iterable[Sequence[Any]]) -> None:
        """Give a param automation, in place of what it had: ``(seconds, value)`` or ``(seconds, value, curve)``.

        Raises PatchError, and all is as before.
        """
        patch, line = self.patch, Patch().automate(node, param, points)
        before = patch.copy()
        SetAutomation(node, param, line).apply(patch)
        try:
            self.load(patch)
        except PatchError:
            self.load(before, wait=False)
            raise

    def set_points(self, node: str, param: str, points: Iterable[Sequence[Any]]) -> None:
        """Give the automation that a param has other points, as for `automate`; what cannot be is said in ``notices``.
        It costs one small message, and nothing is compiled. Raises PatchError for what are no points.
        """
        self._send(SetPoints(node, param, checked_points(points, f"automation.{node}.{param}")))

    def snapshot(self, name: str) -> None:
        """Let all params that a snapshot holds glide to its values, and plugins take over its states. Raises
        PatchError.
        """
        patch = self.patch
        states = snapshot_states(patch, name)
        if states:
            set_states(patch, states)
            self.load(patch, wait=False)
        self.set_many(snapshot_values(patch, name))

    def morph(self, a: str, b: str, x: float) -> None:
        """Go to a place between two snapshots, 0 to 1. Raises PatchError."""
        from nodes import kinds

        self.set_many(morphed(self.patch, kinds(), a, b, x))

    # -- transport, device, recording ----------------------------------------------------------------------------------

    def play(self) -> None:
        """Let the transport roll."""
        self._send(Play())

    def stop(self) -> None:
        """Let the transport stand."""
        self._send(Stop())

    def locate(self, seconds: float) -> None:
        """Move the transport."""
        self._send(Locate(float(seconds)))

    def loop(self, start_s: float | None, end_s: float | None = None) -> None:
        """Go round between two places; ``loop(None)``: no longer."""
        self._send(SetLoop(start_s, end_s))

    def open_device(self, device: str = "", in_device: str = "", rate: int = 0, block: int = 0) -> None:
        """Play through another device."""
        self._send(OpenDevice(device, in_device, rate, block))

    def keep_files(self, disk_cache_mb: int | None) -> None:
        """Give copies of played files another amount of memory, as ``disk_cache_mb`` says."""
        self._send(KeepFiles(disk_cache_mb))

    def record(self, on: bool = True) -> None:
        """Begin or end the takes of all ``file_recorder`` nodes."""
        self._send(Record(on))

    def save_replay(self, path: str | os.PathLike[str], seconds: float = 60.0) -> None:
        """Write the last seconds of what was heard to a new file; ``notices`` says when it is there."""
        self._send(SaveReplay(str(Path(path).resolve()), float(seconds)))

    # -- what it tells -------------------------------------------------------------------------------------------------

    @property
    def notices(self) -> list[Notice]:
        """What the engine had to say, the newest last."""
        with self._changed:
            return list(self._notices)

    @property
    def status(self) -> EngineStatus:
        """How the engine is."""
        numbers = self._display.numbers()
        rate = numbers.get("rate", 0.0)
        place = numbers.get("place", 0.0) / rate if rate else self._wanted.place_s
        problems = self._applied.problems if self._applied else ()
        going = self._progress
        compiling = (going.done, going.total) if going is not None and going.total else None
        asked = self._wanted.loop
        loop = (asked.start_s, asked.end_s) if asked and asked.start_s is not None and asked.end_s is not None else None
        alive, pid = self._link.connected, self._link.pid
        return EngineStatus(alive, pid, self._wanted.rolling, place, numbers, self._status, problems, loop, compiling)

    def readings(self) -> dict[str, dict[str, Floats]]:
        """What nodes measure, by node and name: arrays with a value for each part, in the reading's own unit."""
        return self._display.readings()

    def costs(self) -> dict[str, tuple[float, float]]:
        """What nodes take of the time there is, by node: on average, and at worst of late; 1 is all of it."""
        return self._display.costs()

    def sync(self) -> None:
        """Wait until the engine has acted upon everything it was told. Raises EngineError."""
        while True:
            with self._changed:
                self._ticket += 1
                ticket, met = self._ticket, self._met
            self._send(Ping(ticket))
            self._await(lambda: self._ponged >= ticket or self._met != met)  # noqa: B023 - it is called here and now
            if self._ponged >= ticket:
                return

    def _await(self, done: Callable[[], bool]) -> None:
        since, progress = monotonic(), self._progress
        with self._changed:
            while not done():
                if self._failure:
                    raise EngineError(self._failure)
                if progress != self._progress:
                    since, progress = monotonic(), self._progress
                limit = COMPILING_S if progress is not None and progress.total else ANSWER_S
                if not self._changed.wait(max(since + limit - monotonic(), 0.0)):
                    raise EngineError("the engine does not answer")

    def _check(self) -> None:
        if self._failure:
            raise EngineError(self._failure)

    def _send(self, message: ToEngine) -> None:
        self._check()
        self._link.send(message, self._note)

    def _note(self, message: ToEngine) -> None:
        with self._changed:
            self._wanted.note(message)

    # -- called from the link's thread ---------------------------------------------------------------------------------

    def greeted(self, reached: Reached) -> list[ToEngine]:
        """Another engine has been reached: take over what it holds, or tell it what is wanted."""
        with self._changed:
            self._display.open(reached.folder)
            self._status = self._progress = None
            self.plugins.forget()
            self._fresh = True
            self._met += 1
            self._changed.notify_all()
            if not reached.held:
                return self._wanted.messages()
            named, self._wanted = self._wanted.device, Wanted()
            for data in reached.held:
                message = decode(data, ToEngine)
                self._wanted.note(message)
                if isinstance(message, SetPatch):
                    self._serial = message.serial
            found: list[ToEngine] = [AskPlugins()]
            if named not in (None, ANY_DEVICE, self._wanted.device):
                self._wanted.note(named)
                found.append(named)
            return found

    def came(self, message: FromEngine) -> None:
        """The engine tells something."""
        again: list[ToEngine] = []
        with self._changed:
            match message:
                case Applied():
                    self._applied = message
                    again = self._played(message)
                case AskPatch(serial):
                    again = self._wanted.content() if serial == self._wanted.serial else []
                case Status():
                    self._status = message
                case Progress():
                    self._progress = message
                case ReadingMap():
                    self._display.lay_out(message)
                case Pong(ticket):
                    self._ponged = max(self._ponged, ticket)
                case Notice():
                    self._notices.append(message)
                case _:
                    self.plugins.came(message)
            self._changed.notify_all()
        for one in again:
            self._link.send(one)
        if isinstance(message, Notice) and self._on_notice:
            self._on_notice(message)
        if isinstance(message, Progress) and self._on_progress:
            self._on_progress(message.done, message.total)

    def _played(self, applied: Applied) -> list[ToEngine]:
        """What to play after all: where a new engine refuses the newest patch, as the dead one did, the last that was
        played.
        """
        fresh, self._fresh = self._fresh, False
        if not applied.playing:
            return [self._good] if fresh and self._good else []
        asked = self._wanted.patch
        if asked is not None and asked.serial == applied.serial:
            self._good = asked
        return []

    def lost(self, reason: str) -> None:
        """The engine has died."""
        numbers = self._display.numbers()
        if numbers.get("rate"):
            self._wanted.place_s = max(numbers["place"], 0.0) / numbers["rate"]
        words = "it is started again, as it was"
        opening = self._applied is not None and self._applied.playing and not (self._status and self._status.device)
        self._deadly = self._deadly + 1 if opening else 0
        asked = self._wanted.device
        if self._deadly >= DEADLY and asked is not None:
            self._note(OpenDevice("null", "", asked.rate, asked.block))
            words = "it dies whenever it opens the device, and is started again with the null device: nothing is heard"
        self._applied = None
        self.came(Notice("warning", f"The engine has died ({reason}); {words}."))

    def given_up(self, reason: str) -> None:
        """No engine can be had any more."""
        self._failure = f"the engine dies again and again: {reason}"
        self.came(Notice("error", f"The engine dies again and again, and is not started any more: {reason}"))
