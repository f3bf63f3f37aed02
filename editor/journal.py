"""Unsaved work, kept on the disk: it outlives an editor that ends without being closed.

Every editor that runs has a folder of its own, ``journal/<name>/`` in the user's data, with a ``lock`` that it holds
for as long as it lives and, while there is unsaved work, the file ``work``: one line of JSON (``Header``), and then
the patch as a ``.pwp`` holds it. The system lets go of a lock when a process ends, however it ends; a folder whose
lock nobody holds is what an editor left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from editor.files.folders import data_folder
from editor.model import Session
from graph.document import Patch
from graph.encoding import MOST_BYTES
from graph.errors import PatchError
from graph.patchfile import dumps, loads
from graph.saving import write_whole

QUIET_S = 0.25
"""Work is written so long after the last edit,"""
LATEST_S = 1.5
"""and at the latest so long after the first that is not written."""
MOST_LEFT = 20
"""How many pieces of left work are kept; the oldest go first."""
MOST_STEPS = 30
LONGEST_LINE = 1 << 16
LOCK, WORK = "lock", "work"


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of unsaved work: the file it belongs to ("" for none), the folder its paths begin in, when it was
    written (seconds since 1970), and the names of what was done to the patch, the newest last.
    """

    file: str
    folder: str
    at: float
    steps: tuple[str, ...]

    @staticmethod
    def read(line: bytes) -> Header:
        """From its line of JSON. Raises PatchError."""
        try:
            raw: Any = json.loads(line)
        except (ValueError, RecursionError):
            raise PatchError("the journal does not begin with a line of JSON") from None
        fields = raw if isinstance(raw, dict) else {}
        file, folder, at, steps = (fields.get(name) for name in ("file", "folder", "at", "steps"))
        if not (isinstance(file, str) and isinstance(folder, str) and "\0" not in file + folder):
            raise PatchError("the journal does not say which file it belongs to")
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e11:
            raise PatchError("the journal does not say when it was written")
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise PatchError("the journal does not say what was done")
        return Header(file, folder, float(at), tuple(step[:200] for step in steps[-MOST_STEPS:]))


@dataclass(frozen=True, slots=True)
class Left:
    """Unsaved work that an editor left behind, in ``place``."""

    place: Path
    header: Header
    patch: Patch

    @property
    def name(self) -> str:
        """What to call it."""
        return Path(self.header.file).name if self.header.file else self.patch.name or "Untitled"

    def words(self) -> str:
        """What happened, in a sentence or two."""
        when = time.strftime("%H:%M on %d %B", time.localtime(self.header.at))
        steps = self.header.steps
        what = f" Not in the file were {len(steps)} changes, the last: {steps[-1]}." if len(steps) > 1 else ""
        what = f" Not in the file was one change: {steps[0]}." if len(steps) == 1 else what
        return f"The editor ended at {when} without being closed; {self.name} is as it was then.{what}"

    def discard(self) -> None:
        """It is wanted no more."""
        shutil.rmtree(self.place, ignore_errors=True)


def journals() -> Path:
    """Where all journals are."""
    return data_folder() / "journal"


def left_behind(folder: Path | None = None) -> tuple[list[Left], list[str]]:
    """The unsaved work of editors that run no more, the newest first, and what cannot be read of it.

    What is empty is removed; so is the oldest work beyond ``MOST_LEFT``. What cannot be read stays where it is.
    """
    folder = folder or journals()
    found: list[Left] = []
    problems: list[str] = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not place.is_dir():
            continue
        with _held(place / LOCK) as lock:
            if lock is None:
                continue
            if not (place / WORK).is_file():
                shutil.rmtree(place, ignore_errors=True)
                continue
            try:
                found.append(_read(place))
            except (PatchError, OSError) as error:
                problems.append(f"Unsaved work in {place / WORK} cannot be read: {error}")
    found.sort(key=lambda left: left.header.at, reverse=True)
    for old in found[MOST_LEFT:]:
        old.discard()
    return found[:MOST_LEFT], problems


