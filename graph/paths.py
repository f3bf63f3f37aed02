"""Latency as people ask for it: every path to every output, and where compensation was put."""

from __future__ import annotations

from dataclasses import dataclass

from graph.schedule import Schedule

MOST_PATHS = 256
"""Paths listed for one output; their number can double with every node."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a source to an output."""

    nodes: tuple[str, ...]
    latency: int
    """Frames that the nodes on it take."""
    compensation: int
    """Frames that were added so that it is aligned with the others."""


@dataclass(frozen=True, slots=True)
class OutputLatency:
    """What is known of one output."""

    node: str
    latency: int
    """Frames by which the output lags the timeline; the latency and compensation of each path add up to it."""
    paths: tuple[Path, ...]
    complete: bool
    """Whether all paths are listed."""


def latencies(schedule: Schedule) -> list[OutputLatency]:
    """Every node with no outputs of its own, by id, with the paths to it (without cables that close loops)."""
    into: dict[int, list[int]] = {}
    feeds: set[int] = set()
    for source, _, target, _, closing in schedule.cables:
        feeds.add(source)
        if not closing:
            into.setdefault(target, []).append(source)
    ends = [
        k
        for k, n in enumerate(schedule.nodes)
        if k not in feeds and not any(p.flow == "out" for p in n.kind.ports(n.config.settings))
    ]
    return [_output(schedule, into, end) for end in sorted(ends, key=lambda k: schedule.nodes[k].id)]


def _output(schedule: Schedule, into: dict[int, list[int]], end: int) -> OutputLatency:
    nodes = schedule.nodes
    found: list[Path] = []
    # Depth first from the end backwards: (node, nodes after it, latency and compensation so far).
    waiting: list[tuple[int, tuple[int, ...], int, int]] = [(end, (end,), nodes[end].latency, 0)]
    complete = True
    while waiting:
        at, trail, latency, added = waiting.pop()
        sources = sorted(set(into.get(at, ())), key=lambda k: nodes[k].id, reverse=True)
        if not sources:
            start = nodes[at].arrival
            found.append(Path(tuple(nodes[k].id for k in trail), latency, added + start))
            if len(found) >= MOST_PATHS:
                complete = not waiting
                break
        for source in sources:
            if source in trail:
                continue
            gap = nodes[at].arrival - (nodes[source].arrival + nodes[source].latency)
            waiting.append((source, (source, *trail), latency + nodes[source].latency, added + max(0, gap)))
    return OutputLatency(nodes[end].id, nodes[end].arrival + nodes[end].latency, tuple(found), complete)
