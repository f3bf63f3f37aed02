"""The picture of one strip, and where in it the mouse finds what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import KnobFace, Pen, fitted
from editor.faces import to_unit, value_text
from editor.link import Readings
from editor.meters import MeterFace
from editor.mixer.scale import Highest, fader_place, marks
from editor.mixer.strips import LEVEL, PAN, Strip, is_mute
from editor.theme import Colour, alpha, mix
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App

WIDTH, GAP, LEAST_HEIGHT = 142, 6, 168
HEAD, FOOT, COLUMN = 26, 24, 72
Part = Literal["head", "mute", "solo", "pan", "fader", "number", "clip", "ways"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the parts of a strip are, its corner at 0, 0."""

    boxes: dict[Part, Box]
    fader: Box
    meter: Box

    def part(self, x: float, y: float) -> Part | None:
        """What is at a point."""
        for name, (a, b, c, d) in self.boxes.items():
            if a <= x < c and b <= y < d:
                return name
        return None


def planned(width: float, height: float, px: float, pan: bool) -> Plan:
    """The plan of a strip of this size; ``px`` is the scale."""
    column, head, foot = COLUMN * px, HEAD * px, FOOT * px
    top, bottom = head + 6 * px, height - foot - 4 * px
    left, button = 8 * px, 23 * px
    y = top + 20 * px
    boxes: dict[Part, Box] = {
        "head": (0, 0, width, head),
        "mute": (left, top, left + button, y),
        "solo": (left + button + 4 * px, top, left + 2 * button + 4 * px, y),
    }
    y += 6 * px
    if pan:
        boxes["pan"] = (left, y, column - 4 * px, y + 48 * px)
        y += 52 * px
    boxes["ways"] = (left, y, column - 5 * px, bottom)
    meter = (width - 30 * px, top + 10 * px, width - 9 * px, bottom)
    fader = (column + 14 * px, top + 9 * px, column + 32 * px, bottom - 7 * px)
    boxes["clip"] = (meter[0] - 2 * px, top - 3 * px, width - 7 * px, top + 9 * px)
    boxes["fader"] = (column + 2 * px, top, meter[0] - 3 * px, bottom + 2 * px)
    boxes["number"] = (column - 14 * px, height - foot, column + 32 * px, height)
    return Plan(boxes, fader, meter)


