"""Bus."""

from __future__ import annotations

from graph.spec import (
    LANES,
    AudioIn,
    AudioOut,
    Config,
    LayoutSetting,
    Level,
    Node,
    Param,
    PatchError,
    Scratch,
    Switch,
    kernel,
)
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
    balance = Scratch((LANES,))
    gain = Scratch((LANES,))

    @classmethod
    def check(cls, config: Config) -> None:
        """Only stereo can be panned."""
        layout = config.layouts.get("in", "stereo")
        if layout != "stereo" and (config.params["pan"] != 0 or "pan" in config.driven):
            raise PatchError(f"only a stereo bus can be panned, and this one is {layout}", place="params.pan")

    @kernel
    def process(signal, out, pre, level, pan, mute, balance, gain, n):
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
