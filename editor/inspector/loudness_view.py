"""Loudness against a specification: the numbers, what passes and what does not, and the last minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from editor import fonts
from editor.draw import Pen
from editor.inspector.axes import Axis
from editor.inspector.loudness import SPECS, History, Spec, Verdict, judged, known, overall
from editor.inspector.params import BESIDE, labelled
from editor.inspector.picture import polyline
from editor.inspector.subject import Subject
from editor.inspector.view import Tiles, View, db_words
from editor.link import Readings
from editor.theme import Colour, alpha, mix
from graph.edits import SetPatchField

if TYPE_CHECKING:
    from editor.app import App

KEPT_AS = "loudness_target"
"""Where a patch keeps which specification it is for."""
AROUND_LU = (-24.0, 12.0)
"""What the history shows, from the target."""


def spec_of(metadata: dict[str, object]) -> Spec:
    """The specification that a patch is for; the first one where it says none that is known."""
    wanted = metadata.get(KEPT_AS)
    return next((spec for spec in SPECS if spec.id == wanted), SPECS[0])


class LoudnessView(View):
    """Made for readings called momentary, short_term, integrated, loudness_range and true_peak."""

    def __init__(
        self, app: App, subject: Subject, parent: int | str, width: int, histories: dict[str, History]
    ) -> None:
        px, id = app.look.px, subject.id
        self._histories = histories
        names = [spec.title for spec in SPECS]
        with labelled(app, parent, "Deliver for", width):
            dpg.add_combo(
                names, tag=f"inspector:{id}:spec", width=int(width * BESIDE),
                callback=lambda s, title: self._choose(SPECS[names.index(title)]),
            )  # fmt: skip
        super().__init__(app, subject, parent, f"inspector:{id}:loudness", (width, px(118)))
        self._tiles = Tiles(app, subject, parent, f"inspector:{id}:loudness-numbers", width,
                            ("Momentary", "Short-term", "Range", "True peak"))  # fmt: skip
        self._graph = dpg.add_drawlist(width, px(130), tag=f"inspector:{id}:loudness-history", parent=parent)
        self._note = dpg.add_text("", wrap=width, color=app.look.theme.faint, parent=parent)
        dpg.bind_item_font(self._note, fonts.font("small"))
        self._head = self.layer()
        self._shown: object = None
        self._count = -1
        self._spec: Spec | None = None
        self.show(subject)

    def _choose(self, spec: Spec) -> None:
        session = self.subject.session
        session.do_at_root(SetPatchField("metadata", {**session.patch.metadata, KEPT_AS: spec.id}))
        self.show(self.subject)

    def show(self, subject: Subject) -> None:
        super().show(subject)
        spec = spec_of(subject.session.patch.metadata)
        if spec == self._spec:
            return
        self._spec = spec
        self._shown = None
        dpg.set_value(f"inspector:{subject.id}:spec", spec.title)
        dpg.set_value(self._note, f"{spec.source}. {spec.note}".strip())
        self._draw_scale(spec)

    def _draw_scale(self, spec: Spec) -> None:
        theme, px = self.app.look.theme, self.px
        dpg.delete_item(self._graph, children_only=True)
        pen = Pen(self._graph, self.app.look)
        foot = px(122)
        self._left = px(30)
        self.up = Axis(spec.target_lufs + AROUND_LU[0], spec.target_lufs + AROUND_LU[1], foot, px(6))
        pen.box((self._left, px(6)), (self.width, foot), theme.well, theme.line, radius=px(3))
        band = (
            self.up.place(spec.target_lufs + spec.tolerance_lu),
            self.up.place(spec.target_lufs - spec.tolerance_lu),
        )
        pen.box((self._left + 1, band[0]), (self.width - 1, band[1]), alpha(theme.good, 0.16))
        y = self.up.place(spec.target_lufs)
        pen.line((self._left, y), (self.width, y), alpha(theme.good, 0.7), px(1))
        for lu in range(int(AROUND_LU[0]), int(AROUND_LU[1]) + 1, 6):
            y = round(self.up.place(spec.target_lufs + lu))
            if lu not in (int(AROUND_LU[0]), int(AROUND_LU[1])):
                pen.line((self._left, y), (self.width, y), alpha(theme.text, 0.06))
                words = f"{spec.target_lufs + lu:g}".replace("-", "−")
                colour = theme.good if lu == 0 else theme.dim
                pen.words((self._left - px(6), y - px(7)), words, colour, "small", px(11), "right")
        pen.words((self.width - px(8), px(10)), "last minute", theme.faint, "small", px(10.5), "right")
        self._momentary = pen.lines([(0, 0), (0, 0)], alpha(theme.dim, 0.65), px(1))
        self._short = pen.lines([(0, 0), (0, 0)], theme.accent, px(2))
        self._count = -1

    def frame(self, now: float, readings: Readings) -> None:
        spec = spec_of(self.subject.session.patch.metadata)
        if spec != self._spec:
            self.show(self.subject)
        found = {name: self.subject.reading(readings, name) for name in
                 ("momentary", "short_term", "integrated", "loudness_range", "true_peak")}  # fmt: skip
        values = {name: float(part.max()) if part is not None else None for name, part in found.items()}
        self._tiles.put(0, db_words(known(values["momentary"])))
        self._tiles.put(1, db_words(known(values["short_term"])))
        span = values["loudness_range"]
        self._tiles.put(2, "…" if span is None else f"{span:.1f} LU")
        peak = known(values["true_peak"])
        hot = peak is not None and peak > spec.true_peak_dbtp
        self._tiles.put(3, db_words(peak), self.app.look.theme.bad if hot else None)
        self._draw_verdicts(judged(spec, values["integrated"], values["true_peak"]))
        self._draw_history()

    def _draw_verdicts(self, verdicts: tuple[Verdict, ...]) -> None:
        shown = tuple((v.state, db_words(v.value), v.wanted) for v in verdicts)
        if shown == self._shown:
            return
        self._shown = shown
        theme, px, pen = self.app.look.theme, self.px, self._head
        pen.clear()
        colours: dict[str, Colour] = {"pass": theme.good, "fail": theme.bad, "wait": theme.dim}
        state = overall(verdicts)
        colour = colours[state]
        foot = self.height - px(6)
        pen.box((0, px(2)), (self.width, foot), mix(theme.raised, colour, 0.06), alpha(colour, 0.35), radius=px(7))
        big = db_words(verdicts[0].value)
        value_colour = theme.text if verdicts[0].state == "wait" else colours[verdicts[0].state]
        pen.words((px(14), px(12)), big, value_colour, "clock", px(30))
        left = px(14) + fonts.width(big, "clock", px(30)) + px(8)
        pen.words((left, px(28)), "LUFS integrated", theme.dim, "small", px(12))
        words = {"pass": "Passes", "fail": "Does not pass", "wait": "Measuring"}[state]
        wide = fonts.width(words, "medium", px(13)) + px(18)
        right = self.width - px(12)
        pen.box((right - wide, px(12)), (right, px(34)), alpha(colour, 0.2), radius=px(11))
        pen.words((right - wide / 2, px(15)), words, colour, "medium", px(13), "centre")
        for k, verdict in enumerate(verdicts):
            y = px(58) + k * px(23)
            icon = {"pass": "good", "fail": "error", "wait": "clock"}[verdict.state]
            pen.icon((px(22), y + px(8)), icon, colours[verdict.state], px(14))
            pen.words((px(38), y), verdict.title, theme.text, "small", px(12.5))
            pen.words(
                (self.width * 0.52, y), db_words(verdict.value), colours[verdict.state], "medium", px(13), "right"
            )
            pen.words((self.width - px(12), y), verdict.wanted, theme.dim, "small", px(12), "right")

    def _draw_history(self) -> None:
        history = self._histories.get(self.subject.address)
        if history is None or not history.points or (history.points[-1], len(history.points)) == self._count:
            return
        self._count = (history.points[-1], len(history.points))
        points = np.array(history.points)
        size = History.SECONDS * History.PER_SECOND
        span = self.width - self._left - 2
        xs = self.width - 1 - (len(points) - 1 - np.arange(len(points))) * span / size
        for item, column in ((self._momentary, 0), (self._short, 1)):
            ys = np.clip(self.up.places(points[:, column]), self.up.end + 1, self.up.start - 1)
            line = polyline(xs, ys)
            dpg.configure_item(item, points=line if len(line) > 1 else [*line, *line])

    def free(self) -> None:
        super().free()
        self._tiles.free()
