"""Patches with plugins, rendered, or played block by block as a device would."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graph.compiler import compile
from graph.document import Patch
from host.engine.conductor import Conductor
from host.native.live import Live
from host.offline import run_arrays
from host.plugins.description import Description
from host.plugins.link import Link
from host.services import FileServices
from nodes import kinds

from . import fakes

RATE = 48000
PATIENCE_S = 60.0
Sources = Mapping[str, Mapping[str, Any]]
"""What the plugin of a name is like: see ``fakes``."""


def finder(sources: Sources) -> Callable[[Mapping[str, Any]], tuple[Description, Mapping[str, Any]]]:
    """Finds fakes by their names."""

    def find(settings: Mapping[str, Any]) -> tuple[Description, Mapping[str, Any]]:
        source = sources[settings["name"]]
        return fakes.description(settings["name"], delay=source.get("delay", 0)), {**source, "name": settings["name"]}

    return find


def fake_link(sources: Sources, **options: Any) -> Link:
    """A link to fakes."""
    return Link(**{"finder": finder(sources), "opener": fakes.OPENER, "paths": fakes.HERE, **options})


def noise(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)


def rendered(patch: Patch, link: Link, source: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
    """A patch with one input, run offline."""
    services = FileServices(Path(), link)
    schedule = compile(patch, kinds(), services, RATE)
    if link.settle():
        schedule = compile(patch, kinds(), services, RATE)
        assert not link.settle()
    found, program = run_arrays(schedule, services, len(source), {"in": source}, block=link.block, **options)
    link.check()
    assert program.faults == 0
    return found


def until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for something, without end only as far as it goes."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what} in vain"


class Stage:
    """Plays a patch live, stereo in and out per output, in blocks that leave a plugin time even on a busy machine."""

    def __init__(
        self, patch: Patch, link: Link, outputs: int = 2, block: int = 4096, folder: Path | None = None
    ) -> None:
        self.live = Live(RATE, block)
        self.live.prepare(2, outputs, block)
        self.block, self.at, self.link = block, 0, link
        self.conductor = Conductor(
            self.live, kinds(), NoTapes(), lambda flow, first, count: list(range(first, first + count)), replay_s=0.1
        )
        self.services = FileServices(folder or Path(), link)
        self.given: list[np.ndarray] = []
        self.heard: list[np.ndarray] = []
        self.slowest = 0.0
        self.conductor.set_patch(patch, self.services)
        while self.conductor.busy:
            self.conductor.step()
        self.conductor.running = True
        self.live.roll(True, hard=True)

    def play(self, blocks: int = 1) -> np.ndarray:
        """Play noise; what came out of these blocks."""
        for _ in range(blocks):
            self.conductor.step()
            given = noise(self.block, self.at)
            output = np.full((self.block, self.live.outputs), np.nan, np.float32)
            begun = time.perf_counter()
            self.live.process(given, output)
            self.slowest = max(self.slowest, time.perf_counter() - begun)
            self.at += 1
            self.given.append(given)
            self.heard.append(output)
        return np.concatenate(self.heard[-blocks:])

    def play_until(self, condition: Callable[[], object], what: str) -> None:
        """Play until something holds, a block whenever something moves, or after a hundredth of a second."""
        moved = self.link._watch.moved

        def step() -> object:
            self.play()
            with moved:
                moved.wait(0.01)
            return condition()

        until(step, what)

    @property
    def all_given(self) -> np.ndarray:
        return np.concatenate(self.given)

    @property
    def all_heard(self) -> np.ndarray:
        return np.concatenate(self.heard)


class NoTapes:
    """For patches without players."""

    def tape(self, *_: Any) -> Any:
        raise AssertionError("there is no player here")

    def keep_only(self, keys: Any) -> None:
        """Nothing to close."""


def one(name: str = "Fake", settings: Mapping[str, Any] | None = None, **params: float) -> Patch:
    """in -> plugin -> out, and beside it, in -> gain -> dry, which must never notice."""
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("fx", "plugin", settings={"name": name, **(settings or {})}, **params)
    patch.add("out", "audio_out")
    patch.add("beside", "gain", level_db=-6.0)
    patch.add("dry", "audio_out", settings={"channel": 2})
    for cable in (("in.out", "fx.in"), ("fx.out", "out.in"), ("in.out", "beside.in"), ("beside.out", "dry.in")):
        patch.connect(*cable)
    return patch
