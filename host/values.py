"""Values of params of a patch, by the addresses of nodes: set one, apply a snapshot, go part of the way to another."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from graph.check import point_problems
from graph.document import Automation, NodeEntry, Patch, Point
from graph.edits import Edit, SetAutomation, SetBypass, SetMute, SetParam, SetState, inside
from graph.errors import PatchError
from graph.groups import Flat, expand, patch_in
from graph.plain import brief
from graph.resolve import misfit, resolve_settings
from graph.spec import BUILT_IN_PARAMS, Kinds, Param

Row = tuple[str, str, float]
"""Node (or ``group/inner``), param, value in display units."""
Line = tuple[str, str, Iterable[Point]]
"""Node (or ``group/inner``), param, points of its automation."""


def set_values(patch: Patch, rows: Iterable[Row], kinds: Kinds) -> None:
    """Give params of a patch other values, in groups too: where a group gives a param of a node in it a value, what the
    group gives is set as well, since that is what counts. Ranges are checked when it is compiled. Raises PatchError.
    """
    flat: Flat | None = None
    for address, param, value in rows:
        if patch.graph.has_node(address):
            _set(patch, address, patch.node(address), param, value, kinds)
            continue
        flat = expand(patch) if flat is None else flat
        entry = flat.nodes.get(address) or flat.groups.get(address)
        if entry is None:
            raise PatchError(f"there is no node {brief(repr(address), 160)} to set {brief(param, 80)} of")
        target = flat.aliases.get((address, param), (address, param))
        _set(patch, address, entry, param, value, kinds)
        for (group, name), leads_to in flat.aliases.items():
            if leads_to == target and name in flat.groups[group].params and (group, name) != (address, param):
                _set(patch, group, flat.groups[group], name, value, kinds)


def take_up(patch: Patch, rows: Iterable[Row], lines: Iterable[Line], kinds: Kinds) -> None:
    """Give params of a patch other values, and automation other points, as an engine takes them up: of those that it
    refuses, because there is no such param or a value is out of its range, nothing is left.
    """
    flat = expand(patch)
    set_values(patch, [row for row in rows if not _refused(flat, row, kinds)], kinds)
    for node, param, points in lines:
        line = Automation(node, param, tuple(points))
        if not any(point_problems(line, _declared_at(flat, node, param, kinds))):
            with suppress(PatchError):  # it has no automation
                set_points(patch, node, param, line.points)


def _refused(flat: Flat, row: Row, kinds: Kinds) -> bool:
    address, param, value = row
    id, name = flat.aliases.get((address, param), (address, param))
    if id not in flat.nodes:
        return id not in flat.groups or name not in BUILT_IN_PARAMS or value not in (0, 1)
    kind = kinds.get(flat.nodes[id].kind)
    declared = _declared_at(flat, address, param, kinds)
    if declared is None:  # what the kind makes of it follows from the outside world, or is not known here
        return kind is not None and not kind.varies
    return bool(misfit(declared, value))


def _declared_at(flat: Flat, address: str, param: str, kinds: Kinds) -> Param | None:
    """What an address leads to, as far as that is known without the outside world."""
    id, name = flat.aliases.get((address, param), (address, param))
    entry = flat.nodes.get(id)
    found = _declared(entry, name, kinds) if entry is not None else None
    return found or BUILT_IN_PARAMS.get(name)


def _set(patch: Patch, address: str, entry: NodeEntry, param: str, value: float, kinds: Kinds) -> None:
    *outer, id = address.split("/")
    edit: Edit = SetParam(id, param, value)
    if param in ("bypass", "mute") and _declared(entry, param, kinds) is None:
        if value not in (0, 1):
            raise PatchError(f"expected 0 or 1, found {value:g}", place=f"nodes.{address}.{param}", node=address)
        edit = SetBypass(id, bool(value)) if param == "bypass" else SetMute(id, bool(value))
    inside(outer, edit).apply(patch)


def set_points(patch: Patch, node: str, param: str, points: Iterable[Point]) -> Automation:
    """Give the automation that a param has other points, be it that of the patch or of the group it is in; what it is
    now. What the points must be, ``graph.check`` knows. Raises PatchError where the param has none.
    """
    inner, (*groups, _) = patch, node.split("/")
    for depth in range(len(groups) + 1):
        address = node.split("/", depth)[-1]
        found = next((x for x in inner.automation if (x.node, x.param) == (address, param)), None)
        if found is not None:
            line = replace(found, points=tuple(points))
            inside(groups[:depth], SetAutomation(address, param, line)).apply(patch)
            return line
        if depth < len(groups) and inner.graph.has_node(groups[depth]):
            inner = patch_in(inner.node(groups[depth]), groups[depth])
    raise PatchError(f"{brief(param, 80)} of {brief(repr(node), 160)} is not automated", node=node)


def snapshot_values(patch: Patch, name: str) -> list[Row]:
    """What a snapshot holds. Raises PatchError where there is none of that name."""
    if name not in patch.snapshots:
        have = ", ".join(sorted(patch.snapshots)) or "none"
        raise PatchError(f"there is no snapshot {brief(repr(name), 80)}; there are {brief(have, 500)}")
    return [(node, param, float(v)) for node, params in patch.snapshots[name].items() for param, v in params.items()]


def snapshot_states(patch: Patch, name: str) -> list[tuple[str, bytes]]:
    """The states of plugins that a snapshot holds, by node: of those nodes that are there, and that want theirs to be
    set by snapshots. Raises PatchError where there is none of that name.
    """
    snapshot_values(patch, name)
    nodes = expand(patch).nodes
    kept = patch.snapshot_states.get(name, {}).items()
    return [(node, state) for node, state in kept if node in nodes and _in_snapshots(nodes[node])]


def states_to_keep(patch: Patch) -> dict[str, bytes]:
    """What a snapshot that is taken now holds of plugins' states: of all that have one, unless they are left out."""
    nodes = expand(patch).nodes
    return {id: e.state for id, e in nodes.items() if e.state is not None and _in_snapshots(e)}


