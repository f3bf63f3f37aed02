"""What a node of a patch looks like, by its kind's declaration: ports, params and readings with their values.

No kind is known here by name but ``group``, whose ports and params are its settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from editor.plugins.shelf import KnownKinds
from editor.theme import TINTS
from graph.document import Cable, NodeEntry, Patch
from graph.errors import PatchError
from graph.form import FORMAT, VERSION, from_document
from graph.plugins import ParamAbout, PluginAbout
from graph.resolve import resolve_params, resolve_settings, shape_of
from graph.spec import BUILT_IN_PARAMS, Config, Kinds, Node, Param, Port, Reading, Setting


@dataclass(frozen=True, slots=True)
class Face:
    """A node as people see it. ``values``: what params stand at, by name; a problem: why it is no more than this."""

    id: str
    kind: str
    title: str
    subtitle: str
    """The kind, and what it is set to, where the title does not say it; else its family."""
    family: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    params: tuple[Param, ...]
    values: Mapping[str, float]
    settings: Mapping[str, Any]
    readings: Mapping[str, Reading]
    bypassable: bool
    bypass: bool
    mute: bool
    doc: str = ""
    known: bool = True
    problem: str = ""
    missing: str = ""
    """Why what it stands for is not here, though nothing is wrong with it: a plugin that this machine has not."""
    varies: bool = False
    """Whether its ports and params come from elsewhere, as those of a plugin do."""
    about: PluginAbout | None = None
    """What is known of the plugin that it is."""
    own: Mapping[str, ParamAbout] = field(default_factory=dict[str, ParamAbout])
    """What the plugin itself says of each param."""
    tint: str = ""
    """The colour that it was given."""
    declared: tuple[Setting, ...] = ()
    """The settings that it has."""
    real: type[Node] | None = None
    """The kind that it really is, where one is known."""

    @property
    def hue(self) -> str:
        """What it is coloured by: its tint, where it has one that is known, else its family."""
        return self.tint if self.tint in TINTS else self.family

    def param(self, name: str) -> Param | None:
        """A param by its name; bypass and mute, which every node has, too."""
        return next((p for p in self.params if p.name == name), BUILT_IN_PARAMS.get(name))

    def port(self, name: str) -> Port | None:
        """A port by its name."""
        return next((p for p in (*self.inputs, *self.outputs) if p.name == name), None)

    def label(self, param: Param) -> str:
        """A param's name as words; a plugin's own has the name that the plugin gives it."""
        own = self.own.get(param.name)
        return own.name if own is not None else param_label(param)

    def text(self, param: Param, value: float) -> str:
        """A value of a param as people read it; as a plugin shows its own, as far as that is known."""
        own = self.own.get(param.name)
        return plugin_text(own, value) if own is not None and param.curve != "switch" else value_text(param, value)


def face(id: str, entry: NodeEntry, kinds: Kinds, cables: list[Cable] | None = None) -> Face:
    """A node's face. ``cables`` of a node whose kind is unknown say what ports it has."""
    kind = kinds.get(entry.kind)
    if kind is None:
        return _group(id, entry, kinds) if entry.kind == "group" else _unknown(id, entry, cables or [])
    problem = ""
    if kind.varies and isinstance(kinds, KnownKinds):
        try:
            kind = kinds.variant(entry)
        except PatchError as error:
            return _missing(id, entry, kind, cables or [], error.message)
    try:
        settings = resolve_settings(kind, entry)
        shape = shape_of(kind, settings)
    except PatchError as error:
        problem = f"{error.place}: {error.message}" if error.place else error.message
        settings = {s.name: s.default for s in kind.settings_declared()}
        shape = shape_of(kind, settings)
    values = dict(shape.defaults)
    try:
        values = resolve_params(kind, settings, entry)
    except PatchError as error:
        problem = problem or f"{error.place}: {error.message}"
    return Face(
        id,
        entry.kind,
        entry.title or spoken(id),
        _subtitle(id, entry, kind, settings),
        family_of(kind),
        tuple(shape.inputs.values()),
        tuple(shape.outputs.values()),
        tuple(shape.params.values()),
        values,
        settings,
        {name: item for name, item in kind.declared.items() if isinstance(item, Reading)},
        kind.bypassable,
        entry.bypass,
        entry.mute,
        kind.summary(),
        problem=problem,
        varies=kinds[entry.kind].varies,
        about=kind.plugin,
        own=_own_params(kind),
        tint=entry.tint,
        declared=kind.settings_declared(),
        real=kind,
    )


