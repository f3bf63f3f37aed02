"""Drawing on drawlists: shapes and words in pixels, and the small instruments that several panels show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import dearpygui.dearpygui as dpg
import numpy as np
import numpy.typing as npt

from editor import fonts
from editor.fonts import Role
from editor.theme import Colour, Look, mix

NONE: Colour = (0, 0, 0, 0)
Point = tuple[float, float]
Align = Literal["left", "centre", "right"]
KNOB_FROM, KNOB_TO = math.radians(135), math.radians(405)
"""Where a knob's travel begins and ends, clockwise from three o'clock."""


class Pen:
    """Draws into one drawlist, layer or draw node (``parent``)."""

    __slots__ = ("look", "parent")

    def __init__(self, parent: int | str, look: Look) -> None:
        self.parent, self.look = parent, look

    def box(
        self, a: Point, b: Point, fill: Colour = NONE, line: Colour = NONE, radius: float = 0, width: float = 1
    ) -> int:
        """A rectangle from corner to corner."""
        edge = line if line[3] else NONE
        return int(
            dpg.draw_rectangle(a, b, fill=fill, color=edge, rounding=radius, thickness=width, parent=self.parent)
        )

    def line(self, a: Point, b: Point, colour: Colour, width: float = 1) -> int:
        """A straight line."""
        return int(dpg.draw_line(a, b, color=colour, thickness=width, parent=self.parent))

    def lines(self, points: Sequence[Point], colour: Colour, width: float = 1, closed: bool = False) -> int:
        """A line through points."""
        return int(
            dpg.draw_polyline(
                [list(p) for p in points], color=colour, thickness=width, closed=closed, parent=self.parent
            )
        )

    def cable(self, line: npt.NDArray[np.float64], colour: Colour, width: float) -> int:
        """A line through the rows of an array."""
        return int(dpg.draw_polyline(line.tolist(), color=colour, thickness=width, parent=self.parent))

    def area(self, points: Sequence[Point], fill: Colour) -> int:
        """A convex area."""
        return int(dpg.draw_polygon([list(p) for p in points], fill=fill, color=NONE, parent=self.parent))

    def dot(self, centre: Point, radius: float, fill: Colour, line: Colour = NONE, width: float = 1) -> int:
        """A disc."""
        return int(
            dpg.draw_circle(
                centre, radius, fill=fill, color=line if line[3] else NONE, thickness=width, parent=self.parent
            )
        )

    def words(
        self, at: Point, text: str, colour: Colour, role: Role = "body", size: float = 0, align: Align = "left"
    ) -> int:
        """A line of text, its top at ``at``; ``size`` in pixels, the role's own if 0."""
        size = size or fonts.ROLES[role][1] * self.look.scale
        x = at[0] - (fonts.width(text, role, size) * {"left": 0.0, "centre": 0.5, "right": 1.0}[align])
        item = int(dpg.draw_text((x, at[1]), text, color=colour, size=size, parent=self.parent))
        dpg.bind_item_font(item, fonts.font(role))
        return item

    def icon(self, centre: Point, name: str, colour: Colour, size: float = 0) -> int:
        """An icon round a point."""
        size = size or 15 * self.look.scale
        return self.words((centre[0], centre[1] - size * 0.56), fonts.ICONS[name], colour, "icon", size, "centre")

    def clear(self) -> None:
        """Take away all that was drawn into it."""
        dpg.delete_item(self.parent, children_only=True)


def fitted(text: str, room: float, role: Role, size: float) -> str:
    """The text, or as much of its start as there is room for, with dots."""
    if fonts.width(text, role, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fonts.width(text[:middle].rstrip() + "…", role, size) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


def arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Points along an arc, angles in radians, clockwise from three o'clock."""
    steps = max(int(abs(end - start) * max(radius, 6) / 4), 2)
    angles = [start + (end - start) * k / steps for k in range(steps + 1)]
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


class KnobFace:
    """The picture of a knob: a ring that shows the value, and a pointer. ``turn`` moves it; nothing is made anew."""

    def __init__(self, pen: Pen, centre: Point, radius: float, colour: Colour, middle: float = 0.0) -> None:
        """``middle``: the place, 0 to 1, from which the ring is filled (the range's zero for a gain)."""
        self.centre, self.radius, self.middle = centre, radius, middle
        theme = pen.look.theme
        width = max(radius * 0.19, 1.5)
        self._ring = radius - width / 2
        pen.lines(arc(centre, self._ring, KNOB_FROM, KNOB_TO), mix(theme.raised, theme.text, 0.12), width)
        self._fill = pen.lines([centre, centre], colour, width)
        pen.dot(centre, radius * 0.68, mix(theme.raised, theme.text, 0.07), theme.line)
        self._hand = pen.line(centre, centre, theme.text, max(radius * 0.11, 1.3))
        self._place = -1.0

    def turn(self, place: float, colour: Colour | None = None) -> None:
        """Show a place of the travel, 0 to 1."""
        if place == self._place and colour is None:
            return
        self._place = place
        angle = KNOB_FROM + (KNOB_TO - KNOB_FROM) * place
        start = KNOB_FROM + (KNOB_TO - KNOB_FROM) * self.middle
        if abs(angle - start) < 0.02:
            start = angle - 0.02
        more: dict[str, Any] = {} if colour is None else {"color": colour}
        dpg.configure_item(self._fill, points=[list(p) for p in arc(self.centre, self._ring, start, angle)], **more)
        (x, y), r = self.centre, self.radius
        dx, dy = math.cos(angle), math.sin(angle)
        dpg.configure_item(
            self._hand, p1=(x + dx * r * 0.26, y + dy * r * 0.26), p2=(x + dx * r * 0.6, y + dy * r * 0.6)
        )
