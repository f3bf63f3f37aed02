"""Sixteen plugins live under JACK at 128 frames, beside an empty native callback and an engine without plugins.

All take turns on one server with its dummy driver; the first turn is short and counts for nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.jack import jack
from benchmarks.tables import table
from graph.document import Patch

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 128
SETTLE_S = 1.0
LOADED_S = 120.0


@dataclass
class Contender:
    """What was counted, run by run."""

    name: str
    measure: Callable[[float], dict[str, float]]
    runs: list[dict[str, float]] = field(default_factory=list[dict[str, float]])

    def total(self, what: str) -> int:
        """The sum over all runs."""
        return int(sum(run.get(what, 0.0) for run in self.runs))


def _empty(seconds: float) -> dict[str, float]:
    command = [sys.executable, "-P", "-m", "benchmarks.callbacks", "empty", str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _engine(patch: Patch, plugins_in: str) -> Callable[[float], dict[str, float]]:
    names = [id for id, entry in patch.nodes().items() if entry.kind == "plugin"]

    def measure(seconds: float) -> dict[str, float]:
        from host import Engine

        with Engine(patch, device="system", block=BLOCK, plugins_in=plugins_in) as engine:
            engine.play()
            until = time.monotonic() + LOADED_S
            while any(getattr(engine.plugins.standing().get(name), "status", "") != "ready" for name in names):
                if time.monotonic() > until:
                    raise RuntimeError(f"plugins are not loaded: {[n.text for n in engine.notices]}")
                time.sleep(0.05)
            time.sleep(SETTLE_S)
            before, stood = engine.status, engine.plugins.standing()
            time.sleep(seconds)
            after, stands = engine.status, engine.plugins.standing()
            if after.pid != before.pid or after.device is None or after.device.device == "null":
                raise RuntimeError(f"the engine did not play to JACK: {[n.text for n in engine.notices]}")
            found = {name: after.numbers[name] - before.numbers[name] for name in ("xruns", "late")}
            found["calls"] = after.numbers["callbacks"] - before.numbers["callbacks"]
            found["missed"] = sum(stands[name].missed - stood[name].missed for name in names)
            found["passed"] = sum(stands[name].passed - stood[name].passed for name in names)
            return found | {"load": after.numbers["load"]}

    return measure


def _without(patch: Patch) -> Patch:
    """The same with a gain in the place of each plugin."""
    found = patch.copy()
    for entry in found.nodes().values():
        if entry.kind == "plugin":
            entry.kind, entry.settings = "gain", {}
    return found


def live(seconds: float, rounds: int, wide: Patch, deep: Patch, plugin: Path) -> None:
    """Print dropouts of sixteen plugins side by side (``wide``) and of four chains of four (``deep``)."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["PATCHWRIGHT_DATA"] = scratch
        scan = [sys.executable, "-P", "-m", "patchwright", "plugins", "scan", str(plugin)]
        subprocess.run(scan, cwd=ROOT, check=True, capture_output=True)
        contenders = [
            Contender("an empty native callback", _empty),
            Contender("the engine, 16 gains", _engine(_without(wide), "plugin")),
            Contender("16 plugins side by side, a process each", _engine(wide, "plugin")),
            Contender("4 chains of 4 plugins, a process each chain", _engine(deep, "chain")),
            Contender("16 plugins side by side in one process", _engine(wide, "patch")),
        ]
        log = Path(scratch) / "jackd.log"
        with jack(BLOCK, log):
            for turn in range(rounds + 1):
                for contender in contenders:
                    result = contender.measure(seconds if turn else 2.0)
                    if turn:
                        contender.runs.append(result)
    head = ["", "xruns", "run by run", "blocks", "late", "plugin blocks missed", "passed dry", "load"]
    rows = [
        [
            *(c.name, str(c.total("xruns")), " ".join(str(int(run.get("xruns", 0))) for run in c.runs)),
            *(str(c.total(what)) for what in ("calls", "late", "missed", "passed")),
            f"{max(run.get('load', 0.0) for run in c.runs):.2f}",
        ]
        for c in contenders
    ]
    print(f"live: {rounds} turns of {seconds:g} s under JACK in blocks of {BLOCK} frames")
    print(table(head, rows))
