"""What a session works with, and what it asks of each: a player, an open device, and whoever makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from graph.document import Patch, Point
from host.engine.readings import Source
from host.fields import FromEngine, ToEngine
from host.messages import KeepFiles, OpenDevice
from host.plugins.messages import PluginsIn

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A device that is open, as the status tells of it."""

    name: str = ""
    api: str = ""
    native: bool = True
    rate: int = 0
    block: int = 0
    inputs: int = 0
    outputs: int = 0
    latency: int = 0


class Player(Protocol):
    """What turns patches into sound (``host.engine.player.LivePlayer``)."""

    def running(self, on: bool) -> None:
        """Say whether a device calls the renderer."""
        ...

    def set_patch(self, serial: int, patch: Patch, folder: Path) -> None:
        """Play another patch as soon as it is compiled. Raises PatchError."""
        ...

    def set_param(self, node: str, param: str, value: float) -> None:
        """Let a param glide to another value. Raises PatchError."""
        ...

    def set_points(self, node: str, param: str, points: Iterable[Point]) -> None:
        """Let the automation of a param have other points. Raises PatchError."""
        ...

    def play(self) -> None: ...

    def stop(self) -> None: ...

    def locate(self, frame: int) -> None: ...

    def set_loop(self, loop: tuple[int, int] | None) -> None: ...

    def prefer(self, wish: PluginsIn | KeepFiles) -> None:
        """Which plugins share a process, or how much memory copies of files may take."""
        ...

    def ask_plugins(self, message: ToEngine) -> bool:
        """Something for the plugins; False where there are none."""
        ...

    def told(self) -> list[FromEngine]:
        """What plugins have to tell."""
        ...

    def reroute(self) -> None:
        """Ask again which device channels to use."""
        ...

    def record(self, on: bool, round_trip: int) -> None: ...

    def save_replay(self, path: Path, seconds: float) -> None: ...

    def step(self) -> float: ...

    def outcome(self) -> tuple[int, bool, Iterable[tuple[str, str, str]]] | None:
        """The serial of the newest patch that is in play (True) or was refused (False), and its problems; None as long
        as the newest is neither.
        """
        ...

    def latencies(self) -> Mapping[str, int]:
        """Frames by which each output lags the timeline."""
        ...

    def recording(self) -> tuple[str, ...]: ...

    def place(self) -> int: ...

    def culprit(self) -> str: ...

    def numbers(self) -> Mapping[str, float]: ...

    def sources(self) -> list[Source] | None: ...

    def close(self) -> None: ...

    @property
    def renderer(self) -> Any: ...


class Sound(Protocol):
    """An open device that comes back when it goes away (by ``host.engine.parts``)."""

    def step(self) -> bool:
        """Do what is due; whether it calls the renderer."""
        ...

    def opened(self) -> Opened: ...

    def xruns(self) -> int: ...

    def asks(self) -> int:
        """The rate it has to be opened at, where it is there again and runs at another one; else 0."""
        ...

    def round_trip(self) -> int:
        """Frames from its outputs through a cable to its inputs, as measured; 0 where nobody has."""
        ...

    def close(self) -> None: ...


class Parts(Protocol):
    """Makes what a session is made of."""

    def ready(self) -> bool:
        """Whether a player can be made without waiting for a compiler; if not, it will be by and by."""
        ...

    def progress(self) -> tuple[int, int] | None:
        """How many kernels are compiled, of how many; None while none is being compiled."""
        ...

    def close(self) -> None:
        """The end."""
        ...

    def rate(self, wish: OpenDevice, rate: int) -> int:
        """The rate a device would run at: this one, if it can, else its own; 0 where none is asked for, nor said."""
        ...

    def player(self, wish: OpenDevice, rate: int, notice: Say) -> Player: ...

    def route(self, device: str) -> bool:
        """Use the channels of this device from now on; whether that changes any."""
        ...

    def reach(self, inputs: int, outputs: int) -> tuple[int, int]:
        """How many channels of the device in use so many of a patch reach, by the map of that device."""
        ...

    def sound(self, wish: OpenDevice, renderer: Any, inputs: int, outputs: int, rate: int, notice: Say) -> Sound: ...
