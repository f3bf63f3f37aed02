"""A JACK server without hardware, under a name of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RATE = 48000
DEADLINE_S = 20.0
VARIABLE = "JACK_DEFAULT_SERVER"


class JackError(RuntimeError):
    """There is no JACK server to be had: one line."""


class Server:
    """``jackd`` with its dummy driver; programs started meanwhile find it through the environment."""

    def __init__(self, log: Path) -> None:
        if not shutil.which("jackd"):
            raise JackError("jackd is missing (Debian and Ubuntu: apt install jackd2)")
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, frames: int) -> None:
        """Start it with a block of so many frames, and wait until it can be played to. Raises JackError."""
        words = ["jackd", "-r", "-d", "dummy", "-r", str(RATE), "-p", str(frames)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        end = time.monotonic() + DEADLINE_S
        while "system:playback_1" not in _ports():
            if self._process.poll() is not None or time.monotonic() > end:
                raise JackError(f"jackd does not start: {_last_line(self._log)}")
            time.sleep(0.01)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(DEADLINE_S)
            self._process = None


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


def _ports() -> str:
    return subprocess.run(["jack_lsp"], capture_output=True, encoding="utf-8", timeout=DEADLINE_S).stdout


@contextmanager
def _alone() -> Iterator[None]:
    """One JACK server at a time, as in the tests: all of a user's share files that each makes and takes away."""
    import fcntl

    with open(Path(tempfile.gettempdir()) / f"patchwright-jack-{os.getuid()}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def jack(frames: int, log: Path) -> Iterator[Server]:
    """A server for a while. Raises JackError."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = f"patchwright-bench-{os.getpid()}"
    server = Server(log)
    try:
        with _alone():
            try:
                server.start(frames)
                yield server
            finally:
                server.stop()
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
