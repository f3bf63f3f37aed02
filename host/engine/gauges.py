"""What can be read off a program in play: readings of nodes, what leaves the patch, loads, and what each node costs."""

from __future__ import annotations

from time import monotonic

import numpy as np

from graph.layouts import labels_of
from graph.schedule import CompiledNode
from host.engine.conductor import Conductor
from host.engine.readings import COST, Source
from host.native.abi import STREAM_END
from host.native.runner import ROW_CYCLES, ROW_WORST
from host.usernodes.counting import counters

COSTS_S = 0.5
"""How often costs are added up."""
FADING = 0.9
"""What is left of the worst there was, from one adding up to the next."""
LEVEL_FRAMES = 4096
"""Of what left the patch, so many frames at most are looked at for its level."""


class Gauges:
    """Of what a conductor plays. One thread only."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor, self._live = conductor, conductor.live
        self._late = 0
        self._counted: tuple[object, list[np.ndarray]] = (None, [])
        self._shown: object = None
        self._costs: dict[str, np.ndarray] = {}
        self._spent: dict[str, float] = {}
        self._levels: dict[str, tuple[np.ndarray, int]] = {}
        self._costs_at = (0.0, 0, 0)
        self._then = (0, 0, 0)
        self._worst = 0.0

    def culprit(self) -> str:
        """The node that took longest in the last block that took too long; none where none has since the last call."""
        late, self._late = self._late, self._live.late
        if self._live.late <= late or self._conductor.playing is None:
            return ""
        members = self._members()
        return ", ".join(members[self._live.culprit][:3]) if self._live.culprit < len(members) else ""

    def numbers(self) -> dict[str, float]:
        """Numbers to publish. Loads are of the time since the last call."""
        live = self._live
        frames, calls, spent = live.frames, live.callbacks, live.spent
        passed = (frames - self._then[0]) / self._live.rate
        block_s = passed / max(calls - self._then[1], 1)
        load = (spent - self._then[2]) / live.cycles_per_second / passed if passed > 0 else 0.0
        worst = live.take_worst() / block_s if block_s > 0 else 0.0
        self._worst = max(worst, load, self._worst * 0.97)
        self._then = frames, calls, spent
        self._add_up_costs()
        self._measure_outputs()
        return {
            "clock": frames,
            "place": live.place,
            "load": load,
            "worst": self._worst,
            "late": live.late,
            "missed": self._conductor.missed(),
            "scrubbed": live.scrubbed + self._unsound(),
            "callbacks": calls,
        }

    def _unsound(self) -> int:
        """Samples that nodes of the user's own in play gave, and that were none."""
        playing = self._conductor.playing
        if playing is not self._counted[0]:
            self._counted = playing, [count for _, count in counters(playing.program)] if playing is not None else []
        return sum(int(count[0]) for count in self._counted[1])

    def _add_up_costs(self) -> None:
        now, frames, calls = monotonic(), self._live.frames, self._live.callbacks
        then, before, calls_before = self._costs_at
        if now - then < COSTS_S:
            return
        self._costs_at = now, frames, calls
        spent = self._spent_by_node()
        passed = (frames - before) / self._live.rate
        for id, seconds in spent.items():
            cost = self._costs.get(id)
            if cost is not None and passed > 0 and seconds >= self._spent.get(id, 0.0):
                cost[0] = (seconds - self._spent.get(id, 0.0)) / passed
        self._spent = spent
        block_s = passed / max(calls - calls_before, 1)
        worst = self._take_worst() if block_s > 0 else {}
        for id, seconds in worst.items():
            cost = self._costs.get(id)
            if cost is not None:
                cost[1] = max(seconds / block_s, cost[0], cost[1] * FADING)

    def _measure_outputs(self) -> None:
        """The highest sample of each channel since the last call, of what leaves the patch."""
        for outlet in self._conductor.outlets:
            peaks, seen = self._levels.get(outlet.id, (None, 0))
            if peaks is None or len(peaks) != outlet.ring.shape[1]:
                continue
            end = int(outlet.header[STREAM_END])
            start = max(seen, end - LEVEL_FRAMES, 0)
            if end > start:
                part = outlet.ring[np.arange(start, end) & (len(outlet.ring) - 1)]
                peaks[:] = np.abs(part).max(axis=0)
            self._levels[outlet.id] = peaks, end

    def sources(self) -> list[Source] | None:
        """The readings of the program in play, or None where it is the one it was at the last call."""
        playing = self._conductor.playing
        if playing is self._shown or playing is None:
            return None
        self._shown = playing
        playing.program.watch()
        nodes = {node.key: node for node in playing.program.schedule.nodes}
        # while one patch goes over into another, nodes of both may have the same id; the newer comes last
        found = {
            (nodes[key].id, name): Source(nodes[key].id, name, values, _labels(nodes[key], values.size))
            for (key, name), values in playing.program.readings.items()
            if key in nodes
        }
        self._costs = {node.id: self._costs.get(node.id, np.zeros(2, np.float32)) for node in nodes.values()}
        costs = [Source(id, COST, cost, ("average", "worst")) for id, cost in self._costs.items()]
        self._levels = {o.id: (np.zeros(o.ring.shape[1], np.float32), 0) for o in self._conductor.outlets}
        levels = [Source(o.id, "peak", self._levels[o.id][0], o.labels) for o in self._conductor.outlets]
        return [*found.values(), *levels, *costs]

    def _spent_by_node(self) -> dict[str, float]:
        """Seconds of processor time each node took since the program began; steps of several share it evenly."""
        if self._conductor.playing is None:
            return {}
        found = self._shared(ROW_CYCLES)
        return {node.id: found.get(node.id, 0.0) for node in self._conductor.playing.program.schedule.nodes}

    def _take_worst(self) -> dict[str, float]:
        """Seconds that each node took in its worst block since this was last asked; steps of several share it."""
        if self._conductor.playing is None:
            return {}
        found = self._shared(ROW_WORST)
        self._conductor.playing.program.rows[:, ROW_WORST] = 0
        return found

    def _shared(self, column: int) -> dict[str, float]:
        """A column of cycles as seconds, those of a row shared evenly among the nodes it works for."""
        assert self._conductor.playing is not None
        found: dict[str, float] = {}
        for cycles, members in zip(
            self._conductor.playing.program.rows[:, column].tolist(), self._members(), strict=True
        ):
            for id in members:
                found[id] = found.get(id, 0.0) + cycles / self._live.cycles_per_second / len(members)
        return found

    def _members(self) -> list[list[str]]:
        """The nodes that each row works for; a loop's first row stands for all of it."""
        assert self._conductor.playing is not None
        schedule = self._conductor.playing.program.schedule
        found = [[schedule.nodes[k].id for k in getattr(step, "nodes", ())] for step in schedule.steps]
        for loop in schedule.loops:
            found[loop.first] = list(loop.nodes)
        return found


def _labels(node: CompiledNode, size: int) -> tuple[str, ...]:
    """The names of a reading's parts where they are channels."""
    layouts = map(labels_of, node.config.layouts.values())
    return next((labels for labels in layouts if len(labels) == size), ())
