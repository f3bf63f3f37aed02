"""The compiler's sixth pass: from ordered, timed nodes to steps over signals. Buffers come in the next pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from zlib import crc32

from graph.document import Automation
from graph.layouts import EVENTS, channels_of
from graph.order import Order
from graph.overlap import TOKEN, overlapped, splits
from graph.schedule import (
    Compensation,
    CompiledNode,
    FadeStep,
    FeedbackStep,
    Heard,
    KernelStep,
    Loop,
    MixStep,
    ParamStep,
    Segment,
    Slot,
    Step,
)
from graph.signals import SILENCE, Key, Signals, fed
from graph.spec import TICK, Node, Param, Port, PortBank, Ports
from graph.timing import Timing
from graph.widen import Sides
from graph.wiring import Wire, Wired

CURVES = {"hold": 0, "linear": 1, "exponential": 2}


@dataclass(slots=True)
class Lowered:
    """Steps over signals, and the lanes of each signal; signal 0 is silence."""

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
    sides: Sides
    rate: int
    signals: Signals
    moving: dict[int, dict[tuple[int, str], Slot]] = field(default_factory=dict[int, dict[tuple[int, str], Slot]])
    """Moving params of nodes that break loops: their two kernels share them."""
    reserved: dict[Key, Slot] = field(default_factory=dict[Key, Slot])
    """Outputs that are to be written straight into their place in a wide signal."""
    split: set[int] = field(default_factory=set[int])
    """Nodes that are submitted first and collected later."""
    away: dict[int, tuple[dict[str, Slot], Slot]] = field(default_factory=dict[int, tuple[dict[str, Slot], Slot]])
    """Nodes that were submitted: their inputs, and the token that ``collect`` takes."""


def lower(nodes: list[Wired], found: Order, timing: Timing, sides: Sides, rate: int) -> Lowered:
    """Emit the steps."""
    signals = Signals(nodes, found, timing)
    work = _Lowering(nodes, found, timing, sides, rate, signals)
    loop_of = {k: at for at, loop in enumerate(found.loops) for k in loop}
    bounds: dict[int, list[int]] = {}
    emitted: set[int] = set()
    for group in sides.groups:
        _reserve(work, group)
    work.split = {k for k in splits(nodes, found) if not _skipped(nodes[k])}
    for k, back in overlapped(sides, found, work.split):
        if back:
            _collect(work, nodes[k])
            continue
        group = sides.group_of.get(k)
        if group is not None:
            if group not in emitted:
                emitted.add(group)
                _emit_wide(work, sides.groups[group])
            continue
        loop = loop_of.get(k)
        if loop is not None and loop not in bounds:
            bounds[loop] = [len(signals.steps), 0]
            _open_loop(work, found.loops[loop])
        _emit_node(work, nodes[k])
        if loop is not None and k == found.loops[loop][-1]:
            _close_loop(work, found.loops[loop])
            bounds[loop][1] = len(signals.steps)
    compiled = [_compiled(node, timing, rate) for node in nodes]
    loops = [
        Loop(*_bounds(bounds[at]), tuple(nodes[k].id for k in loop), _periods(work, loop))
        for at, loop in enumerate(found.loops)
    ]
    return Lowered(compiled, signals.steps, signals.lanes, loops, signals.compensations)


def _bounds(pair: list[int]) -> tuple[int, int]:
    return pair[0], pair[1]


def _compiled(node: Wired, timing: Timing, rate: int) -> CompiledNode:
    k = node.index
    skew = timing.absorbed.get(k, timing.arrival[k]) - timing.arrival[k]
    node.told = node.told or node.config(rate)
    return CompiledNode(node.id, node.kind, node.told, timing.arrival[k], timing.latency[k], node.key, skew)


def _open_loop(work: _Lowering, loop: list[int]) -> None:
    """Read what comes round the loop, before anything in it runs."""
    for key in _fed_back(work, set(loop)):
        node = work.nodes[key[0]]
        slot = work.signals.new(channels_of(node.layouts[key[1]]))
        work.signals.steps.append(FeedbackStep(f"{node.key}.{key[1]}", slot, writing=False))
        work.signals.publish({fed(key): slot})


def _fed_back(work: _Lowering, inside: set[int]) -> list[Key]:
    found = {(w.source, w.source_port) for k in inside for w in work.nodes[k].wires if id(w) in work.found.closing}
    return sorted(found)


def _close_loop(work: _Lowering, loop: list[int]) -> None:
    """Keep what goes round the loop for the next tick."""
    for key in _fed_back(work, set(loop)):
        node = work.nodes[key[0]]
        slot = work.signals.packed(work.signals.made[key])
        work.signals.steps.append(FeedbackStep(f"{node.key}.{key[1]}", slot, writing=True))
    for k in loop:
        if k in work.found.breakers:
            node = work.nodes[k]
            work.signals.steps.append(KernelStep((k,), "absorb", _inputs(work, node), {}, work.moving[k]))


def _periods(work: _Lowering, loop: list[int]) -> tuple[tuple[str, int], ...]:
    inside = set(loop)
    found: dict[str, int] = {}
    for k in loop:
        node = work.nodes[k]
        for cable in node.wires:
            if id(cable) in work.found.closing and cable.source in inside:
                found[f"{cable.name} -> {node.id}.{cable.target_port}"] = work.timing.period(cable)
        if k in work.found.breakers:
            found[node.id] = int(node.params["frames"])
    return tuple(sorted(found.items()))


def _emit_node(work: _Lowering, node: Wired) -> None:
    if node.index in work.found.breakers:
        _emit_kernel(work, node, "emit", {})
        return
    inputs = _inputs(work, node)
    if _skipped(node):
        _publish(work, node, {node.outputs[0].name: _passed(work, node, inputs)})
    elif node.index in work.split:
        token = work.signals.new(1)
        work.away[node.index] = inputs, token
        params = _moving(work, node)
        work.signals.steps.append(KernelStep((node.index,), "submit", inputs, {TOKEN: token}, params))
    else:
        _emit_kernel(work, node, "process", inputs)


def _collect(work: _Lowering, node: Wired) -> None:
    inputs, token = work.away.pop(node.index)
    _emit_kernel(work, node, "collect", inputs, {TOKEN: token})


def _bypassed(node: Wired) -> bool:
    """Whether a node is bypassed for good."""
    return node.bypass and node.kind.bypassable and "bypass" not in node.automation


def _skipped(node: Wired) -> bool:
    """Whether nothing of a node has to run at all."""
    return _bypassed(node) and len(node.outputs) == 1 and not node.mute and not _is_controlled(node, "mute")


def _passed(work: _Lowering, node: Wired, inputs: dict[str, Slot]) -> Slot:
    """What stands for the first output of a node that is bypassed for good."""
    dry = _dry(work, node, inputs)
    work.signals.shared.add(dry.buffer)
    return dry


def _dry(work: _Lowering, node: Wired, inputs: dict[str, Slot]) -> Slot:
    """A node's main input as its bypass lets it through: late by the node's latency."""
    latency = work.timing.latency[node.index]
    return work.signals.later(f"{node.key}.bypass", inputs[node.inputs[0].name], latency)


def _emit_kernel(
    work: _Lowering, node: Wired, kernel: str, inputs: dict[str, Slot], taken: dict[str, Slot] | None = None
) -> None:
    """A step with a node's outputs, and what bypass and mute make of them. It reads the node's inputs, or, where they
    were handed over before, what is ``taken`` instead.
    """
    signals = work.signals
    params = _moving(work, node) if taken is None else {}
    bypassed = kernel != "emit" and _bypassed(node)
    if kernel == "emit":
        work.moving[node.index] = params
    controls: dict[str, Slot] = {}
    if node.automation:
        controls = {name: _control(work, node, name) for name in ("bypass", "mute") if _is_controlled(node, name)}
    muted = node.mute and "mute" not in controls
    adding = None
    plain = not controls and not muted and not bypassed
    if plain and kernel == "process" and node.kind.accumulates and len(node.outputs) == 1:
        first = node.outputs[0].name
        adding = signals.open_sum((node.index, first), channels_of(node.layouts[first]))
    outputs: dict[str, Slot] = {}
    for port in node.outputs:
        lanes = channels_of(node.layouts[port.name])
        reserved = work.reserved.get((node.index, port.name))
        outputs[port.name] = Slot(adding.signal, 0, lanes) if adding else reserved or signals.new(lanes)
    read = inputs if taken is None else taken
    signals.steps.append(KernelStep((node.index,), kernel, read, dict(outputs), params, adding is not None))
    if adding:
        adding.done += 1
        signals.advance(adding)
        return
    if bypassed:
        outputs[node.outputs[0].name] = _passed(work, node, inputs)
    if "bypass" in controls:
        first = node.outputs[0].name
        outputs[first] = _fade(work, outputs[first], _dry(work, node, inputs), controls["bypass"])
    if "mute" in controls:
        outputs = {name: _muted(work, node, name, slot, controls["mute"]) for name, slot in outputs.items()}
    silent = outputs if muted else _unwritten(node.kind, kernel)
    if silent:
        outputs |= {name: Slot(SILENCE, 0, outputs[name].lanes) for name in silent if name in outputs}
    _publish(work, node, outputs)


def _publish(work: _Lowering, node: Wired, outputs: dict[str, Slot]) -> None:
    work.signals.publish({(node.index, name): slot for name, slot in outputs.items()})


def _reserve(work: _Lowering, group: list[int]) -> None:
    """Let the nodes that feed a wide step, and nothing else, write straight into their places in its input."""
    nodes = [work.nodes[k] for k in group]
    port = nodes[0].inputs[0].name
    channels = channels_of(nodes[0].layouts[port])
    wide: Slot | None = None
    for j, node in enumerate(nodes):
        cables = [w for w in node.wires if w.target_port == port and not w.to_param]
        if len(cables) != 1:
            continue
        term = work.signals.term(cables[0])
        source = work.nodes[term.key[0]]
        alone = work.signals.users[term.key] == 1 and not term.delay and not term.closing
        plain = source.index not in work.sides.group_of and not source.bypass and not source.mute
        plain = plain and not _banked(source.kind)
        if alone and plain and not source.automation and channels_of(source.layouts[term.key[1]]) == channels:
            wide = wide or work.signals.new(channels * len(nodes))
            work.reserved[term.key] = Slot(wide.buffer, j * channels, channels)


def _emit_wide(work: _Lowering, group: list[int]) -> None:
    """One step for several nodes: their inputs side by side in one signal, their outputs in another."""
    signals = work.signals
    nodes = [work.nodes[k] for k in group]
    main = nodes[0].inputs[0].name
    channels = channels_of(nodes[0].layouts[main])
    parts = [_inputs(work, node)[main] for node in nodes]
    wide = Slot(parts[0].buffer, 0, channels * len(nodes))
    ready = [Slot(wide.buffer, j * channels, channels) for j in range(len(nodes))]
    if parts != ready or not signals.whole(wide) or wide.buffer == SILENCE:
        placed = {slot.buffer for slot in parts if not signals.whole(slot)}
        reserved = [work.reserved[key] for key in work.reserved if work.reserved[key].buffer in placed]
        wide = Slot(reserved[0].buffer, 0, wide.lanes) if reserved and len(placed) == 1 else signals.new(wide.lanes)
        for j, part in enumerate(parts):
            own = Slot(wide.buffer, j * channels, channels)
            if part != own:
                signals.steps.append(MixStep(own, (part,)))
    inputs = {port.name: wide for port in nodes[0].inputs}
    outputs = {port.name: signals.new(wide.lanes) for port in nodes[0].outputs}
    signals.steps.append(KernelStep(tuple(group), "process", inputs, outputs, {}))
    signals.publish(
        {
            (node.index, name): Slot(slot.buffer, j * channels, channels)
            for name, slot in outputs.items()
            for j, node in enumerate(nodes)
        }
    )


def _is_controlled(node: Wired, name: str) -> bool:
    if name not in node.automation or (name == "bypass" and not node.kind.bypassable):
        return False
    return name not in _own_params(node)


def _own_params(node: Wired) -> list[str]:
    return [p.name for p in node.kind.params(node.settings)]


def _fade(work: _Lowering, wet: Slot, dry: Slot | None, control: Slot) -> Slot:
    signals = work.signals
    wet = signals.packed(wet)
    dry = signals.packed(dry) if dry else None
    target = signals.new(wet.lanes)
    signals.steps.append(FadeStep(target, wet, dry, control))
    return target


def _muted(work: _Lowering, node: Wired, name: str, slot: Slot, control: Slot) -> Slot:
    """An output while a control mutes it: sound is faded, notes are ended."""
    if node.layouts[name] != EVENTS:
        return _fade(work, slot, None, control)
    place = f"{node.key}.{name}"
    return work.signals.gather(place, (Heard(place, slot, control),), node, name)


@cache
def _unwritten(kind: type[Node], kernel: str) -> tuple[str, ...]:
    """The outputs that a kind's kernel does not write."""
    written = getattr(kind, kernel).arguments
    if any(isinstance(kind.declared.get(name), Ports) for name in written):
        return ()
    return tuple(port.name for port in kind.every(Port) if port.flow == "out" and port.name not in written)


