"""Impulse."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import AudioOut, Config, Level, Memory, Node, Param, Services, State, kernel
from nodes.dsp.machine import f32
from nodes.dsp.precise import precise

START, PERIOD = 0, 1


class Impulse(Node):
    """Play single samples: one at timeline zero, or one every period from there on.

    The k-th lies at frame round(k · period · rate). When the period moves, the next one counts from the last.
    """

    kind = "impulse"
    family = "input"
    accumulates = True

    out = AudioOut("out", "mono")
    period = Param("period_s", 0.0, 0.0, 60.0, "s", doc="Time from one to the next; 0 plays only the one at zero.")
    level = Level("level_db", 0.0, doc="Height.")
    stored = Memory(1, "f8")
    grid = State((2,))

    @classmethod
    def tail(cls, config: Config) -> float:
        """A source."""
        return math.inf

    @classmethod
    def shape_key(cls, config: Config) -> object:
        """The stored period."""
        return config.params["period_s"]

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The stored period, as it was typed."""
        return {"stored": np.array([config.params["period_s"]])}

    @kernel
    def process(out, period, level, stored, grid, rate, time, n):
        i = 0
        while i < n:
            end = min(n, period.until(i))
            frames = precise(period[i, 0], stored[0]) * rate
            if frames != grid[PERIOD]:
                if grid[PERIOD] > 0.0:
                    # The last impulse before this frame starts the new grid.
                    last = math.ceil((time + i - 0.5 - grid[START]) / grid[PERIOD]) - 1
                    grid[START] += max(last, 0) * grid[PERIOD]
                grid[PERIOD] = frames
            if frames > 0.0:
                for j in range(i, end):
                    k = math.ceil((time + j - 0.5 - grid[START]) / frames)
                    hit = k >= 0 and math.floor(grid[START] + k * frames + 0.5) == time + j
                    out[j, 0] = level[j, 0] if hit else f32(0.0)
            else:
                for j in range(i, end):
                    out[j, 0] = level[j, 0] if time + j == 0 else f32(0.0)
            i = end
