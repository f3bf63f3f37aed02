"""The geometry of cables: a cubic curve between two pins, and how far a point is from it."""

from __future__ import annotations

import math

from editor.canvas.view import Point

Curve = tuple[Point, Point, Point, Point]
STEPS = 24


def curve(a: Point, b: Point) -> Curve:
    """The curve of a cable from an output at ``a`` to an input at ``b``; one that goes back swings out wider."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dx >= 0:
        reach = max(min(dx * 0.5, 160.0), min(40.0, 12.0 + abs(dy) * 0.25))
    else:
        reach = min(60.0 - dx * 0.35, 240.0)
    return a, (a[0] + reach, a[1]), (b[0] - reach, b[1]), b


def point_at(c: Curve, t: float) -> Point:
    """The point at a share of the way, 0 to 1."""
    s = 1 - t
    w = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
    return sum(k * p[0] for k, p in zip(w, c, strict=True)), sum(k * p[1] for k, p in zip(w, c, strict=True))


def distance(c: Curve, x: float, y: float) -> float:
    """How far a point is from a curve (from the line through STEPS points of it)."""
    best = math.inf
    before = c[0]
    for k in range(1, STEPS + 1):
        after = point_at(c, k / STEPS)
        best = min(best, _to_segment(before, after, x, y))
        before = after
    return best


def _to_segment(a: Point, b: Point, x: float, y: float) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = min(max(((x - a[0]) * dx + (y - a[1]) * dy) / length, 0.0), 1.0) if length else 0.0
    return math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)
