"""Split."""

from __future__ import annotations

from graph.layouts import labels_of
from graph.spec import AudioIn, AudioOuts, LayoutSetting, Node, kernel


class Split(Node):
    """Take a signal apart into its channels: one mono output for each, named by its label."""

    kind = "split"
    family = "space"

    signal = AudioIn("in", "=layout")
    outs = AudioOuts(lambda settings: labels_of(settings["layout"]))
    layout = LayoutSetting("layout", "stereo", "Channel layout of the input.")

    @kernel
    def process(signal, outs, n):
        for lane in range(signal.lanes):
            for i in range(n):
                outs[lane][i, 0] = signal[i, lane]
