"""Turns of knobs in plugins' own windows, as gestures: begun, performed, ended. Not every plugin says all three."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

QUIET_S = 0.4
"""A knob of which the plugin said neither that it was taken in hand nor that it was let go: so long after the last of
its values it is taken to be."""


class Turned(NamedTuple):
    """A row of ``PluginEdits``."""

    node: str
    param: str
    value: float
    gesture: int
    phase: str


@dataclass
class _Gesture:
    number: int
    held: bool
    at: float
    value: float


class Gestures:
    """Those under way."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._going: dict[tuple[str, str], _Gesture] = {}

    def held(self, node: str) -> bool:
        """Whether a knob of a node's plugin is being turned."""
        return any(key[0] == node for key in self._going)

    def heard(self, node: str, param: str, kind: str, value: float, now: float) -> list[Turned]:
        """What a ``touch``, ``edit`` or ``release`` of a plugin amounts to."""
        key = node, param
        found: list[Turned] = []
        gesture = self._going.get(key)
        if kind == "release":
            return self._ended([key]) if gesture is not None else []
        if gesture is None:
            gesture = self._going[key] = _Gesture(next(self._numbers), kind == "touch", now, value)
            found.append(Turned(node, param, value, gesture.number, "begin"))
        gesture.held |= kind == "touch"
        gesture.at = now
        if kind == "edit":
            gesture.value = value
            found.append(Turned(node, param, value, gesture.number, "perform"))
        return found

    def quiet(self, now: float) -> list[Turned]:
        """The ends of those that nobody holds, and that are over."""
        return self._ended([k for k, g in self._going.items() if not g.held and now - g.at > QUIET_S])

    def lost(self, node: str) -> list[Turned]:
        """The ends of all of a node whose window is gone."""
        return self._ended([key for key in self._going if key[0] == node])

    def _ended(self, keys: Iterable[tuple[str, str]]) -> list[Turned]:
        found: list[Turned] = []
        for key in keys:
            gesture = self._going.pop(key)
            found.append(Turned(*key, gesture.value, gesture.number, "end"))
        return found
