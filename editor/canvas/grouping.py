"""Groups: nodes put into a node that is a patch, and taken out again, with all that is plugged into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from editor.canvas.clip import copied
from editor.canvas.view import Point
from editor.faces import face, group_shows, inner_patch
from editor.following import do_moving
from editor.model import Session
from graph.document import Automation, Cable, NodeEntry, belongs
from graph.edits import AddNode, Connect, Edit, RemoveNode, SetAutomation
from graph.errors import PatchError
from graph.form import to_document
from graph.plain import copied as plain_copy


def group(session: Session, nodes: frozenset[str], places: Mapping[str, Point]) -> str:
    """Put nodes into a group; its id. Raises PatchError."""
    edits, id = group_edits(session, nodes, places)
    moves = {session.address(node): f"{session.address(id)}/{node}" for node in nodes}
    do_moving(session, edits, f"Group {len(nodes)} nodes", lambda address: _moved(address, moves))
    return id


def ungroup(session: Session, group: str, at: Point) -> list[str]:
    """Put what is in a group in its place; the ids its nodes get. Raises PatchError."""
    edits, names = ungroup_edits(session, group, at)
    moves = {f"{session.address(group)}/{old}": session.address(new) for old, new in names.items()}
    do_moving(session, edits, f"Ungroup {group}", lambda address: _moved(address, moves))
    return list(names.values())


def _moved(address: str, moves: Mapping[str, str]) -> str:
    """Where a node is after such moves; nodes inside go with the group that they are in."""
    for old, new in moves.items():
        if belongs(address, old):
            return new + address[len(old) :]
    return address


def group_edits(session: Session, nodes: frozenset[str], places: Mapping[str, Point]) -> tuple[list[Edit], str]:
    """The edits that put nodes into a group, and its id. Cables across its border get ports; automation of the nodes
    becomes the group's own, addressed inside it.
    """
    here = session.here
    if not nodes:
        raise PatchError("select what is to be grouped")
    inner = copied(session, nodes)
    left, top = min(places[n][0] for n in nodes), min(places[n][1] for n in nodes)
    for id in inner.nodes():
        inner.node(id).position = places[id][0] - left, places[id][1] - top
    inner.automation = []
    id = session.fresh_id("group")
    ports: dict[str, str] = {}
    params: dict[str, str] = {}
    cables: list[tuple[Cable, int]] = []
    for cable in here.cables():
        order = here.cable(cable.key)[1]
        if cable.source in nodes and cable.target not in nodes:
            name = _port(ports, f"{cable.source}.{cable.source_port}", cable.source_port)
            cables.append((replace(cable, source=id, source_port=name), order))
        elif cable.target in nodes and cable.source not in nodes:
            inside = f"{cable.target}.{cable.target_port}"
            own = face(cable.target, here.node(cable.target), session.kinds, here.cables())
            into = params if own.param(cable.target_port) and not own.port(cable.target_port) else ports
            name = _port(into, inside, cable.target_port, (ports, params))
            cables.append((replace(cable, target=id, target_port=name), order))
    document = to_document(inner)
    settings: dict[str, Any] = {
        "patch": {"nodes": document["nodes"], "cables": document["cables"]},
        "ports": ports,
        "params": params,
    }
    entry = NodeEntry("group", settings, position=(left, top))
    edits: list[Edit] = [RemoveNode(n) for n in sorted(nodes)]
    edits.append(AddNode(id, entry))
    edits += [Connect(cable, order) for cable, order in cables]
    for line in here.automation:
        if line.node.split("/")[0] in nodes:
            address = f"{id}/{line.node}"
            edits.append(SetAutomation(address, line.param, replace(line, node=address)))
    return edits, id


def _port(into: dict[str, str], inside: str, name: str, taken: tuple[dict[str, str], ...] = ()) -> str:
    """The outer name of an inner port: the one it has already, or a new one like its own."""
    for outer, address in into.items():
        if address == inside:
            return outer
    busy = {*into, *(n for other in taken for n in other)}
    node = inside.rpartition(".")[0]
    wanted = [name, f"{node}_{name}", *(f"{name}{k}" for k in range(2, len(busy) + 3))]
    outer = next(w for w in wanted if w not in busy and len(w) <= 64)
    into[outer] = inside
    return outer


def ungroup_edits(session: Session, group: str, at: Point) -> tuple[list[Edit], dict[str, str]]:
    """The edits that put what is in a group in its place, and the ids its nodes get, by those they had. Raises
    PatchError.
    """
    here, entry = session.here, session.here.node(group)
    inner = inner_patch(entry)
    if inner is None:
        raise PatchError("what is inside this group cannot be read", place=f"nodes.{group}", node=group)
    names: dict[str, str] = {}
    for id in inner.nodes():
        free = id not in here.graph and id not in names.values()
        names[id] = id if free and session.fresh_id(id) == id else session.fresh_id(id, names.values())
    ports = {**group_shows(entry, "ports"), **group_shows(entry, "params")}

    def inside(name: str) -> tuple[str, str]:
        node, _, port = ports.get(name, "").rpartition(".")
        if node not in names:
            raise PatchError(f"the group has no port or param {name!r}", place=f"nodes.{group}", node=group)
        return names[node], port

    edits: list[Edit] = [RemoveNode(group)]
    for k, (id, node) in enumerate(inner.nodes().items()):
        x, y = node.position or (30.0 * k, 30.0 * k)
        kept = replace(node.copy(), position=(at[0] + x, at[1] + y))
        kept.settings = plain_copy(node.settings)
        for outer, address in group_shows(entry, "params").items():
            where, _, param = address.rpartition(".")
            if where == id and outer in entry.params:
                kept.params[param] = entry.params[outer]
        kept.bypass, kept.mute = node.bypass or entry.bypass, node.mute or entry.mute
        edits.append(AddNode(names[id], kept))
    for cable in inner.cables():
        edits.append(Connect(replace(cable, source=names[cable.source], target=names[cable.target])))
    for order, cable in here.cables_of(group):
        source, source_port = inside(cable.source_port) if cable.source == group else (cable.source, cable.source_port)
        target, target_port = inside(cable.target_port) if cable.target == group else (cable.target, cable.target_port)
        moved = replace(cable, source=source, source_port=source_port, target=target, target_port=target_port)
        edits.append(Connect(moved, order))
    lines = [*inner.automation]
    lines += [
        replace(a, node=a.node.removeprefix(f"{group}/")) for a in here.automation if a.node.startswith(f"{group}/")
    ]
    for line in lines:
        first, *rest = line.node.split("/")
        if first in names:
            address = "/".join((names[first], *rest))
            edits.append(SetAutomation(address, line.param, Automation(address, line.param, line.points, line.enabled)))
    for line in here.automation:
        if line.node == group and line.param in ports:
            node, param = inside(line.param)
            edits.append(SetAutomation(node, param, Automation(node, param, line.points, line.enabled)))
    return edits, names
