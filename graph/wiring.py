"""The compiler's second pass: the expanded patch as plain arrays, and the layout of every port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.check import refuse
from graph.document import Automation
from graph.errors import PatchError
from graph.groups import Flat
from graph.layouts import EVENTS, LAYOUTS, channels_of
from graph.resolve import resolve_params, resolve_settings, shape_of
from graph.spec import Config, Kinds, Node, Param, Port, Services
from graph.stand_in import stand_in

_NONE: frozenset[str] = frozenset()
ADAPTERS = "use downmix, upmix or channel_map"


@dataclass(slots=True)
class Wire:
    """A cable between numbered nodes."""

    source: int
    source_port: str
    target: int
    target_port: str
    to_param: bool
    feedback: bool
    amount: float
    name: str
    """Address of its source: the order in which inputs are summed."""

    def __lt__(self, other: Wire) -> bool:
        return (self.name, self.target_port) < (other.name, other.target_port)


@dataclass(slots=True)
class Wired:
    """A node with its declaration resolved."""

    index: int
    id: str
    kind: type[Node]
    settings: Mapping[str, Any]
    params: Mapping[str, float]
    bypass: bool
    mute: bool
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    declared: Mapping[str, Param]
    wires: list[Wire] = field(default_factory=list[Wire])
    """What is plugged into it, ports and params, in the order of the sources' names."""
    cut: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By events input: the names of cables that were cut, and whose notes are to be ended."""
    automation: dict[str, Automation] = field(default_factory=dict[str, Automation])
    layouts: dict[str, str] = field(default_factory=dict[str, str])
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tempo: float = 120.0
    state: bytes | None = None
    given: frozenset[str] = frozenset()
    key: str = ""
    """The name of its state."""
    told: Config | None = None
    """What ``config`` gave when it was compiled, for as long as that holds."""

    def __post_init__(self) -> None:
        self.key = self.key or self.id

    def alone(self, index: int, id: str) -> Wired:
        """The same under another number and id, with nothing plugged in. ``dataclasses.replace`` takes five times as
        long.
        """
        return Wired(
            index,
            id,
            self.kind,
            self.settings,
            self.params,
            self.bypass,
            self.mute,
            self.inputs,
            self.outputs,
            self.declared,
            automation=self.automation,
            layouts=self.layouts,
            info=self.info,
            tempo=self.tempo,
            state=self.state,
            given=self.given,
            key=self.key,
        )

    def config(self, rate: float) -> Config:
        """What the kind's hooks are told of this node."""
        plugged, driven = _NONE, _NONE
        if self.wires:
            plugged = frozenset([w.target_port for w in self.wires if not w.to_param])
            driven = frozenset([w.target_port for w in self.wires if w.to_param])
        return Config(
            self.id,
            self.settings,
            self.params,
            rate,
            self.layouts,
            plugged,
            driven.union(self.automation) if self.automation else driven,
            self.info,
            self.tempo,
            self.state,
            self.given,
        )


def wire(flat: Flat, kinds: Kinds, missing: list[PatchError] | None = None) -> list[Wired]:
    """Every node in the order of the ids, with what is plugged into it.

    Raises PatchError at the first thing that cannot be compiled. With a list for what is ``missing``, unknown kinds
    pass audio through and are noted there.
    """
    unknown = [(id, entry) for id, entry in sorted(flat.nodes.items()) if entry.kind not in kinds]
    for id, entry in unknown:
        error = PatchError(f"there is no kind {entry.kind!r} here", place=f"nodes.{id}.kind", node=id)
        if missing is None:
            raise error
        missing.append(error)
    resolved = refuse(flat, kinds)
    numbers: dict[str, int] = {}
    nodes: list[Wired] = []
    inputs: list[Mapping[str, Port]] = []
    for id in sorted(flat.nodes):
        entry = flat.nodes[id]
        kind = kinds.get(entry.kind) or stand_in(id, entry, flat.cables, flat.nodes, kinds)
        settings = resolved[id] if id in resolved else resolve_settings(kind, entry)
        shape = shape_of(kind, settings)
        # What varies was not looked at yet.
        params = resolve_params(kind, settings, entry) if kind.varies else dict(shape.defaults)
        if not kind.varies:
            params.update({name: float(value) for name, value in entry.params.items()})
        numbers[id] = len(nodes)
        inputs.append(shape.inputs)
        bypass = entry.bypass or (id in flat.bypassed and kind.bypassable)
        mute = entry.mute or id in flat.muted
        made = Wired(
            len(nodes),
            id,
            kind,
            settings,
            params,
            bypass,
            mute,
            tuple(shape.inputs.values()),
            tuple(shape.outputs.values()),
            shape.declared,
            tempo=flat.tempo,
            state=entry.state,
        )
        if kind.submit is not None:
            made.given = frozenset(entry.params)
        nodes.append(made)
    for cable in flat.cables:
        source, target = numbers[cable.source], numbers[cable.target]
        to_param = cable.target_port not in inputs[target]
        amount = 1.0 if cable.amount is None else cable.amount
        name = f"{cable.source}.{cable.source_port}"
        found = Wire(source, cable.source_port, target, cable.target_port, to_param, cable.feedback, amount, name)
        nodes[target].wires.append(found)
    for line in flat.automation:
        if line.enabled and line.points:
            nodes[numbers[line.node]].automation[line.param] = line
    for node in nodes:
        if len(node.wires) > 1:
            node.wires.sort()
    return nodes


