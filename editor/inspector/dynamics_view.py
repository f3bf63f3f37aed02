"""What a dynamics node does: its transfer curve with a point where it stands now, and its gain reduction over time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from editor import fonts
from editor.inspector.axes import Axis, steps
from editor.inspector.picture import Picture, Shown, polyline
from editor.inspector.subject import Subject
from editor.inspector.transfer import HIGHEST_DB, LOWEST_DB, level_at, output
from editor.inspector.view import View
from editor.link import Readings
from editor.pointer import Touch
from editor.theme import alpha, mix
from editor.turning import fresh_gesture
from graph.edits import SetParam

if TYPE_CHECKING:
    from editor.app import App

DEPTHS_DB = (6.0, 12.0, 24.0, 48.0, 96.0)
SPAN_S = 6.0
"""How much of the past is shown."""


class DynamicsView(View):
    """The curve may be taken by its threshold and dragged. Without one, the history has all the room."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        high = app.look.px(158 if subject.offers.transfer else 96)
        super().__init__(app, subject, parent, f"inspector:{subject.id}:dynamics", (width, high + app.look.px(8)))
        px, theme = self.px, app.look.theme
        side = float(high)
        self._curve_shown = subject.offers.transfer
        self.x = Axis(LOWEST_DB, HIGHEST_DB, 1, side - 1)
        self.y = Axis(LOWEST_DB, HIGHEST_DB, side - 1, 1)
        self._left = side + px(10) if self._curve_shown else 0.0
        self._back = self.layer()
        self._lines = self.layer()
        self._point = self.layer()
        self._held: object = None
        self._over = False
        self._fall: float | None = None
        room = int(width - self._left - px(1))
        self._picture = Picture(room, int(high), theme.well)
        self._image = Shown(self._picture, self.tag, (self._left, 0))
        self._front = self.layer()
        self._past: deque[float] = deque([0.0] * room, maxlen=room)
        self._depth, self._clock, self._still = 0.0, 0.0, 0
        if self._curve_shown:
            self._draw_grid(side)
        self._scale(DEPTHS_DB[1])
        self.show(subject)

    def _draw_grid(self, side: float) -> None:
        theme, px, pen = self.app.look.theme, self.px, self._back
        pen.box((0, 0), (side, side), theme.well, theme.line, radius=px(3))
        for db in range(-60, 1, 12):
            strength = 0.14 if db == 0 else 0.07
            x, y = round(self.x.place(db)), round(self.y.place(db))
            pen.line((x, 1), (x, side - 1), alpha(theme.text, strength))
            pen.line((1, y), (side - 1, y), alpha(theme.text, strength))
            if db in (-48, -24):
                words = f"−{-db}"
                pen.words((x, side - px(14)), words, theme.faint, "small", px(10.5), "centre")
                pen.words((px(4), y - px(13)), words, theme.faint, "small", px(10.5))
        ends = [(self.x.place(db), self.y.place(db)) for db in (LOWEST_DB, HIGHEST_DB)]
        pen.line(*ends, alpha(theme.text, 0.16))

    # -- the curve -----------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return "threshold_db" if self.subject.face.param("threshold_db") else "ceiling_db"

    def handle(self) -> tuple[float, float]:
        """Where the threshold is in the drawlist."""
        values = self.subject.face.values
        at = values[self._name] - (values.get("input_db", 0.0) if self._name == "ceiling_db" else 0.0)
        out = float(output(values, np.array([at]))[0])
        return self.x.clamped(at), self.y.clamped(out)

    def show(self, subject: Subject) -> None:
        super().show(subject)
        if not self._curve_shown:
            return
        theme, px, pen = self.app.look.theme, self.px, self._lines
        pen.clear()
        levels = self.x.sampled(160)
        bent = output(subject.face.values, levels)
        seen = bent >= LOWEST_DB
        levels, bent = levels[seen], bent[seen]
        colour = theme.faint if subject.face.bypass else theme.accent
        xs, ys = self.x.places(levels), np.clip(self.y.places(bent), 1, self.y.start)
        at = self.handle()
        pen.line((at[0], at[1]), (at[0], self.y.start), alpha(colour, 0.25), px(1))
        if len(xs) > 1:
            pen.lines(polyline(xs, ys), alpha(colour, 0.18), px(6))
            pen.lines(polyline(xs, ys), mix(colour, theme.text, 0.15), px(2.2))
        if self._over or self._held:
            pen.dot(at, px(10), alpha(colour, 0.25))
        pen.dot(at, px(5), theme.well, colour, px(2))
        self._draw_point()

    def _draw_point(self) -> None:
        pen, theme, values = self._point, self.app.look.theme, self.subject.face.values
        pen.clear()
        level = level_at(values, self._fall) if self._fall is not None and not self.subject.face.bypass else None
        if level is None:
            return
        out = float(output(values, np.array([level]))[0])
        at = self.x.clamped(level), self.y.clamped(out)
        pen.dot(at, self.px(9), alpha(theme.warn, 0.25))
        pen.dot(at, self.px(4.5), theme.warn)

    # -- over time -----------------------------------------------------------------------------------------------------

    def _scale(self, depth: float) -> None:
        if depth == self._depth:
            return
        self._depth = depth
        theme, px, pen = self.app.look.theme, self.px, self._front
        pen.clear()
        right, foot = self._left + self._picture.width, self._picture.height
        for db in steps(0, depth, 5):
            y = round(foot * db / depth)
            if 0 < db < depth:
                pen.line((self._left, y), (right, y), alpha(theme.text, 0.08))
                pen.words((self._left + px(5), y - px(13)), f"−{db:g}", theme.faint, "small", px(10.5))
        pen.box((self._left, 0), (right, foot), line=theme.line, radius=px(3))
        if self._picture.width > px(150):
            pen.words((self._left + px(7), foot - px(17)), "Gain reduction", theme.dim, "small", px(11.5))
        self._number = pen.words((right - px(7), foot - px(19)), "", theme.warn, "strong", px(13), "right")
        self._words = ""

    def frame(self, now: float, readings: Readings) -> None:
        name = self.subject.offers.reduction
        found = self.subject.reading(readings, name) if name else None
        fall = float(np.max(found)) if found is not None else 0.0
        fall = fall if fall == fall else 0.0
        step = SPAN_S / len(self._past)
        if now - self._clock > 1.0:
            self._clock = now - step
        due = int((now - self._clock) / step)
        self._clock += due * step
        self._past.extend([fall] * due)
        if self._fall is None or abs(fall - self._fall) > 0.02:
            self._fall = fall
            if self._curve_shown:
                self._draw_point()
        self._still = 0 if fall > 0.02 else self._still + due
        if not due or self._still > len(self._past) + 60:
            return
        past = np.array(self._past)
        deepest = float(past.max())
        self._scale(next((d for d in DEPTHS_DB[1:] if d >= deepest), DEPTHS_DB[-1]))
        picture, theme = self._picture, self.app.look.theme
        picture.begin()
        edge = np.clip(past / self._depth, 0, 1) * picture.height
        picture.area(edge, 0.0, theme.warn, (0.20, 0.42))
        picture.line(edge, theme.warn, self.px(1.6), 0.9)
        self._image.update()
        words = f"−{fall:.1f} dB" if fall >= 0.05 else "0 dB"
        if words != self._words:
            self._words = words
            right = self._left + picture.width - self.px(7) - fonts.width(words, "strong", self.px(13))
            dpg.configure_item(self._number, text=words, pos=(right, picture.height - self.px(19)))

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def _near(self, touch: Touch) -> bool:
        if not self._curve_shown:
            return False
        x, y = self.handle()
        inside = touch.at[0] < self.x.end
        return inside and abs(touch.at[0] - x) < self.px(12) and touch.at[1] > y - self.px(14)

    def hover(self, touch: Touch) -> None:
        near = self._near(touch)
        if near != self._over:
            self._over = near
            self.show(self.subject)

    def leave(self) -> None:
        super().leave()
        if self._over:
            self._over = False
            self.show(self.subject)

    def press(self, touch: Touch) -> bool:
        if touch.button != 0 or not self._near(touch):
            return False
        self._held = fresh_gesture(self.subject.id, self._name)
        self._from, self._screen = self.subject.face.values[self._name], touch.screen[0]
        return True

    def drag(self, touch: Touch) -> None:
        param = self.subject.face.param(self._name)
        assert param is not None
        share = 0.15 if touch.shift else 1.0
        per_px = (self.x.high - self.x.low) / (self.x.end - self.x.start)
        self._from += share * per_px * (touch.screen[0] - self._screen)
        self._screen = touch.screen[0]
        value = min(max(round(self._from, 1), param.low), param.high)
        if value != self.subject.face.values[self._name]:
            self.subject.session.do(SetParam(self.subject.id, self._name, value), gesture=self._held)

    def release(self, touch: Touch) -> None:
        self._held = None
        self.subject.session.end_gesture()
        self.show(self.subject)

    def double(self, touch: Touch) -> None:
        if self._near(touch):
            self.subject.session.do(SetParam(self.subject.id, self._name, None), name=f"Reset {self._name}")

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        if what != "threshold" or not self._curve_shown:
            return None
        x, y = self.handle()
        left, top = dpg.get_item_rect_min(self.tag)
        return left + x - 5, top + y - 5, 10.0, 10.0

    def free(self) -> None:
        super().free()
        self._image.free()
