"""What a node kind is.

A kind is one class in one file. Everything else (palette, inspector, command line, docs, contract tests, the native
call) is derived from the declaration, so nothing about a kind is written twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from graph.declare import (
    GROUPS,
    LANES,
    RAMP,
    TICK,
    WATCHED,
    AudioIn,
    AudioIns,
    AudioOut,
    AudioOuts,
    Choice,
    ChoiceSetting,
    ControlIn,
    ControlOut,
    EventsIn,
    EventsOut,
    Kernel,
    LayoutSetting,
    Level,
    Memory,
    Param,
    ParamBank,
    Params,
    Port,
    PortBank,
    Ports,
    Reading,
    Scratch,
    Setting,
    Settings,
    Sidechain,
    State,
    Stream,
    Switch,
    helper,
    kernel,
)
from graph.errors import PatchError
from graph.layouts import channels_of
from graph.plugins import OpenedPlugin, PluginAbout, PluginRequest, Words

__all__ = [
    "GROUPS",
    "LANES",
    "RAMP",
    "TICK",
    "WATCHED",
    "AudioIn",
    "AudioInfo",
    "AudioIns",
    "AudioOut",
    "AudioOuts",
    "Choice",
    "ChoiceSetting",
    "Config",
    "ControlIn",
    "ControlOut",
    "EventsIn",
    "EventsOut",
    "FileRequest",
    "Kernel",
    "LayoutSetting",
    "Level",
    "Memory",
    "Node",
    "Param",
    "ParamBank",
    "Params",
    "PatchError",
    "Port",
    "PortBank",
    "Ports",
    "Reading",
    "Scratch",
    "Services",
    "Setting",
    "Sidechain",
    "Song",
    "State",
    "Stream",
    "Switch",
    "helper",
    "kernel",
]

Item = TypeVar("Item")

BUILT_IN_PARAMS: dict[str, Param] = {
    "bypass": Switch("bypass", doc="Pass the first input to the first output, latency kept."),
    "mute": Switch("mute", doc="Silence every output."),
}
"""What every node has beside its own params; a kind's own param of the same name comes first."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Config:
    """What a node is when it is compiled: all of its structure, and the stored values of its params."""

    id: str
    settings: Settings
    params: Mapping[str, float]
    rate: float
    layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    plugged: frozenset[str] = frozenset()
    """Input ports that have a cable."""
    driven: frozenset[str] = frozenset()
    """Params that automation or a cable moves."""
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the kind's ``info`` hook found out."""
    tempo: float = 120.0
    """Beats per minute of the patch's transport."""
    state: bytes | None = None
    """What the patch keeps for the node beside its params."""
    given: frozenset[str] = frozenset()
    """Params that the patch gives a value, default or not."""

    def channels(self, port: str) -> int:
        """Channels of a port, once the layouts are known."""
        return channels_of(self.layouts[port])


