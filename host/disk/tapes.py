"""What a live file player reads from: rings in memory that are filled ahead of the transport's place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np

from graph.spec import FileRequest
from host.audiofile import AudioFileError
from host.disk.cache import Copy, DiskCache, Stamp, stamp_at, stamp_of
from host.disk.feeds import FileFeed, Frames, open_request
from host.disk.loops import Loop
from host.native.abi import STREAM_CHANNELS, STREAM_DATA, STREAM_END, STREAM_MASK, STREAM_START, STREAM_WORDS
from host.native.arena import aligned

BANKS = 4
RING = 1 << 17
MASK = RING - 1
AHEAD = 3 * RING // 4
"""How far beyond the place a bank is filled, and a piece more. What is left of the ring holds what was just played."""
LAG = 8192
"""How far behind the transport a player may be, because its path is compensated: a jump keeps so much before it."""
OVER = 4096
"""How far a bank is filled beyond the end of a loop."""
PIECE = 8192
PREFILL_S = 0.25
WRAP_S = 0.5
"""How much of a loop's start is kept ready."""
RETRY_S = 1.0
QUIET_S = 60.0
"""How long the same is not said again."""


def spare(bank: int) -> int:
    """Which bank a jump goes to while this one is in play. Banks are two pairs; a loop goes round within one, and the
    other is made ready for a jump or for another loop.
    """
    return (bank ^ 2) & 2


class Bank:
    """One ring of a tape: ``words`` are its five words in the tape's table, as the module of the ABI names them.

    Place p lies at ``ring[p & MASK]``, for START ≤ p < END. Data is written before END is moved, and START is moved
    before old frames are overwritten, so whoever reads the words first finds what they promise.
    """

    def __init__(self, words: np.ndarray, channels: int) -> None:
        self.ring: Frames = np.empty((0, channels), np.float32)
        """There is none until it is wanted."""
        self.words = words
        self.words[STREAM_CHANNELS] = channels
        self.loop: Loop | None = None
        self.wrapped = False
        self.ticket = 0
        self.due = 0

    @property
    def start(self) -> int:
        """The first place that is there."""
        return int(self.words[STREAM_START])

    @property
    def end(self) -> int:
        """The first place that is not there yet."""
        return int(self.words[STREAM_END])

    def restart(self, place: int, loop: Loop | None, *, lag: int = 0, wrapped: bool = False, ticket: int = 0) -> None:
        """Forget everything; what is filled next lies ``lag`` before ``place``, which is due to be played."""
        if not len(self.ring):
            self.ring = aligned((RING, self.ring.shape[1]), "f4")
            self.words[[STREAM_DATA, STREAM_MASK]] = self.ring.ctypes.data, MASK
        self.due = place
        place -= lag
        # Empty at every moment between: the end never lies behind the start on the way.
        if place <= self.start:
            self.words[STREAM_END] = place
            self.words[STREAM_START] = place
        else:
            self.words[STREAM_START] = max(place, self.end)
            self.words[STREAM_END] = place
            self.words[STREAM_START] = place
        self.loop, self.wrapped, self.ticket = loop, wrapped, ticket

    def cut(self, place: int) -> None:
        """Forget what lies from ``place`` on."""
        self.words[STREAM_END] = max(self.start, min(self.end, place))

    def room(self, frames: int) -> tuple[int, Frames]:
        """The place of the next frames, and the part of the ring for them, at most so many; START makes way."""
        at = self.end
        frames = min(frames, RING - (at & MASK))
        self.words[STREAM_START] = max(self.start, at + frames - RING)
        return at, self.ring[at & MASK : (at & MASK) + frames]

    def publish(self, frames: int) -> None:
        """So many frames more are there."""
        self.words[STREAM_END] += frames


