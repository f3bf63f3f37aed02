"""The pictures of cables: curves in the colour of their type, with what they carry, and a dashed one for feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from editor.canvas.curves import Curve, Points, along, at_lengths, line_of, point_at
from editor.canvas.scene import Scene
from editor.canvas.view import Box
from editor.draw import Pen
from editor.fonts import width as width_of
from editor.theme import Colour, Look, alpha, mix
from graph.document import CableKey
from graph.layouts import LAYOUTS

DASH, BETWEEN = 9.0, 6.0
"""How long dashes are, and what is between them, before zooming."""
LEAST_DASH = 4.0
"""Pixels."""
MOST_DASHES = 120


@dataclass(slots=True)
class _Picture:
    node: int
    lines: tuple[int, ...]
    """All along the curve; none where it is dashed."""


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
            if before is not None and before[1] == how and self._made[key].lines:  # type: ignore[index]
                line = line_of(curve, self.factor).tolist()
                for item in self._made[key].lines:
                    dpg.configure_item(item, points=line)
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
        line, pen = line_of(curve, f), Pen(node, self.look)
        glow = alpha(mix(colour, theme.text, 0.4), 0.45) if selected else alpha(theme.desk, 0.0 if dimmed else 0.75)
        if selected:
            colour = mix(colour, theme.text, 0.45)
        lines = [pen.cable(line, glow, thick + (6 if selected else 3))]
        if feedback or type == "control":
            for a, b in dashes(line, f):
                pen.line(a, b, colour, thick)
            lines.clear()
        else:
            lines.append(pen.cable(line, colour, thick))
        words = "feedback" if feedback else layout_badge(layout)
        if amount is not None:
            words = f"{amount:+.0%}".replace("-", "−")
        if words and f >= 0.5 and not dimmed:
            self._badge(node, curve, words, colour)
            lines.clear()
        return _Picture(node, tuple(lines))

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


def dashes(line: Points, factor: float) -> list[list[list[float]]]:
    """The ends of the dashes along a line, at a zoom; the last ends where the line does."""
    whole = float(along(line)[-1])
    step = max((DASH + BETWEEN) * factor, LEAST_DASH, whole / MOST_DASHES)
    dash = step * DASH / (DASH + BETWEEN)
    count = max(round((whole - dash) / step), 1)
    starts = np.linspace(0.0, max(whole - dash, 0.0), count + 1)
    ends = at_lengths(line, np.concatenate((starts, starts + dash)))
    return np.stack((ends[: count + 1], ends[count + 1 :]), axis=1).tolist()


def layout_badge(layout: str) -> str:
    """What is written on a cable: layouts that are not the common ones."""
    return layout if layout in LAYOUTS and layout not in ("mono", "stereo") else ""
