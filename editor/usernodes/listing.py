"""What lies in the user's node folder. Knows no window, and runs none of it."""

from __future__ import annotations

from pathlib import Path

from host.usernodes.listing import MOST_FILES, Own, listed
from host.usernodes.source import node_folder
from host.usernodes.trust import grants_folder

OWN = "user"
"""The kind that a node of the user's own is put into."""


class OwnNodes:
    """The files of the node folder as they were when last looked at; ``count`` rises when that is something else."""

    def __init__(self) -> None:
        self.listed: list[Own] = []
        self.count = 0
        self._seen: object = None

    def look(self) -> bool:
        """Look again; whether anything is different."""
        now = _stamps(node_folder()), stamp_of(grants_folder())
        if now == self._seen:
            return False
        self._seen = now
        self.listed = listed()
        self.count += 1
        return True


def stamp_of(path: Path) -> tuple[int, ...]:
    """What changes when a file does; zeros where there is none."""
    try:
        about = path.stat()
    except OSError:
        return (0, 0, 0)
    return about.st_mtime_ns, about.st_size, about.st_ino


def _stamps(folder: Path) -> tuple[object, ...]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".py")[:MOST_FILES]
    except OSError:
        return ()
    return tuple((file.name, stamp_of(file)) for file in files)
