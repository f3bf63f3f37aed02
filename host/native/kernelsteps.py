"""Kernel steps get their code and their tables. What of a table stays as it is while the nodes of the step do is made
once, and taken over from the program before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.schedule import CompiledNode, KernelStep, Schedule, Slot
from graph.spec import (
    Kernel,
    Memory,
    Param,
    ParamBank,
    Port,
    PortBank,
    Ports,
    Reading,
    Services,
    State,
    Stream,
)
from host.native.abi import HEADER_WORDS, STREAM_WORDS, VIEW_WORDS, Argument, Signature, dims_of, main_lanes, signature
from host.native.arena import ALIGN, DTYPES, Arena, aligned
from host.native.buffers import Buffers
from host.native.knobs import Cells, Dial, Knobs, Values, Words, params_of
from host.native.program import BoundStream, Instead, Key
from host.native.store import library

Array = npt.NDArray[Any]
POOL = 4096
_Name = tuple[object, ...]


@dataclass(slots=True)
class _Made:
    """All of a step that does not depend on where its signals lie."""

    nodes: Sequence[CompiledNode]
    address: int
    words: list[int]
    """The table, with zeros where addresses of signals and of stored values go."""
    places: list[tuple[int, bool, str]] = field(default_factory=list[tuple[int, bool, str]])
    """Words that are the address of a port's signal: which, whether it is an input, and the port."""
    values: list[Values] = field(default_factory=list[Values])
    stored: Cells = field(default_factory=lambda: np.zeros(0, np.float32))
    rest: list[tuple[int, Argument]] = field(default_factory=list[tuple[int, Argument]])
    """Words that are made anew for each program."""
    slots: list[tuple[Key, Array]] = field(default_factory=list[tuple[Key, Array]])
    """Of the arena."""
    readings: list[tuple[tuple[str, str], Array]] = field(default_factory=list[tuple[tuple[str, str], Array]])
    keep: list[Any] = field(default_factory=list[Any])

    def lasts(self, nodes: Sequence[CompiledNode], arena: Arena) -> bool:
        """Whether it holds for these nodes, and the arena still has their state where it was."""
        for mine, now in zip(self.nodes, nodes, strict=True):
            if mine.kind is not now.kind or (mine.config is not now.config and mine.config != now.config):
                return False
        return all(arena.find(key) is array for key, array in self.slots)


