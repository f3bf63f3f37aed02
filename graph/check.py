"""What is wrong with a patch, given the kinds: everything at once for people, the first thing for the compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graph.declare import Param, Port
from graph.document import Automation, Cable, NodeEntry, Patch
from graph.errors import PatchError
from graph.fields import LATEST_S
from graph.groups import Flat, expand
from graph.plain import brief, described, within
from graph.resolve import Shape, misfit, resolve_settings, shape_of
from graph.spec import BUILT_IN_PARAMS, Kinds

__all__ = ["Problem", "notes", "point_problems", "problems", "refuse"]

CURVES = ("linear", "exponential", "hold")

_TAKES: dict[str, tuple[str, ...]] = {
    "audio": ("audio",),
    "sidechain": ("audio",),
    "control": ("control", "audio"),
    "events": ("events",),
}
"""What kinds of signal an input takes; that audio into a control input is mono, only the layouts can tell."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. ``node`` is the address of the node it belongs to, if it belongs to one."""

    node: str
    place: str
    message: str
    unknown_kind: bool = False


_Shapes = Mapping[str, Shape | None]
"""The shape of every node; None where the kind is unknown or its settings are wrong, and nothing can be said."""


def problems(patch: Patch, kinds: Kinds) -> list[Problem]:
    """Everything that keeps a patch from being compiled, as far as the declarations tell."""
    found: list[Problem] = []
    try:
        flat = expand(patch)
    except PatchError as error:
        found.append(Problem(error.node, error.place, error.message))
        flat = _without_groups(patch)
    shapes: dict[str, Shape | None] = {}
    found += _node_problems(flat, kinds, shapes, {})
    found += _cable_problems(flat, shapes)
    found += _automation_problems(flat, kinds, shapes)
    found += _snapshot_problems(patch, flat, kinds, shapes)
    return found


def refuse(flat: Flat, kinds: Kinds) -> dict[str, dict[str, Any]]:
    """Raise PatchError for the first thing that is wrong with an expanded patch; unknown kinds are passed over. The
    settings of all others, resolved.
    """
    shapes: dict[str, Shape | None] = {}
    settings: dict[str, dict[str, Any]] = {}
    for wrong in _node_problems(flat, kinds, shapes, settings):
        if not wrong.unknown_kind:
            raise _error(wrong)
    for wrong in _cable_problems(flat, shapes):
        raise _error(wrong)
    for wrong in _automation_problems(flat, kinds, shapes):
        raise _error(wrong)
    return settings


def _error(problem: Problem) -> PatchError:
    return PatchError(problem.message, place=problem.place, node=problem.node)


def notes(patch: Patch, kinds: Kinds) -> list[Problem]:
    """What is kept but has no effect here: unknown fields and settings, and amounts on cables that modulate nothing."""
    found = [Problem("", within("", key), "this field is not known here; it is kept") for key in patch.extra]
    for id, entry in sorted(patch.nodes().items()):
        place = f"nodes.{id}"
        found += [Problem(id, within(place, key), "this field is not known here; it is kept") for key in entry.extra]
        kind = kinds.get(entry.kind)
        if kind is not None and entry.kind not in ("group", "user"):  # what these have is not all declared
            declared = [s.name for s in kind.settings_declared()]
            found += [
                Problem(
                    id,
                    within(f"{place}.settings", name),
                    f"{entry.kind} does not have it; it is kept",
                )
                for name in entry.settings
                if name not in declared
            ]
    for cable in patch.cables():
        found += [
            Problem(cable.target, within(cable.place, key), "this field is not known here; it is kept")
            for key in cable.extra
        ]
        shape = _shape_or_none(patch.node(cable.target), kinds)
        if cable.amount is not None and shape is not None and cable.target_port in shape.inputs:
            found.append(Problem(cable.target, f"{cable.place}.amount", "an amount only scales a cable into a param"))
    return found


def _shape_or_none(entry: NodeEntry, kinds: Kinds) -> Shape | None:
    kind = kinds.get(entry.kind)
    try:
        return None if kind is None else shape_of(kind, resolve_settings(kind, entry))
    except PatchError:
        return None


