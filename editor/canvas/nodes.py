"""The picture of a node: made once for a zoom, moved by a transform, and changed in place when values change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dearpygui.dearpygui as dpg
import numpy as np

from editor import fonts
from editor.canvas.shape import HEADER, PAD, PIN, RADIUS, Knob, Part, Pin, Shape
from editor.canvas.view import Point
from editor.draw import NONE, KnobFace, Pen, fitted
from editor.faces import response, to_unit, trimmed
from editor.link import Floats
from editor.meters import MeterFace
from editor.theme import PIN_SHAPES, Colour, Look, alpha, mix
from graph.spec import Node, Param

WORDS_FROM = 0.55
"""The zoom from which on pins and knobs have words."""
TITLE_FROM = 0.24
NAME_PX = 12.0
"""How large the titles of nodes are that are looked at from far away, at most."""
VALUE, LABEL = 12.0, 11.0
"""How large the words below knobs are."""
CAPTION = 0.82
"""How much of the title's ink is in the line below it."""
FREQS = np.geomspace(20.0, 20000.0, 72)
NARROW_PX = 2.0
"""How near to each other the points of a curve are at least."""
CURVE_DB = 18.0
REDUCTION_DB = 18.0
POINTS = 64
MOST_BARS = 16
"""Of a meter."""