def _in_snapshots(entry: NodeEntry) -> bool:
    return entry.settings.get("state_in_snapshots", True) is not False


def set_states(patch: Patch, states: Iterable[tuple[str, bytes]]) -> None:
    """Give plugins other states, in groups too. Raises PatchError."""
    for address, state in states:
        *outer, id = address.split("/")
        inside(outer, SetState(id, state)).apply(patch)


def morphed(patch: Patch, kinds: Kinds, a: str, b: str, x: float) -> list[Row]:
    """What lies between two snapshots: ``x`` 0 is the first, 1 the second. Params that only one of them holds are left
    alone.

    A param goes in proportion along its range: logarithmic ones by equal ratios, others by equal steps; switches
    and choices change half way. Raises PatchError.
    """
    if not 0.0 <= x <= 1.0:
        raise PatchError(f"expected a place from 0 to 1 between two snapshots, found {x:g}")
    first = {(node, param): value for node, param, value in snapshot_values(patch, a)}
    second = {(node, param): value for node, param, value in snapshot_values(patch, b)}
    nodes = expand(patch).nodes
    rows: list[Row] = []
    for (node, param), low in first.items():
        if (node, param) not in second:
            continue
        high = second[node, param]
        declared = _declared(nodes[node], param, kinds) if node in nodes else None
        rows.append((node, param, _between(low, high, x, declared)))
    return rows


def _between(low: float, high: float, x: float, declared: Param | None) -> float:
    if x in (0.0, 1.0) or low == high:
        return low if x == 0.0 else high
    if declared is None or declared.curve in ("switch", "choice"):
        return low if x < 0.5 else high
    if declared.curve == "log" and low > 0 and high > 0:
        return low * (high / low) ** x
    value = low + (high - low) * x
    return float(round(value)) if declared.curve == "integer" else value


def _declared(entry: NodeEntry, param: str, kinds: Kinds) -> Param | None:
    kind = kinds.get(entry.kind)
    if kind is None:
        return None
    return next((p for p in kind.params(resolve_settings(kind, entry)) if p.name == param), None)
