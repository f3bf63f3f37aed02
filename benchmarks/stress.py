"""A mix that is edited in every way while it plays, and what must come out of it all the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graph import Patch
from graph.form import from_document

RATE = 48000
MOST_INSERTED = 6
WAIT = 4800
MUSIC = Path(__file__).resolve().parent.parent / "patches" / "audio" / "music.flac"

_EFFECTS: tuple[tuple[str, dict[str, Any], Callable[[random.Random], dict[str, float]]], ...] = (
    ("filter", {"type": ["lowpass", "highpass", "notch"]}, lambda r: {"freq_hz": r.uniform(100, 9000)}),
    ("eq", {}, lambda r: {"b1_on": 1, "b1_freq_hz": r.uniform(60, 8000), "b1_gain_db": r.uniform(-12, 0)}),
    ("compressor", {"detector": ["peak", "rms"]}, lambda r: {"lookahead_ms": r.uniform(0, 10), "threshold_db": -30}),
    ("gain", {}, lambda r: {"level_db": r.uniform(-6, 0)}),
    ("delay", {}, lambda r: {"time_ms": r.uniform(5, 60), "mix": 0.3}),
    ("reverb", {"algorithm": ["fdn", "freeverb"]}, lambda r: {"mix": 0.2, "decay_s": 0.5}),
)
"""What may be inserted: kind, settings with their choices, params. None makes anything louder or sharper."""


@dataclass
class Mix:
    """A source by way of inserted nodes to the first two outputs; the same source by way of a path that nobody touches
    to the next two. ``name`` tells apart the nodes of two mixes; the untouched path is in all of them.
    """

    source: str
    seed: int = 0
    name: str = "a"
    recorder: str = ""
    chain: list[dict[str, Any]] = field(default_factory=list)
    side: bool = True
    mute: bool = False
    automated: bool = False
    level_db: float = 0.0
    side_db: float = -12.0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._made = 0

    def patch(self) -> Patch:
        """It, as a patch."""
        calm: dict[str, Any] = {
            "calm_filter": {"kind": "filter", "params": {"freq_hz": 900}},
            "calm_echo": {"kind": "delay", "params": {"time_ms": 31, "feedback": 0.4}},
            # later than all that may be inserted elsewhere: outputs wait for the latest one
            "calm_wait": {"kind": "latency", "settings": {"frames": WAIT}},
            "calm_out": {"kind": "audio_out", "settings": {"channel": 2}},
        }
        if self.source == "music":
            calm["calm_source"] = {
                "kind": "file_player",
                "settings": {"path": MUSIC.name, "loop": True, "offset_s": 8.0},
            }
        else:
            calm["calm_source"] = {"kind": "oscillator", "params": {"freq_hz": 440}}
        own = {
            "level": {"kind": "gain", "params": {"level_db": self.level_db}},
            "side": {"kind": "send", "params": {"level_db": self.side_db}, "mute": self.mute},
            "main": {"kind": "bus"},
        }
        nodes = {**calm, **{self._id(id): node for id, node in own.items()}, "out": {"kind": "audio_out"}}
        cables = ["calm_source.out>calm_filter.in", "calm_filter.out>calm_echo.in"]
        cables += ["calm_echo.out>calm_wait.in", "calm_wait.out>calm_out.in"]
        at = "calm_source"
        for effect in self.chain:
            nodes[effect["id"]] = {key: value for key, value in effect.items() if key != "id"}
            cables.append(f"{at}.out>{effect['id']}.in")
            at = effect["id"]
        main = self._id("main")
        cables += [f"{at}.out>{self._id('level')}.in", f"{self._id('level')}.out>{main}.in", f"{main}.out>out.in"]
        cables.append(f"calm_source.out>{self._id('side')}.in")
        if self.side:
            cables.append(f"{self._id('side')}.out>{main}.in")
        if self.recorder:
            nodes["take"] = {"kind": "file_recorder", "settings": {"path": self.recorder}}
            cables.append(f"{main}.out>take.in")
        lines = [[0.0, self.level_db, "hold"]]
        document: dict[str, Any] = {
            "format": "patchwright",
            "version": 1,
            "sample_rate": RATE,
            "nodes": nodes,
            "cables": [dict(zip(("from", "to"), cable.split(">"), strict=True)) for cable in cables],
            "automation": [{"node": self._id("level"), "param": "level_db", "points": lines}] if self.automated else [],
        }
        return from_document(document)

    def _id(self, id: str) -> str:
        return f"{self.name}_{id}"

    # -- edits: each changes the mix; those that only turn params say which -----------------------------------------

    def insert(self) -> None:
        """A node more, anywhere in the chain; where it is full, one goes."""
        if len(self.chain) >= MOST_INSERTED:
            self.remove()
        kind, settings, params = self._chance.choice(_EFFECTS)
        chosen = {name: self._chance.choice(choices) for name, choices in settings.items()}
        self._made += 1
        node = {"id": self._id(f"n{self._made}"), "kind": kind, "settings": chosen, "params": params(self._chance)}
        self.chain.insert(self._chance.randint(0, len(self.chain)), node)

    def remove(self) -> None:
        """A node less; where there is none, one comes."""
        if self.chain:
            self.chain.pop(self._chance.randrange(len(self.chain)))
        else:
            self.insert()

    def cable(self) -> None:
        """A cable past the chain is plugged or pulled."""
        self.side = not self.side

    def setting(self) -> None:
        """A setting of a node in the chain."""
        able = [node for node in self.chain if node["settings"]]
        if not able:
            return self.insert()
        node = self._chance.choice(able)
        choices = next(settings for kind, settings, _ in _EFFECTS if kind == node["kind"])
        name = self._chance.choice(list(choices))
        others = [choice for choice in choices[name] if choice != node["settings"][name]]
        node["settings"] = {**node["settings"], name: self._chance.choice(others)}
        return None

    def bypass(self) -> None:
        """A node in the chain is bypassed, or no longer."""
        if not self.chain:
            return self.insert()
        node = self._chance.choice(self.chain)
        node["bypass"] = not node.get("bypass", False)
        return None

    def silence(self) -> None:
        """The way past the chain is muted, or no longer."""
        self.mute = not self.mute

    def automate(self) -> None:
        """The level is automated, or no longer."""
        self.automated = not self.automated

    def turn(self) -> list[tuple[str, str, float]]:
        """The level."""
        self.level_db = self._chance.uniform(-9, 0)
        return [(self._id("level"), "level_db", self.level_db)]

    def snapshot(self) -> list[tuple[str, str, float]]:
        """All params that can be turned at once."""
        self.side_db = self._chance.uniform(-24, -12)
        rows = [*self.turn(), (self._id("side"), "level_db", self.side_db)]
        for node in self.chain:
            _, _, params = next(effect for effect in _EFFECTS if effect[0] == node["kind"])
            if node["kind"] == "delay":
                continue  # an echo that moves is heard at another pitch
            before = node["params"]
            node["params"] = {
                name: before[name] * min(max(value / before[name], 0.25), 4.0) if name.endswith("freq_hz") else value
                for name, value in params(self._chance).items()
            }  # a filter that sweeps further in 10 ms is heard
            rows += [(node["id"], name, value) for name, value in node["params"].items()]
        return rows

    def morph(self) -> list[tuple[str, str, float]]:
        """All params that can be turned, part of the way to other values."""
        before = {(self._id("level"), "level_db"): self.level_db, (self._id("side"), "level_db"): self.side_db}
        before |= {(node["id"], name): value for node in self.chain for name, value in node["params"].items()}
        share = self._chance.uniform(0.2, 0.8)
        rows = [
            (id, name, before[id, name] + share * (value - before[id, name])) for id, name, value in self.snapshot()
        ]
        values = {(id, name): value for id, name, value in rows}
        self.level_db = values[self._id("level"), "level_db"]
        self.side_db = values[self._id("side"), "level_db"]
        for node in self.chain:
            node["params"] = {name: values.get((node["id"], name), value) for name, value in node["params"].items()}
        return rows

    def load(self) -> None:
        """Another patch that sounds alike: every node but those of the untouched path is another one."""
        before, self.name = self.name, {"a": "b", "b": "a"}[self.name]
        for node in self.chain:
            node["id"] = node["id"].replace(f"{before}_", f"{self.name}_", 1)


EDITS: dict[str, Callable[[Mix], list[tuple[str, str, float]] | None]] = {
    "insert": Mix.insert,
    "cable": Mix.cable,
    "setting": Mix.setting,
    "snapshot": Mix.snapshot,
    "bypass": Mix.bypass,
    "param": Mix.turn,
    "remove": Mix.remove,
    "mute": Mix.silence,
    "automation": Mix.automate,
    "morph": Mix.morph,
    "load": Mix.load,
}
