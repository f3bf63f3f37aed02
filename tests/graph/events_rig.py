"""Events in and out of a patch, as lists of (frame, packed event)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graph.compiler import compile
from graph.document import Patch
from graph.spec import (
    TICK,
    AudioIn,
    Config,
    EventsIn,
    EventsOut,
    Memory,
    Node,
    Setting,
    State,
    Stream,
    kernel,
)
from host.native.events import LOST
from host.offline import run_arrays
from host.services import FileServices
from nodes import kinds
from nodes.dsp.events import data_of, head_of

RATE = 48000
Events = list[tuple[int, int]]


def script(events: Events) -> dict[str, Any]:
    """The settings of a node that plays these."""
    return {"events": {str(k): [frame, event] for k, (frame, event) in enumerate(events)}}


class Script(Node):
    """Play the events of a setting, as far as each tick has room; what is left comes late."""

    kind = "script"
    out = EventsOut("out")
    events = Setting("events", {}, "map", "Frame and packed event, by number.")
    rows = Memory(2, "i8")
    at = State((1,), "i8")

    @classmethod
    def prepare(cls, config: Config, services: Any) -> Mapping[str, np.ndarray]:
        given = config.settings["events"]
        rows = [given[str(k)] for k in range(len(given))]
        return {"rows": np.array([*rows, [1 << 40, 0]], np.int64)}

    @kernel
    def process(out, rows, at, time, n):
        for tick in range(0, n, TICK):
            count = 0
            while count < TICK and rows[at[0], 0] < time + tick + TICK:
                frame = max(rows[at[0], 0] - time - tick, 0)
                out[tick + count, 0], out[tick + count, 1] = head_of(rows[at[0], 1], frame), data_of(rows[at[0], 1])
                at[0] += 1
                count += 1
            if count < TICK:
                out[tick + count, 0] = 0.0


class EventProbe(Node):
    """Take events out, aligned with a sound that comes beside them."""

    kind = "event_probe"
    beside = AudioIn("beside", "stereo")
    events = EventsIn("in")
    stream = Stream("out")

    @kernel
    def process(events, stream, time, n):
        for tick in range(0, n, TICK):
            ended = False
            for row in range(TICK):
                ended = ended or events[tick + row, 0] == 0.0
                stream[time + tick + row, 0] = 0.0 if ended else events[tick + row, 0]
                stream[time + tick + row, 1] = 0.0 if ended else events[tick + row, 1]


class Hold(Node):
    """Hand events on as they are."""

    kind = "hold"
    events = EventsIn("in")
    out = EventsOut("out")

    @kernel
    def process(events, out, n):
        for i in range(n):
            out[i, 0], out[i, 1] = events[i, 0], events[i, 1]


RIG: dict[str, type[Node]] = {k.kind: k for k in (Script, EventProbe, Hold)}


def registry() -> dict[str, type[Node]]:
    return {**kinds(), **RIG}


def heard(
    patch: Patch, frames: int, folder: Path | None = None, probe: str = "probe", services: Any = None, **options: Any
) -> tuple[Events, int]:
    """What a probe heard, by frame of its own time, and how many events were lost."""
    services = services or FileServices(folder or Path())
    schedule = compile(patch, registry(), services, RATE)
    arrival = schedule.node(probe).arrival
    found, program = run_arrays(schedule, services, frames, **options)
    assert program.faults == 0
    return decoded(found[probe], arrival), int(program.context[LOST])


def decoded(rows: np.ndarray, arrival: int = 0) -> Events:
    """The events of an array ``[frame, lane]`` that begins so long after the clock."""
    found: Events = []
    for at in np.flatnonzero(rows[:, 0]).tolist():
        head, data = int(rows[at, 0]), int(rows[at, 1])
        event = head >> 6 | (data & 127) << 8 | data >> 7 << 16
        found.append((at - (at + arrival) % TICK + (head & 63), event))
    return found
