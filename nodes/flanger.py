"""Flanger."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import AudioIn, AudioOut, Config, Memory, Node, Param, Services, State, kernel
from nodes.dsp.lines import clean
from nodes.dsp.precise import precise
from nodes.dsp.swept import AROUND, read, swept_memory
from nodes.dsp.turns import sine_of_turns, steer, turn_at

LONGEST_MS, DEEPEST_MS = 20.0, 10.0


class Flanger(Node):
    """Sweep a comb through the spectrum: the signal beside a copy of itself whose short delay swings.

    The delay is delay + depth · sin 2π(rate · t), in every second channel ``spread`` of a turn later, and no less than
    two frames; t is the timeline's while the rate stands still. The wet signal is w(t) = x(t) delayed, plus feedback
    times w delayed as much.
    """

    kind = "flanger"
    family = "time"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    frequency = Param("rate_hz", 0.25, 0.01, 20.0, "Hz", "log", "Swings per second.")
    delay = Param("delay_ms", 2.0, 0.05, LONGEST_MS, "ms", "log", "Delay around which it swings.")
    depth = Param("depth_ms", 1.5, 0.0, DEEPEST_MS, "ms", doc="How far it swings to either side.")
    feedback = Param("feedback", 0.3, -0.9, 0.9, doc="How much of the copy is copied again.")
    spread = Param("spread", 0.0, doc="How much later every second channel swings, in turns.")
    mix = Param("mix", 0.5, doc="0 is dry, 1 is the copy alone.")
    stored = Memory(1, "f8")
    line = Memory(2)
    turning = State((4,))
    place = State((1,), "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        def most(param: Param) -> float:
            return param.high if param.name in config.driven else abs(config.params[param.name])

        longest = (most(cls.delay) + most(cls.depth)) / 1000 + AROUND / config.rate
        # A cubic may gain a fifth on its way between frames.
        loudest = min(most(cls.feedback) * 1.05, 0.96)
        repeats = 1 if loudest < 1e-6 else 1 + math.ceil(math.log(1e-7) / math.log(loudest))
        return repeats * longest

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored rate."""
        return config.params["rate_hz"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The rate as it was typed, and the delay line."""
        return swept_memory(config, LONGEST_MS + DEEPEST_MS)

    @kernel
    def process(
        signal, out, frequency, delay, depth, feedback, spread, mix, stored, line, turning, place, rate, time, n
    ):
        mask = line.shape[0] - 1
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]), float(time + i), rate)
            for j in range(i, end):
                at = place[0]
                turn = turn_at(turning, float(time + j), rate)
                middle, swing = delay[j, 0] * rate * 0.001, depth[j, 0] * rate * 0.001
                share = 1.0 * mix[j, 0]
                for lane in range(out.lanes):
                    x = clean(signal[j, lane])
                    own = turn - (lane & 1) * spread[j, 0]
                    # With two frames at least, nothing is read that is only now written.
                    wet = read(line, at, middle + swing * sine_of_turns(own), lane)
                    line[at & mask, lane] = clean(x + feedback[j, 0] * wet)
                    out[j, lane] = x + share * (wet - x)
                place[0] = at + 1
            i = end
