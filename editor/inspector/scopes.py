"""Spectrum, wave and goniometer, from readings of the shapes that they need."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from editor import fonts
from editor.draw import Pen
from editor.inspector.axes import HIGHEST_HZ, LOWEST_HZ, NAMED_HZ, Axis, hertz_words
from editor.inspector.bands import line_of
from editor.inspector.picture import Picture, Shown, bright
from editor.inspector.subject import Subject
from editor.inspector.view import View, band_colour
from editor.link import Readings
from editor.pointer import Touch
from editor.theme import alpha, mix

if TYPE_CHECKING:
    from editor.app import App

SPECTRUM_DB = (-96.0, 6.0)
PEAK_FALL_DB = 0.25
"""How far the held peaks of a spectrum fall from picture to picture."""
GLOW_KEPT = 0.82
"""What is left of the goniometer's light from picture to picture."""


class SpectrumView(View):
    """Levels over frequency, with the highest of late; under the mouse, what is there."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        super().__init__(app, subject, parent, f"inspector:{subject.id}:spectrum", (width, app.look.px(196)))
        px, theme = self.px, app.look.theme
        self._left, foot = px(28), self.height - px(18)
        self.across = Axis(LOWEST_HZ, HIGHEST_HZ, self._left, width - 1, log=True)
        self.up = Axis(*SPECTRUM_DB, foot, 0)
        self.columns = self.across.sampled(int(width - self._left))
        self._picture = Picture(len(self.columns), int(foot), theme.well)
        self._image = Shown(self._picture, self.tag, (self._left, 0))
        self._line: np.ndarray | None = None
        self._peaks = np.full(len(self.columns), SPECTRUM_DB[0])
        pen = self.layer()
        for hertz in NAMED_HZ:
            x = round(self.across.place(hertz))
            pen.line((x, 0), (x, foot), alpha(theme.text, 0.07))
            if width > px(360) or hertz in (50.0, 200.0, 1000.0, 5000.0, 10000.0):
                pen.words((x, foot + px(3)), hertz_words(hertz), theme.dim, "small", px(11), "centre")
        for db in range(-84, 1, 12):
            y = round(self.up.place(db))
            pen.line((self._left, y), (width, y), alpha(theme.text, 0.16 if db == 0 else 0.06))
            if db % 24 == 0:
                words = f"{db}".replace("-", "−")
                pen.words((self._left - px(6), y - px(7)), words, theme.dim, "small", px(11), "right")
        pen.box((self._left, 0), (width - 1, foot), line=theme.line, radius=px(3))
        self._cursor = self.layer()

    def frame(self, now: float, readings: Readings) -> None:
        names = self.subject.offers.spectrum
        assert names is not None
        frequency = self.subject.reading(readings, names.frequency)
        level = self.subject.reading(readings, names.level)
        if frequency is None or level is None or len(level) % len(frequency):
            return
        self._line = line_of(frequency.astype(np.float64), level.astype(np.float64), self.columns)
        self._peaks = np.maximum(self._line, self._peaks - PEAK_FALL_DB)
        theme, picture = self.app.look.theme, self._picture
        picture.begin()
        ys = np.clip(self.up.places(self._line), 0, picture.height)
        picture.area(ys, float(picture.height), theme.accent, (0.55, 0.12))
        picture.line(np.clip(self.up.places(self._peaks), 0, picture.height), theme.dim, self.px(1), 0.6)
        picture.line(ys, mix(theme.accent, theme.text, 0.2), self.px(1.6))
        self._image.update()

    def hover(self, touch: Touch) -> None:
        pen, theme, px = self._cursor, self.app.look.theme, self.px
        pen.clear()
        index = round(touch.at[0] - self._left)
        if self._line is None or not 0 <= index < len(self.columns):
            return
        pen.line((touch.at[0], 0), (touch.at[0], self.up.start), alpha(theme.text, 0.3))
        hertz, db = float(self.columns[index]), float(self._line[index])
        words = f"{hertz:.0f} Hz   {db:.1f} dB".replace("-", "−")
        pen.words((self.width - px(9), px(6)), words, theme.text, "small", px(12), "right")

    def leave(self) -> None:
        super().leave()
        self._cursor.clear()

    def free(self) -> None:
        super().free()
        self._image.free()


class WaveView(View):
    """A wave, channel over channel, from the lowest and the highest sample of each point."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        super().__init__(app, subject, parent, f"inspector:{subject.id}:wave", (width, app.look.px(170)))
        px, theme = self.px, app.look.theme
        foot = self.height - px(8)
        self._picture = Picture(width - 1, foot, theme.well)
        self._image = Shown(self._picture, self.tag, (0, 0))
        self._wave: np.ndarray | None = None
        pen = self.layer()
        for k in range(1, 10):
            x = round(width * k / 10)
            pen.line((x, 0), (x, foot), alpha(theme.text, 0.10 if k == 5 else 0.05))
        for share in (0.25, 0.5, 0.75):
            pen.line(
                (0, round(foot * share)),
                (width, round(foot * share)),
                alpha(theme.text, 0.12 if share == 0.5 else 0.05),
            )
        pen.box((0, 0), (width - 1, foot), line=theme.line, radius=px(3))
        span = subject.face.param("window_ms")
        self._span = pen.words((width - px(8), foot - px(17)), "", theme.dim, "small", px(11), "right")
        self._timed = span is not None
        self.show(subject)

    def show(self, subject: Subject) -> None:
        super().show(subject)
        if self._timed:
            words = f"{subject.face.values['window_ms'] / 10:.3g} ms a line"
            left = self.width - self.px(8) - fonts.width(words, "small", self.px(11))
            dpg.configure_item(self._span, text=words, pos=(left, self._picture.height - self.px(17)))

    def frame(self, now: float, readings: Readings) -> None:
        name, declared = self.subject.offers.wave, self.subject.face.readings
        assert name is not None
        found = self.subject.reading(readings, name)
        shape = declared[name].shape
        points = int(shape[0]) if isinstance(shape, tuple) else 0
        if found is None or not points or len(found) % (2 * points):
            return
        if self._wave is not None and np.array_equal(self._wave, found):
            return
        self._wave = found.copy()
        wave = found.reshape(points, 2, -1).astype(np.float64)
        picture = self._picture
        picture.begin()
        columns = np.linspace(0, points - 1, picture.width)
        for channel in reversed(range(min(wave.shape[2], 8))):
            low, high = (np.interp(columns, np.arange(points), wave[:, side, channel]) for side in (0, 1))
            middle, half = picture.height / 2, picture.height / 2 - 2
            top = middle - np.clip(high, -1, 1) * half - 0.9
            bottom = middle - np.clip(low, -1, 1) * half + 0.9
            top, bottom = joined(top, bottom)
            picture.area(top, bottom, band_colour(self.app.look, channel), (0.9, 0.9) if channel == 0 else (0.6, 0.6))
        self._image.update()

    def free(self) -> None:
        super().free()
        self._image.free()


