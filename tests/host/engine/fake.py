"""An engine process whose player makes no sound: what it is told can be read back. Run as ``host.engine`` is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

import numpy as np

from graph import Patch
from graph.errors import PatchError
from host.engine.__main__ import main
from host.engine.readings import Source
from host.engine.roles import Opened


class FakePlayer:
    """Keeps a clock by the real one, and gives every param of the patch as a reading."""

    def __init__(self, rate: int, notice: Callable[[str], None]) -> None:
        self.rate, self.notice = rate, notice
        self.calls: list[tuple[object, ...]] = []
        self.renderer = object()
        self.loop: tuple[int, int] | None = None
        self._values: dict[tuple[str, str], np.ndarray] = {}
        self._fresh = True
        self._outcome: tuple[int, bool, Iterable[tuple[str, str, str]]] | None = None
        self._clock = self._place = 0.0
        self._rolling = False
        self._then = monotonic()
        self._takes: tuple[str, ...] = ()

    def set_patch(self, serial: int, patch: Patch, folder: Path) -> None:
        self.calls.append(("patch", serial))
        if any(entry.kind == "crash" for entry in patch.nodes().values()):
            os._exit(3)
        if any(entry.kind == "fault" for entry in patch.nodes().values()):
            raise ZeroDivisionError("a fault")
        if any(entry.kind == "wrong" for entry in patch.nodes().values()):
            raise PatchError("there is no such kind", place="nodes.x", node="x")
        self._values = {
            (id, param): np.array([value], np.float32)
            for id, entry in patch.nodes().items()
            for param, value in entry.params.items()
        }
        self._fresh = True
        self._outcome = serial, True, (("", "", str(folder)),)

    def set_param(self, node: str, param: str, value: float) -> None:
        self.calls.append(("param", node, param, value))
        if (node, param) not in self._values:
            raise PatchError("there is no such param", place=f"nodes.{node}.params.{param}", node=node)
        self._values[node, param][0] = value

    def set_points(self, node: str, param: str, points: Iterable[object]) -> None:
        self.calls.append(("points", node, param, tuple(points)))

    def prefer(self, wish) -> None:
        self.calls.append(("prefer", wish))

    def ask_plugins(self, message) -> bool:
        return False

    def told(self) -> list:
        return []

    def play(self) -> None:
        self._rolling = True

    def stop(self) -> None:
        self._rolling = False

    def locate(self, frame: int) -> None:
        self._place = float(frame)

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        self.loop = loop
        self.notice(f"loop {loop}")

    def reroute(self) -> None:
        self.calls.append(("reroute",))

    def record(self, on: bool, round_trip: int) -> None:
        self.calls.append(("record", on, round_trip))
        self._takes = ("take.wav",) if on else ()

    def save_replay(self, path: Path, seconds: float) -> None:
        raise FileExistsError(f"{path} is there already")

    def step(self) -> float:
        now = monotonic()
        passed = (now - self._then) * self.rate
        self._then = now
        self._clock += passed
        self._place += passed if self._rolling else 0.0
        return 0.01

    def outcome(self) -> tuple[int, bool, Iterable[tuple[str, str, str]]] | None:
        return self._outcome

    def latencies(self) -> dict[str, int]:
        return {"out": 64}

    def recording(self) -> tuple[str, ...]:
        return self._takes

    def running(self, on: bool) -> None:
        self.calls.append(("running", on))

    def place(self) -> int:
        return round(self._place)

    def culprit(self) -> str:
        return "level"

    def numbers(self) -> dict[str, float]:
        return {"clock": self._clock, "place": self._place, "load": 0.25}

    def sources(self) -> list[Source] | None:
        if not self._fresh:
            return None
        self._fresh = False
        return [Source(node, param, value) for (node, param), value in self._values.items()]

    def close(self) -> None:
        self.calls.append(("close",))


class FakeSound:
    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.closed = False
        self.other = 0

    def step(self) -> bool:
        assert not self.closed
        return True

    def opened(self) -> Opened:
        return self._opened

    def asks(self) -> int:
        return self.other

    def round_trip(self) -> int:
        return 77

    def xruns(self) -> int:
        return int(os.environ.get("FAKE_XRUNS", "0"))

    def close(self) -> None:
        self.closed = True


class FakeParts:
    """Remembers what it made."""

    def __init__(self) -> None:
        self.players: list[FakePlayer] = []
        self.sounds: list[FakeSound] = []
        self.device = ""
        self.own = 0
        self.skipped = 0
        """So many channels of the device lie before those that are used."""

    def ready(self) -> bool:
        return True

    def progress(self) -> tuple[int, int] | None:
        return None

    def close(self) -> None:
        self.closed = True

    def rate(self, wish, rate) -> int:
        return self.own or rate or 44100

    def route(self, device) -> bool:
        changed, self.device = device != self.device, device
        return changed

    def reach(self, inputs, outputs) -> tuple[int, int]:
        return inputs, outputs + self.skipped

    def player(self, wish, rate, notice) -> FakePlayer:
        self.players.append(FakePlayer(rate, notice))
        return self.players[-1]

    def sound(self, wish, renderer, inputs, outputs, rate, notice) -> FakeSound:
        if wish.output == "deadly":
            os._exit(7)
        opened = Opened(wish.output or "first", "fake", True, rate, wish.block or 256, inputs, outputs, 128)
        self.sounds.append(FakeSound(opened))
        return self.sounds[-1]


if __name__ == "__main__":
    main(parts=FakeParts())
