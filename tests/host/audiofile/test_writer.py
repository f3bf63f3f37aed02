"""Writing: samples exact, headers right, and never half a file."""

from __future__ import annotations

import gc
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.layouts import LAYOUTS
from host.audiofile import SUBTYPES, AudioFileError, AudioWriter, create_audio, open_audio
from host.audiofile.aiff import aiff_header
from host.audiofile.quantise import dither_source, quantise
from host.audiofile.riff import wav_header

from .conftest import levels, noise, write

SUFFIX = {"WAV": ".wav", "AIFF": ".aiff", "FLAC": ".flac", "OGG": ".ogg"}
KINDS = [(format_, subtype) for format_ in SUBTYPES for subtype in SUBTYPES[format_]]
# How far a sample may be off; for Vorbis, which hides its noise under the sound, not every one of these.
STEP = {"FLOAT": 0.0, "PCM_24": 2.0**-24, "PCM_16": 2.0**-16, "VORBIS": 0.05}


@pytest.mark.parametrize(("format_", "subtype"), KINDS)
def test_soundfile_reads_what_was_written(tmp_path: Path, format_: str, subtype: str) -> None:
    sound = noise(10_001, 1)
    path = tmp_path / f"a{SUFFIX[format_]}"
    with create_audio(path, 44100, ["M"], subtype=subtype) as writer:
        for start in range(0, 10_001, 999):
            writer.write(sound[start : start + 999])
        assert not path.exists()
    assert (writer.frames, writer.clipped, writer.subtype, writer.format) == (10_001, 0, subtype, format_)
    said = soundfile.info(path)
    assert (said.frames, said.samplerate, said.format, said.subtype) == (10_001, 44100, format_, subtype)
    heard = soundfile.read(path, dtype="float32", always_2d=True)[0]
    error = np.abs(heard - sound)
    assert (error.std() if subtype == "VORBIS" else error.max()) <= STEP[subtype]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("suffix", "default"), [("wav", "FLOAT"), ("aif", "FLOAT"), ("flac", "PCM_24"), ("ogg", "VORBIS")]
)
def test_default_subtypes(tmp_path: Path, suffix: str, default: str) -> None:
    assert soundfile.info(write(tmp_path / f"a.{suffix}", noise(100))).subtype == default


@pytest.mark.parametrize(("format_", "subtype"), KINDS)
def test_the_same_sound_is_the_same_file(tmp_path: Path, format_: str, subtype: str) -> None:
    sound = noise(6000)
    tags = {"title": "Twice"}
    one = write(tmp_path / f"a{SUFFIX[format_]}", sound, subtype=subtype, dither=True, seed=3, tags=tags).read_bytes()
    with create_audio(
        tmp_path / f"b{SUFFIX[format_]}", 48000, ("L", "R"), subtype=subtype, dither=True, seed=3, tags=tags
    ) as w:
        w.write(sound[:1])
        w.write(sound[1:4001])
        w.write(sound[4001:])
    assert (tmp_path / f"b{SUFFIX[format_]}").read_bytes() == one


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac"])
@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24)])
def test_integers_survive_exactly_and_clip_exactly(tmp_path: Path, suffix: str, subtype: str, bits: int) -> None:
    top = 2 ** (bits - 1)
    wanted = np.array([0, 1, -1, 12345, -12345, top - 1, -top, top - 1, -top, top - 1, top - 1, 0])
    given = np.array([0, 1, -1, 12345, -12345, top - 1, -top, 3 * top, -3 * top, top, np.inf, np.nan]) / top
    with create_audio(tmp_path / f"a.{suffix}", 48000, ["M"], subtype=subtype) as writer:
        writer.write(given[:, None].astype(np.float32))
    assert writer.clipped == 5
    heard = soundfile.read(tmp_path / f"a.{suffix}", dtype="int32")[0] >> (32 - bits)
    np.testing.assert_array_equal(heard, wanted)