class KernelSteps:
    """The kernel steps of one program. ``before``: those of the program that this one follows, if there is one."""

    def __init__(
        self,
        schedule: Schedule,
        buffers: Buffers,
        arena: Arena,
        services: Services,
        checked: bool,
        home: int,
        before: KernelSteps | None = None,
    ) -> None:
        self.schedule, self.buffers, self.arena, self.services = schedule, buffers, arena, services
        self.checked, self.home = checked, home
        self.keys: set[Key] = set()
        self.streams: dict[str, BoundStream] = {}
        self.readings: dict[tuple[str, str], Array] = {}
        self.knobs = Knobs()
        self._made: dict[_Name, _Made] = {}
        self._before = before._made if before is not None and before.checked == checked else {}
        self._memories: dict[int, Mapping[str, Array]] = {}
        self._addresses: dict[tuple[Kernel, Signature], int] = {}
        self._tables: list[Any] = []
        self._pool, self._pool_at, self._pool_used = np.zeros(0, np.float32), 0, 0
        """Where cells come from, since asking an array for its address takes longer than all the rest."""

    def bound(self) -> None:
        """All steps are bound: the program before is not needed any more."""
        self._before = {}

    def bind(self, step: KernelStep, row: int) -> tuple[int, list[int]]:
        """The address of a step's code, and its table."""
        nodes = [self.schedule.nodes[k] for k in step.nodes]
        made = self._make(step, nodes)
        self.keys.update(key for key, _ in made.slots)
        self.readings.update(made.readings)
        pairs: Words | None = None
        home = 0
        if made.values:
            cells, home = self._cells(made)
            if step.params or any(values.raw for values in made.values):
                pairs = self._pairs(step, nodes, made, home)
            self.knobs.add(Dial(row, nodes, made.values, cells, pairs, frozenset(step.params), made))
        return made.address, self._table(made, step, nodes, home, pairs, bool(step.params))

    def _cells(self, made: _Made) -> tuple[Cells, int]:
        """Cells of the stored values, and their address."""
        count = len(made.stored)
        if self._pool_used + count > len(self._pool):
            self._pool, self._pool_used = aligned((max(POOL, count),), "f4"), 0
            self._pool_at = self._pool.ctypes.data
        start = self._pool_used
        self._pool_used += count
        cells = self._pool[start : start + count]
        cells[...] = made.stored
        return cells, self._pool_at + 4 * start

    def instead(self, row: int) -> Instead:
        """The nodes of a kernel step one by one, with params that may move, over the same buffers, state and cells."""
        step = self.schedule.steps[row]
        assert isinstance(step, KernelStep)
        assert not step.params
        dial = self.knobs.dial(row)
        groups = len(step.nodes)
        parts: list[int] = [groups]
        moved: dict[tuple[str, str], Words] = {}
        keep: list[Any] = []
        for j, k in enumerate(step.nodes):
            node = self.schedule.nodes[k]
            alone = KernelStep((k,), step.kernel, _part(step.inputs, j, groups), _part(step.outputs, j, groups), {})
            made = self._describe(replace(alone, adding=step.adding), [node], moving=True)
            pairs = np.zeros((len(made.stored), 2), np.int64)
            for mine, values in zip(made.values, dial.values, strict=True):
                for at, param in enumerate(params_of(values.item, node)):
                    cell = values.start + at * groups + j
                    pairs[mine.start + at, 0] = dial.cells[cell : cell + 1].ctypes.data
                    moved[node.key, param.name] = pairs[mine.start + at]
            table = np.array(self._table(made, alone, [node], 0, pairs, True), np.int64)
            keep += [made, pairs, table]
            parts += [made.address, table.ctypes.data]
        return Instead(np.array(parts, np.int64), moved, keep)

    def _make(self, step: KernelStep, nodes: Sequence[CompiledNode]) -> _Made:
        pitches = self._pitches(step)
        name = (step.kernel, tuple([n.key for n in nodes]), step.adding, bool(step.params), *pitches.items())
        made = self._made.get(name) or self._before.get(name)
        if made is None or not made.lasts(nodes, self.arena):
            made = self._describe(step, nodes, moving=bool(step.params))
        self._made[name] = made
        return made

    def _describe(self, step: KernelStep, nodes: Sequence[CompiledNode], moving: bool) -> _Made:
        node = nodes[0]
        kernel: Kernel = getattr(node.kind, step.kernel)
        found = signature(
            node.kind,
            kernel.arguments,
            node.config,
            groups=len(nodes),
            moving=moving,
            adding=step.adding,
            pitches=self._pitches(step),
            checked=self.checked,
        )
        address = self._addresses.get((kernel, found))
        if address is None:
            address = self._addresses[kernel, found] = library().step(kernel, found)
        made = _Made(nodes, address, [0] * HEADER_WORDS)
        stored: list[float] = []
        for argument in found.arguments:
            if argument.word >= 0:
                assert len(made.words) == argument.word
                self._argument(made, step, nodes, argument, stored)
        made.stored = np.array(stored, np.float32)
        return made

    def _argument(
        self, made: _Made, step: KernelStep, nodes: Sequence[CompiledNode], argument: Argument, stored: list[float]
    ) -> None:
        """Append the words of an argument."""
        at, words = argument.word, made.words
        item = nodes[0].kind.declared[argument.name]
        match item:
            case Param() | ParamBank():
                raw = isinstance(item, ParamBank) and item.raw
                count = len(params_of(item, nodes[0])) if raw else argument.count
                values = Values(at, item, len(stored), max(1, count), raw)
                made.values.append(values)
                table = np.zeros((values.count, len(nodes)), np.float64)
                for g, node in enumerate(nodes):
                    for k, param in enumerate(params_of(item, node)):
                        table[k, g] = in_kernel(param, node.config.params[param.name])
                stored += table.ravel().tolist()
                words += [0, 0, 0, 0]
            case Port():
                made.places.append((at, item.flow == "in", item.name))
                words += [0, 0, 0, 0]
            case PortBank():
                for name in item.names(nodes[0].config.settings):
                    made.places.append((len(words), item.flow == "in", name))
                    words += [0, 0, 0, 0]
            case Ports() | Stream():
                made.rest.append((at, argument))
                words += [0, 0, 0, 0]
            case State() | Reading():
                words += [self._state(made, nodes, argument, item), 0, 0, 0]
            case Memory():
                array = self._memory(made, step.nodes[0])[argument.name]
                words += [array.ctypes.data, *array.shape, *[1] * (VIEW_WORDS - 1 - array.ndim)]
            case _:
                raise AssertionError(f"{argument.name} has no place in a table")

    def _table(
        self,
        made: _Made,
        step: KernelStep,
        nodes: Sequence[CompiledNode],
        cells: int,
        pairs: Words | None,
        paired: bool,
    ) -> list[int]:
        """The words of a step's table, all in place. ``cells``: where the stored values are; ``paired``: the kernel
        reads all params by way of the pairs.
        """
        words = made.words.copy()
        words[:HEADER_WORDS] = self.home, nodes[0].arrival, nodes[0].skew
        place, inputs, outputs = self.buffers.place, step.inputs, step.outputs
        for at, reading, name in made.places:
            words[at] = place((inputs if reading else outputs)[name])
        if made.values:
            other = 0 if pairs is None else pairs.ctypes.data
            for values in made.values:
                by_pairs = paired or values.raw
                words[values.word] = other + 16 * values.start if by_pairs else cells + 4 * values.start
        for at, argument in made.rest:
            words[at] = self._special(step, nodes[0], argument)
        return words

    def _pairs(self, step: KernelStep, nodes: Sequence[CompiledNode], made: _Made, cells: int) -> Words:
        """For every cell, where the kernel reads it, and the stride: the cell itself, or the signal that moves it."""
        pairs = np.zeros((len(made.stored), 2), np.int64)
        pairs[:, 0] = cells + 4 * np.arange(len(pairs))
        for values in made.values:
            for g, node in enumerate(nodes):
                for k, param in enumerate(params_of(values.item, node)):
                    slot = step.params.get((g, param.name))
                    if slot is not None:
                        pairs[values.start + k * len(nodes) + g] = self.buffers.place(slot), 1
        return pairs

    def _pitches(self, step: KernelStep) -> dict[str, int]:
        """Lanes of the buffer where a port is only a part of it."""
        lanes = self.buffers.lanes
        found: dict[str, int] = {}
        for slots in (step.inputs, step.outputs):
            for name, slot in slots.items():
                if slot.buffer and slot.lanes != lanes[slot.buffer]:
                    found[name] = lanes[slot.buffer]
        return found

    def _special(self, step: KernelStep, node: CompiledNode, argument: Argument) -> int:
        """The address of what each program has of its own: the ports of one flow as a table, or a stream's header."""
        item = node.kind.declared[argument.name]
        if isinstance(item, Stream):
            if node.key not in self.streams:
                header = self.arena.array(("stream", node.key), (STREAM_WORDS,), "i8")
                self.keys.add(("stream", node.key))
                self.streams[node.key] = BoundStream(node, item.flow, item.serves, argument.lanes, header)
            return self.streams[node.key].header.ctypes.data
        assert isinstance(item, Ports)
        slots = step.inputs if item.flow == "in" else step.outputs
        names = [p.name for p in node.kind.ports(node.config.settings) if p.flow == item.flow]
        words = [len(names)]
        for name in names:
            words += [self.buffers.place(slots[name]), slots[name].lanes, self.buffers.pitch(slots[name])]
        table = np.array(words, np.int64)
        self._tables.append(table)
        return table.ctypes.data

    def _state(self, made: _Made, nodes: Sequence[CompiledNode], argument: Argument, item: State | Reading) -> int:
        """The address of a node's state, or of the table of the addresses of several."""
        addresses: list[int] = []
        for node in nodes:
            lanes = main_lanes(node.kind, node.config)
            dims = dims_of(item.shape, node.config, lanes, 1)
            init = item.init if isinstance(item, State) else 0.0
            key = ("state", node.key, node.kind.kind, argument.name)
            array = self.arena.array(key, dims, argument.dtype, init)
            made.slots.append((key, array))
            if isinstance(item, Reading):
                made.readings.append(((node.key, argument.name), array))
            addresses.append(array.ctypes.data)
        if len(nodes) == 1:
            return addresses[0]
        table = np.array(addresses, np.int64)
        made.keep.append(table)
        return table.ctypes.data

    def _memory(self, made: _Made, index: int) -> Mapping[str, Array]:
        """A node's memory, prepared once for as long as what it depends on stays the same."""
        node = self.schedule.nodes[index]
        names = [name for name, item in node.kind.declared.items() if isinstance(item, Memory)]
        keys = {name: ("memory", node.key, node.kind.kind, name) for name in names}
        if index not in self._memories:
            config = node.config
            shape = (
                repr(config.settings),
                repr(sorted(config.layouts.items())),
                config.rate,
                repr(node.kind.shape_key(config)),
            )
            prepared: dict[str, Array] = {}
            found: dict[str, Array] = {}
            for name in names:

                def make(name: str = name) -> Array:
                    if not prepared:
                        prepared.update(node.kind.prepare(config, self.services))
                    item = node.kind.declared[name]
                    return _fit(prepared[name], item, node, name)

                found[name] = self.arena.get(keys[name], shape, make)
            self._memories[index] = found
        held = {key for key, _ in made.slots}
        made.slots += [(keys[name], array) for name, array in self._memories[index].items() if keys[name] not in held]
        return self._memories[index]


