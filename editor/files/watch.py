"""Whether the file of the patch is still the one that was read or written here: another window may have it open too."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from editor.model import Session

EVERY_S = 2.0
"""So often the file is looked at."""
Stamp = tuple[int, int, int] | None


class Watch:
    """Looks at the file of a session; what becomes of it is said once through ``say(level, text)``."""

    def __init__(self, session: Session, say: Callable[[str, str], None]) -> None:
        self._session, self._say = session, say
        self._ours: Stamp = None
        self._seen: Stamp = None
        self._looked = 0.0

    def own(self) -> None:
        """What is in the file and what is open come from each other: it was just read, or written."""
        self._ours = self._seen = stamp(self._session.file)

    def step(self, now: float) -> None:
        """Look, if it is time; ``now`` in seconds of any clock."""
        if now - self._looked < EVERY_S:
            return
        self._looked = now
        file, found = self._session.file, stamp(self._session.file)
        if file is None or found == self._seen:
            return
        self._seen = found
        if found is None:
            self._say("warning", f"{file.name} is no longer in {file.parent}. Save writes it there again.")
        elif found != self._ours:
            words = "Open it again to have that; saving asks before it replaces it."
            self._say("warning", f"{file.name} was changed by another program or window. {words}")

    def changed(self) -> str:
        """When the file was changed by somebody else, in words; empty where it was not, or is gone."""
        found = stamp(self._session.file)
        if found is None or found == self._ours:
            return ""
        return time.strftime("%H:%M on %d %B", time.localtime(found[0] / 1e9))


def stamp(file: Path | None) -> Stamp:
    """What tells a file from what is at its place later; None where there is none."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None else None
