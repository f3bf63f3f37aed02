"""Whose doing it is that a plugin's state has become another: that of somebody at its window, or of the patch.

Plugins need not say that their state changed: a sample that is picked, a preset of their own. So states are looked at
from time to time, and told apart by what params do: those that the patch turned, automates or modulates explain a
state that differs in nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from host.plugins.states import digest

SAME = 1e-6
"""Values of params, 0…1, that differ by no more are the same."""


@dataclass(eq=False)
class Doing:
    """Of one plugin, from look to look."""

    window: bool = False
    """Whether its own window is open."""
    opened: bool = False
    """Whether it ever was: then its state is looked at before the patch is kept somewhere."""
    turned: set[str] = field(default_factory=set[str])
    """Params that the patch gave other values since the last look."""
    _since: bool = False
    """Whether the window was open at any time since the last look."""
    _seen: bytes = b""
    """Digest of the state at the last look; nothing where that is not known."""
    _had: Mapping[str, float] = field(default_factory=dict[str, float])
    """Values at the last look."""

    def shows(self, open: bool) -> None:
        """Its window was opened, or closed."""
        self.window = open
        if open:
            self.opened = self._since = True

    def begins(self, values: Mapping[str, float]) -> None:
        """It was loaded, or given a state, and has these values: what was seen of it before says nothing."""
        self._seen, self._had = b"", dict(values)

    def look(self, state: bytes, values: Mapping[str, float], moved: Collection[str]) -> tuple[bool, dict[str, float]]:
        """It is in this state and has these values; the patch may have ``moved`` some params meanwhile. Whether that is
        the doing of somebody at its window, and what became of the params that the patch did not move.
        """
        seen, self._seen = self._seen, digest(state)
        had, self._had = self._had, dict(values)
        by_window, self._since = self._since, self.window
        differ = {name: value for name, value in values.items() if abs(value - had.get(name, value)) > SAME}
        own = {name: value for name, value in differ.items() if name not in moved}
        changed = seen not in (b"", self._seen)
        return by_window and changed and (bool(own) or not differ), own
