"""Merge."""

from __future__ import annotations

from graph.layouts import labels_of
from graph.spec import AudioIns, AudioOut, LayoutSetting, Node, kernel


class Merge(Node):
    """Put mono signals together as the channels of one: an input for each, named by its label."""

    kind = "merge"
    family = "space"
    accumulates = True

    ins = AudioIns(lambda settings: labels_of(settings["layout"]))
    out = AudioOut("out", "=layout")
    layout = LayoutSetting("layout", "stereo", "Channel layout of the output.")

    @kernel
    def process(ins, out, n):
        for lane in range(out.lanes):
            for i in range(n):
                out[i, lane] = ins[lane][i, 0]
