"""What a plugin says of itself: plain data that crosses processes and is checked when it comes back.

A param's value is *normalised*: 0…1, whatever the plugin shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from graph.layouts import LAYOUTS
from host.plugins.errors import PluginError

OFF = ""
"""The layout of a bus that is switched off."""
MOST_BUSES = 64
MOST_CHANNELS = 64
"""Channels of one bus."""
MOST_PARAMS = 16384
LONGEST_TEXT = 4096
LONGEST_LATENCY = 1 << 22
"""Frames; a plugin that reports more is not believed."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A layout for each bus, in the plugin's order; ``OFF`` for a bus that is switched off."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bus:
    """An audio bus of a plugin."""

    name: str
    kind: Literal["main", "aux"]
    channels: int
    """How many it has when the plugin is fresh."""
    layout: str
    """The layout it has when the plugin is fresh, or ``OFF`` where we have no name for what it has."""
    layouts: tuple[str, ...]
    """The layouts it was seen to accept, the one it has first."""
    on: bool = True
    """Whether the plugin wants it switched on unless told otherwise."""


@dataclass(frozen=True, slots=True)
class PluginParam:
    """A param of a plugin."""

    id: int
    """Stable over versions of the plugin where the format has such ids, else its place in the list."""
    name: str
    unit: str = ""
    steps: int = 0
    """0: continuous; n: n + 1 values."""
    default: float = 0.0
    """Normalised."""
    low: str = ""
    high: str = ""
    """What the plugin shows at 0 and at 1."""
    values: tuple[str, ...] = ()
    """What it shows at each step, where there are few."""
    automatable: bool = True
    read_only: bool = False
    """The plugin's to set: a meter."""
    hidden: bool = False
    bypass: bool = False
    """The plugin's own bypass."""
    group: str = ""
    """The part of the plugin that it belongs to, and around it the part that this belongs to: ``Voice / Filter``."""
    program: bool = False
    """Whether it chooses one of the plugin's programs; ``values`` are their names."""


@dataclass(frozen=True, slots=True)
class Description:
    """All that the graph and the editor need to know of a plugin without running it."""

    format: Literal["vst3", "au"]
    uid: str
    """VST3: the class id, 32 hexadecimal digits; AU: type, subtype and manufacturer."""
    name: str
    vendor: str = ""
    version: str = ""
    category: str = ""
    instrument: bool = False
    events_in: bool = False
    inputs: tuple[Bus, ...] = ()
    outputs: tuple[Bus, ...] = ()
    arrangements: tuple[Arrangement, ...] = ()
    """Combinations of layouts that it was seen to accept, its own first."""
    params: tuple[PluginParam, ...] = ()
    latency_frames: int = 0
    """When fresh, at 48 kHz; ``PluginInstance.latency`` is what counts."""


def plain(description: Description) -> dict[str, Any]:
    """A description as maps, lists, texts and numbers."""
    return asdict(description)


def description_from(data: object, place: str = "plugin") -> Description:
    """A description from what ``plain`` gave, checked. Raises PluginError saying where it is wrong."""
    try:
        return _description(data, NOWHERE)
    except PluginError:
        return _description(data, place)  # once more, to say where


NOWHERE = ""
"""The place of what is checked without noting where it is: with tens of thousands of params that takes long."""


def _description(data: object, place: str) -> Description:
    return Description(**_fields(_map(data, place), _DESCRIPTION, place))


def _fields(data: Mapping[Any, Any], shape: Mapping[str, Any], place: str) -> dict[str, Any]:
    if missing := sorted(set(shape) - set(data)):
        raise PluginError(f"{place}: {missing[0]!r} is missing")
    if place == NOWHERE:
        return {name: check(data[name], NOWHERE) for name, check in shape.items()}
    return {name: check(data[name], f"{place}.{name}") for name, check in shape.items()}


def _map(value: object, place: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise PluginError(f"{place}: a map was expected, not {type(value).__name__}")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise PluginError(f"{place}: a text of at most {LONGEST_TEXT} characters was expected")
    return value


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise PluginError(f"{place}: true or false was expected")
    return value


def _integer(low: int, high: int) -> Any:
    def check(value: object, place: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise PluginError(f"{place}: a whole number from {low} to {high} was expected")
        return value

    return check


def _unit(value: object, place: str) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not 0 <= value <= 1:
        raise PluginError(f"{place}: a number from 0 to 1 was expected")
    return float(value)


def _choice(*choices: str) -> Any:
    def check(value: object, place: str) -> str:
        if value not in choices:
            raise PluginError(f"{place}: one of {', '.join(map(repr, choices))} was expected")
        return str(value)

    return check


def _list(each: Any, most: int) -> Any:
    def check(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise PluginError(f"{place}: a list of at most {most} was expected")
        if place == NOWHERE:
            return tuple([each(item, NOWHERE) for item in value])
        return tuple(each(item, f"{place}[{k}]") for k, item in enumerate(value))

    return check


_layouts = _list(_choice(OFF, *LAYOUTS), MOST_BUSES)


def _arrangement(value: object, place: str) -> Arrangement:
    return Arrangement(**_fields(_map(value, place), {"inputs": _layouts, "outputs": _layouts}, place))


_BUS = {
    "name": _text,
    "kind": _choice("main", "aux"),
    "channels": _integer(0, MOST_CHANNELS),
    "layout": _choice(OFF, *LAYOUTS),
    "layouts": _layouts,
    "on": _flag,
}
_PARAM = {
    **{"id": _integer(0, 0xFFFFFFFF), "steps": _integer(0, 0x7FFFFFFF), "default": _unit},
    **dict.fromkeys(("name", "unit", "low", "high"), _text),
    **{"values": _list(_text, 1024), "group": _text},
    **dict.fromkeys(("automatable", "read_only", "hidden", "bypass", "program"), _flag),
}
LATER = {"group": "", "program": False}
"""What was not yet known of params when older scans kept what they found."""


def _bus(value: object, place: str) -> Bus:
    return Bus(**_fields(_map(value, place), _BUS, place))


def _param(value: object, place: str) -> PluginParam:
    return PluginParam(**_fields({**LATER, **_map(value, place)}, _PARAM, place))


_DESCRIPTION = {
    **{"format": _choice("vst3", "au"), "inputs": _list(_bus, MOST_BUSES), "outputs": _list(_bus, MOST_BUSES)},
    **{"params": _list(_param, MOST_PARAMS), "arrangements": _list(_arrangement, 64)},
    **dict.fromkeys(("uid", "name", "vendor", "version", "category"), _text),
    **{"instrument": _flag, "events_in": _flag, "latency_frames": _integer(0, LONGEST_LATENCY)},
}
