"""The transport from outside: what it can be told, and what it says of itself, whoever asks by whatever wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

LONGEST_S = 366 * 24 * 3600.0

Word = Literal["play", "stop", "toggle", "start", "loop", "record"]
WORDS: tuple[Word, ...] = get_args(Word)
"""What a button can be for. ``toggle`` plays or stops; ``start`` goes to the start of the timeline; ``loop`` and
``record`` switch on and off.
"""


@dataclass(frozen=True, slots=True)
class State:
    """How a transport is. Places are seconds on the timeline; ``tempo`` is quarter notes per minute."""

    rolling: bool = False
    place_s: float = 0.0
    loop: tuple[float, float] | None = None
    recording: bool = False
    tempo: float = 120.0


class Transport(Protocol):
    """The engine's, or one of a test's. Its methods are called from the one thread that calls ``Remote.step``."""

    def play(self) -> None: ...

    def stop(self) -> None: ...

    def locate(self, seconds: float) -> None: ...

    def loop(self, span: tuple[float, float] | None) -> None:
        """Go round between two places, or no longer."""
        ...

    def record(self, on: bool) -> None: ...

    def state(self) -> State: ...


class Deck:
    """A transport with buttons, and with a memory of its loop."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._span: tuple[float, float] | None = None

    @property
    def state(self) -> State:
        """How the transport is."""
        found = self.transport.state()
        if found.loop is not None:
            self._span = found.loop
        return found

    def press(self, word: Word) -> None:
        """Press a button."""
        state = self.state
        match word:
            case "play":
                self.transport.play()
            case "stop":
                self.transport.stop()
            case "toggle":
                self.transport.stop() if state.rolling else self.transport.play()
            case "start":
                self.transport.locate(0.0)
            case "loop":
                self.loop(state.loop is None)
            case "record":
                self.transport.record(not state.recording)

    def lit(self, word: Word) -> bool:
        """Whether a button's light is on."""
        state = self.state
        match word:
            case "play" | "toggle":
                return state.rolling
            case "stop":
                return not state.rolling
            case "loop":
                return state.loop is not None
            case "record":
                return state.recording
            case "start":
                return False

    def loop(self, on: bool) -> bool:
        """Go round in the loop that there was last, or no longer; whether there was one."""
        state = self.state
        if on and state.loop is None and self._span is not None:
            self.transport.loop(self._span)
        elif not on:
            self.transport.loop(None)
        return not on or self._span is not None
