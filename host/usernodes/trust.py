"""Which files the user trusts: those whose very bytes were said to be trusted.

Each decision is a file of its own in the user's data folder, named by the SHA-256 of what is trusted; in it lie, as
JSON, the path and the time, for people. What is there counts, whatever is in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from graph.saving import write_whole
from host.plugins.database import data_folder


@dataclass(frozen=True, slots=True)
class Grant:
    """A decision: what is trusted, where it lay, and since when."""

    digest: str
    path: str
    since: str


def grants_folder() -> Path:
    """Where decisions are kept."""
    return data_folder() / "trusted_nodes"


def is_trusted(digest: str) -> bool:
    """Whether code with this SHA-256 may run."""
    return (grants_folder() / digest).is_file()


def trust(digest: str, path: Path) -> None:
    """Let code with this SHA-256 run from now on. Raises OSError where that cannot be kept."""
    folder = grants_folder()
    folder.mkdir(parents=True, exist_ok=True)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    write_whole(folder / digest, json.dumps({"path": str(path.resolve()), "since": since}).encode(), backups=0)


def untrust(digest: str) -> bool:
    """Let it run no longer; whether it was trusted. Raises OSError."""
    try:
        (grants_folder() / digest).unlink()
    except FileNotFoundError:
        return False
    return True


def grants() -> list[Grant]:
    """Every decision, the oldest first."""
    found: list[Grant] = []
    for file in grants_folder().glob("?" * 64):
        try:
            said = json.loads(file.read_bytes()[:10_000])
        except (OSError, ValueError, RecursionError):
            said = None
        said = said if isinstance(said, dict) else {}
        found.append(Grant(file.name, str(said.get("path", "")), str(said.get("since", ""))))
    return sorted(found, key=lambda grant: (grant.since, grant.path))
