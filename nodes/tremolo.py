"""Tremolo."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import AudioIn, AudioOut, ChoiceSetting, Config, Memory, Node, Param, Scratch, Services, State, kernel
from nodes.dsp.precise import precise
from nodes.dsp.turns import part_of_turn, sine_of_turns, steer, turn_at
from nodes.dsp.waves import triangle

WAVES = ("sine", "triangle")
SINE = 1


class Tremolo(Node):
    """Let the level of a signal swing.

    The gain goes from 1 down to 1 − depth and back, along 1 − depth · (½ − ½·cos 2π(rate · t + phase)) or a triangle
    between the same ends; t is the timeline's while the rate stands still. ``spread`` puts every second channel so much
    of a turn behind: ½ lets a stereo signal swing from side to side.
    """

    kind = "tremolo"
    family = "mix"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    wave = ChoiceSetting("wave", WAVES, doc="Shape of the swing.")
    frequency = Param("rate_hz", 5.0, 0.01, 100.0, "Hz", "log", "Swings per second.")
    depth = Param("depth", 0.5, doc="How far the level goes down; 1 is to silence.")
    phase = Param("phase", 0.0, doc="Where in its turn the swing starts.")
    spread = Param("spread", 0.0, doc="How far every second channel is behind, in turns.")
    number = Scratch(lambda config: (1 + WAVES.index(config.settings["wave"]),))
    stored = Memory(1, "f8")
    turning = State((4,))

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored rate."""
        return config.params["rate_hz"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The rate as it was typed."""
        return {"stored": np.array([config.params["rate_hz"]])}

    @kernel
    def process(signal, out, frequency, depth, phase, spread, number, stored, turning, rate, time, n):
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]), float(time + i), rate)
            for j in range(i, end):
                turn = turn_at(turning, float(time + j), rate) + phase[j, 0]
                for lane in range(out.lanes):
                    # A quarter on, a sine is a cosine, and a triangle is at its top.
                    own = turn + 0.25 - (lane & 1) * spread[j, 0]
                    y = sine_of_turns(own) if number.shape[0] == SINE else triangle(part_of_turn(own))
                    out[j, lane] = signal[j, lane] * (1.0 - depth[j, 0] * (0.5 - 0.5 * y))
            i = end
