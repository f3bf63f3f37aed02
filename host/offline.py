"""Running a schedule faster than real time: streams are filled before each chunk and drained after it, so memory stays
constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.schedule import Schedule
from graph.spec import TICK, Services
from host.native.abi import STREAM_CHANNELS, STREAM_DATA, STREAM_END, STREAM_MASK, STREAM_START
from host.native.arena import Arena, aligned
from host.native.binding import bind
from host.native.program import Program
from host.native.team import Team

CHUNK = 16384
"""Frames run by one native call; a power of two, so that a stream's ring is exactly one chunk."""

BLOCK_OF_A_TEAM = 2048

Frames = npt.NDArray[np.float32]
Feed = Callable[[int, Frames], None]
"""Fill an array ``[frame, channel]`` with a stream's frames from a timeline frame on (which may be negative)."""
Drain = Callable[[int, Frames], None]
"""Take an array ``[frame, channel]`` of a stream's frames from a timeline frame on."""


@dataclass
class Offline:
    """A program that runs in chunks. Feeds and drains are by node id; a stream without one is silent, or dropped."""

    schedule: Schedule
    services: Services
    block: int = 512
    threads: int = 1
    checked: bool = False
    feeds: dict[str, Feed] = field(default_factory=dict[str, Feed])
    drains: dict[str, Drain] = field(default_factory=dict[str, Drain])
    arena: Arena = field(default_factory=Arena)
    unsound: dict[str, int] = field(default_factory=dict[str, int])
    """Samples that came in NaN or infinite, by node id; kinds that bring sound in make silence of them."""

    def __post_init__(self) -> None:
        if self.threads > 1:
            # Threads meet at every block, and a meeting costs the same for a short one.
            self.block = max(self.block, BLOCK_OF_A_TEAM)
        self.program: Program = bind(self.schedule, self.arena, self.services, block=self.block, checked=self.checked)
        self._team = Team(self.program, self.threads) if self.threads > 1 else None
        self._rings: dict[str, Frames] = {}
        for id, stream in self.program.streams.items():
            ring = aligned((CHUNK, stream.channels), "f4")
            self._rings[id] = ring
            stream.header[[STREAM_DATA, STREAM_MASK, STREAM_CHANNELS]] = ring.ctypes.data, CHUNK - 1, stream.channels

    def __enter__(self) -> Offline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the threads go."""
        if self._team:
            self._team.close()
            self._team = None

    def run(self, frames: int) -> Iterator[int]:
        """Run for at least ``frames`` frames, a chunk at a time; yields the frames done so far, after each."""
        done = 0
        while done < frames:
            count = min(CHUNK, frames - done + (done - frames) % TICK)
            self._chunk(self.program.time, count)
            done += count
            yield done

    def _chunk(self, now: int, count: int) -> None:
        for id, stream in self.program.streams.items():
            start = now - stream.node.arrival
            stream.header[[STREAM_START, STREAM_END]] = start, start + count
            if stream.flow == "in":
                feed = self.feeds.get(id)
                for at, part in _pieces(self._rings[id], start, count):
                    if feed:
                        feed(at, part)
                        sound = np.isfinite(part)
                        if not sound.all():
                            self.unsound[id] = self.unsound.get(id, 0) + part.size - int(np.count_nonzero(sound))
        (self._team or self.program).run(count)
        for id, stream in self.program.streams.items():
            drain = self.drains.get(id) if stream.flow == "out" else None
            if drain:
                start = now - stream.node.arrival
                for at, part in _pieces(self._rings[id], start, count):
                    skip = min(max(0, -at), len(part))
                    if skip < len(part):
                        drain(at + skip, part[skip:])


def _pieces(ring: Frames, start: int, count: int) -> Iterator[tuple[int, Frames]]:
    """A stretch of a ring as one or two arrays, each with the frame it starts at."""
    at = start % CHUNK
    first = min(count, CHUNK - at)
    yield start, ring[at : at + first]
    if first < count:
        yield start + first, ring[: count - first]


def feed_array(data: Frames) -> Feed:
    """A feed from memory: zero before and after."""

    def feed(start: int, out: Frames) -> None:
        out[...] = 0.0
        low, high = max(start, 0), min(start + len(out), len(data))
        if high > low:
            out[low - start : high - start] = data[low:high]

    return feed


def run_arrays(
    schedule: Schedule,
    services: Services,
    frames: int,
    inputs: Mapping[str, npt.NDArray[Any]] | None = None,
    *,
    block: int = 512,
    threads: int = 1,
    checked: bool = False,
    feeds: Mapping[str, Feed] | None = None,
    watched: bool = True,
) -> tuple[dict[str, Frames], Program]:
    """Run a schedule over arrays ``[frame, channel]``: the outputs by node id, aligned to timeline zero, and the
    program for its readings, with those that are only measured while somebody looks, if they are to be ``watched``.
    """
    offline = Offline(schedule, services, block, threads, checked)
    if watched:
        offline.program.watch()
    offline.feeds.update(feeds or {})
    for id, data in (inputs or {}).items():
        offline.feeds[id] = feed_array(
            np.ascontiguousarray(data if data.ndim == 2 else data[:, None], dtype=np.float32)
        )
    outputs: dict[str, Frames] = {}
    longest = 0
    for id, stream in offline.program.streams.items():
        if stream.flow == "out":
            outputs[id] = np.zeros((frames, stream.channels), np.float32)
            offline.drains[id] = _collect(outputs[id])
            longest = max(longest, stream.node.arrival)
    with closing(offline):
        for _ in offline.run(frames + longest):
            pass
    return outputs, offline.program


def _collect(into: Frames) -> Drain:
    def drain(start: int, part: Frames) -> None:
        room = max(0, min(len(part), len(into) - start))
        into[start : start + room] = part[:room]

    return drain
