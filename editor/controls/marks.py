"""Small marks at the knobs of the canvas that a control moves."""

from __future__ import annotations

from editor.canvas.ornaments import Ornaments
from editor.canvas.shape import RADIUS
from editor.draw import Pen
from editor.theme import mix

LETTER = "C"


class ControlMarks(Ornaments[frozenset[str]]):
    """Marks at the knobs of each node, by the names of their params."""

    def _draw(self, id: str, what: frozenset[str]) -> list[int]:
        look, f = self._painter.look, self._painter.view.factor
        theme, shape = look.theme, self._painter.pictures[id].shape
        pen, items = Pen(f"canvas:node:{id}", look), list[int]()
        for knob in shape.knobs:
            if knob.param.name in what:
                x, y = (knob.at[0] + RADIUS * 0.95) * f, (knob.at[1] - RADIUS * 0.95) * f
                items.append(pen.dot((x, y), 5.5 * f, mix(theme.body, theme.accent, 0.3), theme.accent, 1))
                if f >= 0.55:
                    size = 8.5 * f
                    items.append(pen.words((x, y - size * 0.62), LETTER, theme.text, "small", size, "centre"))
        return items
