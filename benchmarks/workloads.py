"""The workloads as ordinary patch documents, and what belongs to each.

All run at 48 kHz in stereo with params that stand still. Paths are relative to the folder of the inputs, where the
patch is written too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.inputs import RATE, RESPONSE, SOURCE, TRACKS

Document = dict[str, Any]

PEAK, LOW_SHELF, HIGH_SHELF = 5, 6, 7
"""``eq`` types, in the order of ``filter``'s."""
SHELF_Q = 0.7071
GAINS = tuple((1 + 0.001 * k) / 500 for k in range(500))
"""W2's, linear."""
STAGES = tuple((50 * 2 ** (8 * k / 200), -0.5 if k % 2 else 0.5) for k in range(200))
"""W3's: Hz and dB of each peak; Q is 1."""


def decibels(gain: float) -> float:
    """A linear gain in dB."""
    return 20 * math.log10(gain)


def track_bands(i: int) -> tuple[tuple[int, float, float, float], ...]:
    """The EQ of a track of W1: type, Hz, dB, Q."""
    return (
        (LOW_SHELF, 80 * (1 + 0.01 * i), -3, SHELF_Q),
        (PEAK, 400 * (1 + 0.01 * i), 2, 1),
        (PEAK, 3000 * (1 + 0.01 * i), -2, 1.4),
        (HIGH_SHELF, 9000 * (1 + 0.005 * i), 2, SHELF_Q),
    )


class _Wiring:
    """A document in the making."""

    def __init__(self, name: str) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.cables: list[dict[str, str]] = []
        self.name = name

    def add(self, id: str, kind: str, *sources: str, settings: dict[str, Any] | None = None, **params: float) -> str:
        """Add a node and plug the outputs of others into it; the answer is its id."""
        node: dict[str, Any] = {"kind": kind}
        if settings:
            node["settings"] = settings
        if params:
            node["params"] = params
        self.nodes[id] = node
        for source in sources:
            self.plug(source, id)
        return id

    def plug(self, source: str, target: str, port: str = "in") -> None:
        self.cables.append({"from": f"{source}.out", "to": f"{target}.{port}"})

    def document(self) -> Document:
        return {
            "format": "patchwright",
            "version": 1,
            "name": self.name,
            "sample_rate": RATE,
            "nodes": self.nodes,
            "cables": self.cables,
        }


def _envelope(
    patch: _Wiring,
    id: str,
    source: str,
    *,
    link: bool,
    threshold_db: float,
    ratio: float,
    attack_ms: float,
    release_ms: float,
) -> str:
    return patch.add(
        id,
        "compressor",
        source,
        settings={"detector": "envelope", "link": link},
        threshold_db=threshold_db,
        ratio=ratio,
        attack_ms=attack_ms,
        release_ms=release_ms,
        knee_db=0,
        makeup_db=0,
    )


def mixdown() -> Document:
    """W1: 32 tracks of EQ, compressor, gain and balance; four buses, one ducking another; reverb, delay, limiter."""
    patch = _Wiring("W1 mixdown")
    buses = [patch.add(name, "bus") for name in ("dialogue", "music", "fx", "ambience")]
    to_reverb, to_delay = patch.add("to_reverb", "bus"), patch.add("to_delay", "bus")
    for i, path in enumerate(TRACKS):
        n = f"{i:02d}"
        bands: dict[str, Any] = {}
        for b, (type, hz, gain_db, q) in enumerate(track_bands(i), 1):
            bands |= {f"b{b}_on": 1, f"b{b}_type": type, f"b{b}_freq_hz": hz, f"b{b}_gain_db": gain_db, f"b{b}_q": q}
        player = patch.add(f"track{n}", "file_player", settings={"path": path})
        eq = patch.add(f"eq{n}", "eq", player, **bands)
        squeezed = _envelope(patch, f"comp{n}", eq, link=False, threshold_db=-18, ratio=4, attack_ms=10, release_ms=100)
        gain = patch.add(f"gain{n}", "gain", squeezed, level_db=-(i % 7) - 6)
        pan = patch.add(f"pan{n}", "pan", gain, settings={"law": "balance"}, pan=-1 + 2 * i / 31)
        patch.plug(pan, buses[i % 4])
        patch.plug(patch.add(f"send_a{n}", "send", pan, level_db=decibels(0.125)), to_reverb)
        patch.plug(patch.add(f"send_b{n}", "send", pan, level_db=decibels(0.0631)), to_delay)
    squeezed_buses = [
        _envelope(patch, f"{bus}_comp", bus, link=False, threshold_db=-12, ratio=2, attack_ms=20, release_ms=200)
        for bus in buses
    ]
    dialogue, music, fx, ambience = squeezed_buses
    duck = _envelope(patch, "duck", music, link=True, threshold_db=-24, ratio=4, attack_ms=5, release_ms=150)
    patch.plug(dialogue, duck, "sidechain")
    reverb = patch.add(
        "reverb", "reverb", to_reverb, settings={"algorithm": "freeverb"}, size=0.7, damping=0.5, width=1, mix=1
    )
    delay = patch.add("delay", "delay", to_delay, time_ms=375, feedback=0.4, mix=1)
    master = patch.add("master", "bus", dialogue, duck, fx, ambience, reverb, delay)
    limiter = patch.add(
        "limiter",
        "limiter",
        master,
        settings={"true_peak": False, "link": True},
        ceiling_db=-1,
        release_ms=50,
        lookahead_ms=0,
    )
    patch.add("out", "audio_out", limiter)
    return patch.document()


