"""The compiler's fifth pass: from ordered, timed nodes to steps over signals.

A signal here is a number that is written once (or added into, in order); buffers come in the next pass. Sums are
written as they come: each source is added to the sum as soon as it exists and its turn has come, and a kernel that
can add its output straight
into the sum does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from graph.document import Automation
from graph.layouts import channels_of
from graph.order import Order
from graph.schedule import (
    Compensation,
    CompiledNode,
    DelayStep,
    FadeStep,
    FeedbackStep,
    KernelStep,
    Loop,
    MixStep,
    ParamStep,
    Segment,
    Slot,
    Step,
)
from graph.spec import TICK, Param, Port
from graph.timing import Timing
from graph.wiring import Wire, Wired

SILENCE = 0
CURVES = {"hold": 0, "linear": 1, "exponential": 2}


@dataclass(slots=True)
class _Sum:
    """An input that several cables feed: whose turn it is to be added, and where the sum is so far."""

    key: tuple[int, str]
    lanes: int
    terms: list[tuple[int, str, int, bool]]
    """(source node, port, delay, closes a loop) in the order of summing."""
    done: int = 0
    signal: int = -1
    owned: bool = False
    """Whether the signal is the sum's own, so that it may be added into."""


@dataclass(slots=True)
class Lowered:
    """Steps over signals; ``lanes`` by signal, signal 0 is silence."""

    nodes: list[CompiledNode]
    steps: list[Step]
    lanes: list[int]
    loops: list[Loop]
    compensations: list[Compensation]


@dataclass(slots=True)
class _Lowering:
    nodes: list[Wired]
    found: Order
    timing: Timing
    rate: int
    steps: list[Step] = field(default_factory=list[Step])
    lanes: list[int] = field(default_factory=lambda: [1])
    made: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    delayed: dict[tuple[int, str, int], int] = field(default_factory=dict[tuple[int, str, int], int])
    sums: dict[tuple[int, str], _Sum] = field(default_factory=dict[tuple[int, str], _Sum])
    awaiting: dict[tuple[int, str], list[_Sum]] = field(default_factory=dict[tuple[int, str], list[_Sum]])
    shared: set[int] = field(default_factory=set[int])
    """Signals that go by more than one name, because a bypassed node hands them on."""
    moving: dict[int, dict[tuple[int, str], Slot]] = field(default_factory=dict[int, dict[tuple[int, str], Slot]])
    users: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    compensations: list[Compensation] = field(default_factory=list[Compensation])

    def new(self, lanes: int) -> int:
        self.lanes.append(lanes)
        return len(self.lanes) - 1

    def slot(self, signal: int, lanes: int | None = None) -> Slot:
        return Slot(signal, 0, self.lanes[signal] if lanes is None else lanes)


def lower(nodes: list[Wired], found: Order, timing: Timing, rate: int) -> Lowered:
    """Emit the steps."""
    work = _Lowering(nodes, found, timing, rate)
    _plan_sums(work)
    loop_of = {k: at for at, loop in enumerate(found.loops) for k in loop}
    bounds: dict[int, list[int]] = {}
    for k in found.nodes:
        loop = loop_of.get(k)
        if loop is not None and loop not in bounds:
            bounds[loop] = [len(work.steps), 0]
            _open_loop(work, found.loops[loop])
        _emit_node(work, nodes[k])
        if loop is not None and k == found.loops[loop][-1]:
            _close_loop(work, found.loops[loop])
            bounds[loop][1] = len(work.steps)
    compiled = [
        CompiledNode(
            n.id,
            n.kind,
            n.config(rate),
            timing.arrival[n.index],
            timing.latency[n.index],
            timing.absorbed.get(n.index, timing.arrival[n.index]) - timing.arrival[n.index],
        )
        for n in nodes
    ]
    loops = [
        Loop(*bounds[at], tuple(nodes[k].id for k in loop), _periods(work, loop)) for at, loop in enumerate(found.loops)
    ]
    return Lowered(compiled, work.steps, work.lanes, loops, work.compensations)


