"""The closed set of messages between the engine and whoever controls it.

A message is a frozen dataclass, on the wire a msgpack list of its name and its fields. Every field is checked when a
message is made, on either side, so that nothing wrong is sent and nothing wrong that comes in is acted upon.

Frames, rates and counts are whole numbers; places and times are seconds; values of params are in display units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from graph.encoding import MOST_BYTES, read_msgpack, write_msgpack
from graph.errors import PatchError
from graph.fields import checked_address, checked_name
from graph.plain import brief, checked_text, mismatch

PROTOCOL = 1
"""Changes whenever the messages do: an engine of another number is not talked to."""
MOST_MESSAGE_BYTES = MOST_BYTES
"""How large a message may be on the wire."""
MOST_PATCH_BYTES = MOST_MESSAGE_BYTES - 2**16
LONGEST_WORDS = 10_000
LONGEST_NAME = 1_000
MOST_ROWS = 100_000
LONGEST_S = 366 * 24 * 3600.0
LARGEST_COUNT = 2**53

Check = Callable[[object, str], Any]


class MessageError(ValueError):
    """A message is not as it must be: one line that says where, and what was expected."""


# -- what a field may be -----------------------------------------------------------------------------------------------


def _field(check: Check) -> Any:
    return dataclasses.field(metadata={"check": check})


def _words(value: object, place: str, longest: int = LONGEST_WORDS) -> str:
    if not isinstance(value, str):
        raise mismatch("text", value, place)
    if len(value) > longest:
        raise PatchError(f"expected at most {longest} characters, found {len(value)}", place=place)
    if "\0" in value:
        raise PatchError("expected text without zero characters", place=place)
    return checked_text(value, place)


def _name(value: object, place: str) -> str:
    return _words(value, place, LONGEST_NAME)


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise mismatch("true or false", value, place)
    return value


def _whole(low: int, high: int) -> Check:
    def check(value: object, place: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise mismatch(f"a whole number from {low} to {high}", value, place)
        return value

    return check


def _device_rate(value: object, place: str) -> int:
    if type(value) is not int or (value != 0 and not 8000 <= value <= 384_000):
        raise mismatch("0, or a whole number from 8000 to 384000 Hz", value, place)
    return value


def _number(low: float, high: float) -> Check:
    def check(value: object, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise mismatch(f"a number from {low:g} to {high:g}", value, place)
        return float(value)

    return check


def _optional(check: Check) -> Check:
    def found(value: object, place: str) -> Any:
        return None if value is None else check(value, place)

    return found


def _one_of(*words: str) -> Check:
    def check(value: object, place: str) -> str:
        if value not in words or not isinstance(value, str):
            raise mismatch(f"one of {', '.join(words)}", value, place)
        return value

    return check


def _octets(value: object, place: str) -> bytes:
    if not isinstance(value, bytes):
        raise mismatch("bytes", value, place)
    return value


def _patch(value: object, place: str) -> bytes:
    data = _octets(value, place)
    if len(data) > MOST_PATCH_BYTES:
        raise PatchError(f"expected at most {MOST_PATCH_BYTES} bytes, found {len(data)}", place=place)
    return data


def _many(check: Check, most: int = MOST_ROWS) -> Check:
    def found(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise mismatch(f"a list of at most {most}", value, place)
        return tuple(check(item, f"{place}[{i}]") for i, item in enumerate(value))

    return found


def _row(*checks: Check) -> Check:
    def found(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            raise mismatch(f"a list of {len(checks)}", value, place)
        return tuple(check(item, f"{place}[{i}]") for i, (check, item) in enumerate(zip(checks, value, strict=True)))

    return found


_COUNT = _whole(0, LARGEST_COUNT)
_SECONDS = _number(0.0, LONGEST_S)
_VALUE = _number(-1.7e308, 1.7e308)
_RATE = _whole(0, 768_000)
_LEVEL = _one_of("info", "warning", "error")

# -- the messages ------------------------------------------------------------------------------------------------------


class Message:
    """What every message has: its fields are checked when it is made. Raises MessageError."""

    __slots__ = ()

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in dataclasses.fields(self):  # pyright: ignore[reportArgumentType] - every message is a dataclass
            try:
                value = field.metadata["check"](getattr(self, field.name), f"{name}.{field.name}")
            except PatchError as error:
                raise MessageError(str(error)) from None
            object.__setattr__(self, field.name, value)


class ToEngine(Message):
    """Something the engine is told."""

    __slots__ = ()


class FromEngine(Message):
    """Something the engine tells."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Attach(ToEngine):
    """The first message of a connection: the key shows that the sender may read the engine's private folder."""

    protocol: int = _field(_COUNT)
    key: str = _field(_name)


@dataclass(frozen=True, slots=True)
class Ping(ToEngine):
    """Ask for a Pong of the same ticket: whatever was sent before has then been acted upon."""

    ticket: int = _field(_COUNT)


@dataclass(frozen=True, slots=True)
class Quit(ToEngine):
    """End the engine."""


