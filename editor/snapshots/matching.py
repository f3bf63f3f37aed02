"""Two snapshots at one loudness: the same passage of both is rendered aside and measured, and the louder is turned down
where it leaves the patch, for as long as they are compared. The document does not know of it.

Loudness is integrated loudness by ITU-R BS.1770; of several outputs it is that of their powers together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from editor.aside import Aside
from editor.files.rendering import OUTPUT, ends
from editor.link import Trim
from editor.mixer.strips import LEVEL
from editor.snapshots.values import current
from graph.document import Patch
from graph.edits import SetSetting, inside
from graph.groups import expand
from graph.spec import Kinds, Stream

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
        streams = kinds[entry.kind].every(Stream) if entry.kind in kinds else ()
        if any((stream.flow, stream.serves) == ("out", "file") for stream in streams):
            *groups, id = address.split("/")
            inside(groups, SetSetting(id, "path", "")).apply(found)
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


class Measuring(Aside):
    """A comparison at work, in a process of its own."""

    def __init__(self, patch: Patch, kinds: Kinds, a: str, b: str, passage: Passage) -> None:
        super().__init__(
            "editor.snapshots.measure_child",
            without_recorders(patch, kinds),
            outputs=ends(patch, OUTPUT),
            snapshots=[a, b],
            start_s=passage.start_s,
            seconds=passage.seconds,
        )

    @property
    def match(self) -> Match | None:
        """What it came to."""
        return None if self.answer is None else Match(*self.answer["lufs"])
