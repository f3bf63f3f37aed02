"""What a loaded plugin is to the rest of the host, whatever format it has and whichever backend runs it.

A backend is one class with the methods of ``PluginInstance``; what a plugin says of itself is a ``Description``, plain
data that crosses processes and is checked when it comes back (``description_from``). A param's value is *normalised*:
0…1, whatever the plugin shows; ``text`` is what it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from graph.layouts import LAYOUTS

Block = npt.NDArray[np.float32]
"""``[channel, frame]``, C-contiguous: what plugins want."""

OFF = ""
"""The layout of a bus that is switched off."""
MOST_BUSES = 64
MOST_CHANNELS = 64
"""Channels of one bus."""
MOST_PARAMS = 16384
LONGEST_TEXT = 4096
MOST_CHANGES = 4096
MOST_EVENTS = 4096
"""Changes and events in one block; what is beyond is refused by ``process`` and dropped, counted, by native calls."""
LONGEST_LATENCY = 1 << 22
"""Frames; a plugin that reports more is not believed."""


class PluginError(ValueError):
    """A plugin did not do what was asked; the message names the plugin, the call and what was expected."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A layout for each bus, in the plugin's order; ``OFF`` for a bus that is switched off."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bus:
    """An audio bus of a plugin."""

    name: str
    kind: Literal["main", "aux"]
    channels: int
    """How many it has when the plugin is fresh."""
    layout: str
    """The layout it has when the plugin is fresh, or ``OFF`` where we have no name for what it has."""
    layouts: tuple[str, ...]
    """The layouts it was seen to accept, the one it has first."""
    on: bool = True
    """Whether the plugin wants it switched on unless told otherwise."""


@dataclass(frozen=True, slots=True)
class PluginParam:
    """A param of a plugin."""

    id: int
    """Stable over versions of the plugin where the format has such ids, else its place in the list."""
    name: str
    unit: str = ""
    steps: int = 0
    """0: continuous; n: n + 1 values."""
    default: float = 0.0
    """Normalised."""
    low: str = ""
    high: str = ""
    """What the plugin shows at 0 and at 1."""
    values: tuple[str, ...] = ()
    """What it shows at each step, where there are few."""
    automatable: bool = True
    read_only: bool = False
    """The plugin's to set: a meter."""
    hidden: bool = False
    bypass: bool = False
    """The plugin's own bypass."""
    group: str = ""
    """The part of the plugin that it belongs to, and around it the part that this belongs to: ``Voice / Filter``."""
    program: bool = False
    """Whether it chooses one of the plugin's programs; ``values`` are their names."""


@dataclass(frozen=True, slots=True)
class Description:
    """All that the graph and the editor need to know of a plugin without running it."""

    format: Literal["vst3", "au"]
    uid: str
    """VST3: the class id, 32 hexadecimal digits; AU: type, subtype and manufacturer."""
    name: str
    vendor: str = ""
    version: str = ""
    category: str = ""
    instrument: bool = False
    events_in: bool = False
    inputs: tuple[Bus, ...] = ()
    outputs: tuple[Bus, ...] = ()
    arrangements: tuple[Arrangement, ...] = ()
    """Combinations of layouts that it was seen to accept, its own first."""
    params: tuple[PluginParam, ...] = ()
    latency_frames: int = 0
    """When fresh, at 48 kHz; ``PluginInstance.latency`` is what counts."""


class Change(NamedTuple):
    """A param takes a value at a frame of the block."""

    id: int
    frame: int
    value: float


class Event(NamedTuple):
    """A MIDI 1.0 channel message of one to three bytes at a frame of the block. Note on of velocity 0 is note off."""

    frame: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Transport:
    """Where the timeline is at the first frame of a block."""

    playing: bool = False
    position_frames: int = 0
    tempo: float = 120.0
    numerator: int = 4
    denominator: int = 4
    quarters: float = 0.0
    bar_quarters: float = 0.0
    """Position in quarter notes, and that of the bar's beginning."""
    recording: bool = False
    loop: tuple[float, float] | None = None
    """Begin and end of the loop in quarter notes."""
    elapsed_frames: int = 0
    """Frames since the engine started; never jumps."""


