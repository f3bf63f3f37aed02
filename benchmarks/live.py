"""``python benchmarks/live.py``: dropouts of a live engine whose interpreter is kept busy, and how fast it acts.

Needs jackd. All contenders take turns on one JACK server with its dummy driver.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.acting import Act, acts
from benchmarks.inputs import TRACKS, generate
from benchmarks.jack import JackError, jack
from benchmarks.races import ROOT, machine
from benchmarks.tables import table
from benchmarks.workloads import mixdown

if TYPE_CHECKING:
    from host import Engine

HERE = Path(__file__).resolve().parent
BLOCKS = (64, 256)
SETTLE_S = 1.0
STATUS_S = 0.3
"""Numbers are read so long after what they tell of."""
HOGGED = (sys.executable, "-P", "-m", "benchmarks.hogging")
ENGINE, EMPTY, PYTHON = "the engine, W1", "an empty native callback", "a Python callback"
UNCACHED = "the engine, W1, no disk cache"
"""All that is played is read while it plays: 32 files are 12 MB a second."""
NO_DISK = "the engine, W1, files in memory"
"""What is left when the system does no work for a disk: the files are where none is."""
CACHED_S = 120.0
"""How long the engine may take to copy what it plays into memory, before anything is counted."""
MEMORY = Path("/dev/shm")


@dataclass
class Contender:
    """What was counted, run by run."""

    name: str
    measure: Callable[[float, int], dict[str, float]]
    runs: list[dict[str, float]] = field(default_factory=list)

    def total(self, what: str) -> float:
        """The sum over all runs."""
        return sum(run.get(what, 0.0) for run in self.runs)


def _child(mode: str) -> Callable[[float, int], dict[str, float]]:
    def measure(seconds: float, frames: int) -> dict[str, float]:
        command = [sys.executable, "-P", "-m", "benchmarks.callbacks", mode, str(seconds)]
        done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, encoding="utf-8", check=True)
        return json.loads(done.stdout.strip().splitlines()[-1])

    return measure


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _engine(folder: Path, disk_cache_mb: int | None = None) -> Callable[[float, int], dict[str, float]]:
    patch = folder / "w1.json"
    patch.write_text(json.dumps(mixdown(), indent=1), encoding="utf-8")

    def measure(seconds: float, frames: int) -> dict[str, float]:
        from host import Engine

        with Engine(device="system", command=HOGGED, disk_cache_mb=disk_cache_mb) as engine:
            engine.load(patch)
            engine.locate(0.0)
            engine.sync()
            _wait_for_copies(engine)
            engine.play()
            time.sleep(SETTLE_S)
            before, begun = engine.status, time.monotonic()
            time.sleep(seconds)
            after, ended = engine.status, time.monotonic()
            if after.pid != before.pid or after.device is None or after.device.device == "null":
                raise RuntimeError(f"the engine did not play to JACK: {[n.text for n in engine.notices]}")
            found = {name: after.numbers[name] - before.numbers[name] for name in ("xruns", "late", "missed")}
            found |= {"calls": after.numbers["callbacks"] - before.numbers["callbacks"], "seconds": ended - begun}
            return found | {name: after.numbers[name] for name in ("load", "worst", "kept", "files")}

    return measure


def _wait_for_copies(engine: Engine) -> None:
    """Until the engine has in memory what it wants to keep there, or it takes too long."""
    late = time.monotonic() + CACHED_S
    numbers = engine.status.numbers
    while (not numbers["files"] or numbers["keeping"]) and time.monotonic() < late:
        time.sleep(0.1)
        numbers = engine.status.numbers


def _compile(folder: Path) -> None:
    """Have the kernels of W1 compiled, however long that takes; a client of the engine would not wait for it."""
    from graph.form import from_document
    from host.engine.player import LivePlayer

    player = LivePlayer(48000, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    try:
        player.set_patch(1, from_document(mixdown()), folder)
        while player.outcome() is None:
            player.step()
    finally:
        player.close()


def dropouts(seconds: float, rounds: int, blocks: Sequence[int], scratch: Path) -> list[tuple[int, list[Contender]]]:
    """Every contender ``rounds`` times in turn at every block size. Raises JackError."""
    inputs = generate(TRACKS, 60 if seconds <= 45 else round(seconds) + 15, HERE / "in")
    _compile(inputs)
    with _in_memory(inputs) as memory:
        return _turns(seconds, rounds, blocks, scratch, inputs, memory)


@contextmanager
def _in_memory(inputs: Path) -> Iterator[Path | None]:
    """The same files where no disk is; None where there is no room."""
    size = sum(file.stat().st_size for file in inputs.iterdir())
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < 2 * size:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="patchwright-live-", dir=MEMORY) as name:
        yield Path(shutil.copytree(inputs, Path(name) / "in"))


def _turns(
    seconds: float, rounds: int, blocks: Sequence[int], scratch: Path, inputs: Path, memory: Path | None
) -> list[tuple[int, list[Contender]]]:
    found: list[tuple[int, list[Contender]]] = []
    for frames in blocks:
        contenders = [
            Contender(EMPTY, _child("empty")),
            Contender(ENGINE, _engine(inputs)),
            Contender(UNCACHED, _engine(inputs, 0)),
            *([Contender(NO_DISK, _engine(memory, 0))] if memory else []),
            Contender(PYTHON, _child("python")),
        ]
        log = scratch / f"jackd-{frames}.log"
        with jack(frames, log):
            for turn in range(rounds + 1):
                for contender in contenders:
                    said = _said(log)
                    # the first turn is short, counts for nothing, and fills the caches
                    result = contender.measure(seconds if turn else 1.0, frames)
                    result["server"] = _said(log) - said
                    if turn:
                        contender.runs.append(result)
        found.append((frames, contenders))
    return found


def _said(log: Path) -> int:
    """Dropouts that JACK itself complained of."""
    return log.read_text(encoding="utf-8", errors="replace").count("XRun")


def print_dropouts(found: Sequence[tuple[int, Sequence[Contender]]]) -> None:
    """The table, and whether the bound is met."""
    head = ["", "xruns", "run by run", "in JACK's log", "blocks", "late", "missed by the disk", "load", "in the cache"]
    for frames, contenders in found:
        print(f"\nBlocks of {frames} frames; the interpreter is hogged in the process of each")
        rows = [
            [
                c.name,
                f"{c.total('xruns'):.0f}",
                " ".join(f"{run['xruns']:.0f}" for run in c.runs),
                f"{c.total('server'):.0f}",
                f"{c.total('calls'):,.0f}",
                f"{c.total('late'):.0f}" if "late" in c.runs[-1] else "–",
                f"{c.total('missed'):,.0f} frames" if "late" in c.runs[-1] else "–",
                f"{c.runs[-1]['load']:.0%}" if "late" in c.runs[-1] else "–",
                f"{c.runs[-1]['kept']:.0f} of {c.runs[-1]['files']:.0f} files" if "late" in c.runs[-1] else "–",
            ]
            for c in contenders
        ]
        print(table(head, rows))
        counts = {c.name: c.total("xruns") for c in contenders}
        for name in sorted({ENGINE, UNCACHED, NO_DISK} & set(counts)):
            verdict = "met" if counts[name] <= counts[EMPTY] else f"NOT MET by {counts[name] - counts[EMPTY]:.0f}"
            print(f"bound: no more xruns than the empty native callback: {name}: {verdict}", flush=True)


def print_acts(found: Sequence[Act]) -> None:
    """The table of what takes how long."""
    rows = [act.row() for act in found]
    print(table(["", "median", "least", "most", "bound"], rows))


def main(values: Sequence[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured, whatever came out."""
    parser = argparse.ArgumentParser(prog="benchmarks/live.py", description=(__doc__ or "").strip())
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="length of each run (30)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="runs of each at each block size (1)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often what takes time is measured (5)")
    parser.add_argument("--blocks", type=int, nargs="+", default=list(BLOCKS), metavar="FRAMES", help="(64 256)")
    parser.add_argument("--only", choices=("dropouts", "acts"), help="one of the two tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure here too")
    chosen = parser.parse_args(values)
    if not 1 <= chosen.seconds <= 600 or not 1 <= chosen.rounds <= 100 or not 1 <= chosen.runs <= 100:
        parser.error("--seconds is 1 to 600, --rounds and --runs are 1 to 100")
    print(f"{machine()}")
    record: dict[str, object] = {"machine": machine(), "seconds": chosen.seconds}
    with tempfile.TemporaryDirectory(prefix="patchwright-live-") as name:
        scratch = Path(name)
        try:
            if chosen.only != "acts":
                found = dropouts(chosen.seconds, chosen.rounds, chosen.blocks, scratch)
                print_dropouts(found)
                record["dropouts"] = {frames: {c.name: c.runs for c in all} for frames, all in found}
            if chosen.only != "dropouts":
                print("\nHow long it takes to act; wall time", flush=True)
                times = acts(chosen.runs, scratch)
                print_acts(times)
                record["acts"] = {act.label: act.seconds for act in times}
        except JackError as error:
            print(f"live: {error}", file=sys.stderr)
            return 1
    if chosen.json:
        chosen.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
