"""Oscillator."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import AudioOut, ChoiceSetting, Config, Level, Memory, Node, Param, Scratch, Services, State, kernel
from nodes.dsp.precise import precise
from nodes.dsp.turns import part_of_turn, sine_of_turns, steer, turn_at
from nodes.dsp.waves import easing, rounding, saw, square, triangle

WAVES = ("sine", "triangle", "saw", "square")
SINE, TRIANGLE, SAW, SQUARE = 1, 2, 3, 4


class Oscillator(Node):
    """Play a wave: a sine, or a band-limited triangle, saw or square.

    While the frequency stands still the phase is frequency · time + phase, time being the timeline's. Sine and triangle
    start at zero going up, the saw rises from −1 to 1, the square starts with its upper half. The level is the peak of
    the wave as it is drawn; without what lies above half of the sample rate, steps overshoot by a twelfth of their
    height. Up to 0.44 of the sample rate harmonics have their full level and aliases lie 110 dB below the fundamental.
    A fundamental above half of the sample rate is silent.
    """

    kind = "oscillator"
    family = "input"
    accumulates = True

    out = AudioOut("out", "mono")
    wave = ChoiceSetting("wave", WAVES, doc="Shape of the wave.")
    freq = Param("freq_hz", 440.0, 1.0, 20000.0, "Hz", "log", "Frequency.")
    level = Level("level_db", -12.0, doc="Peak level.")
    phase = Param("phase", 0.0, doc="Where in its turn the wave starts.")
    number = Scratch(lambda config: (1 + WAVES.index(config.settings["wave"]),))
    stored = Memory(1, "f8")
    turning = State((4,))

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored frequency."""
        return config.params["freq_hz"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The stored frequency, as it was typed."""
        return {"stored": np.array([config.params["freq_hz"]])}

    @kernel
    def process(out, freq, level, phase, number, stored, turning, rate, time, n):
        i = 0
        while i < n:
            end = min(n, freq.until(i))
            f = precise(freq[i, 0], stored[0])
            steer(turning, f, float(time + i), rate)
            per_turn = rate / f
            # Silent from half of the sample rate on, and fading towards it.
            audible = min(max(50.0 * (0.5 - f / rate), 0.0), 1.0)
            for j in range(i, end):
                turn = turn_at(turning, float(time + j), rate) + phase[j, 0]
                if number.shape[0] == SINE:
                    y = sine_of_turns(turn)
                else:
                    p = part_of_turn(turn)
                    if number.shape[0] == SAW:
                        y = saw(p) - 2.0 * rounding(p, per_turn)
                    elif number.shape[0] == SQUARE:
                        y = square(p) + 2.0 * (rounding(p, per_turn) - rounding(p - 0.5, per_turn))
                    else:
                        y = triangle(p) + 8.0 / per_turn * (easing(p - 0.75, per_turn) - easing(p - 0.25, per_turn))
                out[j, 0] = y * (audible * level[j, 0])
            i = end
