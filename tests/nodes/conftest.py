"""One node at a time, between inputs from memory and outputs to memory, through the real compiler and native code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.layouts import LAYOUTS
from graph.spec import FileRequest
from host.contract.bench import RawControl
from host.native.program import Program
from host.offline import Feed, run_arrays
from nodes import kinds

BY_COUNT = {len(labels): name for name, labels in LAYOUTS.items()}


@dataclass
class MemoryServices:
    """Audio files that exist only in memory."""

    files: Mapping[str, tuple[np.ndarray, int]]

    def audio_info(self, path: str) -> Any:
        data, rate = self._find(path)
        return _Info(rate, len(data), LAYOUTS[BY_COUNT[data.shape[1]]])

    def read_audio(self, path: str, rate: float) -> tuple[np.ndarray, tuple[str, ...]]:
        data, own = self._find(path)
        assert own == rate, "resampling is the host's business"
        return np.asarray(data, np.float32), LAYOUTS[BY_COUNT[data.shape[1]]]

    def _find(self, path: str) -> tuple[np.ndarray, int]:
        if path not in self.files:
            raise PatchError(f"there is no file {path!r}")
        return self.files[path]


@dataclass
class _Info:
    rate: int
    frames: int
    labels: tuple[str, ...]


def file_feed(request: FileRequest, data: np.ndarray, file_rate: int, rate: int) -> Feed:
    """A file in memory as a stream: silent before ``start_s``; from ``offset_s`` on to the end, or round and round."""
    assert file_rate == rate, "resampling is the host's business"
    first, span = round(request.start_s * rate), np.asarray(data, np.float32)[round(request.offset_s * rate) :]

    def feed(start: int, out: np.ndarray) -> None:
        at = np.arange(start, start + len(out)) - first
        there = at >= 0 if request.loop and len(span) else (at >= 0) & (at < len(span))
        out[~there] = 0.0
        out[there] = span[at[there] % max(len(span), 1)]

    return feed


@dataclass
class Played:
    """What came out: ``[port]`` is ``[frame, channel]``."""

    outputs: dict[str, np.ndarray]
    program: Program

    def __getitem__(self, port: str) -> np.ndarray:
        return self.outputs[port]


def play(
    kind: str,
    inputs: Mapping[str, np.ndarray] | None = None,
    params: Mapping[str, float] | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    frames: int | None = None,
    rate: int = 48000,
    automation: Mapping[str, Sequence[tuple[float, float, str]]] | None = None,
    modulation: Mapping[str, tuple[np.ndarray, float]] | None = None,
    block: int = 512,
    threads: int = 1,
    checked: bool = False,
    files: Mapping[str, tuple[np.ndarray, int]] | None = None,
    bypass: bool = False,
    aligned: bool = True,
    outputs: Sequence[str] | None = None,
    state: bytes | None = None,
) -> Played:
    """Run one node. Inputs are ``[frame]`` or ``[frame, channel]`` by port; the outputs of every audio or control
    port come back by port, and what a node sends to a device or a file as ``"stream"``. A node that plays a file hears
    the one of ``files`` that it names.

    Outputs are aligned to the timeline as in a render; with ``aligned=False`` the latency is left in. ``modulation``
    plugs a mono signal into a param with an amount.
    """
    registry = {**kinds(), "control_probe": RawControl}
    declared = registry[kind]
    full = {s.name: s.default for s in declared.settings_declared()} | dict(settings or {})
    patch = Patch(sample_rate=rate)
    patch.add("node", kind, settings=dict(settings or {}), **dict(params or {}))
    patch.graph.nodes["node"]["entry"].bypass = bypass
    patch.graph.nodes["node"]["entry"].state = state
    data: dict[str, np.ndarray] = {}
    for port, signal in (inputs or {}).items():
        signal = np.asarray(signal, np.float32)
        signal = signal[:, None] if signal.ndim == 1 else signal
        data[f"in-{port}"] = signal
        patch.add(f"in-{port}", "audio_in", settings={"layout": BY_COUNT[signal.shape[1]]})
        patch.connect(f"in-{port}.out", f"node.{port}")
    for param, (signal, amount) in (modulation or {}).items():
        data[f"mod-{param}"] = np.asarray(signal, np.float32)[:, None]
        patch.add(f"mod-{param}", "audio_in", settings={"layout": "mono"})
        patch.connect(f"mod-{param}.out", f"node.{param}", amount=amount)
    for param, points in (automation or {}).items():
        patch.automate("node", param, [list(p) for p in points])
    services = MemoryServices(files or {})
    ports = {p.name: p.type for p in declared.ports(full) if p.flow == "out" and p.type != "events"}
    wanted = list(ports) if outputs is None else list(outputs)
    config = compile(patch, registry, services).node("node").config
    feeds: dict[str, Feed] = {}
    request = declared.file(config)
    if request is not None and request.path in services.files:
        feeds["node"] = file_feed(request, *services.files[request.path], rate)
    for port in wanted:
        if ports[port] == "control":
            patch.add(f"out-{port}", "control_probe")
        else:
            patch.add(f"out-{port}", "audio_out", settings={"layout": config.layouts[port]})
        patch.connect(f"node.{port}", f"out-{port}.in")
    schedule = compile(patch, registry, services)
    length = frames if frames is not None else max((len(d) for d in data.values()), default=rate)
    latency = schedule.node("node").latency
    found, program = run_arrays(
        schedule,
        services,
        length + (0 if aligned else latency),
        data,
        block=block,
        threads=threads,
        checked=checked,
        feeds=feeds,
    )
    result = {port: found[f"out-{port}"] for port in wanted if f"out-{port}" in found}
    if "node" in found:
        result["stream"] = found["node"]
    if not aligned:
        result = {
            port: np.concatenate([np.zeros((latency, y.shape[1]), np.float32), y])[: length + latency]
            for port, y in result.items()
        }
    return Played(result, program)


@pytest.fixture(name="play", scope="session")
def _play():
    return play
