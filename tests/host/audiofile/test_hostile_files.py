"""Files from strangers: every damage is an AudioFileError or silence, never anything else."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from graph.layouts import LAYOUTS
from host.audiofile import AudioFileError, open_audio, read_tags, read_whole
from host.audiofile.riff import wav_header

from .conftest import noise, write

TAGS = {"title": "x", "isrc": "USRC17607839", "time_reference": "5", "description": "d", "date": "2020"}
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff\xff\x7f")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg"])
def test_mutated_files(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"good.{suffix}", noise(500, 6), LAYOUTS["5.1"], tags=TAGS).read_bytes()
    random = np.random.default_rng(7)
    path = tmp_path / f"bad.{suffix}"
    outcomes = {"read": 0, "refused": 0}
    for index in range(300):
        data = bytearray(whole)
        for _ in range(random.integers(1, 6)):
            at = int(random.integers(0, min(len(data), 700 if index % 2 else 4000)))
            if random.random() < 0.3:
                data[at : at + 4] = EXTREMES[random.integers(4)]
            else:
                data[at] = random.integers(256)
        if random.random() < 0.2:
            data = data[: random.integers(0, len(data))]
        path.write_bytes(data)
        for attempt in (_play, read_tags, read_whole):
            try:
                attempt(path)
                outcomes["read"] += 1
            except AudioFileError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 50, outcomes


def _play(path: Path) -> None:
    with open_audio(path, 44100) as reader:
        reader.read(min(reader.frames, 20_000))
        reader.seek(reader.frames // 2)
        reader.read(100)


def test_a_header_that_promises_the_moon_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    header = wav_header(rate=48000, channels=2, bits=32, floating=True, mask=None, frames=1 << 40)
    path.write_bytes(header + noise(10).tobytes())
    with open_audio(path) as reader:
        assert reader.frames == 10
    write(tmp_path / "a.flac", noise(5000))
    data = bytearray((tmp_path / "a.flac").read_bytes())
    data[21] |= 0x0F  # 2^36 - 1 samples
    data[22:26] = b"\xff" * 4
    (tmp_path / "a.flac").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(AudioFileError, match="68719476735 frames"):
        read_whole(tmp_path / "a.flac")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_chunks_without_end(tmp_path: Path) -> None:
    """A million empty chunks, and a LIST that claims four gigabytes."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 1_000_000)
    with pytest.raises(AudioFileError, match="no complete 'fmt ' chunk"):
        open_audio(path)
    good = write(path, noise(10)).read_bytes()
    path.write_bytes(good + b"LIST" + struct.pack("<I", 0xFFFF_FFF0) + b"INFO" + b"INAM\xff\xff\xff\xffx")
    assert read_tags(path) == {"title": "x"}
    with open_audio(path) as reader:
        assert reader.frames == 10
