"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.races import ROOT, machine, print_race, race, race_to_dict
from benchmarks.timings import compile_large, help_page, print_timings, start
from benchmarks.workloads import WORKLOADS

TIMINGS = {
    "start": "Start: wall seconds of whole processes, kernels cached",
    "help": "Help: wall seconds of whole processes",
    "compile": "Compile: wall seconds inside one process",
}
CHOICES = (*WORKLOADS, *TIMINGS)


def _arguments(values: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description="Measure, and print the tables.")
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"any of {' '.join(CHOICES)}; default: all")
    parser.add_argument("--block", type=int, default=512, metavar="FRAMES", help="a multiple of 64 up to 1024 (512)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="length of sound in W1 to W4 (60)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="how often each program is measured (3)")
    parser.add_argument("--no-peers", action="store_true", help="leave other hosts out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement here too")
    chosen = parser.parse_args(values)
    for what in chosen.what:
        if what not in CHOICES:
            parser.error(f"{what!r} is none of {' '.join(CHOICES)}")
    if chosen.block % 64 or not 64 <= chosen.block <= 1024:
        parser.error("--block: expected a multiple of 64 from 64 to 1024")
    if not 1 <= chosen.seconds <= 3600:
        parser.error("--seconds: expected 1 to 3600")
    if not 1 <= chosen.runs <= 1000:
        parser.error("--runs: expected 1 to 1000")
    return chosen


def main(values: Sequence[str] | None = None) -> int:
    """Measure what was asked for. Exit status 0 when all was measured, whatever came out; 1 when something failed."""
    chosen = _arguments(values)
    if not hasattr(os, "wait4"):
        print("The benchmarks need a system that tells the CPU time of a process (Linux, macOS).")
        return 1
    what = [choice for choice in CHOICES if choice in chosen.what] or list(CHOICES)
    record: dict[str, Any] = {
        "machine": machine(),
        "block": chosen.block,
        "runs": chosen.runs,
        "races": [],
        "timings": {},
    }
    print(f"{record['machine']}; {chosen.runs} runs, in turn; medians")
    failed = False
    with tempfile.TemporaryDirectory(prefix="patchwright-bench-") as folder:
        scratch = Path(folder)
        for key in what:
            if key in WORKLOADS:
                workload = WORKLOADS[key]
                print(f"\n{workload.title}; {chosen.seconds:g} s, block {chosen.block}; CPU seconds", flush=True)
                found = race(workload, chosen.seconds, chosen.block, chosen.runs, not chosen.no_peers, scratch)
                print_race(found)
                failed |= any(c.failure for c in found.contenders)
                record["races"].append(race_to_dict(found))
                continue
            print(f"\n{TIMINGS[key]}", flush=True)
            match key:
                case "start":
                    timings = start(ROOT, scratch, chosen.runs)
                case "help":
                    timings = help_page(ROOT, chosen.runs)
                case _:
                    timings = compile_large(ROOT, scratch, chosen.runs)
            print_timings(timings)
            failed |= any(t.failure for t in timings)
            record["timings"][key] = [t.to_dict() for t in timings]
    if chosen.json:
        chosen.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return int(failed)
