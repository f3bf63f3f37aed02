"""Where samples go: WAV and AIFF, whose headers are ours, and the compressed formats through libsndfile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np

from host.audiofile.quantise import clip_floats, dither_source, packed, quantise
from host.audiofile.sources import Block

_BUFFER_BYTES = 1 << 20
_VORBIS_FRAMES = 4096  # libvorbis takes its working memory for one call from the stack
_FLAC_TAG_ROOM = 8192  # so that tags are set afterwards without moving the sound
_VORBIS_COMPRESSION = 0.4  # libsndfile's 1 - quality: Vorbis quality 6, about 192 kbit/s for stereo

BITS = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}


class Sink(Protocol):
    """An open file that takes blocks [frames, channels] in its own channel order."""

    def write(self, block: Block) -> int:
        """Append a block; how many of its samples were clipped."""
        ...

    def finish(self, frames: int) -> None:
        """Complete the file, which holds so many frames, and close it."""
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
    ) -> None:
        self._header = header
        self._max_bytes = max_bytes
        self._bits = BITS[subtype]
        self._float_type = np.dtype(np.float32).newbyteorder("<" if byteorder == "little" else ">")
        self._floating = subtype == "FLOAT"
        self._byteorder: Literal["little", "big"] = byteorder
        self._dither = None if dither_seed is None else dither_source(dither_seed)
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER_BYTES)
        self._file.write(header(0))
        self._bytes = 0

    def write(self, block: Block) -> int:
        clipped = 0
        if self._floating:
            data = np.ascontiguousarray(block, self._float_type).data.cast("B") if block.size else b""
        else:
            ints, clipped = quantise(block, self._bits, self._dither)
            data = packed(ints, self._bits, self._byteorder)
        if self._max_bytes is not None and self._bytes + len(data) > self._max_bytes:
            raise ValueError("it would grow past the 4 GiB that its format can hold; write WAV or FLAC instead")
        self._file.write(data)
        self._bytes += len(data)
        return clipped

    def finish(self, frames: int) -> None:
        self._file.write(b"\0" * (self._bytes & 1))
        self._file.seek(0)
        self._file.write(self._header(frames))
        self._file.close()

    def close(self) -> None:
        self._file.close()


class FlacSink:
    """FLAC: integers, encoded by libsndfile."""

    def __init__(self, path: Path, rate: int, channels: int, subtype: str, dither_seed: int | None) -> None:
        import soundfile

        self._bits = BITS[subtype]
        self._dither = None if dither_seed is None else dither_source(dither_seed)
        self._file = soundfile.SoundFile(path, "w", rate, channels, format="FLAC", subtype=subtype)
        self._file.comment = " " * _FLAC_TAG_ROOM

    def write(self, block: Block) -> int:
        ints, clipped = quantise(block, self._bits, self._dither)
        self._file.write(ints << (32 - self._bits))
        return clipped

    def finish(self, frames: int) -> None:
        self._file.close()

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

    def finish(self, frames: int) -> None:
        self._flush()
        self._file.close()

    def close(self) -> None:
        self._file.close()
