"""Binding: every step of a schedule gets its code and its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.schedule import (
    DelayStep,
    EventDelayStep,
    FadeStep,
    FeedbackStep,
    GatherStep,
    KernelStep,
    MixStep,
    ParamStep,
    Schedule,
    Segment,
    Step,
)
from graph.spec import TICK, Services
from host.native import events, runner, steps
from host.native.abi import CONTEXT_WORDS, RATE, ROLL, ROLLING
from host.native.arena import Arena, aligned
from host.native.buffers import Buffers
from host.native.kernelsteps import KernelSteps
from host.native.program import Key, Moved, Program, Words, native
from nodes.dsp.machine import bits_of


def bind(
    schedule: Schedule,
    arena: Arena,
    services: Services,
    *,
    block: int = 512,
    checked: bool = False,
    context: Words | None = None,
    before: Program | None = None,
) -> Program:
    """Give every step its code and its addresses.

    ``block``: frames the buffers hold, a whole number of ticks. ``context``: the one to share, where programs follow
    one another; else the program has its own, which rolls. ``before``: the program that this one follows, with the same
    arena; what is the same is not made again. Raises PatchError where a kind cannot prepare, KernelError where a kernel
    cannot be compiled.
    """
    if context is None:
        context = new_context()
    return Binding(schedule, arena, services, block, checked, context, before).program()


def segment_table(segments: Sequence[Segment]) -> npt.NDArray[np.float64]:
    """Segments of automation as native code reads them; a row of zeros where there are none."""
    return np.array([[s.start, s.value, s.end_value, s.length, s.curve] for s in segments] or [[0.0] * 5], np.float64)


def new_context() -> Words:
    """A context at the start of the timeline, rolling."""
    context = aligned((CONTEXT_WORDS,), "i8")
    context[ROLLING] = 1
    context[ROLL] = bits_of(1.0)
    return context


class Binding:
    """The work of ``bind``; kept for what may have to be bound later."""

    def __init__(
        self,
        schedule: Schedule,
        arena: Arena,
        services: Services,
        block: int,
        checked: bool,
        context: Words,
        before: Program | None,
    ) -> None:
        if block < TICK or block % TICK:
            raise ValueError(f"a block of {block} frames is not a whole number of ticks of {TICK}")
        self.schedule, self.arena, self.block = schedule, arena, block
        self.context = context
        self.context[RATE] = bits_of(schedule.rate)
        self.home = self.context.ctypes.data
        self.keep: list[Any] = [self.context]
        self.keys: set[Key] = set()
        self.moved: dict[tuple[str, str], Moved] = {}
        self.buffers = Buffers(schedule.buffers, block)
        self.place, self.pitch = self.buffers.place, self.buffers.pitch
        earlier = None if before is None else before.binding.kernels
        self.kernels = KernelSteps(schedule, self.buffers, arena, services, checked, self.home, earlier)
        self.words: list[int] = []

    def program(self) -> Program:
        rows = aligned((len(self.schedule.steps), runner.ROW_WORDS), "i8")
        bound = [self.step(step, row) for row, step in enumerate(self.schedule.steps)]
        args = np.array(self.words or [0], np.int64)
        self.keep.append(args)
        if bound:
            addresses, starts = zip(*bound, strict=True)
            rows[:, runner.ROW_ADDRESS] = addresses
            rows[:, runner.ROW_ARGS] = args.ctypes.data + 8 * np.array(starts, np.int64)
        for loop in self.schedule.loops:
            rows[loop.first, runner.ROW_LOOP_END] = loop.last
        for moved in self.moved.values():
            moved.words = args[moved.start :]
        self.kernels.bound()
        return Program(
            self.schedule,
            self.block,
            rows,
            self.context,
            self.kernels.streams,
            self.kernels.readings,
            self.kernels.knobs,
            self.moved,
            self.keys | self.kernels.keys,
            self.keep,
            self,
        )

    def table(self, words: Iterable[int]) -> int:
        start = len(self.words)
        self.words += [self.home, *words]
        return start

    def step(self, step: Step, row: int) -> tuple[int, int]:
        """The address of a step's code, and where its table starts."""
        match step:
            case KernelStep():
                address, words = self.kernels.bind(step, row)
                start = len(self.words)
                self.words += words
                return address, start
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
            case GatherStep():
                words = events.gather_words(step, self.place, self.array, self.keep)
                return native(events.gather, 3), self.table(words)
            case EventDelayStep():
                return native(events.delay, 3), self.table(events.delay_words(step, self.place, self.array))

    def array(self, key: Key, shape: tuple[int, ...], dtype: str, init: float = 0.0) -> npt.NDArray[Any]:
        self.keys.add(key)
        found = self.arena.array(key, shape, dtype, init)
        self.keep.append(found)
        return found

    def param(self, step: ParamStep) -> tuple[int, int]:
        param = step.param
        segments = segment_table(step.segments)
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
