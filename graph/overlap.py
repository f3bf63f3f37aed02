"""In what order nodes run when some of them work elsewhere: handed over early, collected late.

A kind with the kernels ``submit`` and ``collect`` leaves the processor to others between the two. So everything that
does not wait for such a node runs before it is collected, and nodes side by side are all submitted before the first of
them is waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from graph.order import Order
from graph.widen import Sides
from graph.wiring import Wired

TOKEN = "\0token"
"""The signal between the two kernels of a node: written by ``submit``, read by ``collect``, so that whoever orders
steps by their signals keeps these in order. It carries no sound.
"""


def splits(nodes: Sequence[Wired], found: Order) -> set[int]:
    """The nodes that are submitted and collected; inside loops all is done tick by tick, in one go."""
    inside = {k for loop in found.loops for k in loop}
    return {n.index for n in nodes if n.kind.submit is not None and n.index not in inside}


def overlapped(sides: Sides, found: Order, split: set[int]) -> list[tuple[int, bool]]:
    """Nodes in running order, each with whether it is now collected; a node of ``split`` comes twice.

    Nodes that run side by side, and those of a loop, stay together. Depends on the order it is given alone.
    """
    if not split:
        return [(k, False) for k in sides.order]
    units, unit_of = _units(sides, found)
    followers: list[list[int]] = [[] for _ in units]
    waits = [0] * len(units)
    for u, members in enumerate(units):
        for source in {unit_of[s] for k in members for s in found.into[k]} - {u}:
            followers[source].append(u)
            waits[u] += 1
    ready = [u for u, count in enumerate(waits) if not count]
    heapify(ready)
    away: deque[int] = deque()
    result: list[tuple[int, bool]] = []
    while ready or away:
        back = not ready
        u = away.popleft() if back else heappop(ready)
        result += [(k, back) for k in units[u]]
        if not back and units[u][0] in split:
            away.append(u)
            continue
        for follower in followers[u]:
            waits[follower] -= 1
            if not waits[follower]:
                heappush(ready, follower)
    return result


def _units(sides: Sides, found: Order) -> tuple[list[list[int]], dict[int, int]]:
    """What runs as one, in order, and the unit of each node."""
    together: dict[int, list[int]] = {}
    for members in (*sides.groups, *found.loops):
        for k in members:
            together[k] = members
    units: list[list[int]] = []
    unit_of: dict[int, int] = {}
    for k in sides.order:
        if k not in unit_of:
            units.append(together.get(k, [k]))
            unit_of.update({member: len(units) - 1 for member in units[-1]})
    return units, unit_of
