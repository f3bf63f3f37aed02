"""What is drawn on the canvas, kept in step with the scene: grid, frames, cables, nodes, and what a gesture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.cables import CablePictures
from editor.canvas.curves import curve, line_of
from editor.canvas.held import Shown
from editor.canvas.nodes import NodePicture, draw_pin
from editor.canvas.scene import FRAME_TITLE, Scene
from editor.canvas.shape import PIN, Shape
from editor.canvas.view import Point, View
from editor.canvas.waves import Waves
from editor.draw import Pen
from editor.link import Floats, Readings
from editor.meters import MeterFace, Meters
from editor.model import Session
from editor.theme import PIN_SHAPES, Look, alpha, mix
from graph.document import CableKey

GRID = 40.0
MARGIN = 120.0
"""How far beyond the canvas nodes are drawn all the same, in pixels."""
ASK_EVERY_S = 0.25
"""How often plugins are asked for words that they have not given yet."""
NARROWEST = 36.0
"""How near to each other the points of the grid may be, in pixels."""
LAYERS = ("grid", "world", "frames", "cables", "nodes", "hand", "map", "over")
NO_PINS: frozenset[tuple[str, str]] = frozenset()
UNMOVED: Mapping[str, str] = {}
NO_READINGS: Mapping[str, Floats] = {}


class Painter:
    """Draws into the drawlist ``canvas``. Nodes are drawn when they come into view, and moved by transforms."""

    def __init__(self, session: Session, scene: Scene, look: Look, waves: Waves) -> None:
        self.session, self.scene, self.look, self.waves = session, scene, look, waves
        self.view = View(scale=look.scale)
        self.size: Point = (1.0, 1.0)
        self.pictures: dict[str, NodePicture] = {}
        self.layouts: Mapping[str, str] = {}
        """What outputs carry, by ``node.port``."""
        self.related: frozenset[str] | None = None
        """The nodes that are not dimmed, where some are."""
        self.words: Callable[[str, str, float], str | None] = lambda address, param, value: None
        """What a plugin itself shows for a value of a param, where that is known by now."""
        self._asked = 0.0
        self._places: dict[str, Point] = {}
        self._outlines: dict[str, object] = {}
        self._veils: dict[str, int] = {}
        self._grid_key: object = None
        self._pins: dict[str, frozenset[tuple[str, str]]] = {}
        self._moved: dict[str, dict[str, str]] = {}
        self._followed: tuple[object, object] = (None, None)
        self._drawn: dict[str, tuple[object, ...]] = {}
        """What nodes were drawn from: as long as it is the same, they are left alone."""
        self._hand: object = None
        self._meters = Meters()
        self._ghost: tuple[str, Point] | None = None
        self._order: dict[str, None] = {}
        """The pictures, from the lowest to the uppermost."""
        for layer in LAYERS:
            inside = "canvas" if layer in ("grid", "world", "map", "over") else "canvas:world"
            dpg.add_draw_node(tag=f"canvas:{layer}", parent=inside)
        self._cables = CablePictures("canvas:cables", look, self.view.factor)

    # -- the view ------------------------------------------------------------------------------------------------------

    def look_at(self, view: View, size: Point) -> None:
        """Show another part of the plane, on a canvas of a size; ``sync`` draws what comes into view."""
        zoomed = view.factor != self.view.factor
        self.view, self.size = view, size
        at = [float(round(view.pan[0])), float(round(view.pan[1]))]
        dpg.apply_transform("canvas:world", dpg.create_translation_matrix(at))
        self._grid()
        if zoomed:
            self.forget()

    def forget(self) -> None:
        """Draw every node and cable anew at the next ``sync``."""
        for id in list(self.pictures):
            self._drop(id)
        self._cables.clear()
        self._cables = CablePictures("canvas:cables", self.look, self.view.factor)

    def _grid(self) -> None:
        f = self.view.factor
        step = GRID * f
        while step < NARROWEST:
            step *= 2
        key = (step, self.size, self.look.theme.grid)
        if key != self._grid_key:
            self._grid_key = key
            dpg.delete_item("canvas:grid", children_only=True)
            pen, colour = Pen("canvas:grid", self.look), self.look.theme.grid
            for k in range(ceil(self.size[0] / step) + 2):
                for j in range(ceil(self.size[1] / step) + 2):
                    x, y = k * step, j * step
                    pen.box((x, y), (x + 1.5, y + 1.5), fill=colour)
        shift = [round(self.view.pan[0]) % step - step, round(self.view.pan[1]) % step - step]
        dpg.apply_transform("canvas:grid", dpg.create_translation_matrix(shift))

    # -- following the scene -------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Draw what is new or different of what is in view, and take away what is not in view."""
        seen = self.view.seen(self.size).grown(MARGIN / self.view.factor)
        self._follow_cables()
        order = self.scene.boxes.meeting(seen)
        for id in self.pictures.keys() - set(order):
            self._drop(id)
        scene, selection, related, waves = self.scene, self.session.selection, self.related, self.waves.count
        for id in order:
            shape, pins, moved = scene.shapes[id], self._pins.get(id, NO_PINS), self._moved.get(id, UNMOVED)
            dim = related is not None and id not in related
            state = (shape, pins, moved, waves, scene.places[id], id in selection, dim)
            if self._drawn.get(id) != state:
                self._draw(id, shape, pins, moved)
                self._put(id)
                self._outline(id)
                self._drawn[id] = state
        self._stack(order)
        dimmed: frozenset[CableKey] = frozenset()
        if self.related is not None:
            related = self.related
            dimmed = frozenset(k for k in self.scene.curves if k[0] not in related or k[2] not in related)
        self._cables.sync(self.scene, seen, self.session.cables, dimmed, self.layouts)
        self._frames()

    def _drop(self, id: str) -> None:
        self.pictures.pop(id).delete()
        for kept in (self._places, self._outlines, self._drawn, self._order):
            kept.pop(id, None)
        veil = self._veils.pop(id, None)
        if veil is not None and dpg.does_item_exist(veil):
            dpg.delete_item(veil)

    def _draw(self, id: str, shape: Shape, pins: frozenset[tuple[str, str]], moved: Mapping[str, str]) -> None:
        """Draw a node, anew only if its picture cannot become the new one."""
        turned = {knob.param.name for knob in shape.knobs}
        driven = {param: how for param, how in moved.items() if param in turned}
        wave, picture = self.waves.of(id, shape.face), self.pictures.get(id)
        if picture is not None and picture.wave is wave and picture.fits(shape, pins, driven):
            if picture.shape is not shape:
                picture.update(shape)
            return
        if picture is not None:
            self._drop(id)
        self.pictures[id] = NodePicture(
            "canvas:nodes",
            f"canvas:node:{id}",
            shape,
            self.look,
            self.view.factor,
            plugged=pins,
            driven=driven,
            kind=shape.face.real,
            rate=float(self.session.patch.sample_rate or 48000),
            wave=wave,
            words=lambda param, value: self.words(self.session.address(id), param, value),
        )
        self._order[id] = None

    def _stack(self, order: list[str]) -> None:
        """Put the nodes one above the other as they are to be: those that are out of order are moved."""
        lie = list(self._order)
        if lie == order:
            return
        above: int | str = 0
        for k in range(len(order) - 1, -1, -1):
            id = order[k]
            if lie[k] != id:
                lie.remove(id)
                lie.insert(k, id)
                dpg.move_item(f"canvas:node:{id}", parent="canvas:nodes", before=above)
            above = f"canvas:node:{id}"
        self._order = dict.fromkeys(lie)

    def _put(self, id: str) -> None:
        place = self.scene.places[id]
        if self._places.get(id) != place:
            self._places[id] = place
            at = [float(round(place[0] * self.view.factor)), float(round(place[1] * self.view.factor))]
            dpg.apply_transform(f"canvas:node:{id}", dpg.create_translation_matrix(at))

    def _outline(self, id: str) -> None:
        theme, chosen = self.look.theme, id in self.session.selection
        problem = bool(self.scene.shapes[id].face.problem)
        dim = self.related is not None and id not in self.related
        key = (chosen, problem, dim)
        if self._outlines.get(id, (False, False, False)) == key:
            return
        self._outlines[id] = key
        colour = theme.accent if chosen else alpha(theme.bad, 0.8) if problem else theme.line
        self.pictures[id].outline(colour, 2.2 if chosen else 1.4 if problem else 1.0)
        veil = self._veils.pop(id, None)
        if veil is not None and dpg.does_item_exist(veil):
            dpg.delete_item(veil)
        if dim:
            own, f = self.scene.shapes[id], self.view.factor
            pen = Pen(f"canvas:node:{id}", self.look)
            corner = (own.width * f + 8 * f, own.height * f + 4 * f)
            self._veils[id] = pen.box((-8 * f, -4 * f), corner, fill=alpha(theme.desk, 0.68), radius=9 * f)

    def _follow_cables(self) -> None:
        """Which pins have a cable, and what moves params; found anew when cables or automation are other ones."""
        cables, lines = self.scene.cables, list(self.session.here.automation)
        if cables is self._followed[0] and lines == self._followed[1]:
            return
        self._followed = cables, lines
        pins: dict[str, set[tuple[str, str]]] = {}
        moved: dict[str, dict[str, str]] = {}
        for source, out, target, into in cables:
            pins.setdefault(source, set()).add((out, "out"))
            pins.setdefault(target, set()).add((into, "in"))
            moved.setdefault(target, {})[into] = "cable"
        for line in lines:
            if line.enabled and line.points:
                moved.setdefault(line.node, {})[line.param] = "automation"
        self._pins = {id: frozenset(own) for id, own in pins.items()}
        self._moved = moved

    def _frames(self) -> None:
        key = (tuple(self.scene.frames), self.view.factor, id(self.look))
        if getattr(self, "_frames_key", None) == key:
            return
        self._frames_key = key
        dpg.delete_item("canvas:frames", children_only=True)
        pen, theme, f = Pen("canvas:frames", self.look), self.look.theme, self.view.factor
        for frame in self.scene.frames:
            colour = theme.hue(frame.colour) if frame.colour else theme.accent
            a, b = (frame.box.x * f, frame.box.y * f), (frame.box.right * f, frame.box.bottom * f)
            pen.box(a, b, fill=alpha(colour, 0.07), line=alpha(colour, 0.4), radius=12 * f, width=1.2)
            size = max(13.5 * f, 11.0 * self.look.scale)
            ink = mix(colour, theme.text, 0.35)
            pen.words((a[0] + 14 * f, a[1] + 7 * f), frame.title or "Frame", ink, "strong", size)
            lines = frame.text.split("\n") if frame.text and f >= 0.4 else []
            for k, line in enumerate(lines[:40]):
                y = a[1] + (FRAME_TITLE + 4 + 18 * k) * f
                pen.words((a[0] + 14 * f, y), line[:200], theme.dim, "body", 13 * f)
            corner = [(b[0] - 12 * f, b[1] - 4 * f), (b[0] - 4 * f, b[1] - 4 * f), (b[0] - 4 * f, b[1] - 12 * f)]
            pen.lines(corner, alpha(colour, 0.6), 1.5)

    # -- while something is going on -----------------------------------------------------------------------------------

    def hand(self, shown: Shown, hover: tuple[str, str, str] | None, hover_cable: CableKey | None) -> None:
        """Draw what a gesture shows, and what the mouse is over: a pin (node, name, flow), or a cable."""
        keys = [key for key in (hover_cable, shown.insert) if key is not None]
        curves, at = [self.scene.curves.get(key) for key in keys], self.scene.pin_place(*hover) if hover else None
        state = (replace(shown), hover, hover_cable, self._ghost, curves, at, self.view.factor)
        if state == self._hand:
            return
        self._hand = state
        dpg.delete_item("canvas:hand", children_only=True)
        pen, theme, f = Pen("canvas:hand", self.look), self.look.theme, self.view.factor
        if hover_cable is not None and hover_cable in self.scene.curves:
            pen.cable(line_of(self.scene.curves[hover_cable], f), alpha(theme.text, 0.16), 8 * f)
        if shown.insert is not None and shown.insert in self.scene.curves:
            pen.cable(line_of(self.scene.curves[shown.insert], f), alpha(theme.accent, 0.5), 9 * f)
        for pin in [hover] if hover else []:
            place, shape = self.scene.pin_place(*pin), self.scene.shapes.get(pin[0])  # type: ignore[arg-type]
            own = shape.pin(pin[1], pin[2]) if shape else None  # type: ignore[arg-type]
            if place and own:  # the mouse may rest on a node that has gone
                colour = theme.pin(own.type)
                at = (place[0] * f, place[1] * f)
                pen.dot(at, (PIN + 6) * f, alpha(colour, 0.22))
                draw_pin(pen, at, (PIN + 1) * f, PIN_SHAPES.get(own.type, "circle"), colour, colour, 1)
        if shown.loose is not None:
            a, b, type = shown.loose
            colour = theme.bad if shown.refused else theme.pin(type)
            pen.cable(line_of(curve(a, b), f), colour, 2.6 * f**0.6)
            ends = (a[0] * f, a[1] * f), (b[0] * f, b[1] * f)
            for end in ends:
                pen.dot(end, 4 * f, colour)
            if shown.target is not None and not shown.refused:
                pen.dot(ends[shown.target.pin.flow == "in"], 10 * f, alpha(colour, 0.3))
            if shown.refused:
                self._bubble(pen, ends[1], shown.refused)
        if self._ghost is not None:
            title, (x, y) = self._ghost
            a, b = ((x - 93) * f, (y - 14) * f), ((x + 93) * f, (y + 60) * f)
            pen.box(a, b, fill=alpha(theme.body, 0.7), line=theme.accent, radius=9 * f)
            pen.words((a[0] + 12 * f, a[1] + 7 * f), title, theme.text, "strong", 14 * f)
        if shown.band is not None:
            box = shown.band
            a, b = (box.x * f, box.y * f), (box.right * f, box.bottom * f)
            pen.box(a, b, fill=alpha(theme.accent, 0.08), line=alpha(theme.accent, 0.7), radius=2)

    def ghost(self, title: str, at: Point) -> None:
        """Show what is brought from elsewhere, with its header round a point; nothing where the title is empty."""
        self._ghost = (title, at) if title else None

    def _bubble(self, pen: Pen, at: Point, words: str) -> None:
        theme, px = self.look.theme, self.look.px
        size = fonts.ROLES["medium"][1] * self.look.scale
        width = fonts.width(words, "medium", size) + px(22)
        x, y = at[0] + px(14), at[1] - px(34)
        pen.box((x, y), (x + width, y + px(28)), fill=mix(theme.panel, theme.bad, 0.25), line=theme.bad, radius=px(6))
        pen.words((x + px(11), y + px(6)), words, theme.text, "medium", size)

    def live(self, readings: Readings, now: float) -> None:
        """Show what the nodes in view measure."""
        faces: list[MeterFace] = []
        levels: list[Floats | None] = []
        due = now - self._asked > ASK_EVERY_S
        self._asked = now if due else self._asked
        for id, picture in self.pictures.items():
            if picture.waits and due:
                picture.update(picture.shape)
            if not picture.lively:
                continue
            own = readings.get(self.session.address(id), NO_READINGS)
            picture.live(own)
            for face, heard in picture.levels(own):
                faces.append(face)
                levels.append(heard)
        self._meters.show(faces, levels, now)