def joined(top: np.ndarray, bottom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges of a wave by columns, each stretched to touch the one before it, so that it has no gaps."""
    top, bottom = top.copy(), bottom.copy()
    top[1:] = np.minimum(top[1:], bottom[:-1])
    bottom[1:] = np.maximum(bottom[1:], top[:-1])
    return top, bottom


class GoniometerView(View):
    """Points across and up, glowing on for a while, and bars from −1 to 1 below."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        px = app.look.px
        side = min(width, px(320))
        bars = len(subject.offers.balances)
        size = (width, side + px(10) + bars * px(34))
        super().__init__(app, subject, parent, f"inspector:{subject.id}:goniometer", size)
        theme, self._side = app.look.theme, side
        left = (width - side) // 2
        self._picture = Picture(side, side, theme.well)
        self._glow = np.zeros((side, side), np.float32)
        self._image = Shown(self._picture, self.tag, (left, 0))
        pen, middle = self.layer(), side / 2
        fine = alpha(theme.text, 0.10)
        reach = middle - px(14)
        for angle in range(0, 180, 45):
            dx, dy = reach * math.cos(math.radians(angle)), reach * math.sin(math.radians(angle))
            pen.line((left + middle - dx, middle - dy), (left + middle + dx, middle + dy), fine)
        for share in (0.5, 1.0):
            ring = reach * share
            corners = [(0.0, -ring), (ring, 0.0), (0.0, ring), (-ring, 0.0)]
            pen.lines([(left + middle + x, middle + y) for x, y in corners], fine, closed=True)
        for words, angle in (("L", 225), ("M", 270), ("R", 315), ("S", 180)):
            x = left + middle + (reach + px(2)) * math.cos(math.radians(angle)) * 0.92
            y = middle + (reach + px(2)) * math.sin(math.radians(angle)) * 0.92
            pen.words((x, y - px(7)), words, theme.dim, "small", px(11), "centre")
        pen.box((left, 0), (left + side - 1, side - 1), line=theme.line, radius=px(3))
        self._reach = reach
        self._needles: dict[str, tuple[Pen, float]] = {}
        for k, name in enumerate(subject.offers.balances):
            self._bar(name, side + px(10) + k * px(34))

    def _bar(self, name: str, top: float) -> None:
        theme, px, pen = self.app.look.theme, self.px, self.layer()
        middle = self.width / 2
        pen.words((0, top), name.replace("_", " ").capitalize(), theme.dim, "small", px(11.5))
        pen.box((0, top + px(17)), (self.width, top + px(24)), theme.well, radius=px(3))
        pen.line((middle, top + px(14)), (middle, top + px(27)), theme.faint)
        self._needles[name] = self.layer(), top

    def frame(self, now: float, readings: Readings) -> None:
        name = self.subject.offers.points
        assert name is not None
        found = self.subject.reading(readings, name)
        for each, (pen, top) in self._needles.items():
            self._needle(pen, top, self.subject.reading(readings, each), each)
        if found is None or len(found) % 2:
            return
        pairs = found.reshape(-1, 2).astype(np.float64)
        loudest = float(np.max(np.abs(pairs))) if len(pairs) else 0.0
        if loudest < 1e-5 and self._glow.max() < 0.01:
            return
        middle = self._side / 2
        self._glow *= GLOW_KEPT
        x, y = middle + pairs[:, 0] * self._reach, middle - pairs[:, 1] * self._reach
        self._picture.dots(x, y, self._glow, 0.5)
        self._picture.begin()
        theme = self.app.look.theme
        self._picture.blend(bright(self._glow), theme.accent)
        self._picture.blend(bright(np.maximum(self._glow - 1.2, 0) * 0.4), theme.text)
        self._image.update()

    def _needle(self, pen: Pen, top: float, found: np.ndarray | None, name: str) -> None:
        theme, px = self.app.look.theme, self.px
        pen.clear()
        if found is None:
            return
        value = float(np.clip(found[0], -1, 1))
        middle = self.width / 2
        x = middle + value * (middle - px(4))
        against = name == self.subject.offers.balances[0] and value < 0
        colour = theme.bad if against else theme.accent
        pen.box((min(x, middle), top + px(17)), (max(x, middle), top + px(24)), alpha(colour, 0.4), radius=px(2))
        pen.box((x - px(2), top + px(15)), (x + px(2), top + px(26)), colour, radius=px(2))
        words = f"{value:+.2f}".replace("-", "−")
        pen.words((self.width, top), words, theme.text, "small", px(11.5), "right")

    def free(self) -> None:
        super().free()
        self._image.free()
