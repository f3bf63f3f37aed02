"""Levels and plain numbers of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editor.faces import spoken
from editor.inspector.subject import Subject
from editor.inspector.view import Tiles, View, db_words, decibels
from editor.link import Readings
from editor.meters import MeterFace, meter_place
from editor.theme import alpha

if TYPE_CHECKING:
    from editor.app import App

MARKS_DB = (-48, -36, -24, -18, -12, -6, 0)


class LevelView(View):
    """A meter for the first reading, channel by channel, and each reading as a number below it, the loudest channel's.

    ``names``: of readings that are sample values, 1 being full scale.
    """

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int, names: tuple[str, ...]) -> None:
        super().__init__(app, subject, parent, f"inspector:{subject.id}:levels", (width, app.look.px(58)))
        self.names, self._channels = names, 0
        self._bars = self.layer()
        self._tiles = Tiles(
            app, subject, parent, f"inspector:{subject.id}:level-numbers", width, tuple(map(spoken, names))
        )
        theme, px, pen = app.look.theme, self.px, self.layer()
        for db in MARKS_DB:
            x = meter_place(10 ** (db / 20)) * width
            pen.line((x, px(36)), (x, px(40)), theme.faint)
            words = f"{db}".replace("-", "−")
            pen.words((min(x, width - px(5)), px(41)), words, theme.dim, "small", px(10.5), "centre")

    def frame(self, now: float, readings: Readings) -> None:
        for index, name in enumerate(self.names):
            found = self.subject.reading(readings, name)
            if found is None:
                self._tiles.put(index, "…", self.app.look.theme.faint)
                continue
            level, theme = decibels(float(found.max())), self.app.look.theme
            hot = theme.bad if level > 0.0 else theme.warn if level > -3.0 else theme.text
            self._tiles.put(index, db_words(level), hot)
            if index == 0:
                if len(found) != self._channels:
                    self._channels = len(found)
                    self._bars.clear()
                    a, b = (0.0, float(self.px(3))), (float(self.width), float(self.px(34)))
                    self._bars.box(a, b, alpha(theme.well, 1.0), radius=self.px(2))
                    self._face = MeterFace(self._bars, a, b, self._channels)
                self._face.show(found, now)

    def free(self) -> None:
        super().free()
        self._tiles.free()


class NumbersView(Tiles):
    """Readings that are no picture, as numbers with their units."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int, names: tuple[str, ...]) -> None:
        shown = names[:4]
        super().__init__(
            app, subject, parent, f"inspector:{subject.id}:numbers", width, tuple(spoken(n) for n in shown)
        )
        self.names = shown

    def frame(self, now: float, readings: Readings) -> None:
        for index, name in enumerate(self.names):
            found = self.subject.reading(readings, name)
            unit = self.subject.face.readings[name].unit
            self.put(index, "…" if found is None else f"{float(found[0]):.2f} {unit}".strip().replace("-", "−"))
