"""The closed set of messages between the engine and whoever controls it.

A message is a frozen dataclass, on the wire a msgpack list of its name and its fields. Every field is checked when a
message is made, on either side, so that nothing wrong is sent and nothing wrong that comes in is acted upon.

Frames, rates and counts are whole numbers; places and times are seconds; values of params are in display units.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

from graph.encoding import read_msgpack, write_msgpack
from graph.errors import PatchError
from graph.fields import checked_address, checked_name
from graph.plain import brief
from host import fields as f
from host.fields import MOST_MESSAGE_BYTES, MOST_PATCH_BYTES, FromEngine, Message, MessageError, ToEngine
from host.plugins import messages as of_plugins

__all__ = ["MOST_MESSAGE_BYTES", "MOST_PATCH_BYTES", "FromEngine", "Message", "MessageError", "ToEngine"]

PROTOCOL = 6
"""Changes whenever the messages do: an engine of another number is not talked to."""


@dataclass(frozen=True, slots=True)
class Attach(ToEngine):
    """The first message of a connection: the key shows that the sender may read the engine's private folder."""

    protocol: int = f.field(f.COUNT)
    key: str = f.field(f.name)


@dataclass(frozen=True, slots=True)
class Ping(ToEngine):
    """Ask for a Pong of the same ticket: whatever was sent before has then been acted upon."""

    ticket: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class Quit(ToEngine):
    """End the engine."""


@dataclass(frozen=True, slots=True)
class SetPatch(ToEngine):
    """Play another patch: the bytes of a patch file, and the folder its paths are relative to."""

    serial: int = f.field(f.COUNT)
    patch: bytes = f.field(f.patch)
    folder: str = f.field(f.words)


@dataclass(frozen=True, slots=True)
class ChangePatch(ToEngine):
    """Play another patch: what makes it of the one of the serial ``base`` (``graph.delta``), in the same folder."""

    serial: int = f.field(f.COUNT)
    base: int = f.field(f.COUNT)
    delta: bytes = f.field(f.patch)


@dataclass(frozen=True, slots=True)
class SetParams(ToEngine):
    """Give params other values, all at once: rows of node (or ``group/inner``), param, value."""

    values: tuple[tuple[str, str, float], ...] = f.field(f.many(f.row(checked_address, checked_name, f.VALUE)))


@dataclass(frozen=True, slots=True)
class SetPoints(ToEngine):
    """Give the automation that a param of a node (or ``group/inner``) has other points: time, value, curve of each."""

    node: str = f.field(checked_address)
    param: str = f.field(checked_name)
    points: tuple[tuple[float, float, str], ...] = f.field(f.points)


@dataclass(frozen=True, slots=True)
class Play(ToEngine):
    """Let the transport roll."""


@dataclass(frozen=True, slots=True)
class Stop(ToEngine):
    """Let the transport stand."""


@dataclass(frozen=True, slots=True)
class Locate(ToEngine):
    """Move the transport to a place on the timeline."""

    seconds: float = f.field(f.SECONDS)


@dataclass(frozen=True, slots=True)
class SetLoop(ToEngine):
    """Go round between two places; nothing and nothing: go on for ever."""

    start_s: float | None = f.field(f.optional(f.SECONDS))
    end_s: float | None = f.field(f.optional(f.SECONDS))

    def __post_init__(self) -> None:
        Message.__post_init__(self)
        if (self.start_s is None) != (self.end_s is None):
            raise MessageError("SetLoop: expected a start and an end, or neither")
        if self.start_s is not None and self.end_s is not None and not self.start_s < self.end_s:
            raise MessageError(f"SetLoop: expected an end after {self.start_s:g} s, found {self.end_s:g} s")


@dataclass(frozen=True, slots=True)
class OpenDevice(ToEngine):
    """Play through another device. Empty names: the system's default; ``null``: none; rate or block 0: its own."""

    output: str = f.field(f.name)
    input: str = f.field(f.name)
    rate: int = f.field(f.device_rate)
    block: int = f.field(f.whole(0, 8192))


@dataclass(frozen=True, slots=True)
class Record(ToEngine):
    """Begin or end the takes of all ``file_recorder`` nodes."""

    on: bool = f.field(f.flag)


@dataclass(frozen=True, slots=True)
class SaveReplay(ToEngine):
    """Write the last seconds of what was heard to a new file."""

    path: str = f.field(f.words)
    seconds: float = f.field(f.number(0.001, 3600.0))


@dataclass(frozen=True, slots=True)
class KeepFiles(ToEngine):
    """Take so many megabytes at most for copies of played files in memory: none, or nothing given, by the memory there
    is.
    """

    megabytes: int | None = f.field(f.optional(f.whole(0, 2**24)))


