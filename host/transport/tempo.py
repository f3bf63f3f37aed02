"""Bars and beats: audio frames as musical places, and back, exactly.

Tempo is in quarter notes per minute, as MIDI files have it; a time signature of 6/8 has six beats to the bar, each half
a quarter note. Bars and beats are counted from 1, ticks from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

TICKS = 960
"""Ticks in a quarter note."""


class PlaceError(ValueError):
    """A text or a place is none that the time signature has: what was expected, in one line."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Tempo and time signature, as a patch's transport has them.

    Tempo is 1 to 1000 quarter notes per minute, ``beats`` and ``unit`` are 1 to 64. Raises PlaceError.
    """

    tempo: float = 120.0
    beats: int = 4
    unit: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.tempo <= 1000:
            raise PlaceError(f"expected a tempo of 1 to 1000 beats per minute, found {self.tempo!r}")
        if not (1 <= self.beats <= 64 and 1 <= self.unit <= 64):
            raise PlaceError(f"expected a time signature of numbers from 1 to 64, found {self.beats}/{self.unit}")

    @property
    def ticks_per_beat(self) -> Fraction:
        """Ticks in one beat of the signature; no whole number where the unit is, say, 7."""
        return Fraction(4 * TICKS, self.unit)


@dataclass(frozen=True, slots=True, order=True)
class MusicalPlace:
    """A bar, a beat in it, and a tick in that."""

    bar: int
    beat: int
    tick: int = 0

    def __str__(self) -> str:
        return f"{self.bar}|{self.beat}|{self.tick:03d}"


def quarters(frame: int, sample_rate: int, meter: Meter) -> Fraction:
    """Quarter notes from the start of the timeline to an audio frame, exactly."""
    return Fraction(frame) * Fraction(meter.tempo) / (60 * sample_rate)


def first_frame(quarter: Fraction, sample_rate: int, meter: Meter) -> int:
    """The first audio frame at or after so many quarter notes."""
    exact = quarter * 60 * sample_rate / Fraction(meter.tempo)
    return -(-exact.numerator // exact.denominator)


def place_at(frame: int, sample_rate: int, meter: Meter) -> MusicalPlace:
    """The bar, beat and tick that an audio frame lies in."""
    ticks = quarters(frame, sample_rate, meter) * TICKS
    beats = ticks // meter.ticks_per_beat
    bar, beat = divmod(beats, meter.beats)
    return MusicalPlace(bar + 1, beat + 1, (ticks - beats * meter.ticks_per_beat).__floor__())


def frame_at(place: MusicalPlace, sample_rate: int, meter: Meter) -> int:
    """The first audio frame of a tick. Raises PlaceError where the signature has no such place."""
    if place.bar < 1 or not 1 <= place.beat <= meter.beats or not 0 <= place.tick < meter.ticks_per_beat:
        raise PlaceError(
            f"expected a bar from 1, a beat from 1 to {meter.beats} and a tick below "
            f"{float(meter.ticks_per_beat):g}, found {place}"
        )
    beats = (place.bar - 1) * meter.beats + place.beat - 1
    return first_frame((beats * meter.ticks_per_beat + place.tick) / TICKS, sample_rate, meter)


_WRITTEN = re.compile(r"([0-9]{1,9})(?:[|.: ]([0-9]{1,2}))?(?:[|.: ]([0-9]{1,5}))?")


def parse(text: str, meter: Meter) -> MusicalPlace:
    """The place that a text names: ``12``, ``12|3`` or ``12|3|480``. Raises PlaceError."""
    found = _WRITTEN.fullmatch(text.strip()) if len(text) <= 32 else None
    if found is None:
        raise PlaceError(f'expected a place such as "12|3|480", found {text[:32]!r}')
    bar, beat, tick = found.groups()
    place = MusicalPlace(int(bar), int(beat or 1), int(tick or 0))
    frame_at(place, 48000, meter)
    return place
