"""Steps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import Config, ControlOut, Memory, Node, Param, Params, Scratch, Services, Setting, State, kernel
from nodes.dsp.precise import precise
from nodes.dsp.synced import rate_key, stored_rate
from nodes.dsp.turns import part_of_turn, steer, turn_at, whole_turns_at

MOST = 32


class Steps(Node):
    """Move params step by step, in a row of values that is played round and round from the timeline's zero.

    ``rate_hz`` counts steps in a second, or with ``sync`` in a beat of the patch's tempo. ``glide`` is the share of a
    step in which it goes over, in a straight line, from the value before.
    """

    kind = "steps"
    family = "control"

    out = ControlOut("out")
    count = Setting("steps", 8, "integer", "Steps in the row.", low=1, high=MOST)
    bipolar = Setting("bipolar", False, "switch", "From -1 to 1, else from 0 to 1.")
    sync = Setting("sync", False, "switch", "Count steps per beat instead of per second.")
    frequency = Param("rate_hz", 4.0, 0.01, 100.0, "Hz", "log", "Steps per second, or per beat.")
    glide = Param("glide", 0.0, doc="From a step to a line that takes the whole step.")
    values = Params(
        lambda settings: tuple(
            Param(f"step_{k + 1}", 0.0, doc=f"Value of step {k + 1}.") for k in range(settings["steps"])
        )
    )
    number = Scratch(lambda config: (1 + config.settings["bipolar"],))
    stored = Memory(1, "f8")
    turning = State((4,))

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored rate, and the tempo if it counts."""
        return rate_key(config)

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The rate as it was typed, and seconds or beats in a second."""
        return {"stored": stored_rate(config)}

    @kernel
    def process(out, frequency, glide, values, number, stored, turning, rate, time, n):
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]) * stored[1], float(time + i), rate)
            for j in range(i, end):
                frame = float(time + j)
                part = part_of_turn(turn_at(turning, frame, rate))
                k = int(whole_turns_at(turning, frame, rate, part)) % values.count
                y = float(values[j, k, 0])
                share = float(glide[j, 0])
                if part < share:
                    before = float(values[j, (k + values.count - 1) % values.count, 0])
                    y = before + (y - before) * (part / share)
                if number.shape[0] == 2:
                    y = 2.0 * y - 1.0
                out[j, 0] = y
            i = end
