"""Switch."""

from __future__ import annotations

from collections.abc import Mapping

from graph.spec import TICK, AudioIn, AudioOut, Config, Node, State, Switch, kernel
from nodes.dsp.dynamics import FOREVER
from nodes.dsp.pairs import common_layout, lane_of

FADE = 8 * TICK
"""Frames from one input to the other."""


class InputSwitch(Node):
    """Choose between two signals: ``a``, or with ``select`` ``b``.

    However suddenly the selection changes, the sound goes over linearly within 8 ticks (11 ms at 48 kHz), so that
    nothing clicks; what is not selected is not heard at all.
    """

    kind = "switch"
    family = "mix"
    accumulates = True

    a = AudioIn("a", "any", doc="What is heard.")
    b = AudioIn("b", "any", doc="What is heard instead once it is selected.")
    out = AudioOut("out")
    select = Switch("select", doc="Choose b instead of a.")
    place = State((1,), init=-1.0)

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """That of both inputs."""
        return {"out": common_layout(config, "a", "b")}

    @kernel
    def process(a, b, out, select, place, n):
        if place[0] < 0.0:
            place[0] = select[0, 0]
        p = place[0]
        if select.until(0) > FOREVER and p == select[0, 0] and (p == 0.0 or p == 1.0):
            for i in range(n):
                for lane in range(out.lanes):
                    out[i, lane] = b[i, lane_of(b, lane)] if p == 1.0 else a[i, lane_of(a, lane)]
        else:
            for i in range(n):
                p += min(max(select[i, 0] - p, -1.0 / FADE), 1.0 / FADE)
                for lane in range(out.lanes):
                    x, y = a[i, lane_of(a, lane)], b[i, lane_of(b, lane)]
                    if p == 0.0:
                        out[i, lane] = x
                    elif p == 1.0:
                        out[i, lane] = y
                    else:
                        out[i, lane] = x + p * (1.0 * y - x)
            place[0] = p