def test_rounding_is_to_nearest_ties_to_even() -> None:
    ints, clipped = quantise(np.array([[0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 32766.5, 32767.5]], np.float32) / 32768, 16)
    assert ints.tolist() == [[0, 2, 2, 0, -2, 0, 32766, 32767]]
    assert clipped == 1


def test_dither_is_triangular_and_frees_the_error_from_the_signal() -> None:
    """TPDF noise makes mean and variance (1/4 LSB²: 1/6 + 1/12) of the error the same at any input."""
    for level in (0.0, 0.25, 0.5):
        ints, _ = quantise(np.full((200_000, 1), level / 32768, np.float32), 16, dither_source(1))
        error = ints - level
        assert abs(error.mean()) < 0.005
        assert abs(error.var() - 0.25) < 0.005
        assert set(np.unique(ints)) <= {-1, 0, 1, 2}
    other, _ = quantise(np.zeros((1000, 1), np.float32), 16, dither_source(2))
    same, _ = quantise(np.zeros((1000, 1), np.float32), 16, dither_source(1))
    assert (other != same).any()


def test_vorbis_is_given_no_more_than_full_scale(tmp_path: Path) -> None:
    loud = np.full((100_000, 1), 1e30, np.float32)
    loud[5] = np.nan
    with create_audio(tmp_path / "a.ogg", 48000, ["M"]) as writer:
        writer.write(loud)
    assert writer.clipped == 100_000
    heard = soundfile.read(tmp_path / "a.ogg")[0]
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 2


