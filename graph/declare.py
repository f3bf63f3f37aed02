"""The fields of a declaration: ports, params, settings, state, and the markers of what is compiled."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from graph.errors import PatchError
from graph.layouts import EVENTS, LAYOUTS

if TYPE_CHECKING:
    from graph.spec import Config

F = TypeVar("F", bound=Callable[..., Any])

TICK = 64
"""Frames in a tick: the grain of control rate, feedback and alignment."""

RAMP = 8 * TICK
"""Frames over which what is changed while it sounds goes from one state to the other: params, bypass, mute, edits."""

LANES = "lanes"
"""A state or scratch axis with one entry per lane of the main signal."""

GROUPS = "groups"
"""A state or scratch axis with one entry per node in the step (one, unless the step is wide)."""

Flow = Literal["in", "out"]
PortType = Literal["audio", "sidechain", "control", "events"]
SettingType = Literal["text", "path", "integer", "number", "switch", "choice", "layout", "map", "midi_device"]
"""A ``midi_device`` is the name of one, or a part of it, as text; empty: all that there are."""
Settings = Mapping[str, Any]
Labels = Callable[[Settings], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Port:
    """Where a cable plugs in.

    ``layout`` is a layout's name, ``"auto"`` (the widest cable for an input; the main input's layout for an output),
    ``"any"`` (an input that keeps whatever width arrives) or ``"=name"`` (the layout that the setting ``name`` holds).
    ``fallback`` names the input that is heard where this one has no cable; without it there is silence.
    """

    name: str
    flow: Flow
    type: PortType = "audio"
    layout: str = "auto"
    doc: str = ""
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class PortBank:
    """Ports whose number and names follow from the settings; the kernel gets them as one tuple of views, all mono or
    of one layout.
    """

    names: Labels
    flow: Flow
    type: PortType = "audio"
    layout: str = "mono"
    doc: str = ""


def AudioIn(name: str = "in", layout: str = "auto", doc: str = "") -> Port:
    """An audio input; it sums what is plugged into it."""
    return Port(name, "in", "audio", layout, doc)


def AudioOut(name: str = "out", layout: str = "auto", doc: str = "") -> Port:
    """An audio output."""
    return Port(name, "out", "audio", layout, doc)


def Sidechain(name: str = "sidechain", fallback: str | None = None, doc: str = "") -> Port:
    """An audio input that only controls; it keeps the width of what is plugged in."""
    return Port(name, "in", "sidechain", "any", doc, fallback)


def ControlIn(name: str = "in", doc: str = "") -> Port:
    """A control input: one float32 value per frame."""
    return Port(name, "in", "control", "mono", doc)


def ControlOut(name: str = "out", doc: str = "") -> Port:
    """A control output: one float32 value per frame."""
    return Port(name, "out", "control", "mono", doc)


def EventsIn(name: str = "events", doc: str = "") -> Port:
    """An input of MIDI events. What several cables bring comes by frame, at one frame in the order of the sources'
    names; notes that a cable holds when it is cut, or its source is muted, are ended.

    A kernel sees two lanes, and each tick of 64 frames as 64 rows, one for each event; the first row whose lane 0 is 0
    ends them. ``x[row, 0]`` is the event's frame in the tick plus 64 times its status byte, ``x[row, 1]`` its first
    data byte plus 128 times its second, all of them whole numbers. The status ``nodes.dsp.events.RELEASE`` ends all
    notes that came by the same cable.
    """
    return Port(name, "in", "events", EVENTS, doc)


def EventsOut(name: str = "out", doc: str = "") -> Port:
    """An output of MIDI events, written as ``EventsIn`` says: by rising frame, and with an end in every tick."""
    return Port(name, "out", "events", EVENTS, doc)


def AudioIns(names: Labels, layout: str = "mono", doc: str = "") -> PortBank:
    """Audio inputs named by the settings."""
    return PortBank(names, "in", "audio", layout, doc)


def AudioOuts(names: Labels, layout: str = "mono", doc: str = "") -> PortBank:
    """Audio outputs named by the settings."""
    return PortBank(names, "out", "audio", layout, doc)


@dataclass(frozen=True, slots=True)
class Param:
    """A number the user may turn, in its display unit.

    ``rate`` is ``"frame"`` (a value for every frame) or ``"tick"`` (held over a tick, and from a breakpoint on: for
    what is costly to redesign). ``as_gain`` hands decibels to the kernel as linear gain, with ``low`` as exactly
    zero.
    """

    name: str
    default: float
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    curve: Literal["linear", "log", "switch", "choice", "integer"] = "linear"
    doc: str = ""
    rate: Literal["frame", "tick"] = "frame"
    as_gain: bool = False
    choices: tuple[str, ...] = ()
    modulatable: bool = True

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"param {self.name}: default {self.default} is outside {self.low}…{self.high}")
        if self.curve == "log" and self.low <= 0:
            raise ValueError(f"param {self.name}: a logarithmic range must be positive")


def Level(name: str = "level_db", default: float = 0.0, high: float = 24.0, doc: str = "Level.") -> Param:
    """A level in decibels that reaches the kernel as linear gain; its lowest value, −96 dB, is exactly zero."""
    return Param(name, default, -96.0, high, "dB", doc=doc, as_gain=True)


def Switch(name: str, default: int = 0, doc: str = "", rate: Literal["frame", "tick"] = "frame") -> Param:
    """An on/off param, 0 or 1. A kernel sees the values between while it is being switched, so that it can fade."""
    return Param(name, default, 0.0, 1.0, "", "switch", doc, rate)


def Choice(name: str, choices: Sequence[str], default: int = 0, doc: str = "") -> Param:
    """A param that picks one of several named things by number."""
    return Param(
        name, default, 0.0, len(choices) - 1.0, "", "choice", doc, "tick", choices=tuple(choices), modulatable=False
    )


@dataclass(frozen=True, slots=True)
class ParamBank:
    """Params that belong together; the kernel gets them as one view ``bank[frame, index, lane]``.

    With ``raw`` it gets the address of ``[(address, stride) × count]`` instead, and one code serves any number of
    them: the value (float32) at a frame of the block is at the address, ``frame · stride`` elements on.
    """

    make: Callable[[Settings], Sequence[Param]]
    raw: bool = False


def Params(make: Callable[[Settings], Sequence[Param]] | Sequence[Param], *, raw: bool = False) -> ParamBank:
    """A bank of params, fixed or following from the settings."""
    if callable(make):
        return ParamBank(make, raw)
    fixed = tuple(make)
    return ParamBank(lambda settings: fixed, raw)


@dataclass(frozen=True, slots=True)
class Setting:
    """A structural choice; changing it recompiles."""

    name: str
    default: Any
    type: SettingType
    doc: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def check(self, value: Any) -> Any:
        """The value in its canonical type.

        Raises PatchError saying what was expected.
        """
        match self.type:
            case "switch":
                if isinstance(value, bool) or value in (0, 1):
                    return bool(value)
            case "integer" | "number":
                if (
                    isinstance(value, (int, float))
                    and not isinstance(value, bool)
                    and _within(value, self.low, self.high)
                ):
                    if self.type == "number":
                        return float(value)
                    if float(value).is_integer():
                        return int(value)
            case "choice" | "layout":
                if isinstance(value, str) and value in self.choices:
                    return value
            case "text" | "path" | "midi_device":
                if isinstance(value, str):
                    return value
            case "map":
                if isinstance(value, Mapping):
                    return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise PatchError(f"expected {self.expected}, found {_brief(value)}")

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        match self.type:
            case "switch":
                return "true or false"
            case "choice" | "layout":
                return "one of " + ", ".join(self.choices)
            case "integer" | "number":
                noun = "a whole number" if self.type == "integer" else "a number"
                if self.low is None and self.high is None:
                    return noun
                if self.high is None:
                    return f"{noun} of at least {self.low:g}"
                return f"{noun} from {self.low:g} to {self.high:g}"
            case "text" | "path" | "midi_device":
                return {"text": "text", "path": "a path as text"}.get(self.type, "a MIDI device's name as text")
            case "map":
                return "a map"


def LayoutSetting(
    name: str = "layout", default: str = "stereo", doc: str = "Channel layout.", *, auto: bool = False
) -> Setting:
    """A setting that holds the name of a layout, or ``auto`` where the kind allows it."""
    return Setting(name, default, "layout", doc, (("auto",) if auto else ()) + tuple(LAYOUTS))


def ChoiceSetting(name: str, choices: Sequence[str], default: str | None = None, doc: str = "") -> Setting:
    """A setting that holds one of several words."""
    return Setting(name, choices[0] if default is None else default, "choice", doc, tuple(choices))


Dim = int | str
Shape = tuple[Dim, ...] | Callable[["Config"], tuple[Dim, ...]]


@dataclass(frozen=True, slots=True)
class State:
    """A small array that lasts from call to call. Axes may be ``LANES`` or ``GROUPS``, which must then be the last
    one.
    """

    shape: Shape = (GROUPS,)
    dtype: Literal["f8", "f4", "i8"] = "f8"
    init: float = 0.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """Working space of one kernel call, contents undefined at its start; keep it to a tick's worth."""

    shape: Shape
    dtype: Literal["f8", "f4", "i8"] = "f8"


