"""Learning: the next control that is truly moved gets the param."""

from __future__ import annotations

from collections.abc import Callable

from graph.spec import Param
from host.remote.mappings import Control, usual
from host.remote.scaling import CONTINUOUS
from host.remote.sources import Event, Source

MOST_SEEN = 4096


class Learner:
    """Waits for a control for one param.

    A param that is turned takes a knob, which must have sent two different values: a first one may be a controller
    that reports its state, and a touched fader sends a note before it moves. A switch or a choice also takes the
    first press.
    """

    def __init__(self, node: str, param: Param) -> None:
        self.node = node
        self.param = param
        self._seen: dict[Source, float] = {}

    def hear(self, event: Event) -> Control | None:
        """The control, once there is one."""
        turned = self.param.curve in CONTINUOUS
        if event.source.kind == "note":
            return usual(event.source, self.node, self.param.name) if event.down and not turned else None
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        before = self._seen.setdefault(event.source, event.position)
        if before == event.position and (turned or not event.down):
            return None
        return usual(event.source, self.node, self.param.name)


Hear = Callable[[Event], Source | None]
"""Finds out, event by event, which control is meant."""


def turned(node: str, param: Param) -> Hear:
    """Finds the control that is meant for a param."""
    learner = Learner(node, param)

    def hear(event: Event) -> Source | None:
        found = learner.hear(event)
        return found.source if found else None

    return hear


def pressed(event: Event) -> Source | None:
    """Finds the control that is meant for the transport: the one that is pressed."""
    return event.source if event.down else None
