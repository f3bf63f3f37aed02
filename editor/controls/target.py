"""The patch that is edited, as remote control sees it (``host.remote.target``).

Remote control runs in a thread of its own: what it sets is heard at once, and waits here until the window has taken it
into the document. Everything is handed over whole, so that neither side waits for the other.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence

from editor.controls.board import Board, Key
from editor.link import Sound
from editor.model import Session
from host.remote.addresses import Addresses
from host.remote.target import Row
from host.remote.transport import State


class SessionTarget:
    """The params of a patch. ``addresses``, ``get`` and ``set`` are remote control's; the rest is the window's."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound
        self._board = Board()
        self._values: dict[Key, float] = {}
        self._set: queue.SimpleQueue[Sequence[Row]] = queue.SimpleQueue()

    @property
    def addresses(self) -> Addresses:
        """The params there are."""
        return self._board.addresses

    def get(self, node: str, param: str) -> float:
        """The value of a param, with everything that was set before."""
        found = self._values.get((node, param))
        if found is None:
            place = self._board.addresses.find(node, param)
            found = float(place.param.default) if place else 0.0
        return found

    def set(self, values: Sequence[Row]) -> None:
        """Let params be heard otherwise at once, and the document follow."""
        for node, param, value in values:
            self._values[node, param] = value
            self._sound.set(node, param, value)
        self._set.put(tuple(values))

    def follow(self, board: Board, values: Mapping[Key, float]) -> None:
        """The patch has these params now."""
        self._board, self._values = board, dict(values)

    def note(self, key: Key, value: float) -> None:
        """A param stands somewhere else."""
        self._values[key] = value

    def taken(self) -> dict[Key, float]:
        """What was set since the last call, each param with its newest value."""
        found: dict[Key, float] = {}
        while True:
            try:
                rows = self._set.get_nowait()
            except queue.Empty:
                return found
            found |= {(node, param): value for node, param, value in rows}


class SessionTransport:
    """The transport (``host.remote.transport``). What changes the document is left to the window, by ``later``."""

    def __init__(
        self, session: Session, sound: Sound, later: Callable[[Callable[[], None]], None], loop: Callable[..., None]
    ) -> None:
        self._session, self._sound, self._later, self._loop = session, sound, later, loop

    def play(self) -> None:
        """Let it roll."""
        self._sound.play()

    def stop(self) -> None:
        """Let it stand."""
        self._sound.stop()

    def locate(self, seconds: float) -> None:
        """Move it."""
        self._sound.locate(seconds)

    def loop(self, span: tuple[float, float] | None) -> None:
        """Go round between two places, or no longer."""
        self._later(lambda: self._loop(span))

    def record(self, on: bool) -> None:
        """Begin or end the takes of all recorders."""
        self._sound.record(on)

    def state(self) -> State:
        """How it is."""
        state, transport = self._sound.state, self._session.patch.transport
        recording = state.device is not None and bool(state.device.recording)
        return State(state.rolling, max(state.place_s, 0.0), transport.loop, recording, float(transport.tempo))
