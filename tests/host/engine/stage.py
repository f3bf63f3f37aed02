"""A conductor and its callback on a stage of their own: audio in arrays, driven block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graph.compiler import compile
from graph.document import Patch
from graph.form import from_document
from host.engine.conductor import Conductor
from host.native.live import Live
from host.offline import run_arrays
from host.services import FileServices
from nodes import kinds

RATE = 48000
SERVICES = FileServices(Path())


class NoTapes:
    """For patches without players."""

    def tape(self, *_: Any) -> Any:
        """Never asked for."""
        raise AssertionError("there is no player here")

    def keep_only(self, keys: Iterable[str]) -> None:
        """Nothing to close."""


def patch(nodes: Mapping[str, Mapping[str, Any]], cables: str, **rest: Any) -> Patch:
    """A patch of nodes, and cables as ``a.out>b.in c.out>b.sidechain``; ``>>`` marks feedback."""
    found: list[dict[str, Any]] = []
    for text in cables.split():
        source, _, target = text.partition(">")
        cable: dict[str, Any] = {"from": source, "to": target.lstrip(">")}
        if target.startswith(">"):
            cable["feedback"] = True
        found.append(cable)
    return from_document({"format": "patchwright", "version": 1, "nodes": dict(nodes), "cables": found, **rest})


def sine(frames: int, hz: float = 440.0, level: float = 0.5, channels: int = 2) -> np.ndarray:
    """A sine on every channel."""
    wave = level * np.sin(2 * np.pi * hz * np.arange(frames) / RATE)
    return np.repeat(wave.astype(np.float32)[:, None], channels, 1)


def roughness(found: np.ndarray, smooth: np.ndarray) -> float:
    """The largest second difference of a signal, by that of one without a click."""
    return float(np.abs(np.diff(found.astype(float), 2, axis=0)).max() / np.abs(np.diff(smooth, 2, axis=0)).max())


class Stage:
    """Plays into arrays. ``heard`` is what came out so far."""

    def __init__(self, inputs: int = 2, outputs: int = 2, block: int = 256) -> None:
        self.live = Live(RATE, block)
        self.live.prepare(inputs, outputs, block)
        self.conductor = Conductor(
            self.live, kinds(), NoTapes(), lambda flow, first, count: list(range(first, first + count)), replay_s=0.1
        )
        self.block = block
        self.at = 0
        self._parts: list[np.ndarray] = []

    def start(self, first: Patch) -> None:
        """Begin with a patch, rolling from the first frame on."""
        self.conductor.set_patch(first, SERVICES)
        while self.conductor.busy:
            self.conductor.step()
        self.conductor.running = True
        self.live.roll(True, hard=True)

    def change(self, to: Patch) -> None:
        """Ask for another patch."""
        self.conductor.set_patch(to, SERVICES)

    def play(self, signal: np.ndarray | None, frames: int) -> None:
        """Play at least so many frames of a signal, from where it was left."""
        end = self.at + frames
        while self.at < end:
            self.conductor.step()
            output = np.full((self.block, self.live.outputs), np.nan, np.float32)
            given = None
            if signal is not None:
                given = np.zeros((self.block, self.live.inputs), np.float32)
                part = signal[self.at : self.at + self.block]
                given[: len(part)] = part
            self.live.process(given, output)
            self._parts.append(output)
            self.at += self.block

    def settle(self, signal: np.ndarray | None) -> None:
        """Play until everything asked for is in place."""
        for _ in range(2000):
            self.play(signal, self.block)
            if not self.conductor.busy:
                return
        raise AssertionError("it does not come to rest")

    @property
    def heard(self) -> np.ndarray:
        """Everything that came out."""
        return np.concatenate(self._parts)


def offline(of: Patch, frames: int, inputs: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """The same patch, rendered."""
    return run_arrays(compile(of, kinds(), SERVICES, RATE), SERVICES, frames, inputs)[0]
