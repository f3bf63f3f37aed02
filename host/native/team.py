"""Several threads that run one program together, with the same samples."""

from __future__ import annotations

import ctypes
import threading

import numpy as np

from graph.allocate import reads, writes
from graph.schedule import Schedule
from graph.spec import TICK
from host.native import runner
from host.native.arena import aligned
from host.native.program import Program, native


def units(schedule: Schedule) -> list[tuple[int, list[int]]]:
    """What can be handed to threads: each row, or whole loop, with the units it must wait for (by what it reads and
    overwrites).
    """
    starts = {loop.first: loop.last for loop in schedule.loops}
    found: list[tuple[int, list[int]]] = []
    writer: dict[int, int] = {}
    readers: dict[int, set[int]] = {}
    at = 0
    while at < len(schedule.steps):
        last = starts.get(at, at + 1)
        me = len(found)
        waits: set[int] = set()
        for step in schedule.steps[at:last]:
            for slot in reads(step):
                if slot.buffer:
                    waits.add(writer.get(slot.buffer, me))
                    readers.setdefault(slot.buffer, set()).add(me)
            for slot in writes(step):
                waits.add(writer.get(slot.buffer, me))
                waits |= readers.pop(slot.buffer, set())
                writer[slot.buffer] = me
        waits.discard(me)
        found.append((at, sorted(waits)))
        at = last
    return found


class Team:
    """Threads that run a program together with the caller. The result is the same, bit for bit."""

    def __init__(self, program: Program, threads: int) -> None:
        self.program = program
        self.members = threads - 1
        self.team = aligned((runner.TEAM_WORDS,), "i8")
        entries = [np.array([at, len(waits), *waits], np.int64) for at, waits in units(program.schedule)]
        self.waits = np.array([e.ctypes.data for e in entries] or [0], np.int64)
        self.flags = np.zeros(max(1, len(entries)), np.int64)
        self._entries = entries
        self._lead = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 9)(native(runner.lead, 9))
        work = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(native(runner.work, 6))
        shared = (
            program.rows.ctypes.data,
            len(entries),
            self.waits.ctypes.data,
            self.flags.ctypes.data,
            self.team.ctypes.data,
        )
        self._shared = shared
        self._threads = [threading.Thread(target=work, args=(*shared, k), daemon=True) for k in range(self.members)]
        for thread in self._threads:
            thread.start()

    def run(self, frames: int) -> None:
        """As ``Program.run``."""
        if frames % TICK:
            raise ValueError(f"{frames} frames are not a whole number of ticks of {TICK}")
        self._lead(*self._shared, self.members, self.program.context.ctypes.data, frames, self.program.block)

    def close(self) -> None:
        """Send the threads home."""
        self.team[runner.TEAM_QUIT] = 1
        for thread in self._threads:
            thread.join()
