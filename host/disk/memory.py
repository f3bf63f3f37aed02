"""How much memory there is, and how much of it can be had."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """Bytes: all there are, and what can be had without taking it from other programs."""

    total: int
    available: int


def memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> Memory:
    """Of this machine, or of a control group (version 2) of this process where that grants less; nothing where the
    system does not tell (it is asked as Linux has it).

    ``available`` is the kernel's own estimate; in a group, what is left of its limit counting as free the pages of
    files that were not used of late.
    """
    try:
        rows = dict(line.split(":", 1) for line in (proc / "meminfo").read_text("ascii").splitlines())
        total, available = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return Memory(0, 0)
    for folder in _groups_of_this(proc, groups):
        with contextlib.suppress(OSError, ValueError, KeyError):  # no limit, or none that is told
            most = int((folder / "memory.max").read_text("ascii"))
            stat = dict(line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines())
            used = int((folder / "memory.current").read_text("ascii")) - int(stat["inactive_file"])
            total, available = min(total, most), min(available, max(0, most - used))
    return Memory(total, available)


def _groups_of_this(proc: Path, groups: Path) -> Iterator[Path]:
    """The group that this process is in, and those around it."""
    try:
        lines = (proc / "self" / "cgroup").read_text("utf-8").splitlines()
    except OSError:
        return
    own = next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), None)
    if own is None or ".." in Path(own).parts:
        return
    for folder in (groups / own, *(groups / own).parents):
        yield folder
        if folder == groups:
            return
