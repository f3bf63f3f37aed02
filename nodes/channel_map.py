"""Channel map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.layouts import LAYOUTS, labels_of
from graph.spec import (
    AudioIn,
    AudioOut,
    Config,
    LayoutSetting,
    Memory,
    Node,
    PatchError,
    Services,
    Setting,
    kernel,
)
from nodes.dsp.machine import f32


def _layout(config: Config) -> str:
    """The layout of the output."""
    if config.settings["layout"] != "auto":
        return str(config.settings["layout"])
    named, own = set(config.settings["map"]), config.layouts["in"]
    exact = next((name for name, labels in LAYOUTS.items() if set(labels) == named), None)
    if exact or named <= set(labels_of(own)):
        return exact or own
    for name, labels in sorted(LAYOUTS.items(), key=lambda item: len(item[1])):
        if named <= set(labels):
            return name
    raise PatchError(f"no layout has the channels {', '.join(sorted(named))}", place="settings.map")


class ChannelMap(Node):
    """Send channels to other places: ``map`` says for each output channel which input channel it gets.

    Output channels that the map does not name are silent; an empty map changes nothing. With the layout ``auto`` the
    output has the layout whose channels the map names; where there is none, the layout of the input if that has all of
    them, else the narrowest that has.
    """

    kind = "channel_map"
    family = "space"
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    map = Setting("map", {}, "map", 'Input channel by output channel, such as {"L": "R", "R": "L"}.')
    layout = LayoutSetting("layout", "auto", "Channel layout of the output; auto follows from the map.", auto=True)
    sources = Memory(1, "i8")

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """What the map or the setting says."""
        for out, into in config.settings["map"].items():
            if not isinstance(out, str) or not isinstance(into, str):
                raise PatchError(f"expected labels of channels, got {out!r}: {into!r}", place="settings.map")
        return {"out": _layout(config)}

    @classmethod
    def check(cls, config: Config) -> None:
        """Every channel that the map names must be there."""
        own = labels_of(config.layouts["in"])
        there = labels_of(config.layouts["out"])
        for out, into in config.settings["map"].items():
            place = f"settings.map.{out}"
            if out not in there:
                raise PatchError(
                    f"the output is {config.layouts['out']} and has no {out}; expected one of {', '.join(there)}",
                    place=place,
                )
            if into not in own:
                raise PatchError(
                    f"the input is {config.layouts['in']} and has no {into}; expected one of {', '.join(own)}",
                    place=place,
                )

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The input lane of each output lane, -1 for silence."""
        own = labels_of(config.layouts["in"])
        there = labels_of(config.layouts["out"])
        chosen = config.settings["map"] or {label: label for label in own}
        return {"sources": np.array([own.index(chosen[label]) if label in chosen else -1 for label in there])}

    @kernel
    def process(signal, out, sources, n):
        for i in range(n):
            for lane in range(out.lanes):
                x = signal[i, max(sources[lane], 0)]
                if sources[lane] < 0:
                    x = f32(0.0)
                out[i, lane] = x
