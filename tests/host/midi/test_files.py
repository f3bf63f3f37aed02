"""MIDI files, with mido as the other opinion; and hostile ones, each refused in one line."""

from __future__ import annotations

import io
import os
import struct
from fractions import Fraction
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.midi.files import MOST_BYTES, MidiFileError, read_score, read_song, song_of

RATE = 48000
USUAL_TEMPO = 500_000


def saved(file: mido.MidiFile) -> bytes:
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def expected(file: mido.MidiFile) -> list[tuple[int, int]]:
    """Frames and events by mido's reading, in exact arithmetic."""
    timed: list[tuple[int, int, mido.Message]] = []
    for number, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            timed.append((tick, number, message))
    timed.sort(key=lambda each: each[:2])
    found: list[tuple[int, int]] = []
    seconds, before, tempo = Fraction(0), 0, USUAL_TEMPO
    for tick, _, message in timed:
        seconds += Fraction((tick - before) * tempo, file.ticks_per_beat * 1_000_000)
        before = tick
        if message.type == "set_tempo":
            tempo = message.tempo
        elif not message.is_meta and message.type != "sysex":
            data = [*message.bytes(), 0][:3]
            frame = (seconds * RATE + Fraction(1, 2)).__floor__()
            found.append((frame, data[0] | data[1] << 8 | data[2] << 16))
    return found


byte, channel, pause = st.integers(0, 127), st.integers(0, 15), st.integers(0, 50_000)
messages = st.one_of(
    st.builds(
        lambda t, c, n, v: mido.Message("note_on", time=t, channel=c, note=n, velocity=v), pause, channel, byte, byte
    ),
    st.builds(lambda t, c, n: mido.Message("note_off", time=t, channel=c, note=n), pause, channel, byte),
    st.builds(lambda t, c, n: mido.Message("program_change", time=t, channel=c, program=n), pause, channel, byte),
    st.builds(lambda t, c, n: mido.Message("aftertouch", time=t, channel=c, value=n), pause, channel, byte),
    st.builds(lambda t, c, n: mido.Message("pitchwheel", time=t, channel=c, pitch=n * 99 - 6000), pause, channel, byte),
    st.builds(lambda t, n: mido.Message("sysex", time=t, data=[n] * n), pause, byte),
    st.builds(lambda t, n: mido.MetaMessage("set_tempo", time=t, tempo=n), pause, st.integers(1, 0xFFFFFF)),
    st.builds(lambda t: mido.MetaMessage("text", time=t, text="words"), pause),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(messages, max_size=40), min_size=1, max_size=3), st.integers(96, 32767))
def test_what_is_read_is_what_mido_wrote_on_the_nearest_frame(tracks, division):
    file = mido.MidiFile(ticks_per_beat=division, type=1 if len(tracks) > 1 else 0)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    again = mido.MidiFile(file=io.BytesIO(saved(file)))
    score = read_score(saved(file))
    assert score.division == division
    assert [tuple(row) for row in song_of(score, RATE).events.tolist()] == expected(again)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + body


def header(format: int = 0, tracks: int = 1, division: int = 480) -> bytes:
    return chunk(b"MThd", struct.pack(">HHH", format, tracks, division))


def test_running_status_foreign_chunks_and_a_longer_header_are_taken():
    body = bytes([0, 0x90, 60, 100, 10, 61, 100, 10, 60, 0, 0, 0xFF, 0x2F, 0, 1, 2, 3])
    data = chunk(b"MThd", struct.pack(">HHH", 0, 1, 480) + b"more") + chunk(b"XFIH", b"what") + chunk(b"MTrk", body)
    score = read_score(data)
    assert score.events == [(0, 0x90 | 60 << 8 | 100 << 16), (10, 0x90 | 61 << 8 | 100 << 16), (20, 0x90 | 60 << 8)]
    assert score.end == 20


