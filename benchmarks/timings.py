"""What is measured by the clock: the start of a render, the help page, the compile of a large patch."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.measure import RunError, run
from benchmarks.tables import seconds, table
from benchmarks.workloads import large, small

LEAST_RUNS = 5
"""Short processes are measured at least so often."""
LARGE = 10_000


@dataclass
class Timing:
    """Something that takes wall time, its bound in seconds if there is one, and what was measured."""

    label: str
    bound: float | None = None
    walls: list[float] = field(default_factory=list[float])
    failure: str = ""

    def row(self) -> list[str]:
        """The cells of its row."""
        if self.failure or not self.walls:
            return [self.label, "–", "", "", self.failure or "not measured"]
        middle = median(self.walls)
        verdict = "" if self.bound is None else f"{'met' if middle < self.bound else 'NOT MET'} (< {self.bound:g} s)"
        return [self.label, seconds(middle), seconds(min(self.walls)), seconds(max(self.walls)), verdict]

    def to_dict(self) -> dict[str, object]:
        """The same for a program."""
        return {"label": self.label, "bound_s": self.bound, "wall_s": self.walls, "failure": self.failure}


def print_timings(timings: list[Timing]) -> None:
    """The table: median, fastest and slowest, in seconds."""
    print(table(["", "median s", "fastest", "slowest", "bound"], [t.row() for t in timings]))


def _processes(commands: dict[str, tuple[list[str], float | None]], root: Path, runs: int) -> list[Timing]:
    """Wall time of whole processes, in turn, after one run of each that fills the caches."""
    timings = {label: Timing(label, bound) for label, (_, bound) in commands.items()}
    for turn in range(max(runs, LEAST_RUNS) + 1):
        for label, (command, _) in commands.items():
            if timings[label].failure:
                continue
            try:
                cost = run(command, root)
            except RunError as error:
                timings[label].failure = str(error)
                continue
            if turn:
                timings[label].walls.append(cost.wall)
    return list(timings.values())


def start(root: Path, scratch: Path, runs: int) -> list[Timing]:
    """``patchwright render`` of one second, kernels cached, beside an empty interpreter and one that imports numba."""
    patch = scratch / "start.json"
    patch.write_text(json.dumps(small(), indent=1), encoding="utf-8")
    rendered = str(scratch / "start.wav")
    command = [sys.executable, "-m", "patchwright", "render", str(patch), "--out", f"out={rendered}", "--seconds", "1"]
    return _processes(
        {
            "patchwright render, 1 s of audio": (command, 1.5),
            'python -c "import numba"': ([sys.executable, "-c", "import numba"], None),
            "python -c pass": ([sys.executable, "-c", "pass"], None),
        },
        root,
        runs,
    )


def help_page(root: Path, runs: int) -> list[Timing]:
    """``patchwright --help`` beside an empty interpreter."""
    return _processes(
        {
            "patchwright --help": ([sys.executable, "-m", "patchwright", "--help"], 0.3),
            "python -c pass": ([sys.executable, "-c", "pass"], None),
        },
        root,
        runs,
    )


def compile_large(root: Path, scratch: Path, runs: int, count: int = LARGE) -> list[Timing]:
    """The compile of a patch of 10,000 nodes, in a process of its own, beside networkx sorting the same graph."""
    patch, answer = scratch / "large.json", scratch / "large.answer.json"
    patch.write_text(json.dumps(large(count)), encoding="utf-8")
    rounds = max(runs, LEAST_RUNS)
    command = [sys.executable, "-m", "benchmarks.compiling", str(patch), str(rounds), str(answer)]
    timings = {
        "compile": Timing(f"compile {count:,} nodes", 1.0),
        "first": Timing("  the first of the process", 1.0),
        "load": Timing("  reading the patch file"),
        "networkx": Timing("  networkx: topological sort alone"),
    }
    try:
        run(command, root)
        found = json.loads(answer.read_text(encoding="utf-8"))
    except RunError as error:
        timings["compile"].failure = str(error)
        return [timings["compile"]]
    for name, timing in timings.items():
        timing.walls = found[name]
    return list(timings.values())
