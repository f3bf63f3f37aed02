"""Macro."""

from __future__ import annotations

import math

from graph.spec import Config, ControlOut, Node, Param, Scratch, Setting, kernel


class Macro(Node):
    """One knob that moves many params: plug it into each, with an amount of its own."""

    kind = "macro"
    family = "control"

    out = ControlOut("out")
    bipolar = Setting("bipolar", False, "switch", "From -1 to 1, else from 0 to 1.")
    value = Param("value", 0.0, doc="Where the knob stands.")
    number = Scratch(lambda config: (1 + config.settings["bipolar"],))

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @kernel
    def process(out, value, number, n):
        for i in range(n):
            y = value[i, 0]
            if number.shape[0] == 2:
                y = 2.0 * y - 1.0
            out[i, 0] = y
