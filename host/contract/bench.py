"""What stands around the nodes that are tried: sources and probes that take numbers as they are, and files that are
never on disk.
"""

# A kernel's arguments are views, chosen by name; what looks like self is the first of them.
# pyright: reportIndexIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph.declare import Settings
from graph.errors import PatchError
from graph.layouts import LAYOUTS
from graph.plugins import OpenedPlugin, PluginAbout, PluginRequest
from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ControlIn,
    EventsIn,
    LayoutSetting,
    Node,
    Song,
    State,
    Stream,
    kernel,
)
from host.midi.ring import ring_of
from host.offline import Frames

SONG = 2000
"""Frames of a MIDI file."""


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

    def user_node(self, path: str) -> type[Node]:
        """See Services: there is none."""
        raise PatchError(f"there is no node {path!r}")

    def plugin(self, settings: Settings) -> PluginAbout:
        """See Services: there is none."""
        raise PatchError("there is no plugin")

    def open_plugin(self, request: PluginRequest) -> OpenedPlugin:
        """See Services: there is none."""
        raise PatchError("there is no plugin")

    def plugin_words(self, number: int) -> np.ndarray:
        """See Services: there is none."""
        raise PatchError("there is no plugin")

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
