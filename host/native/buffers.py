"""The buffers of a schedule in memory: where each slot's first sample lies."""

from __future__ import annotations

from collections.abc import Sequence

from graph.schedule import Slot
from host.native.arena import aligned, touched


class Buffers:
    """One pool for all buffers of a program, each of ``block`` frames."""

    def __init__(self, lanes: Sequence[int], block: int) -> None:
        starts: list[int] = []
        at = 0
        for count in lanes:
            starts.append(at)
            at += count * block + (-count * block) % 16
        self.lanes = lanes
        self.pool = touched(aligned((at + 16,), "f4"))  # no callback is the first to write to a page
        home = self.pool.ctypes.data
        self._base = [home + 4 * start for start in starts]

    def place(self, slot: Slot) -> int:
        """The address of a slot's first sample, checked against the pool."""
        buffer, lane, count = slot
        lanes = self.lanes[buffer]
        if buffer:
            if lane + count > lanes:
                raise AssertionError(f"slot {slot} is wider than its buffer of {lanes}")
        elif count > lanes:
            raise AssertionError(f"silence of {lanes} lanes is too narrow for {slot}")
        return self._base[buffer] + 4 * lane

    def pitch(self, slot: Slot) -> int:
        """Lanes from one frame of a slot to the next."""
        return self.lanes[slot.buffer] if slot.buffer else slot.lanes
