"""What plugins in processes of their own cost: ``python -P -m benchmarks.plugins [handover overlap w5 live]``.

handover: what a block through a worker takes longer, in real time at 128 frames, than one without it and the plugin's
own time, which the worker measures; beside how fast this machine wakes a native thread that does nothing (in turn, in
the same run).
overlap: a block through 16 plugins side by side, beside one through 4 in series, with a process each and in one;
also without the plugins' own time.
live: 16 plugins under JACK at 128 frames, beside an empty native callback (``plugins_live``).
w5: four chains of four ZamEQ2 offline, beside pedalboard in one process: CPU seconds of everything, start-up taken off.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from graph.document import Patch
from graph.spec import helper
from host.devices.system import prepare_thread
from host.engine.conductor import Conductor
from host.native.arena import aligned
from host.native.live import Live
from host.native.program import native
from host.plugins import link as links
from host.plugins.choose import choose, classes
from host.plugins.description import Description, plain
from host.plugins.grouping import Grouping
from host.plugins.link import Link
from host.plugins.shared import new_semaphore
from host.services import FileServices
from nodes import kinds
from nodes.dsp.raw import now_ns, post, relax, set_word, take, take_until, word

RATE, BLOCK = 48000, 128
ZAM = Path("/usr/lib/vst3/ZamEQ2.vst3")
CALL, BACK, TOOK, QUIT = 0, 8, 16, 24
CHAINS = 4


@helper
def echo(words):
    """Give back whatever is posted, until told to quit."""
    while word(words, QUIT) == 0:
        if take_until(words + 8 * CALL, now_ns() + 50_000_000):
            post(words + 8 * BACK)


@helper
def ping(words):
    """Wake the other thread, and wait as for a plugin; how long it took."""
    began = now_ns()
    post(words + 8 * CALL)
    while take(words + 8 * BACK) == 0:
        if now_ns() - began > 60_000:
            take_until(words + 8 * BACK, now_ns() + 50_000_000)
            break
        relax()
    set_word(words, TOOK, now_ns() - began)


class Echo:
    """A native thread that can be woken."""

    def __init__(self) -> None:
        self.words = aligned((32,), "i8")
        for at in (CALL, BACK):
            new_semaphore(self.words.ctypes.data + 8 * at)
        answer = ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(echo, 1))
        self._ping = ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(ping, 1))
        self._thread = threading.Thread(target=lambda: (prepare_thread(), answer(self.words.ctypes.data)))
        self._thread.start()

    def ask(self) -> float:
        """Microseconds there and back."""
        self._ping(self.words.ctypes.data)
        return self.words[TOOK] / 1e3

    def close(self) -> None:
        """End the thread."""
        self.words[QUIT] = 1
        self._thread.join()


def zam() -> tuple[Description, dict[str, Any]]:
    """What a scan would say of the plugin that all of this is measured with."""
    (uid,) = classes(ZAM)
    found = choose(ZAM, uid)
    source = {"path": str(ZAM), "uid": uid, "backend": found.backend, "format": "vst3"}
    return found.description, {**source, "description": plain(found.description)}


def finder(known: tuple[Description, dict[str, Any]]) -> Callable[[Mapping[str, Any]], Any]:
    """Always this one."""
    return lambda settings: known


def chains_of(across: int, deep: int) -> Patch:
    """So many chains side by side of so many plugins each, summed."""
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": "mono"})
    patch.add("sum", "gain", level_db=20 * np.log10(1 / across))
    patch.add("out", "audio_out", settings={"layout": "mono"})
    for c in range(across):
        before = "in"
        for k in range(deep):
            patch.add(f"c{c:02d}{k:02d}", "plugin", settings={"name": "ZamEQ2"})
            patch.connect(f"{before}.out", f"c{c:02d}{k:02d}.in")
            before = f"c{c:02d}{k:02d}"
        patch.connect(f"{before}.out", "sum.in")
    patch.connect("sum.out", "out.in")
    return patch


class NoTapes:
    """For patches without players."""

    def tape(self, *_: Any) -> Any:
        """Never asked for."""
        raise AssertionError("there is no player here")

    def keep_only(self, keys: Any) -> None:
        """Nothing to close."""


class Stage:
    """A patch that plays live, a block a call."""

    def __init__(
        self, patch: Patch, known: tuple[Description, dict[str, Any]], plugins_in: Grouping = "plugin"
    ) -> None:
        self.link = Link(live=True, block=BLOCK, finder=finder(known), grouping=plugins_in)
        self.live = Live(RATE, BLOCK)
        self.live.prepare(1, 1, BLOCK)
        self.conductor = Conductor(self.live, kinds(), NoTapes(), lambda flow, first, count: [0] * count, replay_s=0.1)
        self.conductor.set_patch(patch, FileServices(Path(), self.link))
        while self.conductor.busy:
            self.conductor.step()
        self.link.settle()
        self.live.roll(True, hard=True)
        self.live.adopt()
        self.input = np.random.default_rng(1).uniform(-0.3, 0.3, (BLOCK, 1)).astype(np.float32)
        self.output = np.zeros((BLOCK, 1), np.float32)
        self.own: list[float] = []
        """Microseconds that the plugins themselves took for each block, added up."""

    def block(self) -> float:
        """Microseconds a block takes."""
        began = time.perf_counter_ns()
        self.live.process(self.input, self.output)
        took = (time.perf_counter_ns() - began) / 1e3
        self.own.append(self.link.own_ns() / 1e3)
        return took

    @property
    def passed(self) -> int:
        """Blocks that went without a plugin."""
        return sum(s.passed for s in self.link.standing().values())


def paced(what: list[Callable[[], float]], seconds: float) -> list[list[float]]:
    """All of these, one after another in every period of a block, in real time."""
    found: list[list[float]] = [[] for _ in what]
    granted = prepare_thread()
    print(f"realtime scheduling: {granted.words}")
    period = BLOCK / RATE
    due = time.perf_counter()
    gc.disable()
    for k in range(int(seconds / period)):
        due += period
        time.sleep(max(0.0, due - time.perf_counter()))
        for j in range(len(what)):
            at = (j + k) % len(what)
            found[at].append(what[at]())
    gc.enable()
    if granted.granted:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return found


def told(label: str, values: list[float]) -> str:
    """A row of the table."""
    ranked = np.sort(values)
    at = [float(ranked[min(len(ranked) - 1, int(q * len(ranked)))]) for q in (0.5, 0.9, 0.99)]
    return f"  {label:<46}" + "".join(f"{v:10.1f}" for v in (*at, ranked[-1]))


def handover(seconds: float) -> None:
    """Print what one hand-over takes."""
    known = zam()
    stage, bare, echo_ = Stage(chains_of(1, 1), known), Stage(_without(), known), Echo()
    try:
        with_one, without, wakes = paced([stage.block, bare.block, echo_.ask], seconds)
    finally:
        echo_.close()
        stage.link.close()
        bare.link.close()
    print(f"handover: {len(with_one)} blocks of {BLOCK} frames, microseconds (median, 90 %, 99 %, worst)")
    print(told("the machine: wake a native thread, there and back", wakes))
    print(told("a block without a plugin", without))
    print(told("a block with ZamEQ2 in a worker", with_one))
    print(told("  of which ZamEQ2 itself", stage.own))
    print(told("the hand-over, then", over(with_one, stage.own, without)))
    print(f"  {stage.passed} blocks passed without the plugin")


def over(whole: list[float], own: list[float], without: list[float]) -> list[float]:
    """What is left of each block but the plugins' own time and what a block takes anyway."""
    return (np.array(whole) - np.array(own) - median(without)).tolist()