@dataclass(frozen=True, slots=True)
class Hello(FromEngine):
    """The answer to Attach. ``readings`` is the name of the file with the readings, in the engine's folder; so many
    Held follow as ``held`` says.
    """

    protocol: int = f.field(f.COUNT)
    pid: int = f.field(f.whole(1, 2**32))
    readings: str = f.field(f.name)
    held: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class Held(FromEngine):
    """Of an engine that had a client before: one of the messages that would bring another engine to the same state."""

    message: bytes = f.field(f.octets)


@dataclass(frozen=True, slots=True)
class Pong(FromEngine):
    """The answer to Ping."""

    ticket: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class Applied(FromEngine):
    """A patch is in play, or, where it is not ``playing``, cannot be played and the one before goes on.

    ``problems`` are rows of node, place, message.
    """

    serial: int = f.field(f.COUNT)
    playing: bool = f.field(f.flag)
    problems: tuple[tuple[str, str, str], ...] = f.field(f.many(f.row(f.words, f.words, f.words)))


@dataclass(frozen=True, slots=True)
class AskPatch(FromEngine):
    """What was to become the patch of this serial cannot be made of the one that is here: it is needed as a whole."""

    serial: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class Status(FromEngine):
    """What seldom changes. Latencies are in frames: of the device, in and out, and of the patch to each of its outputs.
    ``recording`` are the files being written.
    """

    device: str = f.field(f.name)
    api: str = f.field(f.name)
    native: bool = f.field(f.flag)
    rate: int = f.field(f.RATE)
    block: int = f.field(f.COUNT)
    inputs: int = f.field(f.COUNT)
    outputs: int = f.field(f.COUNT)
    device_latency: int = f.field(f.COUNT)
    latencies: tuple[tuple[str, int], ...] = f.field(f.many(f.row(f.words, f.COUNT)))
    recording: tuple[str, ...] = f.field(f.many(f.words))

    @property
    def patch_latency(self) -> int:
        """Frames by which the latest output lags the timeline."""
        return max((frames for _, frames in self.latencies), default=0)


@dataclass(frozen=True, slots=True)
class Progress(FromEngine):
    """So many kernels of so many are compiled; none of none: nothing is being compiled any more."""

    done: int = f.field(f.COUNT)
    total: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class Notice(FromEngine):
    """Something a person should know, in one sentence."""

    level: str = f.field(f.LEVEL)
    text: str = f.field(f.words)


@dataclass(frozen=True, slots=True)
class ReadingMap(FromEngine):
    """Where the readings of nodes lie: rows of node, name, first float32, how many of them, names of the parts."""

    generation: int = f.field(f.COUNT)
    entries: tuple[tuple[str, str, int, int, tuple[str, ...]], ...] = f.field(
        f.many(f.row(f.words, f.name, f.COUNT, f.COUNT, f.many(f.name, 1000)))
    )


KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        *(
            Attach,
            Ping,
            Quit,
            SetPatch,
            ChangePatch,
            SetParams,
            SetPoints,
            Play,
            Stop,
            Locate,
            SetLoop,
            OpenDevice,
            Record,
            SaveReplay,
            KeepFiles,
        ),
        *(Hello, Held, Pong, Applied, AskPatch, Status, Progress, Notice, ReadingMap),
        *of_plugins.ALL,
    )
}
"""Every message there is."""

M = TypeVar("M", bound=Message)

# -- the wire ----------------------------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """A message as bytes. Raises MessageError where it is too large."""
    values = [getattr(message, field.name) for field in dataclasses.fields(message)]  # pyright: ignore[reportArgumentType]
    data = write_msgpack([type(message).__name__, values])
    if len(data) > MOST_MESSAGE_BYTES:
        raise MessageError(f"{type(message).__name__}: it has {len(data)} bytes; the most is {MOST_MESSAGE_BYTES}")
    return data


def decode(data: bytes, direction: type[M]) -> M:
    """The message that bytes hold, ``direction`` being ToEngine or FromEngine. Raises MessageError."""
    try:
        found = read_msgpack(data)
    except PatchError as error:
        raise MessageError(f"message: {error.message.replace('the file', 'it')}") from None
    if (
        not isinstance(found, list)
        or len(found) != 2
        or not isinstance(found[0], str)
        or not isinstance(found[1], list)
    ):
        raise MessageError("message: expected a list of a name and a list of fields")
    name, values = found
    kind = {kind.__name__: kind for kind in direction.__subclasses__()}.get(name)
    if kind is None:
        raise MessageError(f"message: there is none of the name {brief(repr(name), 64)} in this direction")
    count = len(dataclasses.fields(kind))  # pyright: ignore[reportArgumentType]
    if len(values) != count:
        raise MessageError(f"{name}: expected {count} fields, found {len(values)}")
    return kind(*values)
