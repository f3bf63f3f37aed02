"""The private folders where engines say how they are reached: one folder for each engine.

In it lie ``endpoint`` (JSON: process id, address, key), the socket, ``readings`` and ``log``. Only the user may enter.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from host.engine.wire import Wire
from host.messages import MOST_MESSAGE_BYTES, PROTOCOL

VARIABLE = "PATCHWRIGHT_RUNTIME"
"""Names the folder of the engines' folders, where it is set."""
LONGEST_SOCKET_PATH = 100
BACKLOG = MOST_MESSAGE_BYTES + 2**23
YOUNG_S = 30.0
"""An engine that has said nothing yet is given so long before its folder counts as left over."""


class FolderError(RuntimeError):
    """The engines' folder cannot be used."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How an engine is reached: ``address`` is the path of a socket, or the number of a port of this machine."""

    pid: int
    address: str | int
    key: str
    protocol: int


def base() -> Path:
    """The folder of the engines' folders; made where it is missing. Raises FolderError."""
    named, system = os.environ.get(VARIABLE), os.environ.get("XDG_RUNTIME_DIR")
    if named:
        path = Path(named)
    elif system:
        path = Path(system) / "patchwright"
    else:
        user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
        path = Path(tempfile.gettempdir()) / f"patchwright{user}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            found = path.lstat()
            if found.st_uid != os.getuid() or path.is_symlink():
                raise FolderError(f"{path}: expected a folder of this user's, found another's; set {VARIABLE}")
            if found.st_mode & 0o077:
                path.chmod(0o700)
    except OSError as error:
        raise FolderError(f"{path}: it cannot be made: {error.strerror}; set {VARIABLE}") from None
    return path


def new() -> Path:
    """A folder for another engine. Raises FolderError."""
    path = base() / secrets.token_hex(4)
    path.mkdir(mode=0o700)
    return path


def listen(folder: Path) -> tuple[socket.socket, Endpoint]:
    """Begin to listen, and write the endpoint, whole."""
    path = folder / "socket"
    address: str | int
    if hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        address = str(path)
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        address = listener.getsockname()[1]
    listener.listen(8)
    listener.setblocking(False)
    endpoint = Endpoint(os.getpid(), address, secrets.token_hex(16), PROTOCOL)
    fresh = folder / "endpoint.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(endpoint), file)
    fresh.replace(folder / "endpoint")
    return listener, endpoint


def endpoint(folder: Path) -> Endpoint | None:
    """What an engine's folder says; None where it says nothing that makes sense."""
    try:
        with (folder / "endpoint").open("rb") as file:
            found: Any = json.loads(file.read(10_000))
    except (OSError, ValueError, RecursionError):
        return None
    match found:
        case {"pid": int(pid), "address": str() | int() as address, "key": str(key), "protocol": int(protocol)}:
            return Endpoint(pid, address, key, protocol)
    return None


def connect(found: Endpoint) -> Wire | None:
    """A connection to an engine, or None where nobody listens."""
    family = socket.AF_UNIX if isinstance(found.address, str) else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(2.0)
    try:
        connection.connect(found.address if isinstance(found.address, str) else ("127.0.0.1", found.address))
    except (OSError, OverflowError, ValueError):
        connection.close()
        return None
    return Wire(connection, MOST_MESSAGE_BYTES, BACKLOG)


def engines() -> list[Path]:
    """The folders of engines that listen, the newest first; folders that engines left behind are removed.

    Raises FolderError.
    """
    found: list[tuple[float, Path]] = []
    for path in base().iterdir():
        try:
            made = path.stat().st_mtime
        except FileNotFoundError:
            continue  # it went away meanwhile
        if not path.is_dir():
            continue
        said = endpoint(path)
        wire = connect(said) if said else None
        if wire:
            wire.close()
            found.append((made, path))
        elif said or time.time() - made > YOUNG_S:
            remove(path)
    return [path for _, path in sorted(found, reverse=True)]


def remove(folder: Path) -> None:
    """Remove an engine's folder, as far as it is there."""
    shutil.rmtree(folder, ignore_errors=True)
