"""Older versions of the patch document, brought up to the current one, a version at a time.

Version 0 is the draft that files had before the first release: nodes were a list of maps with ``id`` and ``type``;
cables were called ``edges``, and each was ``[from, to]`` or a map with these; the level of gains, buses, sends, players
and device nodes was ``gain_db``; and the sample rate was called ``rate``. It had no groups, snapshots or transport.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from graph.errors import PatchError
from graph.form import FORMAT, VERSION
from graph.plain import mismatch

_Fields = dict[str, Any]

_LEVELLED = frozenset({"audio_in", "audio_out", "bus", "file_player", "gain", "send"})
"""Kinds whose ``gain_db`` became ``level_db``."""


def current(document: object) -> object:
    """The document in the current version. Raises PatchError, also where its version is newer than this program."""
    if not isinstance(document, dict):
        raise mismatch("a patch, a map", document, "")
    raw = cast(_Fields, document)
    if raw.get("format") != FORMAT:
        raise mismatch(f'"{FORMAT}"', raw.get("format"), "format")
    version = raw.get("version")
    if type(version) is not int or version < 0:
        raise mismatch(f"a whole number up to {VERSION}", version, "version")
    if version > VERSION:
        message = f"this patch is of version {version}, and this program reads up to {VERSION}; use a newer one"
        raise PatchError(message, place="version")
    while version < VERSION:
        raw = MIGRATIONS[version](raw)
        version += 1
        raw["version"] = version
    return raw


def _from_draft(raw: _Fields) -> _Fields:
    """Version 0 to 1."""
    new = {key: value for key, value in raw.items() if key not in ("nodes", "edges", "rate")}
    for key in ("nodes", "edges"):
        if key not in raw:
            raise PatchError(f'the field "{key}" is missing', place=key)
    for key, old in (("cables", "edges"), ("sample_rate", "rate")):
        if key in raw:
            raise PatchError(f'a patch of version 0 has "{old}" and no "{key}"', place=key)
    new["nodes"] = _nodes_by_id(raw["nodes"])
    new["cables"] = [_cable(edge, f"edges[{i}]") for i, edge in enumerate(_list(raw["edges"], "edges"))]
    if "rate" in raw:
        new["sample_rate"] = raw["rate"]
    if "automation" in raw:
        new["automation"] = [_automation(line, new["nodes"]) for line in _list(raw["automation"], "automation")]
    return new


def _nodes_by_id(nodes: object) -> dict[str, _Fields]:
    found: dict[str, _Fields] = {}
    for i, node in enumerate(_list(nodes, "nodes")):
        place = f"nodes[{i}]"
        if not isinstance(node, dict):
            raise mismatch("a node, a map", node, place)
        old = cast(_Fields, node)
        for key in ("id", "type"):
            if not isinstance(old.get(key), str):
                raise mismatch("text", old.get(key), f"{place}.{key}")
        id: str = old["id"]
        if id in found:
            raise PatchError(f"the id {id!r} is given twice", place=f"{place}.id", node=id)
        new = {key: value for key, value in old.items() if key not in ("id", "type")}
        new["kind"] = old["type"]
        params: object = new.get("params")
        if isinstance(params, dict):
            entries = cast(_Fields, params)
            new["params"] = {_param(new["kind"], name): value for name, value in entries.items()}
            if len(new["params"]) != len(entries):
                raise PatchError("gain_db and level_db are the same param", place=f"{place}.params", node=id)
        found[id] = new
    return found


def _param(kind: str, name: str) -> str:
    return "level_db" if name == "gain_db" and kind in _LEVELLED else name


def _cable(edge: object, place: str) -> object:
    if not isinstance(edge, list):
        return edge
    ends = cast(list[object], edge)
    if len(ends) != 2:
        raise mismatch("[from, to]", ends, place)
    return {"from": ends[0], "to": ends[1]}


def _automation(line: object, nodes: dict[str, _Fields]) -> object:
    if not isinstance(line, dict):
        return line
    new = dict(cast(_Fields, line))
    node: object = new.get("node")
    if isinstance(node, str) and node in nodes and isinstance(new.get("param"), str):
        new["param"] = _param(nodes[node]["kind"], new["param"])
    return new


def _list(value: object, place: str) -> list[object]:
    if not isinstance(value, list):
        raise mismatch("a list", value, place)
    return cast(list[object], value)


MIGRATIONS: dict[int, Callable[[_Fields], _Fields]] = {0: _from_draft}
"""From each older version to the one after it."""
