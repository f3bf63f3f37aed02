"""Scope."""

from __future__ import annotations

from graph.spec import LANES, TICK, AudioIn, AudioOut, Choice, Node, Param, Reading, State, Switch, kernel
from nodes.dsp.lines import clean

POINTS = 512
EDGES = ("rising", "falling", "free")
RISING, FALLING, FREE = 0, 1, 2
PATIENCE = 2
"""After how many windows without a trigger the next one is drawn all the same."""

# Places in the counters: whether a window is being taken, its frames so far, frames waited for the trigger, windows
# taken, frames in the window.
TAKING, SO_FAR, WAITED, TAKEN, LENGTH = 0, 1, 2, 3, 4
LOWEST, HIGHEST = 0, 1


class Scope(Node):
    """Show the wave of a signal, which passes through unchanged.

    A window starts where the first channel crosses ``level`` in the direction of ``edge``, or after two windows' time
    without that; ``free`` does not wait. It is shown once it is full, as 512 points: of each the lowest and the highest
    sample, so that no peak is lost; where there are fewer frames than points, they repeat. ``hold`` keeps what is
    shown.
    """

    kind = "scope"
    family = "analysis"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    span = Param("window_ms", 20.0, 1.0, 2000.0, "ms", "log", "Time that is shown.", rate="tick")
    level = Param("level", 0.0, -1.0, 1.0, doc="What the wave crosses where a window starts.", rate="tick")
    edge = Choice("edge", EDGES, doc="In which direction it crosses.")
    hold = Switch("hold", doc="Keeps what is shown.", rate="tick")
    wave = Reading(doc="Lowest and highest sample of each point, channel by channel.", shape=(POINTS, 2, LANES))
    taken = Reading(doc="How many windows have been taken, modulo 65536.", shape=(1,))
    taking = State((POINTS, 2, LANES), "f4")
    counters = State((5,), "i8")
    before = State((1,), "f4")

    @kernel
    def process(signal, out, span, level, edge, hold, wave, taken, taking, counters, before, rate, n):
        for start in range(0, n, TICK):
            wanted = max(1, int(float(span[start, 0]) * rate * 0.001 + 0.5))
            how = int(edge[start, 0] + 0.5)
            at = float(level[start, 0])
            for i in range(start, start + TICK):
                for lane in range(out.lanes):
                    out[i, lane] = signal[i, lane]
                x = float(clean(signal[i, 0]))
                if counters[TAKING] == 0:
                    up = before[0] < at and x >= at
                    down = before[0] > at and x <= at
                    counters[WAITED] += 1
                    fires = how == FREE or (up if how == RISING else down) or counters[WAITED] > PATIENCE * wanted
                    if fires and hold[start, 0] < 0.5:
                        counters[TAKING], counters[SO_FAR], counters[WAITED] = 1, 0, 0
                        counters[LENGTH] = wanted
                before[0] = x
                if counters[TAKING] == 0:
                    continue
                so_far, frames = counters[SO_FAR], counters[LENGTH]
                first = so_far * POINTS // frames
                end = max((so_far + 1) * POINTS // frames, first + 1)
                begins = so_far == 0 or (so_far - 1) * POINTS // frames < first
                for lane in range(out.lanes):
                    y = clean(signal[i, lane])
                    for point in range(first, end):
                        if begins:
                            taking[point, LOWEST, lane] = taking[point, HIGHEST, lane] = y
                        else:
                            taking[point, LOWEST, lane] = min(taking[point, LOWEST, lane], y)
                            taking[point, HIGHEST, lane] = max(taking[point, HIGHEST, lane], y)
                counters[SO_FAR] = so_far + 1
                if so_far + 1 == frames:
                    counters[TAKING] = counters[SO_FAR] = 0
                    if hold[start, 0] < 0.5:
                        counters[TAKEN] = (counters[TAKEN] + 1) % 65536
                        for point in range(POINTS):
                            for lane in range(out.lanes):
                                wave[point, LOWEST, lane] = taking[point, LOWEST, lane]
                                wave[point, HIGHEST, lane] = taking[point, HIGHEST, lane]
        taken[0] = float(counters[TAKEN])
