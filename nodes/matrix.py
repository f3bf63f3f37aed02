"""Matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.layouts import labels_of
from graph.spec import AudioIn, AudioOut, LayoutSetting, Node, Param, Params, kernel
from nodes.dsp.machine import fma


def _gains(settings: Mapping[str, Any]) -> list[Param]:
    """A gain for each pair of channels, row by row of the matrix."""
    return [
        Param(f"g_{out}_{into}", 0.0, -16.0, 16.0, doc=f"Linear gain from {into} to {out}.")
        for out in labels_of(settings["out_layout"])
        for into in labels_of(settings["in_layout"])
    ]


class Matrix(Node):
    """Mix every channel into every other with gains of one's own: ``g_L_R`` is what of R goes to L."""

    kind = "matrix"
    family = "space"
    accumulates = True

    signal = AudioIn("in", "=in_layout")
    out = AudioOut("out", "=out_layout")
    in_layout = LayoutSetting("in_layout", "stereo", "Layout of the input.")
    out_layout = LayoutSetting("out_layout", "stereo", "Layout of the output.")
    gains = Params(_gains)

    @kernel
    def process(signal, out, gains, n):
        for i in range(n):
            for lane in range(out.lanes):
                total = 0.0
                for k in range(signal.lanes):
                    total = fma(gains[i, lane * signal.lanes + k, 0], signal[i, k], total)
                out[i, lane] = total
