"""What a client reads off an engine: how it is, numbers of the whole, readings of nodes, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.engine.readings import COST, Floats, View, by_node
from host.messages import ReadingMap, Status

Problem = tuple[str, str, str]
"""Node, place, message."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine is. ``numbers`` are as ``host.engine.readings.NUMBERS`` says; ``device`` is None until known."""

    alive: bool
    pid: int
    rolling: bool
    place_s: float
    numbers: Mapping[str, float]
    device: Status | None
    problems: tuple[Problem, ...]
    """What is wrong with the newest patch."""
    loop: tuple[float, float] | None = None
    """Between which places, in seconds, the transport goes round."""
    compiling: tuple[int, int] | None = None
    """Of the kernels that the newest patch waits for, how many are compiled, and how many there are."""


class Display:
    """Shows the engine that was opened last; nothing before there is one. May be asked from any thread."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._map: ReadingMap | None = None
        self._found: dict[str, dict[str, Floats]] = {}

    def open(self, folder: Path) -> None:
        """Show the engine of this folder, as soon as it has said where readings lie."""
        self._map = None
        self._view = View(folder / "readings")

    def close(self) -> None:
        """Show none."""
        self._view = None

    def lay_out(self, layout: ReadingMap) -> None:
        """Readings lie so from now on."""
        self._map = layout

    def forget(self) -> None:
        """What was found last does not count."""
        self._found = {}

    def numbers(self) -> dict[str, float]:
        """Numbers of the whole engine, by their names in ``host.engine.readings.NUMBERS``."""
        view = self._view
        return view.numbers() if view else {}

    def readings(self) -> dict[str, dict[str, Floats]]:
        """What nodes measure, by node and name: the newest that is whole."""
        measured = {
            node: {name: part for name, part in parts.items() if not name.startswith("@")}
            for node, parts in self._newest().items()
        }
        return {node: parts for node, parts in measured.items() if parts}

    def costs(self) -> dict[str, tuple[float, float]]:
        """What nodes take of the time there is, by node: on average, and at worst of late; 1 is all of it."""
        return {
            node: (float(parts[COST][0]), float(parts[COST][1]))
            for node, parts in self._newest().items()
            if COST in parts
        }

    def _newest(self) -> dict[str, dict[str, Floats]]:
        view, layout = self._view, self._map
        values = view.values(layout.generation) if view and layout else None
        if values is not None and layout is not None:
            self._found = by_node(layout, values)
        return self._found