class NodePicture:
    """One node on the canvas, inside the draw node ``parent``, at ``factor`` pixels per unit of the plane."""

    def __init__(
        self,
        parent: int | str,
        tag: str,
        shape: Shape,
        look: Look,
        factor: float,
        *,
        plugged: frozenset[tuple[str, str]],
        driven: Mapping[str, str],
        kind: type[Node] | None,
        rate: float,
        wave: Floats | None,
        words: Callable[[str, float], str | None] = lambda param, value: None,
    ) -> None:
        """``plugged``: names and flows of pins with a cable; ``driven``: what moves params: automation, or a cable;
        ``words``: what a plugin itself shows for a value, where that is known by now.
        """
        self.words, self.waits = words, False
        self.tag, self.shape, self.look, self.factor = tag, shape, look, factor
        self.plugged, self.driven, self.kind, self.rate, self.wave = plugged, driven, kind, rate, wave
        dpg.add_draw_node(tag=tag, parent=parent)
        self.pen = Pen(tag, look)
        self._knobs: dict[str, tuple[KnobFace, int]] = {}
        self._meters: list[tuple[Part, MeterFace]] = []
        self._reductions: list[tuple[Part, int, int]] = []
        self._numbers: list[tuple[Part, int, str]] = []
        self._traces: list[tuple[Part, int]] = []
        self._curves: list[tuple[Part, int, int]] = []
        self._edge = 0
        self._draw()

    def _at(self, x: float, y: float) -> Point:
        return x * self.factor, y * self.factor

    # -- making --------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        theme, pen, f, own = self.look.theme, self.pen, self.factor, self.shape
        face, w, h = own.face, own.width * f, own.height * f
        radius = min(9 * f, 9 * self.look.scale)
        if theme.shadow[3]:
            for grow, depth in ((5.0, 0.30), (2.5, 0.55)):
                shade = alpha(theme.shadow, theme.shadow[3] / 255 * depth)
                pen.box(
                    (-grow * f, (2 - grow) * f),
                    (w + grow * f, h + (4 + grow) * f),
                    fill=shade,
                    radius=radius + grow * f,
                )
        pen.box((0, 0), (w, h), fill=theme.body, radius=radius)
        family = theme.hue(face.hue if face.known or face.tint else "")
        if face.missing:
            family = mix(family, theme.dim, 0.6)
        head = theme.head(family)
        if face.bypass:
            head = mix(head, theme.body, 0.6)
        top = HEADER * f
        pen.box((0, 0), (w, top), fill=head, radius=radius)
        pen.box((0, top - radius), (w, top), fill=head)
        pen.box((0, top - max(1.5 * f, 1)), (w, top), fill=alpha(family, 0.4 if face.bypass else 1.0))
        self._edge = pen.box((0, 0), (w, h), line=theme.line, radius=radius)
        if face.missing:
            _dashes(pen, w, h, radius, alpha(theme.dim, 0.8), max(1.3 * f, 1))
        if f >= TITLE_FROM:
            self._header(head)
        for part in own.parts:
            self._part(part)
        for knob in own.knobs:
            self._knob(knob)
        if face.bypass or face.mute:
            pen.box((1, top), (w - 1, h - 1), fill=alpha(theme.body, 0.55), radius=radius)
        for pin in own.pins:
            self._pin(pin)
        self.update(own)

    def _header(self, head: Colour) -> None:
        theme, pen, f, face = self.look.theme, self.pen, self.factor, self.shape.face
        ink = alpha(theme.title, 0.55) if face.bypass else theme.title
        if f < WORDS_FROM:
            self._name(ink)
            return
        left = min((b.x for b in self.shape.switches.values()), default=self.shape.width - 8)
        x = 11.0
        if face.problem or face.missing:
            icon, colour = ("warning", theme.warn) if face.problem else ("plug", alpha(ink, 0.7))
            pen.icon(self._at(x + 7, 14), icon, colour, 13 * f)
            x += 20
        size, small = 14.5 * f, 11.5 * f
        pen.words(self._at(x, 4.5), fitted(face.title, (left - x - 2) * f, "strong", size), ink, "strong", size)
        words = fitted(face.subtitle, (self.shape.width - 20) * f, "small", small)
        pen.words(self._at(11, 23.0), words, mix(head, ink, CAPTION), "small", small)
        for name, box in self.shape.switches.items():
            on = face.bypass if name == "bypass" else face.mute
            icon = "power" if name == "bypass" else "mute"
            colour = (theme.warn if name == "bypass" else theme.bad) if on else alpha(ink, 0.4)
            pen.icon(self._at(*box.middle), icon, colour, 12.5 * f)

    def _name(self, ink: Colour) -> None:
        """From far away the title has the whole header, in letters as large as can be."""
        f, own = self.factor, self.shape
        high, wide = HEADER * f, own.width * f
        size = min(high * 0.76, NAME_PX * self.look.scale)
        words = fitted(own.face.title, wide - high * 0.6, "medium", size)
        self.pen.words((high * 0.3, (high - size * 1.24) / 2), words, ink, "medium", size)

    def _pin(self, pin: Pin) -> None:
        theme, pen, f = self.look.theme, self.pen, self.factor
        x, y = self._at(*pin.at)
        colour = theme.pin(pin.type)
        filled = (pin.name, pin.flow) in self.plugged
        fill = colour if filled else mix(theme.body, colour, 0.18)
        r, width = max(PIN * f, 2.2), max(1.6 * f, 1)
        draw_pin(pen, (x, y), r, PIN_SHAPES.get(pin.type, "circle"), fill, colour, width)
        if f < WORDS_FROM:
            return
        size = 12.0 * f
        if pin.flow == "in":
            pen.words((x + 12 * f, y - 7.5 * f), pin.label, theme.dim, "small", size)
        else:
            pen.words((x - 12 * f, y - 7.5 * f), pin.label, theme.dim, "small", size, "right")

    def _knob(self, knob: Knob) -> None:
        theme, pen, f = self.look.theme, self.pen, self.factor
        centre, param = self._at(*knob.at), knob.param
        low, high = param.low, param.high
        middle = to_unit(param, 0.0) if low < 0 < high and not param.as_gain and param.curve != "log" else 0.0
        how = self.driven.get(param.name)
        colour = theme.pin("control") if how == "cable" else theme.warn if how else theme.hue(self.shape.face.hue)
        if theme.name == "dark":
            colour = mix(colour, theme.text, 0.12)
        picture = KnobFace(pen, centre, RADIUS * f, colour, middle)
        words = 0
        if f >= WORDS_FROM:
            size, cell = LABEL * f, (self.shape.width - PAD) / 3 * f
            words = pen.words((centre[0], centre[1] + (RADIUS + 2.5) * f), "", theme.text, "medium", VALUE * f)
            label = fitted(self.shape.face.label(param), cell, "small", size)
            below = centre[1] + (RADIUS + 18) * f
            pen.words((centre[0], below), label, theme.dim, "small", size, "centre")
        self._knobs[param.name] = (picture, words)

    def _part(self, part: Part) -> None:
        theme, pen = self.look.theme, self.pen
        a, b = self._at(part.box.x, part.box.y), self._at(part.box.right, part.box.bottom)
        match part.what:
            case "number":
                size = 11.5 * self.factor
                if self.factor >= WORDS_FROM:
                    pen.words((a[0], a[1]), part.reading.replace("_", " "), theme.dim, "small", size)
                item = pen.words((b[0], a[1]), "", theme.text, "mono", size)
                self._numbers.append((part, item, ""))
                return
            case "meter":
                pen.box(a, b, fill=theme.well, radius=2)
                self._meters.append((part, self._meter(part, 2)))
                return
            case "reduction":
                pen.box(a, b, fill=theme.well, radius=2)
                item = pen.box((b[0], a[1] + 1.5), (b[0] - 1, b[1] - 1.5), fill=theme.hue("dynamics"), radius=1)
                self._reductions.append((part, item, -1))
                return
        pen.box(a, b, fill=theme.well, line=alpha(theme.line, 0.7), radius=4 * self.factor)
        if part.what == "wave":
            self._wave(a, b)
        elif part.what == "curve":
            middle = (a[1] + b[1]) / 2
            flat = [(a[0], middle), (b[0], middle)]
            bright = mix(theme.hue(self.shape.face.hue), theme.text, 0.25)
            fill = pen.lines(flat, mix(theme.well, bright, 0.18), 1)
            for share in (0.25, 0.75):
                y = a[1] + (b[1] - a[1]) * share
                pen.line((a[0] + 2, y), (b[0] - 2, y), theme.grid)
            for hz in (100.0, 1000.0, 10000.0):
                x = a[0] + (b[0] - a[0]) * float(np.log(hz / 20) / np.log(1000))
                pen.line((x, a[1] + 2), (x, b[1] - 2), theme.grid)
            pen.line((a[0] + 2, middle), (b[0] - 2, middle), alpha(theme.dim, 0.25))
            self._curves.append((part, pen.lines(flat, bright, max(1.8 * self.factor, 1.2)), fill))
        else:
            line = pen.lines(
                [(a[0], b[1]), (b[0], b[1])], mix(theme.accent, theme.text, 0.1), max(1.3 * self.factor, 1)
            )
            self._traces.append((part, line))

    def _meter(self, part: Part, channels: int) -> MeterFace:
        a, b = self._at(part.box.x, part.box.y), self._at(part.box.right, part.box.bottom)
        return MeterFace(self.pen, (a[0] + 1.5, a[1] + 1.5), (b[0] - 1.5, b[1] - 1.5), channels)

    def _wave(self, a: Point, b: Point) -> None:
        theme, pen = self.look.theme, self.pen
        middle = (a[1] + b[1]) / 2
        pen.line((a[0] + 3, middle), (b[0] - 3, middle), alpha(theme.dim, 0.3))
        if self.wave is None or not len(self.wave):
            return
        reach, count = (b[1] - a[1]) / 2 - 3, len(self.wave)
        step = (b[0] - a[0] - 8) / count
        colour = mix(theme.hue(self.shape.face.hue), theme.text, 0.2)
        for k, peak in enumerate(self.wave):
            y = max(min(float(peak), 1.0) * reach, 0.5)
            x = a[0] + 4 + k * step
            pen.line((x, middle - y), (x, middle + y), colour, max(step * 0.6, 1))

    # -- changing ------------------------------------------------------------------------------------------------------

    def fits(self, shape: Shape, plugged: frozenset[tuple[str, str]], driven: Mapping[str, str]) -> bool:
        """Whether this picture can become that of another shape by ``update``: only values differ."""
        a, b = self.shape, shape
        same = (a.width, a.height, a.pins, a.knobs, a.parts) == (b.width, b.height, b.pins, b.knobs, b.parts)
        x, y = a.face, b.face
        looks = [(v.title, v.subtitle, v.hue, v.bypass, v.mute, v.problem, v.missing) for v in (x, y)]
        return same and looks[0] == looks[1] and self.plugged == plugged and self.driven == driven

    def update(self, shape: Shape) -> None:
        """Show the values of a shape that ``fits``."""
        self.shape = shape
        values = shape.face.values
        self.waits = False
        for knob in shape.knobs:
            if knob.param.name not in self._knobs:
                continue
            picture, words = self._knobs[knob.param.name]
            value = float(values.get(knob.param.name, knob.param.default))
            picture.turn(to_unit(knob.param, value))
            if words:
                text, size = self._text(knob.param, value), VALUE * self.factor
                x, y = picture.centre
                left = x - fonts.width(text, "medium", size) / 2
                dpg.configure_item(words, text=text, pos=(left, y + (RADIUS + 2.5) * self.factor))
        for part, line, fill in self._curves:
            self._bend(part, line, fill)

    def _text(self, param: Param, value: float) -> str:
        """A value as words. ``waits`` says whether the plugin may yet have better ones."""
        face = self.shape.face
        if param.name not in face.own:
            return face.text(param, value)
        found = self.words(param.name, value)
        self.waits = self.waits or found is None
        return face.text(param, value) if found is None else trimmed(found, face.own[param.name].unit)

    def _bend(self, part: Part, line: int, fill: int) -> None:
        x0, width = part.box.x * self.factor, part.box.width * self.factor
        freqs = FREQS[:: max(int(len(FREQS) * NARROW_PX / width), 1)]
        db = response(self.shape.face, self.kind, self.rate, freqs)
        if db is None:
            return
        middle, reach = part.box.middle[1] * self.factor, part.box.height * self.factor / 2 - 2
        heights = np.clip(np.nan_to_num(np.asarray(db), nan=0.0) / CURVE_DB, -1, 1)
        x, y = x0 + 1 + (width - 2) * np.arange(len(freqs)) / (len(freqs) - 1), middle - heights * reach
        dpg.configure_item(line, points=np.column_stack((x, y)).tolist())
        thick = width / len(freqs) + 1  # a line to and fro between the curve and its middle fills what is between
        inside = middle + np.sign(y - middle) * np.maximum(np.abs(y - middle) - thick / 2, 0)
        odd = np.arange(len(x)) % 2 == 1
        upright, across = (np.column_stack((x, np.where(which, inside, middle))) for which in (odd, ~odd))
        comb = np.stack((upright, across), axis=1).reshape(-1, 2)
        dpg.configure_item(fill, points=comb.tolist(), thickness=thick)

    def outline(self, colour: Colour, width: float) -> None:
        """Draw the border so."""
        dpg.configure_item(self._edge, color=colour, thickness=width)

    @property
    def lively(self) -> bool:
        """Whether there is anything on it that moves with the sound."""
        return bool(self._meters or self._reductions or self._numbers or self._traces)

    def levels(self, readings: Mapping[str, Floats]) -> list[tuple[MeterFace, Floats | None]]:
        """Its meters, with what each is to show."""
        found: list[tuple[MeterFace, Floats | None]] = []
        for k, (part, meter) in enumerate(self._meters):
            levels = readings.get(part.reading)
            if levels is not None and len(levels) != meter.channels and 0 < len(levels) <= MOST_BARS:
                meter.remove()
                meter = self._meter(part, len(levels))
                self._meters[k] = part, meter
            found.append((meter, levels))
        return found

    def live(self, readings: Mapping[str, Floats]) -> None:
        """Show what the node measures, its levels aside."""
        for k, (part, item, before) in enumerate(self._reductions):
            values = readings.get(part.reading)
            db = max(map(abs, values.tolist()), default=0.0) if values is not None else 0.0
            x1, y0, y1 = part.box.right * self.factor, part.box.y * self.factor, part.box.bottom * self.factor
            width = round(min(db / REDUCTION_DB, 1.0) * (part.box.width * self.factor - 3)) if db == db else 0
            if width != before:
                x0 = x1 - 1.5 - width
                dpg.configure_item(item, pmin=(x0, y0 + 1.5), pmax=(x1 - 1.5, y1 - 1.5), show=width > 0)
                self._reductions[k] = part, item, width
        for k, (part, item, before) in enumerate(self._numbers):
            values = readings.get(part.reading)
            text = (
                f"{float(values[0]):.1f} {part.unit}".replace("-inf", "−∞").replace("-", "−")
                if values is not None and len(values)
                else "–"
            )
            if text != before:
                size = 11.5 * self.factor
                x = part.box.right * self.factor - fonts.width(text, "mono", size)
                dpg.configure_item(item, text=text, pos=(x, part.box.y * self.factor))
                self._numbers[k] = part, item, text
        for part, item in self._traces:
            values = readings.get(part.reading)
            if values is not None and len(values) >= 2:
                dpg.configure_item(item, points=trace(part, values, self.factor))

    def delete(self) -> None:
        """Take it off the canvas."""
        dpg.delete_item(self.tag)


