"""How long the live engine takes to act: to start, to take up an edit or a param, to come back when it was killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.workloads import large
from graph import Patch
from graph.delta import apply_delta, delta
from graph.form import from_document, to_document
from host.devices.null import NullDevice
from host.engine.conductor import Conductor
from host.native.live import Live
from host.services import FileServices
from nodes import kinds

RATE = 48000
BLOCK = 64
NODES = 200
DEADLINE_S = 20.0
LOOK_S = 0.0005


@dataclass
class Act:
    """Something that takes time, its bound in seconds, and what was measured."""

    label: str
    bound: float | None = None
    seconds: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        """The cells of its row, in milliseconds."""
        middle = median(self.seconds)
        verdict = ""
        if self.bound is not None:
            verdict = f"{'met' if middle <= self.bound else 'NOT MET'} (≤ {1000 * self.bound:g} ms)"
        return [self.label, *(f"{1000 * x:.1f} ms" for x in (middle, min(self.seconds), max(self.seconds))), verdict]


def acts(runs: int, scratch: Path) -> list[Act]:
    """Measure everything."""
    return [*_starts(runs, scratch), *_edits(runs)]


def _until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not happen within {DEADLINE_S:g} s")
        time.sleep(LOOK_S)


def _tone() -> Patch:
    patch = Patch("Tone", RATE)
    patch.add("tone", "oscillator", freq_hz=440)
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    return patch


def _starts(runs: int, scratch: Path) -> list[Act]:
    """A process that starts, and one that is killed."""
    from host import Engine

    cold = Act("cold process to first audio, warm cache", 1.5)
    noticed = Act("kill -9 of the engine: noticed", 0.5)
    back = Act("kill -9 of the engine: audio is back", 2.0)
    patch = _tone()

    def sounds(engine: Engine) -> bool:
        # the level of what left the patch, which is published thirty times a second
        peaks = engine.readings().get("out", {}).get("peak")
        return peaks is not None and bool(np.max(peaks) > 0)

    for _ in range(runs + 1):
        begun = time.monotonic()
        with Engine(patch, device="null") as engine:
            _until(lambda: sounds(engine), "sound")
            cold.seconds.append(time.monotonic() - begun)
            first = engine.status.pid
            engine._display.forget()
            begun = time.monotonic()
            os.kill(first, signal.SIGKILL)
            _until(lambda: any("has died" in n.text for n in engine.notices), "notice")
            noticed.seconds.append(time.monotonic() - begun)
            engine._display.forget()
            _until(lambda: engine.status.alive and engine.status.pid != first, "another engine")  # noqa: B023
            _until(lambda: sounds(engine), "sound again")
            back.seconds.append(time.monotonic() - begun)
    for act in (cold, noticed, back):
        del act.seconds[0]  # the first fills the caches
    return [cold, noticed, back]


class NoTapes:
    """For patches without files."""

    def tape(self, *_: Any) -> Any:
        """Never asked for."""
        raise NotImplementedError

    def keep_only(self, keys: Any) -> None:
        """Nothing to close."""


def _mix(extra: bool) -> Patch:
    """200 nodes whose mix is given out as it is, and by way of a level that is turned, and of another node or none."""
    patch = from_document(large(NODES))
    patch.disconnect("master.out", "out.in")
    patch.add("as_it_is", "audio_out", {"channel": 2})
    patch.add("turned", "gain")
    patch.connect("master.out", "as_it_is.in")
    patch.connect("master.out", "turned.in")
    if extra:
        patch.add("extra", "filter", freq_hz=300)
        patch.connect("turned.out", "extra.in")
    patch.connect("extra.out" if extra else "turned.out", "out.in")
    return patch


def _edits(runs: int) -> list[Act]:
    """An edit and a param of a patch of 200 nodes, from being asked for to the first frame that is another."""
    structure = Act(f"a node more in a patch of {NODES} nodes: from asking until it is heard", 0.030)
    computed = Act("  of which computing, in CPU time")
    param = Act("a param of it: until it is heard")
    whole = Act("  until it is there, its ramp with it")
    live = Live(RATE, 512)
    conductor = Conductor(live, kinds(), NoTapes(), lambda flow, first, count: list(range(first, first + count)))
    services = FileServices(Path())
    plain, longer, held = _mix(False), _mix(True), _mix(False)
    conductor.set_patch(held, services)
    while conductor.busy:
        conductor.step()
    device = NullDevice(live, inputs=0, outputs=4, rate=RATE, block=BLOCK)
    conductor.running = True
    device.start()
    try:
        for _ in range(runs + 1):
            begun, busy = live.frames, time.thread_time()
            _edit(held, plain, longer)
            conductor.set_patch(held, services)
            conductor.step()
            computed.seconds.append(time.thread_time() - busy)
            _rest(conductor)
            structure.seconds.append(_changes(conductor, begun)[0])
            _edit(held, longer, plain)
            conductor.set_patch(held, services)
            _rest(conductor)
        for _ in range(runs + 1):
            begun = live.frames
            conductor.set_param("turned", "level_db", -6.0)
            _rest(conductor)
            first, last = _changes(conductor, begun)
            param.seconds.append(first)
            whole.seconds.append(last)
            conductor.set_param("turned", "level_db", 0.0)
            _rest(conductor)
    finally:
        device.stop()
    found = [structure, computed, param, whole]
    for act in found:
        del act.seconds[0]  # the first may have compiled
    return found


def _edit(held: Patch, before: Patch, after: Patch) -> None:
    """What goes from a client to its engine, there and here: all but the way between."""
    apply_delta(held, delta(to_document(before), to_document(after)))


def _rest(conductor: Conductor) -> None:
    """Until everything asked for is in place, and a moment more."""
    while conductor.busy or conductor.live.ramping or not conductor.live.settled:
        time.sleep(min(conductor.step(), LOOK_S))
    frames = conductor.live.frames + 4 * BLOCK
    _until(lambda: conductor.live.frames > frames, "the next block")


def _changes(conductor: Conductor, begun: int) -> tuple[float, float]:
    """Seconds from a frame of the clock to the first that differs from the mix as it is, and until the difference, if
    it is one of level, is what it remains.
    """
    outlets = {outlet.id: outlet for outlet in conductor.outlets}
    heard, plain = outlets["out"], outlets["as_it_is"]
    assert heard.arrival == plain.arrival
    at = np.arange(begun, conductor.live.frames - BLOCK)
    one, other = (o.ring[at & (len(o.ring) - 1), 0].astype(float) for o in (heard, plain))
    first = int(np.flatnonzero(one != other)[0])
    loud = np.abs(other) > 1e-6
    ratio = one[loud] / other[loud]
    steady = np.flatnonzero(np.abs(ratio - ratio[-1]) > 1e-6)
    return first / RATE, float(np.flatnonzero(loud)[steady[-1]] + 1) / RATE
