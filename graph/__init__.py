"""What a patch is, and how it compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graph.compiler import compile
    from graph.document import Automation, Cable, NodeEntry, Patch, Transport
    from graph.errors import PatchError
    from graph.patchfile import dumps, load, loads, save

__all__ = [
    "Automation",
    "Cable",
    "NodeEntry",
    "Patch",
    "PatchError",
    "Transport",
    "compile",
    "dumps",
    "load",
    "loads",
    "save",
]

_HOMES = {
    "Automation": "graph.document",
    "Cable": "graph.document",
    "NodeEntry": "graph.document",
    "Patch": "graph.document",
    "PatchError": "graph.errors",
    "Transport": "graph.document",
    "compile": "graph.compiler",
    "dumps": "graph.patchfile",
    "load": "graph.patchfile",
    "loads": "graph.patchfile",
    "save": "graph.patchfile",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: networkx alone takes a tenth of a second."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
