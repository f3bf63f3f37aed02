"""OSC datagrams: what comes in is looked through before python-osc reads it, and what goes out is built by it.

Bundles are taken apart here: their sizes are the sender's word, and a size below zero must not send a reader round in
circles. Time tags are not waited for: everything is acted upon when it comes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

MOST_BYTES = 8192
"""Bytes in a datagram."""
MOST_MESSAGES = 256
"""Messages in a datagram."""
DEEPEST = 4
"""How deep bundles may nest."""
LONGEST_ADDRESS = 512
MOST_ARGUMENTS = 16
LONGEST_TEXT = 512
TYPES = frozenset("ifsdhTFN")
"""The types of arguments that are taken: numbers, text, true, false, nothing."""

Argument = float | str | bool | None

_BUNDLE = b"#bundle\0"


class WireError(ValueError):
    """A datagram is no OSC that is taken here: what was expected, in one line, and to which address, if known."""

    def __init__(self, words: str, address: str = "") -> None:
        super().__init__(words)
        self.address = address


@dataclass(frozen=True, slots=True)
class Message:
    """An OSC message: an address, which may be a pattern, and its arguments."""

    address: str
    arguments: tuple[Argument, ...] = ()


def read(datagram: bytes) -> list[Message]:
    """The messages in a datagram, in order. Raises WireError."""
    if len(datagram) > MOST_BYTES:
        raise WireError(f"expected at most {MOST_BYTES} bytes in a datagram, found {len(datagram)} or more")
    found: list[Message] = []
    _read(datagram, 0, found)
    return found


def _read(data: bytes, depth: int, found: list[Message]) -> None:
    if not data.startswith(_BUNDLE):
        if len(found) >= MOST_MESSAGES:
            raise WireError(f"expected at most {MOST_MESSAGES} messages in a datagram")
        found.append(_message(data))
        return
    if depth >= DEEPEST:
        raise WireError(f"expected bundles to nest at most {DEEPEST} deep")
    at = len(_BUNDLE) + 8  # after the time tag
    if len(data) < at:
        raise WireError("a bundle ends before its time tag does")
    while at < len(data):
        if len(data) - at < 4:
            raise WireError("a bundle ends within a size")
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if not 0 < size <= len(data) - at:
            raise WireError(f"expected a part of 1 to {len(data) - at} bytes in a bundle, found {size}")
        _read(data[at : at + size], depth + 1, found)
        at += size


def _message(data: bytes) -> Message:
    if len(data) % 4:
        raise WireError(f"expected a message of a multiple of 4 bytes, found {len(data)}")
    if not data.startswith(b"/"):
        raise WireError("expected a message whose address begins with /, or a bundle")
    end = data.find(b"\0", 0, LONGEST_ADDRESS + 1)
    if end < 0 or not all(32 < c < 127 for c in data[:end]):
        raise WireError(f"expected an address of at most {LONGEST_ADDRESS} printable ASCII characters")
    address = data[:end].decode()
    tags = data[(end // 4 + 1) * 4 :]
    if tags:
        end = tags.find(b"\0", 0, MOST_ARGUMENTS + 2)
        if end < 0 or not tags.startswith(b",") or not TYPES.issuperset(tags[1:end].decode("latin-1")):
            wanted = f"at most {MOST_ARGUMENTS} arguments of the types {' '.join(sorted(TYPES))}"
            found = printable(tags[: max(end, 0)].decode("latin-1"), MOST_ARGUMENTS)
            raise WireError(f"expected {wanted}, found {found!r}", address)
        if _arguments_end(tags, end) != len(tags):
            raise WireError("the arguments of a message are not as long as their types say", address)
    try:
        arguments = OscMessage(data).params
    except (ParseError, ValueError, IndexError, struct.error) as error:
        raise WireError(f"the message cannot be read: {str(error)[:100]}", address) from None
    for argument in arguments:
        if isinstance(argument, str) and len(argument) > LONGEST_TEXT:
            raise WireError(f"expected text of at most {LONGEST_TEXT} characters", address)
    return Message(address, tuple(arguments))


def _arguments_end(tags: bytes, end: int) -> int:
    """Where the arguments end by what their types say: python-osc takes what is missing for zeros. -1: nowhere."""
    at = (end // 4 + 1) * 4
    for tag in tags[1:end].decode("latin-1"):
        if tag == "s":
            close = tags.find(b"\0", at)
            if close < 0:
                return -1
            at = (close // 4 + 1) * 4
        else:
            at += {"i": 4, "f": 4, "h": 8, "d": 8}.get(tag, 0)
    return at


def write(address: str, *arguments: float | str) -> bytes:
    """A message as a datagram: floats as ``f``, whole numbers as ``i``, text as ``s``. Raises WireError."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, {int: "i", float: "f"}.get(type(argument), "s"))
    try:
        return builder.build().dgram
    except BuildError as error:
        raise WireError(str(error)) from None


def printable(words: Sequence[str] | str, longest: int = 200) -> str:
    """Text that is safe to send back or to show: short, and without what is not printable."""
    text = words if isinstance(words, str) else " ".join(words)
    return "".join(c if c.isprintable() else "�" for c in text[:longest])
