"""Oscillator."""

from __future__ import annotations

import math

from graph.spec import GROUPS, AudioOut, ChoiceSetting, Level, Node, Param, State, kernel


class Oscillator(Node):
    kind = "oscillator"
    out = AudioOut("out", "mono")
    freq = Param("freq_hz", 440.0, 1.0, 20000.0, "Hz", "log")
    level = Level("level_db", -12.0)
    phase = State((GROUPS,))

    @kernel
    def process(out, freq, level, phase, rate, n):
        p = phase[0]
        for i in range(n):
            out[i, 0] = math.sin(2 * math.pi * p) * level[i, 0]
            p += freq[i, 0] / rate
            p -= math.floor(p)
        phase[0] = p