def _own_params(kind: type[Node]) -> Mapping[str, ParamAbout]:
    """What a plugin says of its params, by the names that they have here."""
    about = kind.plugin
    if about is None:
        return {}
    places: tuple[int, ...] = getattr(kind, "places", ())
    names = (p.name for p in kind.params({}))
    return {name: about.params[place] for name, place in zip(names, places, strict=True)}


def family_of(kind: type[Node]) -> str:
    """The family a kind is shown with: its own, or ``output`` where it takes sound and gives none."""
    try:
        ports = kind.ports({s.name: s.default for s in kind.settings_declared()})
    except PatchError:
        return kind.family
    sink = kind.family == "input" and not any(p.flow == "out" for p in ports)
    return "output" if sink else kind.family


SPELT = {"eq": "EQ", "lfo": "LFO", "midi": "MIDI", "deesser": "de-esser"}
"""Words that are written otherwise than the parts of an id."""


def spoken(name: str) -> str:
    """An id, kind or param name as words: ``freq_hz`` is ``Freq hz``, ``eq_match`` is ``EQ match``, ``player2`` is
    ``Player 2``.
    """
    parts = re.sub(r"(?<=[a-z]{3})(\d+)\b", r" \1", name.replace("_", " ")).split()
    words = " ".join(SPELT.get(word, word) for word in parts)
    return words[:1].upper() + words[1:]


def counted(count: int, thing: str) -> str:
    """So many of a thing, as people say it: ``1 node``, ``2 nodes``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def param_label(param: Param) -> str:
    """A param's name without its unit, as words."""
    name = param.name
    if param.unit:
        name = name.removesuffix("_" + {"%": "percent", "°": "deg"}.get(param.unit, param.unit.lower()))
    return spoken(name)


def value_text(param: Param, value: float) -> str:
    """A value as people read it: with its unit, and no more digits than matter."""
    if param.curve == "switch":
        return "On" if value >= 0.5 else "Off"
    if param.choices and 0 <= round(value) < len(param.choices):
        return param.choices[round(value)]
    if param.curve == "integer":
        return f"{value:.0f} {param.unit}".strip()
    if param.as_gain and value <= param.low:
        return "−∞ dB"
    if param.unit == "dB":
        sign = "+" if param.low < 0 < param.high and value >= 0.05 else ""
        return f"{sign}{value:.1f} dB".replace("-0.0", "0.0").replace("-", "−")
    if param.unit.lower() == "hz" and abs(value) >= 1000:
        return f"{value / 1000:.2f} kHz" if abs(value) < 10000 else f"{value / 1000:.1f} kHz"
    if param.unit == "ms" and abs(value) >= 1000:
        return f"{value / 1000:.2f} s"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {param.unit}".strip().replace("-", "−")


def plugin_text(param: ParamAbout, value: float) -> str:
    """A plugin's value as the plugin shows it, where a scan asked: at its steps and at both ends. Elsewhere 0 to 1."""
    steps = round(value * param.steps) if param.steps else -1
    if 0 <= steps < len(param.values):
        words = param.values[steps]
    elif value <= 0.0 and param.low:
        words = param.low
    elif value >= 1.0 and param.high:
        words = param.high
    else:
        return f"{value:.3f}"
    return trimmed(words, param.unit)


def trimmed(words: str, unit: str) -> str:
    """What a plugin shows, with its unit, and without the zeros that some write behind."""
    words = words.strip()
    whole, dot, rest = words.partition(".")
    if dot and rest.isdigit() and whole.lstrip("-").isdigit():
        number = float(words)
        digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
        words = f"{number:.{digits}f}".replace("-", "−")
    return words if not unit or words.endswith(unit) else f"{words} {unit}"


