"""Writing a file so that a crash at any instant leaves the old one or the new one, whole; and keeping older ones.

The bytes go to a file beside the target and to the disk; then the old file becomes the newest backup, and the new one
takes its name in one step. Backups of ``NAME`` are ``.backups/NAME.1`` (the newest) to ``.backups/NAME.5``, beside it.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

BACKUPS = 5
"""How many older contents of a file are kept."""
BACKUP_FOLDER = ".backups"
_UNFINISHED = ".saving"
_ABANDONED_S = 3600.0
"""After how long an unfinished file must belong to a save that was cut short."""

_one_at_a_time = threading.Lock()


def write_whole(path: Path, data: bytes, backups: int = BACKUPS) -> None:
    """Put ``data`` in the file ``path``, or leave it as it was. A file that holds just this is not touched.

    Raises OSError where it cannot be written; then nothing has changed but, at most, the backups.
    """
    with _one_at_a_time:
        _write_whole(path.resolve(), data, backups)  # of a link, what it points to is replaced


def _write_whole(path: Path, data: bytes, backups: int) -> None:
    old = path.read_bytes() if path.is_file() else None
    if old == data:
        return
    _sweep(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns():x}{_UNFINISHED}")
    try:
        _write_through(unfinished, data)
        if old is not None:
            shutil.copymode(path, unfinished)
            if backups > 0:
                _keep(path, backups)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def backups_of(path: Path) -> list[Path]:
    """The older contents of a file that are kept, the newest first."""
    path = path.resolve()
    numbered = [path.parent / BACKUP_FOLDER / f"{path.name}.{number}" for number in range(1, BACKUPS + 1)]
    return [file for file in numbered if file.is_file()]


def _write_through(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _keep(path: Path, count: int) -> None:
    """Make what ``path`` holds the newest of its backups, the others one older each."""
    folder = path.parent / BACKUP_FOLDER
    folder.mkdir(exist_ok=True)
    for number in range(count - 1, 0, -1):
        older = folder / f"{path.name}.{number}"
        if older.is_file():
            os.replace(older, folder / f"{path.name}.{number + 1}")
    newest, unfinished = folder / f"{path.name}.1", folder / f".{path.name}.{os.getpid()}{_UNFINISHED}"
    unfinished.unlink(missing_ok=True)
    try:
        os.link(path, unfinished)  # no copy: the name is about to go to another file
    except OSError:  # a file system without links
        _write_through(unfinished, path.read_bytes())
    os.replace(unfinished, newest)
    _flush_folder(folder)


def _sweep(path: Path) -> None:
    """Remove what saves of this file left behind that were cut short."""
    for folder in (path.parent, path.parent / BACKUP_FOLDER):
        if not folder.is_dir():
            continue
        for file in folder.iterdir():
            ours = file.name.startswith(f".{path.name}.") and file.name.endswith(_UNFINISHED)
            if ours and time.time() - file.stat().st_mtime > _ABANDONED_S:
                file.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Have the folder's new names on the disk; Windows has no such thing, and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
