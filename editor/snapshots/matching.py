"""Two snapshots at one loudness: the same passage of both is rendered aside and measured, and the louder is turned down
where it leaves the patch, for as long as they are compared. The document does not know of it.

Loudness is integrated loudness by ITU-R BS.1770; of several outputs it is that of their powers together.
"""

from __future__ import annotations

import contextlib
import json
import math
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.files.rendering import OUTPUT, ends, environment
from editor.link import Trim
from editor.mixer.strips import LEVEL
from editor.snapshots.values import current
from graph.document import Patch
from graph.edits import Edit, Inside, SetSetting
from graph.groups import expand
from graph.patchfile import dumps
from graph.spec import Kinds, Stream

COMMAND = (sys.executable, "-P", "-m", "editor.snapshots.measure_child")
PASSAGE_S = 10.0
"""How much is measured where no loop says it."""
READ_FRAMES = 1 << 16
LOWEST_DB, HIGHEST_DB = -96.0, 24.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of the timeline."""

    start_s: float
    seconds: float

    @staticmethod
    def of(patch: Patch, place_s: float) -> Passage:
        """What is compared: the loop, else what comes next."""
        loop = patch.transport.loop
        if loop is not None and loop[1] > loop[0]:
            return Passage(float(loop[0]), float(loop[1] - loop[0]))
        return Passage(max(place_s, 0.0), PASSAGE_S)


@dataclass(frozen=True, slots=True)
class Match:
    """The loudness of two snapshots in LUFS; None is silence."""

    a: float | None
    b: float | None

    @property
    def known(self) -> bool:
        """Whether both can be heard."""
        return self.a is not None and self.b is not None

    def trim(self, x: float) -> float:
        """Decibels that what is at a place from A (0) to B (1) is turned down by, never more than 0."""
        if self.a is None or self.b is None:
            return 0.0
        low = min(self.a, self.b)
        return (low - self.a) * (1.0 - x) + (low - self.b) * x


def together(loudness: Sequence[float | None]) -> float | None:
    """The loudness of several signals that are heard at once, each in LUFS."""
    power = sum(10.0 ** (each / 10.0) for each in loudness if each is not None)
    return 10.0 * math.log10(power) if power > 0 else None


def without_recorders(patch: Patch, kinds: Kinds) -> Patch:
    """A copy whose recorders have no file, so that a render writes none."""
    found = patch.copy()
    for address, entry in expand(patch).nodes.items():
        streams = kinds[entry.kind].declared.values() if entry.kind in kinds else ()
        if any(isinstance(s, Stream) and (s.flow, s.serves) == ("out", "file") for s in streams):
            *groups, id = address.split("/")
            edit: Edit = SetSetting(id, "path", "")
            for group in reversed(groups):
                edit = Inside(group, edit)
            edit.apply(found)
    return found


def trims(patch: Patch, kinds: Kinds, by: float) -> dict[tuple[str, str], Trim]:
    """What the levels of all outputs are to be heard at, turned by so many decibels."""
    if not by:
        return {}
    now = current(patch, kinds)
    return {
        (id, LEVEL): Trim(now[id, LEVEL], by, LOWEST_DB, HIGHEST_DB) for id in ends(patch, OUTPUT) if (id, LEVEL) in now
    }


def loudness_of(
    patch: Patch,
    snapshot: str,
    outputs: Sequence[str],
    start_s: float,
    seconds: float,
    scratch: Path,
    progress: Callable[[int, int], None] | None = None,
) -> float | None:
    """The loudness of a passage of a patch with a snapshot in it, in LUFS; None is silence. Raises as ``render``."""
    from host.audiofile import open_audio
    from host.loudness import LoudnessMeter
    from host.rendering import render

    files = {id: scratch / f"{number}.wav" for number, id in enumerate(outputs)}
    report = render(patch, files, seconds=start_s + seconds, snapshot=snapshot, allow_missing=True, progress=progress)
    found: list[float | None] = []
    for file in files.values():
        with open_audio(file) as reader:
            meter = LoudnessMeter(reader.rate, reader.labels)
            import numpy as np

            block = np.empty((READ_FRAMES, reader.channels), np.float32)
            skip = round(start_s * report.rate)
            while got := reader.read_into(block):
                meter.feed(block[min(skip, got) : got])
                skip = max(skip - got, 0)
            found.append(meter.result().integrated_lufs)
    return together(found)


class Measuring:
    """A comparison at work, in a process of its own. ``step`` takes in what it has told."""

    def __init__(self, patch: Patch, kinds: Kinds, a: str, b: str, passage: Passage) -> None:
        self.snapshots, self.passage = (a, b), passage
        self.share = 0.0
        """How much is done, 0 to 1."""
        self.match: Match | None = None
        self.error = ""
        self.over = False
        self._told: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="patchwright-match-", ignore_cleanup_errors=True)
        at = Path(self._folder.name) / "patch.pwp"
        at.write_bytes(dumps(without_recorders(patch, kinds)))
        job = {
            "patch": str(at),
            "folder": str(patch.folder or Path.cwd()),
            "scratch": self._folder.name,
            "outputs": ends(patch, OUTPUT),
            "snapshots": [a, b],
            "start_s": passage.start_s,
            "seconds": passage.seconds,
        }
        self._process = subprocess.Popen(
            COMMAND,
            cwd=self._folder.name,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it ended at once, which is told below
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        threading.Thread(target=self._listen, name="match", daemon=True).start()

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
                self._end()
            else:
                self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        self.share = float(told.get("progress", self.share))
        self.error = str(told.get("error", self.error))
        if "lufs" in told:
            self.match = Match(*told["lufs"])
        if self.match is not None or self.error:
            self.stop()

    def _end(self) -> None:
        if self.match is None and not self.error:
            self.error = "the comparison broke off"
        self.stop()

    def stop(self) -> None:
        """End it, whatever it has come to."""
        if not self.over:
            self.over = True
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._folder.cleanup()
