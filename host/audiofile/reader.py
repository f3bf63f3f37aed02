"""Reading audio files: any rate, any format, our channel order, constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from graph.layouts import layout_with
from host.audiofile.errors import AudioFileError
from host.audiofile.sources import MAX_CHANNELS, MAX_RATE, MIN_RATE, Block, Source, open_source
from host.audiofile.speakers import own_order
from host.audiofile.streams import Resampled, Span, Stream, looped_memory

MAX_WHOLE_FRAMES = 1 << 24
PART_FRAMES = 1 << 16


class AudioReader:
    """A file as a stream of float32 blocks [frames, channels], in the channel order of our layouts; made by
    `open_audio`.

    Samples that are not finite are passed on as they are, unless the file is resampled: then they become zero and are
    counted in `scrubbed`. Not safe to use from two threads at once.

    Attributes:
        path: the file.
        rate: the file's own sample rate in Hz.
        out_rate: the rate of what is read.
        frames: how long the file is from its start frame on, once through, in frames of `out_rate`.
        source_frames: the same in the file's own frames.
        labels: the channels, by their places.
        layout: the name of the layout that has these labels, or None.
        loop: whether it starts again at the end.
        warning: one clause about damage that does not keep the file from being read, or None.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        source: Source,
        stored_labels: tuple[str, ...],
        rate: int | None = None,
        *,
        loop: bool = False,
        start_frame: int = 0,
        warning: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.rate = source.rate
        self.out_rate = source.rate if rate is None else rate
        self.labels, self._order = own_order(stored_labels)
        self.layout = layout_with(self.labels)
        self.loop = loop
        self.warning = warning
        self.source_frames = max(0, source.frames - start_frame)
        self.frames = (2 * self.source_frames * self.out_rate + self.rate) // (2 * self.rate)
        self._source = source
        short = looped_memory(source, start_frame) if loop else None
        span = Span(source, min(start_frame, source.frames), loop) if short is None else Span(short, 0, loop)
        self._resampled = None if self.out_rate == self.rate else Resampled(span, self.rate, self.out_rate)
        self._stream: Stream = span if self._resampled is None else self._resampled
        self._position = 0
        self._scratch: Block = np.empty((0, source.channels), np.float32)

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self.labels)

    @property
    def position(self) -> int:
        """The next frame to be read, in frames of `out_rate`; it goes on past the end."""
        return self._position

    @property
    def scrubbed(self) -> int:
        """Samples that were not finite and became zero, because the file is resampled."""
        return 0 if self._resampled is None else self._resampled.scrubbed

    @property
    def descriptor(self) -> int | None:
        """The number of the open file; None where it is not known."""
        return self._source.descriptor

    def move_to(self, descriptor: int) -> None:
        """Go on reading at the same place of another open file, which must hold the same bytes. No decoder or resampler
        begins anew, so all that is read stays the same to the bit.

        The other one's place is moved; it is for the caller to close. Raises OSError; ValueError where `descriptor` is
        None.
        """
        own = self.descriptor
        if own is None:
            raise ValueError("this file is not open under a number that is known")
        os.lseek(descriptor, os.lseek(own, 0, os.SEEK_CUR), os.SEEK_SET)
        os.dup2(descriptor, own, inheritable=False)

    def read(self, n: int) -> Block:
        """The next n frames, float32 [n, channels]; zeros after the end."""
        out = np.empty((n, self.channels), np.float32)
        self.read_into(out)
        return out

    def read_into(self, out: Block) -> int:
        """Fill `out`, float32 [n, channels] and C-contiguous, with the next n frames, zeros after the end.

        Returns:
            how many of them lie before the end.

        Raises:
            AudioFileError: the file cannot be read or decoded any further.
        """
        if out.shape[1:] != (self.channels,) or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ValueError(f"read_into needs a contiguous float32 array [n, {self.channels}]")
        wanted = len(out) if self.loop else max(0, min(len(out), self.frames - self._position))
        if self._order is None:
            got = self._stream.read_into(out[:wanted])
        else:
            if len(self._scratch) < wanted:
                self._scratch = np.empty((wanted, self.channels), np.float32)
            got = self._stream.read_into(self._scratch[:wanted])
            np.take(self._scratch[:got], self._order, axis=1, out=out[:got])
        out[got:] = 0.0
        if got + 1 < wanted and self.warning is None:
            self.warning = f"cut short: {self.frames} frames are promised, the sound ends at {self._position + got}"
        self._position += len(out)
        return wanted

    def seek(self, frame: int) -> None:
        """Go to a frame of `out_rate`; past the end there is silence."""
        if frame < 0:
            raise ValueError(f"cannot seek to frame {frame}: frames count from 0")
        if frame != self._position:
            self._stream.seek(frame if self.loop else min(frame, self.frames))
            self._position = frame

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_audio(
    path: str | os.PathLike[str], rate: int | None = None, *, loop: bool = False, start_frame: int = 0
) -> AudioReader:
    """Open an audio file for streaming.

    Args:
        path: WAV, RF64, FLAC, AIFF, OGG, or whatever else libsndfile reads.
        rate: the rate to read at, in Hz; None for the file's own.
        loop: go back to `start_frame` at the end, without a seam (resampled or not).
        start_frame: how much of the file to skip, in its own frames.

    Raises:
        AudioFileError: missing, not audio, damaged beyond reading, or out of bounds.
    """
    if rate is not None and not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFileError(path, f"cannot be read at {rate} Hz; expected {MIN_RATE} to {MAX_RATE}")
    if start_frame < 0:
        raise AudioFileError(path, f"cannot start at frame {start_frame}: frames count from 0")
    source, labels, warning = open_source(Path(path))
    try:
        return AudioReader(path, source, labels, rate, loop=loop, start_frame=start_frame, warning=warning)
    except BaseException:
        source.close()
        raise


def read_whole(
    path: str | os.PathLike[str],
    rate: int | None = None,
    *,
    max_frames: int = MAX_WHOLE_FRAMES,
    max_channels: int = MAX_CHANNELS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Block, tuple[str, ...]]:
    """A whole file as float32 [frames, channels], and its labels: for impulse responses and other short things.

    ``progress`` is told how many frames of how many are read.

    Raises:
        AudioFileError: as `open_audio`; or longer or wider than the limits.
    """
    with open_audio(path, rate) as reader:
        if reader.channels > max_channels:
            raise AudioFileError(path, f"{reader.channels} channels; at most {max_channels} can be used here")
        if reader.frames > max_frames:
            raise AudioFileError(
                path, f"{reader.frames} frames ({reader.frames / reader.out_rate:.1f} s); at most {max_frames} fit here"
            )
        if progress is None:
            return reader.read(reader.frames), reader.labels
        out = np.zeros((reader.frames, reader.channels), np.float32)
        for start in range(0, len(out), PART_FRAMES):
            reader.read_into(out[start : start + PART_FRAMES])
            progress(min(start + PART_FRAMES, len(out)), len(out))
        return out, reader.labels
