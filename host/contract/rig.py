"""Many nodes of a kind in one patch, side by side, each between inputs and outputs of its own, run by the real thing.

Signals enter as they are: what real inputs would clean is part of what is tried.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.schedule import CompiledNode, Schedule
from graph.spec import (
    Kernel,
    Node,
    Param,
    Stream,
)
from host.contract.bench import RIG, Files, Listener
from host.contract.variants import ATTEMPTS, DRAWN, Structure, Variant, drawn, ends, params, seeded, structures
from host.native.abi import RESERVED, signature
from host.native.program import Program
from host.offline import Drain, Frames, Offline, feed_array
from nodes import kinds

RATE = 48000
MOST_CODES = 10
"""Draws that need yet other machine code than these are drawn again, as long as that helps: each takes a second where
it has not been compiled.
"""
STREAM = "stream"
"""Stands where a port's name would for what comes from, or goes to, a device or a file."""

Signal = Callable[[str, int], Frames]
"""What is plugged into a port (or comes through the stream): from its name and channels to ``[frame, channel]``."""


@dataclass(slots=True)
class Heard:
    """What came out of the nodes: by their place in the list of variants, then by port."""

    outputs: list[dict[str, Frames]]
    listeners: list[dict[str, Listener]]
    program: Program
    schedule: Schedule
    nodes: list[CompiledNode]


