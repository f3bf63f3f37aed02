"""Timecode: audio frames as hours, minutes, seconds and pictures, and back, exactly.

Words: a *frame* is an audio frame here, as everywhere; what timecode counts are *pictures*. A timecode names the moment
its picture begins. Between places and pictures there are whole numbers only, so nothing drifts over a day.

Drop-frame follows SMPTE ST 12-1: the numbers 00 and 01 are passed over at the start of every minute that is no multiple
of ten, so that 29.97 pictures per second keep to the clock; no picture is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HOURS = 24
"""After so many hours timecode begins again."""


class TimecodeError(ValueError):
    """A text is no timecode of the rate: what was expected, in one line."""


@dataclass(frozen=True, slots=True)
class PictureRate:
    """How many pictures per second: ``pictures`` in every ``seconds``, counted as ``nominal`` to a second."""

    name: str
    nominal: int
    pictures: int
    seconds: int
    drop: bool = False

    @property
    def per_minute(self) -> int:
        """Numbers in a minute that passes some over; where none are, in every minute."""
        return self.nominal * 60 - (2 if self.drop else 0)

    @property
    def per_ten_minutes(self) -> int:
        """Numbers in ten minutes; the first of them passes none over."""
        return self.per_minute * 10 + (2 if self.drop else 0)

    @property
    def per_day(self) -> int:
        """Numbers before timecode begins again."""
        return self.per_ten_minutes * 6 * HOURS


RATES: dict[str, PictureRate] = {
    rate.name: rate
    for rate in (
        PictureRate("23.976", 24, 24000, 1001),
        PictureRate("24", 24, 24, 1),
        PictureRate("25", 25, 25, 1),
        PictureRate("29.97", 30, 30000, 1001),
        PictureRate("29.97 DF", 30, 30000, 1001, drop=True),
        PictureRate("30", 30, 30, 1),
    )
}
"""The rates there are, by name."""


@dataclass(frozen=True, slots=True, order=True)
class Timecode:
    """The number of a picture. As text a drop-frame one has a semicolon before its last two digits."""

    hours: int
    minutes: int
    seconds: int
    pictures: int
    drop: bool = False

    def __str__(self) -> str:
        mark = ";" if self.drop else ":"
        return f"{self.hours:02d}:{self.minutes:02d}:{self.seconds:02d}{mark}{self.pictures:02d}"


def numbered(picture: int, rate: PictureRate) -> Timecode:
    """The timecode of the picture that is so many after 00:00:00:00; beyond a day it begins again."""
    picture %= rate.per_day
    if rate.drop:
        tens, rest = divmod(picture, rate.per_ten_minutes)
        # The first minute of ten has two numbers more than the others.
        minutes = max(0, (rest - 2) // rate.per_minute)
        picture += 18 * tens + 2 * minutes
    seconds, pictures = divmod(picture, rate.nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return Timecode(hours, minutes, seconds, pictures, rate.drop)


def picture_of(timecode: Timecode, rate: PictureRate) -> int:
    """How many pictures after 00:00:00:00 a timecode is. Raises TimecodeError where the rate has no such number."""
    t = timecode
    if not (0 <= t.hours < HOURS and 0 <= t.minutes < 60 and 0 <= t.seconds < 60 and 0 <= t.pictures < rate.nominal):
        raise TimecodeError(
            f"expected hours below {HOURS}, minutes and seconds below 60 and pictures below {rate.nominal}, found {t}"
        )
    minutes = 60 * t.hours + t.minutes
    picture = (60 * minutes + t.seconds) * rate.nominal + t.pictures
    if not rate.drop:
        return picture
    if t.seconds == 0 and t.pictures < 2 and t.minutes % 10:
        raise TimecodeError(f"{rate.name} passes over {t}; the minute begins at {t.hours:02d}:{t.minutes:02d}:00;02")
    return picture - 2 * (minutes - minutes // 10)


def timecode_at(frame: int, sample_rate: int, rate: PictureRate, start: int = 0) -> Timecode:
    """The timecode of the picture shown at an audio frame; ``start`` is the picture shown at frame 0."""
    return numbered(start + frame * rate.pictures // (rate.seconds * sample_rate), rate)


def frame_at(timecode: Timecode, sample_rate: int, rate: PictureRate, start: int = 0) -> int:
    """The first audio frame at which a timecode's picture is shown, in the first day after ``start``.

    Raises TimecodeError where the rate has no such number.
    """
    picture = (picture_of(timecode, rate) - start) % rate.per_day
    return -(-picture * rate.seconds * sample_rate // rate.pictures)


_WRITTEN = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})([:;.])([0-9]{1,2})")


def parse(text: str, rate: PictureRate) -> Timecode:
    """The timecode that a text names, such as ``01:00:00:12``; either mark will do. Raises TimecodeError."""
    found = _WRITTEN.fullmatch(text.strip()) if len(text) <= 32 else None
    if found is None:
        raise TimecodeError(f'expected timecode such as "01:00:00:12", found {text[:32]!r}')
    hours, minutes, seconds, _, pictures = found.groups()
    timecode = Timecode(int(hours), int(minutes), int(seconds), int(pictures), rate.drop)
    picture_of(timecode, rate)
    return timecode
