"""What a panel is: a part of the window that shows something of the session, and lets one change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from editor.commands import Command
from editor.link import Readings
from editor.model import Changes

if TYPE_CHECKING:
    from editor.app import App


class Panel:
    """The base of every panel. One object is made for the life of the window; see ``editor.panels`` for the table."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.session = app.session

    def build(self, parent: int | str) -> None:
        """Make the widgets, inside ``parent``; called again, with an empty parent, when the look changes."""
        raise NotImplementedError

    def sync(self, changes: Changes) -> None:
        """The session has changed; called after the frame in which it did, and once after ``build``."""

    def frame(self, now: float, readings: Readings) -> None:
        """Some 30 times a second while the panel is seen: ``now`` in seconds, readings by the engine's addresses."""

    def close(self) -> None:
        """The window is closing."""

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Where something of this panel's own drawing is on the window (x, y, width, height), for tests."""
        return None

    def landmarks(self) -> list[str]:
        """What ``locate`` knows and there is now, for tests that go anywhere."""
        return []

    commands: ClassVar[tuple[Command, ...]] = ()
    """Commands that come with the panel: they appear in menus, in the command search and among the shortcuts."""
