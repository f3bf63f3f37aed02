"""The compiler's third pass: in what order the nodes run, and which of them run round a loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from graph.errors import PatchError
from graph.spec import TICK
from graph.wiring import Wired


class LoopError(PatchError):
    """A loop that nothing delays: the numbers of its nodes."""

    def __init__(self, message: str, nodes: list[int], first: str) -> None:
        super().__init__(message, place="cables", node=first)
        self.nodes = nodes


@dataclass(slots=True)
class Order:
    """Nodes in running order, the loops among them, and the cables and nodes that close the loops."""

    nodes: list[int]
    loops: list[list[int]]
    """Members of each loop, in running order; they stand together in ``nodes``."""
    closing: set[int]
    """``id()`` of each wire that closes a loop: it is read before it is written."""
    breakers: set[int]
    """Nodes that give their output before they take their input in."""
    into: list[list[int]]
    """What each node waits for, round loops too."""


def order(nodes: list[Wired]) -> Order:
    """Depth first from the ends, inputs in the order they are summed, so that signals are used soon after they are
    made.

    The result depends on the graph alone, never on the order in which things are listed. Raises PatchError naming the
    nodes of a loop that nothing delays.
    """
    followers: list[list[int]] = [[] for _ in nodes]
    into: list[list[int]] = [[w.source for w in node.wires] for node in nodes]
    _add_returns(nodes, into)
    for node in nodes:
        for source in into[node.index]:
            followers[source].append(node.index)
    loops = [] if _runs_out(into, followers) else _loops(range(len(nodes)), into)
    member = {k: at for at, loop in enumerate(loops) for k in loop}
    closing: set[int] = set()
    breakers: set[int] = set()
    for loop in loops:
        _cut(nodes, loop, closing, breakers)
    cut_into = [_uncut(node, closing, breakers, member) for node in nodes] if loops else into
    if not loops:
        return Order(depth_first(range(len(nodes)), into, followers), [], closing, breakers, into)
    ordered = _with_loops(nodes, into, cut_into, loops, member)
    return Order(ordered, [sorted(loop, key=ordered.index) for loop in loops], closing, breakers, into)


def _add_returns(nodes: list[Wired], into: list[list[int]]) -> None:
    """Inputs that come back from an output run after it."""
    numbers: dict[str, int] | None = None
    for node in nodes:
        back = node.settings.get("return_of")
        if back:
            numbers = numbers or {n.id: n.index for n in nodes}
            if back not in numbers:
                raise PatchError(
                    f"there is no node {back!r}", place=f"nodes.{node.id}.settings.return_of", node=node.id
                )
            into[node.index].append(numbers[back])


def _runs_out(into: list[list[int]], followers: list[list[int]]) -> bool:
    """Whether all can run one after another: there is no loop."""
    waiting = [len(sources) for sources in into]
    ready = [k for k, count in enumerate(waiting) if not count]
    for k in ready:
        for follower in followers[k]:
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    return len(ready) == len(into)


def _loops(members: Iterable[int], into: list[list[int]]) -> list[list[int]]:
    """The strongly connected parts that are loops, each sorted."""
    inside = set(members)
    edges = [(source, k) for k in inside for source in into[k] if source in inside]
    selves = {k for source, k in edges if source == k}
    graph = nx.DiGraph(edges)
    parts: list[set[int]] = [part for part in nx.strongly_connected_components(graph) if len(part) > 1 or part & selves]
    return sorted(sorted(part) for part in parts)


def _cut(nodes: list[Wired], loop: list[int], closing: set[int], breakers: set[int]) -> None:
    """Find what delays a loop: cables marked feedback, then nodes that can hold a tick or more."""
    inside = set(loop)
    into: list[list[int]] = [[] for _ in nodes]
    for k in loop:
        for cable in nodes[k].wires:
            if cable.source in inside:
                if cable.feedback:
                    closing.add(id(cable))
                else:
                    into[k].append(cable.source)
    for rest in _loops(loop, into):
        for k in rest:
            node = nodes[k]
            if node.kind.emit is not None and node.params.get("frames", 0) >= TICK:
                breakers.add(k)
    for k in breakers & inside:
        into[k] = [w.source for w in nodes[k].wires if w.to_param and w.source in inside and not w.feedback]
    stuck = _loops(loop, into)
    if stuck:
        names = " -> ".join(nodes[k].id for k in stuck[0])
        message = (
            f"the loop {names} has no delay; mark one of its cables as feedback, "
            f"or put a sample_delay of at least {TICK} frames into it"
        )
        raise LoopError(message, [k for part in stuck for k in part], nodes[stuck[0][0]].id)


def _uncut(node: Wired, closing: set[int], breakers: set[int], member: dict[int, int]) -> list[int]:
    """What a node waits for once the loops are cut."""
    if node.index in breakers:
        own = member[node.index]
        return [w.source for w in node.wires if (w.to_param or member.get(w.source) != own) and id(w) not in closing]
    return [w.source for w in node.wires if id(w) not in closing]


def _with_loops(
    nodes: list[Wired], into: list[list[int]], cut: list[list[int]], loops: list[list[int]], member: dict[int, int]
) -> list[int]:
    """Order loops as single nodes among the others, then the inside of each."""
    count = len(nodes)
    unit = [count + member[k] if k in member else k for k in range(count)]
    unit_into: list[list[int]] = [[] for _ in range(count + len(loops))]
    unit_followers: list[list[int]] = [[] for _ in range(count + len(loops))]
    for k in range(count):
        for source in into[k]:
            if unit[source] != unit[k]:
                unit_into[unit[k]].append(unit[source])
                unit_followers[unit[source]].append(unit[k])
    result: list[int] = []
    for u in depth_first(sorted(set(unit)), unit_into, unit_followers):
        if u < count:
            result.append(u)
            continue
        loop = loops[u - count]
        inside = set(loop)
        within = [[s for s in cut[k] if s in inside] if k in inside else [] for k in range(count)]
        followers: list[list[int]] = [[] for _ in nodes]
        for k in loop:
            for source in within[k]:
                followers[source].append(k)
        result += depth_first(loop, within, followers)
    return result


def depth_first(members: Iterable[int], into: list[list[int]], followers: list[list[int]]) -> list[int]:
    """Members in an order in which each comes after what it waits for."""
    members = list(members)
    done: list[int] = []
    seen: set[int] = set()
    for start in [k for k in members if not followers[k]] + members:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(into[start]))]
        while stack:
            k, waiting = stack[-1]
            for source in waiting:
                if source not in seen:
                    seen.add(source)
                    stack.append((source, iter(into[source])))
                    break
            else:
                done.append(k)
                stack.pop()
    return done
