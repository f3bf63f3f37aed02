"""Noise."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import AudioOut, ChoiceSetting, Config, Level, Memory, Node, Scratch, Services, Setting, kernel
from nodes.dsp import pinking
from nodes.dsp.chance import base_of, chance, chances
from nodes.dsp.machine import fma

COLORS = ("white", "pink")
WHITE = 1
SQRT_3 = 1.7320508075688772


class Noise(Node):
    """Play noise: white (uniformly distributed) or pink (−3 dB per octave from 20 Hz on).

    The level is RMS. The samples follow from the seed and their place on the timeline: two nodes with one seed play
    the same noise.
    """

    kind = "noise"
    family = "input"
    accumulates = True

    out = AudioOut("out", "mono")
    color = ChoiceSetting("color", COLORS, doc="Spectrum of the noise.")
    seed = Setting("seed", 0, "integer", "Which noise it is.", low=0, high=(1 << 53) - 1)
    level = Level("level_db", -12.0, doc="RMS level.")
    number = Scratch(lambda config: (1 + COLORS.index(config.settings["color"]),))
    base = Memory(1, "i8")
    poles = Memory(2, "f8")

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """Where the sequence starts; poles, weights and states of the filter, as after the second before zero."""
        base = base_of(config.settings["seed"])
        if config.settings["color"] == "white":
            return {"base": np.array([base]), "poles": np.zeros((3, pinking.POLES))}
        poles, weights = pinking.design(config.rate)
        before = chances(base, -round(config.rate), round(config.rate))
        states = [pinking.sounded(before, pole) for pole in poles]
        return {"base": np.array([base]), "poles": np.array([poles, weights, states])}

    @kernel
    def process(out, level, number, base, poles, time, n):
        for i in range(n):
            x = chance(base[0], time + i)
            if number.shape[0] != WHITE:
                y = 0.0
                for k in range(poles.shape[1]):
                    poles[2, k] = fma(poles[0, k], poles[2, k], x)
                    y = fma(poles[1, k], poles[2, k], y)
                x = y
            out[i, 0] = x * SQRT_3 * level[i, 0]
