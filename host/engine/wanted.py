"""What an engine has been asked to be: enough to bring another one to the same state.

The client keeps one, to start a dead engine's successor from; the engine keeps one, for a client that comes later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from graph.document import Patch
from graph.patchfile import loads
from host.messages import (
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
ROWS = 10_000
"""Rows of one message."""


class Wanted:
    """The last message of each sort that still counts."""

    def __init__(self) -> None:
        self.patch: SetPatch | None = None
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
                self.params.clear()
                self.points.clear()
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

    def document(self) -> Patch:
        """The patch with the values and points that it got since, but those that an engine refuses; an empty one where
        there is none.
        """
        if self.patch is None:
            return Patch()
        found = loads(self.patch.patch)
        found.folder = Path(self.patch.folder)
        if self.params or self.points:
            from nodes import kinds

            rows = [(node, param, value) for (node, param), value in self.params.items()]
            take_up(found, rows, [(line.node, line.param, line.points) for line in self.points.values()], kinds())
        return found

    def messages(self) -> list[ToEngine]:
        """What to tell an engine that has just started. The patch comes after what it starts with, so that its first
        frame is already played as it should be.
        """
        first = (self.device, self.plugins_in, self.keep_files, self.loop)
        found: list[ToEngine] = [m for m in first if m is not None]
        if self.place_s:
            found.append(Locate(self.place_s))
        found.append(Play() if self.rolling else Stop())
        if self.patch is not None:
            found.append(self.patch)
        found += self.points.values()
        found += in_rows(self.params)
        if self.recording:
            found.append(Record(True))
        return found


def in_rows(params: Mapping[tuple[str, str], float]) -> list[SetParams]:
    """Values of params as messages of no great size."""
    rows = [(node, param, value) for (node, param), value in params.items()]
    return [SetParams(tuple(rows[k : k + ROWS])) for k in range(0, len(rows), ROWS)]
