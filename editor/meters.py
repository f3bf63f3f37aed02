"""Level meters: their scale, their picture, and how bars and held peaks move, for many meters in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import dearpygui.dearpygui as dpg
import numpy as np
import numpy.typing as npt

from editor.draw import NONE, Pen, Point
from editor.theme import alpha

FLOOR_DB = -60.0
CEILING_DB = 6.0
BEND = 1.6
"""The power that opens the scale out near its top."""
HOLD_S = 1.2
FALL = 0.5
"""How much of its length a held peak falls in a second."""
LONGEST_FRAME_S = 0.1

Levels = Sequence[float] | npt.NDArray[np.float32]
"""Sample values, one for each channel; 1 is full scale."""


def meter_places(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Where sample values lie on a meter, 0 to 1: decibels, opened out near the top. What is no number lies at 0."""
    db = 20 * np.log10(np.maximum(np.nan_to_num(levels, nan=0.0, posinf=1e6), 1e-6))
    return ((np.clip(db, FLOOR_DB, CEILING_DB) - FLOOR_DB) / (CEILING_DB - FLOOR_DB)) ** BEND


def meter_place(level: float) -> float:
    """Where a sample value lies on a meter, 0 to 1."""
    return float(meter_places(np.array([level]))[0])


ZERO_PLACE = meter_place(1.0)


class MeterFace:
    """The picture of a level meter, along x or upright, a bar for each channel, with a held peak and a clip mark.

    The bars are a fixed gradient; what moves is the cover over the part that is not lit.
    """

    def __init__(self, pen: Pen, a: Point, b: Point, channels: int, upright: bool = False) -> None:
        self.a, self.b, self.upright = a, b, upright
        self.channels = channels = max(channels, 1)
        self.length = max((b[1] - a[1]) if upright else (b[0] - a[0]), 1.0)
        theme = pen.look.theme
        whole = (a[0], b[0]) if upright else (a[1], b[1])
        thick = (whole[1] - whole[0]) / channels
        gap = min(1.0, thick * 0.25)
        self._bars: list[tuple[int, int, float, float]] = []
        self._items: list[int] = []
        self._colours = alpha(theme.text, 0.85), theme.bad
        green, amber = meter_place(0.25), meter_place(0.7)
        stops = ((0.0, theme.good), (green, theme.good), (amber, theme.warn), (1.0, theme.bad))
        for (p, first), (q, second) in pairwise(stops):
            (x0, y0), (x1, y1) = self._rect(p, q, *whole)
            corners = (first, second, second, first) if not upright else (second, second, first, first)
            strip = dpg.draw_rectangle(
                (x0, y0),
                (x1, y1),
                multicolor=True,
                corner_colors=corners,
                color=NONE,
                parent=pen.parent,
            )
            self._items.append(int(strip))
        for k in range(channels):
            low, high = whole[0] + k * thick, whole[0] + (k + 1) * thick - gap
            self._items.append(pen.box(*self._rect(0.0, 1.0, high, high + gap), fill=theme.well))
            cover = pen.box(*self._rect(0.0, 1.0, low, high), fill=theme.well)
            mark = pen.line(a, a, NONE, 1.5)
            self._items += [cover, mark]
            self._bars.append((cover, mark, low, high))
        self._own: Meters | None = None

    def remove(self) -> None:
        """Take it away."""
        for item in self._items:
            dpg.delete_item(item)

    def _rect(self, p: float, q: float, low: float, high: float) -> tuple[Point, Point]:
        (x0, y0), (x1, y1) = self.a, self.b
        if self.upright:
            return (low, y1 - (y1 - y0) * q), (high, y1 - (y1 - y0) * p)
        return (x0 + (x1 - x0) * p, low), (x0 + (x1 - x0) * q, high)

    def light(self, channel: int, place: float) -> None:
        """Let a bar reach to a place, 0 to 1."""
        cover, _, low, high = self._bars[channel]
        a, b = self._rect(place, 1.0, low, high)
        dpg.configure_item(cover, pmin=a, pmax=b)

    def mark(self, channel: int, place: float, clipped: bool) -> None:
        """Put the mark of the held peak at a place, 0 to 1; at 0 there is none."""
        _, mark, low, high = self._bars[channel]
        a, b = self._rect(place, place, low, high)
        dpg.configure_item(mark, p1=a, p2=b, color=self._colours[clipped] if place > 0 else NONE)

    def show(self, levels: Levels | None, now: float) -> None:
        """Show levels by itself; many meters are shown together by ``Meters``. Call it at every frame."""
        self._own = self._own or Meters()
        self._own.show([self], [levels], now)