Tweak = Callable[[Patch, str, int], None]
"""Something done to a node of the patch, by its id and place, before it is compiled."""


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Find something out once for each subject, and keep it as long as the subject."""
    kept: WeakKeyDictionary[Subject, dict[tuple[object, ...], Any]] = WeakKeyDictionary()

    @wraps(function)
    def known(subject: Subject, *rest: object) -> Any:
        own = kept.setdefault(subject, {})
        if rest not in own:
            own[rest] = function(subject, *rest)
        return own[rest]

    return known


@dataclass(eq=False)
class Subject:
    """A kind that is being tried."""

    kind: type[Node]
    rate: int = RATE
    registry: dict[str, type[Node]] = field(init=False)
    _moveable: dict[str, list[Param]] = field(default_factory=dict[str, list[Param]])
    _compiled: dict[tuple[str, str], CompiledNode | None] = field(default_factory=dict[Any, Any])

    def __post_init__(self) -> None:
        self.registry = {**kinds(), **RIG, self.kind.kind: self.kind}

    @once
    def at(self, rate: int) -> Subject:
        """The same kind at another sample rate."""
        return Subject(self.kind, rate)

    @cached_property
    def structures(self) -> list[Structure]:
        """Structures that the kind accepts."""
        return structures(self.kind, lambda s: self.compiled(Variant(s)) is not None)

    @cached_property
    def variants(self) -> list[Variant]:
        """Everything that is tried: the ends that the kind accepts, then the draws."""
        if not self.structures:
            return []
        found = [v for v in ends(self.kind, self.structures[0]) if self.compiled(v) is not None]
        return found + self._drawn({self.code(v) for v in found})

    def _drawn(self, codes: set[str]) -> list[Variant]:
        """The draws, over all structures in turn, none of which goes without."""
        found: list[Variant] = []
        chance = seeded(self.kind, "params")
        for k in range(DRAWN):
            for _ in range(ATTEMPTS):
                variant = self._relaxed(drawn(self.kind, self.structures[k % len(self.structures)], chance))
                if self.code(variant) in codes or len(codes) < MOST_CODES:
                    break
            codes.add(self.code(variant))
            found.append(variant)
        return found

    def code(self, variant: Variant) -> str:
        """What the machine code of a variant depends on: with some kinds params, too."""
        node = self.compiled(variant)
        kernel = getattr(self.kind, "process", None)
        if (
            node is None
            or not isinstance(kernel, Kernel)
            or not {*kernel.arguments} <= {*self.kind.declared, *RESERVED}
        ):
            return ""
        return repr(signature(self.kind, kernel.arguments, node.config))

    def _relaxed(self, variant: Variant) -> Variant:
        """The variant with as many of its params as the kind accepts together: some only go with some layouts."""
        chance = seeded(self.kind, str(variant))
        left = dict(variant.params)
        while self.compiled(Variant(variant.structure, left)) is None:
            alone = [name for name in left if self.compiled(Variant(variant.structure, {name: left[name]})) is None]
            del left[chance.choice(alone or list(left))]
        return Variant(variant.structure, left)

    @cached_property
    def few(self) -> list[Structure]:
        """Some of the structures, for what needs code of its own: compiling is slow where it has not been done."""
        return self.structures[:: math.ceil(len(self.structures) / 4)] if self.structures else []

    def of_few(self, structures: Sequence[Structure], codes: int) -> list[Variant]:
        """The variants of some structures, of no more than so many codes each."""
        found: list[Variant] = []
        for structure in structures:
            chosen = [v for v in self.variants if v.structure == structure]
            allowed = list(dict.fromkeys(self.code(v) for v in chosen))[:codes]
            found += [v for v in chosen if self.code(v) in allowed and v not in found]
        return found

    def moveable(self, structure: Structure) -> list[Param]:
        """The params that may be automated: those that can be modulated, and choices, which only jump; without what
        the kind refuses with this structure.
        """
        key = repr(structure)
        if key not in self._moveable:
            found = [p for p in params(self.kind, structure) if p.modulatable or p.curve == "choice"]
            self._moveable[key] = [p for p in found if self.compiled(Variant(structure), p) is not None]
        return self._moveable[key]

    def compiled(self, variant: Variant, moving: Param | None = None) -> CompiledNode | None:
        """The node as compiled alone, with a param that moves if one is given; None where the kind refuses."""
        key = (repr(variant), moving.name if moving else "")
        if key not in self._compiled:
            self._compiled[key] = self._alone(variant, moving)
        return self._compiled[key]

    def _alone(self, variant: Variant, moving: Param | None) -> CompiledNode | None:
        patch = Patch(sample_rate=self.rate)
        self.place(patch, "n", variant)
        if moving:
            patch.automate("n", moving.name, [[0.0, moving.default, "hold"]])
        try:
            return compile(patch, self.registry, Files(self.rate)).node("n")
        except PatchError:
            return None

    def place(self, patch: Patch, id: str, variant: Variant) -> None:
        """Put a node into a patch, its inputs plugged."""
        patch.add(id, self.kind.kind, settings=dict(variant.structure.settings), **dict(variant.params))
        for port, layout in variant.structure.plugged.items():
            source = source_id(port, layout)
            if source not in patch.graph:
                patch.add(source, "raw_in", settings={"layout": layout})
            patch.connect(f"{source}.out", f"{id}.{port}")

    def outputs(self, node: CompiledNode) -> list[tuple[str, str, str]]:
        """The outputs of a compiled node: name, type, layout."""
        ports = [p for p in self.kind.ports(node.config.settings) if p.flow == "out"]
        return [(p.name, p.type, node.config.layouts[p.name]) for p in ports]

    def plug_outputs(self, patch: Patch, id: str, node: CompiledNode) -> dict[str, str]:
        """Put a probe on every output; their ids by port."""
        found: dict[str, str] = {}
        for k, (port, type, layout) in enumerate(self.outputs(node)):
            probe = found[port] = f"{id}-out{k}"
            if type == "control":
                patch.add(probe, "raw_control")
            elif type == "events":
                patch.add(probe, "raw_events")
            else:
                patch.add(probe, "raw_out", settings={"layout": layout})
            patch.connect(f"{id}.{port}", f"{probe}.in")
        return found

    def run(
        self,
        variants: Sequence[Variant],
        signal: Signal,
        frames: int,
        *,
        block: int = 448,
        checked: bool = False,
        tweak: Tweak | None = None,
        listen: Callable[[int], Listener] | None = None,
        extra: Mapping[str, Frames] | None = None,
    ) -> Heard:
        """Run variants, all of which the kind accepts, aligned to the timeline. With ``listen`` nothing is kept but
        what listeners note. ``extra`` feeds what a tweak has added.
        """
        patch = Patch(sample_rate=self.rate)
        names: list[dict[str, str]] = []
        for k, variant in enumerate(variants):
            node = self.compiled(variant)
            assert node is not None
            self.place(patch, f"n{k:03d}", variant)
            names.append(self.plug_outputs(patch, f"n{k:03d}", node))
            if tweak:
                tweak(patch, f"n{k:03d}", k)
        services = Files(self.rate)
        schedule = compile(patch, self.registry, services, wide=False)
        with Offline(schedule, services, block, checked=checked) as offline:
            for id, stream in offline.program.streams.items():
                if stream.flow == "in":
                    given = extra[id] if extra and id in extra else signal(port_of(id), stream.channels)
                    offline.feeds[id] = feed_array(np.ascontiguousarray(given, np.float32))
            result = Heard([], [], offline.program, schedule, [schedule.node(f"n{k:03d}") for k in range(len(names))])
            for k, own in enumerate(names):
                own = own | ({STREAM: f"n{k:03d}"} if sinks(self.kind) else {})
                result.outputs.append({})
                result.listeners.append({})
                for port, id in own.items():
                    if listen:
                        offline.drains[id] = result.listeners[k][port] = listen(k)
                    else:
                        channels = offline.program.streams[id].channels
                        array = result.outputs[k][port] = np.zeros((frames, channels), np.float32)
                        offline.drains[id] = keep(array)
            latest = max((n.arrival for n in schedule.nodes), default=0)
            for _ in offline.run(frames + latest):
                pass
        return result


def sinks(kind: type[Node]) -> bool:
    """Whether a kind sends to a device or a file."""
    return any(isinstance(f, Stream) and f.flow == "out" for f in kind.declared.values())


def served(kind: type[Node]) -> bool:
    """Whether a kind is served by a device or a file."""
    return any(isinstance(f, Stream) and f.flow == "in" for f in kind.declared.values())


def source_id(port: str, layout: str) -> str:
    """The id of what is plugged into ports of a name, with a layout."""
    return f"in-{port}-{layout.replace('.', '_')}"


def port_of(id: str) -> str:
    """The port that a source feeds, by its id."""
    return id.split("-")[1] if id.startswith("in-") else STREAM


def keep(into: Frames) -> Drain:
    """A drain that fills an array."""

    def drain(start: int, part: Frames) -> None:
        room = max(0, min(len(part), len(into) - start))
        into[start : start + room] = part[:room]

    return drain


def noise(frames: int, level: float = 1.0) -> Signal:
    """White noise up to a peak, another one for each port and channel."""

    def make(port: str, channels: int) -> Frames:
        rng = np.random.default_rng(zlib.crc32(port.encode()))
        return (level * rng.uniform(-1.0, 1.0, (frames, channels))).astype(np.float32)

    return make


def batches(items: Sequence[Any], size: int = 32) -> list[list[Any]]:
    """Items a few at a time."""
    return [list(items[k : k + size]) for k in range(0, len(items), size)]
