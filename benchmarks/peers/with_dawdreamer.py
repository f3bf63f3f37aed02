"""The workloads in DawDreamer: its graph of JUCE processors, with Faust where JUCE has no such processor.

Inputs are played from memory and the result is recorded to memory, as DawDreamer does it. Not the same:

- W1: expressed in full. A track's EQ, compressor and gain with balance are a Faust processor each (the four bands
  together, in single precision); the reverb is JUCE's Freeverb, which scales the wet signal by three: taken back.
- W2: each gain is an add processor with one input.
- W3: each filter is a Faust processor of two channels, in single precision.
- W4: not expressed. DawDreamer has no convolution beside plugins, and Faust's is not partitioned.
"""

from __future__ import annotations

import math
from typing import Any

import dawdreamer
import numpy as np

from benchmarks.inputs import RATE, SOURCE, TRACKS
from benchmarks.peers.task import JUCE_WET, Frames, Task, main
from benchmarks.workloads import GAINS, HIGH_SHELF, LOW_SHELF, STAGES, track_bands


class _Graph:
    """An engine and the list of processors with what feeds them."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.engine: Any = dawdreamer.RenderEngine(RATE, task.block)
        self.wiring: list[tuple[Any, list[str]]] = []

    def play(self, id: str, name: str) -> str:
        self.wiring.append((self.engine.make_playback_processor(id, self.task.read(name)), []))
        return id

    def faust(self, id: str, sources: list[str], code: str) -> str:
        processor = self.engine.make_faust_processor(id)
        processor.set_dsp_string(f'import("stdfaust.lib");\n{code}')
        if not processor.compile():
            raise RuntimeError(f"Faust did not compile {id}")
        self.wiring.append((processor, sources))
        return id

    def add(self, id: str, sources: list[str], gains: list[float] | None = None) -> str:
        self.wiring.append((self.engine.make_add_processor(id, gains or [1.0] * len(sources)), sources))
        return id

    def reverb(self, id: str, source: str) -> str:
        processor = self.engine.make_reverb_processor(id)
        # What its constructor is given is not heeded (0.9.0).
        processor.room_size, processor.damping, processor.width = 0.7, 0.5, 1.0
        processor.wet_level, processor.dry_level = 1.0, 0.0
        self.wiring.append((processor, [source]))
        return id

    def render(self) -> Frames:
        self.engine.load_graph(self.wiring)
        self.engine.render(self.task.seconds + self.task.block / RATE)
        return np.asarray(self.engine.get_audio()[:, : self.task.frames], np.float32)


def _biquad(type: int, hz: float, gain_db: float, q: float) -> str:
    """A filter of the RBJ cookbook in Faust."""
    A, w = 10 ** (gain_db / 40), 2 * math.pi * hz / RATE
    c, alpha = math.cos(w), math.sin(w) / (2 * q)
    if type in (LOW_SHELF, HIGH_SHELF):
        sign, s = (1 if type == LOW_SHELF else -1), 2 * math.sqrt(A) * alpha
        b = (
            A * ((A + 1) - sign * (A - 1) * c + s),
            sign * 2 * A * ((A - 1) - sign * (A + 1) * c),
            A * ((A + 1) - sign * (A - 1) * c - s),
        )
        a = (
            (A + 1) + sign * (A - 1) * c + s,
            -sign * 2 * ((A - 1) + sign * (A + 1) * c),
            (A + 1) + sign * (A - 1) * c - s,
        )
    else:
        b, a = (1 + alpha * A, -2 * c, 1 - alpha * A), (1 + alpha / A, -2 * c, 1 - alpha / A)
    return "fi.tf22t(" + ", ".join(f"{v / a[0]:.17g}" for v in (*b, a[1], a[2])) + ")"


def _gain_computer(threshold_db: float, ratio: float, attack_ms: float, release_ms: float) -> str:
    """Faust for the gain of the workloads' compressor, from its key."""
    attack, release = (math.exp(-1000 / (ms * RATE)) for ms in (attack_ms, release_ms))
    return (
        f"toward(x, e) = ba.if(x > e, {attack:.17g}, {release:.17g}) * (e - x) + x;\n"
        "follow(x) = toward(abs(x)) ~ _;\n"
        f"over(e) = max(1.0, e / {10 ** (threshold_db / 20):.17g});\n"
        f"gain(x) = over(follow(x)) ^ ({1 / ratio - 1:.17g});\n"
    )


def mixdown(task: Task) -> Frames:
    """W1."""
    graph = _Graph(task)
    levels: list[str] = []
    for i, name in enumerate(TRACKS):
        source = graph.play(f"track{i}", name)
        bands = " : ".join(_biquad(*band) for band in track_bands(i))
        eq = graph.faust(f"eq{i}", [source], f"band = {bands};\nprocess = band, band;")
        squeeze = _gain_computer(-18, 4, 10, 100) + "c(x) = x * gain(x);\nprocess = c, c;"
        squeezed = graph.faust(f"comp{i}", [eq], squeeze)
        theta, gain = (2 * i / 31) * math.pi / 4, math.sqrt(2) * 10 ** ((-(i % 7) - 6) / 20)
        balance = f"process = *({gain * math.cos(theta):.9g}), *({gain * math.sin(theta):.9g});"
        levels.append(graph.faust(f"level{i}", [squeezed], balance))
    squeeze = _gain_computer(-12, 2, 20, 200) + "c(x) = x * gain(x);\nprocess = c, c;"
    buses = [graph.faust(f"bus_comp{b}", [graph.add(f"bus{b}", levels[b::4])], squeeze) for b in range(4)]
    duck = (
        _gain_computer(-24, 4, 5, 150)
        + "process(l, r, kl, kr) = l * g, r * g with { g = gain(max(abs(kl), abs(kr))); };"
    )
    ducked = graph.faust("duck", [buses[1], buses[0]], duck)
    reverb = graph.reverb("reverb", graph.add("to_reverb", levels, [0.125] * 32))
    echo = "echo = (+ : @(17999)) ~ *(0.4) : mem;\nprocess = echo, echo;"
    delay = graph.faust("delay", [graph.add("to_delay", levels, [0.0631] * 32)], echo)
    returns = [buses[0], ducked, buses[2], buses[3], reverb, delay]
    master = graph.add("master", returns, [1.0, 1.0, 1.0, 1.0, 1 / JUCE_WET, 1.0])
    ceiling, release = 10 ** (-1 / 20), math.exp(-1000 / (50 * RATE))
    limit = (
        f"fall(x, e) = max(x, e * {release:.17g});\n"
        f"gain(x) = {ceiling:.17g} / max({ceiling:.17g}, (fall(x) ~ _));\n"
        "process(l, r) = l * g, r * g with { g = gain(max(abs(l), abs(r))); };"
    )
    graph.faust("limiter", [master], limit)
    return graph.render()


def wide(task: Task) -> Frames:
    """W2."""
    graph = _Graph(task)
    source = graph.play("source", SOURCE)
    graph.add("sum", [graph.add(f"gain{k}", [source], [g]) for k, g in enumerate(GAINS)])
    return graph.render()


def deep(task: Task) -> Frames:
    """W3."""
    graph = _Graph(task)
    at = graph.play("source", SOURCE)
    for k, (hz, gain_db) in enumerate(STAGES):
        band = _biquad(5, hz, gain_db, 1.0)
        at = graph.faust(f"stage{k}", [at], f"process = {band}, {band};")
    return graph.render()


if __name__ == "__main__":
    main({"w1": mixdown, "w2": wide, "w3": deep})
