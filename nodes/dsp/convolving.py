"""What kinds that convolve with long filters have in common."""

from __future__ import annotations

from graph.spec import LANES, TICK, Memory, Node, Scratch


class Convolving(Node):
    """The memories that ``nodes.dsp.partitions.prepared`` makes and ``convolve`` works on."""

    plan = Memory(2, "i8")
    places = Memory(2, "i8")
    tables = Memory(1)
    filters = Memory(1)
    history = Memory(1)
    spectra = Memory(1)
    work = Memory(1)
    sums = Memory(1)
    done = Memory(1)
    scratch = Scratch((1024,), "f4")
    wet = Scratch((TICK, LANES), "f4")