def trace(part: Part, values: Floats, factor: float) -> list[list[float]]:
    """A big reading as a line: decibels from −96 to 0, anything else from −1 to 1, at most POINTS across."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=-200.0)
    width = part.box.width * factor - 4
    count = int(min(POINTS, len(values), max(width / 2, 8)))
    starts = np.arange(count) * len(values) // count
    top, height = part.box.y * factor + 2, part.box.height * factor - 4
    highest = np.maximum.reduceat(values, starts)
    if part.unit == "dB":
        ends = [highest / -96.0]
    else:
        ends = [0.5 - 0.5 * np.minimum.reduceat(values, starts), 0.5 - 0.5 * highest]
    x = part.box.x * factor + 2 + width * np.arange(count) / max(count - 1, 1)
    points = np.empty((count, len(ends), 2))
    points[:, :, 0] = x[:, None]
    points[:, :, 1] = top + height * np.clip(np.stack(ends, axis=1), 0.0, 1.0)
    return points.reshape(-1, 2).tolist()


def draw_pin(pen: Pen, at: Point, r: float, shape: str, fill: Colour, line: Colour, width: float) -> None:
    """A pin in the shape of its type."""
    x, y = at
    if shape == "circle":
        pen.dot(at, r, fill, line, width)
    elif shape == "square":
        pen.box((x - r * 0.85, y - r * 0.85), (x + r * 0.85, y + r * 0.85), fill=fill, line=line, radius=1, width=width)
    else:
        turns = {
            "triangle": ((-0.8, -1.05), (1.1, 0), (-0.8, 1.05)),
            "diamond": ((-1.2, 0), (0, -1.2), (1.2, 0), (0, 1.2)),
        }
        corners = [[x + dx * r, y + dy * r] for dx, dy in turns.get(shape, turns["diamond"])]
        dpg.draw_polygon(
            [*corners, corners[0]], fill=fill, color=line if line[3] else NONE, thickness=width, parent=pen.parent
        )


def _dashes(pen: Pen, width: float, height: float, inset: float, colour: Colour, thick: float) -> None:
    """A dashed line round a box, its corners left out: what should be here is elsewhere."""
    dash, gap = 6.0, 5.0
    for length, ends in (
        (width, lambda a, b: [((a, 0), (b, 0)), ((a, height), (b, height))]),
        (height, lambda a, b: [((0, a), (0, b)), ((width, a), (width, b))]),
    ):
        at = inset
        while at < length - inset:
            for a, b in ends(at, min(at + dash, length - inset)):
                pen.line(a, b, colour, thick)
            at += dash + gap
