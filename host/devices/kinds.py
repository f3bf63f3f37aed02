"""What a device is to the rest of the program, and which one is meant by a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

NULL = "null"
NULL_CHANNELS = 64
NULL_RATE = 48000
LONGEST_BLOCK = 8192
Notice = Callable[[str], None]


class DeviceError(RuntimeError):
    """A device that cannot be used, and why."""


class Renderer(Protocol):
    """What a device calls for sound."""

    @property
    def callback(self) -> int:
        """Address of a native function of PortAudio's PaStreamCallback type."""
        ...

    @property
    def user(self) -> int:
        """What it gets as user data."""
        ...

    @property
    def frames(self) -> int:
        """Frames rendered so far."""
        ...

    @property
    def callbacks(self) -> int:
        """Calls so far."""
        ...

    def prepare(self, inputs: int, outputs: int, frames: int) -> int:
        """Get ready for a device: its channels (interleaved float32), its frames per call (0: varying).

        Called while no callback runs. Answers the frames of latency that this adds.
        """
        ...

    def process(self, input: Any, output: Any) -> None:
        """The callback's work, called from Python with arrays [frame, channel] of float32; input None: no inputs."""
        ...


class Device(Protocol):
    """An open device. It calls its renderer from ``start`` to ``stop``."""

    name: str
    api: str
    rate: int
    block: int
    """Frames per call; 0: they vary."""
    inputs: int
    outputs: int
    latency_frames: int
    """Input and output latency together, as the device reports it."""
    fifo_frames: int
    """What the renderer adds to it, to bring the device's blocks and whole ticks together."""
    native: bool
    """False: the callback needs the interpreter."""

    @property
    def trouble(self) -> str:
        """What can be said about it when it is no longer alive."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Call the renderer no more. When it returns, no call is at work."""
        ...

    def shut(self) -> None:
        """As ``stop``, without a question to the device: for one that may not answer."""
        ...

    def close(self) -> None: ...

    def alive(self) -> bool:
        """Whether frames are being asked for. Meant to be asked again and again."""
        ...

    @property
    def xruns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device as its system describes it. ``index`` is PortAudio's, until its list is read anew; -1: null."""

    name: str
    api: str
    inputs: int
    outputs: int
    rate: int
    index: int = -1
    default_input: bool = False
    default_output: bool = False

    @property
    def default(self) -> bool:
        """Whether the system offers it first, either way."""
        return self.default_input or self.default_output

    @property
    def label(self) -> str:
        """The name with its interface: one card may be reached through several."""
        return f"{self.api}: {self.name}"


NULL_DEVICE = DeviceInfo(NULL, "Patchwright", NULL_CHANNELS, NULL_CHANNELS, NULL_RATE)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which device to use, and how. Empty names mean the system's default, ``null`` none at all; 0 is "its own"."""

    output: str = ""
    input: str = ""
    rate: int = 0
    block: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.block <= LONGEST_BLOCK:
            raise ValueError(f"a device's block is 1 to {LONGEST_BLOCK} frames, or 0 for its own; got {self.block}")
        if self.rate and not 8000 <= self.rate <= 384000:
            raise ValueError(f"a device's rate is 8000 to 384000 Hz, or 0 for the patch's; got {self.rate}")


def matching(name: str, found: Sequence[DeviceInfo]) -> Iterator[tuple[DeviceInfo, bool]]:
    """The devices meant by a name, best first, and whether it is theirs to the letter.

    A name may stand alone, or after its interface: ``JACK Audio Connection Kit: system``.
    """
    ranked = sorted(found, key=lambda d: not d.default)
    exact = [d for d in ranked if name in (d.name, d.label)]
    yield from ((d, True) for d in exact)
    yield from ((d, False) for d in ranked if d not in exact and name.lower() in d.label.lower())
