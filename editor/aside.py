"""Work that the window does not wait for, in a process of its own: one job goes in, lines of JSON come out.

``Aside`` is the window's end, ``serve`` the other one. The process ends when nobody waits for it any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from editor.files.rendering import environment
from graph.document import Patch
from graph.patchfile import dumps, load

EVERY_S = 0.05
"""How often, at most, the other end says how far it is."""
LAST_WORDS = 4000
"""Bytes of what it wrote to its standard error that are looked at where it broke off."""

Tell = Callable[..., None]


class Aside:
    """A job at work. ``step`` takes in what was told, and never waits; ``over`` says that nothing more will come.

    The patch is copied at the start: it can be edited on. What a job has found is in ``answer``; ``error`` says in one
    sentence why there is none.
    """

    def __init__(self, module: str, patch: Patch, **job: Any) -> None:
        """``module`` is run with ``-m``; it calls ``serve``. ``job`` must be what JSON can hold."""
        self.share: float | None = None
        """How much is done, 0 to 1, where that is known."""
        self.doing = ""
        self.answer: dict[str, Any] | None = None
        self.error = ""
        self.over = False
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="patchwright-aside-", ignore_cleanup_errors=True)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the job is over
        at = Path(self._folder.name) / "patch.pwp"
        at.write_bytes(dumps(patch))
        whole = {**job, "patch": str(at), "folder": str(patch.folder or Path.cwd())}
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-m", module),
            cwd=self._folder.name,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it ended at once; its last words say why
            self._process.stdin.write(json.dumps(whole).encode() + b"\n")
            self._process.stdin.flush()
        threading.Thread(target=self._listen, name="work aside", daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(line)
        self._told.put(None)

    def step(self) -> None:
        """Take in what was told."""
        while not self.over:
            try:
                line = self._told.get_nowait()
            except queue.Empty:
                return
            if line is None:
                self._broken()
            else:
                self._take(json.loads(line))

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

    def _broken(self) -> None:
        status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read()[-LAST_WORDS:].decode(errors="replace").strip().splitlines()
        self.error = f"it broke off: {lines[-1] if lines else f'exit status {status}'}"
        self.stop()

    def stop(self) -> None:
        """End it, whatever it has come to."""
        if self.over:
            return
        self.over = True
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._errors.close()
        self._folder.cleanup()


def serve(work: Callable[[Patch, Mapping[str, Any], Tell], Mapping[str, Any]]) -> None:
    """Be the process that works: read one job, do it, answer.

    ``work`` is given the patch, the job, and ``tell(progress=(done, whole), doing="Reading")``, which is heard now and
    then. What it raises of ValueError, OSError and RuntimeError is the answer that the job failed, and why.
    """
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, daemon=True).start()
    at = float("-inf")

    def tell(**line: Any) -> None:
        nonlocal at
        if "doing" in line or monotonic() - at >= EVERY_S:
            at = monotonic()
            _say(line)

    try:
        patch = load(Path(job["patch"]))
        patch.folder = Path(job["folder"])
        _say({"answer": dict(work(patch, job, tell))})
    except (ValueError, OSError, RuntimeError) as error:
        _say({"error": " ".join(str(error).split()) or type(error).__name__})


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


def _watch() -> None:
    """Nobody waits any more: end at once. What was being written is in a folder that the other side removes."""
    sys.stdin.read()
    os._exit(0)
