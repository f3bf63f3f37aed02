"""Axes of curves: values to pixels and back, and where lines and words stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOWEST_HZ, HIGHEST_HZ = 20.0, 20000.0
OCTAVE_LINES = tuple(k * 10.0**e for e in (1, 2, 3, 4) for k in range(1, 10))
NAMED_HZ = (50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """From the value ``low`` at the pixel ``start`` to ``high`` at ``end``; ``log``: equal ratios are equally long."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """The pixel of a value, also of one beyond the ends."""
        if self.log:
            share = math.log(max(value, 1e-9) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def clamped(self, value: float) -> float:
        """The pixel of a value, or of the end that it is beyond."""
        return self.place(min(max(value, self.low), self.high))

    def value(self, place: float) -> float:
        """The value at a pixel."""
        share = (place - self.start) / (self.end - self.start)
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + share * (self.high - self.low)

    def places(self, values: Floats) -> Floats:
        """The pixels of many values."""
        if self.log:
            share = np.log(np.maximum(values, 1e-9) / self.low) / math.log(self.high / self.low)
        else:
            share = (values - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def sampled(self, count: int) -> Floats:
        """So many values, equally far apart in pixels, from end to end."""
        share = np.linspace(0.0, 1.0, count)
        return self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)


def hertz_words(value: float) -> str:
    """A frequency on an axis."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def steps(low: float, high: float, most: int) -> list[float]:
    """Round values from low to high, at most so many (1, 2, 3, 6, 12 … apart)."""
    for step in (1, 2, 3, 6, 12, 24, 48):
        first = math.ceil(low / step - 1e-9)
        last = math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [float(k * step) for k in range(first, last + 1)]
    return []


RANGES_DB = (12.0, 18.0, 24.0, 30.0, 45.0)


def range_for(gains: Sequence[float] | Floats, least: float = RANGES_DB[0]) -> float:
    """How far an axis of gain must reach, up and down, to show these: decibels."""
    highest = max((abs(float(gain)) for gain in gains), default=0.0)
    return next((r for r in RANGES_DB if r >= max(highest * 1.05, least)), RANGES_DB[-1])


def runs(inside: npt.NDArray[np.bool_]) -> list[slice]:
    """The stretches of at least two points that are inside, one after the other."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
