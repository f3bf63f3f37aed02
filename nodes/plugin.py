"""A plugin as a node."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from graph.layouts import LAYOUTS, channels_of
from graph.plugins import BusAbout, ParamAbout, PluginAbout, PluginRequest
from graph.spec import (
    BUILT_IN_PARAMS,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    EventsIn,
    Memory,
    Node,
    Param,
    Params,
    PatchError,
    Port,
    Ports,
    Services,
    Setting,
    State,
    kernel,
)
from nodes.dsp import handover, playing
from nodes.dsp.handover import collect, submit

UNKNOWN_TAIL_S = 5.0
"""How long a plugin may be silent before it sounds again after its input ended; few say."""
LONGEST_NAME = 48
EVENTS = "events"
"""The port of plugins that take notes."""


class _Settings(Node):
    """What every plugin node is told."""

    family = "plugin"

    format = ChoiceSetting("format", ("vst3", "au"), doc="The plugin's format.")
    uid = Setting("uid", "", "text", doc="Its class id: what it is found by.")
    name = Setting("name", "", "text", doc="Its name: what it is found by where there is no class id.")
    vendor = Setting("vendor", "", "text", doc="Who made it.")
    version = Setting("version", "", "text", doc="The version that the patch was made with.")
    path_hint = Setting("path_hint", "", "text", doc="Where it lay when the patch was made; only ever looked at.")
    layout = ChoiceSetting(
        "layout", ("auto", *LAYOUTS), doc="Layout of its main input and output; auto: the plugin's own."
    )
    state_in_snapshots = Setting(
        "state_in_snapshots",
        True,
        "switch",
        doc="Whether snapshots hold its state, and set it; params they always hold.",
    )
    latency_frames = Setting(
        "latency_frames", -1, "integer", doc="Its latency, where it reports a wrong one; -1: as reported.", low=-1
    )


class Plugin(_Settings):
    """A VST3 or AU plugin, with the ports and params it has; without one named, sound passes."""

    kind = "plugin"
    bypassable = True
    varies = True

    signal = AudioIn("in")
    out = AudioOut("out")

    @classmethod
    def variant(cls, settings: Mapping[str, Any], services: Services) -> type[Node]:
        if not settings["uid"] and not settings["name"]:
            return cls
        return variant(services.plugin(settings), settings["layout"])

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane]


class _Hosted(_Settings):
    """A plugin that was found. What depends on it is declared by ``variant``."""

    anchored = False

    plugin: ClassVar[PluginAbout]
    buses: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]]
    """The port of each of the plugin's buses, inputs and outputs; empty for a bus without one."""
    places: ClassVar[tuple[int, ...]]
    """The plugin's own number of each param."""

    ins = Ports("in")
    outs = Ports("out")
    words = Memory(1, "i8", held=True)
    numbers = Memory(1, "i8")
    sent = Memory(1)
    touched = Memory(1, "i8")
    dry = Memory(1)
    edge = Memory(1)
    known = State((1,), "i8")

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        layouts = {p.name: p.layout for p in cls.ports(config.settings)}
        inputs = tuple(
            layouts[name] if name and (bus.kind == "main" or bus.on or name in config.plugged) else ""
            for name, bus in zip(cls.buses[0], cls.plugin.inputs, strict=True)
        )
        outputs = tuple(layouts[name] if name else "" for name in cls.buses[1])
        programs = tuple(
            (cls.plugin.params[place].id, float(config.params[param.name]))
            for param, place in zip(cls.params(config.settings), cls.places, strict=True)
            if cls.plugin.params[place].program and param.name in config.given - config.driven
        )
        request = PluginRequest(config.id, config.settings, config.rate, inputs, outputs, config.state, programs)
        opened = services.open_plugin(request)
        override = config.settings["latency_frames"]
        return {"number": opened.number, "latency": opened.latency if override < 0 else override}

    @classmethod
    def latency(cls, config: Config) -> int:
        return config.info.get("latency", 0)

    @classmethod
    def tail(cls, config: Config) -> float:
        return UNKNOWN_TAIL_S if cls.plugin.inputs or EVENTS in config.plugged else math.inf

    @classmethod
    def shape_key(cls, config: Config) -> object:
        return config.info.get("number"), config.info.get("latency"), config.tempo

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[Any]]:
        words = services.plugin_words(config.info["number"])
        latency = config.info["latency"]
        names = [p.name for p in cls.ports(config.settings) if p.flow == "in"]
        main = next((names.index(n) for n, b in zip(cls.buses[0], cls.plugin.inputs, strict=True) if _main(n, b)), -1)
        lanes = channels_of(config.layouts[names[main]]) if main >= 0 else 0
        ring = 1 << int(latency + words[handover.CAPACITY]).bit_length()
        words[handover.LATENCY], words[handover.RING] = latency, ring
        words[handover.TEMPO] = np.float64(config.tempo).view(np.int64)
        words[handover.MAIN], words[handover.MAIN_LANES] = main, lanes
        words[playing.EVENTS_PORT] = names.index(EVENTS) if cls.plugin.events_in else -1
        params = cls.params(config.settings)
        told = config.given | config.driven
        words[handover.PARAMS] = len(params)
        count = max(len(params), 1)
        sent, touched = np.zeros(count, np.float32), np.zeros(count, np.int64)
        for k, param in enumerate(params):
            sent[k], touched[k] = param.default, param.name in told
        channels = sum(channels_of(config.layouts[n]) for n in cls.buses[1] if n)
        return {
            "words": words,
            "numbers": np.array(cls.places or (0,), np.int64),
            "sent": sent,
            "touched": touched,
            "dry": np.zeros(ring * max(lanes, 1), np.float32),
            "edge": np.zeros(max(channels, 1), np.float32),
        }

    @kernel
    def submit(
        ins,
        values,
        numbers,
        sent,
        touched,
        words,
        known,
        dry,
        block_offset,
        block_deadline,
        faded,
        time,
        position,
        roll,
        rate,
        n,
    ):
        submit(
            ins,
            values,
            numbers,
            sent,
            touched,
            words,
            known,
            dry,
            block_offset,
            faded,
            time,
            position,
            roll,
            rate,
            n,
            block_deadline,
        )

    @kernel
    def collect(outs, words, edge, dry, block_offset, block_deadline, n):
        collect(outs, words, edge, dry, block_offset, n, block_deadline)

    @kernel
    def process(
        ins,
        outs,
        values,
        numbers,
        sent,
        touched,
        words,
        known,
        edge,
        dry,
        block_offset,
        block_deadline,
        faded,
        time,
        position,
        roll,
        rate,
        n,
    ):
        submit(
            ins,
            values,
            numbers,
            sent,
            touched,
            words,
            known,
            dry,
            block_offset,
            faded,
            time,
            position,
            roll,
            rate,
            n,
            block_deadline,
        )
        collect(outs, words, edge, dry, block_offset, n, block_deadline)


