"""What a loaded plugin is to the rest of the host, whatever format it has and whichever backend runs it.

A backend is one class with the methods of ``PluginInstance``. A param's value is *normalised*: 0…1, whatever the plugin
shows; ``text`` is what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from host.plugins.description import Arrangement, Description
from host.plugins.errors import PluginError

Block = npt.NDArray[np.float32]
"""``[channel, frame]``, C-contiguous: what plugins want."""

MOST_CHANGES = 4096
MOST_EVENTS = 4096
"""Changes and events in one block; what is beyond is refused by ``process`` and dropped, counted, by native calls."""


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


def check_buses(description: Description, arrangement: Arrangement) -> None:
    """Raise PluginError where an arrangement has more or fewer buses than the plugin."""
    for side, layouts, buses in (
        ("input", arrangement.inputs, description.inputs),
        ("output", arrangement.outputs, description.outputs),
    ):
        if len(layouts) != len(buses):
            raise PluginError(f"{description.name} has {len(buses)} {side} buses, not {len(layouts)}")


def checked_frames(
    name: str, inputs: Sequence[Block], outputs: Sequence[Block], wanted: tuple[list[int], list[int]], most: int
) -> int:
    """The length of a block whose arrays have the ``wanted`` channels. Raises PluginError."""
    for side, channels, given in (("input", wanted[0], inputs), ("output", wanted[1], outputs)):
        if [len(array) for array in given] != channels:
            raise PluginError(f"{name} takes {channels} channels of {side}, not {[len(array) for array in given]}")
    lengths = {array.shape[1] for array in (*inputs, *outputs)}
    if len(lengths) > 1 or any(length > most for length in lengths):
        raise PluginError(f"{name}: blocks have one length of at most {most} frames")
    return lengths.pop() if lengths else 0


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
