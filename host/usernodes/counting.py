"""How much of what nodes of one's own gave was no number."""

from __future__ import annotations

from host.native.program import Program
from nodes.user import UNSOUND


def unsound(program: Program) -> dict[str, int]:
    """Samples that were NaN or infinite and became silence, by the id of the node, of those that have given any."""
    found: dict[str, int] = {}
    for node in program.schedule.nodes:
        if UNSOUND in node.kind.declared:
            count = program.binding.arena.find(("state", node.key, node.kind.kind, UNSOUND))
            if count is not None and count[0]:
                found[node.id] = found.get(node.id, 0) + int(count[0])
    return found
