"""The disk cache: copies of played files in memory, so that loops, jumps and the next time through read no disk.

The system has a cache of its own, but throws out what nobody has read for a while, and all it does for the disk (room
for pages, interrupts) it does beside the audio thread.
"""

from __future__ import annotations

import os
import stat
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import NamedTuple

from host.disk.memory import memory

PIECE = 1 << 18
BYTES_PER_S = 32_000_000
"""A copy is made no faster than this, whatever the disk can do."""
LOOK_S = 1.0
"""How often the files on the disk are looked at."""
SETTLED_S = 1.0
"""A file is left alone until it has not changed for so long. Times of files are coarser than changes of them."""
BUSY_S = 0.05
UNUSED_S = 60.0
"""A copy that no player needs is kept so long, for those who undo."""
AGAIN_S = 60.0
"""What could not be copied is tried again after so long, and copying goes on so long after memory was short."""
MOST_COPIES = 256
"""Each is an open file, of which a process may have some 1000."""
SHARE = 0.25
MOST_BYTES = 4_000_000_000
"""Where nobody says how much, copies take this share of the memory that can be had at the start, and at most so much.
"""
LEAVE, SHORT = 1 / 4, 1 / 16
"""Nothing is copied that would leave less than so much of the machine's memory free; where others leave less than the
second, copies go.
"""


def share() -> int:
    """How many bytes copies may take where nobody says how much."""
    return min(MOST_BYTES, round(SHARE * memory().available)) if _possible() else 0


def _possible() -> bool:
    """Whether this system, and the C library that Python was built with, have files that are nowhere but in memory."""
    return sys.platform.startswith("linux") and hasattr(os, "memfd_create")


class Stamp(NamedTuple):
    """What changes when a file does."""

    device: int
    node: int
    size: int
    time_ns: int


