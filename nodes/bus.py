"""Bus."""

from __future__ import annotations

from graph.spec import (
    LANES,
    TICK,
    WATCHED,
    AudioIn,
    AudioOut,
    Config,
    LayoutSetting,
    Level,
    Node,
    Param,
    PatchError,
    Reading,
    Scratch,
    Switch,
    kernel,
)
from nodes.dsp.levels import PARTS, crests, fall
from nodes.dsp.machine import f32
from nodes.dsp.panning import left_balance, right_balance


class Bus(Node):
    """Sum signals under one fader.

    ``pre`` is the sum before fader, pan and mute. The pan is a balance: with θ = (pan + 1)·π/4, left gets √2·cos θ and
    right √2·sin θ. Only a stereo bus can be panned.
    """

    kind = "bus"
    family = "mix"
    bypassable = True
    wide = True

    signal = AudioIn("in", "=layout")
    out = AudioOut("out", "=layout")
    pre = AudioOut("pre", "=layout", doc="The sum before fader, pan and mute.")
    layout = LayoutSetting("layout", "auto", "Channel layout; auto takes that of the widest cable.", auto=True)
    level = Level("level_db", 0.0, doc="Fader.")
    pan = Param("pan", 0.0, -1.0, 1.0, doc="Balance between left and right, of a stereo bus.")
    mute = Switch("mute", doc="Silence the output.")
    peak = Reading(doc="Highest absolute sample of the output, falling by 20 dB in 1.7 s.", watched=True)
    balance = Scratch((LANES,))
    gain = Scratch((LANES,))
    high = Scratch((PARTS, LANES), "f4")

    @classmethod
    def check(cls, config: Config) -> None:
        """Only stereo can be panned."""
        layout = config.layouts.get("in", "stereo")
        if layout != "stereo" and (config.params["pan"] != 0 or "pan" in config.driven):
            raise PatchError(f"only a stereo bus can be panned, and this one is {layout}", place="params.pan")

    @kernel
    def process(signal, out, pre, level, pan, mute, peak, balance, gain, high, rate, n):
        i = 0
        while i < n:
            end = min(n, pan.until(i))
            steady = min(end, level.until(i), mute.until(i))
            for lane in range(out.lanes):
                balance[lane] = 1.0
                if out.channels == 2:
                    p = float(pan[i, lane])
                    balance[lane] = right_balance(p) if lane & 1 else left_balance(p)
                gain[lane] = level[i, lane] * (1 - mute[i, lane]) * balance[lane]
            for j in range(i, steady):
                for lane in range(out.lanes):
                    pre[j, lane] = signal[j, lane]
                    out[j, lane] = signal[j, lane] * gain[lane]
            for j in range(steady, end):
                for lane in range(out.lanes):
                    pre[j, lane] = signal[j, lane]
                    out[j, lane] = signal[j, lane] * (level[j, lane] * (1 - mute[j, lane]) * balance[lane])
            i = end
        if peak[0] != 0.0:
            # An output cannot be read: its peak is that of the input, with the greater gain of the call's ends.
            kept = f32(fall(TICK, rate))
            for lane in range(out.lanes):
                gain[lane] = max(gain[lane], f32(level[n - 1, lane] * (1 - mute[n - 1, lane]) * balance[lane]))
            for start in range(0, n, TICK):
                crests(start, signal, out.lanes, high)
                for lane in range(out.lanes):
                    peak[lane] = max(peak[lane] * kept, high[0, lane] * gain[lane], f32(WATCHED))
