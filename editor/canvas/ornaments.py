"""What is drawn over nodes from elsewhere: made anew where something else is wanted, or where the node was."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import dearpygui.dearpygui as dpg

from editor.canvas.painter import Painter

What = TypeVar("What")


class Ornaments(ABC, Generic[What]):
    """Keeps what is drawn in step with what is wanted, one thing for each node."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._drawn: dict[str, tuple[What, object, list[int]]] = {}

    @abstractmethod
    def _draw(self, id: str, what: What) -> list[int]:
        """Draw it as part of a node's picture; the items."""

    def show(self, wanted: Mapping[str, What]) -> None:
        """Let these nodes have these things over them, and no others any."""
        pictures = self._painter.pictures
        for id, (what, picture, items) in list(self._drawn.items()):
            if wanted.get(id) != what or pictures.get(id) is not picture:
                for item in items:
                    if dpg.does_item_exist(item):
                        dpg.delete_item(item)
                del self._drawn[id]
        for id, what in wanted.items():
            picture = pictures.get(id)
            if picture is not None and id not in self._drawn:
                self._drawn[id] = what, picture, self._draw(id, what)

    def shown(self, node: str) -> What | None:
        """What stands over a node."""
        found = self._drawn.get(node)
        return found[0] if found else None