def _plan_sums(work: _Lowering) -> None:
    """Count who listens to what, and set up the sums."""
    for node in work.nodes:
        by_port: dict[str, list[tuple[int, str, int, bool]]] = {}
        for cable in node.wires:
            key = (cable.source, cable.source_port)
            work.users[key] = work.users.get(key, 0) + 1
            closing = id(cable) in work.found.closing
            delay = work.timing.delay(cable, work.found.closing)
            if delay and not closing:
                work.compensations.append(Compensation(f"{cable.name} -> {node.id}.{cable.target_port}", delay))
            if cable.feedback and not closing:
                delay += TICK
            if not cable.to_param:
                by_port.setdefault(cable.target_port, []).append((*key, delay, closing))
        for port, terms in by_port.items():
            if len(terms) > 1:
                lanes = channels_of(node.layouts[port])
                found = _Sum((node.index, port), lanes, terms)
                work.sums[found.key] = found
                for source, source_port, _, _ in terms:
                    work.awaiting.setdefault((source, source_port), []).append(found)


def _open_loop(work: _Lowering, loop: list[int]) -> None:
    """Read what comes round the loop, before anything in it runs."""
    inside = set(loop)
    for key in _fed_back(work, inside):
        node = work.nodes[key[0]]
        signal = work.new(channels_of(node.layouts[key[1]]))
        work.steps.append(FeedbackStep(f"{node.id}.{key[1]}", work.slot(signal), writing=False))
        work.made[_fed(key)] = signal
        _serve(work, _fed(key))


def _fed(key: tuple[int, str]) -> tuple[int, str]:
    """The name under which a signal is known after it has come round a loop."""
    return (key[0], "\0" + key[1])


def _fed_back(work: _Lowering, inside: set[int]) -> list[tuple[int, str]]:
    found = {(w.source, w.source_port) for k in inside for w in work.nodes[k].wires if id(w) in work.found.closing}
    return sorted(found)


def _close_loop(work: _Lowering, loop: list[int]) -> None:
    """Keep what goes round the loop for the next tick."""
    for key in _fed_back(work, set(loop)):
        node = work.nodes[key[0]]
        work.steps.append(FeedbackStep(f"{node.id}.{key[1]}", work.slot(work.made[key]), writing=True))
    for k in loop:
        if k in work.found.breakers:
            node = work.nodes[k]
            work.steps.append(KernelStep((k,), "absorb", _inputs(work, node), {}, work.moving[k]))


def _periods(work: _Lowering, loop: list[int]) -> tuple[tuple[str, int], ...]:
    inside = set(loop)
    found: dict[str, int] = {}
    for k in loop:
        node = work.nodes[k]
        for cable in node.wires:
            if id(cable) in work.found.closing and cable.source in inside:
                found[f"{cable.name} -> {node.id}.{cable.target_port}"] = (
                    work.timing.leaves(cable.source) - work.timing.arrival[k] + TICK
                )
        if k in work.found.breakers:
            found[node.id] = int(node.params["frames"])
    return tuple(sorted(found.items()))


def _emit_node(work: _Lowering, node: Wired) -> None:
    if node.index in work.found.breakers:
        _emit_kernel(work, node, "emit", {})
        return
    inputs = _inputs(work, node)
    if node.bypass and node.kind.bypassable and "bypass" not in node.automation:
        dry = _later(work, f"{node.id}.bypass", inputs[node.inputs[0].name], work.timing.latency[node.index])
        work.shared.add(dry.buffer)
        _publish(work, node, {node.outputs[0].name: dry})
        return
    _emit_kernel(work, node, "process", inputs)


def _later(work: _Lowering, name: str, source: Slot, frames: int) -> Slot:
    if not frames or source.buffer == SILENCE:
        return source
    target = work.slot(work.new(source.lanes))
    work.steps.append(DelayStep(name, target, source, frames))
    return target