@dataclass(frozen=True, slots=True)
class SetPatch(ToEngine):
    """Play another patch: the bytes of a patch file, and the folder its paths are relative to."""

    serial: int = _field(_COUNT)
    patch: bytes = _field(_patch)
    folder: str = _field(_words)


@dataclass(frozen=True, slots=True)
class SetParams(ToEngine):
    """Give params other values, all at once: rows of node (or ``group/inner``), param, value."""

    values: tuple[tuple[str, str, float], ...] = _field(_many(_row(checked_address, checked_name, _VALUE)))


@dataclass(frozen=True, slots=True)
class Play(ToEngine):
    """Let the transport roll."""


@dataclass(frozen=True, slots=True)
class Stop(ToEngine):
    """Let the transport stand."""


@dataclass(frozen=True, slots=True)
class Locate(ToEngine):
    """Move the transport to a place on the timeline."""

    seconds: float = _field(_SECONDS)


@dataclass(frozen=True, slots=True)
class SetLoop(ToEngine):
    """Go round between two places; nothing and nothing: go on for ever."""

    start_s: float | None = _field(_optional(_SECONDS))
    end_s: float | None = _field(_optional(_SECONDS))

    def __post_init__(self) -> None:
        Message.__post_init__(self)
        if (self.start_s is None) != (self.end_s is None):
            raise MessageError("SetLoop: expected a start and an end, or neither")
        if self.start_s is not None and self.end_s is not None and not self.start_s < self.end_s:
            raise MessageError(f"SetLoop: expected an end after {self.start_s:g} s, found {self.end_s:g} s")


@dataclass(frozen=True, slots=True)
class OpenDevice(ToEngine):
    """Play through another device. Empty names: the system's default; ``null``: none; rate or block 0: its own."""

    output: str = _field(_name)
    input: str = _field(_name)
    rate: int = _field(_device_rate)
    block: int = _field(_whole(0, 8192))


@dataclass(frozen=True, slots=True)
class Record(ToEngine):
    """Begin or end the takes of all ``file_recorder`` nodes."""

    on: bool = _field(_flag)


@dataclass(frozen=True, slots=True)
class SaveReplay(ToEngine):
    """Write the last seconds of what was heard to a new file."""

    path: str = _field(_words)
    seconds: float = _field(_number(0.001, 3600.0))


@dataclass(frozen=True, slots=True)
class Hello(FromEngine):
    """The answer to Attach. ``readings`` is the name of the file with the readings, in the engine's folder; so many
    Held follow as ``held`` says.
    """

    protocol: int = _field(_COUNT)
    pid: int = _field(_whole(1, 2**32))
    readings: str = _field(_name)
    held: int = _field(_COUNT)


@dataclass(frozen=True, slots=True)
class Held(FromEngine):
    """Of an engine that had a client before: one of the messages that would bring another engine to the same state."""

    message: bytes = _field(_octets)


@dataclass(frozen=True, slots=True)
class Pong(FromEngine):
    """The answer to Ping."""

    ticket: int = _field(_COUNT)


@dataclass(frozen=True, slots=True)
class Applied(FromEngine):
    """A patch is in play, or, where it is not ``playing``, cannot be played and the one before goes on.

    ``problems`` are rows of node, place, message.
    """

    serial: int = _field(_COUNT)
    playing: bool = _field(_flag)
    problems: tuple[tuple[str, str, str], ...] = _field(_many(_row(_words, _words, _words)))


@dataclass(frozen=True, slots=True)
class Status(FromEngine):
    """What seldom changes. Latencies are in frames: of the device, in and out, and of the patch to its latest output.
    ``recording`` are the files being written.
    """

    device: str = _field(_name)
    api: str = _field(_name)
    native: bool = _field(_flag)
    rate: int = _field(_RATE)
    block: int = _field(_COUNT)
    inputs: int = _field(_COUNT)
    outputs: int = _field(_COUNT)
    device_latency: int = _field(_COUNT)
    patch_latency: int = _field(_COUNT)
    recording: tuple[str, ...] = _field(_many(_words))


@dataclass(frozen=True, slots=True)
class Notice(FromEngine):
    """Something a person should know, in one sentence."""

    level: str = _field(_LEVEL)
    text: str = _field(_words)


@dataclass(frozen=True, slots=True)
class ReadingMap(FromEngine):
    """Where the readings of nodes lie: rows of node, name, first float32, how many of them, names of the parts."""

    generation: int = _field(_COUNT)
    entries: tuple[tuple[str, str, int, int, tuple[str, ...]], ...] = _field(
        _many(_row(_words, _name, _COUNT, _COUNT, _many(_name, 1000)))
    )


KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        *(
            Attach,
            Ping,
            Quit,
            SetPatch,
            SetParams,
            Play,
            Stop,
            Locate,
            SetLoop,
            OpenDevice,
            Record,
            SaveReplay,
        ),
        *(Hello, Held, Pong, Applied, Status, Notice, ReadingMap),
    )
}
"""Every message there is."""

M = TypeVar("M", bound=Message)

# -- the wire ----------------------------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """A message as bytes. Raises MessageError where it is too large."""
    values = [getattr(message, f.name) for f in dataclasses.fields(message)]  # pyright: ignore[reportArgumentType]
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
