"""One lane: a param's points over time, drawn, and edited with the mouse."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.automation.points import (
    Points,
    added,
    clock,
    drawn,
    grid,
    moved,
    place_value,
    removed,
    trace,
    turned,
    value_at,
)
from editor.draw import Pen
from editor.faces import to_unit
from editor.pointer import LEFT, MIDDLE, RIGHT, Grip, Touch
from editor.theme import alpha, mix
from editor.turning import fresh_gesture
from graph.check import LATEST_S
from graph.spec import Param

if TYPE_CHECKING:
    from editor.automation.panel import Automation

HINT = (
    "Double click adds a point, drag moves it (with Shift: only its value), right click on it deletes it. Right click "
    "on a segment changes its curve. With Ctrl, drag draws. The wheel zooms, the middle button moves along."
)
RULER, MARGIN = 22, 10
REACH_PX = 8.0
SHORTEST_S, ZOOM = 0.05, 1.25
FINEST = 0.012
"""How exactly a drawn stroke is kept, in shares of the range."""
MOST_FILLED = 400


class Lane(Grip):
    """The drawing of the lane, and the mouse on it. ``start`` and ``span`` are in seconds."""

    def __init__(self, panel: Automation, parent: str, start: float, span: float) -> None:
        self.panel, self.app = panel, panel.app
        self.start, self.span = start, span
        dpg.add_drawlist(10, 10, tag="automation:lane", parent=parent)
        self.pen = Pen(dpg.add_draw_node(parent="automation:lane"), self.app.look)
        self._head = Pen(dpg.add_draw_node(parent="automation:lane"), self.app.look)
        self._size = (10.0, 10.0)
        self._held: int | None = None
        self._doing = ""
        self._gesture: object = None
        self._last = (0.0, 0.0)
        self._stroke: list[tuple[float, float]] = []
        self._before: Points = ()
        self._over: int | None = None
        self._place: object = None
        self.app.pointer.claim("automation:lane", self)

    # -- where things are ----------------------------------------------------------------------------------------------

    @property
    def points(self) -> Points:
        """The points as they are kept."""
        line = self.panel.line()
        return line.points if line else ()

    def x(self, time: float) -> float:
        """Where a time is, in pixels."""
        return (time - self.start) / self.span * self._size[0]

    def time(self, x: float) -> float:
        """The time at a pixel."""
        return self.start + x / self._size[0] * self.span

    def _ends(self) -> tuple[float, float]:
        """The highest and the lowest place of the range, in pixels."""
        px = self.app.look.px
        return px(RULER + MARGIN), self._size[1] - px(MARGIN)

    def y(self, place: float) -> float:
        """Where a place of the range is, in pixels."""
        top, bottom = self._ends()
        return bottom - (bottom - top) * place

    def value(self, param: Param, y: float) -> float:
        """The value at a pixel."""
        top, bottom = self._ends()
        return place_value(param, (bottom - y) / (bottom - top))

    def fit(self, points: Points) -> None:
        """Show all of these, from the start on."""
        self.start, self.span = 0.0, max(points[-1][0] * 1.1 if points else 0.0, 10.0)

    def reach(self, points: Points) -> None:
        """Show all of these, if none of them is seen."""
        if points and not any(self.start <= point[0] <= self.start + self.span for point in points):
            self.fit(points)

    def point_at(self, touch: Touch) -> int | None:
        """The point below the mouse."""
        param = self.panel.param()
        if param is None:
            return None
        x, y = touch.at
        reach = REACH_PX * self.app.look.scale
        near = [
            (abs(self.x(time) - x) + abs(self.y(to_unit(param, value)) - y), k)
            for k, (time, value, _) in enumerate(self.points)
            if abs(self.x(time) - x) <= reach and abs(self.y(to_unit(param, value)) - y) <= reach
        ]
        return min(near)[1] if near else None

    # -- drawing -------------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw it as it is now."""
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        pen.clear()
        width, height = self._size
        pen.box((0, 0), (width, height), theme.well, radius=px(6))
        step, times = grid(self.start, self.start + self.span, width, px(72))
        for time in times:
            x = self.x(time)
            pen.line((x, px(RULER)), (x, height), alpha(theme.text, 0.06))
            pen.words((x + px(4), px(4)), clock(time, step), theme.faint, "small", px(11))
        pen.line((0, px(RULER)), (width, px(RULER)), theme.line)
        param = self.panel.param()
        if param is None:
            gone = "There is no such param now."
            words = gone if self.panel.target else "Choose a param on the left to draw how it moves."
            pen.words((width / 2, height / 2 - px(4)), words, theme.faint, "body", px(15), "centre")
            return
        for place in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = self.y(place)
            pen.line((0, y), (width, y), alpha(theme.text, 0.08 if place in (0, 1) else 0.04))
        self._draw_line(param)
        for place in (0.0, 0.5, 1.0):
            words = self.panel.words(param, place_value(param, place))
            at = (width - px(6), self.y(place) - px(13 if place < 1 else -1))
            pen.words(at, words, theme.faint, "small", px(11), "right")

    def _draw_line(self, param: Param) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        points, line = self.points, self.panel.line()
        face = self.panel.face(self.panel.target[0]) if self.panel.target else None
        if not points:
            stands = face.values.get(param.name, param.default) if face else param.default
            y = self.y(to_unit(param, stands))
            for k in range(0, int(self._size[0]), 12):
                pen.line((k, y), (k + 6, y), theme.faint)
            words = f"{self.panel.words(param, stands)}, not automated: double click to add a point, or draw with Ctrl"
            pen.words((px(10), y - px(18)), words, theme.faint, "small", px(12))
            return
        colour = theme.accent if line and line.enabled else theme.dim
        found = trace(points, param, self.start, self.start + self.span, max(int(self._size[0] / 3), 8))
        path = [(self.x(time), self.y(place)) for time, place in dict.fromkeys(found)]
        foot = self.y(0.0)
        if len(path) <= MOST_FILLED:
            for a, b in pairwise(path):
                if b[0] > a[0]:
                    pen.area([a, b, (b[0], foot), (a[0], foot)], alpha(colour, 0.1))
        pen.lines(path, colour, px(2))
        for k, (time, value, _) in enumerate(points):
            if self.start <= time <= self.start + self.span:
                at = (self.x(time), self.y(to_unit(param, value)))
                held = k == self._held or (k == self._over and self._held is None)
                pen.dot(at, px(6 if held else 4), theme.text if held else colour, theme.well, px(2))
                if held:
                    self._tell(at, f"{self.panel.words(param, value)}  at  {clock(time, 0.01)}")

    def _tell(self, at: tuple[float, float], words: str) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        room = px(150)
        x = at[0] + px(10) if at[0] < self._size[0] - room else at[0] - room
        y = at[1] - px(26) if at[1] > px(RULER + 30) else at[1] + px(8)
        self.pen.box((x, y), (x + room - px(12), y + px(20)), mix(theme.raised, theme.lifted, 0.5), theme.line, px(4))
        self.pen.words((x + px(7), y + px(3)), words, theme.text, "small", px(12))

    def frame(self, place_s: float) -> None:
        """Show where the transport is; take the room there is."""
        width, height = (float(side) for side in dpg.get_item_rect_size("automation:right"))
        size = (max(width - 2, 60.0), max(height - 2, 60.0))
        if size != self._size and width > 0:
            self._size = size
            dpg.configure_item("automation:lane", width=round(size[0]), height=round(size[1]))
            self._place = None
            self.draw()
        param, points = self.panel.param(), self.points
        key = (place_s, self.start, self.span, points, size)
        if key != self._place:
            self._place = key
            self._head.clear()
            x, theme, px = self.x(place_s), self.app.look.theme, self.app.look.px
            if 0 <= x <= size[0]:
                self._head.line((x, 0), (x, size[1]), alpha(theme.text, 0.75), px(1))
                self._head.area([(x - px(5), 0), (x + px(5), 0), (x, px(8))], theme.text)
                if param is not None and points:
                    y = self.y(to_unit(param, value_at(points, place_s)))
                    self._head.dot((x, y), px(3.5), theme.text)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """``point:K``."""
        param = self.panel.param()
        kind, _, number = what.partition(":")
        if kind != "point" or param is None or not number.isdigit() or int(number) >= len(self.points):
            return None
        time, value, _ = self.points[int(number)]
        left, top = dpg.get_item_rect_min("automation:lane")
        return left + self.x(time) - 4, top + self.y(to_unit(param, value)) - 4, 8.0, 8.0

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def press(self, touch: Touch) -> bool:
        param = self.panel.param()
        self._held, self._doing, self._last = None, "", touch.screen
        if touch.button == MIDDLE:
            self._doing = "pan"
        elif touch.button == LEFT and touch.at[1] < self.app.look.px(RULER):
            self._doing = "seek"
            self.app.sound.locate(max(self.time(touch.at[0]), 0.0))
        elif param is None:
            return False
        elif touch.button == RIGHT:
            self._right(touch)
            return False
        elif touch.ctrl:
            self._doing, self._before, self._stroke = "draw", self.points, []
            self._gesture = fresh_gesture("draw")
            self.drag(touch)
        else:
            self._held = self.point_at(touch)
            self._doing = "move" if self._held is not None else ""
            self._gesture = fresh_gesture("point")
            self._before = self.points
        return bool(self._doing)

    def _right(self, touch: Touch) -> None:
        points, over = self.points, self.point_at(touch)
        if over is not None:
            self._over = None
            self.panel.put(removed(points, over), "Delete a point")
            return
        before = [k for k, point in enumerate(points) if point[0] <= self.time(touch.at[0])]
        if before and before[-1] + 1 < len(points):
            after = turned(points, before[-1])
            self.panel.put(after, "Change a curve")
            self.app.hint = f"The segment is {after[before[-1]][2]} now"

    def drag(self, touch: Touch) -> None:
        param = self.panel.param()
        across = touch.screen[0] - self._last[0]
        if self._doing == "pan":
            self._view(self.start - across / self._size[0] * self.span, self.span)
        elif self._doing == "seek":
            self.app.sound.locate(max(self.time(touch.at[0]), 0.0))
        elif self._doing == "draw" and param is not None:
            self._stroke.append((max(self.time(touch.at[0]), 0.0), self.value(param, touch.at[1])))
            points = drawn(self._before, param, self._stroke, FINEST)
            self.panel.put(points, "Draw automation", self._gesture)
        elif self._doing == "move" and param is not None and self._held is not None and self._held < len(self.points):
            time = self._before[self._held][0] if touch.shift else self.time(touch.at[0])
            points = moved(self.points, param, self._held, round(time, 3), self.value(param, touch.at[1]))
            self.panel.put(points, "Move a point", self._gesture)
        self._last = touch.screen

    def release(self, touch: Touch) -> None:
        self._held, self._doing = None, ""
        self.app.session.end_gesture()
        self.draw()

    def double(self, touch: Touch) -> None:
        param = self.panel.param()
        if param is None or touch.at[1] < self.app.look.px(RULER) or self.point_at(touch) is not None:
            return
        value = self.value(param, touch.at[1])
        points, _ = added(self.points, param, round(max(self.time(touch.at[0]), 0.0), 3), value)
        self.panel.put(points, "Add a point")

    def wheel(self, touch: Touch, steps: float) -> None:
        if touch.shift:
            self._view(self.start - steps * self.span * 0.1, self.span)
            return
        span = self.span * ZOOM**-steps
        at = self.time(touch.at[0])
        span = min(max(span, SHORTEST_S), LATEST_S)
        self._view(at - (at - self.start) * span / self.span, span)

    def _view(self, start: float, span: float) -> None:
        self.start, self.span = min(max(start, 0.0), LATEST_S), span
        self.draw()

    def hover(self, touch: Touch) -> None:
        over = self.point_at(touch)
        if over != self._over:
            self._over = over
            self.draw()
        self.app.hint = HINT

    def leave(self) -> None:
        self.app.hint = ""
        if self._over is not None:
            self._over = None
            self.draw()
