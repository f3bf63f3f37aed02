"""Small words over nodes whose plugin does not play now: it is being loaded, it was lost, it is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from editor import fonts
from editor.canvas.nodes import WORDS_FROM
from editor.canvas.ornaments import Ornaments
from editor.draw import Pen
from editor.theme import mix

LEVELS: Mapping[str, str] = {"warn": "warning", "bad": "error"}


@dataclass(frozen=True, slots=True)
class Badge:
    """What stands over a node."""

    level: Literal["good", "warn", "bad", "dim"]
    words: str


class Badges(Ornaments[Badge]):
    """A badge over each node that wants one."""

    def _draw(self, id: str, what: Badge) -> list[int]:
        look, f = self._painter.look, self._painter.view.factor
        theme = look.theme
        colours = {"good": theme.good, "warn": theme.warn, "bad": theme.bad, "dim": theme.dim}
        colour, size = colours[what.level], 11.5 * f
        pen, icon = Pen(f"canvas:node:{id}", look), LEVELS.get(what.level, "plug")
        high, left = 19 * f, 8 * f
        words = what.words if f >= WORDS_FROM else ""
        wide = high + (fonts.width(words, "small", size) + 8 * f if words else 0)
        top = -high * 0.72
        fill = mix(theme.body, colour, 0.22)
        items = [pen.box((left, top), (left + wide, top + high), fill=fill, line=colour, radius=high / 2)]
        items.append(pen.icon((left + high / 2, top + high / 2), icon, colour, 10.5 * f))
        if words:
            items.append(pen.words((left + high - 2 * f, top + 3 * f), words, theme.text, "small", size))
        return items
