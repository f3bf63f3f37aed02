"""What the streams of a program are served from and to: rings in memory, device channels, tapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from graph.layouts import labels_of
from graph.plan import leaves
from graph.schedule import Schedule
from graph.spec import FileRequest
from host.native.abi import STREAM_CHANNELS, STREAM_DATA, STREAM_MASK
from host.native.arena import Arena, aligned
from host.native.live import Playable, Port, playable
from host.native.program import BoundStream, Program, Words

Frames = npt.NDArray[np.float32]
Route = Callable[[str, int, int], list[int]]
"""``route(flow, first, count)``: the device channel of each of ``count`` channels from ``first`` on; -1: none."""

DEVICE_RING = 8192
"""Frames; more than any block."""
FILL_S = 1.0
"""A program waits so long for its files; then it is played all the same, and what is missing is counted."""
TAKE_RING = 1 << 17
"""What a recorder's file may lag behind."""


class Tapes(Protocol):
    """Where players get their files from (``host.disk.reader.Reader``)."""

    def tape(self, key: str, request: FileRequest, channels: int, start: int, *, limit_s: float) -> Any:
        """The tape of a player, whose ``words`` the callback reads; ``ready`` is set when it may be played. Waits for
        that no longer than ``limit_s``.
        """
        ...

    def keep_only(self, keys: Any) -> None:
        """Close all others."""
        ...


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where what leaves the patch can be read: frame f of the clock at ``ring[f & mask]``, ``arrival`` frames late."""

    id: str
    ring: Frames
    header: Words
    arrival: int
    labels: tuple[str, ...]
    request: FileRequest | None
    """For a recorder: what to write."""


def by_clock(schedule: Schedule) -> Schedule:
    """What leaves the patch is written by the clock, as it is heard. By the timeline it would have a hole, or be
    written twice, where an edit changes how late it is.
    """
    return replace(schedule, nodes=tuple(replace(n, arrival=0) if leaves(n.kind) else n for n in schedule.nodes))


def serve(
    program: Program,
    arena: Arena,
    route: Route,
    tapes: Tapes,
    *,
    arrivals: Mapping[str, int],
    place: int,
    replay_frames: int,
    wait: int = -1,
) -> tuple[Playable, list[Outlet]]:
    """Give each stream of a program its ring, and say where device channels, tapes and takes are.

    ``arrivals``: how late each node is, by key; ``place``: where the transport is, for players that begin;
    ``replay_frames``: how much of each output is kept.
    """
    sources: list[Port] = []
    sinks: list[Port] = []
    players: list[Port] = []
    takes: list[Port] = []
    filling: list[Any] = []
    outlets: list[Outlet] = []
    for key, stream in program.streams.items():
        node, header = stream.node, stream.header
        request = node.kind.file(node.config) if stream.serves == "file" else None
        if stream.serves == "file" and stream.flow == "in":
            words = None
            if request is not None:
                tape = tapes.tape(key, request, stream.channels, place, limit_s=0.0)
                words = tape.words
                if not tape.ready.is_set():
                    filling.append(tape)
            header[STREAM_CHANNELS] = stream.channels
            players.append(Port(header, node.arrival, stream.channels, words))
            continue
        frames = DEVICE_RING if stream.flow == "in" else TAKE_RING if stream.serves == "file" else replay_frames
        ring = _ring(arena, program, key, stream, frames)
        port = Port(header, node.arrival, stream.channels, None)
        if stream.serves == "device":
            channels = route(stream.flow, int(node.config.settings["channel"]), stream.channels)
            port.places = aligned((stream.channels,), "i8")
            port.places[:] = channels
        if stream.flow == "in":
            sources.append(port)
            continue
        (sinks if stream.serves == "device" else takes).append(port)
        layout = next(node.config.layouts[p.name] for p in node.kind.ports(node.config.settings) if p.flow == "in")
        outlets.append(Outlet(node.id, ring, header, arrivals[key], labels_of(layout), request))
    found = playable(program, sources, sinks, players, takes, wait)
    if filling:
        end = monotonic() + FILL_S
        found.ready = lambda: monotonic() >= end or all(tape.ready.is_set() for tape in filling)
    return found, outlets


def _ring(arena: Arena, program: Program, key: str, stream: BoundStream, frames: int) -> Frames:
    count = 1 << max(0, frames - 1).bit_length()
    name = ("ring", key)
    program.keys.add(name)
    ring = arena.array(name, (count, stream.channels), "f4")
    stream.header[[STREAM_DATA, STREAM_MASK, STREAM_CHANNELS]] = ring.ctypes.data, count - 1, stream.channels
    program.keep.append(ring)
    return ring