@pytest.mark.parametrize(("rate", "seconds"), [(24, 1.0), (25, 1.0), (30, 1.0), (29, 1.001)])
def test_time_in_frames_a_second_needs_no_tempo(rate, seconds):
    shown = 30 if rate == 29 else rate
    track = bytes([0x80 | shown * 40 >> 7, shown * 40 & 127, 0x90, 60, 100, 0, 0xFF, 0x2F, 0])
    data = header(division=(256 - rate) << 8 | 40) + chunk(b"MTrk", track)
    song = song_of(read_score(data), RATE)
    assert song.events[0, 0] == song.frames == round(seconds * RATE)


HOSTILE = {
    "nothing": (b"", "expected a MIDI file"),
    "another file": (b"RIFF" + bytes(100), "expected a MIDI file, which begins with MThd"),
    "a cut header": (b"MThd\0\0", "expected the header's length of 4 bytes at byte 4"),
    "a header that is too short": (chunk(b"MThd", b"\0\0\0"), "expected a header of at least 6 bytes, found 3"),
    "a header that claims all there is": (b"MThd\xff\xff\xff\xff" + bytes(6), "expected a header of 4294967295 bytes"),
    "format 2": (header(format=2), "expected format 0 or 1, found 2"),
    "no ticks": (header(division=0), "expected at least one tick"),
    "a strange time": (header(division=0xE000), "expected 24, 25, 29 or 30 frames a second"),
    "tracks without end": (header(tracks=65535), "expected at most 1024 tracks, found 65535"),
    "fewer tracks than it says": (header(tracks=3) + chunk(b"MTrk", b""), "expected 3 tracks, found 1"),
    "a track longer than the file": (header() + b"MTrk\x7f\xff\xff\xff\0", "expected a track of 2147483647 bytes"),
    "data without status": (header() + chunk(b"MTrk", b"\0\x40\x40"), "expected a status at byte 23, found 64"),
    "a time without end": (header() + chunk(b"MTrk", b"\xff" * 9), "expected a time of at most four bytes"),
    "a cut event": (header() + chunk(b"MTrk", b"\0\x90\x40"), "expected an event of 2 bytes"),
    "data above 127": (header() + chunk(b"MTrk", b"\0\x90\x40\xff\0"), "expected data bytes up to 127"),
    "a message no file has": (header() + chunk(b"MTrk", b"\0\xf4\0"), "expected an event at byte 23, found 244"),
    "a sysex longer than the track": (header() + chunk(b"MTrk", b"\0\xf0\xff\xff\xff\x7f"), "expected an event of"),
    "a tempo of no time": (
        header() + chunk(b"MTrk", b"\0\xff\x51\x03\0\0\0"),
        "expected a tempo of three bytes, not 0",
    ),
    "a tempo of two bytes": (header() + chunk(b"MTrk", b"\0\xff\x51\x02\1\1"), "expected a tempo of three bytes"),
    "a song of years": (
        header(division=1) + chunk(b"MTrk", b"\xff\xff\xff\x7f\x90\1\1"),
        "expected at most 604800 sec",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_in_one_line_that_says_where(what, tmp_path):
    data, words = HOSTILE[what]
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    with pytest.raises(MidiFileError) as caught:
        read_song(path, RATE)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 3), st.integers(0, 0xFFFF))
def test_any_bytes_are_read_or_refused(body, tracks, division):
    for data in (body, header(1, tracks, division) + chunk(b"MTrk", body)):
        try:
            song = song_of(read_score(data), RATE)
        except MidiFileError:
            continue
        assert (song.events[:, 0] <= song.frames).all()


def test_a_file_that_is_too_long_or_missing_or_a_folder_is_refused_unread(tmp_path):
    long = tmp_path / "long.mid"
    with long.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for path, words in ((long, "at most"), (tmp_path / "none.mid", "No such file"), (tmp_path, "directory")):
        with pytest.raises(MidiFileError, match=words):
            read_song(Path(path), RATE)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(MidiFileError, match="expected a file"):
        read_song(tmp_path / "pipe.mid", RATE)
