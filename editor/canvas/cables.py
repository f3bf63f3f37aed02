"""The pictures of cables: curves in the colour of their type, with what they carry, and a dashed one for feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import dearpygui.dearpygui as dpg

from editor.canvas.curves import Curve, point_at
from editor.canvas.scene import Scene
from editor.canvas.view import Box, Point
from editor.draw import Pen
from editor.fonts import width as width_of
from editor.theme import Colour, Look, alpha, mix
from graph.document import CableKey
from graph.layouts import LAYOUTS

DASHES = 22


@dataclass(slots=True)
class _Picture:
    node: int
    under: int
    line: int
    dashes: list[int] = field(default_factory=list[int])


class CablePictures:
    """All cables of a level, each a draw node, brought up to date from the scene."""

    def __init__(self, parent: int | str, look: Look, factor: float) -> None:
        self.parent, self.look, self.factor = parent, look, factor
        self._made: dict[CableKey, _Picture] = {}
        self._state: dict[CableKey, object] = {}

    def sync(
        self,
        scene: Scene,
        seen: Box,
        selected: frozenset[CableKey],
        dimmed: frozenset[CableKey],
        layouts: Mapping[str, str],
    ) -> None:
        """Draw what is new in the part of the plane that is seen, move what has moved, take away what is gone from
        there. ``layouts``: what a cable carries, by ``node.port`` of its source.
        """
        visible = scene.bounds.meeting(seen)
        for key in self._made.keys() - set(visible):
            dpg.delete_item(self._made.pop(key).node)
            self._state.pop(key, None)
        for key in visible:
            curve, cable = scene.curves[key], scene.cables[key]
            layout = layouts.get(f"{key[0]}.{key[1]}", "")
            how = (scene.types[key], cable.feedback, cable.amount, key in selected, key in dimmed, layout)
            state = (curve, how)
            before = self._state.get(key)
            if before == state:
                continue
            if before is not None and before[1] == how and not layout_badge(layout) and not cable.feedback:  # type: ignore[index]
                self._bend(self._made[key], curve)
            else:
                if key in self._made:
                    dpg.delete_item(self._made.pop(key).node)
                self._made[key] = self._draw(curve, *how)
            self._state[key] = state

    def clear(self) -> None:
        """Take all away."""
        for picture in self._made.values():
            dpg.delete_item(picture.node)
        self._made.clear()
        self._state.clear()

    def _scaled(self, curve: Curve) -> list[Point]:
        return [(x * self.factor, y * self.factor) for x, y in curve]

    def _draw(
        self, curve: Curve, type: str, feedback: bool, amount: float | None, selected: bool, dimmed: bool, layout: str
    ) -> _Picture:
        theme, f = self.look.theme, self.factor
        node = int(dpg.add_draw_node(parent=self.parent))
        colour: Colour = theme.pin(type)
        if dimmed:
            colour = alpha(colour, 0.18)
        channels = len(LAYOUTS.get(layout, "LR"))
        thick = (1.6 if type != "audio" or channels == 1 else 2.4 if channels == 2 else 3.6) * max(f, 0.45) ** 0.7
        a, b, c, d = self._scaled(curve)
        segments = segments_of(a, d)
        glow = alpha(mix(colour, theme.text, 0.4), 0.45) if selected else alpha(theme.desk, 0.0 if dimmed else 0.75)
        under = int(
            dpg.draw_bezier_cubic(
                a, b, c, d, color=glow, thickness=thick + (6 if selected else 3), segments=segments, parent=node
            )
        )
        if selected:
            colour = mix(colour, theme.text, 0.45)
        picture = _Picture(node, under, 0)
        if feedback or type == "control":
            for start, end in dashes(curve):
                p, q = ((x * f, y * f) for x, y in (start, end))
                picture.dashes.append(int(dpg.draw_line(p, q, color=colour, thickness=thick, parent=node)))
        else:
            picture.line = int(
                dpg.draw_bezier_cubic(a, b, c, d, color=colour, thickness=thick, segments=segments, parent=node)
            )
        words = "feedback" if feedback else layout_badge(layout)
        if amount is not None:
            words = f"{amount:+.0%}".replace("-", "−")
        if words and f >= 0.5 and not dimmed:
            self._badge(node, curve, words, colour)
        return picture

    def _badge(self, node: int, curve: Curve, words: str, colour: Colour) -> None:
        theme, f = self.look.theme, self.factor
        pen = Pen(node, self.look)
        x, y = (v * f for v in point_at(curve, 0.5))
        size = 10.5 * f
        half = width_of(words, "small", size) / 2 + 6 * f
        pen.box(
            (x - half, y - 8 * f),
            (x + half, y + 8 * f),
            fill=mix(theme.desk, colour, 0.16),
            line=alpha(colour, 0.6),
            radius=8 * f,
        )
        pen.words((x, y - 6.6 * f), words, colour, "small", size, "centre")

    def _bend(self, picture: _Picture, curve: Curve) -> None:
        a, b, c, d = self._scaled(curve)
        for item in (picture.under, picture.line):
            if item:
                dpg.configure_item(item, p1=a, p2=b, p3=c, p4=d, segments=segments_of(a, d))
        for item, (start, end) in zip(picture.dashes, dashes(curve), strict=False):
            p, q = ((x * self.factor, y * self.factor) for x, y in (start, end))
            dpg.configure_item(item, p1=p, p2=q)


def segments_of(a: Point, b: Point) -> int:
    """Of how many straight pieces a curve between two pixels is drawn."""
    return int(min(max((abs(b[0] - a[0]) + abs(b[1] - a[1])) / 10, 8), 28))


def dashes(curve: Curve) -> Iterator[tuple[Point, Point]]:
    """The ends of the dashes along a curve."""
    for k in range(DASHES):
        yield point_at(curve, k / DASHES), point_at(curve, (k + 0.58) / DASHES)


def layout_badge(layout: str) -> str:
    """What is written on a cable: layouts that are not the common ones."""
    return layout if layout in LAYOUTS and layout not in ("mono", "stereo") else ""
