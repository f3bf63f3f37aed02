"""The compiled patch: a flat, frozen list of steps over numbered buffers. Plain data; nothing here computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from graph.spec import Config, Node, Param


class Slot(NamedTuple):
    """A signal's place: some lanes of a buffer, from ``lane`` on. Buffer 0 is silence: always zero, wide enough for
    any reader.
    """

    buffer: int
    lane: int
    lanes: int


class Segment(NamedTuple):
    """Automation from one point to the next: frames, values in the param's unit, and the curve (0 hold, 1 linear, 2
    exponential).
    """

    start: int
    value: float
    end_value: float
    length: int
    curve: int


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """A node as it will run."""

    id: str
    kind: type[Node]
    config: Config
    arrival: int
    """Frames by which its inputs lag the timeline."""
    latency: int
    key: str = ""
    """The name of its state: its id, but for what replaces a node of the same id while that still sounds."""
    skew: int = 0
    """For a node that breaks a loop: frames by which its input lags its output, to be taken off its own delay."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or self.id)


@dataclass(frozen=True, slots=True)
class KernelStep:
    """Call a kernel of one node, or of several side by side (a wide step)."""

    nodes: tuple[int, ...]
    kernel: str
    inputs: Mapping[str, Slot]
    outputs: Mapping[str, Slot]
    params: Mapping[tuple[int, str], Slot]
    """Params that move within a block: (place in ``nodes``, param) to the signal of its values."""
    adding: bool = False
    """Whether the main output adds into what its buffer holds."""


@dataclass(frozen=True, slots=True)
class MixStep:
    """Copy one signal, or write the sum of two; with ``adding``, add one onto the target, or several side by side.

    A mono source into a wider target goes to every lane.
    """

    target: Slot
    sources: tuple[Slot, ...]
    adding: bool = False


@dataclass(frozen=True, slots=True)
class DelayStep:
    """Compensation: the source, some frames later. ``name`` is stable, so that its line survives recompiles."""

    name: str
    target: Slot
    source: Slot
    frames: int


@dataclass(frozen=True, slots=True)
class FeedbackStep:
    """One end of a cable that closes a loop: ``writing`` keeps a tick of the source, the other end reads it a tick
    later.
    """

    name: str
    signal: Slot
    writing: bool


@dataclass(frozen=True, slots=True)
class ParamStep:
    """Values of a param, frame by frame: automation if there is any, else the stored value; then modulation; then the
    unit the kernel wants.
    """

    node: int
    param: Param
    target: Slot
    base: float
    segments: tuple[Segment, ...] = ()
    modulation: tuple[tuple[Slot, float], ...] = ()
    arrival: int = 0
    low: float = 0.0
    """A stricter lower bound than the param's own, where a loop asks for one."""
    sources: int = 0
    """A number that is the same while what is plugged into it, and when it arrives, do not change."""

    @property
    def identity(self) -> int:
        """The same, never 0, while nothing that the values are made of changes."""
        return crc32(repr(self.segments).encode(), self.sources) + 1


@dataclass(frozen=True, slots=True)
class FadeStep:
    """``wet`` where the control is 0, ``dry`` (silence, if there is none) where it is 1, and the blend between."""

    target: Slot
    wet: Slot
    dry: Slot | None
    control: Slot


class Heard(NamedTuple):
    """A cable of events where it is heard: its stable name, under which the notes it holds are known; its signal, or
    silence where it was cut; and what mutes it while it is 1, if anything does.
    """

    name: str
    signal: Slot
    mute: Slot | None = None


@dataclass(frozen=True, slots=True)
class GatherStep:
    """Cables of events as one signal. What a tick has no room for comes in the next one.

    ``node`` and ``port`` say where it is heard, for what is told of events that were lost.
    """

    name: str
    target: Slot
    cables: tuple[Heard, ...]
    node: int
    port: str


@dataclass(frozen=True, slots=True)
class EventDelayStep:
    """Compensation of events. ``name`` is as in ``DelayStep``."""

    name: str
    target: Slot
    source: Slot
    frames: int


Step = KernelStep | MixStep | DelayStep | FeedbackStep | ParamStep | FadeStep | GatherStep | EventDelayStep


@dataclass(frozen=True, slots=True)
class Loop:
    """Steps ``first`` to ``last`` (excluded) run tick by tick, because they depend on their own output."""

    first: int
    last: int
    nodes: tuple[str, ...]
    periods: tuple[tuple[str, int], ...]
    """What closes the loop (a cable, or a node that delays) and the frames until a signal comes round by it."""


@dataclass(frozen=True, slots=True)
class Compensation:
    """A delay inserted on a cable so that its end is aligned with the other inputs."""

    cable: str
    frames: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that is needed to run a patch."""

    rate: int
    nodes: tuple[CompiledNode, ...]
    steps: tuple[Step, ...]
    buffers: tuple[int, ...]
    """Lanes of each buffer."""
    loops: tuple[Loop, ...] = ()
    compensations: tuple[Compensation, ...] = ()
    cables: tuple[tuple[int, str, int, str, bool], ...] = field(default=(), repr=False)
    """Source node, port, target node, port or param, and whether it closes a loop: for reports."""

    def node(self, id: str) -> CompiledNode:
        """The node with an id. Raises KeyError."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(id)
