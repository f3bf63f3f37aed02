"""The whole plane in small, in the lower right corner: a press there goes to that part."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.canvas.scene import Scene
from editor.canvas.view import Box, Point, View, around, spanning
from editor.draw import Pen
from editor.theme import Look, alpha, mix

WIDTH, HEIGHT, MARGIN = 190.0, 122.0, 14.0
LEAST_NODES = 4


class Minimap:
    """Drawn over the canvas, when there is something to find one's way in."""

    def __init__(self, scene: Scene, look: Look) -> None:
        self.scene, self.look = scene, look
        self._frame: tuple[int, ...] = ()
        self._made: dict[str, tuple[int, object]] = {}
        self._seen: tuple[object, object] | None = None

    def _area(self, size: Point) -> Box:
        s = min(self.look.scale, size[0] / WIDTH / 5, size[1] / HEIGHT / 4.5)
        return Box(size[0] - (WIDTH + MARGIN) * s, size[1] - (HEIGHT + MARGIN) * s, WIDTH * s, HEIGHT * s)

    def shown(self, size: Point) -> bool:
        """Whether there is one."""
        return len(self.scene.places) >= LEAST_NODES and size[0] > 560 and size[1] > 340

    def holds(self, x: float, y: float, size: Point) -> bool:
        """Whether a pixel of the canvas is on it."""
        return self.shown(size) and self._area(size).holds(x, y)

    def clear_of(self, view: View, span: Box, size: Point) -> View:
        """A view of a rectangle in which no node lies under the map, though one would in ``view``."""
        area = self._area(size)
        under = spanning(view.to_plane(area.x, area.y), view.to_plane(area.right, area.bottom))
        if not self.shown(size) or not any(self.scene.box(id).meets(under) for id in self.scene.places):
            return view
        rooms = (size[0], area.y), (area.x, size[1])
        return max((view.showing(span, room) for room in rooms), key=lambda found: found.zoom)

    def _fit(self, view: View, size: Point) -> tuple[Box, Box, float]:
        area = self._area(size)
        span = self.scene.boxes.around() or Box(0, 0, 1, 1)
        span = (around([span, view.seen(size)]) or span).grown(30)
        return area, span, min(area.width / span.width, area.height / span.height)

    def view_at(self, x: float, y: float, view: View, size: Point) -> View:
        """The view with the part in the middle that a pixel of the map stands for."""
        area, span, f = self._fit(view, size)
        left, top = area.middle[0] - span.width * f / 2, area.middle[1] - span.height * f / 2
        return view.centred((span.x + (x - left) / f, span.y + (y - top) / f), size)

    def draw(self, view: View, size: Point, selection: frozenset[str]) -> None:
        """Draw it into its layer, or bring it up to date: what has changed alone, and the whole by a transform."""
        shown = self.shown(size)
        if shown != bool(self._frame):
            self._clear() if not shown else self._begin()
        if not shown:
            return
        area, span, f = self._fit(view, size)
        dpg.configure_item(self._frame[0], pmin=(area.x, area.y), pmax=(area.right, area.bottom))
        left, top = area.middle[0] - span.width * f / 2, area.middle[1] - span.height * f / 2
        self._nodes(selection)
        move = dpg.create_translation_matrix([left - span.x * f, top - span.y * f])
        dpg.apply_transform("canvas:map-nodes", move * dpg.create_scale_matrix([f, f, 1.0]))
        seen = view.seen(size)
        a, b = (
            (left + (max(seen.x, span.x) - span.x) * f, top + (max(seen.y, span.y) - span.y) * f),
            (left + (min(seen.right, span.right) - span.x) * f, top + (min(seen.bottom, span.bottom) - span.y) * f),
        )
        dpg.configure_item(self._frame[1], pmin=a, pmax=b)

    def _clear(self) -> None:
        dpg.delete_item("canvas:map", children_only=True)
        self._frame, self._made, self._seen = (), {}, None

    def _begin(self) -> None:
        pen, theme = Pen("canvas:map", self.look), self.look.theme
        back = pen.box((0, 0), (1, 1), fill=alpha(theme.panel, 0.88), line=theme.line, radius=7)
        dpg.add_draw_node(tag="canvas:map-nodes", parent="canvas:map")
        front = pen.box((0, 0), (1, 1), fill=alpha(theme.text, 0.05), line=alpha(theme.text, 0.5), radius=3)
        self._frame = back, front

    def _nodes(self, selection: frozenset[str]) -> None:
        """Nodes as rectangles of the plane, those alone drawn again that have changed."""
        scene, theme = self.scene, self.look.theme
        state = (scene.boxes, selection)
        if self._seen is not None and state[0] is self._seen[0] and state[1] == self._seen[1]:
            return
        self._seen = state
        for id in self._made.keys() - scene.places.keys():
            dpg.delete_item(self._made.pop(id)[0])
        pen = Pen("canvas:map-nodes", self.look)
        for id, place in scene.places.items():
            own = scene.shapes[id]
            looks = (place, own.width, own.height, own.face.hue, id in selection)
            item, before = self._made.get(id, (0, None))
            if looks == before:
                continue
            a, b = place, (place[0] + own.width, place[1] + own.height)
            fill = theme.accent if id in selection else mix(theme.hue(own.face.hue), theme.panel, 0.35)
            if item:
                dpg.configure_item(item, pmin=a, pmax=b, fill=fill)
            else:
                item = pen.box(a, b, fill=fill, radius=1.5)
            self._made[id] = item, looks
