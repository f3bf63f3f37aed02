"""How much of what nodes of one's own gave was no number."""

from __future__ import annotations

from host.native.knobs import Words
from host.native.program import Program
from nodes.user import UNSOUND


def counters(program: Program) -> list[tuple[str, Words]]:
    """Where nodes of one's own count the samples that were NaN or infinite and became silence, each by its id."""
    own = [node for node in program.schedule.nodes if UNSOUND in node.kind.declared]
    found = [(n.id, program.binding.arena.find(("state", n.key, n.kind.kind, UNSOUND))) for n in own]
    return [(id, count) for id, count in found if count is not None]


def unsound(program: Program) -> dict[str, int]:
    """How many there were, of those nodes that have given any."""
    found: dict[str, int] = {}
    for id, count in counters(program):
        if count[0]:
            found[id] = found.get(id, 0) + int(count[0])
    return found
