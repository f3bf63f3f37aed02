"""Changes on their way to the engine: however fast they come, each param goes out with its newest value, seldom."""

from __future__ import annotations

from host.remote.target import Row, Target

EVERY_S = 0.01
"""Seconds between two hand-overs."""


class Changes:
    """What was set since the last hand-over. A first change goes out at once; those that follow wait their turn."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], float] = {}
        self._handed_over = float("-inf")

    def put(self, node: str, param: str, value: float) -> None:
        """Give a param a value; what it was to become before is forgotten."""
        self._waiting[node, param] = value

    def get(self, target: Target, node: str, param: str) -> float:
        """The value a param has, or is about to have."""
        found = self._waiting.get((node, param))
        return target.get(node, param) if found is None else found

    def hand_over(self, target: Target, now: float) -> bool:
        """Hand what waits to the target, unless there is nothing or the last time was just now.

        Params that went or changed their range with another patch are left out.
        """
        if not self._waiting or now - self._handed_over < EVERY_S:
            return False
        rows: list[Row] = [
            (node, param, value)
            for (node, param), value in self._waiting.items()
            if (place := target.addresses.find(node, param)) and place.param.low <= value <= place.param.high
        ]
        self._waiting.clear()
        self._handed_over = now
        if rows:
            target.set(rows)
        return True
