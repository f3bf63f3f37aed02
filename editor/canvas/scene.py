"""What is on the plane: nodes with shapes and places, cables with their curves, frames; and what is at a point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from editor.canvas.arrange import Drop, arrange
from editor.canvas.curves import Curve, curve, distance, extent
from editor.canvas.places import Places
from editor.canvas.routes import lane_of, way
from editor.canvas.shape import HEADER, RADIUS, REACH, ROW, Flow, Knob, Pin, Shape, shape
from editor.canvas.view import Box, Point, around
from editor.model import Changes, Session
from graph.document import Cable, CableKey, NodeEntry

NEAR_CABLE = 7.0
FRAME_TITLE = 30.0
CORNER = 16.0


@dataclass(frozen=True, slots=True)
class PinAt:
    """A pin of a node."""

    node: str
    pin: Pin


@dataclass(frozen=True, slots=True)
class Frame:
    """A titled area, kept in the patch's ``metadata.frames``: nodes inside it move with it."""

    index: int
    title: str
    colour: str
    box: Box
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """What is at a point, the uppermost first: a pin, a switch, a knob, a node, a cable, a frame, or nothing."""

    node: str = ""
    pin: PinAt | None = None
    knob: Knob | None = None
    switch: str = ""
    cable: Cable | None = None
    frame: Frame | None = None
    corner: bool = False
    """At the lower right corner of a frame."""


