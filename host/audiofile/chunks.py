"""Walking the chunks of a file from strangers: bounded counts, bounded sizes, never past the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

MAX_CHUNKS = 4096
MAX_METADATA_BYTES = 16 << 20


class Chunk(NamedTuple):
    """Where a chunk's body lies, in bytes from the start of the file."""

    name: bytes
    offset: int
    size: int


def file_size(file: BinaryIO) -> int:
    """The size of an open file, in bytes; the position is kept."""
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def walk(
    file: BinaryIO, start: int, end: int, byteorder: Literal["little", "big"], size_bytes: int = 4
) -> Iterator[Chunk]:
    """Chunks between two offsets: four bytes of name, a size, a body padded to an even length (with 4-byte sizes).

    A body that reaches past the end is cut there; the size is as declared, so that a reader can tell.
    """
    offset = start
    for _ in range(MAX_CHUNKS):
        file.seek(offset)
        head = file.read(4 + size_bytes)
        if len(head) < 4 + size_bytes or offset >= end:
            return
        size = int.from_bytes(head[4:], byteorder)
        body = offset + 4 + size_bytes
        yield Chunk(head[:4], body, size)
        offset = body + size + (size & 1 if size_bytes == 4 else 0)
        if offset > end:
            return


def body(file: BinaryIO, chunk: Chunk, limit: int = MAX_METADATA_BYTES) -> bytes:
    """The bytes of a small chunk; a larger one yields its first `limit` bytes."""
    file.seek(chunk.offset)
    return file.read(min(chunk.size, limit))


def chunk_bytes(name: bytes, content: bytes, byteorder: Literal["little", "big"]) -> bytes:
    """A chunk ready to be written, padded to an even length; nothing for empty content."""
    if not content:
        return b""
    return name + len(content).to_bytes(4, byteorder) + content + b"\0" * (len(content) & 1)
