"""A render that the window does not wait for: what is wished, and the process that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from editor.aside import Child
from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.spec import Kinds

OUTPUT, INPUT = "audio_out", "audio_in"
"""The kinds that a render reads files for and writes files from, as the command line calls them."""
PATIENCE_S = 5.0
CHILD = "editor.files.render_child"

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
    start: float = 0.0
    seconds: float | None = None
    tail: float | None = None
    snapshot: str | None = None
    allow_missing: bool = False

    def options(self) -> dict[str, Any]:
        """What goes to ``host.render`` beside the files."""
        names = ("subtype", "dither", "rate", "start", "seconds", "tail", "snapshot", "allow_missing")
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
        self._child = Child(CHILD, patch, outputs=dict(wish.outputs), inputs=dict(wish.inputs), options=wish.options())

    @property
    def over(self) -> bool:
        """Whether it has come to an end."""
        return self.phase in ("done", "failed", "stopped")

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping is not None

    def step(self) -> None:
        """Take in what was told."""
        for line in () if self.over else self._child.told():
            self._end() if line is None else self._take(line)
        if self._stopping is not None and not self.over and monotonic() - self._stopping > PATIENCE_S:
            self._child.process.kill()

    def _take(self, told: Mapping[str, Any]) -> None:
        for name, value in told.items():
            match name:
                case "progress" | "measuring":
                    self.phase = "running" if name == "progress" else "measuring"
                    self.share = min(value[0] / max(value[1], 1), 1.0)
                case "result":
                    self.result, self.phase, self.share = dict(value), "measuring", 0.0
                case "answer":
                    self.measured = list(value["measured"])
                case "error":
                    self.error = str(value)

    def _end(self) -> None:
        """Its process is gone."""
        self._child.process.wait()
        if self.measured or (self.result and not self.error and not self._stopping):
            self.phase = "done"
        elif self._stopping is not None:
            self.phase = "stopped"
        else:
            self.phase = "failed" if not self.result else "done"
            self.error = self.error or f"the render {self._child.last_words()}"
        self._child.close()

    def stop(self) -> None:
        """Stop it; nothing stays under the final names. It is over a little later."""
        if self.over or self._stopping is not None:
            return
        self._stopping = monotonic()
        self._child.ask_to_end()

    def close(self) -> None:
        """Nobody waits for it any more: stop it, and wait until it has."""
        if self.over:
            return
        self.stop()
        self._child.close(PATIENCE_S)
        self.phase = "stopped"
