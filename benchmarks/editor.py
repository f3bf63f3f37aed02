"""What the editor costs: its own Python in a frame, in a gesture, at rest, in opening a patch, in telling the engine.

Needs Xvfb, of which it starts its own. See README.md for what is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.races import ROOT, machine
from benchmarks.tables import table

PARTS = ("live", "gestures", "idle", "opening", "editing")
START = "start of the process with 300 nodes, to the drawn canvas"
BOUNDS_S = {
    "100 nodes, meters moving": 0.004,
    "100 meters in two channels, moving": 0.004,
    "idle": 0.05,
    "open 300 nodes": 1.0,
    "200 nodes: a cable and a node, to the engine": 0.005,
}
"""Of own seconds; opening a patch: of own and drawing together."""
LONGEST_S = 1800.0
LOOK_S = 0.005


class EditorError(RuntimeError):
    """The editor cannot be measured: one line."""


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """An X server without a monitor; the answer is the environment for programs that draw there."""
    if shutil.which("Xvfb") is None:
        raise EditorError("Xvfb is missing (Debian and Ubuntu: apt install xvfb)")
    reading, writing = os.pipe()
    words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1680x1000x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(words, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told, tempfile.TemporaryDirectory(prefix="patchwright-bench-") as folder:
            name = told.readline().strip()
            if not name:
                raise EditorError("Xvfb does not start")
            own = {"PATCHWRIGHT_CONFIG": f"{folder}/config", "PATCHWRIGHT_DATA": f"{folder}/data"}
            yield {**os.environ, "DISPLAY": f":{name}", "LIBGL_ALWAYS_SOFTWARE": "1", **own}
    finally:
        process.terminate()
        process.wait(10)


def measured(parts: Sequence[str], frames: int, environment: dict[str, str], scratch: Path) -> dict[str, Any]:
    """Rows by label, from a process of its own. Raises EditorError."""
    answer = scratch / "answer.json"
    words = [sys.executable, "-P", "-m", "benchmarks.editing", str(frames), str(answer), *parts]
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(words, env=environment, capture_output=True, encoding="utf-8", timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise EditorError(f"{' '.join(parts)}: not done after {LONGEST_S:g} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise EditorError(lines[-1] if lines else f"the editor ended with status {done.returncode}")
    return json.loads(answer.read_text(encoding="utf-8"))


def started(environment: dict[str, str], scratch: Path, runs: int) -> list[dict[str, float]]:
    """Processes of the editor, from their start until a patch of 300 nodes is drawn: wall and CPU seconds."""
    from benchmarks.editing import mixed
    from graph.patchfile import save

    file = scratch / "start.pwp"
    save(mixed(300), file)
    environment = {**environment, "PYTHONPYCACHEPREFIX": str(scratch / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as it is where a program was started before
    found: list[dict[str, float]] = []
    for run in range(runs + 1):
        probe = scratch / f"probe{run}"
        words = [sys.executable, "-P", str(ROOT / "patchwright.py"), "edit", str(file), "--no-engine"]
        began = time.perf_counter()
        process = subprocess.Popen(words, env={**environment, "PATCHWRIGHT_EDITOR_PROBE": str(probe)}, cwd=scratch)
        try:
            _await_frames(probe, process, 2)
            wall, cpu = time.perf_counter() - began, _cpu_seconds(process.pid)
        finally:
            process.kill()
            process.wait()
        if run:  # the first one fills the caches
            found.append({"wall": wall, "cpu": cpu})
    return found


def _await_frames(probe: Path, process: subprocess.Popen[bytes], frames: int) -> None:
    """Wait until the editor has drawn so many frames after it began to turn. Raises EditorError."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(LONGEST_S)
                asking.connect(str(probe))
                lines = asking.makefile("r", encoding="utf-8")
                drawn = 0
                while drawn < frames:
                    asking.sendall(b'{"do": "state"}\n')
                    drawn = json.loads(lines.readline())["frames"]
                return
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(LOOK_S)
    raise EditorError("the editor does not start")


def _cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far (proc(5): fields 14 and 15 of its stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_rows(rows: dict[str, dict[str, list[float]]]) -> None:
    """The table: medians in milliseconds, own time as a multiple of the loop's, and whether bounds are met."""
    cells = []
    for label, row in rows.items():
        own, drawing, loop = (median(row[name]) for name in ("own", "drawing", "loop"))
        bound = BOUNDS_S.get(label)
        counted = own + drawing if label.startswith("open") else own
        verdict = ""
        if bound is not None:
            wanted = f"{100 * bound:g} %" if label == "idle" else f"{1000 * bound:g} ms"
            verdict = f"{'met' if counted <= bound else 'NOT MET'} (≤ {wanted})"
        figures = [f"{100 * v:.1f} %" if label == "idle" else f"{1000 * v:.2f}" for v in (own, drawing)]
        cells.append([label, *figures, f"{own / loop:.2f}", verdict])
    print(table(["", "own ms", "drawing ms", "own / loop", "bound"], cells))


def main(values: Sequence[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured, whatever came out."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py editor", description=(__doc__ or "").strip())
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {' '.join((*PARTS, 'start'))}; default: all")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="frames of each kind (60)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often a process is started (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure here too")
    chosen = parser.parse_args(values)
    wrong = [part for part in chosen.parts if part not in (*PARTS, "start")]
    if wrong or not 5 <= chosen.frames <= 10_000 or not 1 <= chosen.runs <= 100:
        parser.error(f"{wrong[0]!r} is no part" if wrong else "--frames is 5 to 10000, --runs 1 to 100")
    parts = [part for part in PARTS if part in chosen.parts or not chosen.parts]
    record: dict[str, Any] = {"machine": machine(), "frames": chosen.frames}
    print(f"{record['machine']}; CPU time of the editor's thread, medians of {chosen.frames} frames", flush=True)
    try:
        with screen() as environment, tempfile.TemporaryDirectory(prefix="patchwright-bench-") as name:
            scratch = Path(name)
            if parts:
                rows = record["rows"] = {}
                for part in ("empty", *parts):
                    rows |= measured([part], chosen.frames, environment, scratch)
                print_rows(rows)
            if "start" in chosen.parts or not chosen.parts:
                runs = record["start"] = started(environment, scratch, chosen.runs)
                wall, cpu = (median(run[name] for run in runs) for name in ("wall", "cpu"))
                print(f"{START}: {wall:.2f} s by the clock, {cpu:.2f} s of CPU with drawing; {len(runs)} starts")
    except EditorError as error:
        print(f"editor: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        chosen.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
