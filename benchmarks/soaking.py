"""The runs of the soak: edits under a sound, and an hour of everything on the null device."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import soundfile

from benchmarks.clicks import bends, clicks, found_of_planted, most_near
from benchmarks.stress import EDITS, MUSIC, RATE, Mix
from host import render
from host.devices.null import NullDevice
from host.engine.player import LivePlayer
from host.native.program import Program

BLOCK = 256
OUTPUTS = 4
DEADLINE_S = 60.0
PLANTED = 50

Say = Callable[[str], None]


def _straight(flow: str, first: int, count: int) -> list[int]:
    return list(range(first, first + count))


class _Run:
    """A player on the null device."""

    def __init__(self, mix: Mix, folder: Path) -> None:
        self.mix, self.folder = mix, folder
        self.notices: list[str] = []
        self.refused: list[str] = []
        self.done: Counter[str] = Counter()
        self.player = LivePlayer(RATE, _straight, self.notices.append)
        self.serial = 0
        self._kinds = list(EDITS)
        self.show(mix)
        self._until(lambda: self.player.outcome() is not None)
        self.player.play()
        self.player.running(True)

    def _until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            self.step()
            if time.monotonic() > end:
                raise RuntimeError(f"the player does not come to rest: {self.notices[-3:]}")

    def step(self) -> float:
        """What is due, and what became of the last patch."""
        wait = self.player.step()
        outcome = self.player.outcome()
        if outcome is not None and (not outcome[1] or list(outcome[2])):
            self.refused += [": ".join(problem) for problem in outcome[2]]
        return wait

    def show(self, mix: Mix) -> None:
        """Play a mix as it is now."""
        self.mix = mix
        self.serial += 1
        self.player.set_patch(self.serial, mix.patch(), self.folder)

    def edit(self) -> None:
        """The next edit; every kind comes in turn."""
        kind = self._kinds[sum(self.done.values()) % len(self._kinds)]
        rows = EDITS[kind](self.mix)
        if rows is None:
            self.show(self.mix)
        else:
            for node, param, value in rows:
                self.player.set_param(node, param, value)
        self.done[kind] += 1

    def warm(self) -> None:
        """Make every kind of edit a few times, so that what they need is compiled; none of it counts."""
        device = NullDevice(self.player.renderer, inputs=0, outputs=OUTPUTS, rate=RATE, block=BLOCK, paced=False)
        device.start()
        try:
            for _ in range(6 * len(EDITS)):
                self.edit()
                self._until(lambda: not self.player._conductor.busy)
        finally:
            device.stop()

    def play(self, device: NullDevice, every: int, also: Callable[[NullDevice], None] | None = None) -> None:
        """Let a device run to its limit, with an edit every so many frames."""
        due = every
        device.start()
        try:
            while not device.wait(0.0):
                wait = self.step()
                if every and device.frames >= due:
                    due = device.frames - device.frames % every + every
                    self.edit()
                elif wait > 0:
                    time.sleep(min(wait, 0.001))
                if also:
                    also(device)
        finally:
            device.stop()

    @property
    def late(self) -> int:
        """How late the untouched path is."""
        return next(o.arrival for o in self.player._conductor.outlets if o.id == "calm_out")


@contextmanager
def _running(mix: Mix, folder: Path):
    run = _Run(mix, folder)
    try:
        yield run
    finally:
        run.player.running(False)
        run.player.close()


# Edits under a sound


@dataclass
class Edited:
    """What came of edits under a sound."""

    source: str
    seconds: float
    edits: Counter[str]
    clicks: list[int]
    planted: int
    identical: bool
    missed: int
    refused: list[str]

    @property
    def passed(self) -> bool:
        """Whether it sounded as it should."""
        return not self.clicks and self.identical and not self.refused


def edited(source: str, seconds: float, per_second: float = 5.0, seed: int = 1) -> Edited:
    """Play a sine or music in real time with edits of every kind; what was heard, against a render without edits."""
    frames = round(seconds * RATE) // BLOCK * BLOCK
    with tempfile.TemporaryDirectory(prefix="patchwright-soak-") as name:
        folder = Path(name)
        if source == "music":
            (folder / MUSIC.name).symlink_to(MUSIC)
        first = Mix(source).patch()
        first.folder = folder
        render(first, {"out": folder / "out.wav", "calm_out": folder / "calm.wav"}, seconds=seconds + 1)
        plain, calm = (soundfile.read(folder / f"{id}.wav", dtype="float32")[0] for id in ("out", "calm"))
        captured = np.zeros((frames, OUTPUTS), np.float32)
        with _running(Mix(source, seed), folder) as run:
            run.warm()
        with _running(Mix(source, seed), folder) as run:
            renderer = run.player.renderer
            device = NullDevice(
                renderer, inputs=0, outputs=OUTPUTS, rate=RATE, block=BLOCK, limit=frames, capture=captured
            )
            late = run.late
            run.play(device, round(RATE / per_second))
            identical = late == run.late and np.array_equal(captured[late:, 2:], calm[: frames - late])
            missed = int(run.player.numbers()["missed"])
    heard = captured[late:, :2].copy()
    allowed = most_near(plain[: len(heard)]) if source == "music" else float(bends(plain[RATE // 10 :]).max())
    heard[: RATE // 100] *= np.linspace(0, 1, RATE // 100, dtype=np.float32)[:, None]  # the start is no edit
    planted = found_of_planted(heard, allowed, min(PLANTED, int(seconds * 4)))
    return Edited(source, frames / RATE, run.done, clicks(heard, allowed), planted, identical, missed, run.refused)


# The hour


@dataclass
class Census:
    """What there is of everything that could pile up."""

    megabytes: float
    slots: int
    programs: int
    tapes: int
    threads: int
    files: int
    shared: int

    @staticmethod
    def take(run: _Run) -> Census:
        """Count."""
        gc.collect()
        conductor = run.player._conductor
        return Census(
            resident(),
            len(conductor.arena._slots),
            sum(type(found) is Program for found in gc.get_objects()),
            len(run.player._reader._tapes),
            threading.active_count(),
            _entries("/proc/self/fd"),
            _entries("/dev/shm"),
        )


def _entries(folder: str) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0


def resident() -> float:
    """Megabytes of this process in memory; NaN where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass
