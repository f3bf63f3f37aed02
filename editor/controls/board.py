"""Every param of a patch by its address, for who moves it from outside: where it stands, and the edit that sets it.

Knows no window. What a control moves is kept in the patch's metadata (``host.remote.mappings``); here are the edits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from editor.faces import param_label, parse_value, spoken
from editor.plugins.shelf import KnownKinds
from graph.document import NodeEntry, Patch
from graph.edits import Edit, SetBypass, SetMute, SetParam, SetPatchField, inside
from graph.errors import PatchError
from graph.groups import expand
from graph.plain import copied, mismatch
from graph.spec import BUILT_IN_PARAMS, Kinds, Param
from host.remote.addresses import Addresses, Place, addresses_of
from host.remote.buttons import Button, buttons_in
from host.remote.mappings import FIELD, PLACE, Control, checked_control, controls_in, entry_of
from host.remote.scaling import CONTINUOUS

Key = tuple[str, str]
"""A node, by the engine's address, and one of its params."""

CURVES = {"linear": "Linear", "log": "Logarithmic", "integer": "Whole numbers", "switch": "On or off"}


@dataclass(frozen=True, slots=True)
class Board:
    """The params of a patch. ``outer``: under which address a group shows a param; what it says there counts."""

    addresses: Addresses = field(default_factory=Addresses)
    outer: Mapping[Key, Key] = field(default_factory=dict[Key, Key])

    @staticmethod
    def of(patch: Patch, kinds: Kinds) -> Board:
        """What there is; nothing where a group cannot be opened."""
        try:
            variant = kinds.variant if isinstance(kinds, KnownKinds) else None
            addresses, aliases = addresses_of(patch, kinds, variant), expand(patch).aliases
        except PatchError:
            return Board()
        outer: dict[Key, Key] = {}
        for shown, inner in sorted(aliases.items(), key=lambda alias: -alias[0][0].count("/")):
            outer[inner] = shown  # the outermost comes last, and stays
        return Board(addresses, outer)

    def values(self, patch: Patch) -> dict[Key, float]:
        """What every param stands at. Raises PatchError where a group cannot be opened."""
        nodes, found = expand(patch).nodes, dict[Key, float]()
        for place in self.addresses:
            entry = nodes.get(place.node)
            if entry is not None:
                built_in = {"bypass": entry.bypass, "mute": entry.mute} if _built_in(place) else {}
                stored = entry.params.get(place.param.name, built_in.get(place.param.name, place.param.default))
                found[place.key] = float(stored)
        return found

    def edit(self, place: Place, value: float) -> Edit:
        """The edit of the outermost patch that gives a param a value."""
        address, param = self.outer.get(place.key, place.key)
        *groups, id = address.split("/")
        edit: Edit = SetParam(id, param, value)
        if _built_in(place):
            edit = SetBypass(id, value >= 0.5) if param == "bypass" else SetMute(id, value >= 0.5)
        return inside(groups, edit)


def _built_in(place: Place) -> bool:
    return BUILT_IN_PARAMS.get(place.param.name) is place.param


@dataclass(frozen=True, slots=True)
class Kept:
    """What a patch says of controls."""

    controls: tuple[Control, ...] = ()
    buttons: tuple[Button, ...] = ()
    problems: tuple[str, ...] = ()

    @staticmethod
    def of(metadata: Mapping[str, Any]) -> Kept:
        """What a patch's metadata hold."""
        controls, problems = controls_in(metadata)
        buttons, more = buttons_in(metadata)
        return Kept(tuple(controls), tuple(buttons), (*problems, *more))

    def moving(self, board: Board) -> dict[Key, list[Control]]:
        """The controls of each param that is there, by its node and name."""
        found: dict[Key, list[Control]] = {}
        for control in self.controls:
            place = board.addresses.find(control.node, control.param)
            if place is not None:
                found.setdefault(place.key, []).append(control)
        return found


# -- edits of the outermost patch --------------------------------------------------------------------------------------


def metadata_edit(metadata: Mapping[str, Any]) -> Edit:
    """The edit that lets a patch keep other metadata."""
    return SetPatchField("metadata", dict(metadata))


