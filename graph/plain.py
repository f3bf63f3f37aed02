"""Plain data: what a patch file can hold, and how large it may get.

Text, numbers, true, false, nothing, bytes, lists, and maps with text as keys; no NaN, no infinity, no negative zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, cast

from graph.errors import PatchError

DEEPEST_NESTING = 128
"""How deep lists and maps may nest in a patch, the outermost counted."""
LONGEST_TEXT = 1_000_000
"""How many characters one text may have."""
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
"""What msgpack can hold."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Stands in decoded data where something was found that cannot be kept, until its place is known."""

    reason: str


def plain(value: object, place: str, *, strict: bool = False, depth: int = 0) -> Any:
    """A copy of ``value`` as plain data: lists for tuples, text for paths.

    ``strict`` is for what comes from files: there a negative zero is refused, where it is otherwise made zero, and only
    what a decoder yields is accepted. ``depth`` says in how many lists and maps the value is. Raises PatchError naming
    the place in ``value`` that cannot be kept.
    """
    kind = type(value)
    if kind is str:
        return checked_text(cast(str, value), place)
    if kind is bool or value is None:
        return value
    if kind is int or kind is float:
        return checked_number(cast(float, value), place, strict=strict)
    if kind is bytes:
        return value
    if depth >= DEEPEST_NESTING:
        raise PatchError(f"lists and maps nest deeper than {DEEPEST_NESTING}", place=brief(place, 200))
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value)
        return {
            checked_key(key, place): plain(item, within(place, key), strict=strict, depth=depth + 1)
            for key, item in entries.items()
        }
    if isinstance(value, (list, tuple)):
        items = cast(Iterable[object], value)
        return [plain(item, f"{place}[{i}]", strict=strict, depth=depth + 1) for i, item in enumerate(items)]
    if not strict:
        if isinstance(value, (str, PurePath)):
            return checked_text(str(value), place)
        if isinstance(value, Real):
            return checked_number(value, place)
    raise mismatch("text, a number, true, false, bytes, a list or a map", value, place)


def checked_number(value: object, place: str, *, strict: bool = False) -> float:
    """A finite number, an int or a float as it was given; Python's and numpy's numbers alike. A bool passes as it is.

    Raises PatchError for anything else.
    """
    kind = type(value)
    if kind is bool:
        return cast(bool, value)
    if kind is not float and kind is not int:
        if strict or not isinstance(value, Real):
            raise mismatch("a number", value, place)
        value = int(value) if isinstance(value, Integral) else float(value)
    number = cast(float, value)
    if isinstance(number, int):
        if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
            raise PatchError("expected a whole number of at most 64 bits, found a larger one", place=place)
    elif not math.isfinite(number):
        raise mismatch("a finite number", number, place)
    elif number == 0.0 and math.copysign(1.0, number) < 0:
        if strict:
            raise PatchError("expected 0, found -0.0 (negative zero)", place=place)
        return 0.0
    return number


def checked_text(value: str, place: str) -> str:
    """Text that is not too long and that UTF-8 can hold. Raises PatchError."""
    if len(value) > LONGEST_TEXT:
        raise PatchError(f"expected at most {LONGEST_TEXT} characters, found {len(value)}", place=place)
    if not value.isascii() and not encodable(value):
        raise PatchError("expected text in UTF-8, found something else in it", place=place)
    return value


def checked_key(key: object, place: str) -> str:
    """A key of a map. Raises PatchError."""
    if not isinstance(key, str):
        raise mismatch("text as the key of a map", key, place)
    if key == "$bytes":
        raise PatchError("the key $bytes is how the JSON form marks bytes; it cannot be a name", place=place)
    return checked_text(key, place)


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold a text: lone surrogates it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def within(place: str, key: object) -> str:
    """The place of a key inside another place; odd keys are quoted and shortened."""
    name = key if isinstance(key, str) and len(key) <= 64 and key.isprintable() and key else brief(repr(key), 64)
    return f"{place}.{name}" if place else name


def described(value: object) -> str:
    """A value in a few words, for messages."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return "not-a-number"
        case float() if math.isinf(value):
            return "infinity" if value > 0 else "minus infinity"
        case int():
            return str(value) if value.bit_length() <= 64 else "a number of more than 64 bits"
        case float():
            return repr(value)
        case str():
            return f"the text {brief(repr(value[:64]), 48)}"
        case bytes():
            return f"{len(value)} bytes"
        case list() | tuple():
            return f"a list of {len(cast(list[object], value))}"
        case Mapping():
            return "a map" if value else "an empty map"
        case _:
            return f"a {type(value).__name__}"


def mismatch(expected: str, value: object, place: str) -> PatchError:
    """The error that something else was expected than what was found."""
    if isinstance(value, Refused):
        return PatchError(value.reason, place=place)
    return PatchError(f"expected {expected}, found {described(value)}", place=place)


def brief(text: str, longest: int) -> str:
    """A text, cut short where it is too long for a message."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def copied(value: Any) -> Any:
    """Plain data, copied through and through."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [copied(item) for item in cast(list[Any], value)]
    return value
