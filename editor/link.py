"""The sound of what is edited: an engine in a process of its own, started aside, without which the editor works too."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from editor.model import Session
from graph.document import Patch, Point
from host.values import set_values

Floats = npt.NDArray[np.float32]
Readings = Mapping[str, Mapping[str, Floats]]
"""By the engine's address of a node and the reading's name: a value for each channel or part."""

PATCH_EVERY_S = 0.05
"""How often, at most, the engine is given the whole patch while it is being changed,"""
HELD_EVERY_S = 0.4
"""and how often in the middle of a drag that has it compiled at every step, as that of a cable's amount has."""
CLOSING_S = 5.0


@dataclass(frozen=True, slots=True)
class State:
    """How the engine is, as the bars show it. ``phase``: off, starting, on, failed."""

    phase: str = "off"
    words: str = ""
    """Why it failed."""
    alive: bool = False
    rolling: bool = False
    place_s: float = 0.0
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    device: Any = None
    """A ``host.messages.Status``, once known."""
    problems: tuple[tuple[str, str, str], ...] = ()
    """Node, place, message: what is wrong with the patch in play."""
    compiling: tuple[int, int] | None = None
    """How many kernels are compiled of how many that the newest patch waits for."""


@dataclass(slots=True)
class Trim:
    """A level that is heard otherwise than it stands: ``value`` is what the patch has, in decibels like ``by``."""

    value: float
    by: float
    low: float
    high: float

    def of(self, value: float) -> float:
        """What the engine gets in place of a value."""
        return min(max(value + self.by, self.low), self.high)


class Player(Protocol):
    """What is asked of an engine: the part of ``host.Engine`` that the editor uses."""

    def load(self, patch: Patch, wait: bool = True) -> Any: ...
    def set(self, node: str, param: str, value: float) -> None: ...
    def set_points(self, node: str, param: str, points: Iterable[Point]) -> None: ...
    def play(self) -> None: ...
    def stop(self) -> None: ...
    def locate(self, seconds: float) -> None: ...
    def loop(self, start_s: float | None, end_s: float | None = None) -> None: ...
    def record(self, on: bool = True) -> None: ...
    def save_replay(self, path: Path, seconds: float = 60.0) -> None: ...
    def open_device(self, device: str = "", in_device: str = "", rate: int = 0, block: int = 0) -> None: ...
    def keep_files(self, disk_cache_mb: int | None) -> None: ...
    def readings(self) -> Any: ...
    def costs(self) -> Any: ...
    def close(self) -> None: ...
    @property
    def status(self) -> Any: ...
    @property
    def notices(self) -> Any: ...


