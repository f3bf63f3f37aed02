"""Listening to every MIDI device at once, until a control moves: which one a person has in hand is seen by that.

Where a controller is in use already, remote control itself listens to it; other devices are heard here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from host.remote.learn import Hear
from host.remote.ports import Port
from host.remote.sources import Decoder, Source


class Ears:
    """Hears devices until one of them has moved a control that ``hear`` takes. Nothing here waits."""

    def __init__(self, names: Sequence[str], hear: Callable[[], Hear], backend: Any = None) -> None:
        """``hear`` makes, for each device, what finds out that a control is meant."""
        self._ears = [(Port(name, lambda words: None, backend=backend), Decoder(), hear()) for name in names]
        self.names = tuple(names)

    def step(self, now: float) -> tuple[str, Source] | None:
        """The device and the control that were meant, once there are."""
        for port, decoder, hear in self._ears:
            port.step(now)
            for message in port.iter_pending():
                for event in decoder.events(message):
                    source = hear(event)
                    if source is not None:
                        return port.wanted, source
        return None

    def close(self) -> None:
        """Hear no more."""
        for port, _, _ in self._ears:
            port.close()
        self._ears = []
