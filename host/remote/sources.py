"""What on a MIDI controller moves: a control change, an NRPN, a pitch bend, or a note.

A source is written as in a patch: ``cc 1 74`` (channel, number), ``nrpn 1 300``, ``pitch_bend 1``, ``note 10 36``;
channels from 1 to 16. Positions are 0 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import mido

SourceKind = Literal["cc", "nrpn", "pitch_bend", "note"]

HIGHEST = {"cc": 127, "nrpn": 16383, "pitch_bend": 16383, "note": 127}
"""The highest value that a source of a kind sends."""
_MOST_NUMBERS = {"cc": 127, "nrpn": 16383, "note": 127}

SELECT_FINE, SELECT_COARSE, DATA_COARSE, DATA_FINE = 98, 99, 6, 38
REGISTERED = (100, 101)
"""Control changes that select what data entry means: NRPNs with 99 and 98, registered ones with 101 and 100."""


class SourceError(ValueError):
    """A text names no source: what was expected, in one line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A control of a controller; ``number`` is 0 for pitch bend."""

    kind: SourceKind
    channel: int
    number: int = 0

    def __str__(self) -> str:
        number = "" if self.kind == "pitch_bend" else f" {self.number}"
        return f"{self.kind} {self.channel}{number}"


@dataclass(frozen=True, slots=True)
class Event:
    """A source is at a position now; ``down`` says whether it is pressed, if it is a button."""

    source: Source
    position: float
    down: bool

    @property
    def raw(self) -> int:
        """The position as the source itself would send it."""
        return raw_at(self.source, self.position)


_WRITTEN = re.compile(r"(cc|nrpn|pitch_bend|note) ([0-9]{1,2})(?: ([0-9]{1,5}))?")


def parse(text: object) -> Source:
    """The source that a text names. Raises SourceError."""
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) and len(text) <= 32 else None
    expected = SourceError('expected a source such as "cc 1 74", "nrpn 1 300", "pitch_bend 1" or "note 10 36"')
    if found is None:
        raise expected
    kind, channel, number = found.groups()
    if (number is None) != (kind == "pitch_bend"):
        raise expected
    if not 1 <= int(channel) <= 16:
        raise SourceError(f"expected a channel from 1 to 16, found {channel}")
    if number is not None and int(number) > _MOST_NUMBERS[kind]:
        raise SourceError(f"expected a number from 0 to {_MOST_NUMBERS[kind]} after {kind}, found {number}")
    return Source(kind, int(channel), int(number or 0))  # pyright: ignore[reportArgumentType] - the pattern has the kinds


def raw_at(source: Source, position: float) -> int:
    """The whole number that a source sends at a position."""
    return int(min(max(position, 0.0), 1.0) * HIGHEST[source.kind] + 0.5)


@dataclass(slots=True)
class _Channel:
    """What NRPNs need remembered of a channel: the selected number in two halves, and the value so far."""

    coarse: int | None = None
    fine: int | None = None
    value: int = 0
    seen_fine: set[int] = field(default_factory=set[int])
    """NRPNs whose sender sends values in two halves; the others use the first alone, up to 127."""

    @property
    def number(self) -> int | None:
        if self.coarse is None or self.fine is None:
            return None
        number = self.coarse << 7 | self.fine
        return None if number == 16383 else number  # both 127: nothing is selected


class Decoder:
    """Turns the messages of one port into events."""

    def __init__(self) -> None:
        self._channels = [_Channel() for _ in range(16)]

    def events(self, message: Any) -> Iterator[Event]:
        """What a message of mido's says; most messages say nothing."""
        match message.type:
            case "control_change":
                yield from self._control_change(message.channel, message.control, message.value)
            case "pitchwheel":
                position = (message.pitch + 8192) / 16383
                yield Event(Source("pitch_bend", message.channel + 1), position, position >= 0.5)
            case "note_on" | "note_off":
                velocity = message.velocity if message.type == "note_on" else 0
                yield Event(Source("note", message.channel + 1, message.note), velocity / 127, velocity > 0)

    def _control_change(self, channel: int, control: int, value: int) -> Iterator[Event]:
        state = self._channels[channel]
        if control == SELECT_COARSE:
            state.coarse = value
        elif control == SELECT_FINE:
            state.fine = value
        elif control in REGISTERED:
            state.coarse = state.fine = None
        elif control in (DATA_COARSE, DATA_FINE) and (number := state.number) is not None:
            if control == DATA_FINE:
                state.seen_fine.add(number)
                state.value = state.value & ~127 | value
            else:
                state.value = value << 7
            position = state.value / 16383 if number in state.seen_fine else value / 127
            yield Event(Source("nrpn", channel + 1, number), position, position >= 0.5)
        else:
            yield Event(Source("cc", channel + 1, control), value / 127, value >= 64)


def messages(source: Source, raw: int) -> list[mido.Message]:
    """What to send a controller so that it shows a source at a raw value."""
    channel = source.channel - 1

    def change(control: int, value: int) -> mido.Message:
        return mido.Message("control_change", channel=channel, control=control, value=value)

    match source.kind:
        case "cc":
            return [change(source.number, raw)]
        case "pitch_bend":
            return [mido.Message("pitchwheel", channel=channel, pitch=raw - 8192)]
        case "note":
            return [mido.Message("note_on", channel=channel, note=source.number, velocity=raw)]
        case "nrpn":
            return [
                change(SELECT_COARSE, source.number >> 7),
                change(SELECT_FINE, source.number & 127),
                change(DATA_COARSE, raw >> 7),
                change(DATA_FINE, raw & 127),
            ]
