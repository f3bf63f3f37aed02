"""Snapshots of a patch as edits: take one, go back to it, go part of the way to another. Knows no window.

Snapshots are the outermost patch's; what is in groups is in them by its address, or by the name under which its
group shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from editor.faces import face
from graph.document import Patch, belongs
from graph.edits import Edit, SetBypass, SetMute, SetParam, SetSnapshot, SetState, inside
from graph.errors import PatchError
from graph.fields import Snapshot
from graph.groups import expand
from graph.spec import Kinds
from host.values import Row, morphed, snapshot_states, snapshot_values, states_to_keep


def current(patch: Patch, kinds: Kinds) -> dict[tuple[str, str], float | None]:
    """What every param stands at, by node and param, bypass and mute of every node too. None where the patch says
    nothing of a plugin's param: then it stands where the plugin's state has it.
    """
    flat = expand(patch)
    shown: dict[tuple[str, str], tuple[str, str]] = {}
    for outer, inner in sorted(flat.aliases.items(), key=lambda alias: -alias[0][0].count("/")):
        shown[inner] = outer
    found: dict[tuple[str, str], float | None] = {}
    for address, entry in flat.nodes.items():
        if entry.kind not in kinds:
            continue
        known = face(address, entry, kinds)
        values: dict[str, float | None] = dict(known.values)
        values |= {param: None for param in known.own if param not in entry.params}
        values.setdefault("mute", float(entry.mute))
        if known.bypassable:
            values.setdefault("bypass", float(entry.bypass))
        for param, value in values.items():
            found[shown.get((address, param), (address, param))] = None if value is None else float(value)
    return found


def taken(patch: Patch, kinds: Kinds, nodes: Collection[str] = ()) -> Snapshot:
    """A snapshot of what there is now, of these nodes (addresses of nodes or groups) or of all."""
    found: Snapshot = {}
    for (node, param), value in current(patch, kinds).items():
        if value is not None and _is_of(node, nodes):
            found.setdefault(node, {})[param] = value
    return found


def taken_states(patch: Patch, nodes: Collection[str] = ()) -> dict[str, bytes] | None:
    """The states of plugins for such a snapshot; None where there are none."""
    return {node: state for node, state in states_to_keep(patch).items() if _is_of(node, nodes)} or None


def _is_of(node: str, nodes: Collection[str]) -> bool:
    return not nodes or any(belongs(node, wanted) for wanted in nodes)


def edits_to(patch: Patch, kinds: Kinds, rows: Iterable[Row]) -> tuple[list[Edit], int]:
    """The edits that take a patch to values, and how many of these are of nothing that is there."""
    now = current(patch, kinds)
    edits: list[Edit] = []
    missing = 0
    for address, param, value in rows:
        if (address, param) not in now:
            missing += 1
        elif now[address, param] != value:
            edits.append(_edit(patch, kinds, address, param, value))
    return edits, missing


def _edit(patch: Patch, kinds: Kinds, address: str, param: str, value: float) -> Edit:
    *outer, id = address.split("/")
    edit: Edit = SetParam(id, param, value)
    if param in ("bypass", "mute") and not _declares(patch, kinds, address, param):
        edit = SetBypass(id, value >= 0.5) if param == "bypass" else SetMute(id, value >= 0.5)
    return inside(outer, edit)


def _declares(patch: Patch, kinds: Kinds, address: str, param: str) -> bool:
    entry = expand(patch).nodes.get(address) or patch.nodes().get(address)
    return entry is not None and param in face(address, entry, kinds).values


def recall(patch: Patch, kinds: Kinds, name: str) -> tuple[list[Edit], int]:
    """The edits that go to a snapshot, states of plugins first, and how many of its values have no param any more.
    Raises PatchError.
    """
    rows = snapshot_values(patch, name)
    edits, missing = edits_to(patch, kinds, rows)
    return [*_states_to(patch, name, {(node, param) for node, param, _ in rows}), *edits], missing


def _states_to(patch: Patch, name: str, held: Collection[tuple[str, str]]) -> list[Edit]:
    """The edits that give plugins the states of a snapshot. What the patch says of params that it does not hold goes:
    they stand where the state has them.
    """
    nodes, found = expand(patch).nodes, list[Edit]()
    for address, state in snapshot_states(patch, name):
        *outer, id = address.split("/")
        entry = nodes[address]
        edits: list[Edit] = [SetState(id, state)] if entry.state != state else []
        edits += [SetParam(id, param, None) for param in entry.params if (address, param) not in held]
        found += [inside(outer, edit) for edit in edits]
    return found


def morph(patch: Patch, kinds: Kinds, a: str, b: str, x: float) -> list[Edit]:
    """The edits that go to a place between two snapshots, 0 to 1. Raises PatchError."""
    return edits_to(patch, kinds, morphed(patch, kinds, a, b, x))[0]


def rename(patch: Patch, old: str, new: str) -> list[Edit]:
    """The edits that give a snapshot another name. Raises PatchError where that is taken or empty."""
    new = new.strip()
    if new == old:
        return []
    if not new:
        raise PatchError("a snapshot has a name", place="snapshots")
    if new in patch.snapshots:
        raise PatchError(f"there is a snapshot {new} already", place="snapshots")
    kept = SetSnapshot(new, patch.snapshots[old], patch.snapshot_states.get(old))
    return [kept, SetSnapshot(old, None)]


def fresh_name(snapshots: Mapping[str, object]) -> str:
    """A name that no snapshot has."""
    return next(name for k in range(1, len(snapshots) + 2) if (name := f"Snapshot {k}") not in snapshots)


def differing(patch: Patch, a: str, b: str) -> int:
    """How many params both snapshots hold, with different values."""
    first, second = patch.snapshots.get(a, {}), patch.snapshots.get(b, {})
    return sum(
        second.get(node, {}).get(param, value) != value for node, kept in first.items() for param, value in kept.items()
    )
