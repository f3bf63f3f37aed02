"""``python dev.py soak``: an hour of sound with everything that can happen to it, edits of every kind under a sine and
under music, an engine process that is told everything by messages, and random input into the editor. Prints what was
found, each with its bound; exit status 1 where one is not met.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import argparse
import shutil
from collections.abc import Sequence

from benchmarks import serving
from benchmarks.races import machine
from benchmarks.serving import Served, served
from benchmarks.soaking import Edited, Soaked, edited, soaked
from benchmarks.tables import table

MOST_MB_PER_H = 1.0
MOST_PROGRAMS = 4
"""The one in play and the one before it, which the callback may still hold; and the same of the run compared with."""
STEADY = ("slots", "programs", "tapes", "threads", "files", "shared")

Row = tuple[str, str, str, bool]
"""What, how much, the bound, whether it is met."""


def rows_of_edits(found: Edited) -> list[Row]:
    """The figures of edits under a sound."""
    edits = ", ".join(f"{kind} {count}" for kind, count in sorted(found.edits.items()))
    name = f"under {'a sine' if found.source == 'sine' else 'music'}"
    planted = f"{found.planted} of those planted on purpose are found"
    return [
        (f"{name}: edits in {found.seconds:.0f} s", f"{sum(found.edits.values())} ({edits})", "", True),
        (f"{name}: clicks ({planted})", str(len(found.clicks)), "0", not found.clicks),
        (f"{name}: what nobody touches is as rendered", _yes(found.identical), "yes", found.identical),
        (f"{name}: edits refused", str(len(found.refused)), "0", not found.refused),
        (f"{name}: frames that the disk missed", str(found.missed), "", True),
    ]


def rows_of_hour(found: Soaked) -> list[Row]:
    """The figures of the hour."""
    last = found.censuses[-1]
    return [
        (
            f"{found.seconds / 60:.1f} min of sound",
            f"{found.seconds / found.wall:.0f} × real time, {sum(found.edits.values())} edits, "
            f"{found.loads} patch loads, {found.takes} takes",
            "",
            True,
        ),
        ("memory per hour of sound", f"{found.slope:+.2f} MB", f"≤ {MOST_MB_PER_H:g} MB", found.slope <= MOST_MB_PER_H),
        ("memory", f"{last.megabytes:.0f} MB", "", True),
        ("drift of clock and place", f"{found.drift} frames", "0", found.drift == 0),
        ("clicks", str(found.clicks), "0", found.clicks == 0),
        ("what nobody touches is as without edits", _yes(found.identical), "yes", found.identical),
        ("edits refused", str(len(found.refused)), "0", not found.refused),
        ("programs alive", str(last.programs), f"≤ {MOST_PROGRAMS}", last.programs <= MOST_PROGRAMS),
        *(
            (f"{name} more than after the first quarter", str(found.grown(name)), "≤ 0", found.grown(name) <= 0)
            for name in STEADY
        ),
    ]


def rows_of_process(found: Served) -> list[Row]:
    """The figures of an engine process."""
    last = found.counts[-1]
    edits = sum(found.edits.values())
    return [
        (
            f"{found.seconds / 60:.1f} min of an engine process",
            f"{edits} edits, {found.takes} takes, {found.jumps} jumps, {found.clients} clients",
            "",
            True,
        ),
        ("its memory per hour", f"{found.slope:+.2f} MB", f"≤ {MOST_MB_PER_H:g} MB", found.slope <= MOST_MB_PER_H),
        ("its memory", f"{last['megabytes']:.0f} MB", "", True),
        ("messages refused", str(len(found.refused)), "0", not found.refused),
        ("engines", str(len(found.engines)), "1", len(found.engines) == 1),
        ("programs alive", f"{last['programs']:.0f}", f"≤ {MOST_PROGRAMS}", last["programs"] <= MOST_PROGRAMS),
        *(
            (f"its {name} more than after the first quarter", str(found.grown(name)), "≤ 0", found.grown(name) <= 0)
            for name in serving.STEADY
        ),
    ]


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def report(rows: Sequence[Row]) -> bool:
    """Print; whether all bounds are met."""
    print(
        table(["", "", "bound", ""], [[*row[:3], "" if not row[2] else "met" if row[3] else "NOT MET"] for row in rows])
    )
    return all(row[3] for row in rows)


def main(values: Sequence[str] | None = None) -> int:
    """Soak; exit status 1 where a bound is not met."""
    parser = argparse.ArgumentParser(prog="dev.py soak", description=(__doc__ or "").strip())
    parser.add_argument("--minutes", type=float, default=60.0, metavar="N", help="of sound, in the long run (60)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of edits under each sound (60)")
    parser.add_argument("--engine", type=float, default=30.0, metavar="N", help="minutes of an engine process (30)")
    parser.add_argument("--monkey", type=float, default=30.0, metavar="N", help="minutes of random input (30; 0: none)")
    chosen = parser.parse_args(values)
    if not 0 <= chosen.monkey <= 6000:
        parser.error("--monkey is 0 to 6000")
    if not 0.5 <= chosen.minutes <= 6000 or not 1 <= chosen.seconds <= 600 or not 0.1 <= chosen.engine <= 6000:
        parser.error("--minutes is 0.5 to 6000, --seconds is 1 to 600, --engine is 0.1 to 6000")
    print(machine())
    met = True
    for source in ("sine", "music"):
        print(f"Five edits a second for {chosen.seconds:g} s under {source} …", flush=True)
        met &= report(rows_of_edits(edited(source, chosen.seconds)))
    print(f"{chosen.minutes:g} min of sound on the null device, as fast as it goes …", flush=True)
    met &= report(rows_of_hour(soaked(chosen.minutes * 60, lambda words: print(words, flush=True))))
    print(
        f"{chosen.engine:g} min of an engine process in real time, ten edits a second, a new client each lap …",
        flush=True,
    )
    met &= report(rows_of_process(served(chosen.engine * 60, lambda words: print(words, flush=True))))
    if chosen.monkey:
        met &= monkey(chosen.monkey)
    return 0 if met else 1


def monkey(minutes: float) -> bool:
    """Random mouse and keyboard on the editor; whether it stood it. Left out where no window can be opened."""
    lacking = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
    if lacking:
        print(f"No random input into the editor: there is no {' and no '.join(lacking)}.")
        return True
    from tests.editor.e2e.monkey import main as run

    print(f"{minutes:g} min of random input into the editor, playing on the null device …", flush=True)
    return run(["--seconds", f"{minutes * 60:g}"]) == 0


if __name__ == "__main__":
    sys.exit(main())
