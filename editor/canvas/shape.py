"""The shape of a node: what is on it and where, from its face, in units of the plane. Plain geometry, no drawing.

A node is a header, then rows of pins (inputs at the left edge, outputs at the right), then what its declaration
offers: a curve, a wave, meters, numbers, knobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from editor.canvas.view import Box, Point
from editor.faces import Face
from graph.spec import LANES, Node, Param, Reading, Stream

WIDTH, NARROW = 186.0, 150.0
HEADER = 42.0
"""Of every node: a title, and below it what it is."""
ROW = 21.0
PAD = 10.0
KNOBS = 3
MOST_PARAMS = 24
"""A node that has more, none of them declared one by one, is no place for knobs."""
KNOB_ROW = 70.0
RADIUS = 16.0
"""Of a knob."""
CURVE, WAVE, METER, REDUCTION, NUMBER = 62.0, 46.0, 16.0, 10.0, 18.0
GAP = 8.0
PIN = 5.5
REACH = 13.0
"""How near to a pin counts as on it."""

Flow = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a cable plugs in: a port, or a param that a cable moves. ``at`` is relative to the node."""

    name: str
    flow: Flow
    type: str
    at: Point
    label: str
    is_param: bool = False


@dataclass(frozen=True, slots=True)
class Knob:
    """A param that can be turned on the node; ``at`` is its middle, relative to the node."""

    param: Param
    at: Point


@dataclass(frozen=True, slots=True)
class Part:
    """An instrument on a node: curve, wave, meter, reduction, number or trace; ``reading`` is what it shows."""

    what: Literal["curve", "wave", "meter", "reduction", "number", "trace"]
    box: Box
    reading: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A node's parts, relative to its upper left corner."""

    face: Face
    width: float
    height: float
    pins: tuple[Pin, ...]
    knobs: tuple[Knob, ...] = ()
    parts: tuple[Part, ...] = ()
    switches: Mapping[str, Box] = field(default_factory=dict[str, Box])
    """``bypass`` and ``mute``, in the header."""

    def pin(self, name: str, flow: Flow) -> Pin | None:
        """A pin by its name."""
        return next((p for p in self.pins if p.name == name and p.flow == flow), None)


def shape(face: Face, kind: type[Node] | None, moved: tuple[str, ...] = ()) -> Shape:
    """The shape of a node. ``moved``: params with a cable, which get a pin of their own."""
    knobs = _knob_params(face, kind)
    parts = _instruments(kind)
    wide = bool(knobs) or any(p.what != "number" for p in parts) or len(face.title) > 15
    width = WIDTH if wide else NARROW
    y = HEADER + 6.0
    pins: list[Pin] = []
    for k, port in enumerate(face.inputs):
        pins.append(Pin(port.name, "in", port.type, (0.0, y + ROW * (k + 0.5)), port.name.replace("_", " ")))
    shown = [p for p in moved if face.port(p) is None]
    for k, name in enumerate(shown, start=len(face.inputs)):
        param = face.param(name)
        label = face.label(param).lower() if param is not None else name.replace("_", " ")
        pins.append(Pin(name, "in", "control", (0.0, y + ROW * (k + 0.5)), label, is_param=True))
    for k, port in enumerate(face.outputs):
        pins.append(Pin(port.name, "out", port.type, (width, y + ROW * (k + 0.5)), port.name.replace("_", " ")))
    y += ROW * max(len(face.inputs) + len(shown), len(face.outputs), 0) + 4.0
    placed: list[Part] = []
    for part in parts:
        height = part.box.height
        placed.append(Part(part.what, Box(PAD, y, width - 2 * PAD, height), part.reading, part.unit))
        y += height + (GAP if part.what != "number" else 0.0)
    cells: list[Knob] = []
    for k, param in enumerate(knobs):
        cell = (width - 2 * PAD) / max(len(knobs), 2)
        left = (width - cell * len(knobs)) / 2
        cells.append(Knob(param, (left + cell * (k + 0.5), y + RADIUS + 2)))
    if cells:
        y += KNOB_ROW
    switches: dict[str, Box] = {}
    x = width - 24.0
    if face.bypassable:
        switches["bypass"] = Box(x, 5, 18, 18)
        x -= 19.0
    if face.outputs and face.known:
        switches["mute"] = Box(x, 5, 18, 18)
    return Shape(face, width, y + 4.0, tuple(pins), tuple(cells), tuple(placed), switches)


def _knob_params(face: Face, kind: type[Node] | None) -> tuple[Param, ...]:
    """The first continuous params; none where there are so many that a node is no place for them."""
    turned = [p for p in face.params if p.curve in ("linear", "log", "integer") and not _chooses(face, p)]
    if len(face.params) > MOST_PARAMS and kind is not None:
        if not any(p in kind.every(Param) for p in face.params):
            return ()
    return tuple(turned[:KNOBS])


def _chooses(face: Face, param: Param) -> bool:
    """Whether a plugin's param picks one of a few things, or nothing at all: a program."""
    own = face.own.get(param.name)
    return own is not None and (bool(own.steps) or (own.low == own.high and bool(own.low)))


def _instruments(kind: type[Node] | None) -> list[Part]:
    """What there is to see on a node, by its kind's declaration; boxes have only their heights yet."""
    if kind is None:
        return []
    found: list[Part] = []
    if kind.response.__func__ is not Node.response.__func__:
        found.append(_part("curve", CURVE))
    streams = kind.every(Stream)
    if any(s.serves == "file" and s.flow == "in" for s in streams):
        found.append(_part("wave", WAVE))
    readings = [(name, item) for name, item in kind.declared.items() if isinstance(item, Reading)]
    levels = [name for name, item in readings if item.unit == "" and item.shape == (LANES,)]
    traces = [(name, item) for name, item in readings if callable(item.shape) or len(item.shape) > 1]
    numbers = [(name, item) for name, item in readings if item.shape == (1,) and item.unit]
    if traces:
        found.append(_part("trace", CURVE, *_named(traces[0])))
    if levels or any(s.flow == "out" for s in streams):
        found.append(_part("meter", METER, levels[0] if levels else "peak"))
    for name, item in readings:
        if item.unit == "dB" and item.shape == (LANES,):
            found.append(_part("reduction", REDUCTION, name, item.unit))
    found += [_part("number", NUMBER, *_named(each)) for each in numbers[:3]]
    return found


def _named(reading: tuple[str, Reading]) -> tuple[str, str]:
    return reading[0], reading[1].unit


def _part(what, height: float, reading: str = "", unit: str = "") -> Part:
    return Part(what, Box(0, 0, 0, height), reading, unit)
