"""About how much memory the data of a patch takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from graph.document import Patch

EACH = 64
"""Bytes of an object with its place in what holds it: a number takes less, a map more."""


def weight(value: object) -> int:
    """About how many bytes a value takes that is made of plain data, dataclasses and patches, had it all to itself."""
    total, left = 0, [value]
    while left:
        one = left.pop()
        total += EACH
        if isinstance(one, bytes | str):
            total += len(one)
        elif isinstance(one, Mapping):
            given = cast(Mapping[object, object], one)
            left += given.keys()
            left += given.values()
        elif isinstance(one, list | tuple | set | frozenset):
            left += cast("list[object]", one)
        elif isinstance(one, Patch):
            left += [one.nodes(), one.cables(), *(part for name, part in vars(one).items() if name != "graph")]
        elif is_dataclass(one) and not isinstance(one, type):
            left += [getattr(cast(Any, one), part.name) for part in fields(one)]
    return total
