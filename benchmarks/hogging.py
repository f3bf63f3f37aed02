"""A pure-Python loop that never lets the interpreter go of its own accord, and the engine process with it.

``python -m benchmarks.hogging``, with the options of ``python -m host.engine``, is an engine whose control thread does
nothing but run the loop once the transport rolls; ten times a second it makes its ordinary step in between.
"""

from __future__ import annotations

from time import monotonic

from host.engine import __main__ as engine
from host.engine.parts import RealParts
from host.engine.session import Session
from host.messages import Play, ToEngine

SLICE_S = 0.1


def hog(seconds: float) -> int:
    """Keep the interpreter busy for so long; how many times round."""
    end = monotonic() + seconds
    found: dict[int, str] = {}
    times = 0
    while monotonic() < end:
        for i in range(300):
            found[i % 77] = str(i) + "x"
            times += 1
    return times


class HoggedSession(Session):
    """A session in the company of the loop."""

    _hogged = False

    def handle(self, message: ToEngine, more: bool = False) -> None:
        """As the session does."""
        super().handle(message, more)
        self._hogged |= isinstance(message, Play)

    def step(self) -> float:
        """As the session does, after the loop."""
        if self._hogged:
            hog(SLICE_S)
            super().step()
            return 0.0
        return super().step()


def main() -> None:
    """As ``python -m host.engine``."""
    engine.Session = HoggedSession  # type: ignore[misc]
    engine.main(parts=RealParts())


if __name__ == "__main__":
    main()
