"""What a node's settings and stored params come to, once its kind is known: defaults filled in, types settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph.declare import Param, Port, Setting
from graph.document import NodeEntry
from graph.errors import PatchError
from graph.plain import copied, described
from graph.spec import BUILT_IN_PARAMS, Node

_MOST_SHAPES = 256
"""How many shapes of one kind are remembered."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The ports and params that a kind has with certain settings, by name."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    params: Mapping[str, Param]
    defaults: Mapping[str, float]
    declared: Mapping[str, Param]
    """The params, and those that every node has."""


@dataclass(slots=True)
class _Known:
    """What is remembered of a kind."""

    settings: tuple[Setting, ...]
    defaults: dict[str, Any]
    shapes: dict[tuple[object, ...], Shape]


def _known(kind: type[Node]) -> _Known:
    found = kind.worked_out.get(_Known)
    if found is None:
        declared = kind.settings_declared()
        found = kind.worked_out[_Known] = _Known(declared, {s.name: s.default for s in declared}, {})
    return found


def shape_of(kind: type[Node], settings: Mapping[str, Any]) -> Shape:
    """The shape of a kind with settings that were resolved. Raises PatchError where the kind has none with these."""
    known = _known(kind)
    key = tuple(settings.values())
    try:
        found = known.shapes.get(key)
    except TypeError:  # a setting that is a map has no hash
        return _shape(kind, settings)
    if found is None:
        found = _shape(kind, settings)
        if len(known.shapes) >= _MOST_SHAPES:
            known.shapes.clear()
        known.shapes[key] = found
    return found


def _shape(kind: type[Node], settings: Mapping[str, Any]) -> Shape:
    ports, params = kind.ports(settings), kind.params(settings)
    return Shape(
        {p.name: p for p in ports if p.flow == "in"},
        {p.name: p for p in ports if p.flow == "out"},
        {p.name: p for p in params},
        {p.name: float(p.default) for p in params},
        BUILT_IN_PARAMS | {p.name: p for p in params},
    )


def resolve_settings(kind: type[Node], entry: NodeEntry) -> dict[str, Any]:
    """The kind's settings with the node's values in their canonical types, in the order of the declaration.

    Settings that the kind does not know are left out. Raises PatchError at ``settings.NAME`` for what one cannot be.
    """
    known, given = _known(kind), entry.settings
    resolved = {name: copied(value) for name, value in known.defaults.items()}
    if given:
        for setting in known.settings:
            if setting.name in given:
                try:
                    resolved[setting.name] = setting.check(given[setting.name])
                except PatchError as error:
                    raise PatchError(error.message, place=f"settings.{setting.name}") from None
    return resolved


def resolve_params(kind: type[Node], settings: Mapping[str, Any], entry: NodeEntry) -> dict[str, float]:
    """The kind's params with the node's values, in the order of the declaration; ``settings`` are resolved.

    Params that the kind does not know are left out (``graph.check`` refuses them). Raises PatchError at ``params.NAME``
    for a value outside its range.
    """
    shape = shape_of(kind, settings)
    resolved = dict(shape.defaults)
    for name, value in entry.params.items():
        param = shape.params.get(name)
        if param is not None:
            wrong = misfit(param, value)
            if wrong:
                raise PatchError(wrong, place=f"params.{name}")
            resolved[name] = float(value)
    return resolved


def misfit(param: Param, value: float, *, moving: bool = False) -> str:
    """What is wrong with a value for a param, in words; nothing if it fits.

    While it is ``moving`` (automated), a switch or a choice passes through the values between.
    """
    if isinstance(value, bool):
        fits = param.curve == "switch"
    else:
        fits = param.low <= value <= param.high
        if fits and not moving and param.curve not in ("linear", "log"):
            fits = float(value).is_integer()
    return "" if fits else f"expected {range_of(param)}, found {described(value)}"


def range_of(param: Param) -> str:
    """What values a param takes, in words."""
    match param.curve:
        case "switch":
            return "0 or 1 (or false or true)"
        case "choice":
            named = ", ".join(f"{i} {choice}" for i, choice in enumerate(param.choices))
            return f"a whole number from {param.low:g} to {param.high:g} ({named})"
        case "integer":
            return f"a whole number from {param.low:g} to {param.high:g}" + (f" {param.unit}" if param.unit else "")
        case _:
            return f"a number from {param.low:g} to {param.high:g}" + (f" {param.unit}" if param.unit else "")
