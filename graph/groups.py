"""Groups: a node that is a patch. The first pass puts the inner nodes in its place, as ``group/inner``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from graph.document import Automation, Cable, NodeEntry, Patch
from graph.errors import PatchError

DEEPEST = 16
"""How deep groups may nest."""
MOST_NODES = 200_000
"""How many nodes a patch may have when all of its groups are expanded."""

Address = tuple[str, str]


@dataclass(slots=True)
class Flat:
    """A patch without groups."""

    nodes: dict[str, NodeEntry] = field(default_factory=dict[str, NodeEntry])
    cables: list[Cable] = field(default_factory=list[Cable])
    automation: list[Automation] = field(default_factory=list[Automation])
    aliases: dict[Address, Address] = field(default_factory=dict[Address, Address])
    """Where each exposed port and param of a group really is."""
    groups: dict[str, NodeEntry] = field(default_factory=dict[str, NodeEntry])
    """The groups that were there."""
    bypassed: set[str] = field(default_factory=set[str])
    """Nodes inside a bypassed group."""
    muted: set[str] = field(default_factory=set[str])
    """Nodes that feed the outputs of a muted group."""
    tempo: float = 120.0
    """Beats per minute: the outermost patch's, which those inside follow."""


def expand(patch: Patch) -> Flat:
    """The patch with every group replaced by what is in it.

    A bypassed group bypasses every node in it that can be; a muted one silences what feeds its outputs. Raises
    PatchError naming the group where its inside is not as it must be.
    """
    flat = Flat(tempo=float(patch.transport.tempo))
    _expand(flat, "", patch, 0)
    return flat


def _expand(flat: Flat, prefix: str, patch: Patch, depth: int) -> None:
    if depth > DEEPEST:
        raise PatchError(f"groups nest deeper than {DEEPEST}", place=f"nodes.{prefix[:64]}", node=prefix.split("/")[0])
    groups: dict[str, NodeEntry] = {}
    data: Mapping[str, Any]
    for id, data in patch.graph.nodes(data=True):
        name, entry = prefix + id, cast(NodeEntry, data["entry"])
        if entry.kind == "group":
            groups[name] = flat.groups[name] = entry
        else:
            flat.nodes[name] = entry
        if len(flat.nodes) > MOST_NODES:
            raise PatchError(
                f"groups and all, there are more than {MOST_NODES} nodes", place=f"nodes.{name}", node=name
            )
    for name, entry in groups.items():
        _open(flat, name, entry, depth)

    def real(node: str, port: str, place: str) -> Address:
        if node not in groups:
            return node, port
        if (node, port) not in flat.aliases:
            offered = ", ".join(p for n, p in flat.aliases if n == node) or "none"
            raise PatchError(f"the group has no port or param {port!r}; it has {offered}", place=place, node=node)
        return flat.aliases[node, port]

    for _, _, data in patch.graph.edges(data=True):
        cable = cast(Cable, data["cable"])
        if not prefix and not groups:
            flat.cables.append(cable)
            continue
        place = f"cables.{prefix}{cable.source}.{cable.source_port} -> {cable.target}.{cable.target_port}"
        source, source_port = real(prefix + cable.source, cable.source_port, place)
        target, target_port = real(prefix + cable.target, cable.target_port, place)
        flat.cables.append(
            replace(cable, source=source, source_port=source_port, target=target, target_port=target_port)
        )
    for line in patch.automation:
        node, param = prefix + line.node, line.param
        node, param = flat.aliases.get((node, param), (node, param))
        if node in groups:
            node, param = real(node, param, f"automation.{line.node}.{line.param}")
        flat.automation.append(replace(line, node=node, param=param))


def _open(flat: Flat, name: str, entry: NodeEntry, depth: int) -> None:
    """Put the inside of one group into the flat patch."""
    place = f"nodes.{name}.settings"
    inner = patch_in(entry, name)
    before = set(flat.nodes)
    _expand(flat, name + "/", inner, depth + 1)
    inside = [id for id in flat.nodes if id not in before]
    if entry.bypass:
        flat.bypassed.update(inside)
    for what in ("ports", "params"):
        for outside, address in _exposed(entry, what, place, name):
            node, _, port = address.rpartition(".")
            target = (f"{name}/{node}", port)
            target = flat.aliases.get(target, target)
            if target[0] not in flat.nodes:
                raise PatchError(
                    f"there is no node {node!r} in the group", place=f"{place}.{what}.{outside}", node=name
                )
            flat.aliases[name, outside] = target
            if entry.mute and what == "ports":
                flat.muted.add(target[0])
    for param, value in entry.params.items():
        if (name, param) not in flat.aliases:
            raise PatchError("the group exposes no such param", place=f"nodes.{name}.params.{param}", node=name)
        node, inner_param = flat.aliases[name, param]
        found = flat.nodes[node]
        flat.nodes[node] = replace(found, params={**found.params, inner_param: value})


def patch_in(entry: NodeEntry, name: str) -> Patch:
    """The patch that a group called ``name`` holds. Raises PatchError where that is none."""
    from graph.form import VERSION, from_document

    place = f"nodes.{name}.settings.patch"
    raw = entry.settings.get("patch")
    if not isinstance(raw, Mapping):
        raise PatchError("expected the inner patch, a map with nodes and cables", place=place, node=name)
    try:
        return from_document(
            {**cast(Mapping[str, Any], raw), "format": "patchwright", "version": VERSION}, known_plain=True
        )
    except PatchError as error:
        raise PatchError(error.message, place=f"{place}.{error.place}", node=name) from None


def _exposed(entry: NodeEntry, what: str, place: str, name: str) -> Sequence[tuple[str, str]]:
    raw: object = entry.settings.get(what, {})
    items = cast(Mapping[object, object], raw).items() if isinstance(raw, Mapping) else None
    if items is None or not all(isinstance(k, str) and isinstance(v, str) and "." in v for k, v in items):
        raise PatchError(
            'expected a map of names to inner addresses, such as {"in": "eq.in"}', place=f"{place}.{what}", node=name
        )
    return sorted(cast(Mapping[str, str], raw).items())
