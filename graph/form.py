"""A patch as plain data, the document that both file forms hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from graph.document import NOTHING, Automation, Cable, NodeEntry, Patch, Transport
from graph.errors import PatchError
from graph.fields import (
    LATEST_S,
    Snapshot,
    address,
    checked_address,
    checked_id,
    checked_name,
    checked_points,
    checked_rate,
    checked_snapshot,
    checked_states,
)
from graph.plain import checked_key, checked_number, checked_text, mismatch, plain, within

FORMAT = "patchwright"
VERSION = 1

_Fields = dict[str, Any]

_PATCH_DEFAULTS: _Fields = {
    "name": "",
    "description": "",
    "author": "",
    "license": "",
    "tags": [],
    "sample_rate": None,
    "automation": [],
    "snapshots": {},
    "snapshot_states": {},
    "transport": {},
    "metadata": {},
}
_NODE_DEFAULTS: _Fields = {
    "settings": {},
    "params": {},
    "bypass": False,
    "mute": False,
    "title": "",
    "tint": "",
    "position": None,
    "state": None,
}
_CABLE_DEFAULTS: _Fields = {"feedback": False, "amount": None}
_AUTOMATION_DEFAULTS: _Fields = {"enabled": True}
_TRANSPORT_DEFAULTS: _Fields = {"tempo": 120, "time_signature": [4, 4], "loop": None}


# -- from a document ---------------------------------------------------------------------------------------------------


def from_document(document: object, *, known_plain: bool = False) -> Patch:
    """The patch that a document of the current version describes.

    What nodes and params mean is not looked at; ``graph.check`` does that. With ``known_plain``, the document's values
    were looked through before (as what is in a group's settings was), and they are shared with it rather than copied.
    Raises PatchError, naming the place.
    """
    return _Reader(known_plain).patch(document)


def node_of(node: object, place: str) -> NodeEntry:
    """The node that a part of a document describes. Raises PatchError."""
    return _Reader(share=False).node(node, place)


def cable_of(cable: object, place: str) -> Cable:
    """The cable that a part of a document describes. Raises PatchError."""
    return _Reader(share=False).cable(cable, place)


class _Reader:
    """Reads documents; ``share`` says that values are plain already and need no copy."""

    def __init__(self, share: bool) -> None:
        self.share = share

    def patch(self, document: object) -> Patch:
        raw = _map(document, "", "a patch, a map")
        if raw.get("format") != FORMAT:
            raise mismatch(f'"{FORMAT}"', raw.get("format"), "format")
        if type(raw.get("version")) is not int or raw["version"] != VERSION:
            raise mismatch(str(VERSION), raw.get("version"), "version")
        _require(raw, ("nodes", "cables"), "")
        patch = Patch()
        for id, node in _map(raw["nodes"], "nodes", "a map of nodes").items():
            place = f"nodes.{checked_id(id, 'nodes')}"
            try:
                patch.graph.add_node(id, entry=self.node(node, place))
            except PatchError as error:
                raise PatchError(error.message, place=error.place, node=id) from None
        for i, item in enumerate(_list(raw["cables"], "cables", "a list of cables")):
            place = f"cables[{i}]"
            cable = self.cable(item, place)
            try:
                patch.plug(cable)
            except PatchError as error:
                raise PatchError(error.message, place=place, node=error.node) from None
        for i, item in enumerate(_list(raw.get("automation", []), "automation", "a list of automation")):
            patch.automation.append(self.automation(item, f"automation[{i}]"))
        for name, values in _map(raw.get("snapshots", {}), "snapshots", "a map of snapshots").items():
            place = within("snapshots", name)
            patch.snapshots[checked_key(name, "snapshots")] = checked_snapshot(values, place, strict=True)
        for name, states in _map(raw.get("snapshot_states", {}), "snapshot_states", "a map of snapshots").items():
            place = within("snapshot_states", name)
            patch.snapshot_states[checked_key(name, "snapshot_states")] = checked_states(states, place)
        patch.transport = self.transport(raw.get("transport", {}))
        patch.metadata = self.plain(_map(raw.get("metadata", {}), "metadata", "a map"), "metadata", 1)
        for field in ("name", "description", "author", "license"):
            setattr(patch, field, _text(raw.get(field, ""), field))
        tags = _list(raw.get("tags", []), "tags", "a list of texts")
        patch.tags = [_text(tag, f"tags[{i}]") for i, tag in enumerate(tags)]
        patch.sample_rate = checked_rate(raw.get("sample_rate"))
        patch.extra = self.rest(raw, _PATCH_DEFAULTS, ("format", "version", "nodes", "cables"), "", 0)
        patch.written = _written(raw, _PATCH_DEFAULTS)
        return patch

    def node(self, node: object, place: str) -> NodeEntry:
        raw = _map(node, place, "a node, a map")
        _require(raw, ("kind",), place)
        kind = checked_name(raw["kind"], f"{place}.kind")
        entry = NodeEntry(kind)
        for field, value in raw.items():
            match field:
                case "kind":
                    pass
                case "settings":
                    where = f"{place}.settings"
                    entry.settings = self.plain(_map(value, where, "a map of settings"), where, 3)
                case "params":
                    entry.params = _params(value, f"{place}.params")
                case "position":
                    entry.position = _pair(value, f"{place}.position", "[x, y]")
                case "title":
                    entry.title = _text(value, f"{place}.title")
                case "tint":
                    entry.tint = _text(value, f"{place}.tint")
                case "bypass":
                    entry.bypass = _switch(value, f"{place}.bypass")
                case "mute":
                    entry.mute = _switch(value, f"{place}.mute")
                case "state":
                    if value is not None and not isinstance(value, bytes):
                        raise mismatch("bytes", value, f"{place}.state")
                    entry.state = value
                case _:
                    entry.extra[checked_key(field, place)] = self.plain(value, within(place, field), 3)
        entry.written = _written(raw, _NODE_DEFAULTS)
        if kind == "group":
            _check_group(entry.settings, f"{place}.settings")
        return entry

    def cable(self, cable: object, place: str) -> Cable:
        raw = _map(cable, place, "a cable, a map")
        _require(raw, ("from", "to"), place)
        source, source_port = address(raw["from"], f"{place}.from")
        target, target_port = address(raw["to"], f"{place}.to")
        if len(raw) == 2:
            return Cable(source, source_port, target, target_port)
        amount = raw.get("amount")
        return Cable(
            source,
            source_port,
            target,
            target_port,
            _switch(raw.get("feedback", False), f"{place}.feedback"),
            None if amount is None else _number(amount, f"{place}.amount"),
            self.rest(raw, _CABLE_DEFAULTS, ("from", "to"), place, 2),
            _written(raw, _CABLE_DEFAULTS),
        )

    def automation(self, line: object, place: str) -> Automation:
        raw = _map(line, place, "automation, a map")
        _require(raw, ("node", "param", "points"), place)
        return Automation(
            checked_address(raw["node"], f"{place}.node"),
            checked_name(raw["param"], f"{place}.param"),
            checked_points(_list(raw["points"], f"{place}.points", "a list of points"), place, strict=True),
            _switch(raw.get("enabled", True), f"{place}.enabled"),
            self.rest(raw, _AUTOMATION_DEFAULTS, ("node", "param", "points"), place, 2),
            _written(raw, _AUTOMATION_DEFAULTS),
        )

    def transport(self, transport: object) -> Transport:
        raw = _map(transport, "transport", "a map")
        tempo = _number(raw.get("tempo", 120), "transport.tempo")
        if not 1 <= tempo <= 1000:
            raise mismatch("1 to 1000 beats per minute", tempo, "transport.tempo")
        signature: list[Any] = _list(raw.get("time_signature", [4, 4]), "transport.time_signature", "[beats, unit]")
        if len(signature) != 2 or not all(type(part) is int and 1 <= part <= 64 for part in signature):
            raise mismatch("[beats, unit], whole numbers from 1 to 64", signature, "transport.time_signature")
        loop = _pair(raw.get("loop"), "transport.loop", "[start, end] in seconds")
        if loop is not None and not 0 <= loop[0] < loop[1]:
            message = "expected a start of 0 seconds or later and an end after it"
            raise PatchError(f"{message}, found {loop[0]!r} and {loop[1]!r}", place="transport.loop")
        if loop is not None and loop[1] > LATEST_S:
            raise mismatch(f"an end of at most {LATEST_S:g} seconds", loop[1], "transport.loop")
        extra = self.rest(raw, _TRANSPORT_DEFAULTS, (), "transport", 1)
        return Transport(tempo, (signature[0], signature[1]), loop, extra, _written(raw, _TRANSPORT_DEFAULTS))

    def rest(self, raw: _Fields, defaults: _Fields, required: tuple[str, ...], place: str, depth: int) -> _Fields:
        """The fields that are not known here, of a map that is in so many others."""
        unknown = [key for key in raw if key not in defaults and key not in required]
        return {checked_key(key, place): self.plain(raw[key], within(place, key), depth + 1) for key in unknown}

    def plain(self, value: object, place: str, depth: int) -> Any:
        return value if self.share else plain(value, place, strict=True, depth=depth)


def _check_group(settings: _Fields, place: str) -> None:
    """That the inside of a group is a patch, and what it exposes are addresses. Raises PatchError."""
    inner = _map(settings.get("patch"), f"{place}.patch", "the inner patch, a map with nodes and cables")
    try:
        _Reader(share=True).patch({**inner, "format": FORMAT, "version": VERSION})
    except PatchError as error:
        where = f"{place}.patch.{error.place}" if error.place else f"{place}.patch"
        raise PatchError(error.message, place=where) from None
    for what in ("ports", "params"):
        for name, inside in _map(settings.get(what, {}), f"{place}.{what}", "a map").items():
            where = within(f"{place}.{what}", checked_name(name, f"{place}.{what}"))
            node, dot, _ = inside.rpartition(".") if isinstance(inside, str) else ("", "", "")
            if not dot:
                raise mismatch('"node.port" inside the group', inside, where)
            checked_address(node, where)


def _map(value: object, place: str, expected: str) -> _Fields:
    if not isinstance(value, Mapping):
        raise mismatch(expected, value, place)
    return cast(_Fields, value)


def _list(value: object, place: str, expected: str) -> list[object]:
    if not isinstance(value, (list, tuple)):
        raise mismatch(expected, value, place)
    return cast(list[object], value)


def _require(raw: _Fields, fields: tuple[str, ...], place: str) -> None:
    for field in fields:
        if field not in raw:
            raise PatchError(f'the field "{field}" is missing', place=place or field)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise mismatch("text", value, place)
    return checked_text(value, place)


def _switch(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise mismatch("true or false", value, place)
    return value


def _number(value: object, place: str) -> float:
    if isinstance(value, bool):
        raise mismatch("a number", value, place)
    return checked_number(value, place, strict=True)


def _params(value: object, place: str) -> dict[str, float]:
    raw = _map(value, place, "a map of params")
    return {
        checked_name(name, place): checked_number(number, within(place, name), strict=True)
        for name, number in raw.items()
    }


def _pair(value: object, place: str, expected: str) -> tuple[float, float] | None:
    if value is None:
        return None
    pair = _list(value, place, expected)
    if len(pair) != 2:
        raise mismatch(expected, pair, place)
    return _number(pair[0], f"{place}[0]"), _number(pair[1], f"{place}[1]")


def _written(raw: _Fields, defaults: _Fields) -> frozenset[str]:
    """The fields that are there although they hold their defaults."""
    found = [key for key, value in raw.items() if key in defaults and value == defaults[key]]
    return frozenset(found) if found else NOTHING


# -- to a document -----------------------------------------------------------------------------------------------------


def to_document(patch: Patch) -> _Fields:
    """The patch as a document of the current version, in values of its own.

    Fields that hold their defaults are left out, unless the file that the patch came from wrote them. Raises
    PatchError, naming the place, where the patch holds what no file can.
    """
    out = plain(patch.extra, "")
    out |= {"format": FORMAT, "version": VERSION}
    out["nodes"] = {id: _node_out(id, entry) for id, entry in patch.nodes().items()}
    out["cables"] = [_cable_out(cable) for cable in patch.cables()]
    fields: _Fields = {
        "name": patch.name,
        "description": patch.description,
        "author": patch.author,
        "license": patch.license,
        "tags": list(patch.tags),
        "sample_rate": patch.sample_rate,
        "automation": [_automation_out(line) for line in patch.automation],
        "snapshots": {name: _snapshot_out(name, values) for name, values in patch.snapshots.items()},
        "snapshot_states": {
            name: checked_states(states, within("snapshot_states", name))
            for name, states in patch.snapshot_states.items()
            if states
        },
        "transport": _transport_out(patch.transport),
        "metadata": plain(patch.metadata, "metadata"),
    }
    return _put(out, fields, _PATCH_DEFAULTS, patch.written)


def _node_out(id: str, entry: NodeEntry) -> _Fields:
    place = f"nodes.{id}"
    out: _Fields = plain(entry.extra, place) if entry.extra else {}
    out["kind"] = entry.kind
    fields: _Fields = {
        "settings": plain(entry.settings, f"{place}.settings"),
        "params": {name: checked_number(v, within(f"{place}.params", name)) for name, v in entry.params.items()},
        "bypass": entry.bypass,
        "mute": entry.mute,
        "title": entry.title,
        "tint": entry.tint,
        "position": None
        if entry.position is None
        else [checked_number(v, f"{place}.position") for v in entry.position],
        "state": entry.state,
    }
    return _put(out, fields, _NODE_DEFAULTS, entry.written)


def _cable_out(cable: Cable) -> _Fields:
    out: _Fields = plain(cable.extra, cable.place) if cable.extra else {}
    out["from"] = f"{cable.source}.{cable.source_port}"
    out["to"] = f"{cable.target}.{cable.target_port}"
    amount = None if cable.amount is None else checked_number(cable.amount, f"{cable.place}.amount")
    return _put(out, {"feedback": cable.feedback, "amount": amount}, _CABLE_DEFAULTS, cable.written)


def _automation_out(line: Automation) -> _Fields:
    out: _Fields = plain(line.extra, line.place) if line.extra else {}
    points = [[*point] for point in checked_points(line.points, line.place)]
    out |= {"node": line.node, "param": line.param, "points": points}
    return _put(out, {"enabled": line.enabled}, _AUTOMATION_DEFAULTS, line.written)


def _snapshot_out(name: str, values: Snapshot) -> Snapshot:
    return checked_snapshot(values, within("snapshots", name))


def _transport_out(transport: Transport) -> _Fields:
    out: _Fields = plain(transport.extra, "transport") if transport.extra else {}
    fields: _Fields = {
        "tempo": checked_number(transport.tempo, "transport.tempo"),
        "time_signature": list(transport.time_signature),
        "loop": None if transport.loop is None else [checked_number(v, "transport.loop") for v in transport.loop],
    }
    return _put(out, fields, _TRANSPORT_DEFAULTS, transport.written)


def _put(out: _Fields, fields: _Fields, defaults: _Fields, written: frozenset[str]) -> _Fields:
    for field, value in fields.items():
        if field in written or value != defaults[field]:
            out[field] = value
    return out
