"""What is drawn on the canvas, kept in step with the scene: grid, frames, cables, nodes, and what a gesture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.cables import CablePictures
from editor.canvas.curves import curve
from editor.canvas.gestures import Shown
from editor.canvas.nodes import NodePicture, draw_pin
from editor.canvas.scene import FRAME_TITLE, Scene
from editor.canvas.shape import PIN
from editor.canvas.view import Point, View
from editor.canvas.waves import Waves
from editor.draw import Pen
from editor.link import Readings
from editor.model import Session
from editor.theme import PIN_SHAPES, Look, alpha, mix
from graph.document import CableKey

GRID = 40.0
MARGIN = 120.0
"""How far beyond the canvas nodes are drawn all the same, in pixels."""
ASK_EVERY_S = 0.25
"""How often plugins are asked for words that they have not given yet."""
LAYERS = ("grid", "world", "frames", "cables", "nodes", "hand", "over")


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
        self._ghost: tuple[str, Point] | None = None
        self._order: list[str] = []
        for layer in LAYERS:
            inside = "canvas" if layer in ("grid", "world", "over") else "canvas:world"
            dpg.add_draw_node(tag=f"canvas:{layer}", parent=inside)
        self._cables = CablePictures("canvas:cables", look, self.view.factor)

    # -- the view ------------------------------------------------------------------------------------------------------

    def look_at(self, view: View, size: Point) -> None:
        """Show another part of the plane, on a canvas of a size."""
        zoomed = view.factor != self.view.factor
        self.view, self.size = view, size
        dpg.apply_transform(
            "canvas:world", dpg.create_translation_matrix([float(round(view.pan[0])), float(round(view.pan[1]))])
        )
        self._grid()
        if zoomed:
            self.forget()
            self.sync()
        else:
            self._come_and_go()

    def forget(self) -> None:
        """Draw every node and cable anew at the next ``sync``."""
        for id in list(self.pictures):
            self._drop(id)
        self._cables.clear()
        self._cables = CablePictures("canvas:cables", self.look, self.view.factor)

    def _grid(self) -> None:
        f = self.view.factor
        step = GRID * f
        while step < 22:
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
        """Draw what is new or different."""
        shapes = self.scene.shapes
        for id in [id for id in self.pictures if id not in shapes]:
            self._drop(id)
        self._pins, self._moved = self._plugged(), self._driven()
        self._come_and_go()
        dimmed: frozenset[CableKey] = frozenset()
        if self.related is not None:
            related = self.related
            dimmed = frozenset(k for k in self.scene.curves if k[0] not in related or k[2] not in related)
        self._cables.sync(self.scene, self.session.cables, dimmed, self.layouts)
        self._frames()

    def _drop(self, id: str) -> None:
        self.pictures.pop(id).delete()
        self._places.pop(id, None)
        self._outlines.pop(id, None)
        veil = self._veils.pop(id, None)
        if veil is not None and dpg.does_item_exist(veil):
            dpg.delete_item(veil)

    def _come_and_go(self) -> None:
        margin = MARGIN / self.view.factor
        seen = self.view.seen(self.size).grown(margin)
        plugged, driven = self._pins, self._moved
        none: frozenset[tuple[str, str]] = frozenset()
        order = [id for id in self.scene.order if id in self.scene.places and self.scene.box(id).meets(seen)]
        for id in [id for id in self.pictures if id not in set(order)]:
            self._drop(id)
        if [id for id in self._order if id in self.pictures] != [id for id in order if id in self.pictures]:
            lower = [id for id in self._order if id in self.pictures]
            upper = [id for id in order if id in self.pictures]
            at = next((k for k, (a, b) in enumerate(zip(lower, upper, strict=False)) if a != b), len(upper))
            for id in upper[at:]:
                self._drop(id)
        self._order = order
        for id in order:
            shape, picture = self.scene.shapes[id], self.pictures.get(id)
            pins, moved = plugged.get(id, none), driven.get(id, {})
            wave = self.waves.of(id, shape.face)
            if (picture is not None and picture.shape is not shape) or (
                picture is not None and picture.wave is not wave
            ):
                if picture.fits(shape, pins, moved) and picture.wave is wave:
                    picture.update(shape)
                else:
                    self._drop(id)
                    picture = None
            elif picture is not None and not picture.fits(shape, pins, moved):
                self._drop(id)
                picture = None
            if picture is None:
                self.pictures[id] = NodePicture(
                    "canvas:nodes",
                    f"canvas:node:{id}",
                    shape,
                    self.look,
                    self.view.factor,
                    plugged=pins,
                    driven=moved,
                    kind=self.session.kinds.get(shape.face.kind),
                    rate=float(self.session.patch.sample_rate or 48000),
                    wave=wave,
                    words=lambda param, value, node=id: self.words(self.session.address(node), param, value),
                )
            self._put(id)
            self._outline(id)

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

    def _plugged(self) -> dict[str, frozenset[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {}
        for source, out, target, into in self.scene.cables:
            found.setdefault(source, set()).add((out, "out"))
            found.setdefault(target, set()).add((into, "in"))
        return {id: frozenset(pins) for id, pins in found.items()}

    def _driven(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for _, _, target, into in self.scene.cables:
            found.setdefault(target, {})[into] = "cable"
        for line in self.session.here.automation:
            if line.enabled and line.points:
                found.setdefault(line.node, {})[line.param] = "automation"
        own = {id: {k.param.name for k in s.knobs} for id, s in self.scene.shapes.items()}
        return {id: {p: how for p, how in ps.items() if p in own.get(id, ())} for id, ps in found.items()}

    def _frames(self) -> None:
        key = (tuple(self.scene.frames), self.view.factor, id(self.look))
        if getattr(self, "_frames_key", None) == key:
            return
        self._frames_key = key
        dpg.delete_item("canvas:frames", children_only=True)
        pen, theme, f = Pen("canvas:frames", self.look), self.look.theme, self.view.factor
        for frame in self.scene.frames:
            colour = theme.families.get(frame.colour, theme.accent)
            a, b = (frame.box.x * f, frame.box.y * f), (frame.box.right * f, frame.box.bottom * f)
            pen.box(a, b, fill=alpha(colour, 0.07), line=alpha(colour, 0.4), radius=12 * f, width=1.2)
            size = 13.5 * max(f, 0.5)
            ink = mix(colour, theme.text, 0.35)
            pen.words((a[0] + 14 * f, a[1] + 9 * f), frame.title or "Frame", ink, "strong", size)
            lines = frame.text.split("\n") if frame.text and f >= 0.4 else []
            for k, line in enumerate(lines[:40]):
                y = a[1] + (FRAME_TITLE + 4 + 18 * k) * f
                pen.words((a[0] + 14 * f, y), line[:200], theme.dim, "body", 13 * f)
            corner = [(b[0] - 12 * f, b[1] - 4 * f), (b[0] - 4 * f, b[1] - 4 * f), (b[0] - 4 * f, b[1] - 12 * f)]
            pen.lines(corner, alpha(colour, 0.6), 1.5)

    # -- while something is going on -----------------------------------------------------------------------------------

    def hand(self, shown: Shown, hover: tuple[str, str, str] | None, hover_cable: CableKey | None) -> None:
        """Draw what a gesture shows, and what the mouse is over: a pin (node, name, flow), or a cable."""
        dpg.delete_item("canvas:hand", children_only=True)
        pen, theme, f = Pen("canvas:hand", self.look), self.look.theme, self.view.factor
        if hover_cable is not None and hover_cable in self.scene.curves:
            a, b, c, d = [(x * f, y * f) for x, y in self.scene.curves[hover_cable]]
            glow = alpha(theme.text, 0.16)
            dpg.draw_bezier_cubic(a, b, c, d, color=glow, thickness=8 * f, segments=28, parent="canvas:hand")
        if shown.insert is not None and shown.insert in self.scene.curves:
            a, b, c, d = [(x * f, y * f) for x, y in self.scene.curves[shown.insert]]
            glow = alpha(theme.accent, 0.5)
            dpg.draw_bezier_cubic(a, b, c, d, color=glow, thickness=9 * f, segments=28, parent="canvas:hand")
        for pin in [hover] if hover else []:
            place = self.scene.pin_place(*pin)  # type: ignore[arg-type]
            own = self.scene.shapes[pin[0]].pin(pin[1], pin[2])  # type: ignore[arg-type]
            if place and own:
                colour = theme.pin(own.type)
                at = (place[0] * f, place[1] * f)
                pen.dot(at, (PIN + 6) * f, alpha(colour, 0.22))
                draw_pin(pen, at, (PIN + 1) * f, PIN_SHAPES.get(own.type, "circle"), colour, colour, 1)
        if shown.loose is not None:
            a, b, type = shown.loose
            colour = theme.bad if shown.refused else theme.pin(type)
            points = [(x * f, y * f) for x, y in curve(a, b)]
            dpg.draw_bezier_cubic(*points, color=colour, thickness=2.6 * f**0.6, segments=28, parent="canvas:hand")
            for end in (points[0], points[3]):
                pen.dot(end, 4 * f, colour)
            if shown.target is not None and not shown.refused:
                pen.dot(points[3] if shown.target.pin.flow == "in" else points[0], 10 * f, alpha(colour, 0.3))
            if shown.refused:
                self._bubble(pen, points[3], shown.refused)
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
        none: Mapping[str, object] = {}
        due = now - self._asked > ASK_EVERY_S
        self._asked = now if due else self._asked
        for id, picture in self.pictures.items():
            if picture.waits and due:
                picture.update(picture.shape)
            picture.live(readings.get(self.session.address(id), none), now)  # type: ignore[arg-type]
