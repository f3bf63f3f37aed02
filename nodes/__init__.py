"""The built-in kinds: one file each, declaration and kernel together. The registry is the folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from graph.spec import Node


@cache
def kinds() -> dict[str, type[Node]]:
    """Every built-in kind by name, in the order of the names."""
    found: dict[str, type[Node]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if module_info.ispkg:
            continue
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Node)
                and value.kind
                and value.__module__ == module.__name__
            ):
                found[value.kind] = value
    return dict(sorted(found.items()))
