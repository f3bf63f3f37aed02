"""AIFF and AIFF-C headers, and the channel layouts of Apple's `CHAN` (AIFF) and `chan` (CAF) chunks.

Layout tags and channel labels after Apple's CoreAudioTypes.h. We write AIFF for integers and AIFF-C `fl32` for
floats, with the `CHAN` chunk as a bitmap, whose bits are WAVE's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

from host.audiofile.chunks import Chunk, body, chunk_bytes, file_size, walk
from host.audiofile.speakers import SPEAKERS, labels_of_mask, labels_of_speakers

AIFF_LIMIT = 0xFFFF_FFFF
_USE_DESCRIPTIONS, _USE_BITMAP = 0, 0x10000

_LAYOUT_TAGS = {
    100: "FC",
    101: "FL FR",
    102: "FL FR",
    108: "FL FR BL BR",
    113: "FL FR FC",
    114: "FC FL FR",
    115: "FL FR FC BC",
    116: "FC FL FR BC",
    117: "FL FR FC BL BR",
    118: "FL FR BL BR FC",
    119: "FL FC FR BL BR",
    120: "FC FL FR BL BR",
    121: "FL FR FC LFE BL BR",
    122: "FL FR BL BR FC LFE",
    123: "FL FC FR BL BR LFE",
    124: "FC FL FR BL BR LFE",
    125: "FL FR FC LFE BL BR BC",
    126: "FL FR FC LFE BL BR FLC FRC",
    127: "FC FLC FRC FL FR BL BR LFE",
    128: "FL FR FC LFE SL SR BL BR",
    188: "FL FR FC LFE BL BR SL SR",
}
# Channel labels 1 to 18 are the mask's bits in their order.
_CHANNEL_LABELS = {index + 1: name for index, name in enumerate(SPEAKERS)} | {33: "RLS", 34: "RRS", 42: "FC"}


def is_aiff(head: bytes) -> bool:
    """Whether these first 12 bytes begin an AIFF or AIFF-C file."""
    return head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")


def aiff_chunks(file: BinaryIO) -> tuple[Chunk, ...]:
    """All chunks of an AIFF file but its sound."""
    return tuple(chunk for chunk in walk(file, 12, file_size(file), "big") if chunk.name != b"SSND")


def apple_labels(file: BinaryIO, head: bytes, channels: int) -> tuple[str, ...] | None:
    """Channel labels, in file order, that an AIFF or CAF file names itself; None where it does not."""
    if is_aiff(head):
        found = [chunk for chunk in aiff_chunks(file) if chunk.name == b"CHAN"]
    elif head[:4] == b"caff":
        found = [chunk for chunk in walk(file, 8, file_size(file), "big", 8) if chunk.name == b"chan"]
    else:
        return None
    return labels_of_layout(body(file, found[0], 4096), channels) if found else None


def labels_of_layout(layout: bytes, channels: int) -> tuple[str, ...] | None:
    """Channel labels from an AudioChannelLayout structure (big-endian); None when it does not fit or is not known."""
    if len(layout) < 12:
        return None
    tag, bitmap, descriptions = struct.unpack(">III", layout[:12])
    if tag == _USE_BITMAP:
        return labels_of_mask(bitmap, channels) if bitmap.bit_count() == channels else None
    if tag != _USE_DESCRIPTIONS:
        speakers = _LAYOUT_TAGS.get(tag >> 16, "").split()
        return labels_of_speakers(speakers) if len(speakers) == channels == tag & 0xFFFF else None
    if descriptions != channels or len(layout) < 12 + 20 * channels:
        return None
    labels = [struct.unpack_from(">I", layout, 12 + 20 * index)[0] for index in range(channels)]
    named = [_CHANNEL_LABELS.get(label) for label in labels]
    if "RLS" in named or "RRS" in named:  # with rear surrounds, Apple's surrounds are at the sides
        named = [{"BL": "SL", "BR": "SR", "RLS": "BL", "RRS": "BR"}.get(name or "", name) for name in named]
    return labels_of_speakers(named) if len(set(named) - {None}) == len([name for name in named if name]) else None


def _extended(value: int) -> bytes:
    """A positive integer as the 80-bit IEEE 754 extended number that AIFF uses for its rate."""
    exponent = value.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, value << (63 - exponent))


def aiff_header(
    *,
    rate: int,
    channels: int,
    bits: int,
    floating: bool,
    mask: int | None,
    frames: int,
    metadata: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """Everything before the samples; the same length for any number of frames. Sizes past `AIFF_LIMIT` do not fit.

    Args:
        mask: what the `CHAN` chunk says; None for no such chunk.
        metadata: further chunks, as (name, content).
    """
    common = struct.pack(">hIh", channels, frames, bits) + _extended(rate)
    middle = b""
    if floating:
        middle += chunk_bytes(b"FVER", struct.pack(">I", 0xA280_5140), "big")
        common += b"fl32" + b"\x0532bit"  # compression type, and its name as a Pascal string of even length
    middle += chunk_bytes(b"COMM", common, "big")
    if mask is not None:
        middle += chunk_bytes(b"CHAN", struct.pack(">III", _USE_BITMAP, mask, 0), "big")
    for name, content in metadata:
        middle += chunk_bytes(name, content, "big")
    data_bytes = frames * channels * bits // 8
    form = 4 + len(middle) + 16 + data_bytes + (data_bytes & 1)
    return (
        struct.pack(">4sI4s", b"FORM", form, b"AIFC" if floating else b"AIFF")
        + middle
        + struct.pack(">4sIII", b"SSND", 8 + data_bytes, 0, 0)
    )
