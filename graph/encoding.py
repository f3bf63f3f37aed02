"""Plain data as bytes, in msgpack and in JSON; reading trusts nothing it is told about sizes.

Before anything is allocated, a scan adds up what the bytes claim to hold: a megabyte of empty maps would take 73 in
memory. What the decoders meet and a patch cannot keep (a key given twice, an extension type, NaN) comes back as
``Refused``, so that
whoever knows its place can say it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs] - it has none

from graph.errors import PatchError
from graph.plain import DEEPEST_NESTING, LONGEST_TEXT, Refused, brief

MOST_BYTES = 64 * 2**20
"""How large a file may be."""
MOST_ELEMENTS = 1_000_000
"""How many values and keys a file may hold; an empty list or map counts as one."""

_codec = cast(Any, msgpack)

TOO_DEEP = f"lists and maps nest deeper than {DEEPEST_NESTING}"
_LINE = 100
"""How long a line of JSON may get before a list or map is spread over several."""

# -- msgpack
# ---------------------------------------------------------------------------------------------------------------


def _fixed_sizes() -> list[int]:
    """How many bytes an item takes that starts with each byte; 0 where the byte alone does not say (msgpack's
    specification).
    """
    sizes = [0] * 256
    for byte in [*range(0x00, 0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3]:
        sizes[byte] = 1
    for byte in range(0xA0, 0xC0):
        sizes[byte] = 1 + (byte & 0x1F)
    for byte, size in {
        0xCA: 5,
        0xCB: 9,
        0xCC: 2,
        0xCD: 3,
        0xCE: 5,
        0xCF: 9,
        0xD0: 2,
        0xD1: 3,
        0xD2: 5,
        0xD3: 9,
    }.items():
        sizes[byte] = size
    for byte, payload in zip(range(0xD4, 0xD9), (1, 2, 4, 8, 16), strict=True):
        sizes[byte] = 2 + payload
    return sizes


_SIZES = _fixed_sizes()
# first byte: bytes of the length that follows, bytes between length and payload
_PAYLOADS = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
# first byte: bytes of the count that follows, items for each that is counted
_CONTAINERS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def read_msgpack(data: bytes) -> object:
    """What the bytes hold, with ``Refused`` in place of what cannot be kept.

    Raises PatchError for what is not msgpack, or holds too much.
    """
    _refuse_large(len(data))
    _scan_msgpack(data)
    try:
        return _codec.unpackb(
            data,
            raw=False,
            unicode_errors="surrogateescape",  # text that is not UTF-8 is then refused where its place is known
            strict_map_key=False,
            object_pairs_hook=_map,
            ext_hook=_extension,
            max_str_len=4 * LONGEST_TEXT,
            max_bin_len=MOST_BYTES,
            max_array_len=MOST_ELEMENTS,
            max_map_len=MOST_ELEMENTS,
            max_ext_len=MOST_BYTES,
        )
    except (_codec.StackError, RecursionError):
        raise PatchError(TOO_DEEP) from None
    except (ValueError, _codec.UnpackException, OverflowError) as error:
        raise PatchError(f"expected msgpack, found something else ({brief(str(error), 80)})") from None


def _scan_msgpack(data: bytes) -> None:
    """Walk over the items without making any of them. Raises PatchError."""
    sizes, size = _SIZES, len(data)
    position, pending, elements = 0, 1, 0
    while pending:
        if position >= size:
            raise PatchError(f"the file is cut short: after {size} bytes, {pending} more values are to come")
        first = data[position]
        step = sizes[first]
        pending -= 1
        if step:
            position += step
        elif first in _TEXTS or first in _PAYLOADS:
            width, between = (_TEXTS[first], 0) if first in _TEXTS else _PAYLOADS[first]
            length = int.from_bytes(data[position + 1 : position + 1 + width], "big")
            if first in _TEXTS and length > 4 * LONGEST_TEXT:
                raise PatchError(f"expected a text of at most {LONGEST_TEXT} characters, found {length} bytes of it")
            position += 1 + width + between + length
        elif first == 0xC1:
            raise PatchError(f"expected msgpack, found the byte 0xC1 at {position}, which msgpack never uses")
        else:
            if first in _CONTAINERS:
                width, each = _CONTAINERS[first]
                count = int.from_bytes(data[position + 1 : position + 1 + width], "big") * each
                position += 1 + width
            else:
                count = (first & 0x0F) * (2 if first < 0x90 else 1)
                position += 1
            elements += count or 1
            pending += count
            if elements > MOST_ELEMENTS:
                _refuse_many()
            if pending > size - position:
                raise PatchError(
                    f"the file is cut short: {pending} more values cannot be in the last {size - position} bytes"
                )
    if position > size:
        raise PatchError(f"the file is cut short: its last value ends {position - size} bytes after it")
    if position < size:
        raise PatchError(f"expected the end of the file after {position} bytes, found {size - position} more")


def _extension(code: int, data: bytes) -> Refused:
    return Refused(f"expected plain data, found a msgpack extension of type {code}")


def _map(pairs: list[tuple[object, object]]) -> object:
    try:
        found = dict(pairs)
    except TypeError:
        return Refused("expected text as the key of a map, found a list or a map")
    return found if len(found) == len(pairs) else _repeated(pairs)


def _repeated(pairs: list[tuple[object, object]]) -> Refused:
    seen: set[object] = set()
    for key, _ in pairs:
        if key in seen:
            return Refused(f"the key {brief(repr(key), 64)} is given twice")
        seen.add(key)
    raise AssertionError("no key is repeated")


def write_msgpack(value: object) -> bytes:
    """Plain data as msgpack, its keys sorted."""
    return _codec.packb(_sorted(value), use_bin_type=True)


def pack(value: object) -> bytes:
    """Plain data as msgpack, its keys as they come. Raises PatchError for what is no plain data."""
    try:
        return _codec.packb(value, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise PatchError(f"expected plain data: {error}") from None


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        entries = cast(Mapping[str, object], value)
        return {key: _sorted(entries[key]) for key in sorted(entries)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in cast(list[object], value)]
    return value


# -- JSON
# ------------------------------------------------------------------------------------------------------------------

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def read_json(data: bytes) -> object:
    """What the text holds, with ``Refused`` in place of what cannot be kept.

    Raises PatchError, naming line and column, for what is not JSON, or holds too much.
    """
    _refuse_large(len(data))
    data = data.removeprefix(b"\xef\xbb\xbf")
    _scan_json(data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise PatchError(
            f"expected text in UTF-8, found the byte 0x{data[error.start]:02X}", place=f"byte {error.start}"
        ) from None
    try:
        try:
            return _parse(text, int)
        except json.JSONDecodeError:
            raise
        except ValueError:  # Python turns no more than 4300 digits into an integer
            return _parse(text, _integer)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PatchError(f"expected JSON: {error.msg[0].lower()}{error.msg[1:]}", place=place) from None


def _parse(text: str, integer: Callable[[str], object]) -> object:
    return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=integer)


def _scan_json(data: bytes) -> None:
    """Count elements and depth without making anything; as far as it is JSON, nothing is missed. Raises PatchError."""
    structure = _STRING.sub(b"", data)
    if sum(structure.count(mark) for mark in (b",", b":", b"[", b"{")) > MOST_ELEMENTS:
        _refuse_many()
    depth = 0
    for bracket in structure.translate(None, _NOT_BRACKETS):
        if bracket in b"[{":
            depth += 1
            if depth > DEEPEST_NESTING:
                raise PatchError(TOO_DEEP)
        else:
            depth -= 1


def _object(pairs: list[tuple[object, object]]) -> object:
    if len(pairs) == 1 and pairs[0][0] == "$bytes":
        text = pairs[0][1]
        try:
            return base64.b64decode(text, validate=True) if isinstance(text, str) else Refused(_BASE64)
        except (binascii.Error, ValueError):
            return Refused(_BASE64)
    return _map(pairs)


_BASE64 = "expected bytes in base64 under $bytes, found something else"


def _constant(name: str) -> Refused:
    return Refused(f"expected a finite number, found {name}")


def _integer(digits: str) -> object:
    return (
        int(digits) if len(digits) <= 20 else Refused("expected a whole number of at most 64 bits, found a larger one")
    )


def write_json(value: object) -> bytes:
    """Plain data as JSON, its keys sorted; what fits on a line is on one line."""
    return (_text(value, "") + "\n").encode()


def _text(value: object, indent: str) -> str:
    if isinstance(value, bytes):
        return '{"$bytes": "' + base64.b64encode(value).decode() + '"}'
    if not isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + "  "
    if isinstance(value, Mapping):
        entries = cast(Mapping[str, object], value)
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_text(entries[key], inner)}" for key in sorted(entries)]
        opening, closing = "{", "}"
    else:
        parts = [_text(item, inner) for item in cast(list[object], value)]
        opening, closing = "[", "]"
    length = len(indent) + sum(map(len, parts)) + 2 * len(parts)
    if length <= _LINE and not any("\n" in part for part in parts):
        return opening + ", ".join(parts) + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


# -- both
# ------------------------------------------------------------------------------------------------------------------


def _refuse_large(size: int) -> None:
    if size > MOST_BYTES:
        raise PatchError(f"expected a file of at most {MOST_BYTES // 2**20} MiB, found {size / 2**20:.1f} MiB")


def _refuse_many() -> None:
    raise PatchError(f"expected at most {MOST_ELEMENTS} values and keys, found more")


def read_plain(data: bytes) -> Any:
    """What the bytes hold, whichever of the two forms they are in. Raises PatchError."""
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    if start == b"{":
        return read_json(data)
    if data[:1] and (data[0] & 0xF0 == 0x80 or data[0] in (0xDE, 0xDF)):
        return read_msgpack(data)
    found = "an empty file" if not data else f"a file that starts with {data[:8]!r}"
    raise PatchError(f"expected a patch, a map in msgpack or in JSON; found {found}")
