"""The small parts of a patch: ids, names, addresses, points; what each must be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from graph.plain import checked_number, checked_text, mismatch, within

LOWEST_RATE, HIGHEST_RATE = 8000, 768_000
"""What a patch's sample rate may be, in Hz."""

LATEST_S = 1e7
"""The latest time on the timeline that a patch may name: about 116 days."""

NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 256
"""How many characters the name of a port or a param may have."""

Point = tuple[float, float, str]
"""Seconds, value, and the curve to the next point: ``linear``, ``exponential`` or ``hold``."""
Snapshot = dict[str, dict[str, float]]
"""Values of params, by node and param."""


def checked_id(id: object, place: str) -> str:
    """A node's id. Raises PatchError."""
    if not isinstance(id, str) or not NODE_ID.fullmatch(id):
        raise mismatch("an id of 1 to 64 characters of A-Z a-z 0-9 _ -", id, place)
    return id


def checked_name(name: object, place: str) -> str:
    """The name of a port or a param. Raises PatchError."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise mismatch(f"a name of 1 to {LONGEST_NAME} printable characters", name, place)
    return name


def checked_address(node: object, place: str) -> str:
    """The id of a node, or ``group/inner``. Raises PatchError."""
    if not isinstance(node, str) or not all(NODE_ID.fullmatch(part) for part in node.split("/")):
        raise mismatch('a node, such as "eq" or "group/eq"', node, place)
    return node


def address(text: object, place: str) -> tuple[str, str]:
    """The node and the port of ``node.port``. Raises PatchError."""
    node, dot, port = text.partition(".") if isinstance(text, str) else ("", "", "")
    if not dot or not NODE_ID.fullmatch(node) or not port:
        raise mismatch('a port as "node.port"', text, place)
    return node, checked_name(port, place)


def checked_rate(value: object) -> int | None:
    """A patch's sample rate in Hz, or None where it leaves that open. Raises PatchError."""
    if value is None:
        return None
    if type(value) is not int or not LOWEST_RATE <= value <= HIGHEST_RATE:
        raise mismatch(f"a whole number from {LOWEST_RATE} to {HIGHEST_RATE} Hz", value, "sample_rate")
    return value


def checked_points(points: object, place: str, *, strict: bool = False) -> tuple[Point, ...]:
    """Points of automation as ``(seconds, value, curve)``. Raises PatchError.

    ``strict`` is for what comes from files: there, a point has all three.
    """
    if not isinstance(points, Iterable) or isinstance(points, (str, bytes, Mapping)):
        raise mismatch("a list of points", cast(object, points), f"{place}.points")
    found: list[Point] = []
    for i, point in enumerate(cast(Iterable[object], points)):
        parts = list(cast(Sequence[object], point)) if isinstance(point, (list, tuple)) else []
        if len(parts) == 2 and not strict:
            parts.append("linear")
        if len(parts) != 3 or not isinstance(parts[2], str):
            raise mismatch("[seconds, value, curve]", cast(object, point), f"{place}.points[{i}]")
        time = checked_number(parts[0], f"{place}.points[{i}][0]", strict=strict)
        value = checked_number(parts[1], f"{place}.points[{i}][1]", strict=strict)
        if isinstance(time, bool):
            raise mismatch("seconds", time, f"{place}.points[{i}][0]")
        found.append((time, value, checked_text(parts[2], f"{place}.points[{i}][2]")))
    return tuple(found)


def checked_snapshot(values: object, place: str, *, strict: bool = False) -> Snapshot:
    """Values of params by node and param. Raises PatchError."""
    found: Snapshot = {}
    for node, params in _entries(values, place, "a map of nodes"):
        inside = within(place, node)
        found[checked_address(node, place)] = {
            checked_name(name, inside): checked_number(value, within(inside, name), strict=strict)
            for name, value in _entries(params, inside, "a map of params")
        }
    return found


def checked_states(values: object, place: str) -> dict[str, bytes]:
    """States of plugins by node. Raises PatchError."""
    found: dict[str, bytes] = {}
    for node, state in _entries(values, place, "a map of nodes"):
        if not isinstance(state, bytes):
            raise mismatch("bytes", state, within(place, node))
        found[checked_address(node, place)] = state
    return found


def _entries(value: object, place: str, expected: str) -> Iterable[tuple[object, object]]:
    if not isinstance(value, Mapping):
        raise mismatch(expected, value, place)
    return cast(Mapping[object, object], value).items()