def riff_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a RIFF file, walked by hand; sizes past the end fail."""
    chunks, offset = {}, 12
    while offset < len(data):
        name, size = struct.unpack_from("<4sI", data, offset)
        if size == 0xFFFF_FFFF:
            size = struct.unpack_from("<Q", chunks[b"ds64"], 8)[0]
        assert offset + 8 + size <= len(data)
        chunks[name] = data[offset + 8 : offset + 8 + size]
        offset += 8 + size + size % 2
    assert offset == len(data)
    return chunks


def test_a_wav_past_its_limit_becomes_rf64(tmp_path: Path, ffprobe) -> None:
    sound = noise(5000, 6)
    small = write(tmp_path / "small.wav", sound, LAYOUTS["5.1"])
    path = write(tmp_path / "a.wav", sound, LAYOUTS["5.1"], riff_limit=100_000)
    data = path.read_bytes()
    assert small.read_bytes()[:4] == b"RIFF"
    assert data[:12] == b"RF64\xff\xff\xff\xffWAVE"
    assert len(data) == small.stat().st_size
    chunks = riff_chunks(data)
    assert next(iter(chunks)) == b"ds64"
    assert struct.unpack("<QQQI", chunks[b"ds64"]) == (len(data) - 8, 5000 * 24, 5000, 0)
    assert chunks[b"fact"] == b"\xff\xff\xff\xff"
    assert chunks[b"data"] == sound.tobytes()
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], sound)
    assert ffprobe(path)["duration_ts"] == 5000
    with open_audio(path) as reader:
        np.testing.assert_array_equal(reader.read(5000), sound)
        assert reader.layout == "5.1"


def test_the_limit_itself_is_exact() -> None:
    shape = {"rate": 48000, "channels": 1, "bits": 16, "floating": False, "mask": None}
    overhead = len(wav_header(frames=0, **shape)) - 8
    last = (0xFFFF_FFFF - overhead) // 2
    fits, over = wav_header(frames=last, **shape), wav_header(frames=last + 1, **shape)
    assert fits[:4] == b"RIFF"
    assert struct.unpack_from("<I", fits, 4)[0] == overhead + 2 * last <= 0xFFFF_FFFF
    assert over[:4] == b"RF64"
    assert len(fits) == len(over)


def test_two_hours_of_five_one_in_a_sparse_file(tmp_path: Path) -> None:
    frames = 2 * 3600 * 48000
    header = wav_header(rate=48000, channels=6, bits=32, floating=True, mask=0x3F, frames=frames)
    assert struct.unpack_from("<QQQ", header, 20) == (len(header) - 8 + frames * 24, frames * 24, frames)
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(header)
        file.seek(len(header) + (frames - 1) * 24)
        file.write(levels(6, 1).tobytes())
    assert soundfile.info(path).frames == frames
    with open_audio(path) as reader:
        assert (reader.frames, reader.layout, reader.warning) == (frames, "5.1", None)
        reader.seek(frames - 1)
        np.testing.assert_array_equal(reader.read(1), levels(6, 1))


def test_odd_data_is_padded(tmp_path: Path, ffprobe) -> None:
    for suffix in ("wav", "aiff"):
        path = write(tmp_path / f"a.{suffix}", noise(3, 1), subtype="PCM_24")
        assert path.stat().st_size % 2 == 0
        assert ffprobe(path)["duration_ts"] == 3
    data = (tmp_path / "a.wav").read_bytes()
    assert len(riff_chunks(data)[b"data"]) == 9
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8


@pytest.mark.parametrize("rate", [1000, 44100, 48000, 96000, 192000])
def test_aiff_rates(tmp_path: Path, rate: int, ffprobe) -> None:
    path = write(tmp_path / "a.aiff", noise(10), rate=rate)
    assert soundfile.info(path).samplerate == rate
    assert ffprobe(path)["sample_rate"] == str(rate)


def test_an_aiff_does_not_grow_past_four_gib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.audiofile.writer.AIFF_LIMIT", 10_000)
    writer = create_audio(tmp_path / "a.aiff", 48000, ("L", "R"))
    writer.write(noise(1200))
    with pytest.raises(AudioFileError, match="4 GiB that its format can hold; write WAV or FLAC"):
        writer.write(noise(100))
    writer.abort()
    assert list(tmp_path.iterdir()) == []
    header = aiff_header(rate=48000, channels=2, bits=32, floating=True, mask=None, frames=536_000_000)
    assert struct.unpack_from(">I", header, 4)[0] == len(header) - 8 + 536_000_000 * 8


def test_empty_files(tmp_path: Path) -> None:
    for suffix in ("wav", "aiff", "ogg"):
        assert soundfile.info(write(tmp_path / f"a.{suffix}", noise(0))).frames == 0
    with pytest.raises(AudioFileError, match="FLAC cannot hold a file without frames"):
        write(tmp_path / "a.flac", noise(0))
    assert not (tmp_path / "a.flac").exists()


def _write_and_raise(writer: AudioWriter, error: type[BaseException]) -> None:
    with writer:
        writer.write(noise(1000))
        raise error


def test_an_exception_leaves_nothing_and_the_old_file_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(10))
    before = path.read_bytes()
    for error in (RuntimeError, KeyboardInterrupt):
        writer = create_audio(path, 48000, ("L", "R"))
        with pytest.raises(error):
            _write_and_raise(writer, error)
        with pytest.raises(AudioFileError, match="already closed"):
            writer.write(noise(1))
        writer.commit()
    writer = create_audio(path, 48000, ("L", "R"))
    writer.write(noise(1000))
    del writer
    gc.collect()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]
    assert path.read_bytes() == before


def test_commit_twice_and_abort_after_commit_change_nothing(tmp_path: Path) -> None:
    writer = create_audio(tmp_path / "a.flac", 48000, ("L", "R"))
    writer.write(noise(100))
    writer.commit()
    before = (tmp_path / "a.flac").read_bytes()
    writer.commit()
    writer.abort()
    assert (tmp_path / "a.flac").read_bytes() == before


def test_overwriting(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(10))
    before = path.read_bytes()
    with pytest.raises(AudioFileError, match="exists; it will not be overwritten"):
        create_audio(path, 48000, ("L", "R"), overwrite=False)
    late = create_audio(tmp_path / "late.wav", 48000, ("L", "R"), overwrite=False)
    late.write(noise(20))
    path.rename(tmp_path / "late.wav")
    with pytest.raises(AudioFileError, match="cannot be written: File exists"):
        late.commit()
    assert (tmp_path / "late.wav").read_bytes() == before
    write(tmp_path / "fresh.wav", noise(5), overwrite=False)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["fresh.wav", "late.wav"]


@pytest.mark.skipif(os.name != "posix", reason="links and modes as POSIX has them")
def test_links_modes_and_devices(tmp_path: Path) -> None:
    real = write(tmp_path / "real.wav", noise(10))
    real.chmod(0o640)
    link = tmp_path / "link.wav"
    link.symlink_to(real)
    write(link, noise(20))
    assert link.is_symlink()
    assert soundfile.info(real).frames == 20
    assert real.stat().st_mode & 0o777 == 0o640
    device = tmp_path / "null.wav"
    device.symlink_to("/dev/null")
    with pytest.raises(AudioFileError, match="not an ordinary file; it will not be replaced"):
        create_audio(device, 48000, ("L", "R"))


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("a.xyz", {}, "cannot tell the format from '.xyz'; expected .wav, .flac, .aiff or .ogg"),
        ("a", {}, "cannot tell the format"),
        ("a.flac", {"subtype": "FLOAT"}, "FLAC cannot hold FLOAT; expected PCM_24 or PCM_16"),
        ("a.ogg", {"subtype": "PCM_16"}, "OGG cannot hold PCM_16; expected VORBIS"),
        ("a.wav", {"subtype": "PCM_99"}, "WAV cannot hold PCM_99; expected FLOAT or PCM_24 or PCM_16"),
        ("a.flac", {"rate": 700_000}, "FLAC cannot hold 700000 Hz"),
        ("a.wav", {"rate": 0}, "WAV cannot hold 0 Hz"),
        ("nowhere/a.wav", {}, "there is no folder"),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path: Path, name: str, more: dict, said: str) -> None:
    with pytest.raises(AudioFileError, match=said):
        create_audio(tmp_path / name, labels=("L", "R"), **{"rate": 48000} | more)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "reason"), [("wav", "File too large"), ("flac", "the disk may be full")])
@pytest.mark.skipif(os.name != "posix", reason="limits on file sizes")
def test_a_full_disk_is_one_clear_error(tmp_path: Path, suffix: str, reason: str) -> None:
    """A limit on file size stands in for a full disk."""
    script = f"""
