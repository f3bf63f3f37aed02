"""Send."""

from __future__ import annotations

from graph.spec import LANES, TICK, WATCHED, AudioIn, AudioOut, Level, Node, Reading, Scratch, Switch, kernel
from nodes.dsp.levels import PARTS, crests, fall
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

    peak = Reading(doc="Highest absolute sample sent, falling by 20 dB in 1.7 s.", watched=True)
    gain = Scratch((LANES,), "f4")
    high = Scratch((PARTS, LANES), "f4")

    @kernel
    def process(signal, out, level, mute, peak, gain, high, rate, n):
        steady = min(n, level.until(0), mute.until(0))
        for lane in range(out.lanes):
            gain[lane] = level[0, lane] * (1 - mute[0, lane])
        for i in range(steady):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * gain[lane]
        for i in range(steady, n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * f32(level[i, lane] * (1 - mute[i, lane]))
        if peak[0] != 0.0:
            # An output cannot be read: its peak is that of the input, with the greater gain of the call's ends.
            kept = f32(fall(TICK, rate))
            for lane in range(out.lanes):
                gain[lane] = max(gain[lane], f32(level[n - 1, lane] * (1 - mute[n - 1, lane])))
            for start in range(0, n, TICK):
                crests(start, signal, out.lanes, high)
                for lane in range(out.lanes):
                    peak[lane] = max(peak[lane] * kept, high[0, lane] * gain[lane], f32(WATCHED))
