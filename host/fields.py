"""What every message of the engine is made of: fields that are checked when it is made, on either side of the wire."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from graph.encoding import MOST_BYTES
from graph.errors import PatchError
from graph.fields import checked_points
from graph.plain import checked_text, mismatch

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


def field(check: Check) -> Any:
    return dataclasses.field(metadata={"check": check})


def words(value: object, place: str, longest: int = LONGEST_WORDS) -> str:
    if not isinstance(value, str):
        raise mismatch("text", value, place)
    if len(value) > longest:
        raise PatchError(f"expected at most {longest} characters, found {len(value)}", place=place)
    if "\0" in value:
        raise PatchError("expected text without zero characters", place=place)
    return checked_text(value, place)


def name(value: object, place: str) -> str:
    return words(value, place, LONGEST_NAME)


def flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise mismatch("true or false", value, place)
    return value


def whole(low: int, high: int) -> Check:
    def check(value: object, place: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise mismatch(f"a whole number from {low} to {high}", value, place)
        return value

    return check


def device_rate(value: object, place: str) -> int:
    if type(value) is not int or (value != 0 and not 8000 <= value <= 384_000):
        raise mismatch("0, or a whole number from 8000 to 384000 Hz", value, place)
    return value


def number(low: float, high: float) -> Check:
    def check(value: object, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise mismatch(f"a number from {low:g} to {high:g}", value, place)
        return float(value)

    return check


def optional(check: Check) -> Check:
    def found(value: object, place: str) -> Any:
        return None if value is None else check(value, place)

    return found


def one_of(*words: str) -> Check:
    def check(value: object, place: str) -> str:
        if value not in words or not isinstance(value, str):
            raise mismatch(f"one of {', '.join(words)}", value, place)
        return value

    return check


def octets(value: object, place: str) -> bytes:
    if not isinstance(value, bytes):
        raise mismatch("bytes", value, place)
    return value


def patch(value: object, place: str) -> bytes:
    data = octets(value, place)
    if len(data) > MOST_PATCH_BYTES:
        raise PatchError(f"expected at most {MOST_PATCH_BYTES} bytes, found {len(data)}", place=place)
    return data


def many(check: Check, most: int = MOST_ROWS) -> Check:
    def found(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise mismatch(f"a list of at most {most}", value, place)
        return tuple(check(item, f"{place}[{i}]") for i, item in enumerate(value))

    return found


def row(*checks: Check) -> Check:
    def found(value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            raise mismatch(f"a list of {len(checks)}", value, place)
        return tuple(check(item, f"{place}[{i}]") for i, (check, item) in enumerate(zip(checks, value, strict=True)))

    return found


def points(value: object, place: str) -> tuple[tuple[float, float, str], ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_ROWS:
        raise mismatch(f"a list of at most {MOST_ROWS} points", value, place)
    return checked_points(value, place.removesuffix(".points"), strict=True)


COUNT = whole(0, LARGEST_COUNT)
SECONDS = number(0.0, LONGEST_S)
VALUE = number(-1.7e308, 1.7e308)
RATE = whole(0, 768_000)
LEVEL = one_of("info", "warning", "error")


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
