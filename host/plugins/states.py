"""What is known of the states of a plugin that plays: which one the patch has, which ones it came to by itself.

A state is known by its digest. The patch may come to have a state because it was told that the plugin had come to it;
then the plugin has it already, or has gone on since. Any other state that the patch comes to have must be given to it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field

OPEN = b"?"
"""Digest of no state: what the patch has next is to be given in any case."""
MOST_VALUES = 64
"""So many states at most have their values remembered."""


def digest(state: bytes | None) -> bytes:
    """What a state is known by; none at all is one too."""
    return b"" if state is None else hashlib.sha256(state).digest()


@dataclass(eq=False)
class Memory:
    """Of one plugin."""

    asked: bytes = b""
    """What the patch had when it was last compiled."""
    current: bytes = b""
    """What it was last told to be in, or given."""
    shown: deque[bytes] = field(default_factory=lambda: deque[bytes](maxlen=16))
    """What was told, and the patch may have next."""
    values: dict[bytes, list[float]] = field(default_factory=dict[bytes, list[float]])
    """Its values when it is fresh in a state."""
    given: int = 0
    """How often the patch came to have another state, which the plugin is given: what it said before is out of date."""
    first: bytes | None = None
    """The state that it has when it is given none."""

    def follow(self, state: bytes | None) -> bool:
        """The patch has this state: whether the plugin must be given it."""
        wanted = digest(state)
        if wanted == self.asked:
            return False
        self.asked = wanted
        if wanted not in self.shown:
            self.shown.clear()
            self.current = wanted
            self.given += 1
            return True
        while self.shown.popleft() != wanted:
            pass
        return False

    def insist(self) -> None:
        """What the patch has next is to be given, also where nothing else was asked for before: it went on from what
        was told, and back. Until then what the plugin has is no news.
        """
        self.asked = OPEN
        self.given += 1
        self.shown.clear()

    def found_first(self, state: bytes) -> None:
        """A plugin that was given no state was found in this one."""
        if self.first is None:
            self.first = state
            self.current = self.current or digest(state)

    def show(self, state: bytes, again: bool = False) -> bool:
        """The plugin came to this state by itself: whether that is news, and now told. ``again``: also where it was
        told before, unless the patch has it.
        """
        found = digest(state)
        if self.asked in (OPEN, found) or (found == self.current and not again):
            return False
        self.current = found
        if found not in self.shown:
            self.shown.append(found)
        return True

    def note_values(self, state: bytes | None, values: list[float]) -> None:
        """Its values just after it was given a state."""
        self.values.pop(digest(state), None)
        self.values[digest(state)] = values
        while len(self.values) > MOST_VALUES:
            del self.values[next(iter(self.values))]
