"""The agreement between the schedule's tables and native code.

A step is called as ``step(args, offset, n)``: the address of its table of 64-bit words, the frames from the start of
the block at which to work, and the frames to do; both are whole ticks. Words 0 to 2 of the table are the address of
the context, the arrival of the node, and its skew; then come four words for each view, in the order of the kernel's
arguments, as ``View`` words say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from graph.spec import (
    GROUPS,
    LANES,
    Config,
    Memory,
    Node,
    Param,
    ParamBank,
    Port,
    PortBank,
    Ports,
    Reading,
    Scratch,
    State,
    Stream,
)

# Words of the context, one per running schedule, or one for all that follow one another in an engine. TIME is the
# clock, which only ever advances; PLACE is the frame of the timeline, which goes on while ROLLING is 1. JUMPS counts
# what is not a going on: locates and loop wraps. ROLL (float64) is how far players are faded in, SLOPE its change per
# frame. FADE is the clock at which what replaces something else begins to be heard. DEADLINE is when the block must be
# done, in nanoseconds of the machine's monotonic clock; 0 offline, where nothing is late.
CONTEXT_WORDS = 16
TIME, RATE, FAULT, FRAMES, SCRUBBED = 0, 1, 2, 3, 4
PLACE, ROLLING, JUMPS, ROLL, SLOPE, FADE, DEADLINE = 5, 6, 7, 8, 9, 10, 11
# Words of a stream's header.
STREAM_WORDS = 8
STREAM_DATA, STREAM_MASK, STREAM_START, STREAM_END, STREAM_CHANNELS, STREAM_MISSED = 0, 1, 2, 3, 4, 5
# Words of a step's table before the first view, and of each view.
HEADER_WORDS = 3
VIEW_WORDS = 4

Mode = Literal["in", "out", "add", "param", "bank", "state", "scratch", "memory", "stream_in", "stream_out", "raw"]
RESERVED = ("n", "time", "position", "rate", "skew", "roll", "slope", "faded", "block_offset", "block_deadline")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kernel, with all that is constant about it.

    ``count`` is the number of views of a port bank (the kernel sees a tuple), or the number of params in a bank, else
    0. ``word`` is the first word of its views in the step's table, or -1 for scratch and reserved names.
    """

    name: str
    mode: Mode | Literal["reserved"]
    dtype: str = "f4"
    lanes: int = 1
    channels: int = 1
    pitch: int = 0
    dims: tuple[int, ...] = ()
    count: int = 0
    word: int = -1

    @property
    def views(self) -> int:
        """How many views the table holds for it."""
        if self.word < 0:
            return 0
        return self.count if self.mode in ("in", "out", "add") and self.count else 1


@dataclass(frozen=True, slots=True)
class Signature:
    """All that a compiled kernel depends on beside its source: the key of a specialisation."""

    arguments: tuple[Argument, ...]
    groups: int
    moving: bool
    checked: bool

    @property
    def words(self) -> int:
        """Size of the table of a step with this signature."""
        return HEADER_WORDS + VIEW_WORDS * sum(a.views for a in self.arguments)


def dims_of(shape: object, config: Config, lanes: int, groups: int) -> tuple[int, ...]:
    """A declared shape in numbers."""
    dims = shape(config) if callable(shape) else shape
    assert isinstance(dims, tuple)
    return tuple(lanes if d == LANES else groups if d == GROUPS else int(d) for d in dims)


def main_lanes(kind: type[Node], config: Config) -> int:
    """Channels of the signal a kind works on: its main input's, else its main output's."""
    ports = kind.ports(config.settings)
    for flow in ("in", "out"):
        for port in ports:
            if port.flow == flow and port.type == "audio":
                return config.channels(port.name)
    return 1


def signature(
    kind: type[Node],
    arguments: tuple[str, ...],
    config: Config,
    *,
    groups: int = 1,
    moving: bool = False,
    adding: bool = False,
    pitches: dict[str, int] | None = None,
    checked: bool = False,
) -> Signature:
    """The signature of one of a kind's kernels for a configuration.

    ``groups``: nodes side by side; ``moving``: params may change within the call; ``adding``: the main output adds
    into its buffer; ``pitches``: lanes of the buffer of a port where the port is a slice of a wider one.
    """
    channels = main_lanes(kind, config)
    lanes = channels * groups
    found: list[Argument] = []
    word = HEADER_WORDS
    first_out = True
    for name in arguments:
        if name in RESERVED:
            found.append(Argument(name, "reserved"))
            continue
        field = kind.declared[name]
        match field:
            case Port():
                own = config.channels(field.name)
                mode: Mode = "in" if field.flow == "in" else "out"
                if mode == "out" and first_out:
                    mode = "add" if adding else "out"
                    first_out = False
                pitch = (pitches or {}).get(field.name, own * groups)
                arg = Argument(name, mode, "f4", own * groups, own, pitch, word=word)
            case PortBank():
                names = field.names(config.settings)
                own = config.channels(names[0]) if names else 1
                arg = Argument(
                    name, "in" if field.flow == "in" else "out", "f4", own, own, own, count=len(names), word=word
                )
            case Param():
                arg = Argument(name, "param", "f4", lanes, channels, word=word)
            case ParamBank(raw=True):
                arg = Argument(name, "raw", word=word)
            case ParamBank():
                arg = Argument(name, "bank", "f4", lanes, channels, count=len(field.make(config.settings)), word=word)
            case State() | Reading():
                dtype = field.dtype if isinstance(field, State) else "f4"
                arg = Argument(
                    name, "state", dtype, lanes, channels, dims=dims_of(field.shape, config, lanes, groups), word=word
                )
            case Scratch():
                arg = Argument(name, "scratch", field.dtype, dims=dims_of(field.shape, config, lanes, groups))
            case Memory():
                arg = Argument(name, "memory", field.dtype, dims=(0,) * field.ndim, word=word)
            case Ports():
                arg = Argument(name, "raw", word=word)
            case Stream():
                port = next(p for p in kind.ports(config.settings) if p.type == "audio")
                own = config.channels(port.name)
                arg = Argument(name, "stream_in" if field.flow == "in" else "stream_out", "f4", own, own, word=word)
            case _:
                raise TypeError(f"{kind.kind}: the kernel's argument {name} names no declaration")
        found.append(arg)
        word += VIEW_WORDS * arg.views
    moving = moving and any(arg.mode in ("param", "bank") for arg in found)
    return Signature(tuple(found), groups, moving, checked)


def without_words(argument: Argument) -> Argument:
    """The argument with its place in the table forgotten."""
    return replace(argument, word=-1)