def _read(place: Path) -> Left:
    with (place / WORK).open("rb") as file:
        line = file.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise PatchError("the journal does not begin with a line of JSON")
        header = Header.read(line)
        data = file.read(MOST_BYTES + 1)
    patch = loads(data)
    patch.folder = Path(header.folder)
    return Left(place, header, patch)


class Journal:
    """Keeps the unsaved work of one session on the disk. ``note`` hears of every change, and ``step`` is called again
    and again; neither waits.

    What cannot be written is said through ``say(level, text)``, once until it can be written again.
    """

    def __init__(self, say: Callable[[str, str], None], folder: Path | None = None) -> None:
        self._say = say
        self.place = (folder or journals()) / f"{int(time.time()):x}-{os.getpid():x}-{os.urandom(4).hex()}"
        self._lock: IO[bytes] | None = None
        self._failed = ""
        self._first: float | None = None
        """When the first change came that is not written."""
        self._last = 0.0
        self._after: list[Left] = []
        self._due: deque[Callable[[], None]] = deque(maxlen=1)
        """What is to be written next; on a disk that does not come on, the newest takes the place of what waits."""
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        try:
            self.place.mkdir(parents=True)
            self._lock = _open_lock(self.place / LOCK)
        except OSError as error:
            say("warning", f"Unsaved work is not kept: {self.place} cannot be written: {error.strerror}")
        else:
            self._thread.start()

    def adopt(self, left: Left) -> None:
        """Work that was left behind is gone on with: what was left goes once what it has become is written, or is
        wanted no more.
        """
        self._after.append(left)

    def note(self, now: float) -> None:
        """The session has changed; ``now`` in seconds of any clock."""
        self._last = now
        if self._first is None:
            self._first = now

    def step(self, session: Session, now: float) -> None:
        """See whether there is something to write."""
        if self._first is None or self._lock is None:
            return
        if session.dirty and now - self._last < QUIET_S and now - self._first < LATEST_S:
            return
        self._first = None
        adopted = list(self._after)
        keep = self._keeping(session) if session.dirty else self._forget

        def job() -> None:
            keep()
            self._discard(adopted)

        self._due.append(job)
        self._jobs.put(self._newest)

    def _keeping(self, session: Session) -> Callable[[], None]:
        patch = session.patch.copy()
        file = str(session.file.resolve()) if session.file else ""
        steps = tuple(step[:200] for step in session.history.done[-MOST_STEPS:])
        header = Header(file, str(session.patch.folder or Path.cwd()), time.time(), steps)
        line = json.dumps(asdict(header)).encode() + b"\n"

        def write() -> None:
            write_whole(self.place / WORK, line + dumps(patch), backups=0)

        return write

    def _discard(self, adopted: list[Left]) -> None:
        for left in adopted:
            left.discard()
            if left in self._after:
                self._after.remove(left)

    def _newest(self) -> None:
        try:
            job = self._due.popleft()
        except IndexError:
            return  # it came in the place of one that waited, and was done in its turn
        job()

    def _forget(self) -> None:
        (self.place / WORK).unlink(missing_ok=True)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
                self._failed = ""
            except Exception as error:  # a full disk, a patch that no file can hold: the editor goes on
                if str(error) != self._failed:
                    self._failed = str(error)
                    self._say("warning", f"Unsaved work cannot be kept: {error}")

    def flush(self) -> None:
        """Wait until what was to be written is."""
        if self._thread.is_alive():
            done = threading.Event()
            self._jobs.put(done.set)
            done.wait(10.0)

    def close(self, keep: bool = False) -> None:
        """The session is over; with ``keep``, what is unsaved stays for the next start."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join(10.0)
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if not keep:
            self._discard(list(self._after))
            shutil.rmtree(self.place, ignore_errors=True)


def _open_lock(path: Path) -> IO[bytes] | None:
    """A lock that is held until it is closed; None where somebody else holds it. Raises OSError."""
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def _held(path: Path) -> Iterator[IO[bytes] | None]:
    """The lock of a journal while one looks at it; None where its editor lives, or it cannot be reached."""
    try:
        file = _open_lock(path)
    except OSError:
        file = None
    try:
        yield file
    finally:
        if file is not None:
            file.close()
