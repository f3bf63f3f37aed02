"""Where one looks: which part of the patch's plane is on the canvas, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

Point = tuple[float, float]
ZOOMS = (0.1, 0.15, 0.2, 0.25, 0.33, 0.42, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the plane."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is in it."""
        return self.x <= x <= self.right and self.y <= y <= self.bottom

    def meets(self, other: Box) -> bool:
        """Whether two have anything in common."""
        return self.x <= other.right and other.x <= self.right and self.y <= other.bottom and other.y <= self.bottom

    def encloses(self, other: Box) -> bool:
        """Whether another lies wholly in it."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def grown(self, by: float) -> Box:
        """The rectangle with a margin."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def moved(self, dx: float, dy: float) -> Box:
        """The rectangle somewhere else."""
        return replace(self, x=self.x + dx, y=self.y + dy)


def spanning(a: Point, b: Point) -> Box:
    """The rectangle between two corners, whichever they are."""
    return Box(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1]))


def around(boxes: list[Box]) -> Box | None:
    """The smallest rectangle that has all of these in it."""
    if not boxes:
        return None
    x, y = min(b.x for b in boxes), min(b.y for b in boxes)
    return Box(x, y, max(b.right for b in boxes) - x, max(b.bottom for b in boxes) - y)


@dataclass(frozen=True, slots=True)
class View:
    """``pan``: where the plane's origin is on the canvas, in pixels; ``zoom``: how large; ``scale``: the
    interface's.
    """

    pan: Point = (60.0, 60.0)
    zoom: float = 1.0
    scale: float = 1.0

    @property
    def factor(self) -> float:
        """Pixels per unit of the plane."""
        return self.zoom * self.scale

    def to_canvas(self, x: float, y: float) -> Point:
        """The pixel of a point of the plane."""
        return self.pan[0] + x * self.factor, self.pan[1] + y * self.factor

    def to_plane(self, x: float, y: float) -> Point:
        """The point of the plane at a pixel."""
        return (x - self.pan[0]) / self.factor, (y - self.pan[1]) / self.factor

    def panned(self, dx: float, dy: float) -> View:
        """Moved by pixels."""
        return replace(self, pan=(self.pan[0] + dx, self.pan[1] + dy))

    def zoomed(self, steps: int, at: Point) -> View:
        """Larger or smaller by steps of ZOOMS; what is at the pixel ``at`` stays there."""
        found = self
        for _ in range(abs(steps)):
            nearer = [z for z in ZOOMS if (z > found.zoom * 1.001 if steps > 0 else z < found.zoom * 0.999)]
            if nearer:
                found = found.at_zoom(nearer[0] if steps > 0 else nearer[-1], at)
        return found

    def at_zoom(self, zoom: float, at: Point) -> View:
        """At a zoom; what is at the pixel ``at`` stays there."""
        x, y = self.to_plane(*at)
        factor = zoom * self.scale
        return View((at[0] - x * factor, at[1] - y * factor), zoom, self.scale)

    def centred(self, point: Point, size: Point) -> View:
        """With a point of the plane in the middle of a canvas of a size."""
        return replace(self, pan=(size[0] / 2 - point[0] * self.factor, size[1] / 2 - point[1] * self.factor))

    def showing(self, box: Box, size: Point, margin: float = 40.0, most: float = 1.0) -> View:
        """With all of a rectangle on a canvas of a size, as large as it goes, up to the zoom ``most``."""
        fits = min(
            (size[0] - 2 * margin) / max(box.width, 1) / self.scale,
            (size[1] - 2 * margin) / max(box.height, 1) / self.scale,
        )
        zoom = max(int(min(fits, most) * 100) / 100, ZOOMS[0])
        return replace(self, zoom=zoom).centred(box.middle, size)

    def seen(self, size: Point) -> Box:
        """The part of the plane that a canvas of a size shows."""
        return spanning(self.to_plane(0, 0), self.to_plane(*size))
