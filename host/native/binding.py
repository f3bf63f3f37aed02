"""Binding: every step of a schedule gets its code and its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.schedule import (
    CompiledNode,
    DelayStep,
    FadeStep,
    FeedbackStep,
    KernelStep,
    MixStep,
    ParamStep,
    Schedule,
    Slot,
    Step,
)
from graph.spec import TICK, Kernel, Memory, Param, ParamBank, Port, PortBank, Ports, Reading, Services, State, Stream
from host.native import runner, steps
from host.native.abi import (
    CONTEXT_WORDS,
    RATE,
    ROLL,
    ROLLING,
    STREAM_WORDS,
    VIEW_WORDS,
    Argument,
    Signature,
    dims_of,
    main_lanes,
    signature,
)
from host.native.arena import ALIGN, DTYPES, Arena, aligned
from host.native.program import BoundStream, Instead, Key, Knob, Moved, Program, Words, native
from host.native.store import library
from nodes.dsp.machine import bits_of


def bind(
    schedule: Schedule,
    arena: Arena,
    services: Services,
    *,
    block: int = 512,
    checked: bool = False,
    context: Words | None = None,
) -> Program:
    """Give every step its code and its addresses.

    ``block``: frames the buffers hold, a whole number of ticks. ``context``: the one to share, where programs follow
    one another; else the program has its own, which rolls. Raises PatchError where a kind cannot prepare, KernelError
    where a kernel cannot be compiled.
    """
    return Binding(schedule, arena, services, block, checked, new_context() if context is None else context).program()


def new_context() -> Words:
    """A context at the start of the timeline, rolling."""
    context = aligned((CONTEXT_WORDS,), "i8")
    context[ROLLING] = 1
    context[ROLL] = bits_of(1.0)
    return context


class Binding:
    """The work of ``bind``; kept for what may have to be bound later."""

    def __init__(
        self, schedule: Schedule, arena: Arena, services: Services, block: int, checked: bool, context: Words
    ) -> None:
        if block < TICK or block % TICK:
            raise ValueError(f"a block of {block} frames is not a whole number of ticks of {TICK}")
        self.schedule, self.arena, self.services, self.block, self.checked = schedule, arena, services, block, checked
        self.context = context
        self.context[RATE] = bits_of(schedule.rate)
        self.home = self.context.ctypes.data
        self.keep: list[Any] = [self.context]
        self.keys: set[Key] = set()
        self.streams: dict[str, BoundStream] = {}
        self.readings: dict[tuple[str, str], npt.NDArray[Any]] = {}
        self.knobs: dict[tuple[str, str], list[Knob]] = {}
        self.moved: dict[tuple[str, str], Moved] = {}
        self.memories: dict[int, Mapping[str, npt.NDArray[Any]]] = {}
        self.cells: dict[tuple[int, str], npt.NDArray[Any]] = {}
        self.addresses: dict[tuple[Kernel, Signature], int] = {}
        starts = np.zeros(len(schedule.buffers), np.int64)
        at = 0
        for k, lanes in enumerate(schedule.buffers):
            starts[k] = at
            at += lanes * block + (-lanes * block) % 16
        self.pool = aligned((at + 16,), "f4")
        self.keep.append(self.pool)
        self.lanes = schedule.buffers
        self.base: list[int] = (starts * 4 + self.pool.ctypes.data).tolist()
        self.words: list[int] = []
        self.tables: list[tuple[int, int]] = []

    def program(self) -> Program:
        rows = aligned((len(self.schedule.steps), runner.ROW_WORDS), "i8")
        bound = [self.step(step, row) for row, step in enumerate(self.schedule.steps)]
        args = np.array(self.words or [0], np.int64)
        self.keep.append(args)
        for k, (address, start) in enumerate(bound):
            rows[k, runner.ROW_ADDRESS] = address
            rows[k, runner.ROW_ARGS] = args.ctypes.data + 8 * start
        for loop in self.schedule.loops:
            rows[loop.first, runner.ROW_LOOP_END] = loop.last
        for moved in self.moved.values():
            moved.words = args[moved.start :]
        return Program(
            self.schedule,
            self.block,
            rows,
            self.context,
            self.streams,
            self.readings,
            self.knobs,
            self.moved,
            self.keys,
            self.keep,
            self,
        )

    def place(self, slot: Slot) -> int:
        """The address of a slot's first sample, checked against the pool."""
        address = self.base[slot.buffer] + 4 * slot.lane
        lanes = self.lanes[slot.buffer]
        if slot.buffer and slot.lane + slot.lanes > lanes:
            raise AssertionError(f"slot {slot} is wider than its buffer of {lanes}")
        if slot.buffer == 0 and slot.lanes > lanes:
            raise AssertionError(f"silence of {lanes} lanes is too narrow for {slot}")
        return address

    def pitch(self, slot: Slot) -> int:
        """Lanes from one frame of a slot to the next."""
        return self.lanes[slot.buffer] if slot.buffer else slot.lanes

    def table(self, words: Iterable[int]) -> int:
        start = len(self.words)
        self.words += [self.home, *words]
        return start

    def step(self, step: Step, row: int) -> tuple[int, int]:
        """The address of a step's code, and where its table starts."""
        match step:
            case KernelStep():
                return self.kernel(step, row)
            case MixStep(target, sources, adding):
                first = sources[0]
                if len(sources) > 1 and not adding:
                    words = [self.place(target), self.place(first), self.place(sources[1]), target.lanes]
                    return native(steps.add_two, 3), self.table(words)
                if len(sources) > 1:
                    words = [self.place(target), self.place(first), self.pitch(first), target.lanes, len(sources)]
                    return native(steps.add_run, 3), self.table(words)
                words = [self.place(target), self.pitch(target), self.place(first), self.pitch(first), target.lanes]
                words.append(int(first.lanes != target.lanes))
                return native(steps.add_onto if adding else steps.copy, 3), self.table(words)
            case DelayStep(name, target, source, frames):
                line = self.array(("delay", name), (frames, source.lanes), "f4")
                place = self.array(("delay place", name), (1,), "i8")
                words = [
                    self.place(target),
                    self.place(source),
                    source.lanes,
                    line.ctypes.data,
                    frames,
                    place.ctypes.data,
                ]
                return native(steps.delay, 3), self.table(words)
            case FeedbackStep(name, signal, writing):
                line = self.array(("feedback", name), (TICK, signal.lanes), "f4")
                function = steps.write_loop if writing else steps.read_loop
                return native(function, 3), self.table([self.place(signal), line.ctypes.data, signal.lanes])
            case FadeStep(target, wet, dry, control):
                words = [
                    self.place(target),
                    self.place(wet),
                    self.place(dry) if dry else 0,
                    self.place(control),
                    target.lanes,
                ]
                return native(steps.fade, 3), self.table(words)
            case ParamStep():
                return self.param(step)

    def array(self, key: Key, shape: tuple[int, ...], dtype: str, init: float = 0.0) -> npt.NDArray[Any]:
        self.keys.add(key)
        found = self.arena.array(key, shape, dtype, init)
        self.keep.append(found)
        return found

    def param(self, step: ParamStep) -> tuple[int, int]:
        param = step.param
        segments = np.array(
            [[s.start, s.value, s.end_value, s.length, s.curve] for s in step.segments] or [[0.0] * 5], np.float64
        )
        sources = np.array(
            [[self.place(slot), bits_of(amount)] for slot, amount in step.modulation] or [[0, 0]],
            np.int64,
        )
        low = step.low if step.low else -np.inf
        bounds = np.array([param.low, param.high, low], np.float64)
        base = np.array([step.base], np.float64)
        self.keep += [segments, sources, bounds, base]
        flags = (
            steps.FLAG_HOLD * (param.rate == "tick")
            + steps.FLAG_GAIN * param.as_gain
            + steps.FLAG_LOG * (param.curve == "log")
            + steps.FLAG_STEPS * (param.curve in ("choice", "integer"))
        )
        words = [self.place(step.target), segments.ctypes.data, len(step.segments), step.arrival, base.ctypes.data]
        words += [flags, bounds.ctypes.data, sources.ctypes.data, len(step.modulation)]
        name = (self.schedule.nodes[step.node].key, param.name)
        past = self.array(("param", *name), (steps.PAST_WORDS,), "i8")
        words += [step.identity, past.ctypes.data]
        start = self.table(words)
        self.moved[name] = Moved(step, start, base, past)
        return native(steps.move_param, 3), start

    def kernel(self, step: KernelStep, row: int) -> tuple[int, int]:
        nodes = [self.schedule.nodes[k] for k in step.nodes]
        found = self.signature(step, bool(step.params))
        start = len(self.words)
        self.words += [self.home, nodes[0].arrival, nodes[0].skew]
        for argument in found.arguments:
            if argument.word >= 0:
                assert len(self.words) - start == argument.word
                item = nodes[0].kind.declared[argument.name]
                if isinstance(item, Param | ParamBank):
                    self.words += [self.values(step, row, nodes, argument), 0, 0, 0]
                else:
                    self.words += self.view(step, nodes, argument, item)
        return self.code(step, found), start

    def signature(self, step: KernelStep, moving: bool) -> Signature:
        node = self.schedule.nodes[step.nodes[0]]
        kernel: Kernel = getattr(node.kind, step.kernel)
        return signature(
            node.kind,
            kernel.arguments,
            node.config,
            groups=len(step.nodes),
            moving=moving,
            adding=step.adding,
            pitches=self.pitches(step),
            checked=self.checked,
        )

    def code(self, step: KernelStep, found: Signature) -> int:
        kernel: Kernel = getattr(self.schedule.nodes[step.nodes[0]].kind, step.kernel)
        cached = self.addresses.get((kernel, found))
        if cached is None:
            cached = self.addresses[kernel, found] = library().step(kernel, found)
        return cached

    def instead(self, row: int) -> Instead:
        """The nodes of a kernel step one by one, with params that may move, over the same buffers, state and cells."""
        step = self.schedule.steps[row]
        assert isinstance(step, KernelStep)
        assert not step.params
        parts: list[int] = [len(step.nodes)]
        made: dict[tuple[str, str], npt.NDArray[Any]] = {}
        keep: list[Any] = []
        for j, k in enumerate(step.nodes):
            node = self.schedule.nodes[k]
            alone = KernelStep((k,), step.kernel, _part(step.inputs, j, step), _part(step.outputs, j, step), {})
            alone = replace(alone, adding=step.adding)
            found = self.signature(alone, True)
            words = [self.home, node.arrival, node.skew]
            for argument in found.arguments:
                if argument.word < 0:
                    continue
                item = node.kind.declared[argument.name]
                if isinstance(item, Param | ParamBank):
                    cells = self.cells[row, argument.name]
                    pairs = np.zeros((len(cells), 1, 2), np.int64)
                    for at, param in enumerate(_params(item, node)):
                        pairs[at, 0, 0] = cells[at, j : j + 1].ctypes.data
                        made[node.key, param.name] = pairs[at, 0]
                    keep.append(pairs)
                    words += [pairs.ctypes.data, 0, 0, 0]
                else:
                    words += self.view(alone, [node], argument, item)
            table = np.array(words, np.int64)
            keep.append(table)
            parts += [self.code(alone, found), table.ctypes.data]
        return Instead(np.array(parts, np.int64), made, keep)

    def pitches(self, step: KernelStep) -> dict[str, int]:
        """Lanes of the buffer where a port is only a part of it."""
        slots = {**step.inputs, **step.outputs}
        return {name: self.lanes[s.buffer] for name, s in slots.items() if s.buffer and s.lanes != self.lanes[s.buffer]}

    def view(self, step: KernelStep, nodes: list[CompiledNode], argument: Argument, item: object) -> list[int]:
        """The words of a view: of several, for a bank of ports."""
        match item:
            case Port():
                return [self.place((step.inputs if item.flow == "in" else step.outputs)[item.name]), 0, 0, 0]
            case PortBank():
                slots = step.inputs if item.flow == "in" else step.outputs
                names = item.names(nodes[0].config.settings)
                return [word for name in names for word in (self.place(slots[name]), 0, 0, 0)]
            case Ports():
                slots = step.inputs if item.flow == "in" else step.outputs
                table = self.ports(nodes[0], item, slots)
                return [table.ctypes.data, 0, 0, 0]
            case State() | Reading():
                return [self.state(nodes, argument, item), 0, 0, 0]
            case Memory():
                array = self.memory(step.nodes[0])[argument.name]
                return [array.ctypes.data, *array.shape, *[1] * (VIEW_WORDS - 1 - array.ndim)]
            case Stream():
                return [self.stream(nodes[0], argument, item).header.ctypes.data, 0, 0, 0]
            case _:
                raise AssertionError(f"{argument.name} has no place in a table")

    def ports(self, node: CompiledNode, item: Ports, slots: Mapping[str, Slot]) -> npt.NDArray[np.int64]:
        """The ports of one flow as a table of addresses."""
        names = [p.name for p in node.kind.ports(node.config.settings) if p.flow == item.flow]
        words = [len(names)]
        for name in names:
            words += [self.place(slots[name]), slots[name].lanes, self.pitch(slots[name])]
        table = np.array(words, np.int64)
        self.keep.append(table)
        return table

    def values(self, step: KernelStep, row: int, nodes: list[CompiledNode], argument: Argument) -> int:
        """The address of the values of a param, or of a bank: ``[index][group]`` cells, or (address, stride) pairs of
        the same shape.
        """
        item = nodes[0].kind.declared[argument.name]
        raw = isinstance(item, ParamBank) and item.raw
        count = len(_params(item, nodes[0])) if raw else argument.count
        cells = np.zeros((max(1, count), len(nodes)), np.float32)
        pairs = np.zeros((*cells.shape, 2), np.int64) if step.params or raw else None
        for g, node in enumerate(nodes):
            for k, param in enumerate(_params(node.kind.declared[argument.name], node)):
                cells[k, g] = stored(param, node.config.params[param.name])
                cell, pair = cells[k, g : g + 1], None
                slot = step.params.get((g, param.name))
                if pairs is not None:
                    pair = pairs[k, g]
                    pair[:] = (cell.ctypes.data, 0) if slot is None else (self.place(slot), 1)
                if slot is None:
                    self.knobs.setdefault((node.key, param.name), []).append(Knob(param, row, cell, pair))
        self.cells[row, argument.name] = cells
        self.keep += [cells, pairs]
        return cells.ctypes.data if pairs is None else pairs.ctypes.data

    def state(self, nodes: list[CompiledNode], argument: Argument, item: State | Reading) -> int:
        """The address of a node's state, or of the table of the addresses of several."""
        addresses: list[int] = []
        for node in nodes:
            lanes = main_lanes(node.kind, node.config)
            dims = dims_of(item.shape, node.config, lanes, 1)
            init = item.init if isinstance(item, State) else 0.0
            array = self.array(("state", node.key, node.kind.kind, argument.name), dims, argument.dtype, init)
            if isinstance(item, Reading):
                self.readings[node.key, argument.name] = array
            addresses.append(array.ctypes.data)
        if len(nodes) == 1:
            return addresses[0]
        table = np.array(addresses, np.int64)
        self.keep.append(table)
        return table.ctypes.data

    def memory(self, index: int) -> Mapping[str, npt.NDArray[Any]]:
        """A node's memory, prepared once for as long as what it depends on stays the same."""
        if index not in self.memories:
            node = self.schedule.nodes[index]
            config = node.config
            shape = (
                repr(config.settings),
                repr(sorted(config.layouts.items())),
                config.rate,
                repr(node.kind.shape_key(config)),
            )
            names = [name for name, item in node.kind.declared.items() if isinstance(item, Memory)]
            made: dict[str, npt.NDArray[Any]] = {}
            found: dict[str, npt.NDArray[Any]] = {}
            for name in names:

                def make(name: str = name) -> npt.NDArray[Any]:
                    if not made:
                        made.update(node.kind.prepare(config, self.services))
                    item = node.kind.declared[name]
                    return _fit(made[name], item, node, name)

                key = ("memory", node.key, node.kind.kind, name)
                self.keys.add(key)
                found[name] = self.arena.get(key, shape, make)
                self.keep.append(found[name])
            self.memories[index] = found
        return self.memories[index]

    def stream(self, node: CompiledNode, argument: Argument, item: Stream) -> BoundStream:
        if node.key not in self.streams:
            header = self.array(("stream", node.key), (STREAM_WORDS,), "i8")
            self.streams[node.key] = BoundStream(node, item.flow, item.serves, argument.lanes, header)
        return self.streams[node.key]


def _params(item: object, node: CompiledNode) -> Sequence[Param]:
    """The params that an argument of a kernel stands for."""
    if isinstance(item, Param):
        return (item,)
    assert isinstance(item, ParamBank)
    return item.make(node.config.settings)


def _part(slots: Mapping[str, Slot], j: int, step: KernelStep) -> dict[str, Slot]:
    """What node j of a wide step has of its signals."""
    count = len(step.nodes)
    return {
        name: Slot(slot.buffer, slot.lane + j * (slot.lanes // count), slot.lanes // count)
        for name, slot in slots.items()
    }


def _fit(array: npt.NDArray[Any], item: Memory, node: CompiledNode, name: str) -> npt.NDArray[Any]:
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


def stored(param: Param, value: float) -> float:
    """A param's stored value in the unit the kernel wants."""
    if param.as_gain:
        return 0.0 if value <= param.low else 10.0 ** (value / 20.0)
    return value
