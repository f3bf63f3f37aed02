"""Several threads that run one program together, with the same samples."""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np

from graph.allocate import reads, writes
from graph.schedule import KernelStep, Schedule
from graph.spec import TICK, Memory, State, Stream
from host.native import runner
from host.native.arena import aligned
from host.native.program import Program, native

WEIGHTS = {State: 4.0, Memory: 8.0, Stream: 2.0}
"""What a step is guessed to cost more for what its kind has."""


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


def cost(schedule: Schedule, first: int, last: int) -> float:
    """A guess at what a unit costs: recursions and memory weigh more than sums, wide steps more than narrow ones."""
    total = 0.0
    for step in schedule.steps[first:last]:
        weight = 1.0
        if isinstance(step, KernelStep):
            kind = schedule.nodes[step.nodes[0]].kind
            weight += sum(more for sort, more in WEIGHTS.items() if kind.every(sort))
        lanes = max((slot.lanes for slot in (*writes(step), *reads(step))), default=1)
        total += weight * (1 + lanes / 2)
    return total


def shares(schedule: Schedule, members: int) -> list[list[int]]:
    """Who does which units, in what order: list scheduling by the guessed costs.

    Whoever is free first takes a unit that is ready, one that goes on from its own last unit where there is one.
    """
    found = units(schedule)
    ends = [*(at for at, _ in found[1:]), len(schedule.steps)]
    costs = [cost(schedule, at, end) for (at, _), end in zip(found, ends, strict=True)]
    followers: list[list[int]] = [[] for _ in found]
    missing = [len(waits) for _, waits in found]
    for unit, (_, waits) in enumerate(found):
        for needed in waits:
            followers[needed].append(unit)
    ready = [unit for unit, count in enumerate(missing) if not count]
    done = [0.0] * len(found)
    free = [0.0] * members
    result: list[list[int]] = [[] for _ in range(members)]
    while ready:
        me = min(range(members), key=lambda m: free[m])
        last = result[me][-1] if result[me] else -1
        own = [unit for unit in ready[-64:] if last in found[unit][1]]
        unit = own[0] if own else ready[0]
        ready.remove(unit)
        start = max([free[me], *(done[needed] for needed in found[unit][1])])
        done[unit] = free[me] = start + costs[unit]
        result[me].append(unit)
        for follower in followers[unit]:
            missing[follower] -= 1
            if not missing[follower]:
                ready.append(follower)
    return result


class Team:
    """Threads that run a program together with the caller. The result is the same, bit for bit."""

    def __init__(self, program: Program, threads: int) -> None:
        self.program = program
        # The members wait for one another without sleeping, so more of them than processors would only be in the way.
        crew = max(1, min(threads, os.cpu_count() or 1))
        entries = [np.array([at, len(waits), *waits], np.int64) for at, waits in units(program.schedule)]
        orders = [np.array(share or [0], np.int64) for share in shares(program.schedule, crew)]
        counts = [len(share) for share in shares(program.schedule, crew)]
        self._team = aligned((runner.TEAM_WORDS,), "i8")
        table = np.array([entry.ctypes.data for entry in entries] or [0], np.int64)
        flags = np.zeros(max(1, len(entries)), np.int64)
        self._keep = entries, orders, table, flags
        lead = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 10)(native(runner.lead, 10))
        work = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(native(runner.work, 6))
        shared = (program.rows.ctypes.data, table.ctypes.data, flags.ctypes.data, self._team.ctypes.data)
        own = [(*shared, order.ctypes.data, count) for order, count in zip(orders, counts, strict=True)]
        self._lead = lambda frames: lead(*own[0], crew - 1, program.context.ctypes.data, frames, program.block)
        self._threads = [threading.Thread(target=work, args=words, daemon=True) for words in own[1:]]
        for thread in self._threads:
            thread.start()

    def run(self, frames: int) -> None:
        """As ``Program.run``."""
        if frames % TICK:
            raise ValueError(f"{frames} frames are not a whole number of ticks of {TICK}")
        self._lead(frames)

    def close(self) -> None:
        """Send the threads home."""
        self._team[runner.TEAM_QUIT] = 1
        for thread in self._threads:
            thread.join()
