"""Edits that give a node's plugin another state, or put another plugin in its place, each of them one step to undo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from graph.document import NodeEntry, Patch
from graph.edits import Batch, Edit, SetParam, SetSetting, SetState, inside
from graph.errors import PatchError
from graph.groups import expand
from host.plugins.description import Description
from host.plugins.store import Found
from nodes.plugin import variant

ALIKE = 0.55
"""How alike two names must be for one plugin to be offered for another; 1: equal."""
NAMES = ("format", "uid", "vendor", "name", "version")


def settled(patch: Patch, address: str) -> NodeEntry:
    """The plugin node at an address. Raises PatchError."""
    entry = expand(patch).nodes.get(address)
    if entry is None or entry.kind != "plugin":
        raise PatchError(f"there is no plugin {address!r}", node=address)
    return entry


def preset_edit(address: str, entry: NodeEntry, state: bytes, words: str = "") -> Edit:
    """Give a plugin a whole state. What the patch said of its params before is forgotten, since the state says it all;
    automation stays.
    """
    *groups, id = address.split("/")
    edits: list[Edit] = [SetState(id, state)]
    edits += [SetParam(id, param, None) for param in entry.params]
    return inside(groups, Batch(words or f"Load a preset into {id}", tuple(edits)))


@dataclass(frozen=True, slots=True)
class Substitute:
    """A plugin that could stand in for another."""

    found: Found
    score: float
    """How well, 0…1."""
    mapped: tuple[tuple[str, str], ...]
    """The patch's params and what they would be there."""
    lost: tuple[str, ...]
    """Params of the patch that it has not."""


def substitutes(
    settings: Mapping[str, Any],
    found: Iterable[Found],
    params: Sequence[str] = (),
    ports: Sequence[str] = (),
    most: int = 8,
) -> list[Substitute]:
    """Plugins to put in the place of the one that a node's settings name, the best first.

    ``params`` and ``ports``: the names that the patch uses. Another version or format of the same plugin comes before
    others of the same vendor; of those, and of the rest, only what has a name like it is offered.
    """
    offered: list[Substitute] = []
    for each in found:
        score = _alike(settings, each.description)
        if score < ALIKE or (each.format, each.description.uid) == (settings.get("format"), settings.get("uid")):
            continue
        names, there = _names(each.description, str(settings.get("layout", "auto")))
        mapped = tuple((name, target) for name in params if (target := _match(name, names)))
        known = {name for name, _ in mapped}
        lost = tuple(name for name in params if name not in known)
        total = 0.6 * score + 0.2 * _share(len(mapped), params) + 0.2 * _share(len(there & set(ports)), ports)
        offered.append(Substitute(each, round(total, 4), mapped, lost))
    return sorted(offered, key=lambda s: (-s.score, s.found.description.name, s.found.path))[:most]


def substitute_edit(address: str, patch: Patch, substitute: Substitute) -> Edit:
    """Put a plugin in the place of another, its params under their new names. Cables stay where the new one has a port
    of that name, which is for whoever checks the patch to say. The state of the old one means nothing to the new one
    and goes; undo brings it back. Raises PatchError.
    """
    *groups, id = address.split("/")
    entry, new = settled(patch, address), substitute.found
    description = new.description
    values = (new.format, description.uid, description.vendor, description.name, description.version)
    edits: list[Edit] = [SetSetting(id, name, value) for name, value in zip(NAMES, values, strict=True)]
    edits.append(SetSetting(id, "path_hint", new.path))
    edits.append(SetState(id, None))
    moved = {old: target for old, target in substitute.mapped if old in entry.params}
    edits += [SetParam(id, old, None) for old in entry.params]
    edits += [SetParam(id, target, entry.params[old]) for old, target in moved.items()]
    return inside(groups, Batch(f"Replace {id} by {description.name}", tuple(edits)))


def _names(description: Description, layout: str) -> tuple[list[str], set[str]]:
    """The params and ports that a node of a plugin has."""
    try:
        kind = variant(description, layout)
    except PatchError:
        kind = variant(description)
    return [param.name for param in kind.params({})], {port.name for port in kind.ports({})}


def _share(count: int, of: Sequence[str]) -> float:
    return count / len(set(of)) if of else 1.0


def _match(name: str, names: Sequence[str]) -> str:
    """The param of another plugin that means the same, by its name; empty where there is none."""
    if name in names:
        return name
    plain = _plain(name)
    return next((each for each in names if _plain(each) == plain), "")


def _plain(name: str) -> str:
    """A name without what plugins write differently: case, spaces, signs, and a number put behind to tell it apart."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"_\d{3,}$", "", name.lower()))


def _alike(settings: Mapping[str, Any], other: Description) -> float:
    name, vendor = str(settings.get("name", "")), str(settings.get("vendor", ""))
    score = SequenceMatcher(None, _plain(name), _plain(other.name)).ratio() if name else 0.0
    if vendor and _plain(vendor) == _plain(other.vendor):
        score = min(1.0, 0.15 + 0.85 * score)
    return score