def to_unit(param: Param, value: float) -> float:
    """Where a value lies in a param's range, 0 to 1, as knobs show it."""
    if param.high <= param.low:
        return 0.0
    value = min(max(value, param.low), param.high)
    if param.curve == "log":
        return float(np.log(value / param.low) / np.log(param.high / param.low))
    return (value - param.low) / (param.high - param.low)


def from_unit(param: Param, place: float) -> float:
    """The value at a place in a param's range, 0 to 1."""
    place = min(max(place, 0.0), 1.0)
    if param.curve == "log":
        value = float(param.low * (param.high / param.low) ** place)
    else:
        value = param.low + (param.high - param.low) * place
    if param.curve in ("switch", "choice", "integer"):
        value = float(round(value))
    return min(max(value, param.low), param.high)


def parse_value(param: Param, text: str) -> float:
    """The value that a typed text means: a number, with or without a unit (k for thousands), or the name of a choice.

    Raises ValueError, saying what was expected.
    """
    typed = text.strip().lower().replace("−", "-").replace(",", ".")
    names = [choice.lower() for choice in param.choices] or (["off", "on"] if param.curve == "switch" else [])
    if typed in names:
        return float(names.index(typed))
    if param.as_gain and typed.removesuffix("db").strip() in ("-inf", "-∞", "inf", "off"):
        return param.low
    factor = 1.0
    unit = param.unit.lower()
    for ending, by in ((f"k{unit}", 1000.0), ("s" if unit == "ms" else "", 1000.0), (unit, 1.0), ("k", 1000.0)):
        if ending and typed.endswith(ending) and not (ending == "s" and typed.endswith("ms")):
            typed, factor = typed.removesuffix(ending).strip(), by
            break
    try:
        value = float(typed) * factor
    except ValueError:
        raise ValueError(f"expected a number from {param.low:g} to {param.high:g} {param.unit}".strip()) from None
    if not param.low <= value <= param.high:
        raise ValueError(f"expected {param.low:g} to {param.high:g} {param.unit}".strip() + f", found {value:g}")
    return float(round(value)) if param.curve in ("switch", "choice", "integer") else value


def response(face: Face, kind: type[Node] | None, rate: float, freqs: npt.NDArray[np.float64]) -> npt.NDArray | None:
    """A node's magnitude in dB at frequencies, where its kind has a curve to draw and it can be had."""
    if kind is None or kind.response.__func__ is Node.response.__func__:
        return None
    config = Config(face.id, face.settings, face.values, rate, {p.name: "stereo" for p in face.inputs + face.outputs})
    try:
        found = kind.response(config, freqs)
        return found if found is None or np.shape(found) == freqs.shape else None
    except (PatchError, KeyError, ValueError, ZeroDivisionError):
        return None


def inner_patch(entry: NodeEntry) -> Patch | None:
    """The patch inside a group, where there is one that can be read."""
    raw = entry.settings.get("patch")
    if not isinstance(raw, Mapping):
        return None
    try:
        return from_document({**cast(Mapping[str, Any], raw), "format": FORMAT, "version": VERSION})
    except PatchError:
        return None


def group_shows(entry: NodeEntry, what: str) -> dict[str, str]:
    """What a group shows of its inside: ``ports`` or ``params``, as ``node.name`` by the name it has outside."""
    raw = entry.settings.get(what)
    return {str(name): str(inside) for name, inside in raw.items()} if isinstance(raw, Mapping) else {}


