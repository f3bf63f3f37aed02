"""Work that the window does not wait for, in a process of its own: one job goes in, lines of JSON come out.

``Child`` is the window's end, ``serve`` the other one; ``Aside`` is for jobs that have one answer. The process ends
when nobody waits for it any more.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from graph.document import Patch
from graph.patchfile import dumps, load

EVERY_S = 0.05
"""How often, at most, the other end says how far it is."""
LAST_WORDS = 4000
"""Bytes of what it wrote to its standard error that are looked at where it broke off."""

COUNTED = {"progress", "measuring"}
"""What only says how far it is."""
ROOT = Path(__file__).resolve().parents[1]

Tell = Callable[..., None]


class Child:
    """A process that was given a job and tells of it. Nothing here waits but ``close``.

    The patch is copied at the start: it can be edited on. The process works in a folder of its own that goes with it.
    """

    def __init__(self, module: str, patch: Patch, **job: Any) -> None:
        """``module`` is run with ``-m``; it calls ``serve``. ``job`` must be what JSON can hold."""
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="patchwright-aside-", ignore_cleanup_errors=True)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the job is over
        at = Path(self._folder.name) / "patch.pwp"
        at.write_bytes(dumps(patch))
        whole = {**job, "patch": str(at), "folder": str(patch.folder or Path.cwd())}
        self.process = subprocess.Popen(
            (sys.executable, "-P", "-m", module),
            cwd=self._folder.name,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it ended at once; its last words say why
            self.process.stdin.write(json.dumps(whole).encode() + b"\n")
            self.process.stdin.flush()
        threading.Thread(target=self._listen, name="work aside", daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._told.put(line)
        self._told.put(None)

    def told(self) -> Iterator[Mapping[str, Any] | None]:
        """What it has told since the last call; None, once, when it tells no more."""
        while True:
            try:
                line = self._told.get_nowait()
            except queue.Empty:
                return
            yield None if line is None else json.loads(line)

    def last_words(self) -> str:
        """Why it broke off, where it did."""
        status = self.process.wait()
        self._errors.seek(0)
        lines = self._errors.read()[-LAST_WORDS:].decode(errors="replace").strip().splitlines()
        return f"broke off: {lines[-1] if lines else f'exit status {status}'}"

    def ask_to_end(self) -> None:
        """Nobody waits for it any more."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def close(self, patience_s: float = 0.0) -> None:
        """The end of it, at the latest after so long; its folder goes."""
        self.ask_to_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_s)
        self.process.kill()
        self.process.wait()
        self._errors.close()
        self._folder.cleanup()


class Aside:
    """A job at work. ``step`` takes in what was told, and never waits; ``over`` says that nothing more will come.

    What a job has found is in ``answer``; ``error`` says in one sentence why there is none.
    """

    def __init__(self, module: str, patch: Patch, **job: Any) -> None:
        """As for ``Child``."""
        self.share: float | None = None
        """How much is done, 0 to 1, where that is known."""
        self.doing = ""
        self.answer: dict[str, Any] | None = None
        self.error = ""
        self.over = False
        self._child = Child(module, patch, **job)

    def step(self) -> None:
        """Take in what was told."""
        for line in () if self.over else self._child.told():
            if line is None:
                self.error = f"it {self._child.last_words()}"
                self.stop()
            else:
                self._take(line)
            if self.over:
                return

    def _take(self, told: Mapping[str, Any]) -> None:
        if "progress" in told:
            done, whole = told["progress"]
            self.share = min(done / whole, 1.0) if whole else None
        self.doing = str(told.get("doing", self.doing))
        self.error = str(told.get("error", self.error))
        if "answer" in told:
            self.answer = dict(told["answer"])
        if self.answer is not None or self.error:
            self.stop()

    def stop(self) -> None:
        """End it, whatever it has come to."""
        if not self.over:
            self.over = True
            self._child.close()


def serve(work: Callable[[Patch, Mapping[str, Any], Tell], Mapping[str, Any]], cleans: bool = False) -> None:
    """Be the process that works: read one job, do it, answer.

    ``work`` is given the patch, the job, and ``tell(progress=(done, whole), doing="Reading")``, of which what says no
    more than how far it is is heard now and then. What it raises of ValueError, OSError and RuntimeError is the answer
    that the job failed, and why. When nobody waits any more it ends at once; where it ``cleans`` up after itself, it is
    interrupted.
    """
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, args=(_thread.interrupt_main if cleans else _leave,), daemon=True).start()
    at = float("-inf")

    def tell(**line: Any) -> None:
        nonlocal at
        if line.keys() - COUNTED or monotonic() - at >= EVERY_S:
            at = monotonic()
            _say(line)

    try:
        patch = load(Path(job["patch"]))
        patch.folder = Path(job["folder"])
        _say({"answer": dict(work(patch, job, tell))})
    except KeyboardInterrupt:
        return  # it was to be stopped, and has cleaned up
    except (ValueError, OSError, RuntimeError) as error:
        _say({"error": " ".join(str(error).split()) or type(error).__name__})


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


def _watch(end: Callable[[], None]) -> None:
    """Nobody waits any more."""
    sys.stdin.read()
    end()


def _leave() -> None:
    """What was being written is in a folder that the other side removes."""
    os._exit(0)


def _environment() -> dict[str, str]:
    """A process that works aside finds our modules where we did, and leaves the cores to the engine: matrix products on
    several threads would wait for each other in loops that take all there is.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