def _control(work: _Lowering, node: Wired, name: str) -> Slot:
    base = 1.0 if (node.bypass if name == "bypass" else node.mute) else 0.0
    return _param_step(work, node, node.declared[name], base, node.automation[name], [])


def _inputs(work: _Lowering, node: Wired) -> dict[str, Slot]:
    plugged = {w.target_port for w in node.wires}
    found: dict[str, Slot] = {}
    for port in node.inputs:
        if port.fallback is not None and port.name not in plugged:
            found[port.name] = found[port.fallback]
        else:
            found[port.name] = _input(work, node, port)
    if _banked(node.kind):
        return {name: work.signals.packed(slot) for name, slot in found.items()}
    return found


@cache
def _banked(kind: type[Node]) -> bool:
    """Whether a kind has a bank of ports: all of a bank are signals of their own, so that one code serves them all."""
    return bool(kind.every(PortBank))


def _input(work: _Lowering, node: Wired, port: Port) -> Slot:
    if port.type == "events":
        return work.signals.gathered(node, port.name)
    signals = work.signals
    lanes = channels_of(node.layouts[port.name])
    summed = signals.sums.get((node.index, port.name))
    if summed is not None:
        return Slot(summed.signal, 0, lanes)
    for cable in node.wires:
        if cable.target_port == port.name and not cable.to_param:
            slot = signals.heard(signals.term(cable))
            if slot.buffer == SILENCE:
                return Slot(SILENCE, 0, lanes)
            if slot.lanes == lanes:
                return slot
            spread = signals.new(lanes)
            signals.steps.append(MixStep(spread, (slot,)))
            return spread
    return Slot(SILENCE, 0, lanes)


