"""What a kind is tried with: structures (settings and layouts), and params at their ends and drawn at random."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.spec import Node, Param, Port, Setting

LAYOUTS_TRIED = ("stereo", "mono", "5.1")
DRAWN = 64
STRUCTURES = 6
LARGEST_STEP = 300
"""How far above its lowest value an open-ended whole number is set: enough to matter, and quick to run."""
LARGEST_TIME_S = 0.02
"""The same for a setting that is a time: what begins later would not be heard."""
ATTEMPTS = 40
"""How often something else is tried where a structure or a draw is not wanted."""
TIMES = ("ms", "s", "frames")
"""Units of times. Most draws of a time are short, so that what comes later is heard before the signal ends."""

MAPS: Mapping[str, tuple[object, ...]] = {
    "channel_map": ({"L": "R", "R": "L"}, {"M": "L"}, {"L": "L", "R": "R", "C": "L", "LFE": "R"}),
}
"""What a setting of the type ``map`` is tried with: its declaration cannot tell."""

Plugged = Mapping[str, str]
"""Layouts of what is plugged in, by input port."""


@dataclass(frozen=True, slots=True)
class Structure:
    """All that is compiled in."""

    settings: Mapping[str, Any]
    plugged: Plugged


@dataclass(frozen=True, slots=True)
class Variant:
    """A node to try: its structure, and the params that are not at their defaults."""

    structure: Structure
    params: Mapping[str, float] = field(default_factory=dict[str, float])

    def __str__(self) -> str:
        said = [f"{k}={v!r}" for k, v in self.structure.settings.items()]
        said += [f"{port}: {layout}" for port, layout in self.structure.plugged.items()]
        said += [f"{k}={v:.6g}" for k, v in self.params.items()]
        return "{" + ", ".join(said) + "}"


def seeded(kind: type[Node], what: str) -> random.Random:
    """Chance that is the same every time, and another one for each kind and purpose."""
    return random.Random(zlib.crc32(f"{kind.kind} {what}".encode()))


def structures(kind: type[Node], accepts: Callable[[Structure], bool]) -> list[Structure]:
    """Structures that the kind accepts: the defaults in each layout, then every choice at least once, as far as
    ``STRUCTURES`` allows.
    """
    chance = seeded(kind, "structures")
    settings = {s.name: _candidates(kind, s) for s in kind.settings_declared()}
    first = {name: values[0] for name, values in settings.items()}
    found: list[Structure] = []

    def offer(chosen: Mapping[str, Any], layout: str, keyed: int) -> None:
        own = {name: value for name, value in chosen.items() if value != _declared_default(kind, name)}
        structure = Structure(own, _plugged(kind, chosen, layout, keyed))
        if structure not in found and accepts(structure):
            found.append(structure)

    for k, layout in enumerate(LAYOUTS_TRIED):
        offer(first, layout, k)
    longest = max((len(values) for values in settings.values()), default=1)
    at = 0
    while at < ATTEMPTS and len(found) < max(STRUCTURES, min(longest, 10)):
        chosen = {name: values[at] if at < len(values) else chance.choice(values) for name, values in settings.items()}
        offer(chosen, LAYOUTS_TRIED[at % 3] if at < longest else chance.choice(LAYOUTS_TRIED), at)
        at += 1
    return found


def _declared_default(kind: type[Node], name: str) -> object:
    return next(s.default for s in kind.settings_declared() if s.name == name)


def _candidates(kind: type[Node], setting: Setting) -> list[Any]:
    """Values to try, the default (or what stands in for it) first."""
    match setting.type:
        case "choice":
            rest: list[Any] = list(setting.choices)
        case "layout":
            rest = [name for name in ("auto", *LAYOUTS_TRIED) if name in setting.choices]
        case "switch":
            rest = [False, True]
        case "integer" | "number":
            low = setting.low if setting.low is not None else setting.default
            step = LARGEST_TIME_S if setting.name.endswith("_s") else LARGEST_STEP
            high = min(setting.high if setting.high is not None else math.inf, low + step)
            middle = low + (high - low) * 0.37
            rest = [low, high, round(middle) if setting.type == "integer" else middle]
        case "path" if not kind.varies:
            return ["mono.wav", "stereo.wav", "quad.wav"]
        case "map":
            return [*MAPS.get(kind.kind, ()), setting.default]
        case _:
            rest = []
    return [setting.default] + [value for value in rest if value != setting.default]


def _plugged(kind: type[Node], chosen: Mapping[str, Any], layout: str, keyed: int) -> Plugged:
    """What is plugged in. A sidechain is left alone, has one channel, or as many as the signal, in turn."""
    found: dict[str, str] = {}
    for port in inputs(kind, chosen):
        own = "mono" if port.type == "control" else layout
        if port.layout.startswith("="):
            own = str(chosen[port.layout[1:]])
        elif port.layout not in ("auto", "any") and port.type != "control":
            own = port.layout
        own = layout if own == "auto" else own
        if port.type == "sidechain":
            own = ("", "mono", own)[keyed % 3]
        if own and port.type != "events":
            found[port.name] = own
    return found


def inputs(kind: type[Node], chosen: Mapping[str, Any]) -> list[Port]:
    """The input ports with these settings."""
    full = {s.name: s.default for s in kind.settings_declared()} | dict(chosen)
    return [p for p in kind.ports(full) if p.flow == "in"]


def params(kind: type[Node], structure: Structure) -> list[Param]:
    """The params of a node with a structure."""
    full = {s.name: s.default for s in kind.settings_declared()} | dict(structure.settings)
    return list(kind.params(full))


def ends(kind: type[Node], structure: Structure) -> Iterator[Variant]:
    """The defaults, then each param at its lowest and highest."""
    yield Variant(structure)
    for param in params(kind, structure):
        for value in (param.low, param.high):
            if value != param.default:
                yield Variant(structure, {param.name: value})


def drawn(kind: type[Node], structure: Structure, chance: random.Random) -> Variant:
    """Every param at random."""
    return Variant(structure, {p.name: draw(p, chance) for p in params(kind, structure)})


def draw(param: Param, chance: random.Random) -> float:
    """A value of a param. A switch stays where it is more often than not: thrown, many of them leave little to hear."""
    u = chance.random() ** chance.choice((1, 4, 8) if param.unit in TIMES else (1,))
    match param.curve:
        case "switch":
            return param.default if u < 0.7 else 1.0 - param.default
        case "choice" | "integer":
            return float(round(param.low + (param.high - param.low) * u))
        case "log":
            return min(max(param.low * (param.high / param.low) ** u, param.low), param.high)
        case _:
            return param.low + (param.high - param.low) * u
