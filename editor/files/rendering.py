"""A render that the window does not wait for: what is wished, and the process that does it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.patchfile import dumps
from graph.spec import Kinds

OUTPUT, INPUT = "audio_out", "audio_in"
"""The kinds that a render reads files for and writes files from, as the command line calls them."""
PATIENCE_S = 5.0
ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-P", "-m", "editor.files.render_child")

Phase = Literal["running", "measuring", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that can be written."""

    label: str
    suffix: str
    subtype: str | None
    whole: bool
    """Whether samples are rounded to whole numbers: then there can be dither."""


FORMATS = (
    Format("WAV, 32-bit float", ".wav", "FLOAT", False),
    Format("WAV, 24-bit", ".wav", "PCM_24", True),
    Format("WAV, 16-bit", ".wav", "PCM_16", True),
    Format("FLAC, 24-bit", ".flac", "PCM_24", True),
    Format("FLAC, 16-bit", ".flac", "PCM_16", True),
    Format("AIFF, 32-bit float", ".aiff", "FLOAT", False),
    Format("AIFF, 24-bit", ".aiff", "PCM_24", True),
    Format("Ogg Vorbis", ".ogg", None, False),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to render: files by the addresses of outputs and inputs, and the options of ``host.render``.

    ``seconds``: so long; ``tail``: so much after the longest input; neither: until it is silent.
    """

    outputs: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    subtype: str | None = None
    dither: bool = False
    rate: int | None = None
    seconds: float | None = None
    tail: float | None = None
    snapshot: str | None = None
    allow_missing: bool = False

    def options(self) -> dict[str, Any]:
        """What goes to ``host.render`` beside the files."""
        names = ("subtype", "dither", "rate", "seconds", "tail", "snapshot", "allow_missing")
        return {name: getattr(self, name) for name in names}


def ends(patch: Patch, kind: str) -> list[str]:
    """The addresses of all outputs, or inputs, groups and all. What cannot be expanded has those at its top."""
    try:
        nodes = expand(patch).nodes
    except PatchError:
        nodes = patch.nodes()
    return sorted(id for id, entry in nodes.items() if entry.kind == kind)


def sounds_end(patch: Patch, kinds: Kinds) -> bool:
    """Whether something in the patch says how long it is: a file that is played, and not in a loop."""
    from editor.files.missing import named_files

    return any(named.read for named in named_files(patch, kinds))


def targets(outputs: list[str], folder: Path, name: str, suffix: str) -> dict[str, str]:
    """The file of each output: called ``name``, and after the output where there are several."""
    if len(outputs) == 1:
        return {outputs[0]: str(folder / f"{name}{suffix}")}
    return {output: str(folder / f"{name} {output.replace('/', ' ')}{suffix}") for output in outputs}


class Render:
    """A render at work. ``step`` takes in what its process has told; everything else is to be read.

    The patch is copied at the start: it can be edited on.
    """

    def __init__(self, patch: Patch, wish: Wish) -> None:
        self.phase: Phase = "running"
        self.share = 0.0
        """How much is done, 0 to 1."""
        self.result: dict[str, Any] = {}
        self.measured: list[dict[str, Any]] = []
        self.error = ""
        self._stopping: float | None = None
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="patchwright-render-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the render is over
        at = Path(self._folder.name) / "patch.pwp"
        at.write_bytes(dumps(patch))
        job = {
            "patch": str(at),
            "folder": str(patch.folder or Path.cwd()),
            "outputs": dict(wish.outputs),
            "inputs": dict(wish.inputs),
            "options": wish.options(),
        }
        self._process = subprocess.Popen(
            COMMAND,
            cwd=self._folder.name,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it ended at once; its last words say why
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        threading.Thread(target=self._listen, name="render", daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(line)
        self._told.put(None)

    @property
    def over(self) -> bool:
        """Whether it has come to an end."""
        return self.phase in ("done", "failed", "stopped")

    def step(self) -> None:
        """Take in what was told."""
        while not self.over:
            try:
                line = self._told.get_nowait()
            except queue.Empty:
                break
            self._end() if line is None else self._take(json.loads(line))
        if self._stopping is not None and not self.over and monotonic() - self._stopping > PATIENCE_S:
            self._process.kill()

    def _take(self, told: Mapping[str, Any]) -> None:
        for name, value in told.items():
            match name:
                case "progress" | "measuring":
                    self.phase = "running" if name == "progress" else "measuring"
                    self.share = min(value[0] / max(value[1], 1), 1.0)
                case "result":
                    self.result, self.phase, self.share = dict(value), "measuring", 0.0
                case "measured":
                    self.measured = list(value)
                case "error":
                    self.error = str(value)

    def _end(self) -> None:
        """Its process is gone."""
        self._process.wait()
        if self.measured or (self.result and not self.error and not self._stopping):
            self.phase = "done"
        elif self._stopping is not None:
            self.phase = "stopped"
        else:
            self.phase = "failed" if not self.result else "done"
            self.error = self.error or self._last_words()
        self._clean()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-4000:].decode(errors="replace").strip().splitlines()
        return f"the render broke off: {lines[-1] if lines else f'exit status {self._process.returncode}'}"

    def stop(self) -> None:
        """Stop it; nothing stays under the final names. It is over a little later."""
        if self.over or self._stopping is not None:
            return
        self._stopping = monotonic()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self) -> None:
        """Nobody waits for it any more: stop it, and wait until it has."""
        if self.over:
            return
        self.stop()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.phase = "stopped"
        self._clean()

    def _clean(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._errors.close()
        self._folder.cleanup()


def environment() -> dict[str, str]:
    """A process that works aside finds our modules where we did, and leaves the cores to the engine: matrix products on
    several threads would wait for each other in loops that take all there is.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
