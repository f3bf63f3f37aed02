"""Standard MIDI files: what they play, in frames.

A file is not believed: every length in it is checked against what is there before it is used, and what it may hold is
bounded. After the specification "Standard MIDI Files 1.0" of the MIDI Manufacturers Association.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graph.spec import Song

MOST_BYTES = 16 << 20
MOST_EVENTS = 1 << 20
MOST_TRACKS = 1024
LONGEST_S = 7 * 24 * 3600.0
SUFFIXES = (".mid", ".midi", ".smf", ".kar")
USUAL_TEMPO = 500_000
"""Microseconds in a quarter note, until the file says otherwise: 120 beats per minute."""

META, SYSEX, SYSEX_MORE = 0xFF, 0xF0, 0xF7
END_OF_TRACK, TEMPO = 0x2F, 0x51
DROP_FRAMES = 29
"""What stands for 30000/1001 frames a second."""


class MidiFileError(ValueError):
    """A file is no MIDI file that is taken here: one line with what was expected, and where."""


@dataclass(frozen=True, slots=True)
class Score:
    """What is in a file, by tick: channel messages as (tick, packed event), and tempos as (tick, µs per quarter)."""

    events: list[tuple[int, int]]
    tempos: list[tuple[int, int]]
    end: int
    """The tick at which the last track ends."""
    division: int
    """Ticks in a quarter note; or, negative, ticks in a thousand and one seconds, which no tempo changes."""


class _Bytes:
    """Some bytes of a file, read from the front."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def take(self, count: int, what: str) -> bytes:
        """So many bytes."""
        if count > self.end - self.at:
            raise MidiFileError(
                f"expected {what} of {count} bytes at byte {self.at}, found the end after {self.end - self.at}"
            )
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, what: str) -> int:
        """A number of variable length: at most four bytes of seven bits."""
        value = 0
        for _ in range(4):
            (byte,) = self.take(1, what)
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise MidiFileError(f"expected {what} of at most four bytes at byte {self.at - 4}")


def read_score(data: bytes) -> Score:
    """What a file's bytes hold. Raises MidiFileError."""
    whole = _Bytes(data, 0, len(data))
    if whole.take(min(4, len(data)), "a header") != b"MThd":
        raise MidiFileError("expected a MIDI file, which begins with MThd")
    size = int.from_bytes(whole.take(4, "the header's length"), "big")
    header = whole.take(size, "a header")
    if size < 6:
        raise MidiFileError(f"expected a header of at least 6 bytes, found {size}")
    format, tracks, division = (int.from_bytes(header[k : k + 2], "big") for k in (0, 2, 4))
    if format not in (0, 1):
        raise MidiFileError(f"expected format 0 or 1, found {format}")
    if tracks > MOST_TRACKS:
        raise MidiFileError(f"expected at most {MOST_TRACKS} tracks, found {tracks}")
    if division >= 0x8000:
        rate, parts = 256 - (division >> 8), division & 0xFF
        if rate not in (24, 25, DROP_FRAMES, 30) or not parts:
            raise MidiFileError(f"expected 24, 25, 29 or 30 frames a second, found {rate} of {parts} ticks")
        division = -(30000 * parts if rate == DROP_FRAMES else 1001 * rate * parts)
    elif division == 0:
        raise MidiFileError("expected at least one tick in a quarter note, found 0")
    found: list[tuple[int, int, int]] = []
    tempos: list[tuple[int, int]] = []
    end, number = 0, 0
    while number < tracks:
        if whole.at == whole.end:
            raise MidiFileError(f"expected {tracks} tracks, found {number}")
        name = whole.take(4, "a track")
        size = int.from_bytes(whole.take(4, "a track's length"), "big")
        start = whole.at
        whole.take(size, "a track")
        if name == b"MTrk":
            for tick, event, tempo in _track(_Bytes(data, start, whole.at)):
                end = max(end, tick)
                if tempo:
                    tempos.append((tick, tempo))
                elif event:
                    found.append((tick, number, event))
                    if len(found) > MOST_EVENTS:
                        raise MidiFileError(f"expected at most {MOST_EVENTS} events")
            number += 1
    found.sort(key=lambda item: item[:2])
    tempos.sort(key=lambda item: item[0])
    return Score([(tick, event) for tick, _, event in found], tempos, end, division)


def _track(data: _Bytes) -> Iterator[tuple[int, int, int]]:
    """Of each thing in a track: its tick, the channel message, or 0, and the tempo that it sets, or 0."""
    tick = running = 0
    while data.at < data.end:
        tick += data.number("a time")
        (status,) = data.take(1, "an event")
        if status < 0x80:
            if not running:
                raise MidiFileError(f"expected a status at byte {data.at - 1}, found {status}")
            data.at -= 1
            status = running
        if status < 0xF0:
            running = status
            raw = data.take(1 if status & 0xF0 in (0xC0, 0xD0) else 2, "an event")
            if max(raw) > 0x7F:
                raise MidiFileError(f"expected data bytes up to 127 at byte {data.at - len(raw)}, found {max(raw)}")
            yield tick, status | raw[0] << 8 | (raw[1] if len(raw) > 1 else 0) << 16, 0
            continue
        running = 0
        if status == META:
            (kind,) = data.take(1, "an event")
            body = data.take(data.number("a length"), "an event")
            if kind == END_OF_TRACK:
                yield tick, 0, 0
                return
            if kind == TEMPO:
                tempo = int.from_bytes(body, "big")
                if len(body) != 3 or not tempo:
                    raise MidiFileError(f"expected a tempo of three bytes, not 0, before byte {data.at}")
                yield tick, 0, tempo
        elif status in (SYSEX, SYSEX_MORE):
            data.take(data.number("a length"), "an event")
        else:
            raise MidiFileError(f"expected an event at byte {data.at - 1}, found {status}")
    yield tick, 0, 0


def song_of(score: Score, rate: float) -> Song:
    """A score in frames: each tick at the frame that is nearest to it, with no error that adds up."""
    whole_rate = round(rate)
    changes = [(0, USUAL_TEMPO), *score.tempos] if score.division > 0 else [(0, 1)]
    unit = score.division * 1_000_000 if score.division > 0 else -score.division
    scale = whole_rate if score.division > 0 else whole_rate * 1001
    frames: list[int] = []
    passed = before = at = 0
    tempo = changes[0][1]
    for tick in (*(tick for tick, _ in score.events), score.end):
        while at + 1 < len(changes) and changes[at + 1][0] <= tick:
            passed += (changes[at + 1][0] - before) * tempo
            at += 1
            before, tempo = changes[at]
        frames.append((2 * (passed + (tick - before) * tempo) * scale + unit) // (2 * unit))
    if frames[-1] > LONGEST_S * whole_rate:
        raise MidiFileError(f"expected at most {LONGEST_S:g} seconds, found {frames[-1] / whole_rate:g}")
    events = np.zeros((len(score.events), 2), np.int64)
    if score.events:
        events[:, 0], events[:, 1] = frames[:-1], [event for _, event in score.events]
    return Song(events, frames[-1])


def read_song(path: Path, rate: float) -> Song:
    """A file in frames. Raises MidiFileError, whose line begins with the path."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # reading a pipe might never end
            raise MidiFileError(f"{path}: expected a file")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except MidiFileError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MidiFileError(f"{path}: {reason}") from None
    if len(data) > MOST_BYTES:
        raise MidiFileError(f"{path}: expected at most {MOST_BYTES} bytes")
    try:
        return song_of(read_score(data), rate)
    except MidiFileError as error:
        raise MidiFileError(f"{path}: {error}") from None