def _moving(work: _Lowering, node: Wired) -> dict[tuple[int, str], Slot]:
    """Signals for the params that automation or cables move."""
    if not node.automation and not any(w.to_param for w in node.wires):
        return {}
    moving: dict[tuple[int, str], Slot] = {}
    for name in _own_params(node):
        cables = [w for w in node.wires if w.to_param and w.target_port == name]
        if cables or name in node.automation:
            line = node.automation.get(name)
            moving[0, name] = _param_step(work, node, node.declared[name], node.params[name], line, cables)
    return moving


def _param_step(
    work: _Lowering, node: Wired, param: Param, base: float, line: Automation | None, cables: list[Wire]
) -> Slot:
    signals = work.signals
    modulation = tuple((signals.packed(signals.heard(signals.term(c))), c.amount) for c in cables)
    target = signals.new(1)
    segments = segments_of(line, work.rate) if line else ()
    low = 0.0
    arrival = work.timing.arrival[node.index]
    if node.index in work.found.breakers and param.name == "frames":
        low = float(TICK + work.timing.absorbed[node.index] - arrival)
    made = [work.nodes[w.source] for w in cables]
    sources = [(w.name, n.key, n.mute, w.amount, signals.term(w).delay) for n, w in zip(made, cables, strict=True)]
    known = crc32(repr((sources, arrival)).encode())
    signals.steps.append(ParamStep(node.index, param, target, base, segments, modulation, arrival, low, known))
    return target


def segments_of(line: Automation, rate: int) -> tuple[Segment, ...]:
    """Automation points as segments by frame; frame = round(seconds · rate).

    Before the first and after the last point values hold.
    """
    points = [(round(seconds * rate), float(value), curve) for seconds, value, curve in line.points]
    start, value, _ = points[0]
    found: list[Segment] = []
    if len(points) > 1 and points[1][0] == start:  # a step first of all: its lower side holds before it
        found.append(Segment(start - 1, value, value, 1, CURVES["hold"]))
    for (start, value, curve), (end, following, _) in pairwise(points):
        if end > start:
            found.append(Segment(start, value, following, end - start, CURVES[curve]))
    last = points[-1]
    found.append(Segment(last[0], last[1], last[1], 1, CURVES["hold"]))
    return tuple(found)