class Scene:
    """Follows a session. Places of nodes that have none are found by ``arrange``, and kept until they get one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.shapes: dict[str, Shape] = {}
        self.places: dict[str, Point] = {}
        self.cables: dict[CableKey, Cable] = {}
        self.curves: dict[CableKey, Curve] = {}
        self.types: dict[CableKey, str] = {}
        """What cables are coloured by: the target's type, for sidechains and control signals; else the source's."""
        self.frames: list[Frame] = []
        self.order: list[str] = []
        """From the lowest to the uppermost."""
        self._found: dict[str, Point] = {}
        self._boxes: Places[str] | None = None
        self._bounds: Places[CableKey] | None = None
        self._unsettled = False
        self._settling: Iterator[None] | None = None
        """The work of leading all cables, as far as it has come."""
        self._led: dict[CableKey, tuple[Curve, Curve]] = {}
        """Plain curves, and the ways that were found for them among nodes that lay like this:"""
        self._among = np.empty((0, 4))

    # -- following -----------------------------------------------------------------------------------------------------

    def sync(self, changes: Changes) -> frozenset[str]:
        """Follow the session; the answer: nodes whose shape is another one, or that are new.

        What has not changed stays the same object: shapes, places, curves.
        """
        here = self.session.here
        entries = here.nodes()
        if changes.everything:
            self._found.clear()
            self.order.clear()
        touched = set(entries) if changes.everything else set(changes.added | changes.nodes)
        touched |= {node for node, _ in changes.params}
        if changes.cables or changes.everything:
            cables = {c.key: c for c in self.session.survey.cables}
            others = [k for k in self.cables.keys() | cables.keys() if self.cables.get(k) != cables.get(k)]
            touched |= {end for key in others for end in (key[0], key[2])}
            self.cables = cables
        reshaped = frozenset(id for id in touched & entries.keys() if self._reshape(id))
        if changes.structure:
            for id in self.shapes.keys() - entries.keys():
                del self.shapes[id]
                self._found.pop(id, None)
            known = set(self.order)
            self.order = [id for id in self.order if id in entries] + [id for id in entries if id not in known]
        if changes.structure or changes.moved or reshaped:
            self._put(entries)
            self._bend(None if changes.structure else changes.moved | reshaped)
            self._unsettled = not changes.structure
        if changes.words or changes.everything:
            self.frames = frames_of(here.metadata)
        return reshaped

    def _reshape(self, id: str) -> bool:
        own, survey = self.session.face(id), self.session.survey
        into = (c.target_port for c in survey.cables_of(id) if c.target == id)
        ports = tuple(dict.fromkeys(p for p in into if own.param(p) is not None))
        made = shape(own, own.real, ports)
        if self.shapes.get(id) == made:
            return False
        self.shapes[id] = made
        return True

    def _put(self, entries: Mapping[str, NodeEntry]) -> None:
        nowhere = [id for id, e in entries.items() if e.position is None]
        if any(id not in self._found for id in nowhere):
            self._found = self._find_places(entries, nowhere)
        self.places = {id: e.position or self._found[id] for id, e in entries.items()}
        self._boxes = None

    def _find_places(self, entries: Any, nowhere: list[str]) -> dict[str, Point]:
        placed = [
            Box(e.position[0], e.position[1], self.shapes[id].width, self.shapes[id].height)
            for id, e in entries.items()
            if e.position is not None
        ]
        span = around(placed)
        origin = (span.x, span.bottom + 60.0) if span else (0.0, 0.0)
        return self.arranged(nowhere, origin)

    def arranged(self, nodes: Iterable[str], origin: Point) -> dict[str, Point]:
        """Places for some nodes by signal flow, the upper left one at ``origin``."""
        chosen = set(nodes)
        sizes = {id: (self.shapes[id].width, self.shapes[id].height) for id in sorted(chosen)}
        cables: list[Drop] = []
        for c in self.session.here.cables():
            if c.source in chosen and c.target in chosen and not c.feedback:
                out = self.shapes[c.source].pin(c.source_port, "out")
                into = self.shapes[c.target].pin(c.target_port, "in")
                cables.append((c.source, c.target, out.at[1] if out else 0.0, into.at[1] if into else 0.0))
        return arrange(sizes, cables, origin)

    @property
    def unsettled(self) -> bool:
        """Whether cables are still to be led round nodes that were moved."""
        return self._unsettled or self._settling is not None

    def settle(self, enough: Callable[[], bool] = lambda: False) -> bool:
        """Lead all cables round nodes that were moved, once they stay where they are; whether any runs elsewhere now.
        Cables would flee from a node that is dragged to one of them. It is stopped between two cables when there is
        ``enough``, and goes on when it is called again.
        """
        if self._unsettled:
            self._unsettled, self._settling = False, self._bending(None)
        if self._settling is None:
            return False
        before = self.curves
        for _ in self._settling:
            if enough():
                return False
        self._settling = None
        return any(before.get(key) is not found for key, found in self.curves.items())

    def _bend(self, nodes: Iterable[str] | None) -> None:
        """Find the curves of the cables of these nodes, or of all."""
        self._settling = None
        for _ in self._bending(nodes):
            pass

    def _bending(self, nodes: Iterable[str] | None) -> Iterator[None]:
        """The same in steps, one for each way that is looked for; the last one shows what was found."""
        before = self.curves
        curves, types = (dict(self.curves), self.types) if nodes is not None else ({}, {})
        keys = list(self.cables)
        if nodes is not None:
            keys = sorted({c.key for node in nodes for c in self.session.survey.cables_of(node)})
        plain: dict[CableKey, Curve] = {}
        for key in keys:
            cable = self.cables[key]
            a = self.pin_place(cable.source, cable.source_port, "out")
            b = self.pin_place(cable.target, cable.target_port, "in")
            if a is None or b is None:
                curves.pop(key, None)
                continue
            plain[key] = curve(a, b)
            types[key] = self._type(cable)
        ways: dict[CableKey, Curve] = {}
        yield from self._leading(plain, [c for key, c in curves.items() if key not in plain], ways)
        found = {**plain, **ways}
        curves.update({key: before[key] if before.get(key) == bent else bent for key, bent in found.items()})
        self.curves, self.types, self._bounds = curves, types, None

    def _leading(
        self, plain: Mapping[CableKey, Curve], others: list[Curve], found: dict[CableKey, Curve]
    ) -> Iterator[None]:
        """Find the ways of those cables that nodes would hide, one after another."""
        nodes = self.boxes.corners
        if not plain or not len(nodes):
            return
        left, top, right, bottom = np.array([extent(c) for c in plain.values()]).T[:, :, None]
        behind = (nodes[:, 0] < right) & (nodes[:, 2] > left) & (nodes[:, 1] < bottom) & (nodes[:, 3] > top)
        led = self._led if np.array_equal(nodes, self._among) else {}
        found |= {key: known[1] for key, c in plain.items() if (known := led.get(key)) is not None and known[0] == c}
        lanes = [lane for c in (*others, *found.values()) if (lane := lane_of(c)) is not None]
        for key, hidden in zip(plain, behind.any(axis=1).tolist(), strict=True):
            a, b = plain[key][0], plain[key][3]
            if key not in found and (hidden or b[0] < a[0]):
                rank = round((b[1] - self.places[key[2]][1] + a[1] - self.places[key[0]][1] - 2 * HEADER) / ROW) - 1
                found[key] = way(a, b, nodes, lanes, rank)
                lane = lane_of(found[key])
                lanes += [lane] if lane is not None else []
                yield
        self._led, self._among = {**led, **{key: (plain[key], c) for key, c in found.items()}}, nodes

    def _type(self, cable: Cable) -> str:
        target = self.shapes[cable.target].pin(cable.target_port, "in")
        source = self.shapes[cable.source].pin(cable.source_port, "out")
        if target is not None and target.type in ("sidechain", "control"):
            return target.type
        return source.type if source is not None else "audio"

    # -- where things are ----------------------------------------------------------------------------------------------

    def box(self, node: str) -> Box:
        """Where a node is."""
        (x, y), own = self.places[node], self.shapes[node]
        return Box(x, y, own.width, own.height)

    def pin_place(self, node: str, name: str, flow: Flow) -> Point | None:
        """Where a pin is, if there is such a one."""
        own = self.shapes.get(node)
        pin = own.pin(name, flow) if own else None
        if pin is None or node not in self.places:
            return None
        x, y = self.places[node]
        return x + pin.at[0], y + pin.at[1]

    def span(self, nodes: Iterable[str] | None = None) -> Box | None:
        """The rectangle that has these nodes in it; all, and the frames, where none are named."""
        chosen = list(self.places) if nodes is None else [n for n in nodes if n in self.places]
        extra = [f.box for f in self.frames] if nodes is None else []
        return around([self.box(n) for n in chosen] + extra)

    def raise_(self, nodes: Iterable[str]) -> None:
        """Bring nodes above all others."""
        up = set(nodes)
        self.order = [n for n in self.order if n not in up] + [n for n in self.order if n in up]
        self._boxes = None

    @property
    def boxes(self) -> Places[str]:
        """Where the nodes are, from the lowest to the uppermost."""
        if self._boxes is None:
            rows = []
            for id in self.order:
                (x, y), own = self.places[id], self.shapes[id]
                rows.append((x, y, x + own.width, y + own.height))
            self._boxes = Places(list(self.order), np.array(rows, np.float64).reshape(-1, 4))
        return self._boxes

    @property
    def bounds(self) -> Places[CableKey]:
        """The rectangles that have the cables in them."""
        if self._bounds is None:
            corners = np.array([extent(c) for c in self.curves.values()], np.float64).reshape(-1, 4)
            self._bounds = Places(list(self.curves), corners)
        return self._bounds

    # -- what is at a point --------------------------------------------------------------------------------------------

    def at(self, x: float, y: float, reach: float = 1.0) -> Hit:
        """What is at a point of the plane. ``reach`` widens pins and cables when one looks from far away."""
        found = self._pin_at(x, y, REACH * min(reach, 1.6))
        if found is not None:
            return Hit(found.node, pin=found)
        for node in reversed(self.boxes.near(x, y)):
            box = self.box(node)
            return self._inside(node, x - box.x, y - box.y)
        cable = self.cable_at(x, y, NEAR_CABLE * min(reach, 2.0))
        if cable is not None:
            return Hit(cable=cable)
        for frame in reversed(self.frames):
            if frame.box.holds(x, y):
                corner = x > frame.box.right - CORNER and y > frame.box.bottom - CORNER
                if corner or y < frame.box.y + FRAME_TITLE:
                    return Hit(frame=frame, corner=corner)
        return Hit()

    def _pin_at(self, x: float, y: float, reach: float) -> PinAt | None:
        best, found = reach * reach, None
        for node in reversed(self.boxes.near(x, y, reach)):
            box = self.box(node)
            for pin in self.shapes[node].pins:
                dx, dy = x - box.x - pin.at[0], y - box.y - pin.at[1]
                inward = dx > 0 if pin.flow == "in" else dx < 0
                off = dx * dx * (0.6 if inward else 1.0) + dy * dy * 1.6
                if off < best:
                    best, found = off, PinAt(node, pin)
            if found is None and box.holds(x, y):
                return None  # what is covered by a node is not at this point
        return found

    def _inside(self, node: str, x: float, y: float) -> Hit:
        own = self.shapes[node]
        for name, box in own.switches.items():
            if y < HEADER and box.holds(x, y):
                return Hit(node, switch=name)
        for knob in own.knobs:
            if abs(x - knob.at[0]) < RADIUS * 1.5 and -RADIUS * 1.1 < y - knob.at[1] < RADIUS * 2.7:
                return Hit(node, knob=knob)
        return Hit(node)

    def cable_at(self, x: float, y: float, reach: float = NEAR_CABLE, but: Iterable[str] = ()) -> Cable | None:
        """The nearest cable at a point; none that ends at a node in ``but``."""
        best, found, shut = reach, None, set(but)
        for key in self.bounds.near(x, y, reach):
            if key[0] in shut or key[2] in shut:
                continue
            off = distance(self.curves[key], x, y)
            if off < best:
                best, found = off, self.cables[key]
        return found

    def in_box(self, box: Box) -> frozenset[str]:
        """The nodes that a selection rectangle touches."""
        return frozenset(self.boxes.meeting(box))

    def framed(self, frame: Frame) -> frozenset[str]:
        """The nodes in a frame."""
        return frozenset(n for n in self.places if frame.box.encloses(self.box(n)))


def frames_of(metadata: Any) -> list[Frame]:
    """The frames that a patch's metadata has; what is not one is passed over."""
    raw = metadata.get("frames") if isinstance(metadata, dict) else None
    found: list[Frame] = []
    for index, each in enumerate(raw if isinstance(raw, list) else ()):
        box = each.get("box") if isinstance(each, dict) else None
        if isinstance(box, list | tuple) and len(box) == 4 and all(isinstance(v, int | float) for v in box):
            title, colour, text = (str(each.get(k, "")) for k in ("title", "colour", "text"))
            x, y, width, height = (float(v) for v in box)
            found.append(Frame(index, title, colour, Box(x, y, width, height), text))
    return found
