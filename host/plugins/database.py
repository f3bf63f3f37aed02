"""The database that scans are kept in: opened, migrated, set aside where it is damaged; and the lock of scans."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import platformdirs

VARIABLE = "PATCHWRIGHT_DATA"
NAME = "plugins.db"
LOCK = "plugins.lock"
PATIENCE_S = 10.0
"""How long one waits for another's transaction."""
LOOK_S = 0.02
APPLICATION = 0x50575031
STEPS = (
    """
    CREATE TABLE files (
        path TEXT PRIMARY KEY, format TEXT NOT NULL, stamp TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
        detail TEXT NOT NULL, seconds REAL NOT NULL, scanned REAL NOT NULL, scanner INTEGER NOT NULL,
        present INTEGER NOT NULL) STRICT;
    CREATE TABLE classes (
        path TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE, place INTEGER NOT NULL, format TEXT NOT NULL,
        uid TEXT NOT NULL, name TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, backend TEXT NOT NULL,
        note TEXT NOT NULL, description TEXT NOT NULL, PRIMARY KEY (path, place)) STRICT;
    CREATE INDEX classes_by_uid ON classes (format, uid);
    CREATE TABLE begun (path TEXT PRIMARY KEY, times INTEGER NOT NULL) STRICT;
    CREATE TABLE folders (path TEXT PRIMARY KEY) STRICT;
    """,
    """
    CREATE TABLE latencies (
        path TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE, uid TEXT NOT NULL, rate INTEGER NOT NULL,
        measured TEXT NOT NULL, PRIMARY KEY (path, uid, rate)) STRICT;
    """,
)
"""The schema, as the steps that led to it: a database made before a step gets what is missing."""

Notice = Callable[[str], None]


class StoreError(RuntimeError):
    """The database cannot be used: one line, with what to do."""


def say(words: str) -> None:
    """A note on standard error: where notices go that nobody else takes."""
    sys.stderr.write(f"note: {words}\n")


def data_folder() -> Path:
    """Where what belongs to the user is kept; PATCHWRIGHT_DATA overrides it."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("patchwright", appauthor=False))


@contextmanager
def scanning(folder: Path | None = None) -> Iterator[None]:
    """Be the only one that scans; the system ends this with the process. Raises StoreError where another does.

    The lock is one of SQLite's, on a database of its own, which works alike on every system.
    """
    path = (folder or data_folder()) / LOCK
    with said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    try:
        database.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        database.close()
        busy = "locked" in str(error)
        raise StoreError("another scan is at work; wait for it" if busy else f"{path}: {error}") from None
    try:
        yield
    finally:
        database.close()


def opened(path: Path, notice: Notice) -> sqlite3.Connection:
    """The database at a path, with today's schema; made where it is missing, set aside and made anew where it is
    damaged. Raises StoreError.
    """
    with said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if not damaged(error):
            raise StoreError(f"{path}: {error}") from None
        return _anew(path, error, notice)


def _anew(path: Path, error: sqlite3.DatabaseError, notice: Notice) -> sqlite3.Connection:
    with scanning(path.parent), said(path):
        try:
            return _opened(path)  # somebody else may have done it while we waited
        except sqlite3.DatabaseError as still:
            if not damaged(still):
                raise
        aside = _aside(path)
        notice(f"{path} is damaged ({error}); it is now {aside.name}, and all plugins are to be scanned again")
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        _wait_for(database, "PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        if (result := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"malformed: {' '.join(str(result).split())}")
        _migrate(database, path)
        if _schema(database) != _right_schema():
            raise sqlite3.DatabaseError("malformed: its schema is none of ours")
    except UnicodeDecodeError as error:
        database.close()
        raise sqlite3.DatabaseError("malformed: its texts are none") from error
    except BaseException:
        database.close()
        raise
    return database


def _wait_for(database: sqlite3.Connection, statement: str) -> None:
    """Run a statement for which SQLite itself does not wait while others are at the database."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            database.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_S)


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    version = _version(database, path)
    if version == len(STEPS):
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[_version(database, path) :]:
            for statement in step.split(";"):
                database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {len(STEPS)}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _schema(database: sqlite3.Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")]


def _right_schema() -> list[tuple[str, ...]]:
    """The schema that all steps together give."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        for step in STEPS:
            database.executescript(step)
        return _schema(database)


def _version(database: sqlite3.Connection, path: Path) -> int:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    application = database.execute("PRAGMA application_id").fetchone()[0]
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (version or tables) and application != APPLICATION:
        raise sqlite3.DatabaseError("malformed: it is no database of plugins")
    if version > len(STEPS):
        raise StoreError(
            f"{path} was made by a newer Patchwright (schema {version}; this one knows {len(STEPS)}); "
            f"use that one, or set {VARIABLE} to another folder"
        )
    return version


def damaged(error: Exception) -> bool:
    """Whether an error says that the file itself is wrong."""
    words = ("malformed", "not a database", "corrupt", "unsupported file")
    return isinstance(error, UnicodeDecodeError) or any(word in str(error) for word in words)


def _aside(path: Path) -> Path:
    """Give a database and what belongs to it another name, which no file has."""
    number = 1
    while (found := path.with_name(f"{path.name}.bad{number}")).exists():
        number += 1
    for tail in ("-wal", "-shm", ""):
        part = path.with_name(path.name + tail)
        if part.exists():
            os.replace(part, found.with_name(found.name + tail))
    return found


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Errors of the system and of the database as StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(f"{path}: {words or error}") from None
