"""The compiler's seventh pass: signals to buffers, each reused as soon as nobody hears it any more."""

from __future__ import annotations

from dataclasses import replace

from graph.schedule import (
    DelayStep,
    EventDelayStep,
    FadeStep,
    FeedbackStep,
    GatherStep,
    Heard,
    KernelStep,
    MixStep,
    ParamStep,
    Slot,
    Step,
)

_FREE = -1


def reads(step: Step) -> list[Slot]:
    """The slots a step reads, those it adds into included."""
    match step:
        case KernelStep():
            found = [*step.inputs.values(), *step.params.values()]
            return found + list(step.outputs.values()) if step.adding else found
        case MixStep():
            return [*step.sources, step.target] if step.adding else list(step.sources)
        case DelayStep() | EventDelayStep():
            return [step.source]
        case GatherStep():
            return [c.signal for c in step.cables] + [c.mute for c in step.cables if c.mute]
        case FeedbackStep():
            return [step.signal] if step.writing else []
        case ParamStep():
            return [slot for slot, _ in step.modulation]
        case FadeStep():
            return [step.wet, step.control] + ([step.dry] if step.dry else [])


def writes(step: Step) -> list[Slot]:
    """The slots a step writes."""
    match step:
        case KernelStep():
            return list(step.outputs.values())
        case MixStep() | DelayStep() | ParamStep() | FadeStep() | GatherStep() | EventDelayStep():
            return [step.target]
        case FeedbackStep():
            return [] if step.writing else [step.signal]


def allocate(steps: list[Step], lanes: list[int], *, reuse: bool = True) -> tuple[list[Step], list[int]]:
    """The steps over buffers, and the lanes of each buffer; without ``reuse``, every signal has its own.

    A step's outputs never share a buffer with its inputs, except the sum it adds into. The most recently freed buffer
    is taken first, because it is still in the cache.
    """
    heard = [reads(step) for step in steps]
    made = [writes(step) for step in steps]
    last: dict[int, int] = {}
    widest = max(lanes)
    for at, (sources, targets) in enumerate(zip(heard, made, strict=True)):
        for buffer, _, width in sources:
            last[buffer] = at
            if buffer == 0 and width > widest:
                widest = width
        for buffer, _, _ in targets:
            last[buffer] = at
    buffers = [widest]
    place: dict[int, int] = {0: 0}
    free: dict[int, list[int]] = {}
    result: list[Step] = []
    for at, step in enumerate(steps):
        for signal, _, _ in made[at]:
            if signal not in place:
                spare = free.get(lanes[signal])
                if spare:
                    place[signal] = spare.pop()
                else:
                    place[signal] = len(buffers)
                    buffers.append(lanes[signal])
        result.append(_placed(step, place))
        if reuse:
            for signal, _, _ in (*made[at], *heard[at]):
                if last[signal] == at and signal:
                    last[signal] = _FREE
                    free.setdefault(lanes[signal], []).append(place[signal])
    return result, buffers


def _placed(step: Step, place: dict[int, int]) -> Step:
    def at(slot: Slot) -> Slot:
        buffer, lane, lanes = slot
        return Slot(place[buffer], lane, lanes)

    match step:
        case KernelStep():
            inputs = {name: at(slot) for name, slot in step.inputs.items()}
            outputs = {name: at(slot) for name, slot in step.outputs.items()}
            params = {key: at(slot) for key, slot in step.params.items()} if step.params else step.params
            return KernelStep(step.nodes, step.kernel, inputs, outputs, params, step.adding)
        case MixStep():
            return MixStep(at(step.target), tuple(at(s) for s in step.sources), step.adding)
        case DelayStep():
            return DelayStep(step.name, at(step.target), at(step.source), step.frames)
        case EventDelayStep():
            return EventDelayStep(step.name, at(step.target), at(step.source), step.frames)
        case GatherStep():
            cables = tuple(Heard(c.name, at(c.signal), at(c.mute) if c.mute else None) for c in step.cables)
            return replace(step, target=at(step.target), cables=cables)
        case FeedbackStep():
            return FeedbackStep(step.name, at(step.signal), step.writing)
        case ParamStep():
            return replace(
                step, target=at(step.target), modulation=tuple((at(s), amount) for s, amount in step.modulation)
            )
        case FadeStep():
            return FadeStep(at(step.target), at(step.wet), at(step.dry) if step.dry else None, at(step.control))
