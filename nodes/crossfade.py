"""Crossfade."""

from __future__ import annotations

from collections.abc import Mapping

from graph.spec import AudioIn, AudioOut, ChoiceSetting, Config, Node, Param, Scratch, kernel
from nodes.dsp.pairs import common_layout, lane_of
from nodes.dsp.turns import quarter_sine

LAWS = ("equal_power", "linear")
EQUAL_POWER = 1


class Crossfade(Node):
    """Fade from one signal to another.

    With p the position, ``a`` gets the gain cos(p·π/2) and ``b`` sin(p·π/2) (``equal_power``), or 1 − p and p
    (``linear``).
    """

    kind = "crossfade"
    family = "mix"
    accumulates = True

    a = AudioIn("a", "any", doc="What is heard at position 0.")
    b = AudioIn("b", "any", doc="What is heard at position 1.")
    out = AudioOut("out")
    law = ChoiceSetting("law", LAWS, doc="How the gains follow from the position: equal power suits unlike signals.")
    place = Param("position", 0.0, doc="From a to b.")
    number = Scratch(lambda config: (1 + LAWS.index(config.settings["law"]),))

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """That of both inputs."""
        return {"out": common_layout(config, "a", "b")}

    @kernel
    def process(a, b, out, place, number, n):
        i = 0
        while i < n:
            end = min(n, place.until(i))
            p = float(place[i, 0])
            if number.shape[0] == EQUAL_POWER:
                first, second = quarter_sine(1.0 - p), quarter_sine(p)
            else:
                first, second = 1.0 - p, p
            for j in range(i, end):
                for lane in range(out.lanes):
                    out[j, lane] = a[j, lane_of(a, lane)] * first + b[j, lane_of(b, lane)] * second
            i = end