def _without() -> Patch:
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": "mono"})
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("in.out", "out.in")
    return patch


def overlap(seconds: float) -> None:
    """Print what 16 side by side take, and 4 in series, by how they share processes."""
    known = zam()
    kinds_of: dict[str, tuple[Patch, Grouping]] = {
        "16 parallel, a process each": (chains_of(16, 1), "plugin"),
        "4 serial, a process each": (chains_of(1, 4), "plugin"),
        "16 parallel in one process": (chains_of(16, 1), "patch"),
        "4 serial in one process": (chains_of(1, 4), "patch"),
    }
    stages = {label: Stage(patch, known, where) for label, (patch, where) in kinds_of.items()}
    try:
        times = dict(zip(stages, paced([stage.block for stage in stages.values()], seconds), strict=True))
        passed = ", ".join(f"{stage.passed}" for stage in stages.values())
    finally:
        for stage in stages.values():
            stage.link.close()
    count = len(next(iter(times.values())))
    print(f"overlap: {count} blocks of {BLOCK} frames, microseconds (median, 90 %, 99 %, worst)")
    for label, found in times.items():
        print(told(label, found))
    print("  without the plugins' own time, added up:")
    for label, found in times.items():
        print(told(label, over(found, stages[label].own, [0.0])))
    serial = median(times["4 serial, a process each"])
    for label in ("16 parallel, a process each", "16 parallel in one process"):
        print(f"  {label} vs 4 serial, a process each: {median(times[label]) / serial:.2f}")
    print(f"  blocks that passed without a plugin: {passed}")


