"""Phaser."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import LANES, AudioIn, AudioOut, Config, Memory, Node, Param, Services, Setting, State, helper, kernel
from nodes.dsp.exponentials import exp2
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma, select
from nodes.dsp.precise import precise
from nodes.dsp.turns import sine_of_turns, steer, turn_at

LOWEST_HZ, HIGHEST = 10.0, 0.45
"""Where the sweep ends, however deep it is: in Hz, and in parts of the sample rate."""


@helper
def turned(frequency, rate):
    """The k of an allpass (k + 1/z) / (1 + k/z) that turns this frequency by a quarter."""
    t = math.tan(math.pi * min(max(frequency / rate, LOWEST_HZ / rate), HIGHEST))
    return (t - 1.0) / (t + 1.0)


class Phaser(Node):
    """Sweep notches through the spectrum: the signal beside a copy of itself whose phase is turned.

    The copy goes through ``stages`` allpasses of first order, each of which turns by a quarter at the frequency
    freq · 2^(depth · sin 2π(rate · t)), in every second channel ``spread`` of a turn later; with feedback it goes round
    them without delay. Half of each gives a notch for every two stages. The allpasses are normalised lattices (A. H.
    Gray and J. D. Markel, "A normalized digital filter structure", IEEE Trans. ASSP 23(3), 1975): rotations, which keep
    the energy of what they hold however fast they are swept.
    """

    kind = "phaser"
    family = "time"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    stages = Setting("stages", 6, "integer", "How many allpasses there are: twice the notches.", low=2, high=24)
    frequency = Param("rate_hz", 0.3, 0.01, 20.0, "Hz", "log", "Swings per second.")
    center = Param("freq_hz", 800.0, 20.0, 16000.0, "Hz", "log", "Frequency around which it swings.")
    depth = Param("depth_octaves", 1.5, 0.0, 4.0, "octaves", doc="How far it swings to either side.")
    feedback = Param("feedback", 0.3, -0.9, 0.9, doc="How much of the copy goes round again.")
    spread = Param("spread", 0.0, doc="How much later every second channel swings, in turns.")
    mix = Param("mix", 0.5, doc="0 is dry, 1 is the copy alone.")
    stored = Memory(1, "f8")
    turning = State((4,))
    held = State(lambda config: (config.settings["stages"], LANES))

    @classmethod
    def tail(cls, config: Config) -> float:
        """So many times round as it takes to fade, at the longest delay that the stages have (at zero, where they are
        tuned lowest, or at half the sample rate, where highest); and what the stages ring by themselves.
        """

        def ends(param: Param) -> tuple[float, float]:
            value = config.params[param.name]
            return (param.low, param.high) if param.name in config.driven else (value, value)

        (lowest, highest), (_, deepest) = ends(cls.center), ends(cls.depth)
        low = min(max(lowest * 2.0**-deepest, LOWEST_HZ) / config.rate, HIGHEST)
        high = min(highest * 2.0**deepest / config.rate, HIGHEST)
        frames = max(1.0 / math.tan(math.pi * low), math.tan(math.pi * high), 1.0)
        loudest = max(max(map(abs, ends(cls.feedback))), 1e-3)
        return frames * (config.settings["stages"] * (2.0 - math.log(1e7) / math.log(loudest)) + 10.0) / config.rate

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored rate."""
        return config.params["rate_hz"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The rate as it was typed."""
        return {"stored": np.array([config.params["rate_hz"]])}

    @kernel
    def process(signal, out, frequency, center, depth, feedback, spread, mix, stored, turning, held, rate, time, n):
        stages = held.shape[0]
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]), float(time + i), rate)
            for j in range(i, end):
                turn = turn_at(turning, float(time + j), rate)
                around, swing, again = float(center[j, 0]), float(depth[j, 0]), float(feedback[j, 0])
                share = 1.0 * mix[j, 0]
                k = turned(around * exp2(swing * sine_of_turns(turn)), rate)
                other = k
                if out.lanes > 1 and spread[j, 0] != 0.0:
                    other = turned(around * exp2(swing * sine_of_turns(turn - spread[j, 0])), rate)
                for lane in range(out.lanes):
                    c = other if lane & 1 else k
                    s = math.sqrt(1.0 - c * c)
                    x = clean(signal[j, lane])
                    # What the stages give is what they hold, and the input times all of their c: so the loop is solved.
                    y, through = 0.0, 1.0
                    for stage in range(stages):
                        y = fma(c, y, s * held[stage, lane])
                        through *= c
                    u = fma(again, y, 1.0 * x) / (1.0 - again * through)
                    for stage in range(stages):
                        z = held[stage, lane]
                        held[stage, lane] = fma(s, u, -(c * z))
                        u = fma(c, u, s * z)
                    out[j, lane] = x + share * (u - x)
            i = end
        for stage in range(stages):
            for lane in range(out.lanes):
                # What is beyond all numbers must not stay.
                held[stage, lane] = select(abs(held[stage, lane]) < 1e300, held[stage, lane], 0.0)
