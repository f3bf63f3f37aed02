"""The compiler's fourth pass: when signals arrive, so that every path into a node arrives equally late.

Time is the timeline. The arrival of a node is the latency of the longest path to it; shorter paths are delayed to
match. All outside inputs of a loop are aligned with one another where they enter it, so nothing outside changes its
period; differences inside are compensated inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graph.errors import PatchError
from graph.order import Order
from graph.spec import TICK, Node
from graph.wiring import Wire, Wired


@dataclass(slots=True)
class Timing:
    """Arrival and latency of every node, in frames."""

    arrival: list[int]
    """When the inputs arrive; for a node that breaks a loop, when its output leaves."""
    latency: list[int]
    absorbed: dict[int, int]
    """When the input of a node that breaks a loop arrives."""
    fixed: dict[int, int] = field(default_factory=dict[int, int])
    """By ``id()`` of a wire: the frames to insert on it, where they do not follow from the arrivals."""

    def leaves(self, node: int) -> int:
        """When the outputs of a node are ready."""
        return self.arrival[node] + self.latency[node]

    def delay(self, cable: Wire, closing: set[int]) -> int:
        """Frames to insert on a cable so that its end is aligned.

        What comes round a loop is late by the latency of the nodes on its way, which cannot be taken back; where it
        would be early, because the loop is closed by several cables, it is delayed like any other.
        """
        if id(cable) in self.fixed:
            return self.fixed[id(cable)]
        gap = self.reaches(cable) - self.leaves(cable.source)
        return max(0, gap) if id(cable) in closing else gap

    def period(self, cable: Wire) -> int:
        """Frames by which a cable that closes a loop is late on the timeline."""
        return TICK + max(0, self.leaves(cable.source) - self.reaches(cable))

    def reaches(self, cable: Wire) -> int:
        """When what a cable carries is due at its end."""
        arrival = self.arrival[cable.target]
        return arrival if cable.to_param else self.absorbed.get(cable.target, arrival)


def time(nodes: list[Wired], found: Order, rate: float) -> Timing:
    """Arrivals for the whole graph.

    Raises PatchError where a delay that breaks a loop is too short for the latency inside the loop.
    """
    count = len(nodes)
    latency = [0] * count
    for node in nodes:
        if node.kind.latency.__func__ is not Node.latency.__func__:
            latency[node.index] = max(0, node.kind.latency(node.config(rate)))
    timing = Timing([0] * count, latency, {})
    member = {k: at for at, loop in enumerate(found.loops) for k in loop}
    entered: set[int] = set()
    numbers = {n.id: n.index for n in nodes} if any(n.settings.get("return_of") for n in nodes) else {}
    for k in found.nodes:
        node = nodes[k]
        if k in member:
            if member[k] not in entered:
                entered.add(member[k])
                _enter(nodes, found.loops[member[k]], timing)
            _arrive_inside(node, found, timing, member)
            continue
        arrival = max([timing.leaves(w.source) for w in node.wires], default=0)
        back = node.settings.get("return_of")
        if back:
            arrival = max(arrival, timing.leaves(numbers[back]) + int(node.settings.get("latency_frames", 0)))
        timing.arrival[k] = arrival
    for loop in found.loops:
        _close(nodes, loop, found, timing)
    return timing


def _enter(nodes: list[Wired], loop: list[int], timing: Timing) -> None:
    """Set every member to the latest arrival of all that comes from outside."""
    inside = set(loop)
    latest = max([timing.leaves(w.source) for k in loop for w in nodes[k].wires if w.source not in inside], default=0)
    for k in loop:
        timing.arrival[k] = latest


def _arrive_inside(node: Wired, found: Order, timing: Timing, member: dict[int, int]) -> None:
    k = node.index
    for cable in node.wires:
        if member.get(cable.source) != member[k] or id(cable) in found.closing:
            continue
        if k in found.breakers and not cable.to_param:
            continue
        timing.arrival[k] = max(timing.arrival[k], timing.leaves(cable.source))


def _close(nodes: list[Wired], loop: list[int], found: Order, timing: Timing) -> None:
    """Note when the input of each loop-breaking node arrives, and that its delay can hold the latency inside."""
    for k in loop:
        if k not in found.breakers:
            continue
        node = nodes[k]
        arrivals = [timing.leaves(w.source) for w in node.wires if not w.to_param and id(w) not in found.closing]
        timing.absorbed[k] = max([timing.arrival[k], *arrivals])
        inside = timing.absorbed[k] - timing.arrival[k]
        delays = [(int(node.params["frames"]), f"nodes.{node.id}.params.frames")]
        if line := node.automation.get("frames"):
            delays += [(int(value + 0.5), f"{line.place}.points[{i}]") for i, (_, value, _) in enumerate(line.points)]
        for frames, place in delays:
            if frames - inside < TICK:
                message = (
                    f"this delay of {frames} frames closes a loop whose nodes have {inside} frames of latency; "
                    f"it must be at least {inside + TICK} ({TICK} beyond them)"
                )
                raise PatchError(message, place=place, node=node.id)
