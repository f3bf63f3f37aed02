"""The response of a node, with a handle for each of its bands, over the spectrum of what is heard near it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from editor.draw import Point
from editor.faces import spoken, value_text
from editor.inspector.axes import (
    HIGHEST_HZ,
    LOWEST_HZ,
    NAMED_HZ,
    OCTAVE_LINES,
    Axis,
    hertz_words,
    range_for,
    runs,
    steps,
)
from editor.inspector.bands import FINE, Band, Curves, Hold, line_of, nearest, turned
from editor.inspector.picture import Picture, Shown, polyline
from editor.inspector.subject import Subject, spectrum_near
from editor.inspector.view import View, band_colour
from editor.link import Readings
from editor.pointer import Touch
from editor.theme import Colour, alpha, mix
from editor.turning import fresh_gesture
from graph.edits import Edit, SetParam

if TYPE_CHECKING:
    from editor.app import App

SPECTRUM_DB = (-96.0, 0.0)
REACH = 13.0
"""How near to a handle one must click, at scale 1."""
BURST_S = 0.6
"""Turns of the wheel that follow each other so fast are one step of the history."""


class ResponseView(View):
    """Drag a handle for frequency and gain, turn the wheel for Q, double-click to switch a band or to add one."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        height = round(min(max(width * 0.72, app.look.px(180)), app.look.px(340)))
        super().__init__(app, subject, parent, f"inspector:{subject.id}:response", (width, height))
        px = self.px
        self.left, self.foot = px(28), px(18)
        self.across = Axis(LOWEST_HZ, HIGHEST_HZ, self.left, width - 1, log=True)
        self.top, self.low = px(4), height - self.foot
        self.columns = self.across.sampled(int(width - self.left))
        self.range = 0.0
        self.chosen: int | None = None
        self.over: int | None = None
        self._hold: tuple[Hold, Band, object] | None = None
        self._mouse: Point = (0.0, 0.0)
        self._wheel: tuple[float, object] = (0.0, None)
        self._spectrum: np.ndarray | None = None
        self._source = spectrum_near(subject.session, subject.id)
        theme = app.look.theme
        self._picture = Picture(len(self.columns), int(self.low - self.top), theme.well)
        self._image = Shown(self._picture, self.tag, (self.left, self.top))
        self._grid, self._lines, self._dots = self.layer(), self.layer(), self.layer()
        self.curves = Curves(subject.face, subject.rate)
        self.show(subject)

    # -- what it shows -------------------------------------------------------------------------------------------------

    def show(self, subject: Subject) -> None:
        super().show(subject)
        self.curves = Curves(subject.face, subject.rate)
        self._whole = self.curves.whole(self.columns)
        gains = [abs(self._at(band)[1]) for band in self._seen() if self.curves.has_gain(band)]
        wanted = range_for([max(float(self._whole.max()), 0.0), *gains])
        if self._hold is not None:
            wanted = max(wanted, self.range)
        if wanted != self.range:
            self.range = wanted
            self.up = Axis(-wanted, wanted, self.low, self.top)
            self._draw_grid()
        self._draw_curves()
        self._draw_dots()
        self._paint()

    def _seen(self) -> list[Band]:
        return [band for band in self.curves.bands if self.curves.touched(band)]

    def _at(self, band: Band) -> Point:
        return self.curves.handle(band)

    def handles(self) -> list[Point | None]:
        """Where the handles are in the drawlist, band by band; None for one that was never set."""
        found: list[Point | None] = []
        for band in self.curves.bands:
            if self.curves.touched(band):
                freq, gain = self._at(band)
                found.append((self.across.clamped(freq), self.up.clamped(gain)))
            else:
                found.append(None)
        return found

    def _colour(self, index: int) -> Colour:
        return band_colour(self.app.look, index) if len(self.curves.bands) > 1 else self.app.look.theme.accent

    def _draw_grid(self) -> None:
        theme, px, pen = self.app.look.theme, self.px, self._grid
        pen.clear()
        fine, strong = alpha(theme.text, 0.045), alpha(theme.text, 0.085)
        for hertz in OCTAVE_LINES:
            if LOWEST_HZ < hertz < HIGHEST_HZ:
                x = round(self.across.place(hertz))
                decade = hertz in (100.0, 1000.0, 10000.0)
                pen.line((x, self.top), (x, self.low), strong if decade else fine)
        for hertz in NAMED_HZ:
            if self.width > px(360) or hertz in (50.0, 200.0, 1000.0, 5000.0, 10000.0):
                at = (self.across.place(hertz), self.low + px(3))
                pen.words(at, hertz_words(hertz), theme.dim, "small", px(11), "centre")
        for db in steps(-self.range, self.range, 9 if self.height > px(260) else 7):
            y = round(self.up.place(db))
            pen.line((self.left, y), (self.width, y), alpha(theme.text, 0.2) if db == 0 else strong)
            words = f"{db:+.0f}".replace("-", "−") if db else "0"
            at = min(max(y - px(7), self.top - px(2)), self.low - px(12))
            pen.words((self.left - px(6), at), words, theme.dim, "small", px(11), "right")
        pen.box((self.left, self.top), (self.width - 1, self.low), line=theme.line, radius=px(3))

    def _draw_curves(self) -> None:
        theme, px, pen = self.app.look.theme, self.px, self._lines
        pen.clear()
        xs = self.left + np.arange(len(self.columns)) + 0.5
        shown = self.chosen if self.over is None else self.over
        for index, band in enumerate(self.curves.bands):
            if len(self.curves.bands) > 1 and self.curves.on(band):
                ys = self.up.places(self.curves.alone(band, self.columns))
                strength = 0.8 if index == shown else 0.28
                for run in runs((ys > self.top) & (ys < self.low)):
                    pen.lines(polyline(xs[run], ys[run]), alpha(self._colour(index), strength), px(1.2))
        off = self.subject.face.bypass
        colour = theme.faint if off else theme.accent
        ys = self.up.places(self._whole)
        for run in runs((ys > self.top) & (ys < self.low)):
            line = polyline(xs[run], ys[run])
            if theme.name != "light":
                pen.lines(line, alpha(colour, 0.18), px(6))
            pen.lines(line, mix(colour, theme.text, 0.15), px(2.2))

    def _draw_dots(self) -> None:
        theme, px, pen = self.app.look.theme, self.px, self._dots
        pen.clear()
        for index, at in enumerate(self.handles()):
            if at is None:
                continue
            band, colour = self.curves.bands[index], self._colour(index)
            on, near = self.curves.on(band), index in (self.over, self.chosen)
            radius = px(7) if len(self.curves.bands) > 1 else px(6)
            if near:
                pen.dot(at, radius + px(5), alpha(colour, 0.22))
            if on:
                pen.dot(at, radius, colour, mix(colour, theme.text, 0.75) if near else theme.well, px(1.5))
            else:
                pen.dot(at, radius, alpha(theme.well, 0.8), alpha(colour, 0.7), px(1.5))
            if len(self.curves.bands) > 1:
                ink = theme.well if on else colour
                pen.words((at[0], at[1] - px(6)), str(index + 1), ink, "small", px(10.5), "centre")
        shown = self.chosen if self.over is None else self.over
        if shown is not None:
            words = self._words(self.curves.bands[shown])
            pen.words((self.width - px(9), self.top + px(6)), words, self._colour(shown), "small", px(12), "right")
        elif self.curves.bands and not self._seen():
            middle = ((self.left + self.width) / 2, self.top + px(14))
            pen.words(middle, "Double-click to add a band", theme.dim, "small", px(12), "centre")

    def _words(self, band: Band) -> str:
        face, found = self.subject.face, list[str]()
        for name in (band.type, band.freq, band.gain if self.curves.has_gain(band) else None, band.q):
            param = face.param(name) if name else None
            if param is not None:
                text = value_text(param, face.values[param.name])
                found.append(f"Q {text}" if name == band.q else spoken(text) if name == band.type else text)
        return "   ".join(found)

    def _paint(self) -> None:
        theme, picture, top = self.app.look.theme, self._picture, self.top
        picture.begin()
        foot = float(picture.height)
        if self._spectrum is not None:
            level = Axis(*SPECTRUM_DB, foot, 0.0)
            ys = np.clip(level.places(self._spectrum), 0, foot)
            picture.area(ys, foot, mix(theme.accent, theme.dim, 0.65), (0.40, 0.06))
            picture.line(ys, theme.dim, self.px(1), 0.40)
        zero = self.up.place(0.0) - top
        shown = self.chosen if self.over is None else self.over
        if shown is not None and len(self.curves.bands) > 1:
            own = np.clip(self.up.places(self.curves.alone(self.curves.bands[shown], self.columns)) - top, 0, foot)
            picture.area(own, zero, self._colour(shown), (0.20, 0.20))
        whole = np.clip(self.up.places(self._whole) - top, 0, foot)
        picture.area(whole, zero, theme.faint if self.subject.face.bypass else theme.accent, (0.20, 0.20))
        self._image.update()

    def frame(self, now: float, readings: Readings) -> None:
        if self._source is None:
            return
        node, names = self._source
        found = readings.get(self.subject.session.address(node), {})
        frequency, level = found.get(names.frequency), found.get(names.level)
        if frequency is None or level is None or not len(frequency) or len(level) % len(frequency):
            return
        line = line_of(frequency.astype(np.float64), level.astype(np.float64), self.columns)
        if self._spectrum is None or np.max(np.abs(line - self._spectrum)) > 0.2:
            self._spectrum = line
            self._paint()

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def _nearest(self, touch: Touch) -> int | None:
        return nearest(self.handles(), *touch.at, REACH * self.app.look.scale)

    def _look_at(self, over: int | None, chosen: int | None) -> None:
        if (over, chosen) != (self.over, self.chosen):
            self.over, self.chosen = over, chosen
            self._draw_curves()
            self._draw_dots()
            self._paint()

    def hover(self, touch: Touch) -> None:
        self.still(True)
        self._look_at(self._nearest(touch), self.chosen)

    def leave(self) -> None:
        super().leave()
        self._look_at(None, self.chosen)

    def press(self, touch: Touch) -> bool:
        index = self._nearest(touch)
        if touch.button != 0:
            return False
        self._look_at(index, index)
        if index is None:
            return False
        band, face = self.curves.bands[index], self.subject.face
        freq = face.param(band.freq)
        assert freq is not None
        gain = face.param(band.gain) if band.gain and self.curves.has_gain(band) else None
        q = face.param(band.q) if band.q else None
        self._mouse = touch.at
        self._screen = touch.screen
        self._hold = Hold(freq, gain, q, dict(face.values), *touch.at), band, fresh_gesture(self.subject.id, band.freq)
        return True

    def drag(self, touch: Touch) -> None:
        assert self._hold is not None
        share = FINE if touch.shift else 1.0
        (x, y), (was_x, was_y) = touch.screen, self._screen
        self._screen = touch.screen
        self._mouse = self._mouse[0] + share * (x - was_x), self._mouse[1] + share * (y - was_y)
        hold, band, gesture = self._hold
        self._set(hold.moved(*self._mouse, self.across, self.up), f"Move band {band.number + 1}", gesture)

    def release(self, touch: Touch) -> None:
        self._hold = None
        self.subject.session.end_gesture()
        self.show(self.subject)

    def double(self, touch: Touch) -> None:
        index, face = self._nearest(touch), self.subject.face
        if index is not None:
            band = self.curves.bands[index]
            if band.on is not None:
                turn = 0.0 if self.curves.on(band) else 1.0
                self._set({band.on: turn}, f"Turn band {band.number + 1} {'on' if turn else 'off'}")
            else:
                name = f"Reset band {band.number + 1}"
                self.subject.session.do(*(SetParam(self.subject.id, n, None) for n in band.names), name=name)
            return
        free = [band for band in self.curves.bands if band.on is not None and not self.curves.touched(band)]
        if free and self.left < touch.at[0] and touch.at[1] < self.low:
            band = free[0]
            freq, on = face.param(band.freq), band.on
            gain = face.param(band.gain) if band.gain else None
            assert freq is not None
            assert on is not None
            start = {freq.name: freq.default, **({gain.name: gain.default} if gain else {})}
            at = self.across.place(freq.default), self.up.place(gain.default if gain else 0.0)
            values = Hold(freq, gain, None, start, *at).moved(*touch.at, self.across, self.up)
            self._set({on: 1.0, **values}, f"Add band {band.number + 1}")
            self.chosen = band.number

    def wheel(self, touch: Touch, steps: float) -> None:
        index = self._nearest(touch)
        index = self.chosen if index is None else index
        if index is None:
            return
        band = self.curves.bands[index]
        q = self.subject.face.param(band.q) if band.q else None
        if q is None:
            return
        now, (last, gesture) = monotonic(), self._wheel
        if now - last > BURST_S or gesture is None:
            gesture = fresh_gesture(self.subject.id, q.name)
        self._wheel = now, gesture
        value = turned(q, self.subject.face.values[q.name], steps)
        self._set({q.name: value}, f"Turn the Q of band {band.number + 1}", gesture)

    def _set(self, values: dict[str, float], name: str, gesture: object = None) -> None:
        now, id = self.subject.face.values, self.subject.id
        edits: list[Edit] = [SetParam(id, param, value) for param, value in values.items() if now[param] != value]
        self.subject.session.do(*edits, name=name, gesture=gesture)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        kind, _, rest = what.partition(":")
        handles = self.handles()
        if kind != "band" or not rest.isdigit() or not 1 <= int(rest) <= len(handles):
            return None
        at = handles[int(rest) - 1]
        if at is None:
            return None
        x, y = dpg.get_item_rect_min(self.tag)
        return x + at[0] - 5, y + at[1] - 5, 10.0, 10.0

    def free(self) -> None:
        super().free()
        self._image.free()
