"""One process per measurement: what it cost, and pairs of measurements taken in turn."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

START_S = 0.1
"""The length of sound with which start-up is measured."""


class RunError(RuntimeError):
    """A measured program did not do its work; the message is the last line it said."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that a whole process took: user and system CPU of all its threads and children, and by the clock."""

    cpu: float
    wall: float


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a program to its end. Raises RunError."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        except OSError as error:
            raise RunError(f"{command[0]}: {error.strerror}") from None
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise RunError(lines[-1] if lines else f"{command[0]} ended with status {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall)


@dataclass
class Contender:
    """A program that does a workload: its command for a length in seconds and an output file."""

    name: str
    command: Callable[[float, Path], Sequence[str]]
    folder: Path
    starts: list[Cost] = field(default_factory=list[Cost])
    fulls: list[Cost] = field(default_factory=list[Cost])
    failure: str = ""

    @property
    def nets(self) -> list[float]:
        """CPU seconds beyond start-up, run by run."""
        return [full.cpu - start.cpu for start, full in zip(self.starts, self.fulls, strict=True)]

    @property
    def start(self) -> float:
        """CPU seconds of start-up."""
        return median(cost.cpu for cost in self.starts)

    @property
    def whole(self) -> float:
        """CPU seconds of the whole process."""
        return median(cost.cpu for cost in self.fulls)

    @property
    def net(self) -> float:
        """CPU seconds beyond start-up."""
        return median(self.nets)


def in_turn(contenders: Sequence[Contender], seconds: float, runs: int, outputs: Path) -> dict[str, Path]:
    """Measure all contenders, A B C A B C, after one short run of each that fills the caches.

    The answer is the last output file of each by name. One that fails is left out from then on, and says why.
    """
    files = {c.name: outputs / f"{index}.wav" for index, c in enumerate(contenders)}

    def measured(contender: Contender, length: float) -> Cost:
        files[contender.name].unlink(missing_ok=True)
        return run(contender.command(length, files[contender.name]), contender.folder)

    for turn in range(runs + 1):
        for contender in contenders:
            if contender.failure:
                continue
            try:
                start = measured(contender, START_S)
                if turn:
                    full = measured(contender, seconds)
                    contender.starts.append(start)
                    contender.fulls.append(full)
            except RunError as error:
                contender.failure = str(error)
    return {name: path for name, path in files.items() if path.exists()}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How two costs compare: the median of the pairs, and their range."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
        """Pair by pair; None where a cost is too small to be told from none."""
        pairs = [a / b for a, b in zip(ours, theirs, strict=True) if b > 0]
        if not pairs or len(pairs) < len(theirs):
            return None
        return cls(median(pairs), min(pairs), max(pairs))