NoticeKind = Literal[
    "latency",
    "layouts",
    "params",
    "names",
    "controllers",
    "state",
    "edit",
    "touch",
    "release",
    "reload",
    "trouble",
    "entered",
    "left",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the plugin told its host, or that was found out about it.

    ``latency``: ``latency()`` has a new value, at the latest after a ``reset`` between blocks. ``layouts``: it has
    other buses than it is prepared for; it is to be closed and opened again. ``params``: values changed (a preset was
    chosen in its window). ``names``: ``titles()`` are others. ``controllers``: MIDI controllers move other params.
    ``state``: its state became another. ``edit``: a person moved ``id`` to ``value`` in its window, between ``touch``
    and ``release``. ``reload``: it wants to be closed and opened again. ``trouble``: ``text`` says what it did wrong.
    ``entered``, ``left``: the pointer came into its window, or went out of it; of what was done there in between, the
    plugin may have said nothing.
    """

    kind: NoticeKind
    id: int = 0
    value: float = 0.0
    text: str = ""


# Words of a native call that its caller sets before each block; what they point to is the caller's to keep.
INPUTS = 0
"""Address of the addresses of the input channels, bus after bus, those that are on; float32 each."""
OUTPUTS = 1
"""The same for outputs."""
CHANGES = 2
"""Address of ``[count, (place in description.params, frame, bits of the float64 value) × count]``, by rising frame; or
0."""
EVENTS = 3
"""Address of ``[count, frame << 32 | byte 0 | byte 1 << 8 | byte 2 << 16, …]``, by rising frame; or 0."""
TRANSPORT = 4
"""Address of a transport in words (``transport_words``), or 0: stopped at zero."""
SCRUBBED = 5
"""Output samples so far that were no numbers and were replaced with zero."""
DROPPED = 6
"""Changes and events so far that did not fit or named no param."""
FAILED = 7
"""Blocks so far for which the plugin said that it failed; what it wrote all the same is kept."""
TRANSPORT_WORDS = 16


@dataclass(frozen=True, slots=True)
class NativeCall:
    """How to run blocks without the interpreter: ``int64 function(int64 words, int64 frames)``, 0 when all is well.

    Valid from ``prepare`` until the next ``prepare`` or ``close``. Never two calls at once.
    """

    function: int
    words: int


class Window(Protocol):
    """A plugin's own window. It belongs to the thread that opened it, the main one of its process."""

    @property
    def open(self) -> bool: ...

    def front(self) -> None:
        """Bring it before all others."""
        ...

    def turn(self, seconds: float = 0.0) -> None:
        """Let the window work off what happened, waiting at most so long for something. Call it over and over."""
        ...

    def close(self) -> None:
        """Take it away; more than once is harmless."""
        ...


class PluginInstance(Protocol):
    """A loaded plugin. Every method may raise PluginError; none is to be called while ``process`` runs, but ``notices``
    and those of params. Every method but ``process`` belongs to one thread, where there is a window: the main one.
    """

    description: Description
    arrangement: Arrangement
    """What it is prepared for."""

    def prepare(self, rate: float, max_block: int, arrangement: Arrangement | None = None) -> None:
        """Be ready to process up to ``max_block`` frames; None: its own layouts, every bus on that has one and that the
        backend runs. State and params stay. May be called again. Raises PluginError where the layouts are refused, in
        which case nothing is prepared.
        """
        ...

    def process(
        self,
        inputs: Sequence[Block],
        outputs: Sequence[Block],
        events: Sequence[Event] = (),
        changes: Sequence[Change] = (),
        transport: Transport | None = None,
    ) -> None:
        """Run one block in place: one array per bus that is on, all of one length of at most ``max_block`` frames.

        Outputs are finite, whatever the plugin did. Latency stays in the audio.
        """
        ...

    def native(self) -> NativeCall | None:
        """How to do the same without the interpreter, or None where the backend cannot."""
        ...

    def latency(self) -> int:
        """Frames by which its output lags; prepared instances only."""
        ...

    def tail(self) -> int | None:
        """Frames it sounds on after its input falls silent; None: for ever, or unknown."""
        ...

    def reset(self) -> None:
        """Forget all sound (the transport jumped); params stay."""
        ...

    def get(self, id: int) -> float:
        """A param's value, normalised."""
        ...

    def set(self, id: int, value: float) -> None:
        """Set a param; heard from the next block on."""
        ...

    def heed_programs(self) -> None:
        """Hear what programs that were chosen turned, from the next block on. Some plugins do so by themselves; of
        others only the half that is shown knows.
        """
        ...

    def titles(self) -> dict[int, tuple[str, str]]:
        """What its params are called now, and their units, by their ids."""
        ...

    def text(self, id: int, value: float) -> str:
        """What the plugin shows for a normalised value, its unit not included."""
        ...

    def value_of(self, id: int, text: str) -> float | None:
        """The normalised value that a text stands for, or None where the plugin cannot tell."""
        ...

    def state(self) -> bytes:
        """All of its state; for VST3 the bytes of a ``.vstpreset``, whatever the backend. Not during ``process``.

        After ``set``, call it when a block has run; else it runs a short silent one itself, for plugins learn of values
        only in blocks.
        """
        ...

    def state_in_play(self) -> bytes | None:
        """The same while blocks may be under way; None where that cannot be, or values still wait for a block."""
        ...

    def set_state(self, data: bytes) -> None:
        """Take over a state. Raises PluginError, with the state before still in force where the plugin can do that."""
        ...

    def notices(self) -> list[Notice]:
        """What happened since the last call. Call it often, between blocks or not."""
        ...

    def open_window(self, title: str) -> Window:
        """Open the plugin's own window. Raises PluginError where it has none, or none can be opened here."""
        ...

    def close(self) -> None:
        """Let go of the plugin; more than once is harmless."""
        ...


def transport_words(transport: Transport) -> npt.NDArray[np.int64]:
    """A transport as the words that native calls read: flags (1 playing, 2 recording, 4 looping), position, elapsed,
    numerator, denominator, then the bits of tempo, quarters, bar, loop begin, loop end.
    """
    words = np.zeros(TRANSPORT_WORDS, np.int64)
    begin, end = transport.loop or (0.0, 0.0)
    words[0] = transport.playing | transport.recording << 1 | (transport.loop is not None) << 2
    words[1:5] = (transport.position_frames, transport.elapsed_frames, transport.numerator, transport.denominator)
    words[5:10].view(np.float64)[:] = (transport.tempo, transport.quarters, transport.bar_quarters, begin, end)
    return words


def plain(description: Description) -> dict[str, Any]:
    """A description as maps, lists, texts and numbers."""
    return asdict(description)


def description_from(data: object, place: str = "plugin") -> Description:
    """A description from what ``plain`` gave, checked. Raises PluginError saying where it is wrong."""
    try:
        return _description(data, NOWHERE)
    except PluginError:
        return _description(data, place)  # once more, to say where


NOWHERE = ""
"""The place of what is checked without noting where it is: with tens of thousands of params that takes long."""


def _description(data: object, place: str) -> Description:
    return Description(**_fields(_map(data, place), _DESCRIPTION, place))


def _fields(data: Mapping[Any, Any], shape: Mapping[str, Any], place: str) -> dict[str, Any]:
    if missing := sorted(set(shape) - set(data)):
        raise PluginError(f"{place}: {missing[0]!r} is missing")
    if place == NOWHERE:
        return {name: check(data[name], NOWHERE) for name, check in shape.items()}
    return {name: check(data[name], f"{place}.{name}") for name, check in shape.items()}


def _map(value: object, place: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise PluginError(f"{place}: a map was expected, not {type(value).__name__}")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise PluginError(f"{place}: a text of at most {LONGEST_TEXT} characters was expected")
    return value


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise PluginError(f"{place}: true or false was expected")
    return value


def _integer(low: int, high: int) -> Any:
    def check(value: object, place: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise PluginError(f"{place}: a whole number from {low} to {high} was expected")
        return value

    return check


def _unit(value: object, place: str) -> float:
    if not isinstance(value, float | int) or isinstance(value, bool) or not 0 <= value <= 1:
        raise PluginError(f"{place}: a number from 0 to 1 was expected")
    return float(value)


def _choice(*choices: str) -> Any:
    def check(value: object, place: str) -> str:
        if value not in choices:
            raise PluginError(f"{place}: one of {', '.join(map(repr, choices))} was expected")
        return str(value)

    return check


def _list(each: Any, most: int) -> Any:
    def check(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise PluginError(f"{place}: a list of at most {most} was expected")
        if place == NOWHERE:
            return tuple([each(item, NOWHERE) for item in value])
        return tuple(each(item, f"{place}[{k}]") for k, item in enumerate(value))

    return check


_layouts = _list(_choice(OFF, *LAYOUTS), MOST_BUSES)


def _arrangement(value: object, place: str) -> Arrangement:
    return Arrangement(**_fields(_map(value, place), {"inputs": _layouts, "outputs": _layouts}, place))


_BUS = {
    "name": _text,
    "kind": _choice("main", "aux"),
    "channels": _integer(0, MOST_CHANNELS),
    "layout": _choice(OFF, *LAYOUTS),
    "layouts": _layouts,
    "on": _flag,
}
_PARAM = {
    **{"id": _integer(0, 0xFFFFFFFF), "steps": _integer(0, 0x7FFFFFFF), "default": _unit},
    **dict.fromkeys(("name", "unit", "low", "high"), _text),
    **{"values": _list(_text, 1024), "group": _text},
    **dict.fromkeys(("automatable", "read_only", "hidden", "bypass", "program"), _flag),
}
LATER = {"group": "", "program": False}
"""What was not yet known of params when older scans kept what they found."""


def _bus(value: object, place: str) -> Bus:
    return Bus(**_fields(_map(value, place), _BUS, place))


def _param(value: object, place: str) -> PluginParam:
    return PluginParam(**_fields({**LATER, **_map(value, place)}, _PARAM, place))


_DESCRIPTION = {
    **{"format": _choice("vst3", "au"), "inputs": _list(_bus, MOST_BUSES), "outputs": _list(_bus, MOST_BUSES)},
    **{"params": _list(_param, MOST_PARAMS), "arrangements": _list(_arrangement, 64)},
    **dict.fromkeys(("uid", "name", "vendor", "version", "category"), _text),
    **{"instrument": _flag, "events_in": _flag, "latency_frames": _integer(0, LONGEST_LATENCY)},
}