class Soaked:
    """What came of the hour."""

    seconds: float = 0.0
    wall: float = 0.0
    lap_s: float = 0.0
    edits: Counter[str] = field(default_factory=Counter)
    loads: int = 0
    takes: int = 0
    clicks: int = 0
    drift: int = 0
    identical: bool = True
    refused: list[str] = field(default_factory=list)
    censuses: list[Census] = field(default_factory=list)

    @property
    def settled(self) -> list[Census]:
        """Without the first quarter, in which caches fill."""
        return self.censuses[len(self.censuses) // 4 :]

    @property
    def slope(self) -> float:
        """Megabytes more for each hour of sound: the median of the slopes between all pairs of laps."""
        rows = [c.megabytes for c in self.settled]
        pairs = [(b - a) / (j - i) for i, a in enumerate(rows) for j, b in enumerate(rows) if j > i]
        return median(pairs) * 3600 / self.lap_s if pairs else float("nan")

    def grown(self, what: str) -> int:
        """How many more of something there are at the end than after the first quarter."""
        return getattr(self.censuses[-1], what) - getattr(self.settled[0], what)


def soaked(seconds: float, say: Say, laps: int = 60, per_second: float = 5.0) -> Soaked:
    """So many seconds of sound as fast as it goes, in laps, with edits, patch loads, takes and turned params. After
    each lap the patch is as at first, and everything is counted. A path that nobody touches is compared with a run of
    it alone, frame by frame.
    """
    frames = round(seconds / laps * RATE) // BLOCK * BLOCK
    found = Soaked(lap_s=frames / RATE)
    with tempfile.TemporaryDirectory(prefix="patchwright-soak-") as name:
        folder = Path(name)
        first = Mix("sine").patch()
        first.folder = folder
        render(first, {"out": folder / "out.wav", "calm_out": folder / "calm.wav"}, seconds=1)
        allowed = float(bends(soundfile.read(folder / "out.wav", dtype="float32")[0][RATE // 10 :]).max())
        with _running(_mixes(0)[0], folder) as run:
            run.warm()
        with _running(_mixes(0)[0], folder) as run, _running(Mix("sine"), folder) as alone:
            pair = _Pair(run, alone, allowed, found)
            for lap in range(laps):
                mixes = _mixes(lap)
                run.show(mixes[0])
                pair.play(frames, round(RATE / per_second), _Lap(run, mixes, frames, lap % 3 == 0, found).follow)
                run.show(_mixes(0)[0])
                while run.player._conductor.busy:
                    pair.play(REST, 0)
                found.censuses.append(Census.take(run))
                if (lap + 1) % max(1, laps // 10) == 0:
                    memory = found.censuses[-1].megabytes
                    edits = sum(run.done.values())
                    say(
                        f"  {found.seconds / 60:5.1f} min of sound in {found.wall:4.0f} s; "
                        f"{memory:.1f} MB, {edits} edits, {found.clicks} clicks"
                    )
            found.edits, found.refused = run.done, run.refused
    return found


REST = 4800 // BLOCK * BLOCK
"""Frames at a time while the last edit settles."""


def _mixes(lap: int) -> list[Mix]:
    return [Mix("sine", seed=lap, name=name, recorder="take.wav") for name in "ab"]


class _Pair:
    """The run with everything, and beside it the one in which nothing happens, frame for frame."""

    def __init__(self, run: _Run, alone: _Run, allowed: float, found: Soaked) -> None:
        self.runs, self.allowed, self.found = (run, alone), allowed, found
        self.late = run.late
        self._devices: dict[int, list[NullDevice]] = {}
        self._captured: dict[int, list[np.ndarray]] = {}
        self._last = np.zeros((2, 2), np.float32)

    def play(self, frames: int, every: int, also: Callable[[NullDevice], None] | None = None) -> None:
        """So many frames of both, compared."""
        if frames not in self._devices:
            self._captured[frames] = [np.zeros((frames, OUTPUTS), np.float32) for _ in self.runs]
            self._devices[frames] = [
                NullDevice(
                    run.player.renderer,
                    inputs=0,
                    outputs=OUTPUTS,
                    rate=RATE,
                    block=BLOCK,
                    paced=False,
                    limit=frames,
                    capture=captured,
                )
                for run, captured in zip(self.runs, self._captured[frames], strict=True)
            ]
        devices, (captured, still) = self._devices[frames], self._captured[frames]
        run, alone = self.runs
        begun = time.monotonic()
        run.play(devices[0], every, also)
        self.found.wall += time.monotonic() - begun
        alone.play(devices[1], 0)
        heard = np.concatenate([self._last, captured[:, :2]])
        self._last = captured[-2:, :2].copy()
        if not self.found.seconds:
            heard = heard[self.late + RATE // 10 :]  # the start is no edit
        self.found.seconds += frames / RATE
        self.found.clicks += len(clicks(heard, self.allowed))
        self.found.identical &= self.late == run.late and np.array_equal(captured[:, 2:], still[:, 2:])
        clocks = [run.player.renderer.frames, run.player.renderer.place, alone.player.renderer.frames]
        self.found.drift = max(clocks) - min(clocks)


class _Lap:
    """What happens in a lap beside the edits: three loads of another mix, and sometimes a take."""

    def __init__(self, run: _Run, mixes: list[Mix], frames: int, recording: bool, found: Soaked) -> None:
        self._run, self._mixes, self._found = run, mixes, found
        self._loads = [frames * k // 4 for k in (1, 2, 3)]
        self._end = frames * 3 // 4 if recording else 0
        self._recording = False

    def follow(self, device: NullDevice) -> None:
        """Do what is due."""
        run = self._run
        if self._end and not self._recording:
            run.player.record(True)
            self._recording = True
            self._found.takes += 1
        if self._recording and device.frames >= self._end:
            run.player.record(False)
            self._recording, self._end = False, 0
            for take in run.folder.glob("take*.wav"):
                take.unlink()
        if self._loads and device.frames >= self._loads[0]:
            self._loads.pop(0)
            run.show(self._mixes[run.mix is self._mixes[0]])
            self._found.loads += 1
