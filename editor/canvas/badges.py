"""Small words over nodes whose plugin does not play now: it is being loaded, it was lost, it is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.nodes import WORDS_FROM
from editor.canvas.painter import Painter
from editor.draw import Pen
from editor.theme import mix

LEVELS: Mapping[str, str] = {"warn": "warning", "bad": "error"}


@dataclass(frozen=True, slots=True)
class Badge:
    """What stands over a node."""

    level: Literal["good", "warn", "bad", "dim"]
    words: str


class Badges:
    """Keeps what is drawn in step with what is wanted. A node that was drawn anew gets its badge anew."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._drawn: dict[str, tuple[Badge, object, list[int]]] = {}

    def show(self, wanted: Mapping[str, Badge]) -> None:
        """Let these nodes have these badges, and no others any."""
        pictures = self._painter.pictures
        for id, (badge, picture, items) in list(self._drawn.items()):
            if wanted.get(id) != badge or pictures.get(id) is not picture:
                for item in items:
                    if dpg.does_item_exist(item):
                        dpg.delete_item(item)
                del self._drawn[id]
        for id, badge in wanted.items():
            picture = pictures.get(id)
            if picture is not None and id not in self._drawn:
                self._drawn[id] = badge, picture, self._draw(id, badge)

    def words_of(self, node: str) -> str:
        """What stands over a node."""
        found = self._drawn.get(node)
        return found[0].words if found else ""

    def _draw(self, id: str, badge: Badge) -> list[int]:
        look, f = self._painter.look, self._painter.view.factor
        theme = look.theme
        colours = {"good": theme.good, "warn": theme.warn, "bad": theme.bad, "dim": theme.dim}
        colour, size = colours[badge.level], 11.5 * f
        pen, icon = Pen(f"canvas:node:{id}", look), LEVELS.get(badge.level, "plug")
        high, left = 19 * f, 8 * f
        words = badge.words if f >= WORDS_FROM else ""
        wide = high + (fonts.width(words, "small", size) + 8 * f if words else 0)
        top = -high * 0.72
        fill = mix(theme.body, colour, 0.22)
        items = [pen.box((left, top), (left + wide, top + high), fill=fill, line=colour, radius=high / 2)]
        items.append(pen.icon((left + high / 2, top + high / 2), icon, colour, 10.5 * f))
        if words:
            items.append(pen.words((left + high - 2 * f, top + 3 * f), words, theme.text, "small", size))
        return items