class StripView:
    """Draws a strip into a layer of its own; the meter alone moves from frame to frame."""

    def __init__(self, app: App, strip: Strip, x: float, height: float) -> None:
        self.app, self.strip, self.x = app, strip, x
        self.px = app.look.scale
        self.width, self.height = WIDTH * self.px, height
        self.level = strip.face.param(LEVEL)
        self.pan: Param | None = strip.face.param(PAN)
        self.plan = planned(self.width, height, self.px, self.pan is not None)
        self.highest = Highest()
        self.layer = dpg.add_draw_node(parent="mixer")
        self._still = Pen(dpg.add_draw_node(parent=self.layer), app.look)
        self._lively = Pen(dpg.add_draw_node(parent=self.layer), app.look)
        self._words = Pen(dpg.add_draw_node(parent=self.layer), app.look)
        self._meter: MeterFace | None = None
        self._channels = 0
        self._said: object = None
        self._shown: object = None
        dpg.apply_transform(self.layer, dpg.create_translation_matrix([x, 0]))

    def show(self, strip: Strip, over: Part | None, chosen: bool, held: bool, names: dict[str, str]) -> None:
        """Draw it as it is now, if that is different."""
        state = (strip, over, chosen, held, tuple(names.get(way.to, "") for way in strip.ways))
        if state == self._shown:
            return
        self._shown, self.strip = state, strip
        pen, theme, px = self._still, self.app.look.theme, self.px
        pen.clear()
        family = theme.hue(strip.face.hue)
        mute = is_mute(strip.face)
        edge = theme.accent if chosen else theme.line
        back = mix(theme.body, theme.lifted, 0.5) if held else theme.body
        pen.box((0.5, 0.5), (self.width - 0.5, self.height - 1), back, edge, 6 * px, 1.5 if chosen else 1)
        pen.box((1, 1), (self.width - 1, 4 * px), alpha(family, 0.45 if mute else 1.0), radius=3 * px)
        title = fitted(strip.face.title, self.width - 18 * px, "strong", 13.5 * px)
        pen.words((9 * px, 8 * px), title, theme.dim if mute else theme.text, "strong", 13.5 * px)
        self._button("mute", "M", mute, theme.bad, over)
        self._button("solo", "S", strip.solo, theme.warn, over)
        if strip.safe:
            _, top, right, _ = self.plan.boxes["solo"]
            pen.dot((right - 2 * px, top + 2 * px), 3.2 * px, theme.good, theme.body, 1.5)
        self._draw_pan(over)
        self._draw_ways(names)
        self._draw_fader(mute, over)

    def _button(self, part: Part, letter: str, on: bool, colour: Colour, over: Part | None) -> None:
        pen, theme, px = self._still, self.app.look.theme, self.px
        a, b, c, d = self.plan.boxes[part]
        fill = colour if on else theme.lifted if over == part else theme.raised
        pen.box((a, b), (c, d), fill, radius=4 * px)
        ink = theme.well if on and theme.name != "light" else theme.body if on else theme.dim
        pen.words(((a + c) / 2, b + 3 * px), letter, ink, "strong", 12.5 * px, "centre")

    def _draw_pan(self, over: Part | None) -> None:
        if self.pan is None:
            return
        pen, theme, px = self._still, self.app.look.theme, self.px
        a, b, c, _ = self.plan.boxes["pan"]
        value = self.strip.face.values[PAN]
        radius = 14 * px
        centre = ((a + c) / 2, b + radius + 2 * px)
        KnobFace(pen, centre, radius, theme.accent, 0.5).turn(to_unit(self.pan, value))
        words = pan_text(self.pan, value)
        at = ((a + c) / 2, b + 2 * radius + 4 * px)
        pen.words(at, words, theme.text if over == "pan" else theme.dim, "small", 11 * px, "centre")

    def _draw_ways(self, names: dict[str, str]) -> None:
        pen, theme, px = self._still, self.app.look.theme, self.px
        a, b, c, d = self.plan.boxes["ways"]
        fits = int((d - b) // (14 * px))
        ways = self.strip.ways
        for k, way in enumerate(ways[:fits]):
            more = len(ways) - fits
            text = names.get(way.to, way.to) if k < fits - 1 or more <= 0 else f"+{more + 1} more"
            y = b + 14 * px * k
            colour = theme.hue("mix") if way.send else theme.faint
            pen.words((a, y + 1.5 * px), fonts.ICONS["caret-right"], colour, "icons", 10 * px)
            ink = theme.dim if way.send else theme.faint
            room = c - a - 9 * px
            if way.send and fonts.width(text, "small", 11 * px) > room:  # the send's own strip has its level
                text = text.rpartition(" ")[0] or text
            pen.words((a + 9 * px, y), fitted(text, room, "small", 11 * px), ink, "small", 11 * px)

    def _draw_fader(self, mute: bool, over: Part | None) -> None:
        assert self.level is not None
        pen, theme, px = self._still, self.app.look.theme, self.px
        a, b, c, d = self.plan.fader
        x, value = (a + c) / 2, self.strip.face.values[LEVEL]
        for db, place in marks(self.level, d - b, 13 * px):
            y = d - (d - b) * place
            strong = db == 0
            pen.line((a - 2 * px, y), (c + 1 * px, y), alpha(theme.text, 0.3 if strong else 0.1))
            ink = theme.dim if strong else theme.faint
            pen.words((a - 5 * px, y - 5.5 * px), f"{abs(db):g}", ink, "small", 10 * px, "right")
        pen.box((x - 2 * px, b - 3 * px), (x + 2 * px, d + 3 * px), theme.well, radius=2 * px)
        y = d - (d - b) * fader_place(self.level, value)
        colour = theme.dim if mute else theme.good if self.strip.automated else theme.accent
        pen.box((x - 1 * px, y), (x + 1 * px, d + 2 * px), alpha(colour, 0.7), radius=1 * px)
        active = over == "fader"
        cap = mix(theme.lifted, theme.text, 0.22 if active else 0.12)
        pen.box((a - 1 * px, y - 6 * px), (c + 1 * px, y + 8 * px), theme.shadow, radius=4 * px)
        pen.box((a - 1 * px, y - 8 * px), (c + 1 * px, y + 7 * px), cap, mix(cap, theme.well, 0.5), 3.5 * px)
        pen.line((a + 2 * px, y - 0.5), (c - 2 * px, y - 0.5), colour if not mute else theme.text, 2 * px)
        number = self.plan.boxes["number"]
        text = value_text(self.level, value).removesuffix(" dB")
        if over == "number":
            pen.box((number[0], number[1]), (number[2], number[3] - 3 * px), theme.raised, radius=4 * px)
        ink = theme.dim if mute else theme.text
        pen.words(((number[0] + number[2]) / 2, number[1] + 3 * px), text, ink, "medium", 13 * px, "centre")
        if self.strip.automated:
            pen.words((9 * px, number[1] + 4 * px), "Auto", theme.good, "small", 11 * px)

    # -- the meter -----------------------------------------------------------------------------------------------------

    def meter(self, readings: Readings) -> tuple[MeterFace, list[float]] | None:
        """The meter, and what is read of the node, or of the first after it of which something is, to be shown on it;
        None where nothing is read.
        """
        session = self.app.session
        chain = (readings.get(session.address(id), {}).get("peak") for id in self.strip.chain)
        levels = next((found for found in chain if found is not None), None)
        channels = min(len(levels), 16) if levels is not None else 2
        theme, px = self.app.look.theme, self.px
        if levels is None and not self.highest.peak:
            self._no_meter()
            return None
        if self._meter is None or channels != self._channels:
            self._lively.clear()
            a, b, c, d = self.plan.meter
            self._lively.box((a - 2 * px, b - 2 * px), (c + 2 * px, d + 2 * px), theme.well, radius=3 * px)
            self._meter, self._channels = MeterFace(self._lively, (a, b), (c, d), channels, upright=True), channels
        heard = levels[:channels].tolist() if levels is not None else []
        self.highest.hear(heard)
        said = (self.highest.text, self.highest.clipped)
        if said != self._said:
            self._said = said
            self._say()
        return self._meter, heard

    def _say(self) -> None:
        """Write the highest level there was."""
        theme, px = self.app.look.theme, self.px
        pen = self._words
        pen.clear()
        a, b, c, _ = self.plan.boxes["clip"]
        lamp = theme.bad if self.highest.clipped else mix(theme.well, theme.bad, 0.16)
        pen.box((a + 1 * px, b + 1 * px), (c - 1 * px, b + 7 * px), lamp, radius=2 * px)
        ink = theme.bad if self.highest.clipped else theme.faint
        at = (self.width - 9 * px, self.plan.boxes["number"][1] + 4 * px)
        pen.words(at, self.highest.text, ink, "small", 11 * px, "right")

    def _no_meter(self) -> None:
        """Nothing is read of it: that is no silence, and does not look like it."""
        if self._said != "none":
            self._said, self._meter = "none", None
            self._lively.clear()
            self._words.clear()
            a, b, c, d = self.plan.meter
            self._lively.box((a, b), (c, d), line=self.app.look.theme.line, radius=3 * self.px)

    def place(self, part: Part) -> Box:
        """Where a part is in the drawlist."""
        a, b, c, d = self.plan.boxes[part]
        return a + self.x, b, c + self.x, d

    def remove(self) -> None:
        """Take it away."""
        dpg.delete_item(self.layer)


def pan_text(param: Param, value: float) -> str:
    """A pan as mixers show it: C, or L or R and how far of the way in percent."""
    share = value / (param.high if value > 0 else -param.low)
    return "C" if abs(share) < 0.005 else f"{'L' if share < 0 else 'R'}{abs(share) * 100:.0f}"