def _without_groups(patch: Patch) -> Flat:
    """What can still be looked at when a group cannot be opened."""
    flat = Flat({id: entry for id, entry in patch.nodes().items() if entry.kind != "group"})
    flat.cables = [c for c in patch.cables() if c.source in flat.nodes and c.target in flat.nodes]
    flat.automation = [line for line in patch.automation if line.node in flat.nodes]
    return flat


# -- nodes -------------------------------------------------------------------------------------------------------------


def _node_problems(
    flat: Flat, kinds: Kinds, shapes: dict[str, Shape | None], settings: dict[str, dict[str, Any]]
) -> Iterator[Problem]:
    """What is wrong with nodes by themselves; fills in ``shapes`` and ``settings``."""
    for id in sorted(flat.nodes):
        entry = flat.nodes[id]
        shapes[id] = None
        kind = kinds.get(entry.kind)
        if kind is None:
            message = f"there is no kind {_quoted(entry.kind)} here"
            yield Problem(id, f"nodes.{id}.kind", message, unknown_kind=True)
            continue
        try:
            settings[id] = resolve_settings(kind, entry)
            shape = shape_of(kind, settings[id])
        except PatchError as error:
            yield Problem(id, f"nodes.{id}.{error.place or 'settings'}", error.message)
            continue
        if kind.varies:
            continue
        shapes[id] = shape
        for name, value in entry.params.items():
            param = shape.params.get(name)
            wrong = misfit(param, value) if param is not None else _no_param(entry, shape, name)
            if wrong:
                yield Problem(id, within(f"nodes.{id}.params", name), wrong)
        if entry.bypass and not kind.bypassable:
            yield Problem(id, f"nodes.{id}.bypass", f"{entry.kind} cannot be bypassed; it can be muted")


def _no_param(entry: NodeEntry, shape: Shape, name: str) -> str:
    if name in BUILT_IN_PARAMS:
        return f"{name} is a field of the node, beside its params"
    return f"there is no param {_quoted(name)}; {entry.kind} has {_listed('param', shape.params)}"


# -- cables ------------------------------------------------------------------------------------------------------------


def _cable_problems(flat: Flat, shapes: _Shapes) -> Iterator[Problem]:
    for cable in flat.cables:
        source, target = shapes.get(cable.source), shapes.get(cable.target)
        start = source.outputs.get(cable.source_port) if source else None
        if source and start is None:
            yield Problem(cable.source, cable.place, _no_output(cable, source))
        if target is None:
            continue
        end = target.inputs.get(cable.target_port)
        if end is not None:
            wrong = _type_problem(cable, start, end) if start is not None and start.type not in _TAKES[end.type] else ""
        else:
            wrong = _param_problem(cable, start, target)
        if wrong:
            yield Problem(cable.target, cable.place, wrong)


def _no_output(cable: Cable, source: Shape) -> str:
    if cable.source_port in source.inputs:
        return f"{cable.source}.{cable.source_port} is an input, and a cable starts at an output"
    return f"there is no output {_quoted(cable.source_port)}; {cable.source} has {_listed('output', source.outputs)}"


def _type_problem(cable: Cable, start: Port, end: Port) -> str:
    names = f"{cable.source}.{cable.source_port} carries {start.type}, and {cable.target}.{cable.target_port} takes"
    if start.type == "control":
        return f"{names} {_TAKES[end.type][0]}; control signals feed params and control inputs"
    return f"{names} {' or mono '.join(_TAKES[end.type])}"


def _param_problem(cable: Cable, start: Port | None, target: Shape) -> str:
    param = target.params.get(cable.target_port)
    address = f"{cable.target}.{cable.target_port}"
    if param is None:
        if cable.target_port in target.outputs:
            return f"{address} is an output, and a cable ends at an input or a param"
        if cable.target_port in BUILT_IN_PARAMS:
            return f"{address} can be automated, and not modulated"
        inputs, params = _listed("input", target.inputs), _listed("param", target.params)
        return f"there is no input or param {_quoted(cable.target_port)}; {cable.target} has {inputs}, and {params}"
    if not param.modulatable:
        return f"{address} cannot be modulated"
    if start is not None and start.type == "events":
        return f"{cable.source}.{cable.source_port} carries events, and a param takes control or mono audio"
    return ""