def wide() -> Document:
    """W2: one source into 500 gains in parallel, summed."""
    patch = _Wiring("W2 wide")
    source = patch.add("source", "file_player", settings={"path": SOURCE})
    gains = [patch.add(f"gain{k:03d}", "gain", source, level_db=decibels(g)) for k, g in enumerate(GAINS)]
    patch.add("out", "audio_out", patch.add("sum", "bus", *gains))
    return patch.document()


def deep() -> Document:
    """W3: 200 peak filters in series."""
    patch = _Wiring("W3 deep")
    at = patch.add("source", "file_player", settings={"path": SOURCE})
    for k, (hz, gain_db) in enumerate(STAGES):
        at = patch.add(f"stage{k:03d}", "filter", at, settings={"type": "peak"}, freq_hz=hz, q=1, gain_db=gain_db)
    patch.add("out", "audio_out", at)
    return patch.document()


def convolved() -> Document:
    """W4: a source convolved with a stereo response of two seconds."""
    patch = _Wiring("W4 convolution")
    source = patch.add("source", "file_player", settings={"path": SOURCE})
    wet = patch.add("room", "convolution", source, settings={"path": RESPONSE, "normalize": False}, mix=1, level_db=0)
    patch.add("out", "audio_out", wet)
    return patch.document()


def small() -> Document:
    """A patch as people start with, without a file: for the time that a short render takes."""
    patch = _Wiring("Start")
    tone = patch.add("tone", "oscillator", settings={"wave": "saw"}, freq_hz=110)
    placed = patch.add("place", "pan", tone, pan=0.2)
    bands: dict[str, Any] = {"b1_on": 1, "b1_type": PEAK, "b1_freq_hz": 800, "b1_gain_db": 4, "b1_q": 1}
    shaped = patch.add("shape", "eq", placed, **bands)
    level = patch.add("level", "compressor", shaped, threshold_db=-20, ratio=3)
    room = patch.add("room", "reverb", level, mix=0.2)
    safe = patch.add("safe", "limiter", room)
    patch.add("out", "audio_out", safe)
    return patch.document()


def large(count: int = 10_000) -> Document:
    """A mix of ``count`` nodes: tracks of a source and ten nodes on buses of 32, every fourth keyed by its neighbour.

    Every third track has latency of its own, so that compensation has work to do everywhere. Nothing in it reads a
    file.
    """
    per_track, per_bus, tracks_per_bus = 11, 2, 32
    tracks = (count - 2) // per_track
    while tracks * per_track + math.ceil(tracks / tracks_per_bus) * per_bus > count - 2:
        tracks -= 1
    patch = _Wiring(f"{count} nodes")
    master = patch.add("master", "bus")
    buses = math.ceil(tracks / tracks_per_bus)
    for b in range(buses):
        squeezed = patch.add(f"squeeze{b}", "compressor", patch.add(f"bus{b}", "bus"), threshold_db=-12, ratio=2)
        patch.plug(squeezed, master)
    for t in range(tracks):
        source = patch.add(f"source{t}", "oscillator", freq_hz=50 + t)
        pan = patch.add(f"pan{t}", "pan", source, pan=(t % 21) / 10 - 1)
        eq = patch.add(f"eq{t}", "eq", pan, b1_on=1, b1_gain_db=3)
        cut = patch.add(f"cut{t}", "filter", eq, settings={"type": "highpass"}, freq_hz=40)
        lookahead = 5 if t % 3 == 0 else 0
        comp = patch.add(f"comp{t}", "compressor", cut, threshold_db=-20, lookahead_ms=lookahead)
        if t % 4 == 0 and t:
            patch.plug(f"pan{t - 1}", comp, "sidechain")
        late = patch.add(f"late{t}", "latency", comp, settings={"frames": 100 * (t % 3)})
        echo = patch.add(f"echo{t}", "sample_delay", late, frames=32)
        gain = patch.add(f"gain{t}", "gain", echo, level_db=-(t % 12))
        after = patch.add(f"after{t}", "filter", gain, settings={"type": "highshelf"}, freq_hz=8000, gain_db=1)
        level = patch.add(f"level{t}", "gain", after, level_db=-3)
        patch.plug(level, f"bus{t // tracks_per_bus}")
        patch.plug(patch.add(f"send{t}", "send", pan, level_db=-20), f"bus{(t // tracks_per_bus + 1) % buses}")
    patch.add("out", "audio_out", "master")
    for k in range(count - len(patch.nodes)):
        patch.plug(patch.add(f"spare{k}", "gain", f"level{k % tracks}", level_db=-40), "master")
    return patch.document()


@dataclass(frozen=True)
class Workload:
    """One of W1 to W4."""

    key: str
    title: str
    document: Callable[[], Document]
    inputs: tuple[str, ...]
    bound: float
    """How many times the CPU of the per-node C, net of start-up, this project allows itself."""
    alike_db: float
    """Below this RMS difference in dBFS the sound is that of the C."""


WORKLOADS = {
    w.key: w
    for w in (
        Workload("w1", "W1 mixdown: 32 tracks, 240 nodes", mixdown, TRACKS, 1.3, -80),
        Workload("w2", "W2 wide: 500 gains in parallel", wide, (SOURCE,), 2.0, -80),
        Workload("w3", "W3 deep: 200 biquads in series", deep, (SOURCE,), 1.1, -80),
        Workload("w4", "W4 convolution: two seconds, stereo", convolved, (SOURCE, RESPONSE), 1.5, -80),
    )
}