class Sound:
    """Keeps an engine in step with a session.

    ``make`` starts an engine; it runs in a thread of its own, and so does everything that is asked of the engine: no
    call here waits. What the engine cannot do is said through ``say(level, text)``, and the editor goes on.
    """

    def __init__(self, make: Callable[[], Player] | None, say: Callable[[str, str], None]) -> None:
        self._make, self._say = make, say
        self._tasks: queue.SimpleQueue[Callable[[Player], object] | None] = queue.SimpleQueue()
        self._player: Player | None = None
        self._phase, self._words = ("starting", "") if make else ("off", "")
        self._told: object = None
        self._sent_at = 0.0
        self._trims: Mapping[tuple[str, str], Trim] = {}
        self._thread = threading.Thread(target=self._work, name="engine link", daemon=True)
        if make:
            self._thread.start()

    def _work(self) -> None:
        assert self._make is not None
        try:
            self._player = self._make()
            self._phase = "on"
        except Exception as error:
            self._phase, self._words = "failed", str(error) or type(error).__name__
            self._say("error", f"There is no sound: the engine cannot be started: {self._words}")
            return
        while (task := self._tasks.get()) is not None:
            try:
                task(self._player)
            except Exception as error:
                self._say("error", f"The engine cannot do this: {error}")
        try:
            self._player.close()
        except Exception as error:
            self._say("warning", f"The engine did not end as it should: {error}")

    def ask(self, task: Callable[[Player], object]) -> None:
        """Let something be asked of the engine, in turn, as soon as there is one."""
        if self._phase in ("on", "starting"):
            self._tasks.put(task)

    def follow(self, session: Session, held: bool = False) -> None:
        """Tell the engine what has been done to the patch since the last call; ``held``: in the middle of a drag."""
        if session.patch_changed:
            now = monotonic()
            if now - self._sent_at < (HELD_EVERY_S if held else PATCH_EVERY_S):
                return
            self._sent_at = now
            session.patch_changed = False
            session.to_engine.clear()
            session.points_to_engine.clear()
            patch = session.patch.copy()
            if self._trims:
                set_values(patch, [(*key, trim.of(trim.value)) for key, trim in self._trims.items()], session.kinds)
            self.ask(lambda player: player.load(patch, wait=False))
            return
        rows = {(node, param): value for node, param, value in session.to_engine}
        session.to_engine.clear()
        for (node, param), value in rows.items():
            self.set(node, param, value)
        lines = dict(session.points_to_engine)
        session.points_to_engine.clear()
        for (node, param), points in lines.items():
            self.ask(lambda player, n=node, p=param, line=points: player.set_points(n, p, line))

    def set(self, node: str, param: str, value: float) -> None:
        """Let a param be heard at a value. May be called from any thread."""
        trim = self._trims.get((node, param))
        if trim is not None:
            trim.value, value = value, trim.of(value)
        heard = value
        self.ask(lambda player: player.set(node, param, heard))

    def trim(self, trims: Mapping[tuple[str, str], Trim]) -> None:
        """Let the engine hear of these params other values than the patch has, and of those before them no more."""
        if trims == self._trims:
            return
        back = {key: trim.value for key, trim in self._trims.items() if key not in trims}
        self._trims = dict(trims)
        for key, value in {**back, **{key: trim.of(trim.value) for key, trim in trims.items()}}.items():
            self.ask(lambda player, k=key, v=value: player.set(*k, v))

    @property
    def trimmed_db(self) -> float:
        """How far what is heard is turned otherwise than the patch says, where it is."""
        return next((trim.by for trim in self._trims.values()), 0.0)

    def close(self) -> None:
        """End the engine; waits a little for it."""
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSING_S)

    # -- transport -----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Let the transport roll."""
        self.ask(lambda player: player.play())

    def stop(self) -> None:
        """Let the transport stand."""
        self.ask(lambda player: player.stop())

    def locate(self, seconds: float) -> None:
        """Move the transport."""
        self.ask(lambda player: player.locate(seconds))

    def record(self, on: bool) -> None:
        """Begin or end the takes of all recorders."""
        self.ask(lambda player: player.record(on))

    def keep_last(self, path: Path) -> None:
        """Write the last minute of what was heard to a new file; a notice says when it is there."""
        self.ask(lambda player: player.save_replay(path))

    def open_device(self, device: str = "", in_device: str = "", rate: int = 0, block: int = 0) -> None:
        """Play through another device."""
        self.ask(lambda player: player.open_device(device, in_device, rate, block))

    def keep_files(self, disk_cache_mb: int | None) -> None:
        """Give copies of played files another amount of memory; None: as much as the machine can spare."""
        self.ask(lambda player: player.keep_files(disk_cache_mb))

    # -- what it tells -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How the engine is now."""
        if self._player is None or self._phase != "on":
            return State(self._phase, self._words)
        s = self._player.status
        return State("on", "", s.alive, s.rolling, s.place_s, s.numbers, s.device, s.problems, s.compiling)

    def readings(self) -> Readings:
        """What nodes measure; nothing while there is no engine."""
        return self._player.readings() if self._player is not None else {}

    @property
    def plugins(self) -> Any:
        """The engine's plugins (``host.engine.plugins.Plugins``); None while there is no engine, or plugins are off."""
        return getattr(self._player, "plugins", None) if self._phase == "on" else None

    def costs(self) -> Mapping[str, tuple[float, float]]:
        """What nodes take of the time there is, on average and at worst; 1 is all of it."""
        return self._player.costs() if self._player is not None else {}

    def fresh_notices(self) -> list[tuple[str, str]]:
        """What the engine has said since the last call: level and text."""
        if self._player is None:
            return []
        listed = self._player.notices
        # the engine keeps only so many: how many there are says nothing once that is reached
        known = next((k for k in range(len(listed), 0, -1) if listed[k - 1] is self._told), 0)
        self._told = listed[-1] if listed else self._told
        return [(n.level, n.text) for n in listed[known:]]


def engine_maker(
    device: str = "",
    in_device: str = "",
    rate: int = 0,
    block: int = 0,
    plugins_in: str = "plugin",
    disk_cache_mb: int | None = None,
) -> Callable[[], Player]:
    """Starts ``host.Engine`` on a device; one that plays on from an editor that is gone is taken over."""

    def make() -> Player:
        from host import Engine

        how = {"plugins_in": plugins_in, "disk_cache_mb": disk_cache_mb}
        return Engine(device=device, in_device=in_device, rate=rate, block=block, attach=True, **how)

    return make
