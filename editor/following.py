"""What a patch says elsewhere of its params, when these get other addresses: automation, snapshots and controls.

Nodes get other addresses when they are grouped and ungrouped, params when a group shows them, hides them, or gives
them another name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from editor.model import Session
from graph.document import Patch
from graph.edits import Batch, Edit, ReplaceAutomation, SetPatchField, SetSnapshot, inside
from graph.errors import PatchError
from graph.fields import Snapshot
from graph.groups import Address, expand
from host.remote.mappings import FIELD

Moved = Callable[[str], str]
"""The address that a node has after an edit, from the one before; both from the outermost patch on."""


def do_moving(session: Session, edits: Sequence[Edit], name: str, moved: Moved | None = None) -> None:
    """Do edits of a session's level as one step, and let what speaks of the same params elsewhere follow.

    Raises PatchError, with nothing changed.
    """
    do_moving_at_root(session, inside(session.path, Batch(name, tuple(edits))), name, moved)


def do_moving_at_root(session: Session, edit: Edit, name: str, moved: Moved | None = None) -> None:
    """As `do_moving`, for an edit of the outermost patch."""
    after = session.patch.copy()
    edit.apply(after)
    session.do_at_root(Batch(name, (edit, *_following(session.patch, after, moved or str))), name=name)


def _following(before: Patch, after: Patch, moved: Moved) -> list[Edit]:
    left, after.automation = after.automation, []  # what it speaks of may have gone
    try:
        real, names = expand(before).aliases, expand(after).aliases
    except PatchError:
        return []  # what is inside a group cannot be read, nor who is meant then
    shown = {inner: outer for outer, inner in sorted(names.items(), key=lambda name: -name[0][0].count("/"))}

    def now(node: str, param: str) -> Address:
        inner, own = real.get((node, param), (node, param))
        address = moved(inner), own
        return shown.get(address, address)

    edits: list[Edit] = []
    lines = {now(line.node, line.param): line for line in before.automation}
    automation = [replace(line, node=node, param=param) for (node, param), line in lines.items()]
    known = {(line.node, line.param) for line in before.automation} | set(lines)
    automation += [line for line in left if (line.node, line.param) not in known]
    if automation != left:
        edits.append(ReplaceAutomation(tuple(automation)))
    for name, values in before.snapshots.items():
        kept: Snapshot = {}
        for node, params in values.items():
            for param, value in params.items():
                address, own = now(node, param)
                kept.setdefault(address, {})[own] = value
        states = {moved(node): state for node, state in before.snapshot_states.get(name, {}).items()}
        if (kept, states) != (after.snapshots.get(name), after.snapshot_states.get(name, {})):
            edits.append(SetSnapshot(name, kept, states or None))
    controls = before.metadata.get(FIELD)
    if isinstance(controls, list):
        followed = [_control(entry, now) for entry in controls]
        if followed != controls:
            edits.append(SetPatchField("metadata", {**after.metadata, FIELD: followed}))
    return edits


def _control(entry: object, now: Callable[[str, str], Address]) -> object:
    """An entry as it is now; what is not understood stays as it is."""
    if not isinstance(entry, Mapping):
        return entry
    node, param = entry.get("node"), entry.get("param")
    if not isinstance(node, str) or not isinstance(param, str):
        return entry
    node, param = now(node, param)
    return {**entry, "node": node, "param": param}
