"""A schedule bound to memory and machine code: the tables that the runner reads."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.schedule import CompiledNode, ParamStep, Schedule
from graph.spec import TICK, WATCHED
from host.native import runner, steps
from host.native.abi import FAULT, SCRUBBED, TIME
from host.native.knobs import Knobs, Words
from host.native.store import library

Key = tuple[str, ...]


@dataclass(slots=True)
class BoundStream:
    """A stream's header, for whoever feeds or drains it."""

    node: CompiledNode
    flow: str
    serves: str
    channels: int
    header: Words


@dataclass(slots=True)
class Moved:
    """A param that moves: its step, whose table starts at ``start`` and is ``words``; and what it remembers."""

    step: ParamStep
    start: int
    base: npt.NDArray[Any]
    past: Words
    words: Words = field(default_factory=lambda: np.zeros(0, np.int64))
    bends: list[tuple[npt.NDArray[np.float64], Words]] = field(
        default_factory=list[tuple[npt.NDArray[np.float64], Words]]
    )
    """The segments that it goes by since its automation was changed, and those on their way to it, each with the words
    that tell of it.
    """


@dataclass(slots=True)
class Instead:
    """What is called in place of a step while some param of its nodes is on its way."""

    table: Words
    """As the runner's rows say."""
    pairs: dict[tuple[str, str], Words]
    keep: list[Any]


@dataclass(slots=True)
class Program:
    """What the runner needs, and everything that must stay alive while it runs."""

    schedule: Schedule
    block: int
    rows: Words
    context: Words
    streams: dict[str, BoundStream]
    readings: dict[tuple[str, str], npt.NDArray[Any]]
    knobs: Knobs
    moved: dict[tuple[str, str], Moved]
    """The params that automation or cables move."""
    keys: set[Key]
    keep: list[Any]
    binding: Any
    """What bound it: ``kernels`` can do more later."""

    @property
    def time(self) -> int:
        """The timeline frame of the next block."""
        return int(self.context[TIME])

    @property
    def faults(self) -> int:
        """Indices that checked views found out of range."""
        return int(self.context[FAULT])

    @property
    def scrubbed(self) -> int:
        """NaN and infinite samples stopped at feedback reads and entries."""
        return int(self.context[SCRUBBED])

    def watch(self) -> None:
        """Let kernels measure also what they measure only while somebody looks."""
        kinds = {node.key: node.kind for node in self.schedule.nodes}
        for (key, name), values in self.readings.items():
            if key in kinds and kinds[key].declared[name].watched:
                values[values == 0] = WATCHED

    def run(self, frames: int) -> None:
        """Run for a whole number of ticks, without the interpreter lock."""
        if frames % TICK:
            raise ValueError(f"{frames} frames are not a whole number of ticks of {TICK}")
        _run()(self.rows.ctypes.data, len(self.rows), self.context.ctypes.data, frames, self.block)


@cache
def native(function: Any, arguments: int) -> int:
    """The address of a compiled helper that takes so many 64-bit integers."""
    return library().function(function, arguments)


@cache
def _run() -> Any:
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)(native(runner.run, 5))


def probe() -> bool:
    """Whether code can be compiled or loaded here, and computes: a copy of a few samples through a native step."""
    source = np.arange(2 * TICK, dtype=np.float32)
    target = np.zeros_like(source)
    table = np.array([0, target.ctypes.data, 2, source.ctypes.data, 2, 2, 0], np.int64)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(native(steps.copy, 3))(table.ctypes.data, 0, TICK)
    return bool(np.array_equal(source, target))
