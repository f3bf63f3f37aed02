"""Random."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import Config, ControlOut, Memory, Node, Param, Scratch, Services, Setting, State, kernel
from nodes.dsp.chance import base_of, chance
from nodes.dsp.precise import precise
from nodes.dsp.synced import rate_key, stored_rate
from nodes.dsp.turns import part_of_turn, steer, turn_at, whole_turns_at


class Random(Node):
    """Move params by chance: a new value at every turn, the same ones each time it is played.

    ``smooth`` is the share of a turn in which it goes over from the value before, along 3u² − 2u³. With ``sync`` the
    rate counts turns per beat of the patch's tempo. Another ``seed`` gives other values.
    """

    kind = "random"
    family = "control"

    out = ControlOut("out")
    bipolar = Setting("bipolar", False, "switch", "From -1 to 1, else from 0 to 1.")
    sync = Setting("sync", False, "switch", "Count turns per beat instead of per second.")
    seed = Setting("seed", 0, "integer", "Which values there are.", low=0, high=(1 << 53) - 1)
    frequency = Param("rate_hz", 1.0, 0.01, 100.0, "Hz", "log", "Turns per second, or per beat.")
    smooth = Param("smooth", 0.0, doc="From a step to a glide that takes the whole turn.")
    number = Scratch(lambda config: (1 + config.settings["bipolar"],))
    stored = Memory(1, "f8")
    base = Memory(1, "i8")
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
        """The rate as it was typed, seconds or beats in a second, and where the values come from."""
        return {
            "stored": stored_rate(config),
            "base": np.array([base_of(config.settings["seed"])]),
        }

    @kernel
    def process(out, frequency, smooth, number, stored, base, turning, rate, time, n):
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]) * stored[1], float(time + i), rate)
            for j in range(i, end):
                frame = float(time + j)
                part = part_of_turn(turn_at(turning, frame, rate))
                k = int(whole_turns_at(turning, frame, rate, part))
                before, y = chance(base[0], k - 1), chance(base[0], k)
                share = float(smooth[j, 0])
                if part < share:
                    u = part / share
                    y = before + (y - before) * u * u * (3.0 - 2.0 * u)
                if number.shape[0] == 1:
                    y = 0.5 + 0.5 * y
                out[j, 0] = y
            i = end