# -- automation and snapshots ------------------------------------------------------------------------------------------


def _automation_problems(flat: Flat, kinds: Kinds, shapes: _Shapes) -> Iterator[Problem]:
    enabled: set[tuple[str, str]] = set()
    for line in flat.automation:
        wrong = _target_problem(flat, kinds, shapes, line.node, line.param)
        if wrong:
            yield Problem(line.node, line.place, wrong)
        if line.enabled and line.points:
            if (line.node, line.param) in enabled:
                yield Problem(line.node, line.place, "it is automated twice; one of the two can be switched off")
            enabled.add((line.node, line.param))
        for place, message in point_problems(line, _param(shapes.get(line.node), line.param)):
            yield Problem(line.node, f"{line.place}.{place}", message)


def point_problems(line: Automation, param: Param | None) -> Iterator[tuple[str, str]]:
    """What is wrong with the points of automation, and at which, for a param where it is known."""
    before = 0.0
    for i, (time, value, curve) in enumerate(line.points):
        if not 0 <= time <= LATEST_S:
            yield f"points[{i}]", f"expected a time from 0 to {LATEST_S:g} seconds, found {described(time)}"
        elif time < before:
            yield f"points[{i}]", f"expected a time that is not before the last, {before:g} s, found {described(time)}"
        before = max(before, time)
        wrong = misfit(param, value, moving=True) if param is not None else ""
        if wrong:
            yield f"points[{i}]", wrong
        if curve not in CURVES:
            yield f"points[{i}]", f"expected {', '.join(CURVES[:-1])} or {CURVES[-1]}, found {described(curve)}"
        elif curve == "exponential" and i + 1 < len(line.points):
            other = line.points[i + 1][1]
            if not (value > 0 < other or value < 0 > other):
                ends = f"{described(value)} and {described(other)}"
                yield f"points[{i}]", f"an exponential curve has ends of one sign and not 0; these are {ends}"


def _snapshot_problems(patch: Patch, flat: Flat, kinds: Kinds, shapes: _Shapes) -> Iterator[Problem]:
    for name, values in patch.snapshots.items():
        for outer, params in values.items():
            for outer_param, value in params.items():
                node, param = flat.aliases.get((outer, outer_param), (outer, outer_param))
                place = within(f"{within('snapshots', name)}.{outer}", outer_param)
                wrong = _target_problem(flat, kinds, shapes, node, param)
                declared = _param(shapes.get(node), param)
                if not wrong and declared is not None:
                    wrong = misfit(declared, value)
                if wrong:
                    yield Problem(outer, place, wrong)
    for name, states in patch.snapshot_states.items():
        for node in states:
            if node not in flat.nodes:
                place = within(within("snapshot_states", name), node)
                yield Problem(node, place, f"there is no node {brief(repr(node), 80)}")


def _target_problem(flat: Flat, kinds: Kinds, shapes: _Shapes, node: str, param: str) -> str:
    """What is wrong with an address that automation or a snapshot gives."""
    if node not in flat.nodes:
        return f"there is no node {brief(repr(node), 80)}, or it has no such param"
    shape, entry = shapes.get(node), flat.nodes[node]
    if shape is None or param in shape.params:
        return ""
    if param not in BUILT_IN_PARAMS:
        return f"there is no param {_quoted(param)}; {entry.kind} has {_listed('param', shape.params)}"
    if param == "bypass" and not kinds[entry.kind].bypassable:
        return f"{entry.kind} cannot be bypassed; it can be muted"
    return ""


def _param(shape: Shape | None, name: str) -> Param | None:
    return None if shape is None else shape.params.get(name, BUILT_IN_PARAMS.get(name))


def _quoted(name: str) -> str:
    return brief(repr(name), 64)


def _listed(noun: str, names: Iterable[str]) -> str:
    """What there is, in words."""
    found = list(names)
    if not found:
        return f"no {noun}s"
    return f"the {noun}{'s' if len(found) > 1 else ''} {brief(', '.join(found), 240)}"