def w5(seconds: float, runs: int) -> None:
    """Print the CPU seconds of the workload, here and in pedalboard, run in turn."""
    from benchmarks.measure import START_S, run

    ratios, costs = [], {"ours": [], "board": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            net = {}
            for who in costs:
                command = [sys.executable, "-P", "-m", "benchmarks.plugins", "part", who, "--seconds"]
                whole, start = (run([*command, str(s)], Path(folder)).cpu for s in (seconds, START_S))
                net[who] = whole - start
                costs[who].append(net[who])
            ratios.append(net["ours"] / net["board"])
    print(f"w5: {seconds:g} s through 4 x 4 ZamEQ2, net CPU seconds (medians of {runs})")
    print(f"  Patchwright, a process for each chain   {median(costs['ours']):8.2f}")
    print(f"  pedalboard, all in one process          {median(costs['board']):8.2f}")
    print(f"  ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def part(who: str, seconds: float) -> None:
    """One measured process: the workload once."""
    import soundfile

    source = np.random.default_rng(1).uniform(-0.3, 0.3, int(seconds * RATE)).astype(np.float32)
    soundfile.write("in.wav", source, RATE, subtype="FLOAT")
    if who == "board":
        from pedalboard import VST3Plugin

        VST3Plugin.__set_initial_parameter_values__ = lambda *_, **__: None  # type: ignore[attr-defined]
        plugins = [VST3Plugin(str(ZAM)) for _ in range(CHAINS * CHAINS)]
        data = soundfile.read("in.wav", dtype="float32")[0][None]
        total = np.zeros_like(data)
        for c in range(CHAINS):
            signal = data
            for plugin in plugins[CHAINS * c : CHAINS * (c + 1)]:
                signal = plugin.process(signal, RATE, buffer_size=512, reset=False)
            total += signal
        soundfile.write("board.wav", total[0] / CHAINS, RATE, subtype="FLOAT")
        return
    from host.rendering import render

    known = zam()
    links.Link.__init__.__kwdefaults__["finder"] = finder(known)
    render(chains_of(CHAINS, CHAINS), {"out": "ours.wav"}, {"in": "in.wav"}, tail=0.0)


def main(values: list[str] | None = None) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/plugins.py", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="handover, overlap, w5, live; default: all")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="how long each measurement is (20)")
    parser.add_argument("--offline", type=float, default=240.0, metavar="S", help="seconds of sound for w5 (240)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="how often w5 and live are measured (3)")
    chosen = parser.parse_args(values)
    if chosen.what[:1] == ["part"]:
        part(chosen.what[1], chosen.seconds)
        return 0
    if not ZAM.is_dir():
        print("these need Debian's zam-plugins")
        return 1
    known = ["handover", "overlap", "w5", "live"]
    what = chosen.what or known
    for name in what:
        if name not in known:
            parser.error(f"{name!r} is none of {', '.join(known)}")
    if "handover" in what:
        handover(chosen.seconds)
    if "overlap" in what:
        overlap(chosen.seconds)
    if "w5" in what:
        w5(chosen.offline, chosen.runs)
    if "live" in what:
        from benchmarks.jack import JackError
        from benchmarks.plugins_live import live

        try:
            live(chosen.seconds, chosen.runs, chains_of(16, 1), chains_of(4, 4), ZAM)
        except JackError as error:
            print(error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
