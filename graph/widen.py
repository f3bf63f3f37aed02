"""The compiler's fifth pass: nodes of one kind and shape side by side in one step.

Eight stereo tracks through the same equaliser are one step of sixteen lanes, which the vector unit takes in the time
of two. A group starts at a kind that keeps state (a recursion leaves the vector unit idle when it works alone) and
goes on through whatever follows each member in the same way. No bit changes: every lane is computed as it would be
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from graph.layouts import channels_of
from graph.order import Order, depth_first
from graph.spec import Config, Node, State
from graph.timing import Timing
from graph.wiring import Wired

WIDTHS = (16, 8)
"""Lanes of a wide step: full vectors only, since a part of one costs as much."""


@dataclass(slots=True)
class Sides:
    """Which nodes run side by side, and the order in which everything runs."""

    order: list[int]
    groups: list[list[int]] = field(default_factory=list[list[int]])
    group_of: dict[int, int] = field(default_factory=dict[int, int])


def widen(nodes: list[Wired], found: Order, timing: Timing, rate: int) -> Sides:
    """Find nodes to put side by side. The result depends on the graph alone."""
    inside_loops = {k for loop in found.loops for k in loop}
    candidates = {n.index: key for n in nodes if n.index not in inside_loops and (key := _key(n, timing, rate))}
    sides = Sides(found.nodes)
    if len(candidates) < 2:
        return sides
    rank = _ranks(nodes, found)
    destiny = _destinies(nodes, found)
    alike: dict[tuple[object, ...], list[int]] = {}
    for k, key in candidates.items():
        alike.setdefault((rank[k], *key), []).append(k)
    place: dict[int, tuple[int, int]] = {}
    for key in sorted(alike, key=lambda key: (key[0], nodes[alike[key][0]].id)):
        members = alike[key]
        if len(members) > 1:
            _group(nodes, members, place, destiny, sides)
    if sides.groups:
        sides.order = _reordered(nodes, found, sides)
    return sides


def _key(node: Wired, timing: Timing, rate: int) -> tuple[object, ...] | None:
    """What nodes must have in common; None for a node that must run alone."""
    if not node.kind.wide or node.automation or node.mute or node.bypass or not node.inputs or not node.outputs:
        return None
    main = node.inputs[0].name
    if not node.wires or [w for w in node.wires if w.to_param or w.target_port != main]:
        return None
    if [p for p in node.inputs[1:] if p.fallback != main]:
        return None
    layout = node.layouts[main]
    if 2 * channels_of(layout) > WIDTHS[0] or [p for p in node.outputs if node.layouts[p.name] != layout]:
        return None
    states, shapes, may_be_alone = _traits(node.kind)
    sizes: tuple[object, ...] = ()
    if shapes or may_be_alone:
        config = node.config(rate)
        if node.kind.alone(config):
            return None
        sizes = tuple(shape(config) for shape in shapes)
    return node.kind.kind, repr(node.settings), layout, sizes, timing.arrival[node.index], states


@cache
def _traits(kind: type[Node]) -> tuple[bool, tuple[Callable[[Config], object], ...], bool]:
    """Whether a kind keeps state, the sizes of it that vary, and whether some of its nodes must run alone."""
    states = [state.shape for state in kind.every(State)]
    return bool(states), tuple(s for s in states if callable(s)), kind.alone.__func__ is not Node.alone.__func__


def _ranks(nodes: list[Wired], found: Order) -> list[int]:
    """The length of the longest way to each node; a loop counts as one node. Nodes of equal rank do not depend on each
    other.
    """
    rank = [0] * len(nodes)
    loop_of = {k: at for at, loop in enumerate(found.loops) for k in loop}
    for k in found.nodes:
        at = loop_of.get(k)
        members = [k] if at is None else found.loops[at]
        if at is not None and k != members[0]:
            continue
        inside = set(members)
        before = [rank[s] for m in members for s in found.into[m] if s not in inside]
        for m in members:
            rank[m] = max(before, default=-1) + 1
    return rank


def _destinies(nodes: list[Wired], found: Order) -> list[str]:
    """The first sum that each node's sound flows into: those that meet soonest are best kept together."""
    destiny = [""] * len(nodes)
    followers: list[list[Wired]] = [[] for _ in nodes]
    for node in nodes:
        for cable in node.wires:
            followers[cable.source].append(node)
    for k in reversed(found.nodes):
        sums = [f.id for f in followers[k] if len(f.wires) > 1]
        destiny[k] = min(sums) if sums else min((destiny[f.index] for f in followers[k]), default="")
    return destiny


def _group(
    nodes: list[Wired], members: list[int], place: dict[int, tuple[int, int]], destiny: list[str], sides: Sides
) -> None:
    """Cut alike nodes into groups of full vectors: first those that follow a group as a whole, then, if they keep
    state, the rest.
    """
    channels = channels_of(nodes[members[0]].layouts[nodes[members[0]].inputs[0].name])
    behind: dict[tuple[int, str], list[int | None]] = {}
    for k in members:
        source = nodes[k].wires[0].source
        if len(nodes[k].wires) == 1 and source in place:
            group, at = place[source]
            line = behind.setdefault((group, nodes[k].wires[0].source_port), [None] * len(sides.groups[group]))
            if line[at] is None:
                line[at] = k
    taken: set[int] = set()
    for line in [behind[key] for key in sorted(behind)]:
        whole = [k for k in line if k is not None]
        if len(whole) == len(line):
            _add(sides, place, whole)
            taken.update(whole)
    rest = [k for k in members if k not in taken]
    if not nodes[members[0]].kind.every(State):
        return
    rest.sort(key=lambda k: (destiny[k], nodes[k].id))
    for width in WIDTHS:
        count = width // channels
        while count > 1 and len(rest) >= count:
            _add(sides, place, rest[:count])
            rest = rest[count:]


def _add(sides: Sides, place: dict[int, tuple[int, int]], group: list[int]) -> None:
    for at, k in enumerate(group):
        place[k] = (len(sides.groups), at)
        sides.group_of[k] = len(sides.groups)
    sides.groups.append(group)


def _reordered(nodes: list[Wired], found: Order, sides: Sides) -> list[int]:
    """The order with each group, and each loop, as one unit."""
    count = len(nodes)
    units: list[list[int]] = [*sides.groups, *found.loops]
    unit = list(range(count))
    for at, members in enumerate(units):
        for k in members:
            unit[k] = count + at
    into: list[list[int]] = [[] for _ in range(count + len(units))]
    followers: list[list[int]] = [[] for _ in range(count + len(units))]
    for k in found.nodes:
        for source in found.into[k]:
            if unit[source] != unit[k]:
                into[unit[k]].append(unit[source])
                followers[unit[source]].append(unit[k])
    result: list[int] = []
    for u in depth_first(sorted(set(unit)), into, followers):
        result += units[u - count] if u >= count else [u]
    return result