def stamp_of(found: os.stat_result) -> Stamp | None:
    """The stamp of a regular file; None for anything else."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def stamp_at(path: Path) -> Stamp | None:
    """The stamp of the file at a path; None where there is none to be read."""
    try:
        return stamp_of(path.stat())
    except OSError:  # that it is not there is found, and said, when it is opened
        return None


class Copy:
    """The bytes of a file as it was when it had this stamp. They are in memory as long as anybody holds this object, or
    what `open` gave.

    Nothing maps them, so they are not locked in place where the process locks its memory: a system that has to may put
    them on its swap.
    """

    def __init__(self, stamp: Stamp) -> None:
        assert sys.platform.startswith("linux")
        self.stamp = stamp
        self.used_at = 0.0
        self._descriptor = os.memfd_create("patchwright")
        weakref.finalize(self, os.close, self._descriptor)

    def add(self, source: int, place: int, most: int) -> int:
        """Add bytes of an open file, at most so many from a place on; how many there were. Raises OSError."""
        return os.sendfile(self._descriptor, source, place, most)

    def open(self) -> int:
        """A descriptor for reading with a place of its own, at the start; the caller closes it. Raises OSError."""
        return os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_CLOEXEC)


class News(NamedTuple):
    """What is known of a path: the stamp of the file there, None where there is none, and a copy of that file."""

    stamp: Stamp | None
    copy: Copy | None


class Counts(NamedTuple):
    """Files that are played and their bytes, those of them that are in memory, and whether there will be more."""

    files: int = 0
    files_bytes: int = 0
    kept: int = 0
    kept_bytes: int = 0
    keeping: bool = False


class _Look(NamedTuple):
    stamp: Stamp | None
    since: float
    settled: bool
    known: Stamp | None
    """The stamp, or the last one that there was."""


@dataclass
class _Going:
    """A copy that is being made."""

    copy: Copy
    source: int
    done: int = 0


class DiskCache:
    """Looks at the files that are wanted every second, and copies them, the smallest first, until ``most`` bytes are
    taken (None: by the memory there is). ``busy``: whether somebody else needs the disk more.

    All reading is done in a thread of its own, that nobody waits for: a disk may stall it. Copies are made on Linux; on
    other systems files are only looked at.
    """

    def __init__(self, most: int | None = None, busy: Callable[[], bool] = lambda: False) -> None:
        self.counts = Counts()
        self._busy = busy
        self._default = share()
        self._most = 0
        self._woken = Condition()
        self._wanted: tuple[Path, ...] = ()
        self._changed = self._closing = self._more = False
        self._look_at = self._rest_until = 0.0
        self._looks: dict[Path, _Look] = {}
        self._needed: frozenset[Stamp] = frozenset()
        self._copies: dict[Stamp, Copy] = {}
        self._refused: dict[Stamp, float] = {}
        self._going: _Going | None = None
        self.limit(most)
        self._thread = Thread(target=self._run, name="disk cache", daemon=True)
        self._thread.start()

    def limit(self, most: int | None) -> None:
        """Take so many bytes at most from now on; 0: none; None: by the memory there is."""
        with self._woken:
            self._most = (self._default if most is None else most) if _possible() else 0
            self._changed = True
            self._woken.notify()

    def want(self, paths: Iterable[Path]) -> None:
        """Look at these from now on, and have copies of them if there is room."""
        with self._woken:
            self._wanted = tuple(dict.fromkeys(paths))
            self._changed = True
            self._woken.notify()

    def news(self, path: Path) -> News | None:
        """What is at a path, as it was seen of late; None while that is not known or changes. Waits for nothing."""
        look = self._looks.get(path)
        if look is None or not look.settled:
            return None
        return News(look.stamp, self._copies.get(look.stamp) if look.stamp else None)

    def close(self, limit_s: float = 5.0) -> None:
        """End the thread and forget all copies. A thread that hangs in a dead disk is left behind."""
        with self._woken:
            self._closing = True
            self._woken.notify()
        self._thread.join(limit_s)
        self._copies = {}

    def _run(self) -> None:
        pause: float | None = None
        while True:
            with self._woken:
                if not self._changed and not self._closing:
                    self._woken.wait(pause)
                if self._closing:
                    break
                changed, self._changed = self._changed, False
            pause = self._step(changed)
        self._give_up()

    def _step(self, changed: bool) -> float | None:
        """Do what is due; after how many seconds to come again, None: when something is wanted."""
        now = monotonic()
        due = now >= self._look_at
        if due or changed:
            self._look_at = now + LOOK_S if due else self._look_at
            self._look(self._wanted, due)
            self._let_go(now)
            self._more |= self._unsettled()
            self._count()
        if self._busy():
            return BUSY_S
        if self._going is None:
            if now >= self._rest_until:
                self._begin(now)
            self._more = self._going is not None or self._unsettled()
            self._count()
        if self._going is None:
            return max(0.0, self._look_at - now) if self._wanted or self._copies else None
        self._go_on(self._going, now)
        return PIECE / BYTES_PER_S

    def _look(self, paths: Iterable[Path], again: bool) -> None:
        """See what is at these paths; ``again``: also at those that were looked at before."""
        looks: dict[Path, _Look] = {}
        for path in paths:
            before = self._looks.get(path)
            if before is not None and not again:
                looks[path] = before
                continue
            stamp = stamp_at(path)
            now = monotonic()
            known = stamp or (before.known if before is not None else None)
            if before is None or before.stamp != stamp:
                looks[path] = _Look(stamp, now, False, known)
            else:
                looks[path] = _Look(stamp, before.since, now - before.since >= SETTLED_S, known)
        self._looks = looks
        self._needed = frozenset(look.known for look in looks.values() if look.known)

    def _let_go(self, now: float) -> None:
        """Forget copies that nobody needs, or that there is no room for any more."""
        if self._going is not None and self._going.copy.stamp not in self._needed:
            self._give_up()
        for stamp, copy in list(self._copies.items()):
            if stamp in self._needed:
                copy.used_at = now
            elif now - copy.used_at > UNUSED_S:
                del self._copies[stamp]
        while self._copies and self._used() > self._most:
            self._drop()
        if self._used() > self._most:
            self._give_up()
        self._refused = {stamp: at for stamp, at in self._refused.items() if now < at}
        total, available = memory()
        if available < SHORT * total and (self._going or self._copies):
            self._rest_until = now + AGAIN_S
            self._give_up()
            self._drop()

    def _drop(self) -> int:
        """Forget the copy that was not needed for longest, among equals the largest; its bytes."""
        oldest = min(self._copies.values(), key=lambda copy: (copy.used_at, -copy.stamp.size), default=None)
        if oldest is None:
            return 0
        del self._copies[oldest.stamp]
        return oldest.stamp.size

    def _used(self) -> int:
        return sum(stamp.size for stamp in self._copies) + (self._going.copy.stamp.size if self._going else 0)

    def _begin(self, now: float) -> None:
        """Begin to copy the smallest file that there is no copy of, if it fits."""
        found = {look.stamp: path for path, look in self._looks.items() if look.stamp and look.settled}
        lacking = [stamp for stamp in found if stamp.size and not {stamp} & {*self._copies, *self._refused}]
        stamp = min(lacking, key=lambda stamp: stamp.size, default=None)
        if stamp is None or not self._make_room(stamp.size):
            return
        try:
            source = os.open(found[stamp], os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._refused[stamp] = now + AGAIN_S  # whoever plays it finds the same, and says it
            return
        try:
            if stamp_of(os.fstat(source)) != stamp:
                raise OSError("it has changed")
            self._going = _Going(Copy(stamp), source)
        except OSError:
            os.close(source)
            self._refused[stamp] = now + AGAIN_S

    def _make_room(self, size: int) -> bool:
        """Whether so many bytes fit, without those copies that are only kept for those who undo."""
        total, available = memory()
        while True:
            fits = self._used() + size <= self._most and available - size >= LEAVE * total
            if fits and len(self._copies) < MOST_COPIES:
                return True
            needed = sum(stamp.size for stamp in self._copies if stamp in self._needed)
            if self._copies.keys() <= self._needed or needed + size > self._most:
                return False
            available += self._drop()

    def _go_on(self, going: _Going, now: float) -> None:
        """Copy a piece; at the end the copy counts, if the file is still what it was."""
        assert sys.platform.startswith("linux")
        stamp = going.copy.stamp
        try:
            got = going.copy.add(going.source, going.done, PIECE)
            # The system need not keep it as well.
            os.posix_fadvise(going.source, going.done, got, os.POSIX_FADV_DONTNEED)
            going.done += got
            if got and going.done < stamp.size:
                return
            if going.done != stamp.size or stamp_of(os.fstat(going.source)) != stamp:
                raise OSError("it has changed")
            going.copy.used_at = now
            self._copies[stamp] = going.copy
        except OSError:
            self._refused[stamp] = now + AGAIN_S
        self._give_up()

    def _give_up(self) -> None:
        """Let go of the copy that is being made."""
        if self._going is not None:
            os.close(self._going.source)
            self._going = None

    def _count(self) -> None:
        sizes = [stamp.size for stamp in self._needed]
        kept = [stamp.size for stamp in self._needed if stamp in self._copies]
        self.counts = Counts(len(sizes), sum(sizes), len(kept), sum(kept), self._more)

    def _unsettled(self) -> bool:
        return self._most > 0 and any(look.stamp and not look.settled for look in self._looks.values())
