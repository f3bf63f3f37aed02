"""Upmix."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.layouts import labels_of
from graph.spec import AudioIn, AudioOut, Config, LayoutSetting, Memory, Node, PatchError, Services, kernel
from nodes.dsp.machine import f32

SIDES = {"Ls": "Lss", "Rs": "Rss"}
"""Where surrounds go in layouts that have sides and rears."""


def sources(own: tuple[str, ...], there: tuple[str, ...]) -> list[int]:
    """For each channel of the output the lane of the input that it gets, −1 for silence.

    Raises PatchError where a channel has no place.
    """
    found = [-1] * len(there)
    if own == ("M",):
        places = [label for label in ("M", "C") if label in there][:1] or ["L", "R"]
        for label in places:
            found[there.index(label)] = 0
        return found
    for lane, label in enumerate(own):
        place = label if label in there else SIDES.get(label, "")
        if place not in there:
            raise PatchError(f"the output has no place for {label}; use downmix or channel_map", place="settings.to")
        found[there.index(place)] = lane
    return found


class Upmix(Node):
    """Put a signal into a wider layout, its channels in the places of their names; the other channels are silent.

    Mono goes to C where there is one, else to L and R. Where there are sides and rears, Ls and Rs go to the sides.
    """

    kind = "upmix"
    family = "space"
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out", "=to")
    to = LayoutSetting("to", "5.1", "Layout of the output.")
    places = Memory(1, "i8")

    @classmethod
    def check(cls, config: Config) -> None:
        """Every channel must have a place."""
        sources(labels_of(config.layouts["in"]), labels_of(config.settings["to"]))

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The input lane of each output lane."""
        return {"places": np.array(sources(labels_of(config.layouts["in"]), labels_of(config.settings["to"])))}

    @kernel
    def process(signal, out, places, n):
        for i in range(n):
            for lane in range(out.lanes):
                x = signal[i, max(places[lane], 0)]
                if places[lane] < 0:
                    x = f32(0.0)
                out[i, lane] = x