class Meters:
    """How bars and held peaks of meters move. What is drawn changes only where it does by a pixel."""

    def __init__(self) -> None:
        self._faces: list[MeterFace] = []
        self._bars: list[tuple[MeterFace, int]] = []
        self._starts: list[int] = []
        self._length = self._levels = self._peaks = self._held = np.zeros(0)
        self._places = self._marks = np.zeros(0, np.int64)
        self._at = 0.0

    def show(self, faces: list[MeterFace], levels: Sequence[Levels | None], now: float) -> None:
        """Show the levels of meters, each with a value for each channel; None: nothing is known. ``now`` in seconds.

        Meters that were shown the last time hold their peaks.
        """
        if faces != self._faces:
            self._arrange(faces)
        heard = self._levels
        for face, start, own in zip(faces, self._starts, levels, strict=True):
            if own is None or not len(own):
                heard[start : start + face.channels] = 0.0
            elif len(own) == face.channels:
                heard[start : start + face.channels] = own
            else:
                heard[start : start + face.channels] = [own[min(k, len(own) - 1)] for k in range(face.channels)]
        passed, self._at = min(max(now - self._at, 0.0), LONGEST_FRAME_S), now
        place = meter_places(heard)
        rising = place >= self._peaks
        falling = np.maximum(place, self._peaks - FALL * passed)
        held = np.where(now - self._held > HOLD_S, falling, self._peaks)
        self._peaks = np.where(rising, place, held)
        self._held[rising] = now
        self._draw(place)

    def _draw(self, place: npt.NDArray[np.float64]) -> None:
        places = np.rint(place * self._length).astype(np.int64)
        marks = 2 * np.rint(self._peaks * self._length).astype(np.int64) + (self._peaks > ZERO_PLACE)
        moved, marked = np.flatnonzero(places != self._places), np.flatnonzero(marks != self._marks)
        self._places, self._marks = places, marks
        for k in moved.tolist():
            face, channel = self._bars[k]
            face.light(channel, float(places[k]) / face.length)
        for k in marked.tolist():
            face, channel = self._bars[k]
            value = int(marks[k])
            face.mark(channel, (value >> 1) / face.length, bool(value & 1))

    def _arrange(self, faces: list[MeterFace]) -> None:
        """Make room for other meters; those that were there keep how they stood."""
        before = {bar: k for k, bar in enumerate(self._bars)}
        bars = [(face, channel) for face in faces for channel in range(face.channels)]
        kept = [(k, before[bar]) for k, bar in enumerate(bars) if bar in before]
        here, there = np.array([k for k, _ in kept], np.int64), np.array([k for _, k in kept], np.int64)

        def moved(values: npt.NDArray, empty: float) -> npt.NDArray:
            found = np.full(len(bars), empty, values.dtype)
            found[here] = values[there]
            return found

        self._peaks, self._held = moved(self._peaks, 0.0), moved(self._held, -HOLD_S)
        self._places, self._marks = moved(self._places, -1), moved(self._marks, -1)
        self._levels = np.zeros(len(bars))
        self._length = np.array([face.length for face, _ in bars], np.float64)
        self._faces, self._bars, self._starts = list(faces), bars, []
        start = 0
        for face in faces:
            self._starts.append(start)
            start += face.channels
