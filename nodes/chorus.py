"""Chorus."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import AudioIn, AudioOut, Config, Memory, Node, Param, Scratch, Services, Setting, State, kernel
from nodes.dsp.lines import clean
from nodes.dsp.precise import precise
from nodes.dsp.swept import AROUND, read, swept_memory
from nodes.dsp.turns import sine_of_turns, steer, turn_at

LONGEST_MS, DEEPEST_MS = 50.0, 20.0


class Chorus(Node):
    """Make one voice many: copies of the signal whose delays swing, and with them their pitch.

    Voice k of n is delayed by delay + depth · sin 2π(rate · t + k/n), in every second channel ``spread`` of a turn
    later; t is the timeline's while the rate stands still. The wet signal is the sum of the voices by √n.
    """

    kind = "chorus"
    family = "time"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    voices = Setting("voices", 3, "integer", "How many copies there are.", low=1, high=8)
    frequency = Param("rate_hz", 0.8, 0.01, 20.0, "Hz", "log", "Swings per second.")
    delay = Param("delay_ms", 15.0, 1.0, LONGEST_MS, "ms", doc="Delay around which they swing.")
    depth = Param("depth_ms", 2.0, 0.0, DEEPEST_MS, "ms", doc="How far they swing to either side.")
    spread = Param("spread", 0.25, doc="How much later every second channel swings, in turns.")
    mix = Param("mix", 0.5, doc="0 is dry, 1 is the copies alone.")
    count = Scratch(lambda config: (config.settings["voices"],))
    stored = Memory(1, "f8")
    line = Memory(2)
    turning = State((4,))
    place = State((1,), "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        def most(param: Param) -> float:
            return param.high if param.name in config.driven else config.params[param.name]

        return (most(cls.delay) + most(cls.depth)) / 1000 + AROUND / config.rate

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored rate."""
        return config.params["rate_hz"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The rate as it was typed, and the delay line."""
        return swept_memory(config, LONGEST_MS + DEEPEST_MS)

    @kernel
    def process(signal, out, frequency, delay, depth, spread, mix, count, stored, line, turning, place, rate, time, n):
        voices = count.shape[0]
        scale = voices**-0.5
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
                    line[at & mask, lane] = x
                    own = turn - (lane & 1) * spread[j, 0]
                    wet = 0.0
                    for k in range(voices):
                        wet += read(line, at, middle + swing * sine_of_turns(own + k / voices), lane)
                    out[j, lane] = x + share * (wet * scale - x)
                place[0] = at + 1
            i = end