@cache
def variant(about: PluginAbout, layout: str = "auto") -> type[Node]:
    """The kind of a node that is this plugin, its main buses of this layout.

    Raises PatchError where the plugin does not take the layout.
    """
    inputs = _ports(about, about.inputs, "in", layout)
    outputs = _ports(about, about.outputs, "out", layout)
    ports = [p for p in (*inputs, *outputs) if p is not None]
    if about.events_in:
        ports.append(EventsIn(EVENTS, "What it plays: MIDI from files and devices."))
    params, places = _params(about, {p.name for p in ports})
    body: dict[str, Any] = {f"{p.flow}_{p.name}": p for p in ports}
    main = [next((p for p in found if p and p.type == "audio"), None) for found in (inputs, outputs)]
    body |= {
        "__doc__": f"The plugin {about.name}.",
        "kind": Plugin.kind,
        "plugin": about,
        "buses": tuple(tuple(p.name if p else "" for p in found) for found in (inputs, outputs)),
        "places": places,
        "values": Params(params, raw=True),
        "bypassable": main[0] is not None and main[1] is not None and main[0].layout == main[1].layout,
    }
    return type("HostedPlugin", (_Hosted,), body)


def _main(port: str, bus: BusAbout) -> bool:
    return bool(port) and bus.kind == "main"


def _ports(about: PluginAbout, buses: Sequence[BusAbout], flow: str, layout: str) -> list[Port | None]:
    """A port for each bus; none for one whose layout has no name here."""
    found: list[Port | None] = []
    counts: Counter[str] = Counter()
    for bus in buses:
        aside = flow == "in" and bus.kind != "main"
        base = "sidechain" if aside else flow
        counts[base] += 1
        name = base if counts[base] == 1 else f"{base}_{counts[base]}"
        own = bus.layout or next(iter(bus.layouts), "")
        if bus.kind == "main" and counts[base] == 1 and layout != "auto":
            if layout not in (own, *bus.layouts):
                takes = ", ".join(dict.fromkeys(x for x in (own, *bus.layouts) if x)) or "none that has a name"
                raise PatchError(f"{about.name} does not take {layout}; it takes {takes}", place="settings.layout")
            own = layout
        doc = f"The plugin's bus {bus.name}." if bus.name else "A bus of the plugin."
        port = Port(name, "in" if flow == "in" else "out", "sidechain" if aside else "audio", own, doc)
        found.append(port if own else None)
    return found


def _params(about: PluginAbout, taken: set[str]) -> tuple[tuple[Param, ...], tuple[int, ...]]:
    """The params that can be set, under names that stay as they are while the plugin's own names do; and the plugin's
    number of each.
    """
    places = [k for k, param in enumerate(about.params) if not param.read_only]
    slugs = [_slug(about.params[k]) for k in places]
    often = Counter(slugs)
    found: list[Param] = []
    for k, slug in zip(places, slugs, strict=True):
        param = about.params[k]
        plain = often[slug] == 1 and slug not in taken and slug not in BUILT_IN_PARAMS
        found.append(_param(param, slug if plain else f"{slug}_{param.id}"))
    return tuple(found), tuple(places)


def _slug(param: ParamAbout) -> str:
    return re.sub(r"[^a-z0-9]+", "_", param.name.lower()).strip("_")[:LONGEST_NAME] or "param"


def _param(param: ParamAbout, name: str) -> Param:
    """A plugin's param: normalised, changed no more often than every tick, but on its frame."""
    default = min(max(float(param.default), 0.0), 1.0)
    ends = f", from {param.low} to {param.high}" if param.low or param.high else ""
    doc = f"{param.name}{ends}{' ' + param.unit if param.unit else ''}; 0…1 over its range."
    if param.steps == 1:
        return Param(name, round(default), 0.0, 1.0, "", "switch", doc, "tick", modulatable=param.automatable)
    return Param(name, default, 0.0, 1.0, "", "linear", doc, "tick", modulatable=param.automatable)
