"""The whole plane in small, in the lower right corner: a press there goes to that part."""

from __future__ import annotations

from editor.canvas.scene import Scene
from editor.canvas.view import Box, Point, View, around
from editor.draw import Pen
from editor.theme import Look, alpha, mix

WIDTH, HEIGHT, MARGIN = 190.0, 122.0, 14.0
LEAST_NODES = 4


class Minimap:
    """Drawn over the canvas, when there is something to find one's way in."""

    def __init__(self, scene: Scene, look: Look) -> None:
        self.scene, self.look = scene, look

    def _area(self, size: Point) -> Box:
        s = self.look.scale
        return Box(size[0] - (WIDTH + MARGIN) * s, size[1] - (HEIGHT + MARGIN) * s, WIDTH * s, HEIGHT * s)

    def shown(self, size: Point) -> bool:
        """Whether there is one."""
        return len(self.scene.places) >= LEAST_NODES and size[0] > 560 and size[1] > 340

    def holds(self, x: float, y: float, size: Point) -> bool:
        """Whether a pixel of the canvas is on it."""
        return self.shown(size) and self._area(size).holds(x, y)

    def _fit(self, view: View, size: Point) -> tuple[Box, Box, float]:
        area = self._area(size)
        span = around([self.scene.box(n) for n in self.scene.places]) or Box(0, 0, 1, 1)
        span = (around([span, view.seen(size)]) or span).grown(30)
        return area, span, min(area.width / span.width, area.height / span.height)

    def view_at(self, x: float, y: float, view: View, size: Point) -> View:
        """The view with the part in the middle that a pixel of the map stands for."""
        area, span, f = self._fit(view, size)
        left, top = area.middle[0] - span.width * f / 2, area.middle[1] - span.height * f / 2
        return view.centred((span.x + (x - left) / f, span.y + (y - top) / f), size)

    def draw(self, view: View, size: Point, selection: frozenset[str]) -> None:
        """Draw it into the upper layer."""
        if not self.shown(size):
            return
        pen, theme = Pen("canvas:over", self.look), self.look.theme
        area, span, f = self._fit(view, size)
        pen.box((area.x, area.y), (area.right, area.bottom), fill=alpha(theme.panel, 0.88), line=theme.line, radius=7)
        left, top = area.middle[0] - span.width * f / 2, area.middle[1] - span.height * f / 2

        def at(x: float, y: float) -> Point:
            return left + (x - span.x) * f, top + (y - span.y) * f

        for id in self.scene.order:
            if id not in self.scene.places:
                continue
            box = self.scene.box(id)
            family = theme.family(self.scene.shapes[id].face.family)
            fill = theme.accent if id in selection else mix(family, theme.panel, 0.35)
            pen.box(at(box.x, box.y), at(box.right, box.bottom), fill=fill, radius=1.5)
        seen = view.seen(size)
        a, b = (
            at(max(seen.x, span.x), max(seen.y, span.y)),
            at(min(seen.right, span.right), min(seen.bottom, span.bottom)),
        )
        pen.box(a, b, fill=alpha(theme.text, 0.05), line=alpha(theme.text, 0.5), radius=3)
