"""What scans found out, kept for this user: one SQLite database, read by whoever needs a plugin, written by scans.

Many may read while a scan writes. Every result is one transaction, so that whatever is killed whenever, each file has
its old result or its new one. A database that is damaged is set aside, said, and begun anew: a scan brings it back.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from host.plugins.database import NAME, Notice, StoreError, damaged, data_folder, opened, say
from host.plugins.description import Description, description_from, plain
from host.plugins.errors import PluginError

Verdict = Literal["good", "crashed", "hung", "memory", "refused", "not a plugin", "failed", "unfinished"]
"""``crashed``: its process died. ``hung``: it did not answer in time. ``memory``: it took more than it may.
``refused``: it said no. ``failed``: the scan could not tell, and the next one tries again. ``unfinished``: scans ended
time and again while it was looked at."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class ClassResult:
    """What was found out about one plugin in a file."""

    uid: str
    name: str
    verdict: Verdict
    reason: str = ""
    backend: str = ""
    """What runs it …"""
    note: str = ""
    """… and why, where that is not plain; what is odd about it."""
    description: Description | None = None
    """Good ones have one."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What was found out about a file. It is good where at least one plugin in it is."""

    path: str
    format: str
    stamp: str
    verdict: Verdict
    reason: str = ""
    detail: str = ""
    """The last lines that it wrote on standard error, where it is not good."""
    seconds: float = 0.0
    """How long it was looked at."""
    scanned: float = 0.0
    """When, in seconds since 1970."""
    scanner: int = 0
    """By which version of the scan."""
    present: bool = True
    """Whether the file was there when last looked for."""
    classes: tuple[ClassResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that can be loaded."""

    path: str
    format: str
    backend: str
    description: Description


class Store:
    """The database, open. One thread at a time; ``close`` it, or use it in a ``with``. Methods raise StoreError."""

    def __init__(self, folder: Path | None = None, notice: Notice = say) -> None:
        """Open the database in a folder, making and migrating it where need be. Raises StoreError."""
        self.folder = folder or data_folder()
        self.path = self.folder / NAME
        self._notice = notice
        self._database = opened(self.path, notice)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # What is known

    def files(self, path: str | None = None) -> list[FileResult]:
        """All that is known, by path, or what is known of one."""
        where, values = ("WHERE path = ?", (path,)) if path is not None else ("", ())
        with self._transaction(write=False):
            classes: dict[str, list[ClassResult]] = {}
            for row in self._database.execute(f"SELECT * FROM classes {where} ORDER BY path, place", values):
                if found := self._class(row):
                    classes.setdefault(row["path"], []).append(found)
            return [
                _file(row, classes.get(row["path"], []))
                for row in self._database.execute(f"SELECT * FROM files {where} ORDER BY path", values)
            ]

    def find(self, format: str, uid: str, hint: str = "") -> Found | None:
        """The plugin with an id: the one in the file ``hint`` where that was scanned and is good, else that of the
        highest version. None where no file that is there has a good one.
        """
        with self._transaction(write=False):
            rows = self._database.execute(
                "SELECT classes.* FROM classes JOIN files USING (path) WHERE classes.format = ? AND uid = ?"
                " AND classes.verdict = 'good' AND files.present ORDER BY path",
                (format, uid),
            ).fetchall()
        found: list[Found] = []
        for row in rows:
            known = self._class(row)
            if known and known.description:
                found.append(Found(row["path"], format, known.backend, known.description))
        return max(found, key=lambda f: (f.path == hint, _numbers(f.description.version)), default=None)

    def plugins(self) -> list[Found]:
        """Every good plugin whose file is there, each id once, by name."""
        return best(self.files())

    def _class(self, row: sqlite3.Row) -> ClassResult | None:
        description = None
        try:
            if row["description"]:
                description = description_from(json.loads(row["description"]), row["path"])
        except (PluginError, ValueError, RecursionError) as error:
            self._notice(f"what is kept of {row['name']} in {row['path']} is wrong ({error}); scan again")
            return None
        return ClassResult(
            row["uid"], row["name"], row["verdict"], row["reason"], row["backend"], row["note"], description
        )

    # What scans write

    def put(self, result: FileResult) -> None:
        """Keep a result in place of the one before."""
        with self._transaction():
            self._database.execute("DELETE FROM files WHERE path = ?", (result.path,))
            self._database.execute("DELETE FROM begun WHERE path = ?", (result.path,))
            self._database.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(result.path, result.format, result.stamp, result.verdict, result.reason, result.detail),
                    *(result.seconds, result.scanned or time.time(), result.scanner, int(result.present)),
                ),
            )
            self._database.executemany(
                "INSERT INTO classes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(result.path, place, result.format, c.uid, c.name, c.verdict, c.reason, c.backend, c.note),
                        json.dumps(plain(c.description), ensure_ascii=False) if c.description else "",
                    )
                    for place, c in enumerate(result.classes)
                ],
            )

    def begin(self, path: str) -> None:
        """Note that a file is about to be looked at: what is noted and has no result when a scan begins was cut off."""
        with self._transaction():
            self._database.execute(
                "INSERT INTO begun VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET times = times + 1", (path,)
            )

    def calm(self, paths: Sequence[str]) -> None:
        """Take such notes back: a scan that was asked to stop has not been cut off."""
        with self._transaction():
            self._database.executemany("DELETE FROM begun WHERE path = ?", [(path,) for path in paths])

    def cut_off(self) -> dict[str, int]:
        """Files that scans were looking at when they were cut off, and how many times that happened."""
        with self._transaction(write=False):
            return {row["path"]: row["times"] for row in self._database.execute("SELECT * FROM begun")}

    def mark_present(self, there: dict[str, bool]) -> None:
        """Whether files are there; results of those that are not are kept for when they come back."""
        with self._transaction():
            self._database.executemany(
                "UPDATE files SET present = ? WHERE path = ?", [(int(p), path) for path, p in there.items()]
            )

    def forget(self, paths: Sequence[str]) -> None:
        """Forget results."""
        with self._transaction():
            self._database.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in paths])

    # The user's folders

    def folders(self) -> list[Path]:
        """The user's own plugin folders, beside the standard ones."""
        with self._transaction(write=False):
            return [Path(row["path"]) for row in self._database.execute("SELECT path FROM folders ORDER BY path")]

    def add_folder(self, path: Path) -> None:
        """Look for plugins in this folder too, from now on."""
        with self._transaction():
            self._database.execute("INSERT OR IGNORE INTO folders VALUES (?)", (os.path.abspath(path),))

    def remove_folder(self, path: Path) -> bool:
        """No longer look there; False where it was none of them."""
        with self._transaction():
            done = self._database.execute("DELETE FROM folders WHERE path = ?", (os.path.abspath(path),))
            return done.rowcount > 0

    # Measured latencies

    def put_latency(self, path: str, uid: str, rate: int, measured: dict[str, Any]) -> None:
        """Keep what was measured, until the file is scanned anew."""
        with self._transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO latencies VALUES (?, ?, ?, ?)", (path, uid, rate, json.dumps(measured))
            )

    def latencies(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        """What was measured, by path, uid and rate."""
        with self._transaction(write=False):
            rows = self._database.execute("SELECT * FROM latencies").fetchall()
        return {(row["path"], row["uid"], row["rate"]): json.loads(row["measured"]) for row in rows}

    @contextmanager
    def _transaction(self, write: bool = True) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            advice = "; remove it, and scan again" if damaged(error) else ""
            raise StoreError(f"{self.path}: {error}{advice}") from None


def best(files: Iterable[FileResult]) -> list[Found]:
    """The good plugins in files, by path, that are there: each id once, as ``Store.find`` finds it; by name."""
    found: dict[tuple[str, str], Found] = {}
    for file in files:
        for known in file.classes if file.present else ():
            if known.verdict != "good" or known.description is None:
                continue
            each = Found(file.path, file.format, known.backend, known.description)
            kept = found.get((file.format, known.uid))
            if kept is None or _numbers(each.description.version) > _numbers(kept.description.version):
                found[file.format, known.uid] = each
    return sorted(found.values(), key=lambda f: (f.description.name.lower(), f.path))


def _file(row: sqlite3.Row, classes: list[ClassResult]) -> FileResult:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118
    return replace(FileResult(**values, classes=tuple(classes)), present=bool(row["present"]))


def _numbers(version: str) -> tuple[int, ...]:
    """A version to compare by: 1.10 is higher than 1.9."""
    parts = "".join(c if c.isascii() and c.isdigit() else " " for c in version).split()
    return tuple(int(part[:9]) for part in parts)
