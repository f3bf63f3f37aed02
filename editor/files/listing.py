"""What a file dialog lists: the contents of a folder, filtered and in order, as plain data."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_ROWS = 2000
PATCHES = (".pwp", ".json")
AUDIO = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3", ".w64", ".rf64", ".caf")


@dataclass(frozen=True, slots=True)
class Row:
    """A file or folder: ``size`` in bytes, ``changed`` in seconds since 1970."""

    name: str
    folder: bool
    size: int = 0
    changed: float = 0.0


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder's contents. ``more``: how many rows there are beyond ``MOST_ROWS``.

    ``problem``: why it cannot be read.
    """

    folder: Path
    rows: tuple[Row, ...] = ()
    more: int = 0
    problem: str = ""


def listed(folder: Path, suffixes: Sequence[str] = (), words: str = "", hidden: bool = False) -> Listing:
    """Folders first, then the files that end in one of ``suffixes`` (none: all), by name, newest cases equal.

    Only names that hold every word of ``words`` are listed; names that begin with a dot only if ``hidden``.
    """
    wanted = words.casefold().split()
    rows: list[Row] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if (entry.name.startswith(".") and not hidden) or not all(w in entry.name.casefold() for w in wanted):
                    continue
                row = _row(entry)
                if row is not None and (row.folder or _ends(row.name, suffixes)):
                    rows.append(row)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no folder can have this name"
        return Listing(folder, problem=f"This folder cannot be read: {reason}")
    rows.sort(key=lambda row: (not row.folder, row.name.casefold(), row.name))
    return Listing(folder, tuple(rows[:MOST_ROWS]), max(len(rows) - MOST_ROWS, 0))


def _row(entry: os.DirEntry[str]) -> Row | None:
    """A row for what can be chosen; None for what is neither a file nor a folder, or leads nowhere."""
    try:
        found = entry.stat()
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return Row(entry.name, True, 0, found.st_mtime)
    return Row(entry.name, False, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def _ends(name: str, suffixes: Sequence[str]) -> bool:
    return not suffixes or name.casefold().endswith(tuple(suffixes))


def target(folder: Path, typed: str, suffixes: Sequence[str] = ()) -> Path | None:
    """The path that was typed, from ``folder`` on, with the first of ``suffixes`` where it has none of them.

    None where nothing was typed, or nothing that can be a name.
    """
    typed = typed.strip()
    if not typed or "\0" in typed or typed in (".", ".."):
        return None
    path = Path(os.path.expanduser(typed))
    path = path if path.is_absolute() else folder / path
    if suffixes and not _ends(path.name, suffixes) and not path.is_dir():
        path = path.with_name(path.name + suffixes[0])
    return Path(os.path.normpath(path))


def size_words(size: int) -> str:
    """A size as people read it."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def crumbs(folder: Path, most: int = 6) -> list[tuple[str, Path]]:
    """The folders on the way to a folder, the last ``most``, by what to call them."""
    way = [*reversed(folder.parents), folder]
    return [(each.name or str(each), each) for each in way][-most:]
