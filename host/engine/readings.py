"""Readings in memory that engine and client share: a file in the engine's folder, mapped into both.

64-bit words first (see the constants), then numbers of the whole engine as float64, then the readings of nodes as
float32, where a ReadingMap says. The writer makes SEQUENCE odd while it writes; a reader that met an odd one, or
another one afterwards, reads again.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from host.messages import ReadingMap

MAGIC, SEQUENCE, GENERATION, COUNT = 0, 1, 2, 3
WORDS = 8
MARK = 0x5057_5244_0001
COST = "@cost"
"""The reading of every node that says what it costs: its share of the time there is, of late, and in the worst block
of late.
"""
NUMBERS = (
    "clock",
    "place",
    "rolling",
    "rate",
    "load",
    "worst",
    "xruns",
    "late",
    "missed",
    "scrubbed",
    "callbacks",
    "published",
    "files",
    "files_bytes",
    "kept",
    "kept_bytes",
    "keeping",
)
"""Frames rendered; the transport's frame; 1 while it rolls; frames per second; share of the time between callbacks that
the last ones took, and the worst of late; device blocks that came too late; callbacks
that took longer than their block lasts; frames that files came too late for;
samples that were NaN or infinite; device blocks; how often readings were written; files that are played, their bytes,
those of them that are in memory, their bytes, and 1 while more are being copied.
"""
ROOM = 64
CAPACITY = 1 << 20
"""How many float32 there is room for."""
BYTES = 8 * WORDS + 8 * ROOM + 4 * CAPACITY
TRIES = 100

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """A reading where its kernel writes it, and the names of its parts, if they have any."""

    node: str
    name: str
    values: npt.NDArray[np.floating]
    labels: tuple[str, ...] = ()


class _Shared:
    def __init__(self, path: Path, access: int) -> None:
        mode = "rb" if access == mmap.ACCESS_READ else "r+b"
        with path.open(mode) as file:
            self._memory = mmap.mmap(file.fileno(), BYTES, access=access)
        self._words = np.frombuffer(self._memory, np.int64, WORDS)
        self._numbers = np.frombuffer(self._memory, np.float64, ROOM, 8 * WORDS)
        self._area = np.frombuffer(self._memory, np.float32, CAPACITY, 8 * (WORDS + ROOM))


class Board(_Shared):
    """The writer's side. It makes the file."""

    def __init__(self, path: Path) -> None:
        with path.open("xb") as file:
            file.truncate(BYTES)
        super().__init__(path, mmap.ACCESS_WRITE)
        self._parts: list[tuple[int, Source]] = []
        self._words[MAGIC] = MARK

    def lay_out(self, sources: Iterable[Source]) -> tuple[ReadingMap, int]:
        """Publish these from now on. The answer says where they lie, and how many there is no room for."""
        self._parts.clear()
        start = left_out = 0
        for source in sources:
            if start + source.values.size > CAPACITY:
                left_out += 1
                continue
            self._parts.append((start, source))
            start += source.values.size
        self._words[SEQUENCE] += 1
        self._words[GENERATION] += 1
        self._words[COUNT] = start
        self._area[:start] = 0
        self._words[SEQUENCE] += 1
        entries = tuple((s.node, s.name, at, s.values.size, s.labels) for at, s in self._parts)
        return ReadingMap(int(self._words[GENERATION]), entries), left_out

    def publish(self, numbers: Mapping[str, float]) -> None:
        """Write all readings, and numbers by their names in NUMBERS; what is not among them stays as it was."""
        self._words[SEQUENCE] += 1
        for k, name in enumerate(NUMBERS):
            if name in numbers:
                self._numbers[k] = numbers[name]
        self._numbers[NUMBERS.index("published")] += 1
        for start, source in self._parts:
            self._area[start : start + source.values.size] = source.values.reshape(-1)
        self._words[SEQUENCE] += 1


class View(_Shared):
    """The reader's side. Raises ValueError or OSError where the file is none of an engine's."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size != BYTES:
            raise ValueError(f"{path}: expected {BYTES} bytes of readings, found {path.stat().st_size}")
        super().__init__(path, mmap.ACCESS_READ)
        if self._words[MAGIC] != MARK:
            raise ValueError(f"{path}: expected the readings of an engine, found something else")

    def numbers(self) -> dict[str, float]:
        """Numbers of the whole engine, by name."""
        return dict(zip(NUMBERS, self._numbers[: len(NUMBERS)].tolist(), strict=True))

    def values(self, generation: int) -> Floats | None:
        """All readings, while they lie as the map of this generation says; else None."""
        for _ in range(TRIES):
            before = int(self._words[SEQUENCE])
            count = min(max(int(self._words[COUNT]), 0), CAPACITY)
            right = int(self._words[GENERATION]) == generation
            found = self._area[:count].copy()
            if before % 2 == 0 and before == int(self._words[SEQUENCE]):
                return found if right else None
        return None  # the writer died in the middle, or never rests


def by_node(layout: ReadingMap, values: Floats) -> dict[str, dict[str, Floats]]:
    """Readings by node and name, each an array of its parts."""
    found: dict[str, dict[str, Floats]] = {}
    for node, name, start, count, _ in layout.entries:
        if start + count <= len(values):
            found.setdefault(node, {})[name] = values[start : start + count]
    return found
