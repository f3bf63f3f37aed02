"""Send."""

from __future__ import annotations

from graph.spec import LANES, AudioIn, AudioOut, Level, Node, Scratch, Switch, kernel
from nodes.dsp.machine import f32


class Send(Node):
    """Tap a signal with a level, to feed a bus or an effect beside the main path."""

    kind = "send"
    family = "mix"
    wide = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    level = Level("level_db", -12.0, doc="Level sent.")
    mute = Switch("mute", doc="Send nothing.")

    gain = Scratch((LANES,), "f4")

    @kernel
    def process(signal, out, level, mute, gain, n):
        steady = min(n, level.until(0), mute.until(0))
        for lane in range(out.lanes):
            gain[lane] = level[0, lane] * (1 - mute[0, lane])
        for i in range(steady):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * gain[lane]
        for i in range(steady, n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * f32(level[i, lane] * (1 - mute[i, lane]))
