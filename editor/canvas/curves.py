"""The geometry of cables: cubic pieces from an output to an input, as lines of points, and how far a point is from one.

A curve of n pieces has 3n + 1 points: each piece has its two ends, and between them the two points that it leans to.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from editor.canvas.view import Point

Curve = tuple[Point, ...]
Points = npt.NDArray[np.float64]
"""Rows of x and y."""

STEPS = 24
SMOOTH = 10.0
"""How far the points of a line that is drawn are from each other, about, in pixels."""
LEAST, MOST = 8, 28
"""Straight parts of a whole piece that is drawn."""


def curve(a: Point, b: Point) -> Curve:
    """The curve straight from an output at ``a`` to an input at ``b``; one that goes back swings out wider."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dx >= 0:
        reach = max(min(dx * 0.5, 160.0), min(40.0, 12.0 + abs(dy) * 0.25))
    else:
        reach = min(60.0 - dx * 0.35, 240.0)
    return a, (a[0] + reach, a[1]), (b[0] - reach, b[1]), b


@lru_cache(maxsize=64)
def _basis(steps: int) -> Points:
    """What each of the four points of a piece counts for, in rows, at so many points after its first."""
    t = np.arange(1, steps + 1)[:, None] / steps
    s = 1 - t
    return np.hstack((s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t))


def points_of(c: Curve, steps: int) -> Points:
    """A curve as a line of so many points for each piece, after its first."""
    corners = np.array(c, np.float64)
    pieces = corners[np.arange(0, len(c) - 1, 3)[:, None] + np.arange(4)]
    return np.concatenate((corners[:1], (_basis(steps) @ pieces).reshape(-1, 2)))


def line_of(c: Curve, factor: float = 1.0) -> Points:
    """A curve as a line of points, ``factor`` times as large, as many for each piece as look smooth."""
    corners = np.array(c, np.float64) * factor
    found = [corners[:1]]
    for k in range(0, len(c) - 1, 3):
        p = corners[k : k + 4]
        far = np.abs(p[3] - p[0]).sum()
        straight = (p == p[0]).all(axis=0).any()
        n = 1 if straight else int(min(max(far / SMOOTH, LEAST if len(c) == 4 else 5), MOST))
        found.append(_basis(n) @ p)
    return np.concatenate(found)


def along(line: Points) -> npt.NDArray[np.float64]:
    """How far each point of a line is from its first, along it."""
    return np.concatenate(([0.0], np.hypot(*np.diff(line, axis=0).T).cumsum()))


def at_lengths(line: Points, lengths: npt.NDArray[np.float64]) -> Points:
    """The points that are so far along a line."""
    own = along(line)
    return np.column_stack([np.interp(lengths, own, line[:, k]) for k in (0, 1)])


def point_at(c: Curve, t: float) -> Point:
    """The point at a share of the way, 0 to 1: of the parameter of a single piece, of the length of several."""
    if len(c) == 4:
        s = 1 - t
        w = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        return sum(k * p[0] for k, p in zip(w, c, strict=True)), sum(k * p[1] for k, p in zip(w, c, strict=True))
    line = points_of(c, STEPS)
    x, y = at_lengths(line, along(line)[-1:] * t)[0].tolist()
    return x, y


def distance(c: Curve, x: float, y: float) -> float:
    """How far a point is from a curve (from the line through STEPS points of each piece)."""
    line = points_of(c, STEPS)
    a, d = line[:-1], np.diff(line, axis=0)
    off = np.array((x, y)) - a
    length = (d * d).sum(axis=1)
    share = np.clip((off * d).sum(axis=1) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    return float(np.sqrt((((off - share[:, None] * d) ** 2).sum(axis=1)).min()))


def extent(c: Curve) -> tuple[float, float, float, float]:
    """A rectangle that a curve is in: left, top, right, bottom."""
    xs, ys = [p[0] for p in c], [p[1] for p in c]
    return min(xs), min(ys), max(xs), max(ys)
