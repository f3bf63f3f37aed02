"""Width."""

from __future__ import annotations

from graph.spec import AudioIn, AudioOut, Node, Param, kernel


class Width(Node):
    """Make a stereo signal narrower or wider.

    With M = (L + R)/2 and S = (L − R)/2, left is M + width · S and right M − width · S: 0 is mono, 1 changes nothing.
    """

    kind = "width"
    family = "space"
    bypassable = True
    wide = True
    accumulates = True

    signal = AudioIn("in", "stereo")
    out = AudioOut("out", "stereo")
    width = Param("width", 1.0, 0.0, 2.0, doc="Gain of the difference between the sides.")

    @kernel
    def process(signal, out, width, n):
        for i in range(n):
            for g in range(out.groups):
                x, y = 1.0 * signal[i, 2 * g], 1.0 * signal[i, 2 * g + 1]
                more = (width[i, 2 * g] - 1.0) * 0.5 * (x - y)
                out[i, 2 * g] = x + more
                out[i, 2 * g + 1] = y - more
