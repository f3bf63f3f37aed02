"""The bands of an equaliser, as a declaration gives them: params that share the beginning of their names.

A band has a frequency, and a gain or a Q or both; it may have a switch and a type. A kind has bands if it has a
response to draw. What a band does is asked of that response, never of the kind's name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from editor.faces import Face, from_unit, response, to_unit
from editor.inspector.axes import Axis, Floats
from graph.spec import Node, Param

SHIFT_DB = 6.0
"""How far a gain is moved to find out whether it counts."""
HEARD_DB = 0.5
FINE = 0.15
"""How far a fine drag goes, of what it would go otherwise."""
Q_PER_STEP = 1.12
"""What a Q is multiplied by for a step of the wheel."""
DEEPEST_DB = -60.0


@dataclass(frozen=True, slots=True)
class Band:
    """The names of a band's params; None where it has none of the sort."""

    number: int
    freq: str
    gain: str | None
    q: str | None
    on: str | None
    type: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Its params."""
        return tuple(n for n in (self.on, self.type, self.freq, self.gain, self.q) if n is not None)


def bands_of(face: Face, kind: type[Node] | None) -> tuple[Band, ...]:
    """The bands of a node whose kind has a response; none where it has no such params."""
    if kind is None or kind.response.__func__ is Node.response.__func__:
        return ()
    names = {p.name for p in face.params}
    found: list[Band] = []
    for name in (p.name for p in face.params if p.name.endswith("freq_hz")):
        stem = name.removesuffix("freq_hz")

        def own(ending: str, stem: str = stem) -> str | None:
            return stem + ending if stem + ending in names else None

        gain, q = own("gain_db"), own("q")
        if gain or q:
            found.append(Band(len(found), name, gain, q, own("on"), own("type")))
    return tuple(found)


class Curves:
    """What a node with bands does to the spectrum, by its values: all of it, or one band of it."""

    def __init__(self, face: Face, rate: float) -> None:
        self.face, self.rate = face, rate
        self.kind = face.real
        self.bands = bands_of(face, self.kind)

    def whole(self, freqs: Floats, values: Mapping[str, float] | None = None) -> Floats:
        """The response at frequencies in Hz: decibels, no less than ``DEEPEST_DB``."""
        face = self.face if values is None else replace(self.face, values=values)
        found = response(face, self.kind, self.rate, freqs)
        flat = np.zeros(len(freqs)) if found is None else np.asarray(found, np.float64)
        return np.maximum(np.nan_to_num(flat, nan=0.0, neginf=DEEPEST_DB, posinf=-DEEPEST_DB), DEEPEST_DB)

    def alone(self, band: Band, freqs: Floats, **other: float) -> Floats:
        """The response of one band, as if it were the only one that is on; ``other`` values in place of its own."""
        values = {**self.face.values, **other}
        for each in self.bands:
            if each.on is not None:
                values[each.on] = float(each is band)
        return self.whole(freqs, values)

    def on(self, band: Band) -> bool:
        """Whether a band is heard."""
        return band.on is None or self.face.values[band.on] > 0.0

    def has_gain(self, band: Band) -> bool:
        """Whether a band's gain changes anything, as its type is now."""
        if band.gain is None:
            return False
        param = self.face.param(band.gain)
        assert param is not None
        freq, gain = self.face.values[band.freq], self.face.values[band.gain]
        freqs = np.minimum(freq * np.array([0.1, 0.5, 1.0, 2.0]), 0.49 * self.rate)
        other = gain - SHIFT_DB if gain + SHIFT_DB > param.high else gain + SHIFT_DB
        change = self.alone(band, freqs, **{band.gain: other}) - self.alone(band, freqs)
        return bool(np.max(np.abs(change)) > HEARD_DB)

    def handle(self, band: Band) -> tuple[float, float]:
        """Where a band is taken hold of: Hz, and its gain, or what it does at that frequency."""
        freq = self.face.values[band.freq]
        if self.has_gain(band):
            assert band.gain is not None
            return freq, self.face.values[band.gain]
        return freq, float(self.alone(band, np.array([freq]))[0])

    def touched(self, band: Band) -> bool:
        """Whether a band was ever set: it is on, or a value of it is not the default."""
        params = (self.face.param(name) for name in band.names)
        return self.on(band) or any(p is not None and self.face.values[p.name] != p.default for p in params)


def nearest(handles: Sequence[tuple[float, float] | None], x: float, y: float, reach: float) -> int | None:
    """The handle, in pixels, nearest to a point and no further than ``reach``; None where there is none."""
    best, found = reach, None
    for index, at in enumerate(handles):
        if at is not None and (away := math.hypot(at[0] - x, at[1] - y)) <= best:
            best, found = away, index
    return found


@dataclass(frozen=True, slots=True)
class Hold:
    """A band as it was when it was taken hold of, at a point in pixels."""

    freq: Param
    gain: Param | None
    q: Param | None
    """Turned up and down in place of a gain, where there is none."""
    values: Mapping[str, float]
    x: float
    y: float

    def moved(self, x: float, y: float, across: Axis, up: Axis) -> dict[str, float]:
        """The values after the mouse went to a point. A band with no gain has its Q turned instead."""
        freq = across.value(across.place(self.values[self.freq.name]) + x - self.x)
        found = {self.freq.name: rounded(self.freq, freq)}
        if self.gain is not None:
            gain = up.value(up.place(self.values[self.gain.name]) + y - self.y)
            found[self.gain.name] = rounded(self.gain, gain)
        elif self.q is not None:
            travel = (self.y - y) / abs(up.end - up.start)
            found[self.q.name] = rounded(self.q, from_unit(self.q, to_unit(self.q, self.values[self.q.name]) + travel))
        return found


def rounded(param: Param, value: float) -> float:
    """A value as a mouse can mean it: within the range, gains in tenths, the rest in four digits."""
    value = min(max(value, param.low), param.high)
    near = round(value, 1) if param.unit == "dB" else float(f"{value:.4g}")
    return min(max(near, param.low), param.high)


def turned(q: Param, value: float, wheel: float) -> float:
    """A Q after so many steps of the wheel."""
    return rounded(q, value * Q_PER_STEP**wheel)


def line_of(frequency: Floats, level: Floats, columns: Floats) -> Floats:
    """A spectrum at the frequencies of columns of pixels: the loudest channel, straight between bands on a
    logarithmic axis, in dB. ``frequency``: of the bands; ``level``: band by band, channel by channel.
    """
    by_band = level.reshape(len(frequency), -1).max(axis=1)
    return np.interp(np.log(columns), np.log(np.maximum(frequency, 1e-9)), by_band)
