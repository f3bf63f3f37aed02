"""Small marks at the knobs of the canvas that a control moves."""

from __future__ import annotations

from collections.abc import Mapping

import dearpygui.dearpygui as dpg

from editor.canvas.painter import Painter
from editor.canvas.shape import RADIUS
from editor.draw import Pen
from editor.theme import mix

LETTER = "C"


class ControlMarks:
    """Keeps what is drawn in step with what is wanted. A node that was drawn anew gets its marks anew."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._drawn: dict[str, tuple[frozenset[str], object, list[int]]] = {}

    def show(self, wanted: Mapping[str, Mapping[str, str]]) -> None:
        """Let these knobs, by node and param, have marks, and no others any."""
        pictures = self._painter.pictures
        for id, (params, picture, items) in list(self._drawn.items()):
            if frozenset(wanted.get(id, ())) != params or pictures.get(id) is not picture:
                for item in items:
                    if dpg.does_item_exist(item):
                        dpg.delete_item(item)
                del self._drawn[id]
        for id, params in wanted.items():
            picture = pictures.get(id)
            if picture is not None and id not in self._drawn:
                names = frozenset(params)
                self._drawn[id] = names, picture, self._draw(id, names)

    def drawn(self, node: str) -> frozenset[str]:
        """The params of a node that have a mark."""
        found = self._drawn.get(node)
        return found[0] if found else frozenset()

    def _draw(self, id: str, params: frozenset[str]) -> list[int]:
        look, f = self._painter.look, self._painter.view.factor
        theme, shape = look.theme, self._painter.pictures[id].shape
        pen, items = Pen(f"canvas:node:{id}", look), list[int]()
        for knob in shape.knobs:
            if knob.param.name in params:
                x, y = (knob.at[0] + RADIUS * 0.95) * f, (knob.at[1] - RADIUS * 0.95) * f
                items.append(pen.dot((x, y), 5.5 * f, mix(theme.body, theme.accent, 0.3), theme.accent, 1))
                if f >= 0.55:
                    size = 8.5 * f
                    items.append(pen.words((x, y - size * 0.62), LETTER, theme.text, "small", size, "centre"))
        return items
