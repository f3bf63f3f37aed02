"""Kinds whose ports and params follow from the outside world: each node gets a kind of its own before it is wired."""

from __future__ import annotations

from dataclasses import replace

from graph.errors import PatchError
from graph.groups import Flat
from graph.resolve import resolve_settings
from graph.spec import Kinds, Node, Services
from graph.stand_in import stand_in


def specialise(
    flat: Flat, kinds: Kinds, services: Services, missing: list[PatchError] | None = None
) -> tuple[Flat, Kinds]:
    """The patch and the kinds with what nodes of kinds that vary really are.

    Raises PatchError, with the node's place, where that cannot be found out; with a list for what is ``missing`` it is
    noted there, and the node keeps its cables and passes audio.
    """
    varying = [id for id in sorted(flat.nodes) if _varies(kinds, flat.nodes[id].kind)]
    if not varying:
        return flat, kinds
    nodes, own = dict(flat.nodes), dict[str, type[Node]]()
    lost: list[str] = []
    for id in varying:
        entry = flat.nodes[id]
        kind = kinds[entry.kind]
        try:
            found = kind.variant(resolve_settings(kind, entry), services)
        except PatchError as error:
            place = f"nodes.{id}" + (f".{error.place}" if error.place else "")
            placed = PatchError(error.message, place=place, node=id)
            if missing is None:
                raise placed from None
            missing.append(placed)
            lost.append(id)
            continue
        name = f"{entry.kind} {id}"
        own[name] = found
        nodes[id] = replace(entry, kind=name)
    joined: dict[str, type[Node]] = {**kinds, **own}
    for id in lost:
        entry = flat.nodes[id]
        cables = [c for c in flat.cables if c.target != id or c.amount is None]
        name = f"{entry.kind} {id}"
        joined[name] = stand_in(id, entry, cables, {k: e for k, e in nodes.items() if k not in lost}, joined)
        nodes[id] = replace(entry, kind=name)
    return replace(flat, nodes=nodes), joined


def _varies(kinds: Kinds, name: str) -> bool:
    kind = kinds.get(name)
    return kind is not None and kind.varies
