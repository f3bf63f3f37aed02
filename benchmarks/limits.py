"""The C programs of ``limit/``: built where a compiler is, kept in ``build/``."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "limit"


@dataclass(frozen=True, slots=True)
class Program:
    """One executable: its source, its type of coefficients and state, and the libraries it needs."""

    name: str
    source: str
    double: bool = False
    libraries: tuple[str, ...] = ()


PROGRAMS = {
    p.name: p
    for p in (
        Program("w1_loops", "w1_loops.c"),
        Program("w1_loops_double", "w1_loops.c", double=True),
        Program("w1_lanes", "w1_lanes.c"),
        Program("w1_lanes_double", "w1_lanes.c", double=True),
        Program("w2", "w2.c"),
        Program("w3", "w3.c"),
        Program("w3_double", "w3.c", double=True),
        Program("w4", "w4.c", libraries=("-lfftw3f",)),
    )
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of a workload's table that a C program fills: its label, program, mode, and block where it is not ours."""

    label: str
    program: str
    mode: str = ""
    block: int | None = None


REFERENCES: dict[str, tuple[Reference, ...]] = {
    "w1": (
        Reference("C, per node, float64 EQ", "w1_loops_double"),
        Reference("C, lanes, float64 EQ", "w1_lanes_double"),
        Reference("C, per node, float32 EQ", "w1_loops"),
        Reference("C, lanes, float32 EQ", "w1_lanes"),
    ),
    "w2": (
        Reference("C, per node", "w2"),
        Reference("C, lanes", "w2", "lanes"),
        Reference("C, folded into one gain", "w2", "folded"),
    ),
    "w3": (
        Reference("C, per node, float64", "w3_double"),
        Reference("C, lanes, float64", "w3_double", "lanes"),
        Reference("C, per node, float32", "w3"),
        Reference("C, lanes, float32", "w3", "lanes"),
    ),
    "w4": (
        Reference("C, partition = block", "w4"),
        Reference("C, partition 8192", "w4", block=8192),
    ),
}
"""The first of each is what we are held against; the second is the limit."""


def compiler() -> str | None:
    """The C compiler: ``$CC``, else gcc, else cc."""
    names = [os.environ["CC"]] if os.environ.get("CC") else ["gcc", "cc"]
    return next((found for name in names if (found := shutil.which(name))), None)


def flags() -> list[str]:
    """The best that a compiler may do on this machine: all of its instructions, and arithmetic in any order."""
    machine = ["-march=native", "-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else []
    return ["-O3", "-ffast-math", "-w", *(machine or ["-mcpu=native"])]


def build(name: str, folder: Path) -> Path | str:
    """The executable, built if its sources or the flags are new; or, in words, why there is none."""
    program, cc = PROGRAMS[name], compiler()
    if cc is None:
        return "no C compiler (gcc) was found"
    command = [cc, *flags(), *(["-DREAL_IS_DOUBLE=1"] if program.double else []), str(SOURCES / program.source)]
    stamp = hashlib.sha256("\0".join(command).encode())
    for header in sorted(SOURCES.glob("*.h")):
        stamp.update(header.read_bytes())
    stamp.update((SOURCES / program.source).read_bytes())
    executable = folder / f"{name}-{stamp.hexdigest()[:16]}"
    if executable.exists():
        return executable
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{executable.name}.partial"
    done = subprocess.run(
        [*command, "-o", str(partial), *program.libraries, "-lm"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        hint = " (Debian: apt install libfftw3-dev)" if "fftw3" in done.stderr else ""
        return f"not built: {errors[0].strip() if errors else 'the compiler failed'}{hint}"
    os.replace(partial, executable)
    return executable
