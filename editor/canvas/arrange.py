"""Laying a patch out from left to right by signal flow, with few crossings: layers, then order, then heights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import networkx as nx

from editor.canvas.view import Point

Drop = tuple[str, str, float, float]
"""A cable: its source, its target, and how far down on each of them it is plugged in."""
Ends = dict[tuple[str, str], Point]
"""By source and target: how far down on each of them the cable is plugged in."""
COLUMN_GAP, ROW_GAP, LANE = 64.0, 28.0, 6.0
SWEEPS = 8
TALL = 1800.0
"""Where the nodes of a column need more than this, they stand beside each other."""


def arrange(sizes: Mapping[str, Point], cables: Iterable[Drop], origin: Point = (0.0, 0.0)) -> dict[str, Point]:
    """Places for nodes of given widths and heights.

    Cables that close loops are set aside. Every node is right of all that feed it; columns keep a gap, and are parted
    where they would be too tall; no two nodes overlap; cables are as level as that allows.
    """
    listed = sorted(drop for drop in cables if drop[0] in sizes and drop[1] in sizes and drop[0] != drop[1])
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(sizes))
    graph.add_edges_from((s, t) for s, t, _, _ in listed)
    _break_loops(graph)
    columns = _columns(graph)
    weights: dict[tuple[str, str], float] = {}
    ends: Ends = {}
    for s, t, out, into in listed:
        weights[(s, t)] = min(into, weights.get((s, t), into))
        ends.setdefault((s, t), (out, into))  # of several cables the uppermost is level
    room = dict(sizes)
    _make_lanes(columns, graph, weights, ends, room)
    _order(columns, graph, weights)
    columns = [part for column in columns for part in _beside(column, sizes)]
    found = _place(columns, graph, ends, room, origin)
    return {node: place for node, place in found.items() if node in sizes}


def _make_lanes(
    columns: list[list[str]],
    graph: nx.DiGraph[str],
    weights: dict[tuple[str, str], float],
    ends: Ends,
    sizes: dict[str, Point],
) -> None:
    """Where a cable passes columns, give it a place of its own in each, so that nodes keep out of its way."""
    depth = {node: k for k, column in enumerate(columns) for node in column}
    for source, target in sorted(graph.edges):
        if depth[target] - depth[source] < 2:
            continue
        before, (out, into) = source, ends[source, target]
        for k in range(depth[source] + 1, depth[target]):
            lane = f"{source}\0{target}\0{k}"
            columns[k].append(lane)
            sizes[lane] = (0.0, LANE)
            graph.add_edge(before, lane)
            ends[before, lane], out, before = (out, 0.0), 0.0, lane
        graph.add_edge(before, target)
        ends[before, target] = (0.0, into)
        weights[(before, target)] = weights.get((source, target), 0.0)
        graph.remove_edge(source, target)


def _break_loops(graph: nx.DiGraph[str]) -> None:
    """Take out the cables that go back, as a depth-first walk meets them."""
    state: dict[str, int] = {}
    for start in sorted(graph, key=lambda n: (graph.in_degree(n), n)):
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(sorted(graph.successors(start))))]
        while stack:
            node, rest = stack[-1]
            after = next(rest, None)
            if after is None:
                state[node] = 2
                stack.pop()
            elif state.get(after) == 1:
                graph.remove_edge(node, after)
            elif after not in state:
                state[after] = 1
                stack.append((after, iter(sorted(graph.successors(after)))))


def _columns(graph: nx.DiGraph[str]) -> list[list[str]]:
    """By the longest way from a source; sources stand just before what they feed first."""
    depth: dict[str, int] = {}
    order = list(nx.lexicographical_topological_sort(graph))
    for node in order:
        depth[node] = max((depth[p] + 1 for p in graph.predecessors(node)), default=0)
    for node in reversed(order):
        after = [depth[n] for n in graph.successors(node)]
        if after:
            depth[node] = max(depth[node], min(after) - 1) if not graph.in_degree(node) else depth[node]
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in order:
        columns[depth[node]].append(node)
    return columns


def _order(columns: list[list[str]], graph: nx.DiGraph[str], weights: Mapping[tuple[str, str], float]) -> None:
    """Sort each column by where its neighbours stand, to and fro, until crossings hardly change."""
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        place = {node: k / max(len(column), 1) for column in columns for k, node in enumerate(column)}
        for column in columns if forward else reversed(columns):
            near = graph.predecessors if forward else graph.successors

            def wish(node: str, near=near, forward=forward, place=place) -> float:
                own = [place[n] + 1e-4 * weights.get((n, node) if forward else (node, n), 0.0) for n in near(node)]
                return sum(own) / len(own) if own else place[node]

            wishes = {node: (wish(node), place[node], node) for node in column}
            column.sort(key=wishes.__getitem__)
            place.update({node: k / max(len(column), 1) for k, node in enumerate(column)})


def _beside(column: list[str], sizes: Mapping[str, Point]) -> list[list[str]]:
    """A column as several that are low enough: in rows, so that what stands together stays together. Lanes of cables
    that pass stay in the last.
    """
    nodes = [node for node in column if node in sizes]
    tall = sum(sizes[node][1] + ROW_GAP for node in nodes)
    count = max(ceil(tall / TALL), 1)
    if count == 1:
        return [column]
    part = {node: k % count for k, node in enumerate(nodes)}
    return [[node for node in column if part.get(node, count - 1) == k] for k in range(count)]


def _place(
    columns: Sequence[Sequence[str]],
    graph: nx.DiGraph[str],
    ends: Ends,
    sizes: Mapping[str, Point],
    origin: Point,
) -> dict[str, Point]:
    """Heights: with cables as level as order and gaps allow."""
    drops = {cable: out - into for cable, (out, into) in ends.items()}
    tops: dict[str, float] = {}
    for column in columns:
        y = 0.0
        for node in column:
            tops[node] = y
            y += sizes[node][1] + ROW_GAP
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wishes: list[float] = []
            for node in column:
                if forward:
                    level = [tops[n] + drops[n, node] for n in graph.predecessors(node)]
                else:
                    level = [tops[n] - drops[node, n] for n in graph.successors(node)]
                wishes.append(sum(level) / len(level) if level else tops[node])
            for node, top in zip(column, _spread(wishes, [sizes[n][1] + ROW_GAP for n in column]), strict=True):
                tops[node] = top
    least = min(tops.values(), default=0.0)
    found: dict[str, Point] = {}
    x = origin[0]
    for column in columns:
        for node in column:
            found[node] = x, round(origin[1] + tops[node] - least)
        x += max((sizes[n][0] for n in column), default=0.0) + COLUMN_GAP
    return found


def _spread(wishes: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Places in the wished order, none overlapping, with the least sum of squared distances from the wishes.

    Blocks that would overlap are merged, and stand at the mean of what their members wish (pool adjacent violators).
    """
    blocks: list[tuple[float, int, float]] = []  # sum of wishes for the block's top, members, height
    for wish, height in zip(wishes, heights, strict=True):
        block = (wish, 1, height)
        while blocks and blocks[-1][0] / blocks[-1][1] + blocks[-1][2] > block[0] / block[1]:
            total, count, tall = blocks.pop()
            block = (total + block[0] - tall * block[1], count + block[1], tall + block[2])
        blocks.append(block)
    places: list[float] = []
    index = 0
    for total, count, _ in blocks:
        y = total / count
        for _ in range(count):
            places.append(y)
            y += heights[index]
            index += 1
    return places
