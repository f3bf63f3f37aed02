"""Streams over a source: a looping span of it, and the same at another sample rate."""

from __future__ import annotations

from math import ceil, gcd
from typing import Protocol

import numpy as np

from host.audiofile.sources import Block, Source

_FEED_FRAMES = 4096
# Source frames heard before a seek target, so that the resampling filter is filled: at unity ratio soxr's VHQ filter is
# some hundred taps long, and it grows with the ratio when the rate goes down.
_PREROLL = 2048


class Stream(Protocol):
    """Frames from zero on; a looping one never ends."""

    def read_into(self, out: Block) -> int: ...

    def seek(self, frame: int) -> None: ...


class Memory:
    """A short source held in memory, repeated whole times."""

    def __init__(self, block: Block, rate: int, times: int) -> None:
        self.rate, self.channels, self.frames = rate, block.shape[1], len(block) * times
        self._block: Block = np.tile(block, (times, 1))
        self._at = 0

    @property
    def descriptor(self) -> int | None:
        return None

    def read_into(self, out: Block) -> int:
        got = min(len(out), self.frames - self._at)
        out[:got] = self._block[self._at : self._at + got]
        self._at += got
        return got

    def seek(self, frame: int) -> None:
        self._at = frame

    def close(self) -> None:
        pass


def looped_memory(source: Source, start: int) -> Memory | None:
    """A short loop, read once and repeated: a loop of a few frames need not seek thousands of times a second."""
    frames = source.frames - start
    if not 0 < frames < _FEED_FRAMES:
        return None
    block = np.empty((frames, source.channels), np.float32)
    source.seek(start)
    got = source.read_into(block)
    return Memory(block[:got], source.rate, _FEED_FRAMES // got + 1) if got else None


class Span:
    """A source from `start` to its end, once, or over and over from `start`."""

    def __init__(self, source: Source, start: int, loop: bool) -> None:
        self.channels = source.channels
        self._source = source
        self._start = start
        self._loop = loop
        self._length = max(0, source.frames - start)
        self._at = 0
        source.seek(start)

    def read_into(self, out: Block) -> int:
        done = 0
        while done < len(out):
            got = self._source.read_into(out[done : done + self._length - self._at])
            done += got
            self._at += got
            if got == 0:
                self._length = self._at  # the file holds less than its header promised
            if self._at < self._length:
                continue
            if not self._loop or self._length == 0:
                break
            self.seek(0)
        return done

    def seek(self, frame: int) -> None:
        self._at = frame % self._length if self._loop and self._length else min(frame, self._length)
        self._source.seek(self._start + self._at)


class Resampled:
    """A stream at another sample rate, by soxr at its very high quality, linear phase, zero delay: output frame k is
    the sound at k / out_rate seconds.

    soxr runs through the stream without a break, so a loop's seam is resampled like any other place. After a seek the
    resampler starts again at a frame where both rates' grids meet.

    Attributes:
        scrubbed: samples that were NaN or infinite and became zero; in the filter they would have poisoned their
            surroundings.
    """

    def __init__(self, stream: Span, in_rate: int, out_rate: int) -> None:
        divisor = gcd(in_rate, out_rate)
        self.scrubbed = 0
        self._in_unit, self._out_unit = in_rate // divisor, out_rate // divisor
        self._rates = in_rate, out_rate
        self._stream = stream
        self._preroll_units = ceil(_PREROLL * max(1.0, in_rate / out_rate) / self._in_unit)
        self._feed: Block = np.empty((_FEED_FRAMES, stream.channels), np.float32)
        self.seek(0)

    def seek(self, frame: int) -> None:
        import soxr

        unit = max(0, frame // self._out_unit - self._preroll_units)
        self._stream.seek(unit * self._in_unit)
        self._skip = frame - unit * self._out_unit
        self._soxr = soxr.ResampleStream(*self._rates, self._stream.channels, dtype="float32", quality="VHQ")
        self._ready: Block = self._feed[:0]
        self._ended = False

    def read_into(self, out: Block) -> int:
        done = 0
        while done < len(out):
            if len(self._ready) == 0:
                if self._ended:
                    break
                self._refill()
                continue
            take = min(len(out) - done, len(self._ready))
            out[done : done + take] = self._ready[:take]
            self._ready = self._ready[take:]
            done += take
        return done

    def _refill(self) -> None:
        got = self._stream.read_into(self._feed)
        self._ended = got < len(self._feed)
        block = self._feed[:got]
        finite = np.isfinite(block)
        if not finite.all():
            self.scrubbed += finite.size - int(np.count_nonzero(finite))
            block[~finite] = 0.0
        ready = self._soxr.resample_chunk(block, last=self._ended)
        skipped = min(self._skip, len(ready))
        self._skip -= skipped
        self._ready = ready[skipped:]
