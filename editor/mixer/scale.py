"""Where decibels are on a fader, and what a strip's meter remembers. Knows no window."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from graph.spec import Param

_LAW = ((-96.0, 0.0), (-60.0, 0.05), (-40.0, 0.16), (-24.0, 0.33), (-12.0, 0.5), (0.0, 0.72), (6.0, 0.82), (24.0, 1.0))
"""Decibels and places: most of the way is where mixing is done."""
_DB, _PLACES = (tuple(column) for column in zip(*_LAW, strict=True))
MARKS = (24.0, 12.0, 6.0, 0.0, -6.0, -12.0, -24.0, -40.0, -60.0)
"""The decibels that are written beside a fader."""


def fader_place(param: Param, db: float) -> float:
    """Where a level is on the way of a fader, from 0 at the lowest to 1 at the highest of the param."""
    low, high = np.interp((param.low, param.high), _DB, _PLACES)
    db = min(max(db, param.low), param.high)
    return float((np.interp(db, _DB, _PLACES) - low) / (high - low))


def fader_db(param: Param, place: float) -> float:
    """The level at a place, 0 to 1."""
    low, high = np.interp((param.low, param.high), _DB, _PLACES)
    db = float(np.interp(low + (high - low) * min(max(place, 0.0), 1.0), _PLACES, _DB))
    return min(max(db, param.low), param.high)


def marks(param: Param, room: float, least: float) -> list[tuple[float, float]]:
    """Marks that fit beside a fader ``room`` long, ``least`` apart: decibels and place; 0 dB is always there."""
    shown = [(db, fader_place(param, db)) for db in MARKS if param.low <= db <= param.high]
    kept = [(db, place) for db, place in shown if db == 0.0]
    for db, place in sorted(shown, key=lambda mark: abs(mark[0])):
        if all(abs(place - other) * room >= least for _, other in kept):
            kept.append((db, place))
    return sorted(kept)


class Highest:
    """The highest sample since it was forgotten, and whether one was beyond full scale."""

    def __init__(self) -> None:
        self.peak = 0.0

    def hear(self, levels: Sequence[float]) -> None:
        """Sample values, a channel each; what is no number counts as none."""
        self.peak = max([self.peak, *(float(level) for level in levels if math.isfinite(level))])

    @property
    def clipped(self) -> bool:
        """Whether full scale was passed."""
        return self.peak > 1.0

    @property
    def text(self) -> str:
        """In decibels, as a strip shows it."""
        if self.peak < 10**-4.8:
            return "−∞"
        return f"{20 * math.log10(self.peak):+.1f}".replace("-", "−")

    def forget(self) -> None:
        """Begin again."""
        self.peak = 0.0
