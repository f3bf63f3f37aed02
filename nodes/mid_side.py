"""Mid and side."""

from __future__ import annotations

from graph.spec import AudioIn, AudioOut, ChoiceSetting, Node, Scratch, kernel

MODES = ("encode", "decode")
ENCODE = 1


class MidSide(Node):
    """Turn left and right into mid and side, or back.

    ``encode``: M = (L + R)/2 and S = (L − R)/2, in the places of L and R; ``decode``: L = M + S and R = M − S.
    """

    kind = "mid_side"
    family = "space"
    wide = True
    accumulates = True

    signal = AudioIn("in", "stereo")
    out = AudioOut("out", "stereo")
    mode = ChoiceSetting("mode", MODES, doc="To mid and side, or from there.")
    number = Scratch(lambda config: (1 + MODES.index(config.settings["mode"]),))

    @kernel
    def process(signal, out, number, n):
        scale = 0.5 if number.shape[0] == ENCODE else 1.0
        for i in range(n):
            for g in range(out.groups):
                x, y = 1.0 * signal[i, 2 * g], 1.0 * signal[i, 2 * g + 1]
                out[i, 2 * g] = (x + y) * scale
                out[i, 2 * g + 1] = (x - y) * scale
