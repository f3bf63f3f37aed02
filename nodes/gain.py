"""Gain."""

from __future__ import annotations

from graph.spec import LANES, AudioIn, AudioOut, Level, Node, Scratch, Switch, kernel
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

    gain = Scratch((LANES,), "f4")

    @kernel
    def process(signal, out, level, mute, invert, gain, n):
        steady = min(n, level.until(0), mute.until(0), invert.until(0))
        for lane in range(out.lanes):
            gain[lane] = level[0, lane] * (1 - mute[0, lane]) * (1 - 2 * invert[0, lane])
        for i in range(steady):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * gain[lane]
        for i in range(steady, n):
            for lane in range(out.lanes):
                factor = f32(level[i, lane] * (1 - mute[i, lane]) * (1 - 2 * invert[i, lane]))
                out[i, lane] = signal[i, lane] * factor
