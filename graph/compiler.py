"""From a patch to a schedule, as a sentence: expand, wire, inform, order, resolve, check, time, lower, allocate."""

from __future__ import annotations

from graph.allocate import allocate
from graph.document import Patch
from graph.groups import expand
from graph.lower import lower
from graph.order import order
from graph.schedule import Schedule
from graph.spec import Kinds, Services
from graph.timing import time
from graph.wiring import check_kinds, inform, resolve_layouts, wire

DEFAULT_RATE = 48000


def compile(patch: Patch, kinds: Kinds, services: Services, rate: int | None = None, *, allow_missing: bool = False) -> Schedule:  # noqa: A001 - the field's word
    """Compile a patch for a sample rate (else the patch's own, else 48000 Hz).

    The result depends on what the patch says, never on the order in which it lists things. With ``allow_missing``, nodes of unknown
    kinds pass audio through and missing files are silent. Raises PatchError, naming the place, for a patch that cannot run.
    """
    rate = rate or patch.sample_rate or DEFAULT_RATE
    nodes = wire(expand(patch), kinds, allow_missing=allow_missing)
    inform(nodes, services, rate, allow_missing=allow_missing)
    found = order(nodes)
    resolve_layouts(nodes, found.nodes, rate)
    check_kinds(nodes, rate)
    timing = time(nodes, found, rate)
    lowered = lower(nodes, found, timing, rate)
    steps, buffers = allocate(lowered.steps, lowered.lanes)
    cables = tuple((w.source, w.source_port, n.index, w.target_port, id(w) in found.closing) for n in nodes for w in n.wires)
    return Schedule(rate, tuple(lowered.nodes), tuple(steps), tuple(buffers), tuple(lowered.loops), tuple(lowered.compensations), cables)