def _group(id: str, entry: NodeEntry, kinds: Kinds) -> Face:
    inner = inner_patch(entry)
    faces: dict[str, Face] = {}
    ins: list[Port] = []
    outs: list[Port] = []
    params: list[Param] = []
    values: dict[str, float] = {}

    def inside(address: object) -> tuple[Face | None, str]:
        node, _, name = str(address).rpartition(".")
        if inner is None or node not in inner.graph:
            return None, name
        if node not in faces:
            faces[node] = face(node, inner.node(node), kinds, inner.cables())
        return faces[node], name

    ports, exposed = entry.settings.get("ports"), entry.settings.get("params")
    for outer, address in ports.items() if isinstance(ports, Mapping) else ():
        found, name = inside(address)
        port = found.port(name) if found else None
        if port is not None:
            (ins if port.flow == "in" else outs).append(Port(str(outer), port.flow, port.type, port.layout, port.doc))
    for outer, address in exposed.items() if isinstance(exposed, Mapping) else ():
        found, name = inside(address)
        param = found.param(name) if found else None
        if found is not None and param is not None:
            fields = {f: getattr(param, f) for f in Param.__dataclass_fields__}
            params.append(Param(**{**fields, "name": str(outer)}))
            values[str(outer)] = float(entry.params.get(str(outer), found.values.get(name, param.default)))
    count = len(inner.graph) if inner is not None else 0
    problem = "" if inner is not None else "what is inside this group cannot be read"
    return Face(
        id,
        "group",
        entry.title or spoken(id),
        f"Group of {count}",
        "group",
        tuple(ins),
        tuple(outs),
        tuple(params),
        values,
        entry.settings,
        {},
        True,
        entry.bypass,
        entry.mute,
        "A patch inside a node.",
        problem=problem,
        tint=entry.tint,
    )


def _unknown(id: str, entry: NodeEntry, cables: list[Cable]) -> Face:
    ins = tuple(Port(p, "in") for p in dict.fromkeys(c.target_port for c in cables if c.target == id))
    outs = tuple(Port(p, "out") for p in dict.fromkeys(c.source_port for c in cables if c.source == id))
    return Face(
        id,
        entry.kind,
        entry.title or spoken(id),
        spoken(entry.kind),
        "utility",
        ins,
        outs,
        (),
        {},
        entry.settings,
        {},
        False,
        entry.bypass,
        entry.mute,
        known=False,
        problem=f"there is no kind {entry.kind!r} here; it is kept as it is",
        tint=entry.tint,
    )


def _missing(id: str, entry: NodeEntry, kind: type[Node], cables: list[Cable], why: str) -> Face:
    """A node whose plugin or file is not here, or not trusted: it has the ports that its cables use, and the params
    that are stored.
    """
    own = {s.name: entry.settings.get(s.name, s.default) for s in kind.settings_declared()}
    params = tuple(Param(name, 0.0, min(0.0, value), max(1.0, value)) for name, value in sorted(entry.params.items()))
    ins = ["in", *(c.target_port for c in cables if c.target == id and c.target_port not in entry.params)]
    outs = ["out", *(c.source_port for c in cables if c.source == id)]
    return Face(
        id,
        entry.kind,
        entry.title or spoken(id),
        "Not on this machine" if kind.family == "plugin" else "It does not run",
        family_of(kind),
        tuple(Port(p, "in", "sidechain" if p.startswith("sidechain") else "audio") for p in dict.fromkeys(ins)),
        tuple(Port(p, "out") for p in dict.fromkeys(outs)),
        params,
        {name: float(value) for name, value in entry.params.items()},
        own,
        {},
        True,
        entry.bypass,
        entry.mute,
        f"{why[:1].upper()}{why[1:]}. Its cables, params and state are kept, and sound passes.",
        missing=why,
        varies=True,
        tint=entry.tint,
        declared=kind.settings_declared(),
        real=kind,
    )


def _subtitle(id: str, entry: NodeEntry, kind: type[Node], settings: Mapping[str, Any]) -> str:
    for setting in kind.settings_declared():
        value = settings.get(setting.name)
        if setting.type == "path" and value:
            return str(value).replace("\\", "/").rsplit("/", 1)[-1]
    about = kind.plugin
    if about is not None:
        vendor = str(settings.get("vendor") or "")
        return ", ".join(w for w in (about.name if about.name != entry.title else "", vendor) if w) or about.name
    title, kind_words = (entry.title or spoken(id)).lower(), spoken(entry.kind)
    words = [kind_words] if title.rstrip(" 0123456789") != kind_words.lower().rstrip(" 0123456789") else []
    words += [
        str(settings[s.name]).replace("_", " ")
        for s in kind.settings_declared()
        if s.type in ("choice", "layout") and settings.get(s.name) not in (s.default, "auto")
    ]
    return ", ".join(words) or spoken(family_of(kind))
