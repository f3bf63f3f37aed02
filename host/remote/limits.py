"""What keeps a talkative or hostile sender from costing more than its share."""

from __future__ import annotations


class Allowance:
    """So many at once, and so many per second in the long run."""

    def __init__(self, burst: float, per_second: float) -> None:
        self.burst = burst
        self.per_second = per_second
        self._left = burst
        self._then: float | None = None

    def take(self, now: float) -> bool:
        """Whether there is one left at a time in seconds; if so, it is taken."""
        if self._then is not None:
            self._left = min(self.burst, self._left + max(0.0, now - self._then) * self.per_second)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
