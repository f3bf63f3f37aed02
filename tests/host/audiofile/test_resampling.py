"""Sample rates: level, phase, place, length, whatever the blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from host.audiofile import open_audio

from .conftest import noise, write

PAIRS = [(44100, 48000), (48000, 44100), (96000, 48000), (48000, 96000), (192000, 8000), (8000, 192000), (44100, 48001)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_streams_equal_soxr_in_one_go(tmp_path: Path, source: int, target: int) -> None:
    sound = noise(source * 3 // 4 + 5, 1)
    once = soxr.resample(sound, source, target, quality="VHQ")
    with open_audio(write(tmp_path / "a.wav", sound, rate=source), target) as reader:
        assert reader.frames == int(len(sound) * target / source + 0.5)
        random = np.random.default_rng(2)
        pieces: list[np.ndarray] = []
        while reader.position < reader.frames:
            pieces.append(reader.read(int(random.integers(1, 9000))))
        heard = np.concatenate(pieces)
        length = min(len(once), reader.frames)
        assert np.abs(heard[:length] - once[:length]).max() < 1e-6
        assert not heard[reader.frames :].any()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_seeking_lands_on_the_same_sound(tmp_path: Path, source: int, target: int) -> None:
    path = write(tmp_path / "a.wav", noise(2 * source), rate=source)
    with open_audio(path, target) as reader:
        whole = reader.read(reader.frames)
        for frame in (reader.frames - 700, 1, target + 17, reader.frames // 3, 0):
            reader.seek(frame)
            assert np.abs(reader.read(500) - whole[frame : frame + 500]).max() < 1e-6
        reader.seek(reader.frames + 10)
        assert not reader.read(100).any()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_sine_keeps_its_level_and_phase(tmp_path: Path, source: int, target: int) -> None:
    hz = 997.0
    sine = 0.5 * np.sin(2 * np.pi * hz * np.arange(source) / source)
    path = write(tmp_path / "a.wav", sine[:, None].astype(np.float32), rate=source)
    with open_audio(path, target) as reader:
        heard = reader.read(reader.frames)[:, 0]
    middle = np.arange(target // 4, target * 3 // 4)
    expected = 0.5 * np.sin(2 * np.pi * hz * middle / target)
    assert np.abs(heard[middle] - expected).max() < 3e-6


def test_an_impulse_stays_in_its_place(tmp_path: Path) -> None:
    sound = np.zeros((44100, 1), np.float32)
    sound[14700] = 1.0  # 1/3 s
    with open_audio(write(tmp_path / "a.wav", sound, rate=44100), 48000) as reader:
        heard = reader.read(48000)[:, 0]
    assert np.argmax(np.abs(heard)) == 16000
    np.testing.assert_allclose(heard[16000 - 64 : 16000], heard[16001 : 16000 + 65][::-1], atol=1e-6)


@pytest.mark.parametrize("frames", [300, 5000])
def test_a_resampled_loop_has_no_seam(tmp_path: Path, frames: int) -> None:
    cycles = 3
    sine = 0.5 * np.sin(2 * np.pi * cycles * np.arange(frames) / frames)
    path = write(tmp_path / "a.wav", sine[:, None].astype(np.float32), rate=44100)
    hz = cycles * 44100 / frames
    with open_audio(path, 48000, loop=True) as reader:
        heard = reader.read(40_000)[:, 0]
        time = np.arange(1000, 40_000) / 48000
        assert np.abs(heard[1000:] - 0.5 * np.sin(2 * np.pi * hz * time)).max() < 3e-6
        reader.seek(10 * 48000 + 11)
        time = (np.arange(500) + 10 * 48000 + 11) / 48000
        assert np.abs(reader.read(500)[:, 0] - 0.5 * np.sin(2 * np.pi * hz * time)).max() < 3e-6


def test_samples_that_are_not_finite_do_not_poison_their_surroundings(tmp_path: Path) -> None:
    clean = noise(10_000)
    clean[5000] = 0.0
    dirty = clean.copy()
    dirty[5000] = np.nan, -np.inf
    with (
        open_audio(write(tmp_path / "a.wav", clean), 44100) as good,
        open_audio(write(tmp_path / "b.wav", dirty), 44100) as bad,
    ):
        np.testing.assert_array_equal(bad.read(9000), good.read(9000))
        assert (good.scrubbed, bad.scrubbed) == (0, 2)


def test_start_and_length_at_another_rate(tmp_path: Path) -> None:
    sound = noise(44100)
    tail = write(tmp_path / "tail.wav", sound[4410:], rate=44100)
    with (
        open_audio(write(tmp_path / "a.wav", sound, rate=44100), 48000, start_frame=4410) as reader,
        open_audio(tail, 48000) as other,
    ):
        assert (reader.frames, reader.source_frames) == (43_200, 39_690)
        np.testing.assert_array_equal(reader.read(43_200), other.read(43_200))