class AudioInfo(Protocol):
    """What is known of an audio file without reading it."""

    @property
    def rate(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class FileRequest:
    """Which file a stream is served from, or kept in, and where it lies on the timeline."""

    path: str
    start_s: float = 0.0
    """Where on the timeline its first frame is heard."""
    offset_s: float = 0.0
    """How far into the file that frame lies."""
    loop: bool = False
    subtype: str = "FLOAT"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Song:
    """What a MIDI file plays."""

    events: npt.NDArray[np.int64]
    """``[event, (frame, status | first data byte << 8 | second << 16)]``, by rising frame; channel messages only."""
    frames: int
    """Its length."""


class Services(Protocol):
    """What a kind may ask of whoever compiles it; nothing else of the outside world is reachable from a declaration."""

    def audio_info(self, path: str) -> AudioInfo:
        """Rate, length and channels of a file that the patch names. Raises PatchError."""
        ...

    def read_audio(self, path: str, rate: float) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
        """A whole file at ``rate``: ``[frame, channel]`` and its labels. Raises PatchError, also for absurd sizes."""
        ...

    def read_midi(self, path: str, rate: float) -> Song:
        """A MIDI file that the patch names, in frames at ``rate``. Raises PatchError."""
        ...

    def midi_input(self, node: str, device: str) -> Words:
        """Where what a MIDI device sends to a node comes in: the words that ``nodes.midi_in`` reads."""
        ...

    def user_node(self, path: str) -> type[Node]:
        """The class that a Python file of the user's declares. Raises PatchError where there is none, or it is not
        trusted.
        """
        ...

    def plugin(self, settings: Settings) -> PluginAbout:
        """What is known of the plugin that a node's settings name. Raises PatchError where there is none."""
        ...

    def open_plugin(self, request: PluginRequest) -> OpenedPlugin:
        """Begin to load a plugin, or find the one that was loaded for the same request. Raises PatchError."""
        ...

    def plugin_words(self, number: int) -> Words:
        """Where native code hands audio over to a plugin: the words that ``nodes.dsp.handover`` reads.

        The plugin is kept for as long as somebody holds this array.
        """
        ...


class Node:
    """The base of every kind. A subclass declares; it is never instantiated.

    Class attributes that are declarations (ports, params, settings, states, …) become the arguments of the kernel by
    their attribute names.
    """

    kind: ClassVar[str] = ""
    family: ClassVar[str] = "utility"
    """Where the palette shows it: input, mix, space, dynamics, tone, time, control, analysis, utility."""
    bypassable: ClassVar[bool] = False
    """Whether bypass makes sense: the first input goes to the first output, and both have one layout."""
    wide: ClassVar[bool] = False
    """Whether the kernel takes several nodes side by side: it must then use ``out.groups`` and ``out.channels``, and
    no memory, except in nodes that ``alone`` keeps out of wide steps.
    """
    accumulates: ClassVar[bool] = False
    """Whether the kernel writes each frame of its output exactly once, so that it may add into a sum instead of
    writing a buffer.
    """

    anchored: ClassVar[bool] = True
    """Whether a kind whose kernel asks for the time has to begin anew where its time on the timeline becomes another;
    not for those that only pass it on.
    """
    varies: ClassVar[bool] = False
    """Whether ``variant`` must be asked what a node's ports and params are."""
    plugin: ClassVar[PluginAbout | None] = None
    """What is known of the plugin that the kind stands for, if it does."""

    process: ClassVar[Kernel]
    emit: ClassVar[Kernel | None] = None
    """Where the kind may break a feedback loop: writes the outputs from state alone …"""
    absorb: ClassVar[Kernel | None] = None
    """… and takes the inputs in, at the end of the same tick. ``process`` is the two together."""
    submit: ClassVar[Kernel | None] = None
    """Where the work is done elsewhere: hands the inputs and params over, as soon as they are there …"""
    collect: ClassVar[Kernel | None] = None
    """… and writes the outputs, before they are first needed. ``process`` is the two together, for loops."""

    declared: ClassVar[dict[str, Any]] = {}
    worked_out: ClassVar[dict[Hashable, Any]] = {}
    """What others have worked out of the declaration, each under a name of its own: it goes when the kind does."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        fields = (Port, PortBank, Ports, Param, ParamBank, Setting, State, Scratch, Memory, Stream, Reading)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, fields)}
        cls.declared = {**cls.declared, **own}
        cls.worked_out = {}

    @classmethod
    def every(cls, sort: type[Item]) -> tuple[Item, ...]:
        """What was declared of one sort, in that order."""
        found = cls.worked_out.get(sort)
        if found is None:
            found = cls.worked_out[sort] = tuple(item for item in cls.declared.values() if isinstance(item, sort))
        return found

    @classmethod
    def settings_declared(cls) -> tuple[Setting, ...]:
        """The settings, in the order they were declared."""
        return cls.every(Setting)

    @classmethod
    def ports(cls, settings: Settings) -> tuple[Port, ...]:
        """The ports a node with these settings has, in order; the first input and the first output are main."""
        found: list[Port] = []
        for item in cls.declared.values():
            if isinstance(item, Port):
                found.append(item)
            elif isinstance(item, PortBank):
                found += [Port(n, item.flow, item.type, item.layout, item.doc) for n in item.names(settings)]
        return tuple(found)

    @classmethod
    def params(cls, settings: Settings) -> tuple[Param, ...]:
        """The params a node with these settings has, in order."""
        found: list[Param] = []
        for item in cls.declared.values():
            if isinstance(item, Param):
                found.append(item)
            elif isinstance(item, ParamBank):
                found += item.make(settings)
        return tuple(found)

    @classmethod
    def variant(cls, settings: Settings, services: Services) -> type[Node]:
        """The kind that a node with these settings really is, for kinds that vary: equal settings and an equal outside
        world give the same class. Raises PatchError where that is not to be known.
        """
        return cls

    @classmethod
    def check(cls, config: Config) -> None:
        """Refuse what the declarations alone cannot: raise PatchError. Layouts are not known yet."""

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """The layouts of ``auto`` outputs, given those of the inputs in ``config.layouts``.

        By default each follows the main input. Raise PatchError where the inputs do not fit.
        """
        return {}

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        """What a kind must learn of the outside world before its layouts are known, by name; kept in ``config.info``.

        Raises PatchError; where missing things are allowed, the kind must then do with an empty ``config.info``.
        """
        return {}

    @classmethod
    def latency(cls, config: Config) -> int:
        """Frames by which the outputs lag the inputs."""
        return 0

    @classmethod
    def alone(cls, config: Config) -> bool:
        """Whether a node of a wide kind runs by itself all the same, because it needs memory as it is configured."""
        return False

    @classmethod
    def tail(cls, config: Config) -> float:
        """Seconds the node may still sound after its input fell silent; ``math.inf`` for a source."""
        return 0.0

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """What ``prepare`` depends on beside settings, layouts and rate; while it is equal, memory lasts through a
        recompile.
        """
        return None

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, Array]:
        """The arrays of every ``Memory`` field, by attribute name, allocated and filled. Control side; may take its
        time.
        """
        return {}

    @classmethod
    def learned(cls, config: Config, services: Services) -> bytes | None:
        """What a kind learns of the files that its settings name, to be kept in the patch as the node's state, so that
        the patch can do without them; None where it learns nothing. Control side; may take its time. Raises PatchError.
        """
        return None

    @classmethod
    def file(cls, config: Config) -> FileRequest | None:
        """For kinds with a stream that serves a file: which one. None where no path is set."""
        return None

    @classmethod
    def ends_at(cls, config: Config) -> int | None:
        """For a source that plays something of a certain length without a stream: the frame of the timeline at which
        that is over. None where nothing is, or it has no end.
        """
        return None

    @classmethod
    def response(cls, config: Config, freqs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
        """Magnitude in dB at ``freqs`` (Hz), for kinds that have a curve to draw."""
        return None

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]


Kinds = Mapping[str, type[Node]]