def altered(metadata: Mapping[str, Any], alter: Callable[[Control], Control | None]) -> dict[str, Any]:
    """Metadata with each control as ``alter`` says, or without it where that is None. What is not understood stays.

    Raises PatchError where ``controls`` is there and is no list.
    """
    raw = metadata.get(FIELD, [])
    if not isinstance(raw, list):
        raise mismatch("a list of controls", raw, PLACE)
    kept: list[Any] = []
    for number, entry in enumerate(cast(list[object], raw)):
        try:
            control = checked_control(entry, f"{PLACE}[{number}]")
        except PatchError:
            kept.append(copied(entry))
            continue
        now = alter(control)
        if now is not None:
            kept.append(copied(entry) if now == control else entry_of(now))
    rest = {name: copied(value) for name, value in metadata.items() if name != FIELD}
    return {**rest, FIELD: kept} if kept else rest


def exchanged(metadata: Mapping[str, Any], old: Control, new: Control | None) -> dict[str, Any]:
    """Metadata with one control in place of another, or without it. Raises as ``altered``."""
    return altered(metadata, lambda control: new if control.key == old.key else control)


def freed(metadata: Mapping[str, Any], board: Board, key: Key) -> dict[str, Any]:
    """Metadata in which nothing moves a param, by whichever of its addresses. Raises as ``altered``."""

    def alter(control: Control) -> Control | None:
        place = board.addresses.find(control.node, control.param)
        return None if place is not None and place.key == key else control

    return altered(metadata, alter)


def within(control: Control, param: Param, end: str, text: str) -> Control:
    """A control with another end of its range, ``low`` or ``high``, as typed; nothing typed is the param's own.

    Raises ValueError, saying what was expected.
    """
    value = parse_value(param, text) if text.strip() else None
    if value == (param.low if end == "low" else param.high):
        value = None
    return replace(control, low=value) if end == "low" else replace(control, high=value)


def turned_round(control: Control, param: Param) -> Control:
    """A control that goes the other way."""
    low, high = (
        (param.low if control.low is None else control.low),
        (param.high if control.high is None else control.high),
    )
    return replace(control, low=None if high == param.low else high, high=None if low == param.high else low)


# -- words -------------------------------------------------------------------------------------------------------------


def source_words(control: Control | Button) -> str:
    """What moves, as people say it: ``CC 74, channel 1``."""
    source = control.source
    names = {"cc": "CC", "nrpn": "NRPN", "pitch_bend": "Pitch bend", "note": "Note"}
    number = "" if source.kind == "pitch_bend" else f" {source.number}"
    return f"{names[source.kind]}{number}, channel {source.channel}"


def nodes_of(patch: Patch) -> Mapping[str, NodeEntry]:
    """The nodes of a patch by the engine's address; those at its top where a group cannot be opened."""
    try:
        return expand(patch).nodes
    except PatchError:
        return patch.nodes()


def place_words(nodes: Mapping[str, NodeEntry], address: str, param: Param | None, name: str) -> tuple[str, str]:
    """What is moved, as people say it: the node's title, and the param's label."""
    label = param_label(param) if param is not None else spoken(name)
    entry = nodes.get(address)
    title = entry.title if entry is not None and entry.title else " › ".join(map(spoken, address.split("/")))
    return title, label


def curve_words(param: Param) -> str:
    """Along what a control moves a param."""
    return CURVES.get(param.curve, "Choices" if param.choices else spoken(param.curve))


def ways(control: Control, param: Param) -> dict[str, dict[str, Any]]:
    """How a control can move a param, by the words for it; as fields of a control."""
    presses = {"Changes sides": {"press": "toggle"}, "While it is held": {"press": "hold"}}
    if param.curve not in CONTINUOUS or control.source.kind == "note":  # these need not meet
        return {"Follows it": {"press": "value"}, **presses}
    pickup, jump = ({"press": "value", "takeover": takeover} for takeover in ("pickup", "jump"))
    return {"Where they meet": pickup, "At once": jump, **presses}
