"""Vorbis comments, read from FLAC and Ogg files. Our own reader: bounded, and no damage makes it raise."""

from __future__ import annotations

from typing import BinaryIO

from host.audiofile.chunks import MAX_METADATA_BYTES

CHANNEL_MASK = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"

_MAX_BLOCKS = 1024
_MAX_COMMENTS = 4096
_COMMENT_BLOCK = 4


def read_comments(file: BinaryIO) -> dict[str, list[str]]:
    """The comments of a FLAC or Ogg (Vorbis, Opus, FLAC) file, names in upper case, as far as they can be read."""
    file.seek(0)
    magic = file.read(4)
    if magic == b"fLaC":
        return _parsed(_flac_block(file))
    if magic == b"OggS":
        packet = _second_packet(file)
        for start in (b"\x03vorbis", b"OpusTags"):
            if packet.startswith(start):
                return _parsed(packet[len(start) :])
        if packet[:1] and packet[0] & 0x7F == _COMMENT_BLOCK:
            return _parsed(packet[4:])
    return {}


def _flac_block(file: BinaryIO) -> bytes:
    for _ in range(_MAX_BLOCKS):
        head = file.read(4)
        if len(head) < 4:
            break
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == _COMMENT_BLOCK:
            return file.read(size)
        if head[0] & 0x80:
            break
        file.seek(size, 1)
    return b""


def _second_packet(file: BinaryIO) -> bytes:
    """The comment packet of the first logical stream (RFC 3533: a segment shorter than 255 bytes ends a packet)."""
    file.seek(0)
    serial: bytes | None = None
    packets = 0
    packet = b""
    for _ in range(_MAX_BLOCKS):
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        lacing = file.read(head[26])
        page = file.read(sum(lacing))
        serial = head[14:18] if serial is None else serial
        if head[14:18] != serial:
            continue
        at = 0
        for segment in lacing:
            packet += page[at : at + segment] if packets == 1 else b""
            at += segment
            if segment < 255:
                packets += 1
            if packets == 2:
                return packet
        if len(packet) > MAX_METADATA_BYTES:
            break
    return b""


def _parsed(content: bytes) -> dict[str, list[str]]:
    """Vorbis I specification, §5.2.1: a vendor string, a count, and texts NAME=value with their lengths."""
    comments: dict[str, list[str]] = {}
    at = 4 + int.from_bytes(content[:4], "little")
    count = int.from_bytes(content[at : at + 4], "little")
    at += 4
    for _ in range(min(count, _MAX_COMMENTS)):
        size = int.from_bytes(content[at : at + 4], "little")
        text = content[at + 4 : at + 4 + size]
        if at + 4 > len(content) or len(text) < size:
            break
        name, equals, value = text.decode("utf-8", "replace").partition("=")
        if equals:
            comments.setdefault(name.upper(), []).append(value)
        at += 4 + size
    return comments
