"""Points of automation: what lies between them, and what editing does to them. Knows no window.

All functions return new points in order of time; none changes what it is given.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from editor.faces import Face, face, from_unit, inner_patch, to_unit
from graph.check import CURVES, LATEST_S
from graph.document import Patch
from graph.fields import Point
from graph.spec import Kinds, Param

Points = tuple[Point, ...]
STEPPED = ("switch", "choice", "integer")
"""Params whose values have nothing between them."""
GRIDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)


def face_at(patch: Patch, address: str, kinds: Kinds) -> Face | None:
    """The face of a node, or of one in a group by its address; None where there is none."""
    *outer, id = address.split("/")
    found: Patch | None = patch
    for group in outer:
        if found is None or group not in found.graph:
            return None
        found = inner_patch(found.node(group))
    if found is None or id not in found.graph:
        return None
    return face(id, found.node(id), kinds, found.cables())


def fitting(points: Sequence[Point]) -> Points:
    """The points, where a curve is impossible with a straight line: an exponential one has ends of one sign."""
    found = list(points)
    for i, (time, value, curve) in enumerate(found[:-1]):
        if curve == "exponential" and not exponential_fits(value, found[i + 1][1]):
            found[i] = (time, value, "linear")
    return tuple(found)


def exponential_fits(value: float, following: float) -> bool:
    """Whether an exponential curve can go between two values."""
    return value > 0 < following or value < 0 > following


def value_at(points: Sequence[Point], time: float) -> float:
    """What a param stands at, at a time in seconds: the first value before the first point, the last after the last."""
    after = bisect.bisect_right([point[0] for point in points], time)
    if after == 0:
        return points[0][1]
    start, value, curve = points[after - 1]
    if after == len(points) or curve == "hold":
        return value
    end, following, _ = points[after]
    share = (time - start) / (end - start)
    if curve == "exponential" and exponential_fits(value, following):
        return value * (following / value) ** share
    return value + (following - value) * share


def added(points: Sequence[Point], param: Param, time: float, value: float) -> tuple[Points, int]:
    """With another point, and which it is; it goes on as what was there did."""
    time = min(max(time, 0.0), LATEST_S)
    at = bisect.bisect_right([point[0] for point in points], time)
    curve = points[at - 1][2] if at else "hold" if param.curve in STEPPED else "linear"
    point = (time, within(param, value), curve)
    return fitting((*points[:at], point, *points[at:])), at


def moved(points: Sequence[Point], param: Param, i: int, time: float, value: float) -> Points:
    """With a point elsewhere, but not before the one before or after the one after."""
    low = points[i - 1][0] if i else 0.0
    high = points[i + 1][0] if i + 1 < len(points) else LATEST_S
    point = (min(max(time, low), high), within(param, value), points[i][2])
    return fitting((*points[:i], point, *points[i + 1 :]))


def removed(points: Sequence[Point], i: int) -> Points:
    """Without a point."""
    return fitting((*points[:i], *points[i + 1 :]))


def turned(points: Sequence[Point], i: int) -> Points:
    """With the next of the curves that are possible, from a point to the one after."""
    time, value, curve = points[i]
    last = i + 1 == len(points)
    fits = [c for c in CURVES if c != "exponential" or last or exponential_fits(value, points[i + 1][1])]
    following = fits[(fits.index(curve) + 1) % len(fits)] if curve in fits else fits[0]
    return (*points[:i], (time, value, following), *points[i + 1 :])


def drawn(points: Sequence[Point], param: Param, stroke: Sequence[tuple[float, float]], finest: float) -> Points:
    """With a stroke of the hand, times and values, in place of what was between its ends.

    Only as many of its points stay as keep it within ``finest``, a share of the range (the method of Ramer, 1972, and
    of Douglas and Peucker, 1973, with the distance along the range).
    """
    by_time = {min(max(time, 0.0), LATEST_S): within(param, value) for time, value in stroke}
    line = sorted(by_time.items())
    if not line:
        return tuple(points)
    start, end = line[0][0], line[-1][0]
    curve = "hold" if param.curve in STEPPED else "linear"
    thin = [line[k] for k in _kept([(time, to_unit(param, value)) for time, value in line], finest)]
    before = [point for point in points if point[0] < start]
    after = [point for point in points if point[0] > end]
    return fitting((*before, *((time, value, curve) for time, value in thin), *after))


def _kept(line: Sequence[tuple[float, float]], finest: float) -> list[int]:
    keep = {0, len(line) - 1}
    spans = [(0, len(line) - 1)]
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        (t0, p0), (t1, p1) = line[a], line[b]
        far, at = max((abs(p0 + (p1 - p0) * (line[k][0] - t0) / (t1 - t0) - line[k][1]), k) for k in range(a + 1, b))
        if far > finest:
            keep.add(at)
            spans += [(a, at), (at, b)]
    return sorted(keep)


def within(param: Param, value: float) -> float:
    """The nearest value that the param can have."""
    value = min(max(value, param.low), param.high)
    return float(round(value)) if param.curve in STEPPED else value


def trace(points: Sequence[Point], param: Param, start: float, end: float, columns: int) -> list[tuple[float, float]]:
    """The line to draw between two times: times, and places in the param's range.

    Beside the points it has as many between them as bends need, no more than ``columns`` in all where points are dense.
    """
    if not points:
        return []
    span = max(end - start, 1e-9)
    inner = [point for point in points if start < point[0] < end]
    times = {start, end}
    if len(inner) * 2 > columns:
        times |= {start + span * k / columns for k in range(columns)}
        return [(time, to_unit(param, value_at(points, time))) for time in sorted(times)]
    if any(point[2] != "hold" for point in points) and (
        param.curve == "log" or any(point[2] == "exponential" for point in points)
    ):
        times |= {start + span * k / (columns // 4) for k in range(columns // 4)}
    times |= {point[0] for point in inner}
    at = {point[0] for point in inner}
    found: list[tuple[float, float]] = []
    for time in sorted(times):
        if time in at:  # where a held value ends, the line goes straight up or down
            found.append((time, to_unit(param, _before(points, time))))
        found.append((time, to_unit(param, value_at(points, time))))
    return found


def _before(points: Sequence[Point], time: float) -> float:
    """The value that is reached just before a point's time."""
    first = bisect.bisect_left([point[0] for point in points], time)
    if first == 0:
        return points[0][1]
    return points[first - 1][1] if points[first - 1][2] == "hold" else points[first][1]


def grid(start: float, end: float, width: float, least: float) -> tuple[float, list[float]]:
    """Lines at round times, at least so many pixels apart on a lane of this width: seconds apart, and times."""
    span = max(end - start, 1e-9)
    step = next((s for s in GRIDS if s / span * width >= least), GRIDS[-1])
    first = int(max(start, 0.0) / step)
    times = [k * step for k in range(first, int(end / step) + 1) if k * step >= start]
    return step, times[:1000]


def clock(time: float, step: float) -> str:
    """A time as the ruler shows it."""
    digits = 2 if step < 0.1 else 1 if step < 1 else 0
    hours, rest = divmod(round(time, digits), 3600)
    minutes, seconds = divmod(rest, 60)
    tail = f"{seconds:0{3 + digits if digits else 2}.{digits}f}"
    return f"{hours:.0f}:{minutes:02.0f}:{tail}" if hours else f"{minutes:.0f}:{tail}"


def place_value(param: Param, place: float) -> float:
    """The value at a height of a lane, 0 to 1, with no more digits than matter."""
    value = from_unit(param, place)
    return within(param, float(f"{value:.4g}"))