@dataclass
class Tape:
    """A file as a live player reads it.

    Attributes:
        words: int64[32], from word 8·b on those of bank b, as `Bank` says.
        late: frames that were not read in time and skipped, by the reader's own count.
        ready: set when the first bank was filled round the place that it was opened for.
        broken: why there is silence instead of the file, or None.
    """

    key: str
    request: FileRequest
    path: Path
    channels: int
    rate: int
    notice: Callable[[str], None]
    cache: DiskCache
    words: np.ndarray = field(default_factory=lambda: aligned((BANKS * STREAM_WORDS,), "i8"))
    banks: tuple[Bank, ...] = field(init=False)
    late: int = 0
    ready: Event = field(default_factory=Event)
    broken: str | None = None

    def __post_init__(self) -> None:
        self.banks = tuple(Bank(words, self.channels) for words in self.words.reshape(BANKS, STREAM_WORDS))
        self._feed: FileFeed | None = None
        self._blend: Frames = np.empty((0, self.channels), np.float32)
        self._stamp: Stamp | None = None
        """Of the file that is open."""
        self._copy: Copy | None = None
        """What is read instead of the disk, if it is."""
        self._told: dict[str | Stamp, float] = {}
        self._warned = self._returns = self._read_since = self._gone = False
        self._try_at = 0.0

    @property
    def bytes(self) -> int:
        """Memory that the rings take."""
        return sum(bank.ring.nbytes for bank in self.banks)

    def fill(self, bank: Bank, frames: int) -> None:
        """Put the next frames on a bank, at most so many; silence where the file cannot be read."""
        at, out = bank.room(min(frames, PIECE))
        if bank.loop is None:
            self._read(at, out)
        else:
            self._read_loop(bank, bank.loop, at, out)
        bank.publish(len(out))

    def _read_loop(self, bank: Bank, loop: Loop, at: int, out: Frames) -> None:
        done = 0
        while done < len(out):
            place = at + done
            source, run = loop.fold(place, bank.wrapped)
            run = min(run, len(out) - done)
            part = out[done : done + run]
            before = place - loop.length
            if source != place and before >= bank.start and (bank.wrapped or before >= loop.start):
                # One turn ago the same was heard: a loop of a few frames need not seek all the time.
                run = min(run, RING - (before & MASK))
                part[:run] = bank.ring[before & MASK : (before & MASK) + run]
            else:
                self._read(source, part)
                self._crossfade(loop, source, part)
            done += run

    def _crossfade(self, loop: Loop, at: int, part: Frames) -> None:
        skip = max(0, loop.blend - at)
        if skip >= len(part):
            return
        part, at = part[skip:], at + skip
        if len(self._blend) < len(part):
            self._blend = np.empty((len(part), self.channels), np.float32)
        other = self._blend[: len(part)]
        self._read(at - loop.length, other)
        gains = loop.gains(at, len(part))
        part *= 1.0 - gains
        part += other * gains

    def _read(self, at: int, out: Frames) -> None:
        if self._feed is not None:
            try:
                self._feed(at, out)
            except (OSError, RuntimeError, ValueError) as error:
                self._break(error)
            else:
                self._read_since = True
                if self._feed.reader.warning and not self._warned:
                    self._warned = True
                    self._say(f"{self.path}: {self._feed.reader.warning}")
        if self._feed is None:
            out[...] = 0.0

    def _break(self, error: Exception) -> None:
        self.close()
        self._returns = False
        self.broken = str(error) if isinstance(error, AudioFileError) else f"{self.path}: cannot be read: {error}"
        # A damaged file breaks in one way where it is read, and in another when it is opened again.
        self._say(f"{self.broken}; it is silent", about=stamp_at(self.path))

    def _say(self, text: str, about: Stamp | None = None) -> None:
        now, topic = monotonic(), about or text
        if now - self._told.get(topic, -QUIET_S) >= QUIET_S:
            self._told[topic] = now
            self.notice(text)

    def say_late(self) -> None:
        """Tell that the disk did not keep up."""
        self._say(f"{self.path}: is not read in time; what is missing is silent")

    def look_after(self, now: float) -> bool:
        """Open the file, or open it again where it was missing, broke or is another one by now; at most once a second.
        True where it is another file from now on.
        """
        if now < self._try_at:
            return False
        self._try_at = now + RETRY_S
        if self._feed is not None:
            if self._returns and self._read_since:  # for a while, without breaking again
                self._returns = False
                self._say(f"{self.path}: is there again")
            if not self._changed(self._feed):
                return False
        self.close()
        self._stamp = stamp_at(self.path)
        try:
            self._feed = self._open()
        except (OSError, RuntimeError, ValueError) as error:
            self._break(error)
            return False
        self._warned, self._read_since = self._warned and self._feed.reader.warning is not None, False
        self._returns, self.broken = self.broken is not None, None
        return True

    def _changed(self, feed: FileFeed) -> bool:
        """Whether another file is there than the one that is open. As long as there is not, the copy in memory is read
        where there is one, also when the file has gone; that is said.
        """
        news = self.cache.news(self.path)
        if news is None:
            return False
        if news.stamp is None:
            if self._copy is not None and not self._gone:
                self._gone = True
                self._say(f"{self.path}: is not there any more; it plays on from memory")
            return False
        if self._gone:
            self._gone = False
            self._say(f"{self.path}: is there again")
        if news.stamp != self._stamp:
            return True
        if news.copy is not self._copy and feed.reader.descriptor is not None:
            self._move(feed, feed.reader.descriptor, news.copy)
        return False

    def _move(self, feed: FileFeed, own: int, copy: Copy | None) -> None:
        """Read a copy from now on; None: the disk."""
        try:
            found = os.open(self.path, os.O_RDONLY) if copy is None else copy.open()
            try:
                # The path may have led elsewhere when the one of the two that is on the disk was opened.
                if None in (copy, self._copy) and stamp_of(os.fstat(found if copy is None else own)) != self._stamp:
                    return
                feed.reader.move_to(found)
            finally:
                os.close(found)
        except OSError:
            return  # where it is read now is as good
        self._copy = copy

    def _open(self) -> FileFeed:
        feed = open_request(self.request, self.path, self.rate)
        have = feed.reader.channels
        if have != self.channels:
            if (have, self.channels) != (1, 2):
                feed.close()
                raise AudioFileError(self.path, f"has {have} channels; expected {self.channels}")
            feed.lanes = (0, 0)
        return feed

    def close(self) -> None:
        """Let go of the file; the rings stay."""
        if self._feed is not None:
            self._feed.close()
            self._feed = self._copy = None
            self._gone = False
