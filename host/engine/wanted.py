"""What an engine has been asked to be: enough to bring another one to the same state.

The client keeps one, to start a dead engine's successor from; the engine keeps one, for a client that comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graph.delta import apply_delta, delta
from graph.document import Patch
from graph.encoding import pack
from graph.errors import PatchError
from graph.patchfile import loads, packed
from host.messages import (
    ChangePatch,
    KeepFiles,
    Locate,
    OpenDevice,
    Play,
    Record,
    SetLoop,
    SetParams,
    SetPatch,
    SetPoints,
    Stop,
    ToEngine,
)
from host.plugins.messages import PluginsIn
from host.values import take_up

MOST_PARAMS = 100_000
"""More than a patch has; those that were set first are forgotten."""
MOST_LINES = 1_000
"""More automation than is drawn by hand between two patches; what was drawn first is forgotten."""
MOST_CHANGES = 1 << 18
"""Bytes of changes that are kept before they are put into the patch."""
ROWS = 10_000
"""Rows of one message."""


class Wanted:
    """The last message of each sort that still counts."""

    def __init__(self) -> None:
        self.patch: SetPatch | None = None
        self.changes: list[ChangePatch] = []
        """What became of it since."""
        self._document: tuple[int, str, dict[str, Any]] | None = None
        """Serial, folder and document of the patch that was followed last."""
        self.params: dict[tuple[str, str], float] = {}
        """Values of params that were set since the patch was."""
        self.points: dict[tuple[str, str], SetPoints] = {}
        """Automation that got other points since then."""
        self.loop: SetLoop | None = None
        self.device: OpenDevice | None = None
        self.plugins_in: PluginsIn | None = None
        self.keep_files: KeepFiles | None = None
        self.place_s = 0.0
        self.rolling = False
        self.recording = False

    def note(self, message: ToEngine) -> None:
        """Take a message into account."""
        match message:
            case SetPatch():
                self.patch = message
                self.changes.clear()
                self.params.clear()
                self.points.clear()
            case ChangePatch(_, base):
                if base == self.serial:  # else the whole is asked for, and comes
                    self.params.clear()
                    self.points.clear()
                    self.changes.append(message)
                    if sum(len(change.delta) for change in self.changes) > MOST_CHANGES:
                        self._merge()
            case SetParams(values):
                self.params.update({(node, param): value for node, param, value in values})
                while len(self.params) > MOST_PARAMS:
                    del self.params[next(iter(self.params))]
            case SetPoints(node, param, _):
                self.points[node, param] = message
                while len(self.points) > MOST_LINES:
                    del self.points[next(iter(self.points))]
            case SetLoop():
                self.loop = message
            case OpenDevice():
                self.device = message
            case Locate(seconds):
                self.place_s = seconds
            case Play():
                self.rolling = True
            case Stop():
                self.rolling = False
            case Record(on):
                self.recording = on
            case PluginsIn():
                self.plugins_in = message
            case KeepFiles():
                self.keep_files = message
            case _:
                return

    @property
    def serial(self) -> int:
        """That of the patch as it is now; 0 where there is none."""
        last = self.changes[-1] if self.changes else self.patch
        return 0 if last is None else last.serial

    def follow(self, serial: int, document: dict[str, Any], folder: str) -> SetPatch | ChangePatch:
        """Take another patch into account; what to tell an engine that was told all before: the patch, or, where that
        is less, what makes it of the one before. Raises PatchError where it cannot be sent.
        """
        whole = SetPatch(serial, pack(document), folder)
        base, before = self.serial, self._document
        touched = {node.partition("/")[0] for node, _ in (*self.params, *self.points)}
        self.note(whole)
        self._document = serial, folder, document
        if before is None or before[:2] != (base, folder):
            return whole
        change = delta(before[2], document, touched)
        return ChangePatch(serial, base, change) if len(change) < len(whole.patch) else whole

    def _merge(self) -> None:
        """Put the changes into the patch."""
        if self.patch is not None and self.changes:
            found = self._changed(self.patch)
            self.patch = SetPatch(self.serial, packed(found), self.patch.folder)
            self.changes.clear()

    def _changed(self, patch: SetPatch) -> Patch:
        found = loads(patch.patch)
        for at, change in enumerate(self.changes):
            try:
                apply_delta(found, change.delta)
            except PatchError:  # the engine asks for the whole; what it held before is as good as anything
                del self.changes[at:]
                return self._changed(patch)
        return found

    def document(self) -> Patch:
        """The patch with the values and points that it got since, but those that an engine refuses; an empty one where
        there is none.
        """
        if self.patch is None:
            return Patch()
        found = self._changed(self.patch)
        found.folder = Path(self.patch.folder)
        if self.params or self.points:
            from nodes import kinds

            rows = [(node, param, value) for (node, param), value in self.params.items()]
            take_up(found, rows, [(line.node, line.param, line.points) for line in self.points.values()], kinds())
        return found

    def content(self) -> list[ToEngine]:
        """The patch, and what was set since."""
        self._merge()
        return [*([self.patch] if self.patch else []), *self.points.values(), *in_rows(self.params)]

    def messages(self) -> list[ToEngine]:
        """What to tell an engine that has just started. The patch comes after what it starts with, so that its first
        frame is already played as it should be.
        """
        first = (self.device, self.plugins_in, self.keep_files, self.loop)
        found: list[ToEngine] = [m for m in first if m is not None]
        if self.place_s:
            found.append(Locate(self.place_s))
        found.append(Play() if self.rolling else Stop())
        found += self.content()
        if self.recording:
            found.append(Record(True))
        return found


def in_rows(params: Mapping[tuple[str, str], float]) -> list[SetParams]:
    """Values of params as messages of no great size."""
    rows = [(node, param, value) for (node, param), value in params.items()]
    return [SetParams(tuple(rows[k : k + ROWS])) for k in range(0, len(rows), ROWS)]