@dataclass(frozen=True, slots=True)
class Memory:
    """A large array (a delay line, a spectrum) that the kind's ``prepare`` allocates and fills; it lasts as state
    does.
    """

    ndim: int = 2
    dtype: Literal["f8", "f4", "i8"] = "f4"
    held: bool = False
    """The array that ``prepare`` gives is kept itself, not copied: for one that somebody else watches or writes."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of one flow at once, of whatever widths, for kernels that work on raw memory.

    The kernel gets the address of ``[count, (address, lanes, pitch) × count]``: of each port, in order, its first
    sample in the block (not in the call: see ``block_offset``), its lanes, and the samples from one frame to the next.
    """

    flow: Flow


@dataclass(frozen=True, slots=True)
class Stream:
    """Frames that come from, or go to, a device or a file: addressed by timeline frame, served by the host.

    The kernel sees ``stream[frame, channel]``; only frames from ``stream.start`` to before ``stream.end`` are there.
    ``stream[frame, i, channel]`` is the i-th from a frame on, for i below ``stream.run(frame)``: a loop over such an
    i becomes vector code. With ``serves="file"`` the kind's ``file`` hook says which file, and where on the timeline
    it lies.
    """

    flow: Flow
    serves: Literal["device", "file"] = "device"


WATCHED = 1e-9
"""The least that a watched reading holds while somebody looks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Values a node publishes to be looked at, one per lane or as ``shape`` says; the kernel writes them.

    One that is ``watched`` costs something that matters, so the kernel measures only where the first value is not
    zero: whoever wants to look puts ``WATCHED`` there, and the kernel never writes less.
    """

    unit: str = ""
    doc: str = ""
    shape: Shape = (LANES,)
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function that is compiled to native code and called on the audio thread."""

    function: types.FunctionType

    @property
    def arguments(self) -> tuple[str, ...]:
        """The argument names: attributes of the kind, or one of those that ``kernel`` lists."""
        code = self.function.__code__
        return code.co_varnames[: code.co_argcount]


def kernel(function: Callable[..., None]) -> Kernel:
    """Mark the function that is a node's sound. Its arguments are chosen by name from the declaration, plus

    ``n``: frames in this call, a whole number of ticks; ``time``: the clock at its first frame, at this node, which
    never stops or jumps; ``position``: the frame of the timeline there, which stands still while the transport does;
    ``roll`` and ``slope``: how far what the transport plays is faded in (float64), and its change per frame; ``rate``:
    frames per second (float64); ``skew``: frames by which the input of a loop-breaking node lags its output;
    ``faded``: frames since what replaces something else began to be heard; ``block_offset``: frames from the start of
    the block; ``block_deadline``: when the block must be done (nanoseconds of the machine's monotonic clock), 0 if it
    may take its time.
    """
    assert isinstance(function, types.FunctionType)
    return Kernel(function)


def helper(function: F) -> F:
    """Mark a function that kernels call: compiled with them, and plain Python everywhere else."""
    function.__native_helper__ = True  # pyright: ignore[reportFunctionMemberAccess]
    return function


def _within(value: float, low: float | None, high: float | None) -> bool:
    return value == value and (low is None or value >= low) and (high is None or value <= high)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
