"""A patch, resolved, ordered and timed: all that the compiler knows before it emits steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graph.allocate import allocate
from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.lower import lower
from graph.order import Order, order
from graph.schedule import Schedule
from graph.spec import Kinds, Node, Services, Stream
from graph.timing import Timing, time
from graph.variants import specialise
from graph.widen import Sides, widen
from graph.wiring import Wired, check_kinds, inform, resolve_layouts, wire


@dataclass(slots=True)
class Plan:
    """Nodes by number, the order in which they run, and when their signals arrive."""

    nodes: list[Wired]
    found: Order
    timing: Timing
    rate: int
    terms: dict[int, Any] = field(default_factory=dict[int, Any])
    """What ``graph.transition`` has found of each wire, by its ``id()``, since the nodes have their keys."""


def plan(
    patch: Patch,
    kinds: Kinds,
    services: Services,
    rate: int,
    missing: list[PatchError] | None = None,
    *,
    together: bool = False,
) -> Plan:
    """The compiler's passes up to the timing. ``together``: what goes to devices leaves at the same time.

    Raises PatchError as ``compile`` does.
    """
    flat, kinds = specialise(expand(patch), kinds, services, missing)
    nodes = wire(flat, kinds, missing)
    inform(nodes, services, rate, missing)
    found = order(nodes)
    resolve_layouts(nodes, found.nodes, rate)
    check_kinds(nodes, rate)
    timing = time(nodes, found, rate)
    if together:
        _align(nodes, found, timing)
    return Plan(nodes, found, timing, rate)


def _align(nodes: list[Wired], found: Order, timing: Timing) -> None:
    """Let every device output wait for the latest, unless its signal comes back into the patch from outside."""
    returned = {node.settings.get("return_of") for node in nodes}
    looping = {k for loop in found.loops for k in loop}
    ends = [n.index for n in nodes if is_device_output(n) and n.id not in returned and n.index not in looping]
    latest = max((timing.arrival[k] for k in ends), default=0)
    for k in ends:
        timing.arrival[k] = latest


def leaves(kind: type[Node]) -> bool:
    """Whether a kind takes sound out of the patch: to a device or a file."""
    streams = kind.every(Stream)
    return bool(streams) and any(stream.flow == "out" for stream in streams)


def is_device_output(node: Wired) -> bool:
    """Whether a node sends audio to a device."""
    streams = node.kind.every(Stream)
    return bool(streams) and any(stream.flow == "out" and stream.serves == "device" for stream in streams)


def emit(made: Plan, *, wide: bool = True, parallel: bool = False) -> Schedule:
    """The compiler's passes from the timing on."""
    nodes, found, timing, rate = made.nodes, made.found, made.timing, made.rate
    sides = widen(nodes, found, timing, rate) if wide else Sides(found.nodes)
    lowered = lower(nodes, found, timing, sides, rate)
    steps, buffers = allocate(lowered.steps, lowered.lanes, reuse=not parallel)
    cables = tuple(
        (w.source, w.source_port, n.index, w.target_port, id(w) in found.closing) for n in nodes for w in n.wires
    )
    return Schedule(
        rate,
        tuple(lowered.nodes),
        tuple(steps),
        tuple(buffers),
        tuple(lowered.loops),
        tuple(lowered.compensations),
        cables,
    )
