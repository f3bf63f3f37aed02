"""The ways of cables that would run behind nodes: along a free lane between, above or below them.

A cable that goes forward takes the plain curve where nothing hides it. One that goes back turns round at both ends,
and a plain curve would hide it behind its own nodes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from editor.canvas.curves import Curve, curve, points_of
from editor.canvas.view import Point

Rectangles = npt.NDArray[np.float64]
"""Rows of left, top, right and bottom."""
Lane = tuple[float, float, float]
"""A level part of a way: from, to, and how far down."""

ROUND = 0.5523
"""How far a cubic piece leans along its ends to be a quarter of a circle, in radii (4/3 of the tangent of 22.5°)."""
TURN = 18.0
"""How far from a pin a way that goes back turns, and the radius of its turns."""
SWING = 52.0
"""Across how much of the plane a way that goes forward leaves the level of a pin, at most."""
CLEAR, APART = 16.0, 8.0
"""How far lanes are from nodes, and from each other."""
ROWS = 3
"""How many lanes are beside each other before they share one."""
TRIED, LOOKED_AT = 12, 48
"""Ways that are tried, and heights that are looked at together."""
SHARED = 60.0
"""How much further a way may be that shares its lane with none."""


def way(a: Point, b: Point, nodes: Rectangles, lanes: Iterable[Lane] = (), rank: int = 0) -> Curve:
    """The curve of a cable from an output at ``a`` to an input at ``b``, among nodes, those at its ends included.

    ``lanes`` are taken by others; ``rank`` spreads the turns of cables that end at one node.
    """
    back = b[0] < a[0] + 2 * TURN
    plain = curve(a, b)
    if not len(nodes) or (b[0] >= a[0] and not _hides(plain, nodes)):
        return plain
    out = TURN + APART * 0.75 * (rank % 4)
    first, last = (a[0] + out, b[0] - out) if back else (a[0] + _swing(a, b), b[0] - _swing(a, b))
    shape = _turning if back else _swinging
    ways = (shape(a, b, first, last, y) for y in _free(a, b, min(first, last), max(first, last), nodes, list(lanes)))
    best, least = plain, None
    for found in ways:
        hidden = _hides(found, nodes)
        if not hidden:
            return found
        if back and (least is None or hidden < least):
            best, least = found, hidden
    return best


def lane_of(c: Curve) -> Lane | None:
    """The lane that a curve runs along, if it runs along one."""
    if len(c) == 4:
        return None
    k = 9 if len(c) == 22 else 3
    (x0, y), (x1, _) = c[k], c[k + 3]
    return min(x0, x1), max(x0, x1), y


def _swing(a: Point, b: Point) -> float:
    return min(SWING, (b[0] - a[0]) / 2)


def _hides(c: Curve, nodes: Rectangles) -> int:
    """How many points of a curve are behind nodes."""
    xs, ys = np.array(c).T
    near = nodes[
        (nodes[:, 0] < xs.max()) & (nodes[:, 2] > xs.min()) & (nodes[:, 1] < ys.max()) & (nodes[:, 3] > ys.min())
    ]
    if not len(near):
        return 0
    x, y = points_of(c, 24 if len(c) == 4 else 10)[1:-1].T[:, :, None]
    return int(((x > near[:, 0] + 1) & (x < near[:, 2] - 1) & (y > near[:, 1] + 1) & (y < near[:, 3] - 1)).any(1).sum())


def _free(a: Point, b: Point, left: float, right: float, nodes: Rectangles, lanes: list[Lane]) -> list[float]:
    """Heights of lanes with no node on them, the best first."""
    between = nodes[(nodes[:, 0] < right + CLEAR / 2) & (nodes[:, 2] > left - CLEAR / 2)]
    rows = CLEAR + APART * np.arange(ROWS)
    heights = np.concatenate(
        [(between[:, 1, None] - rows).ravel(), (between[:, 3, None] + rows).ravel(), [a[1], b[1], (a[1] + b[1]) / 2]]
    )
    heights = np.unique(heights)
    cost = np.abs(heights - a[1]) + np.abs(heights - b[1])
    heights = heights[np.argsort(cost, kind="stable")]
    top, bottom = between[:, 1] - CLEAR / 2, between[:, 3] + CLEAR / 2
    free: list[float] = []
    for k in range(0, len(heights), LOOKED_AT):
        some = heights[k : k + LOOKED_AT]
        free += some[~((some[:, None] > top) & (some[:, None] < bottom)).any(axis=1)].tolist()
        if len(free) >= TRIED * ROWS:
            break
    found = np.array(free[: TRIED * ROWS])
    starts, ends, taken = np.array(lanes, np.float64).reshape(-1, 3).T
    taken = taken[(starts < right) & (ends > left)]
    effort = np.abs(found - a[1]) + np.abs(found - b[1])
    effort += SHARED * (np.abs(found[:, None] - taken) < APART - 1).sum(axis=1)
    return found[np.argsort(effort, kind="stable")[:TRIED]].tolist()


def _swinging(a: Point, b: Point, first: float, last: float, y: float) -> Curve:
    """Forward: off the level of the one pin, along the lane, to the level of the other."""
    one, two = (first - a[0]) * 0.5, (b[0] - last) * 0.5
    return (
        *(a, (a[0] + one, a[1]), (first - one, y)),
        *((first, y), (first, y), (last, y)),
        *((last, y), (last + two, y), (b[0] - two, b[1])),
        b,
    )


def _turning(a: Point, b: Point, first: float, last: float, y: float) -> Curve:
    """Back: out of the one pin, round to the lane, along it, and round into the other."""
    up, down = _radius(a[1], y), _radius(b[1], y)
    out, into = (first - a[0]) * ROUND, (b[0] - last) * ROUND
    along = max(min(TURN, (first - last) / 2), 0.0)
    lean, u, d = along * ROUND, up * ROUND, down * ROUND
    return (
        *(a, (a[0] + out, a[1]), (first, a[1] + up - u)),
        *((first, a[1] + up), (first, a[1] + up), (first, y - up)),
        *((first, y - up), (first, y - up + u), (first - along + lean, y)),
        *((first - along, y), (first - along, y), (last + along, y)),
        *((last + along, y), (last + along - lean, y), (last, y - down + d)),
        *((last, y - down), (last, y - down), (last, b[1] + down)),
        *((last, b[1] + down), (last, b[1] + down - d), (b[0] - into, b[1])),
        b,
    )


def _radius(start: float, lane: float) -> float:
    """Of the turns between a pin's height and a lane's; negative where the lane is above."""
    half = (lane - start) / 2
    return max(min(half, TURN), -TURN)
