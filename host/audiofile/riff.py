"""WAV headers: RIFF, RF64 (EBU Tech 3306), BW64 (ITU-R BS.2088), WAVE_FORMAT_EXTENSIBLE.

Headers are written by a pure function whose length does not depend on the number of frames: a `JUNK` chunk keeps the
place of `ds64`, so the header can be rewritten once the length is known, and a file that outgrows 4 GiB becomes RF64
in place.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from host.audiofile.chunks import Chunk, body, chunk_bytes, file_size, walk

PCM, IEEE_FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
RIFF_LIMIT = 0xFFFF_FFFF
_UNKNOWN = 0xFFFF_FFFF
_GUID_TAIL = bytes.fromhex("0000 0000 1000 8000 00AA 0038 9B71")
_AMBISONIC_TAIL = bytes.fromhex("0000 2107 D311 8644 C8C1 CA00 0000")


class WavInfo(NamedTuple):
    """What the header of a WAV says.

    `frames` is what the file really holds, `declared_frames` what its header promises (None: it does not say).
    `mask` is None without WAVE_FORMAT_EXTENSIBLE. `chunks` are all others, for tags.
    """

    tag: int
    channels: int
    rate: int
    bits: int
    block_align: int
    mask: int | None
    ambisonic: bool
    data_offset: int
    frames: int
    declared_frames: int | None
    chunks: tuple[Chunk, ...]


def is_riff(head: bytes) -> bool:
    """Whether these first 12 bytes begin a WAV file (little-endian)."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def read_wav(file: BinaryIO) -> WavInfo:
    """Parse a WAV header. Raises ValueError, saying what is missing or impossible."""
    size = file_size(file)
    file.seek(0)
    head = file.read(12)
    if not is_riff(head):
        raise ValueError("not a WAV file")
    riff_end = 8 + int.from_bytes(head[4:8], "little")
    long_data_size: int | None = None
    chunks: list[Chunk] = []
    layout: bytes | None = None
    data: Chunk | None = None
    for chunk in walk(file, 12, size, "little"):
        if chunk.name == b"ds64" and head[:4] != b"RIFF":
            long_data_size = int.from_bytes(body(file, chunk, 16)[8:], "little")
        elif chunk.name == b"fmt ":
            layout = body(file, chunk, 64)
        elif chunk.name == b"data":
            data = chunk
            break
        else:
            chunks.append(chunk)
    if layout is None or len(layout) < 16:
        raise ValueError("the WAV header is cut short: there is no complete 'fmt ' chunk")
    if data is None:
        raise ValueError("the WAV header is cut short: there is no 'data' chunk")
    tag, channels, rate, _, block_align, bits = struct.unpack("<HHIIHH", layout[:16])
    mask, ambisonic = None, False
    if tag == EXTENSIBLE and len(layout) >= 40:
        mask, sub, tail = struct.unpack("<IH14s", layout[20:40])
        ambisonic = tail == _AMBISONIC_TAIL
        if tail == _GUID_TAIL or ambisonic:
            tag = sub
    if channels < 1 or rate < 1 or block_align < 1:
        raise ValueError(f"the WAV header is impossible: {channels} channels, {rate} Hz, {block_align} bytes a frame")

    declared: int | None = data.size
    if data.size == _UNKNOWN:
        declared = long_data_size
    elif data.size == 0 and riff_end <= data.offset < size:
        declared = None  # a recorder that died before it could say how much it wrote
    rest = size - data.offset
    present = rest if declared is None else min(declared, rest)
    if declared is not None and declared <= rest:
        chunks += walk(file, data.offset + declared + (declared & 1), size, "little")
    return WavInfo(
        tag,
        channels,
        rate,
        bits,
        block_align,
        mask,
        ambisonic,
        data.offset,
        present // block_align,
        None if declared is None else declared // block_align,
        tuple(chunks),
    )


def wav_header(
    *,
    rate: int,
    channels: int,
    bits: int,
    floating: bool,
    mask: int | None,
    frames: int,
    metadata: Sequence[tuple[bytes, bytes]] = (),
    limit: int = RIFF_LIMIT,
) -> bytes:
    """Everything before the samples; the same length for any number of frames.

    Args:
        mask: channel mask of a WAVE_FORMAT_EXTENSIBLE header; None for a plain one.
        metadata: further chunks, as (name, content).
        limit: a RIFF size above this makes the file RF64.
    """
    frame_bytes = channels * bits // 8
    tag = IEEE_FLOAT if floating else PCM
    fmt = struct.pack(
        "<HHIIHH", EXTENSIBLE if mask is not None else tag, channels, rate, rate * frame_bytes, frame_bytes, bits
    )
    if mask is not None:
        fmt += struct.pack("<HHIH", 22, bits, mask, tag) + _GUID_TAIL
    elif floating:
        fmt += struct.pack("<H", 0)
    data_bytes = frames * frame_bytes

    middle = chunk_bytes(b"fmt ", fmt, "little")
    fact_at = len(middle) + 8 if floating or mask is not None else None
    if fact_at is not None:
        middle += chunk_bytes(b"fact", struct.pack("<I", min(frames, _UNKNOWN)), "little")
    for name, content in metadata:
        middle += chunk_bytes(name, content, "little")

    riff_bytes = 4 + 36 + len(middle) + 8 + data_bytes + (data_bytes & 1)
    if riff_bytes <= limit:
        return (
            struct.pack("<4sI4s4sI28s", b"RIFF", riff_bytes, b"WAVE", b"JUNK", 28, b"")
            + middle
            + struct.pack("<4sI", b"data", data_bytes)
        )
    if fact_at is not None:
        middle = middle[:fact_at] + struct.pack("<I", _UNKNOWN) + middle[fact_at + 4 :]
    return (
        struct.pack("<4sI4s4sI", b"RF64", _UNKNOWN, b"WAVE", b"ds64", 28)
        + struct.pack("<QQQI", riff_bytes, data_bytes, frames, 0)
        + middle
        + struct.pack("<4sI", b"data", _UNKNOWN)
    )
