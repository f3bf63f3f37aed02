"""Reading: formats, positions, loops, damage, memory."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from host.audiofile import AudioFileError, open_audio, read_whole
from host.audiofile.riff import wav_header

from .conftest import noise, write


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "ULAW"])
def test_wav_subtypes_read_as_soundfile_does(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(3000), 48000, subtype=subtype)
    with open_audio(path) as reader:
        assert (reader.rate, reader.out_rate, reader.frames, reader.position) == (48000, 48000, 3000, 0)
        np.testing.assert_array_equal(reader.read(3000), soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "caf", "mp3"])
def test_blocks_of_any_size_are_the_same_sound(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise(20_000), 44100)
    whole = soundfile.read(path, dtype="float32")[0]
    random = np.random.default_rng(1)
    with open_audio(path) as reader:
        pieces = [reader.read(int(size)) for size in random.integers(1, 6000, 20)]
        heard = np.concatenate(pieces)
    np.testing.assert_array_equal(heard[:20_000], whole)
    assert not heard[20_000:].any()


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_seeking(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(20_000))
    with open_audio(path) as reader:
        whole = reader.read(20_000)
        for frame in (0, 7, 19_990, 12_345, 3, 19_999, 20_000, 25_000, 5):
            reader.seek(frame)
            expected = np.zeros((50, 2), np.float32)
            expected[: max(0, 20_000 - frame)] = whole[frame : frame + 50]
            np.testing.assert_array_equal(reader.read(50), expected)
            assert reader.position == frame + 50
        with pytest.raises(ValueError, match="frames count from 0"):
            reader.seek(-1)


def test_read_into_fills_pads_and_counts(tmp_path: Path) -> None:
    sound = noise(100)
    with open_audio(write(tmp_path / "a.wav", sound)) as reader:
        out = np.full((64, 2), 9.0, np.float32)
        assert [reader.read_into(out), reader.read_into(out), reader.read_into(out)] == [64, 36, 0]
        assert not out.any()
        for wrong in (np.empty((8, 3), np.float32), np.empty((8, 2)), np.empty((16, 2), np.float32)[::2]):
            with pytest.raises(ValueError, match="contiguous float32"):
                reader.read_into(wrong)


def test_start_frame_skips(tmp_path: Path) -> None:
    sound = noise(1000)
    path = write(tmp_path / "a.wav", sound)
    with open_audio(path, start_frame=300) as reader:
        assert reader.frames == 700
        np.testing.assert_array_equal(reader.read(700), sound[300:])
        reader.seek(10)
        np.testing.assert_array_equal(reader.read(5), sound[310:315])
    with open_audio(path, start_frame=5000) as reader:
        assert reader.frames == 0
        assert not reader.read(10).any()


@pytest.mark.parametrize("frames", [1, 37, 4000, 9000])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_loops_have_no_seam(tmp_path: Path, suffix: str, frames: int) -> None:
    path = write(tmp_path / f"a.{suffix}", noise(frames + 20))
    sound = open_audio(path).read(frames + 20)
    with open_audio(path, loop=True, start_frame=20) as reader:
        assert reader.frames == frames
        expected = np.tile(sound[20:], (30_000 // frames + 2, 1))
        heard = np.concatenate([reader.read(size) for size in (1, 4096, 63, 9000, 12_000)])
        np.testing.assert_array_equal(heard, expected[: len(heard)])
        reader.seek(3 * frames + 5)
        np.testing.assert_array_equal(reader.read(50), np.tile(expected, (60, 1))[5:55])


def test_empty_files_are_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(0))
    for rate in (None, 44100):
        for loop in (False, True):
            with open_audio(path, rate, loop=loop) as reader:
                assert reader.frames == 0
                assert not reader.read(100).any()


def test_samples_that_are_not_finite_pass(tmp_path: Path) -> None:
    sound = noise(100)
    sound[50, 0], sound[51, 1] = np.nan, np.inf
    with open_audio(write(tmp_path / "a.wav", sound)) as reader:
        np.testing.assert_array_equal(reader.read(100), sound)
        assert reader.scrubbed == 0


def test_a_recording_that_was_never_finished_is_read_to_its_end(tmp_path: Path) -> None:
    sound = noise(500)
    for floating, bits, data in ((True, 32, sound), (False, 16, (sound * 32768).astype("<i2"))):
        path = tmp_path / "a.wav"
        header = wav_header(rate=48000, channels=2, bits=bits, floating=floating, mask=None, frames=0)
        path.write_bytes(header + data.tobytes())
        with open_audio(path) as reader:
            assert (reader.frames, reader.warning) == (
                500,
                "the header does not say how long it is; 500 frames are there",
            )
            assert np.abs(reader.read(500) - sound).max() < 2 / 32768


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(500))
    path.write_bytes(path.read_bytes()[: -100 * 8])
    with open_audio(path) as reader:
        assert (reader.frames, reader.warning) == (400, "cut short: the header promises 500 frames, 400 are there")


def test_a_damaged_flac_says_where(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", noise(50_000))
    path.write_bytes(path.read_bytes()[:90_000])
    with open_audio(path) as reader:
        assert reader.read(10_000).any(axis=1).all()
        with pytest.raises(AudioFileError, match=r"cannot be decoded after frame \d+: flac decoder lost sync"):
            reader.read(40_000)


def test_a_file_that_ends_early_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(5000))
    with open_audio(path) as reader:
        os.truncate(path, path.stat().st_size - 1000 * 8)
        assert reader.read_into(np.empty((5000, 2), np.float32)) == 5000
        assert reader.warning == "cut short: 5000 frames are promised, the sound ends at 4000"


def test_flac_streams_of_unknown_length_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", noise(5000))
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # the total number of samples in STREAMINFO, 36 bits
    data[22:26] = bytes(4)
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match="does not say how long it is"):
        open_audio(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"just some words, no sound at all, and enough of them to fill a header" * 4, "not an audio file"),
        (b"RIFF\x24\0\0\0WAVE", "cut short: there is no complete 'fmt ' chunk"),
        (wav_header(rate=48000, channels=2, bits=32, floating=True, mask=None, frames=9)[:60], "no complete 'fmt '"),
        (
            wav_header(rate=48000, channels=2, bits=32, floating=True, mask=None, frames=9)[:-8],
            "there is no 'data' chunk",
        ),
        (wav_header(rate=48000, channels=0, bits=32, floating=True, mask=None, frames=9), "impossible: 0 channels"),
        (wav_header(rate=48000, channels=99, bits=16, floating=True, mask=None, frames=9), "at most 64"),
        (wav_header(rate=3, channels=2, bits=16, floating=True, mask=None, frames=9), "a sample rate of 3 Hz"),
        (b"fLaC" + bytes(60), "not an audio file"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioFileError, match=said) as caught:
        open_audio(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_folders_devices_and_senseless_arguments(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="a folder, not an audio file"):
        open_audio(tmp_path)
    if os.name == "posix":
        with pytest.raises(AudioFileError, match="not a file"):
            open_audio("/dev/null")
        pipe = tmp_path / "pipe.wav"
        os.mkfifo(pipe)
        with pytest.raises(AudioFileError, match="not a file"):
            open_audio(pipe)
    path = write(tmp_path / "a.wav", noise(10))
    with pytest.raises(AudioFileError, match="cannot be read at 12 Hz"):
        open_audio(path, 12)
    with pytest.raises(AudioFileError, match="cannot start at frame -1"):
        open_audio(path, start_frame=-1)


def test_read_whole_has_limits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(44100), rate=44100)
    block, labels = read_whole(path, 48000)
    assert (block.shape, block.dtype, labels) == ((48000, 2), np.float32, ("L", "R"))
    with pytest.raises(AudioFileError, match=r"48000 frames \(1\.0 s\); at most 47999 fit"):
        read_whole(path, 48000, max_frames=47_999)
    with pytest.raises(AudioFileError, match="2 channels; at most 1"):
        read_whole(path, max_channels=1)


def test_long_files_take_constant_memory(tmp_path: Path) -> None:
    """Ten minutes of 5.1 as a sparse file: 690 MB of sound, read plainly, resampled and looped."""
    frames = 600 * 48000
    path = tmp_path / "a.wav"
    header = wav_header(rate=48000, channels=6, bits=32, floating=True, mask=0x3F, frames=frames)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + frames * 24)
    out = np.empty((16_384, 6), np.float32)
    for rate, blocks in ((None, 1757), (44100, 200)):
        with open_audio(path, rate, loop=rate is not None) as reader:
            reader.read_into(out)
            tracemalloc.start()
            for _ in range(blocks):
                reader.read_into(out)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert reader.position == (blocks + 1) * len(out)
        assert peak < 2 << 20, f"{peak} bytes at {rate}"