def _part(slots: Mapping[str, Slot], j: int, groups: int) -> dict[str, Slot]:
    """What node j of a wide step has of its signals."""
    return {
        name: Slot(slot.buffer, slot.lane + j * (slot.lanes // groups), slot.lanes // groups)
        for name, slot in slots.items()
    }


def _fit(array: Array, item: Memory, node: CompiledNode, name: str) -> Array:
    """A prepared array as declared, on a cache line: a copy, unless it is to be held itself."""
    if array.ndim != item.ndim:
        raise TypeError(f"{node.kind.kind}: prepare gives {name} {array.ndim} dimensions, declared are {item.ndim}")
    if item.held:
        if array.dtype != DTYPES[item.dtype] or not array.flags.c_contiguous or array.ctypes.data % ALIGN:
            raise TypeError(f"{node.kind.kind}: prepare gives {name} not as it is declared, on a cache line")
        return array
    fitted = aligned(array.shape, item.dtype)
    if array.any():  # else the pages of a long line stay untouched until sound reaches them
        fitted[...] = array
    return fitted


def in_kernel(param: Param, value: float) -> float:
    """A param's stored value in the unit the kernel wants."""
    if param.as_gain:
        return 0.0 if value <= param.low else 10.0 ** (value / 20.0)
    return value
