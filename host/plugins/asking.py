"""Questions to plugins that play, each answered once, by and by."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any

from host.plugins.errors import PluginError
from host.plugins.link import Link

ANSWER_S = 20.0

Done = Callable[[Any, str], None]
"""What to do with an answer; or with nothing, and words that say why."""


class Questions:
    """To the plugins of one ``Link``. Nothing waits; ``step`` does what is to be done with answers."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: list[tuple[Future[Any], Done, float]] = []

    def ask(self, node: str, what: str, values: tuple[Any, ...], done: Done) -> None:
        """Have a node's plugin answer something; see the worker for what."""
        try:
            self._waiting.append((self._link.request(node, what, *values), done, monotonic()))
        except PluginError as error:
            done(None, str(error))

    def step(self, now: float) -> None:
        """Take the answers that have come, and give up what has waited too long."""
        waiting, self._waiting = self._waiting, []
        for future, done, since in waiting:
            if not future.done() and now - since < ANSWER_S:
                self._waiting.append((future, done, since))
            elif not future.done():
                done(None, f"its plugin did not answer within {ANSWER_S:g} s")
            elif error := future.exception():
                done(None, str(error))
            else:
                done(future.result(), "")
