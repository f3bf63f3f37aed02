"""What a render writes of what its outputs give, chunk after chunk: where it begins, where it ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from graph.schedule import Schedule
from graph.spec import TICK
from host.audiofile import AudioWriter
from host.offline import Frames

SILENT = 1e-6
"""−120 dBFS: below it a tail is over."""
LONGEST_TAIL_S = 30.0


class Sink:
    """What becomes of the outputs: written from frame ``first`` of the timeline up to frame ``frames`` and a tail, or,
    with an open tail (``tail_frames`` below 0), up to the last sample that is heard before ``quiet`` frames of silence.
    """

    def __init__(
        self, writers: Mapping[str, AudioWriter], first: int, frames: int, tail_frames: int, quiet: int
    ) -> None:
        self._writers = writers
        self._first = first
        self._frames = frames
        self._open = tail_frames < 0
        self._limit = frames + max(0, tail_frames)
        self._quiet = quiet
        self._pending: dict[str, list[Frames]] = {id: [] for id in writers}
        self._heard = frames
        self._written = dict.fromkeys(writers, first)
        """Up to which frame each file goes."""
        self.peaks: dict[str, float] = {}
        self.finished = False

    def drain_for(self, id: str, channels: int) -> Callable[[int, Frames], None]:
        """The drain of one output."""

        def drain(start: int, part: Frames) -> None:
            before = min(max(0, self._first - start), len(part))
            start, part = start + before, part[before:]
            if not self._open:
                part = part[: max(0, self._limit - start)]
            if not len(part):
                return
            size = np.abs(part)
            peak = float(np.nan_to_num(size.max()))
            self.peaks[id] = max(self.peaks.get(id, 0.0), peak)
            if id not in self._writers:
                return
            if not self._open or start + len(part) <= self._frames:
                self._writers[id].write(part)
                self._written[id] += len(part)
                return
            self._pending[id].append(part.copy())
            loud = np.flatnonzero(size.max(axis=1) > SILENT)
            if len(loud):
                self._heard = max(self._heard, start + int(loud[-1]) + 1)

        return drain

    def settle(self, done: int) -> None:
        """Write what is known to be heard; see whether the tail is over."""
        if self._open:
            self._flush()
            self.finished = done >= self._heard + self._quiet

    def close(self, limit: int) -> int:
        """The length of what was written."""
        self._flush()
        return (min(self._heard, limit) if self._open else self._limit) - self._first

    def _flush(self) -> None:
        for id, parts in self._pending.items():
            while parts and self._written[id] < self._heard:
                part = parts[0][: self._heard - self._written[id]]
                self._writers[id].write(part)
                self._written[id] += len(part)
                if len(part) == len(parts[0]):
                    parts.pop(0)
                else:
                    parts[0] = parts[0][len(part) :]


def quiet_frames(schedule: Schedule) -> int:
    """How long everything must be silent before the tail is over: as long as the slowest path may hide a sound."""
    hidden: dict[int, float] = {}
    into: dict[int, list[int]] = {}
    for source, _, target, _, closing in schedule.cables:
        if not closing:
            into.setdefault(target, []).append(source)
    if schedule.loops:
        return round(LONGEST_TAIL_S * schedule.rate)
    for step in schedule.steps:
        for k in getattr(step, "nodes", ()):
            node = schedule.nodes[k]
            tail = node.kind.tail(node.config)
            own = 0.0 if math.isinf(tail) and not into.get(k) else tail
            hidden[k] = own + max((hidden.get(source, 0.0) for source in into.get(k, ())), default=0.0)
    seconds = min(LONGEST_TAIL_S, max(hidden.values(), default=0.0))
    return round(seconds * schedule.rate) + TICK
