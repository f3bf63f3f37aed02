"""``python -m benchmarks.compiling PATCH ROUNDS ANSWER``: times the compile of a patch, in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter

import networkx

from graph.compiler import compile
from graph.patchfile import load
from host.services import FileServices
from nodes import kinds


def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Wall seconds: ``load`` reads the file, ``first`` is the first compile of the process, ``compile`` the later ones.

    ``networkx`` is its topological sort of the same graph: what this machine needs to touch every node and cable once.
    """
    known, services = kinds(), FileServices(path.parent)
    times: dict[str, list[float]] = {"load": [], "first": [], "compile": [], "networkx": []}
    for turn in range(rounds + 1):
        started = perf_counter()
        patch = load(path)
        read = perf_counter()
        schedule = compile(patch, known, services, 48000)
        compiled = perf_counter()
        if len(schedule.nodes) != len(patch.graph):
            raise ValueError(f"{len(patch.graph)} nodes were given and {len(schedule.nodes)} compiled")
        del schedule
        again = perf_counter()
        for _ in networkx.topological_sort(patch.graph):
            pass
        times["networkx"].append(perf_counter() - again)
        times["load"].append(read - started)
        times["compile" if turn else "first"].append(compiled - read)
    return times


if __name__ == "__main__":
    _, patch_path, round_count, answer_path = sys.argv
    Path(answer_path).write_text(json.dumps(measure(Path(patch_path), int(round_count))), encoding="utf-8")
