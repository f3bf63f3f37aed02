"""What an edit means to the engine: values of params, points of automation, nothing, or the whole patch anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from graph.document import Automation, Point
from graph.edits import Batch, Edit, Inside, Move, Retitle, SetAutomation, SetParam, SetPatchField, SetTint

Path = tuple[str, ...]
"""The groups that something lies in, from the outermost."""
Automated = Callable[[Path], Sequence[Automation] | None]
"""The automation at a place before the edit; None where that is not known."""


class Value(NamedTuple):
    """Another value of a param, by the engine's address of its node."""

    node: str
    param: str
    value: float


class Bent(NamedTuple):
    """Other points of automation that there is, by the engine's address of its node."""

    node: str
    param: str
    points: tuple[Point, ...]


def told(edit: Edit, automated: Automated) -> list[Value | Bent] | None:
    """What the engine is to hear of an edit of the outermost patch, before it is done; None: the whole patch."""
    found: list[Value | Bent] = []
    for one in _told(edit, (), automated):
        if one is None:
            return None
        found += one
    return found


def _told(edit: Edit, path: Path, automated: Automated) -> Iterator[Iterable[Value | Bent] | None]:
    match edit:
        case SetParam(node, param, value) if value is not None:
            yield [Value("/".join((*path, node)), param, float(value))]
        case SetAutomation(node, param, Automation(enabled=True, points=points)) if points:
            lines = [x for x in automated(path) or () if (x.node, x.param) == (node, param)]
            alike = len(lines) == 1 and lines[0].enabled and lines[0].points
            yield [Bent("/".join((*path, node)), param, points)] if alike else None
        case Move() | Retitle() | SetTint():
            yield []
        case SetPatchField(field) if field not in ("transport", "sample_rate"):
            yield []
        case Inside(group, inner):
            yield from _told(inner, (*path, group), automated)
        case Batch(_, edits):
            for each in edits:
                yield from _told(each, path, automated)
        case _:
            yield None
