"""One process that looks at one plugin file, watched from outside: it may crash, hang, eat memory, or answer.

It answers in lines of JSON on what was its standard output (``host.plugins.probe`` says which), so that what came
before a crash is known. It leads a process group of its own, which is killed as a whole when it is done with, whatever
it left running.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

LOOK_S = 0.02
MOST_ANSWER = 64 << 20
MOST_NOISE = 64 << 20
"""Bytes that a child may write, as answers and as noise; one that writes more is killed."""
KEPT_NOISE = 4000
MOST_LINES = 12
LONGEST_LINE = 300
SLOWEST = 20
"""A child that goes on answering has this many times its time-out in all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take."""

    seconds: float = 30.0
    """Between one answer and the next."""
    megabytes: int = 2048
    """Of memory in use, where the system says how much that is; of address space, some more."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: ``died`` and ``words`` are empty for one that came to its end by itself, with status 0."""

    died: str
    """``crashed``, ``hung``, ``memory`` or empty."""
    words: str
    noise: str
    """The last lines of its standard error."""
    seconds: float
    answers: tuple[dict[str, Any], ...] = ()


class StoppedError(RuntimeError):
    """Somebody wanted it to stop before it was done."""

    def __init__(self) -> None:
        super().__init__("it was stopped before it was done")


@dataclass
class Watch:
    """What happens to one child; kept apart so that each check reads by itself."""

    process: subprocess.Popen[bytes]
    limits: Limits
    answers: IO[bytes]
    noise: IO[bytes]
    begun: float = field(default_factory=time.monotonic)
    heard: float = 0.0
    size: int = 0

    def trouble(self) -> tuple[str, str]:
        """Why it must be killed now: verdict and words; empty where it may go on."""
        now = time.monotonic()
        size = os.fstat(self.answers.fileno()).st_size
        if size != self.size:
            self.size, self.heard = size, now
        if now - max(self.heard, self.begun) > self.limits.seconds:
            return "hung", f"it did not answer for {self.limits.seconds:g} s"
        if now - self.begun > SLOWEST * self.limits.seconds:
            return "hung", f"it was not done after {SLOWEST * self.limits.seconds:g} s"
        if (used := resident(self.process.pid)) > self.limits.megabytes << 20:
            return "memory", f"it took {used >> 20} MiB of memory, and may take {self.limits.megabytes}"
        if size > MOST_ANSWER or os.fstat(self.noise.fileno()).st_size > MOST_NOISE:
            return "crashed", "it wrote without end"
        return "", ""


def attempt(command: Sequence[str], limits: Limits, stop: threading.Event | None = None) -> Ending:
    """Run a child to its end, or to that of its limits. Raises StoppedError when ``stop`` is set, with the child gone.

    ``command`` is followed by words that say by how much it is limited, and who started it.
    """
    words = [*command, "--seconds", repr(limits.seconds), "--megabytes", str(limits.megabytes)]
    words += ["--parent", str(os.getpid())]
    with (
        tempfile.TemporaryFile() as answers,
        tempfile.TemporaryFile() as noise,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cwd,
    ):
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=answers,
                stderr=noise,
                cwd=cwd,
                env=environment(),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            return Ending("failed", f"no process can be started for it: {error}", "", 0.0)
        watch = Watch(process, limits, answers, noise)
        try:
            died, why = _watched(watch, stop)
        finally:
            kill_group(process)
        if not died:
            died, why = ended(process.returncode)
        return Ending(died, why, last_lines(noise), time.monotonic() - watch.begun, tuple(_answers(answers)))


def _watched(watch: Watch, stop: threading.Event | None) -> tuple[str, str]:
    while True:
        try:
            watch.process.wait(LOOK_S)
            return "", ""
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                raise StoppedError from None
            if (found := watch.trouble())[0]:
                return found


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a child and all that it started, as far as they stayed in its group, and wait for it."""
    if sys.platform == "win32":
        if process.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
            process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    process.wait()


def ended(status: int) -> tuple[str, str]:
    """What an exit status says: verdict and words, empty for 0."""
    if status == 0:
        return "", ""
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return "crashed", f"its process was ended by {name}"
    if sys.platform == "win32" and status >= 0x80000000:
        return "crashed", f"its process was ended by exception {status:#010x}"
    return "crashed", f"its process ended with status {status}"


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def last_lines(noise: IO[bytes]) -> str:
    """The end of what was written, without what terminals would obey."""
    end = noise.seek(0, os.SEEK_END)
    noise.seek(max(0, end - KEPT_NOISE))
    text = noise.read(KEPT_NOISE).decode("utf-8", "replace")
    lines = ["".join(c if c.isprintable() else " " for c in line).rstrip() for line in text.splitlines()]
    return "\n".join(line[:LONGEST_LINE] for line in [line for line in lines if line][-MOST_LINES:])


def _answers(file: IO[bytes]) -> list[dict[str, Any]]:
    """Its answers, up to the first line that is none: the last may be cut off."""
    file.seek(0)
    found: list[dict[str, Any]] = []
    for line in file.read(MOST_ANSWER).split(b"\n"):
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not isinstance(answer, dict):
            break
        found.append(answer)
    return found


def environment() -> dict[str, str]:
    """Ours, with the folder that we were imported from on Python's path, unless it is there anyway."""
    root = str(Path(__file__).resolve().parents[2])
    found = dict(os.environ)
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        found["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [found.get("PYTHONPATH")])])
    return found
