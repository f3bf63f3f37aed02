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
from graph.layouts import LAYOUTS
from graph.schedule import CompiledNode, Schedule
from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ControlIn,
    EventsIn,
    Kernel,
    LayoutSetting,
    Node,
    Param,
    Song,
    State,
    Stream,
    kernel,
)
from host.midi.ring import ring_of
from host.native.abi import RESERVED, signature
from host.native.program import Program
from host.offline import Drain, Frames, Offline, feed_array
from nodes import kinds

from .variants import ATTEMPTS, DRAWN, Structure, Variant, drawn, ends, params, seeded, structures

RATE = 48000
MOST_CODES = 10
"""Draws that need yet other machine code than these are drawn again, as long as that helps: each takes a second where
it has not been compiled.
"""
SONG = 2000
"""Frames of a MIDI file."""
STREAM = "stream"
"""Stands where a port's name would for what comes from, or goes to, a device or a file."""

Signal = Callable[[str, int], Frames]
"""What is plugged into a port (or comes through the stream): from its name and channels to ``[frame, channel]``."""


class RawIn(Node):
    """Bring numbers in, even those that are none."""

    kind = "raw_in"
    out = AudioOut("out", "=layout")
    layout = LayoutSetting()
    stream = Stream("in")

    @kernel
    def process(out, stream, time, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = stream[time + i, lane]


class RawOut(Node):
    """Take a signal out as it is."""

    kind = "raw_out"
    signal = AudioIn("in", "=layout")
    layout = LayoutSetting()
    stream = Stream("out")

    @kernel
    def process(signal, stream, time, n):
        for i in range(n):
            for lane in range(signal.lanes):
                stream[time + i, lane] = signal[i, lane]


class RawControl(Node):
    """Take a control signal out as it is."""

    kind = "raw_control"
    unused = AudioIn("unused", "mono")
    value = ControlIn("in")
    stream = Stream("out")

    @kernel
    def process(value, stream, time, n):
        for i in range(n):
            stream[time + i, 0] = value[i, 0]


class RawEvents(Node):
    """Take events out, each in its row, and nothing of what lies behind the last."""

    kind = "raw_events"
    unused = AudioIn("unused", "stereo")
    events = EventsIn("in")
    stream = Stream("out")

    @kernel
    def process(events, stream, time, n):
        for tick in range(0, n, TICK):
            there = 1.0
            for row in range(tick, tick + TICK):
                there = there if events[row, 0] != 0.0 else 0.0
                for lane in range(events.lanes):
                    stream[time + row, lane] = there * events[row, lane]


class Abreast(Node):
    """Something that keeps state and may run side by side, for others to follow: sums and leaks."""

    kind = "abreast"
    wide = True
    signal = AudioIn("in")
    out = AudioOut("out")
    z = State((LANES,))

    @kernel
    def process(signal, out, z, n):
        for i in range(n):
            for lane in range(out.lanes):
                z[lane] = 0.5 * (z[lane] + signal[i, lane])
                out[i, lane] = z[lane]


RIG: dict[str, type[Node]] = {k.kind: k for k in (RawIn, RawOut, RawControl, RawEvents, Abreast)}


@dataclass(frozen=True, slots=True)
class _Info:
    rate: int
    frames: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """Short decaying noises by the name of their layout, at whatever rate is asked for."""

    rate: int
    frames: int = 400

    def audio_info(self, path: str) -> _Info:
        """See Services."""
        return _Info(self.rate, self.frames, self._labels(path))

    def read_audio(self, path: str, rate: float) -> tuple[Frames, tuple[str, ...]]:
        """See Services."""
        labels = self._labels(path)
        rng = np.random.default_rng(7)
        fall = 10.0 ** (-2.0 * np.arange(self.frames) / self.frames)
        data = 0.2 * rng.standard_normal((self.frames, len(labels))) * fall[:, None]
        data[0] = 1.0
        return data.astype(np.float32), labels

    def read_midi(self, path: str, rate: float) -> Song:
        """See Services: notes and controllers at random, once more than there is room for, and then some by and by."""
        self._labels(path)
        rng = np.random.default_rng(11)
        frames = np.sort(np.concatenate([np.full(100, 300), rng.integers(0, SONG, 500)]))
        statuses = rng.choice([0x80, 0x90, 0xB0, 0xC0, 0xE0], len(frames)) | rng.integers(0, 16, len(frames))
        data = rng.integers(0, 128, (2, len(frames)))
        return Song(np.stack([frames, statuses | data[0] << 8 | data[1] << 16], axis=1), SONG)

    def midi_input(self, node: str, device: str) -> np.ndarray:
        """See Services: the same, come in by the frame."""
        return ring_of(self.read_midi("mono.wav", self.rate))

    def _labels(self, path: str) -> tuple[str, ...]:
        layout = path.removesuffix(".wav")
        if layout not in LAYOUTS:
            raise PatchError(f"there is no file {path!r}")
        return LAYOUTS[layout]


@dataclass(slots=True)
class Listener:
    """What is noted of an output too long to keep: its peak, and what comes from some frame on."""

    late: int
    until: int
    peak: float = 0.0
    late_peak: float = 0.0
    late_power: float = 0.0
    late_bad: int = 0

    def __call__(self, start: int, part: Frames) -> None:
        """Hear some frames."""
        part = part[: max(0, self.until - start)]
        whole = np.abs(part)
        good = np.isfinite(whole)
        whole = np.where(good, whole, 0.0)
        self.peak = max(self.peak, float(whole.max(initial=0.0)))
        skip = max(0, self.late - start)
        self.late_peak = max(self.late_peak, float(whole[skip:].max(initial=0.0)))
        self.late_power += float(np.square(whole[skip:], dtype=np.float64).sum())
        self.late_bad += int(np.count_nonzero(~good[skip:]))


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
