"""The soak of an engine as it really runs: a process of its own, told everything by messages, in real time."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.stress import EDITS, Mix
from host import Engine
from host.engine.folder import VARIABLE

DEADLINE_S = 120.0
LOOK_S = 0.01
COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("counted_engine.py")))
STEADY = ("slots", "tapes", "threads", "files")

Say = Callable[[str], None]


@dataclass
class Served:
    """What came of it. A count is what the engine has of everything that could pile up, and its ``megabytes``."""

    seconds: float = 0.0
    edits: Counter[str] = field(default_factory=Counter)
    takes: int = 0
    jumps: int = 0
    clients: int = 1
    lap_s: float = 0.0
    engines: set[int] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    counts: list[dict[str, float]] = field(default_factory=list)

    @property
    def settled(self) -> list[dict[str, float]]:
        """Without the first quarter, in which caches fill."""
        return self.counts[len(self.counts) // 4 :]

    @property
    def slope(self) -> float:
        """Megabytes more for each hour: the median of the slopes between all pairs of laps."""
        rows = [count["megabytes"] for count in self.settled]
        pairs = [(b - a) / (j - i) for i, a in enumerate(rows) for j, b in enumerate(rows) if j > i]
        return median(pairs) * 3600 / self.lap_s if pairs else float("nan")

    def grown(self, what: str) -> int:
        """How many more of something there are at the end than after the first quarter."""
        return round(self.counts[-1][what] - self.settled[0][what])


class _Client:
    """Whoever edits; now and then it lets go, and another one finds the engine."""

    def __init__(self, folder: Path, found: Served) -> None:
        self.folder, self.found = folder, found
        self.engine = Engine(device="null", command=COMMAND)
        self._kinds = list(EDITS)
        self._done = 0

    def show(self, mix: Mix, wait: bool = False) -> None:
        """Play a mix as it is now."""
        patch = mix.patch()
        patch.folder = self.folder
        self.engine.load(patch, wait=wait)

    def edit(self, mix: Mix) -> None:
        """The next edit; every kind comes in turn."""
        kind = self._kinds[self._done % len(self._kinds)]
        self._done += 1
        rows = EDITS[kind](mix)
        if rows is None:
            self.show(mix)
        else:
            self.engine.set_many(rows)
        self.found.edits[kind] += 1

    def hand_over(self) -> None:
        """Let go of the engine, and find it again."""
        self.note()
        self.engine.detach()
        self.engine = Engine(attach=True, command=COMMAND)
        self.found.clients += 1

    def note(self) -> None:
        """Keep what the engine complained of, and which process it is."""
        self.found.refused += [n.text for n in self.engine.notices if n.level == "error"]
        self.found.engines.add(self.engine.status.pid)

    def count(self) -> dict[str, float]:
        """What the engine has of everything, by its own count."""
        answer, ask = self.folder / "census", self.folder / "census.ask"
        self.engine.sync()
        ask.touch()
        end = time.monotonic() + DEADLINE_S
        while ask.exists():
            if time.monotonic() > end:
                raise RuntimeError("the engine does not count")
            time.sleep(LOOK_S)
        return json.loads(answer.read_text(encoding="utf-8"))


def served(seconds: float, say: Say, laps: int = 20, per_second: float = 10.0) -> Served:
    """So many seconds on the null device in real time, in laps, each with edits of every kind, params, a take, jumps,
    loops, and a change of clients; after each the patch is as at first, and the engine counts.
    """
    found = Served(lap_s=seconds / laps)
    with _alone() as folder:
        _warm(folder, 6 * len(EDITS))
        client = _Client(folder, found)
        try:
            for lap in range(laps):
                mix = Mix("sine", seed=lap, recorder="take.wav")
                client.show(mix, wait=True)
                client.engine.play()
                _lap(client, mix, found, seconds / laps, per_second)
                client.hand_over()
                client.show(Mix("sine", recorder="take.wav"), wait=True)
                for take in folder.glob("take*.wav"):
                    take.unlink()
                found.counts.append(client.count())
                if (lap + 1) % max(1, laps // 10) == 0:
                    last = found.counts[-1]
                    say(
                        f"  {found.seconds:5.0f} s: {last['megabytes']:.1f} MB, {sum(found.edits.values())} edits, "
                        f"{last['programs']:.0f} programs"
                    )
        finally:
            client.note()
            client.engine.close()
    return found


@contextmanager
def _alone() -> Iterator[Path]:
    """A folder, and one for engines that are no others than ours."""
    before = os.environ.get(VARIABLE)
    with tempfile.TemporaryDirectory(prefix="pw-serve-") as name:
        (runtime := Path(name) / "engines").mkdir()
        os.environ[VARIABLE] = str(runtime)
        try:
            yield Path(name)
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before


def _warm(folder: Path, edits: int) -> None:
    """Make edits of every kind on another engine, so that what they need is compiled."""
    client, mix = _Client(folder, Served()), Mix("sine", recorder="take.wav")
    try:
        for _ in range(edits):
            client.edit(mix)
            client.show(mix, wait=True)
    finally:
        client.engine.close()


def _lap(client: _Client, mix: Mix, found: Served, seconds: float, per_second: float) -> None:
    begun = time.monotonic()
    client.engine.record(True)
    found.takes += 1
    done = 0
    while (now := time.monotonic() - begun) < seconds:
        if now * per_second >= done:
            done += 1
            client.edit(mix)
            if done % 7 == 0:
                client.engine.loop(1.0, 2.0) if done % 2 else client.engine.loop(None)
                client.engine.locate(0.5)
                found.jumps += 1
        else:
            time.sleep(LOOK_S)
    client.engine.record(False)
    client.engine.sync()
    found.seconds += time.monotonic() - begun
