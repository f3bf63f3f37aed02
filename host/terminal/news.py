"""What there is to tell a person, from any thread, once where it comes again and again."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic

from host.commands import printable
from host.messages import Notice

QUIET_S = 5.0
"""What was said is not said again for so long; a controller may ask for what cannot be a hundred times a second."""
MOST = 256
"""Sentences that are remembered."""


class News:
    """Notices that wait to be told."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._said: dict[str, float] = {}

    def put(self, notice: Notice) -> None:
        """Have something told. May be called from any thread."""
        self._waiting.put(printable(notice.text))

    def fresh(self) -> list[str]:
        """What came since the last call and was not said just now. For one thread."""
        now, found = self._clock(), list[str]()
        self._said = {text: at for text, at in self._said.items() if now - at < QUIET_S}
        while True:
            try:
                text = self._waiting.get_nowait()
            except Empty:
                return found
            if text not in self._said:
                found.append(text)
                if len(self._said) < MOST:
                    self._said[text] = now
