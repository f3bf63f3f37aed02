"""MIDI input."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import TICK, Config, EventsOut, Memory, Node, Services, Setting, State, kernel
from nodes.dsp.arrivals import MASK, due, event_at, first_to_hear, there
from nodes.dsp.events import RELEASE, ROWS, STATUS, data_of, head_of

SEEN, BEGUN = 0, 1
"""Words of the state: how many events were taken, and whether any could have been."""


class MidiIn(Node):
    """Bring in what a MIDI device plays.

    The device is found by a part of its name; without one, all devices are heard. What is played is heard a constant
    time later, by the time it came in, so that it keeps its rhythm. A render is silent, unless a MIDI file is given for
    it.
    """

    kind = "midi_in"
    family = "input"

    out = EventsOut("out")
    device = Setting("device", "", "midi_device", "The device: its name or a part of it; empty: all devices.")
    ring = Memory(1, "i8", held=True)
    at = State((2,), "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """Where the host puts what comes in."""
        return {"ring": services.midi_input(config.id, config.settings["device"])}

    @kernel
    def process(out, ring, at, time, rate, n):
        count = there(ring)
        if not at[BEGUN]:
            at[BEGUN], at[SEEN] = 1, first_to_hear(ring, count)
        for tick in range(0, n, TICK):
            rows, frame = 0, 0
            if count - at[SEEN] > ring[MASK]:  # it was overrun, and nobody knows what was lost
                out[tick, 0], out[tick, 1] = float(STATUS * RELEASE), 0.0
                rows, at[SEEN] = 1, count
            while rows < ROWS and at[SEEN] < count:
                wanted = due(ring, at[SEEN], rate) - (time + tick)
                if wanted >= TICK:
                    break
                frame = max(frame, wanted)
                event = event_at(ring, at[SEEN])
                out[tick + rows, 0], out[tick + rows, 1] = head_of(event, frame), data_of(event)
                at[SEEN] += 1
                rows += 1
            if rows < ROWS:
                out[tick + rows, 0] = 0.0
                out[tick + rows, 1] = 0.0
