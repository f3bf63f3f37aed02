"""The stored values of params as the steps of a program read them: float32 cells, in the kernels' units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.schedule import CompiledNode
from graph.spec import Param, ParamBank

Words = npt.NDArray[np.int64]
Cells = npt.NDArray[np.float32]
Name = tuple[str, str]
"""The key of a node, and a param of it."""


@dataclass(frozen=True, slots=True)
class Values:
    """An argument of a kernel that stands for params: ``count`` times ``groups`` of the step's cells from ``start`` on,
    as ``[index][group]``, and ``word``: where the step's table says where they are.
    """

    word: int
    item: Param | ParamBank
    start: int
    count: int
    raw: bool
    """Whether the kernel takes (address, stride) pairs in any case."""


@dataclass(slots=True)
class Knob:
    """A param's stored value as one step reads it."""

    param: Param
    row: int
    cell: Cells
    pair: Words | None
    """In a step whose params may move: the address the kernel reads at, and the stride per frame."""


@dataclass(slots=True)
class Dial:
    """All cells of one step: those of the params in ``moving``, by node and name, are not read.

    ``made`` is the same object while the nodes of the step are the same.
    """

    row: int
    nodes: Sequence[CompiledNode]
    values: Sequence[Values]
    cells: Cells
    pairs: Words | None
    """As ``[cell][address, stride]``, where the kernel takes pairs."""
    moving: frozenset[tuple[int, str]]
    made: object

    def knobs(self) -> Iterator[tuple[Name, Knob]]:
        """Every param that the step reads as it is stored."""
        for group in range(len(self.nodes)):
            for index, values in enumerate(self.values):
                yield from self._of(group, index, values)

    def find(self, key: str, name: str) -> Iterator[Knob]:
        """One param of the step, if it reads it as it is stored."""
        for group, node in enumerate(self.nodes):
            if node.key == key:
                for index, values in enumerate(self.values):
                    yield from (knob for (_, other), knob in self._of(group, index, values) if other == name)

    def _of(self, group: int, index: int, values: Values) -> Iterator[tuple[Name, Knob]]:
        node = self.nodes[group]
        paired = self.pairs is not None and (values.raw or bool(self.moving))
        for k, param in enumerate(params_of(values.item, node)):
            if (group, param.name) in self.moving:
                continue
            at = values.start + k * len(self.nodes) + group
            pair = self.pairs[at] if paired and self.pairs is not None else None
            yield (node.key, param.name), Knob(param, self.row, self.cells[at : at + 1], pair)


class Knobs(Mapping[Name, list[Knob]]):
    """Where the stored value of each param that does not move lies, for each step that reads it."""

    def __init__(self) -> None:
        self._dials: list[Dial] = []
        self._by_node: dict[str, list[Dial]] = {}

    def add(self, dial: Dial) -> None:
        """One step more."""
        self._dials.append(dial)
        for node in dial.nodes:
            self._by_node.setdefault(node.key, []).append(dial)

    def dial(self, row: int) -> Dial:
        """The cells of a step."""
        return next(dial for dial in self._dials if dial.row == row)

    def unlike(self, other: Knobs) -> Iterator[tuple[Name, list[Knob]]]:
        """The params that may not stand where they stand in another program: all, but those of steps that are the same
        and whose cells are equal.
        """
        theirs = {id(dial.made): dial.cells for dial in other._dials if not dial.moving}
        same: set[Name] = set()
        for dial in self._dials:
            cells = None if dial.moving else theirs.get(id(dial.made))
            if cells is None or cells.tobytes() != dial.cells.tobytes():
                same.update(name for name, _ in dial.knobs())
        for name in same:
            yield name, self[name]

    def __getitem__(self, name: Name) -> list[Knob]:
        key, param = name
        found = [knob for dial in self._by_node.get(key, ()) for knob in dial.find(key, param)]
        if not found:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[Name]:
        return iter(dict.fromkeys(name for dial in self._dials for name, _ in dial.knobs()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def params_of(item: Param | ParamBank, node: CompiledNode) -> Sequence[Param]:
    """The params that an argument of a kernel stands for."""
    return (item,) if isinstance(item, Param) else item.make(node.config.settings)
