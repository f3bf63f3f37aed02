"""What changed from one patch to another, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs. A side that has nothing there is None, and ``kind`` says which."""

    kind: str
    """``added``, ``removed`` or ``changed``."""
    place: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The changes between two patch documents. Cables are compared by what they connect, not by their order."""
    return list(_maps("", _keyed(before), _keyed(after)))


def _keyed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its lists of cables and automation as maps, by what they connect and move."""
    result = dict(document)
    cables: Sequence[Mapping[str, Any]] = result.get("cables", [])
    result["cables"] = {
        f"{c['from']} -> {c['to']}": {k: v for k, v in c.items() if k not in ("from", "to")} for c in cables
    }
    lines: Sequence[Mapping[str, Any]] = result.get("automation", [])
    result["automation"] = {
        f"{a['node']}.{a['param']}": {k: v for k, v in a.items() if k not in ("node", "param")} for a in lines
    }
    return result


def _maps(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        here = f"{place}.{key}" if place else key
        if key not in after:
            yield Change("removed", here, before[key], None)
        elif key not in before:
            yield Change("added", here, None, after[key])
        elif isinstance(before[key], Mapping) and isinstance(after[key], Mapping):
            yield from _maps(here, cast(Mapping[str, Any], before[key]), cast(Mapping[str, Any], after[key]))
        elif before[key] != after[key]:
            yield Change("changed", here, before[key], after[key])