def _emit_kernel(work: _Lowering, node: Wired, kernel: str, inputs: dict[str, Slot]) -> None:
    params = _moving(work, node)
    if kernel == "emit":
        work.moving[node.index] = params
    controls = {name: _control(work, node, name) for name in ("bypass", "mute") if _is_controlled(node, name)}
    muted = node.mute and "mute" not in controls
    adding = None
    if not controls and not muted and kernel == "process" and node.kind.accumulates and len(node.outputs) == 1:
        adding = _sum_ready_for(work, node)
    outputs: dict[str, Slot] = {}
    for port in node.outputs:
        signal = adding.signal if adding else work.new(channels_of(node.layouts[port.name]))
        outputs[port.name] = work.slot(signal)
    work.steps.append(KernelStep((node.index,), kernel, inputs, dict(outputs), params, adding is not None))
    if adding:
        adding.done += 1
        _advance(work, adding)
        return
    if "bypass" in controls:
        first = node.outputs[0].name
        dry = _later(work, f"{node.id}.bypass", inputs[node.inputs[0].name], work.timing.latency[node.index])
        outputs[first] = _fade(work, outputs[first], dry, controls["bypass"])
    if "mute" in controls:
        outputs = {name: _fade(work, slot, None, controls["mute"]) for name, slot in outputs.items()}
    if muted:
        outputs = {name: Slot(SILENCE, 0, slot.lanes) for name, slot in outputs.items()}
    _publish(work, node, outputs)


def _is_controlled(node: Wired, name: str) -> bool:
    if name not in node.automation or (name == "bypass" and not node.kind.bypassable):
        return False
    return name not in _own_params(node)


def _own_params(node: Wired) -> Iterable[str]:
    return (p.name for p in node.kind.params(node.settings))


def _fade(work: _Lowering, wet: Slot, dry: Slot | None, control: Slot) -> Slot:
    target = work.slot(work.new(wet.lanes))
    work.steps.append(FadeStep(target, wet, dry, control))
    return target


def _control(work: _Lowering, node: Wired, name: str) -> Slot:
    base = 1.0 if (node.bypass if name == "bypass" else node.mute) else 0.0
    return _param_step(work, node, node.declared[name], base, node.automation[name], [])


def _publish(work: _Lowering, node: Wired, outputs: dict[str, Slot]) -> None:
    """Make outputs known, and let the sums whose turn has come take them in."""
    for name, slot in outputs.items():
        work.made[node.index, name] = slot.buffer
        _serve(work, (node.index, name))


def _serve(work: _Lowering, key: tuple[int, str]) -> None:
    real = (key[0], key[1].lstrip("\0"))
    for waiting in work.awaiting.get(real, ()):
        _advance(work, waiting)


def _sum_ready_for(work: _Lowering, node: Wired) -> _Sum | None:
    """The sum into which this node may add its output instead of writing it."""
    key = (node.index, node.outputs[0].name)
    if work.users.get(key) != 1 or key not in work.awaiting:
        return None
    (waiting,) = work.awaiting[key]
    if not waiting.owned or waiting.done == 0 or waiting.done >= len(waiting.terms):
        return None
    source, port, delay, closing = waiting.terms[waiting.done]
    same_width = channels_of(node.layouts[port]) == waiting.lanes if source == node.index else False
    return waiting if (source, port) == key and not delay and not closing and same_width else None


def _advance(work: _Lowering, into: _Sum) -> None:
    """Add every term that exists, up to the first that does not."""
    while into.done < len(into.terms):
        if into.done == 0:
            if not (_exists(work, into.terms[0]) and _exists(work, into.terms[1])):
                # A lone first term can be the sum itself if nobody else hears it.
                if _exists(work, into.terms[0]) and _adoptable(work, into):
                    into.signal, into.owned, into.done = _term(work, into, 0).buffer, True, 1
                    continue
                return
            sources = (_term(work, into, 0), _term(work, into, 1))
            into.signal, into.owned = work.new(into.lanes), True
            if all(source.lanes == into.lanes for source in sources):
                work.steps.append(MixStep(work.slot(into.signal), sources))
                into.done = 2
            else:
                work.steps.append(MixStep(work.slot(into.signal), sources[:1]))
                into.done = 1
            continue
        if not _exists(work, into.terms[into.done]):
            return
        work.steps.append(MixStep(work.slot(into.signal), (_term(work, into, into.done),), adding=True))
        into.done += 1
    work.sums[into.key] = into


def _exists(work: _Lowering, term: tuple[int, str, int, bool]) -> bool:
    source, port, _, closing = term
    return (_fed((source, port)) if closing else (source, port)) in work.made