def inform(nodes: list[Wired], services: Services, rate: float, missing: list[PatchError] | None = None) -> None:
    """Let kinds look at the outside world: files, plugins.

    Raises PatchError, with the node's place, where something is missing; with a list to note it in, it is only noted.
    """
    for node in nodes:
        if node.kind.info.__func__ is Node.info.__func__:
            continue
        try:
            node.info = node.kind.info(node.config(rate), services)
        except PatchError as error:
            if missing is None:
                raise _placed(error, node) from None
            missing.append(_placed(error, node))


def check_kinds(nodes: list[Wired], rate: float) -> None:
    """Let kinds refuse what only they can know to be wrong. Raises PatchError with the node's place."""
    for node in nodes:
        if node.kind.check.__func__ is not Node.check.__func__:
            check_node(node, rate)


def check_node(node: Wired, rate: float) -> None:
    """Let a node's kind refuse it. Raises PatchError with the node's place."""
    try:
        node.kind.check(node.config(rate))
    except PatchError as error:
        raise _placed(error, node) from None


def _placed(error: PatchError, node: Wired) -> PatchError:
    """The error, with the node it happened in."""
    if error.node:
        return error
    inner = error.place if error.place else ""
    return PatchError(error.message, place=f"nodes.{node.id}{'.' + inner if inner else ''}", node=node.id)


def resolve_layouts(nodes: list[Wired], order: list[int], rate: float) -> None:
    """Give every port its layout, in place.

    Around loops layouts can only widen, so a few rounds settle them. Raises PatchError where a cable does not fit.
    """
    known: set[int] = set()
    for _ in range(len(LAYOUTS) + 1):
        before = [dict(nodes[k].layouts) for k in order] if len(known) else None
        for k in order:
            _resolve(nodes, nodes[k], known, rate)
            known.add(k)
        if before is None and not _has_back_reference(nodes, order):
            break
        if before is not None and before == [nodes[k].layouts for k in order]:
            break
    for node in nodes:
        for cable in node.wires:
            _refuse_misfit(nodes[cable.source], node, cable)


def _has_back_reference(nodes: list[Wired], order: list[int]) -> bool:
    place = {k: at for at, k in enumerate(order)}
    return any(place[w.source] >= place[node.index] for node in nodes for w in node.wires)


def _resolve(nodes: list[Wired], node: Wired, known: set[int], rate: float) -> None:
    layouts = node.layouts
    for port in node.inputs:
        layouts[port.name] = _input_layout(nodes, node, port, known)
    for port in node.inputs:
        if port.fallback is not None and not any(w.target_port == port.name and not w.to_param for w in node.wires):
            layouts[port.name] = layouts[port.fallback]
    main = next((layouts[p.name] for p in node.inputs if p.type == "audio"), "stereo")
    chosen: Mapping[str, str] = {}
    if node.kind.output_layouts.__func__ is not Node.output_layouts.__func__:
        try:
            chosen = node.kind.output_layouts(node.config(rate))
        except PatchError as error:
            raise _placed(error, node) from None
    for port in node.outputs:
        declared = _declared_layout(node, port)
        if declared == "auto":
            declared = chosen.get(port.name, main)
        layouts[port.name] = declared


def _declared_layout(node: Wired, port: Port) -> str:
    if port.type in ("control", "events"):
        return EVENTS if port.type == "events" else "mono"
    return str(node.settings[port.layout[1:]]) if port.layout.startswith("=") else port.layout


def _input_layout(nodes: list[Wired], node: Wired, port: Port, known: set[int]) -> str:
    declared = _declared_layout(node, port)
    if declared not in ("auto", "any"):
        return declared
    widest = ""
    for cable in node.wires:
        if cable.target_port == port.name and not cable.to_param and cable.source in known:
            layout = nodes[cable.source].layouts.get(cable.source_port, "")
            if layout and (not widest or channels_of(layout) > channels_of(widest)):
                widest = layout
    if widest:
        return widest
    plugged = any(w.target_port == port.name and not w.to_param for w in node.wires)
    return "mono" if declared == "any" or plugged else "stereo"


def _refuse_misfit(source: Wired, target: Wired, cable: Wire) -> None:
    layout = source.layouts[cable.source_port]
    wanted = "mono" if cable.to_param else target.layouts[cable.target_port]
    if layout == wanted or (layout == "mono" and wanted == "stereo" and not cable.to_param):
        return
    place = f"cables.{cable.name} -> {target.id}.{cable.target_port}"
    if wanted == "mono" and (
        cable.to_param or any(p.name == cable.target_port and p.type == "control" for p in target.inputs)
    ):
        raise PatchError(
            f"a param or control input takes a control or mono signal, and this one is {layout}",
            place=place,
            node=target.id,
        )
    raise PatchError(f"{layout} does not fit {wanted}; {ADAPTERS}", place=place, node=target.id)
