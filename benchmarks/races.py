"""W1 to W4: this project, the C programs and the peers, in turn, over the same inputs."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.inputs import generate
from benchmarks.limits import REFERENCES, Reference, build
from benchmarks.measure import Contender, Ratio, in_turn
from benchmarks.sound import difference_db
from benchmarks.tables import seconds as spelt
from benchmarks.tables import table
from benchmarks.workloads import Workload

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OURS = "patchwright"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another host: the distribution it is, the module that drives it, and in words what it cannot do at all."""

    name: str
    module: str
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])


PEERS = (
    Peer("pedalboard", "benchmarks.peers.with_pedalboard"),
    Peer("dawdreamer", "benchmarks.peers.with_dawdreamer", {"w4": "it has no convolution"}),
)


@dataclass
class Race:
    """One workload, measured: who took part, how alike they sounded, who could not, and why."""

    workload: Workload
    seconds: float
    contenders: list[Contender]
    absent: list[str]
    alike: dict[str, float | str] = field(default_factory=dict[str, float | str])

    def of(self, name: str) -> Contender | None:
        """A contender that finished."""
        return next((c for c in self.contenders if c.name == name and c.fulls and not c.failure), None)

    def ratio(self, contender: Contender, place: int) -> Ratio | None:
        """Its net CPU against that of the per-node C (place 0) or of the limit (place 1)."""
        reference = self.of(REFERENCES[self.workload.key][place].label)
        return Ratio.of(contender.nets, reference.nets) if reference else None


def race(workload: Workload, seconds: float, block: int, runs: int, peers: bool, scratch: Path) -> Race:
    """Measure a workload."""
    inputs = generate(workload.inputs, seconds, HERE / "in")
    for name in workload.inputs:
        _read_into_cache(inputs / name)
    patch = inputs / f"{workload.key}.json"
    patch.write_text(json.dumps(workload.document(), indent=1), encoding="utf-8")
    contenders = [Contender(OURS, _ours(patch, block), ROOT)]
    absent: list[str] = []
    for reference in REFERENCES[workload.key]:
        built = build(reference.program, HERE / "build")
        if isinstance(built, str):
            absent.append(f"{reference.label}: {built}")
        else:
            contenders.append(Contender(reference.label, _reference(built, reference, block, inputs), ROOT))
    for peer in PEERS if peers else ():
        if why := "not installed" if find_spec(peer.name) is None else peer.cannot.get(workload.key):
            absent.append(f"{peer.name}: {why}")
        else:
            contenders.append(Contender(peer.name, _peer(peer, workload, block, inputs), ROOT))
    found = Race(workload, seconds, contenders, absent)
    outputs = scratch / workload.key
    outputs.mkdir()
    files = in_turn(contenders, seconds, runs, outputs)
    reference_file = files.get(REFERENCES[workload.key][0].label)
    for contender in contenders:
        path = files.get(contender.name)
        if not contender.failure and path and reference_file and path != reference_file:
            try:
                found.alike[contender.name] = difference_db(path, reference_file)
            except ValueError as error:
                found.alike[contender.name] = str(error)
    shutil.rmtree(outputs)
    return found


def _read_into_cache(path: Path) -> None:
    """So that nobody pays for the disk."""
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass


def _ours(patch: Path, block: int) -> Callable[[float, Path], Sequence[str]]:
    def command(seconds: float, out: Path) -> list[str]:
        render = [sys.executable, "-m", "patchwright", "render", str(patch), "--out", f"out={out}"]
        return [*render, "--seconds", f"{seconds:g}", "--block", str(block), "--threads", "1"]

    return command


def _reference(
    executable: Path, reference: Reference, block: int, inputs: Path
) -> Callable[[float, Path], Sequence[str]]:
    def command(seconds: float, out: Path) -> list[str]:
        mode = [reference.mode] if reference.mode else []
        return [str(executable), str(reference.block or block), f"{seconds:g}", str(out), str(inputs), *mode]

    return command


def _peer(peer: Peer, workload: Workload, block: int, inputs: Path) -> Callable[[float, Path], Sequence[str]]:
    def command(seconds: float, out: Path) -> list[str]:
        script = [sys.executable, "-m", peer.module]
        return [*script, workload.key, str(block), f"{seconds:g}", str(out), str(inputs)]

    return command


def print_race(found: Race) -> None:
    """The table of a workload, our verdict, and what is missing from it."""
    head = ["", "start-up", "whole", "net", "× real time", "× per-node C", "(range)", "× limit", "differs dBFS"]
    rows = [_row(found, c) for c in found.contenders if c.fulls and not c.failure]
    print(table(head, rows))
    for contender in found.contenders:
        if contender.failure:
            print(f"{contender.name}: failed: {contender.failure}")
    for words in found.absent:
        print(words)
    print(verdict(found))


def _row(found: Race, contender: Contender) -> list[str]:
    to_loops, to_limit = found.ratio(contender, 0), found.ratio(contender, 1)
    alike = found.alike.get(contender.name, "")
    return [
        contender.name,
        spelt(contender.start),
        spelt(contender.whole),
        spelt(contender.net),
        f"{found.seconds / contender.net:,.0f}" if contender.net > 0 else "–",
        f"{to_loops.middle:.2f}" if to_loops else "–",
        f"{to_loops.low:.2f}…{to_loops.high:.2f}" if to_loops else "",
        f"{to_limit.middle:.2f}" if to_limit else "–",
        alike if isinstance(alike, str) else f"{alike:.1f}",
    ]


def verdict(found: Race) -> str:
    """One line: whether our bound is met, and whether the sound is right."""
    ours, workload = found.of(OURS), found.workload
    if ours is None:
        return f"bound ≤ {workload.bound:g} × per-node C: not measured"
    ratio = found.ratio(ours, 0)
    if ratio is None:
        speed = "cannot be told from these runs"
    else:
        speed = "met" if ratio.middle <= workload.bound else f"NOT MET by {ratio.middle - workload.bound:.2f}"
    alike = found.alike.get(OURS)
    if alike is None:
        sound = "not compared"
    elif isinstance(alike, str):
        sound = f"WRONG: {alike}"
    else:
        sound = f"{'the same' if alike < workload.alike_db else 'ANOTHER'} (RMS difference {alike:.1f} dBFS)"
    return f"bound ≤ {workload.bound:g} × per-node C: {speed}; sound: {sound}"


def race_to_dict(found: Race) -> dict[str, Any]:
    """The same for a program; −∞ is null."""
    return {
        "workload": found.workload.key,
        "seconds": found.seconds,
        "bound": found.workload.bound,
        "absent": found.absent,
        "contenders": [
            {
                "name": c.name,
                "failure": c.failure,
                "start_cpu_s": [cost.cpu for cost in c.starts],
                "whole_cpu_s": [cost.cpu for cost in c.fulls],
                "whole_wall_s": [cost.wall for cost in c.fulls],
                "difference_dbfs": None
                if isinstance(alike := found.alike.get(c.name), float) and math.isinf(alike)
                else alike,
            }
            for c in found.contenders
        ],
    }


def machine() -> str:
    """What the figures were measured on."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        name = models[0] if models else name
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, load {load}"