def _adoptable(work: _Lowering, into: _Sum) -> bool:
    source, port, delay, closing = into.terms[0]
    signal = work.made[source, port] if not closing else SILENCE
    alone = work.users[source, port] == 1 and not closing and not delay and signal != SILENCE
    return alone and work.lanes[signal] == into.lanes and signal not in work.shared


def _term(work: _Lowering, into: _Sum, at: int) -> Slot:
    source, port, delay, closing = into.terms[at]
    return _signal(work, source, port, delay, closing)


def _signal(work: _Lowering, source: int, port: str, delay: int, closing: bool) -> Slot:
    """An output as a listener hears it: aligned."""
    key = (source, port)
    signal = work.made[_fed(key) if closing else key]
    lanes = channels_of(work.nodes[source].layouts[port])
    if not delay or signal == SILENCE:
        return work.slot(signal, lanes)
    if (*key, delay) not in work.delayed:
        name = f"{work.nodes[source].id}.{port}+{delay}"
        work.delayed[*key, delay] = _later(work, name, work.slot(signal, lanes), delay).buffer
    return work.slot(work.delayed[*key, delay])


def _inputs(work: _Lowering, node: Wired) -> dict[str, Slot]:
    plugged = {w.target_port for w in node.wires}
    found: dict[str, Slot] = {}
    for port in node.inputs:
        if port.fallback is not None and port.name not in plugged:
            found[port.name] = found[port.fallback]
        else:
            found[port.name] = _input(work, node, port)
    return found


def _input(work: _Lowering, node: Wired, port: Port) -> Slot:
    lanes = channels_of(node.layouts[port.name])
    summed = work.sums.get((node.index, port.name))
    if summed is not None:
        return work.slot(summed.signal)
    for cable in node.wires:
        if cable.target_port == port.name and not cable.to_param:
            slot = _heard(work, cable)
            if slot.lanes == lanes or slot.buffer == SILENCE:
                return Slot(slot.buffer, 0, lanes)
            spread = work.slot(work.new(lanes))
            work.steps.append(MixStep(spread, (slot,)))
            return spread
    return Slot(SILENCE, 0, lanes)


def _heard(work: _Lowering, cable: Wire) -> Slot:
    closing = id(cable) in work.found.closing
    delay = work.timing.delay(cable, work.found.closing)
    if cable.feedback and not closing:
        delay += TICK
    return _signal(work, cable.source, cable.source_port, delay, closing)


def _moving(work: _Lowering, node: Wired) -> dict[tuple[int, str], Slot]:
    """Signals for the params that automation or cables move."""
    if not node.automation and not any(w.to_param for w in node.wires):
        return {}
    moving: dict[tuple[int, str], Slot] = {}
    for name in _own_params(node):
        cables = [w for w in node.wires if w.to_param and w.target_port == name]
        if cables or name in node.automation:
            param = node.declared[name]
            moving[0, name] = _param_step(work, node, param, node.params[name], node.automation.get(name), cables)
    return moving


def _param_step(
    work: _Lowering, node: Wired, param: Param, base: float, line: Automation | None, cables: list[Wire]
) -> Slot:
    modulation = tuple((_heard(work, cable), cable.amount) for cable in cables)
    target = work.slot(work.new(1))
    segments = _segments(line, work.rate) if line else ()
    low = 0.0
    if node.index in work.found.breakers and param.name == "frames":
        low = float(TICK + work.timing.absorbed.get(node.index, 0) - work.timing.arrival[node.index])
    work.steps.append(
        ParamStep(node.index, param, target, base, segments, modulation, work.timing.arrival[node.index], low)
    )
    return target


def _segments(line: Automation, rate: int) -> tuple[Segment, ...]:
    """Automation points as segments by frame; frame = round(seconds · rate). Before the first and after the last point
    values hold.
    """
    points = [(round(seconds * rate), float(value), curve) for seconds, value, curve in line.points]
    found: list[Segment] = []
    for (start, value, curve), (end, following, _) in pairwise(points):
        if end > start:
            found.append(Segment(start, value, following, end - start, CURVES[curve]))
    last = points[-1]
    found.append(Segment(last[0], last[1], last[1], 1, CURVES["hold"]))
    return tuple(found)
