"""Gain."""

from __future__ import annotations

from graph.spec import AudioIn, AudioOut, Level, Node, Switch, kernel
from nodes.dsp.machine import f32


class Gain(Node):
    """Scale a signal by a level in decibels."""

    kind = "gain"
    family = "mix"
    bypassable = True
    wide = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    level = Level("level_db", 0.0, doc="Level applied to the signal.")
    mute = Switch("mute", doc="Silence the output.")
    invert = Switch("invert", doc="Turn the polarity round.")

    @kernel
    def process(signal, out, level, mute, invert, n):
        for i in range(n):
            for lane in range(out.lanes):
                gain = f32(level[i, lane] * (1 - mute[i, lane]) * (1 - 2 * invert[i, lane]))
                out[i, lane] = signal[i, lane] * gain
