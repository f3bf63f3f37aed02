"""The kinds as data: what ``patchwright nodes`` prints, and what documentation is made of."""

from __future__ import annotations

from typing import Any

from graph.spec import Kinds, Node, Param


def described(kind: type[Node]) -> dict[str, Any]:
    """One kind: ports, settings and params as declared, with the settings at their defaults."""
    defaults = {s.name: s.default for s in kind.settings_declared()}
    return {
        "kind": kind.kind,
        "doc": kind.summary(),
        "family": kind.family,
        "bypassable": kind.bypassable,
        "ports": [
            {"name": p.name, "flow": p.flow, "type": p.type, "layout": p.layout, "doc": p.doc}
            for p in kind.ports(defaults)
        ],
        "settings": [
            {
                "name": s.name,
                "type": s.type,
                "default": s.default,
                "choices": list(s.choices),
                "low": s.low,
                "high": s.high,
                "doc": s.doc,
            }
            for s in kind.settings_declared()
        ],
        "params": [_param(p) for p in kind.params(defaults)],
    }


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "default": param.default,
        "low": param.low,
        "high": param.high,
        "unit": param.unit,
        "curve": param.curve,
        "doc": param.doc,
        "choices": list(param.choices),
        "modulatable": param.modulatable,
    }


def catalogue(kinds: Kinds) -> list[dict[str, Any]]:
    """Every kind, by name."""
    return [described(kinds[name]) for name in sorted(kinds)]
