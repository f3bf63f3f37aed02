"""Low-frequency oscillator."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import (
    ChoiceSetting,
    Config,
    ControlOut,
    Memory,
    Node,
    Param,
    Scratch,
    Services,
    Setting,
    State,
    kernel,
)
from nodes.dsp.chance import base_of, chance
from nodes.dsp.precise import precise
from nodes.dsp.synced import rate_key, stored_rate
from nodes.dsp.turns import part_of_turn, sine_of_turns, steer, turn_at, whole_turns_at
from nodes.dsp.waves import saw, square, triangle

WAVES = ("sine", "triangle", "saw", "square", "sample_hold")
SINE, TRIANGLE, SAW, SQUARE = 1, 2, 3, 4


class Lfo(Node):
    """Move params periodically.

    A sine is sin 2π(rate · t + phase) at the timeline's t, while the rate stands still; when it moves, the phase goes
    on from where it is. Sine and triangle start at zero going up, the saw rises from −1 to 1, the square starts with
    its upper half, ``sample_hold`` takes a random value at each turn. With ``sync`` the rate counts turns per beat of
    the patch's tempo. ``depth`` scales the wave; without ``bipolar`` it lies between 0 and the depth.
    """

    kind = "lfo"
    family = "control"

    out = ControlOut("out")
    wave = ChoiceSetting("wave", WAVES, doc="Shape of the wave.")
    bipolar = Setting("bipolar", True, "switch", "From -1 to 1, else from 0 to 1.")
    sync = Setting("sync", False, "switch", "Count turns per beat instead of per second.")
    seed = Setting("seed", 0, "integer", "Which random values sample_hold takes.", low=0, high=(1 << 53) - 1)
    frequency = Param("rate_hz", 1.0, 0.01, 100.0, "Hz", "log", "Turns per second, or per beat.")
    phase = Param("phase", 0.0, doc="Where in its turn the wave starts.")
    depth = Param("depth", 1.0, doc="How far the wave goes.")
    number = Scratch(lambda config: (1 + WAVES.index(config.settings["wave"]), 1 + config.settings["bipolar"]))
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
        """The rate as it was typed, seconds or beats in a second, and where the random values come from."""
        return {
            "stored": stored_rate(config),
            "base": np.array([base_of(config.settings["seed"])]),
        }

    @kernel
    def process(out, frequency, phase, depth, number, stored, base, turning, rate, time, n):
        i = 0
        while i < n:
            end = min(n, frequency.until(i))
            steer(turning, precise(frequency[i, 0], stored[0]) * stored[1], float(time + i), rate)
            for j in range(i, end):
                turn = turn_at(turning, float(time + j), rate) + phase[j, 0]
                if number.shape[0] == SINE:
                    y = sine_of_turns(turn)
                elif number.shape[0] == TRIANGLE:
                    y = triangle(part_of_turn(turn))
                elif number.shape[0] == SAW:
                    y = saw(part_of_turn(turn))
                elif number.shape[0] == SQUARE:
                    y = square(part_of_turn(turn))
                else:
                    part = part_of_turn(turn) - phase[j, 0]
                    y = chance(base[0], int(whole_turns_at(turning, float(time + j), rate, part)))
                if number.shape[1] == 1:
                    y = 0.5 + 0.5 * y
                out[j, 0] = y * depth[j, 0]
            i = end