import resource, numpy as np
from host.audiofile import AudioFileError, create_audio
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    with create_audio({str(tmp_path / f"a.{suffix}")!r}, 48000, ("L", "R")) as writer:
        noise = np.random.default_rng(0).uniform(-1, 1, (50_000, 2)).astype(np.float32)
        for _ in range(20):
            writer.write(noise)
except AudioFileError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"a.{suffix}: cannot be written: {reason}" in said.stdout
    assert said.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(("how", "suffix"), [(signal.SIGKILL, "wav"), (signal.SIGKILL, "flac"), (signal.SIGINT, "wav")])
def test_a_killed_writer_leaves_no_half_file(tmp_path: Path, how: signal.Signals, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    script = f"""
import sys, numpy as np
from host.audiofile import create_audio
with create_audio({str(path)!r}, 48000, ("L", "R")) as writer:
    writer.write(np.ones((500_000, 2), np.float32))
    print("writing", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        child.send_signal(how)
        assert child.wait() != 0
    left = list(tmp_path.iterdir())
    assert not path.exists()
    if how == signal.SIGINT:
        assert left == []
    elif suffix == "wav":  # and what had reached the disk can still be rescued
        with open_audio(left[0].rename(tmp_path / "rescued.wav")) as reader:
            assert reader.frames > 100_000
            assert (reader.read(100_000) == 1.0).all()
