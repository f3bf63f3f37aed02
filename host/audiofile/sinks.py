"""Where samples go: WAV and AIFF, whose headers are ours, and the compressed formats through libsndfile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np

from host.audiofile.quantise import clip_floats, dither_source, packed, quantise
from host.audiofile.sources import Block

_BUFFER_BYTES = 1 << 20
_VORBIS_FRAMES = 4096  # libvorbis takes its working memory for one call from the stack
_FLAC_TAG_ROOM = 8192  # so that tags are set afterwards without moving the sound
# FLAC's STREAMINFO (RFC 9639): bytes of the largest block's size, and 64 bits whose last 36 are the number of frames.
_LARGEST_BLOCK, _STREAM_INFO, _TOTAL_BITS = slice(10, 12), slice(18, 26), 36
_VORBIS_COMPRESSION = 0.4  # libsndfile's 1 - quality: Vorbis quality 6, about 192 kbit/s for stereo

BITS = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}


class Sink(Protocol):
    """An open file that takes blocks [frames, channels] in its own channel order."""

    def write(self, block: Block) -> int:
        """Append a block; how many of its samples were clipped."""
        ...

    def update(self, frames: int) -> None:
        """Make the file readable as it is; so many frames were written."""
        ...

    def finish(self, frames: int) -> None:
        """Complete the file, which holds so many frames, and close it."""
        ...

    def keep(self, frames: int) -> None:
        """Close the file after a write failed, readable up to what is whole of the frames before it."""
        ...

    def close(self) -> None:
        """Close it as it is."""
        ...


class PcmSink:
    """Uncompressed samples behind a header that is a function of the number of frames."""

    def __init__(
        self,
        path: Path,
        header: Callable[[int], bytes],
        subtype: str,
        byteorder: Literal["little", "big"],
        dither_seed: int | None,
        max_bytes: int | None = None,
        *,
        growing: bool = False,
    ) -> None:
        self._header = header
        self._max_bytes = max_bytes
        self._bits = BITS[subtype]
        self._float_type = np.dtype(np.float32).newbyteorder("<" if byteorder == "little" else ">")
        self._floating = subtype == "FLOAT"
        self._byteorder: Literal["little", "big"] = byteorder
        self._dither = None if dither_seed is None else dither_source(dither_seed)
        # What a growing file was given is in it, so that it is known what is left when the disk is full.
        self._file: BinaryIO = path.open("wb", buffering=0 if growing else _BUFFER_BYTES)
        self._header_bytes = len(header(0))
        self._put(header(0))
        self._bytes = 0

    def _put(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def write(self, block: Block) -> int:
        clipped = 0
        if self._floating:
            data = np.ascontiguousarray(block, self._float_type).data.cast("B") if block.size else b""
        else:
            ints, clipped = quantise(block, self._bits, self._dither)
            data = packed(ints, self._bits, self._byteorder)
        if self._max_bytes is not None and self._bytes + len(data) > self._max_bytes:
            raise ValueError("it would grow past the 4 GiB that its format can hold; write WAV or FLAC instead")
        self._put(data)
        self._bytes += len(data)
        return clipped

    def update(self, frames: int) -> None:
        self._file.flush()
        self._file.seek(0)
        self._put(self._header(frames))
        self._file.seek(self._header_bytes + self._bytes)

    def finish(self, frames: int) -> None:
        self._put(b"\0" * (self._bytes & 1))
        self._file.seek(0)
        self._put(self._header(frames))
        self._file.close()

    def keep(self, frames: int) -> None:
        size = self._bytes // max(frames, 1)
        frames -= self._bytes & 1  # there may be no room for the byte that makes it even
        with self._file:
            self._file.truncate(self._header_bytes + frames * size)
            self._file.seek(0)
            self._put(self._header(frames))

    def close(self) -> None:
        self._file.close()


class FlacSink:
    """FLAC: integers, encoded by libsndfile."""

    def __init__(self, path: Path, rate: int, channels: int, subtype: str, dither_seed: int | None) -> None:
        import soundfile

        self._path = path
        self._bits = BITS[subtype]
        self._dither = None if dither_seed is None else dither_source(dither_seed)
        self._file = soundfile.SoundFile(path, "w", rate, channels, format="FLAC", subtype=subtype)
        self._file.comment = " " * _FLAC_TAG_ROOM

    def write(self, block: Block) -> int:
        ints, clipped = quantise(block, self._bits, self._dither)
        self._file.write(ints << (32 - self._bits))
        return clipped

    def update(self, frames: int) -> None:
        """The encoder says how long the file is only at its end, and without that no one knows."""
        with self._path.open("rb+", buffering=0) as file:
            head = bytearray(file.read(_STREAM_INFO.stop))
            if len(head) < _STREAM_INFO.stop:
                return  # nothing is encoded yet
            block = int.from_bytes(head[_LARGEST_BLOCK], "big")
            # The encoder writes a block once it has a frame more.
            whole = (frames - 1) // block * block if frames > block else 0
            rest = int.from_bytes(head[_STREAM_INFO], "big") >> _TOTAL_BITS << _TOTAL_BITS
            file.seek(_STREAM_INFO.start)
            file.write((rest | whole).to_bytes(8, "big"))

    def finish(self, frames: int) -> None:
        self._file.close()
        with self._path.open("rb") as file:
            said = int.from_bytes(file.read(_STREAM_INFO.stop)[_STREAM_INFO], "big") & ((1 << _TOTAL_BITS) - 1)
        if said != frames:  # libsndfile does not tell when the last block cannot be written
            raise ValueError("cannot be completed; the disk may be full")

    def keep(self, frames: int) -> None:
        import soundfile

        with suppress(soundfile.SoundFileError):  # the last block cannot be written either; those before it are there
            self._file.close()
        self.update(frames)

    def close(self) -> None:
        self._file.close()


class VorbisSink:
    """Ogg Vorbis, encoded by libsndfile. What exceeds full scale is clipped, as a decoder to integers would.

    The encoder's choices depend on how its input is cut, so it is always given the same pieces.
    """

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        import soundfile

        self._piece: Block = np.empty((_VORBIS_FRAMES, channels), np.float32)
        self._filled = 0
        self._file = soundfile.SoundFile(
            path, "w", rate, channels, format="OGG", subtype="VORBIS", compression_level=_VORBIS_COMPRESSION
        )

    def write(self, block: Block) -> int:
        block, clipped = clip_floats(block)
        done = 0
        while done < len(block):
            take = min(len(block) - done, _VORBIS_FRAMES - self._filled)
            self._piece[self._filled : self._filled + take] = block[done : done + take]
            self._filled += take
            done += take
            if self._filled == _VORBIS_FRAMES:
                self._flush()
        return clipped

    def _flush(self) -> None:
        self._file.write(self._piece[: self._filled])
        self._filled = 0

    def update(self, frames: int) -> None:
        """Ogg pages are whole as they are written."""

    def finish(self, frames: int) -> None:
        self._flush()
        self._file.close()

    def keep(self, frames: int) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()
