"""What makes one patch of another, as plain data: for whoever holds the one before, so that an edit of a large patch
is small wherever it goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from graph.document import Patch
from graph.encoding import pack, read_plain
from graph.fields import checked_id
from graph.form import FORMAT, VERSION, cable_of, from_document, node_of
from graph.plain import Refused, mismatch

Document = Mapping[str, Any]
_LISTED = ("nodes", "cables")
_HEAD: dict[str, Any] = {"format": FORMAT, "version": VERSION, "nodes": {}, "cables": []}
_PARTS = {"put": dict, "remove": list, "unplug": list, "plug": list, "rest": dict}
_REST = (
    *("name", "description", "author", "license", "tags", "sample_rate", "automation", "snapshots"),
    *("snapshot_states", "transport", "metadata", "extra", "written"),
)
"""What a patch holds beside its nodes and cables."""


def delta(before: Document, after: Document, touched: Collection[str] = ()) -> bytes:
    """What makes the patch of the document ``after`` of that of the document ``before``, in which the nodes that were
    ``touched`` may have changed since.

    What stands beside nodes and cables is taken from ``after`` as a whole where any of it differs, or anything was
    touched. The order of nodes and cables is not kept.
    """
    nodes: dict[str, Any] = after["nodes"]
    old_nodes: dict[str, Any] = before["nodes"]
    cables, old_cables = _by_ends(after), _by_ends(before)
    rest = {field: value for field, value in after.items() if field not in _LISTED}
    same = not touched and rest == {field: value for field, value in before.items() if field not in _LISTED}
    return pack(
        {
            "put": {id: node for id, node in nodes.items() if id in touched or old_nodes.get(id) != node},
            "remove": [id for id in old_nodes if id not in nodes],
            "unplug": [cable for ends, cable in old_cables.items() if cables.get(ends) != cable],
            "plug": [cable for ends, cable in cables.items() if old_cables.get(ends) != cable],
            "rest": {} if same else rest,
        }
    )


def _by_ends(document: Document) -> dict[tuple[str, str], Any]:
    return {(cable["from"], cable["to"]): cable for cable in document["cables"]}


def apply_delta(patch: Patch, data: bytes) -> None:
    """Make another patch of one. Raises PatchError for what is no delta, or is one of another patch: then the patch may
    be changed in part.
    """
    found = read_plain(data)
    parts = cast(dict[str, Any], {} if isinstance(found, Refused) else found)
    if {name: type(part) for name, part in parts.items()} != _PARTS:
        raise mismatch("what changes in a patch", cast(object, found), "")
    put = {checked_id(id, "put"): node_of(node, f"put.{id}") for id, node in parts["put"].items()}
    plug = [cable_of(cable, f"plug[{i}]") for i, cable in enumerate(parts["plug"])]
    unplug = [cable_of(cable, f"unplug[{i}]").key for i, cable in enumerate(parts["unplug"])]
    rest = from_document({**parts["rest"], **_HEAD}) if parts["rest"] else None
    for key in unplug:
        patch.unplug(key)
    for id in parts["remove"]:
        patch.node(id)
        patch.graph.remove_node(id)
    for id, entry in put.items():
        if id in patch.graph:
            patch.graph.nodes[id]["entry"] = entry
        else:
            patch.put(id, entry)
    for cable in plug:
        patch.plug(cable)
    if rest is not None:
        for field in _REST:
            setattr(patch, field, getattr(rest, field))
