"""Measuring files, against ffmpeg's meters where there is an ffmpeg."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from host.audiofile import AudioFileError
from host.loudness import LoudnessError, LoudnessMeter
from host.measure import Measurement, measure_file

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")

LEVELS = ("true_peak_dbtp", "peak_dbfs", "rms_dbfs")
LOUDNESS = ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs", "range_lu")


def coloured(rng: np.random.Generator, frames: int, rate: int, low: float, high: float) -> np.ndarray:
    """Noise falling by 3 dB an octave between two frequencies, RMS 1."""
    hz = np.fft.rfftfreq(frames, 1 / rate)
    shape = np.where((hz > low) & (hz < high), 1 / np.sqrt(np.maximum(hz, 1.0)), 0.0)
    spectrum = shape * (rng.normal(size=len(hz)) + 1j * rng.normal(size=len(hz)))
    sound = np.fft.irfft(spectrum, frames)
    return sound / np.sqrt(np.mean(sound**2))


def speech(rng: np.random.Generator, seconds: float, rate: int) -> np.ndarray:
    """Something with the dynamics of speech: syllables four a second, sentences, pauses, a loud and a quiet speaker."""
    frames = round(seconds * rate)
    time = np.arange(frames) / rate
    knots = np.arange(0, seconds + 1, 0.11)
    syllables = np.interp(time, knots, rng.uniform(-0.4, 1, len(knots))).clip(0)
    sentences = np.repeat(rng.choice([0.0, 0.02, 0.5, 1.0, 1.0, 2.0], int(seconds / 1.7) + 1), round(1.7 * rate))[
        :frames
    ]
    return 0.06 * coloured(rng, frames, rate, 120, 8000) * syllables * sentences


def drums(rng: np.random.Generator, seconds: float, rate: int) -> np.ndarray:
    """Hits that decay, the hardest of them clipped."""
    frames = round(seconds * rate)
    sound = np.zeros(frames)
    for start in rng.integers(0, frames - rate, int(seconds * 3)):
        decay = np.exp(-np.arange(rate) / rate / rng.uniform(0.01, 0.2))
        sound[start : start + rate] += rng.uniform(0.1, 1.2) * decay * coloured(rng, rate, rate, 40, 14_000) * 0.4
    return np.clip(sound, -0.9, 0.9)


def programme(name: str, rate: int) -> np.ndarray:
    """[frames, C] of test material."""
    rng = np.random.default_rng([rate, len(name)])
    seconds = 20.0
    dialogue = speech(rng, seconds, rate)
    music = coloured(rng, len(dialogue), rate, 30, 16_000) * 0.02
    hits = drums(rng, seconds, rate)
    if name == "mono dialogue":
        return dialogue[:, None]
    if name == "stereo music":
        return np.stack([0.5 * hits + music, 0.4 * hits + 0.5 * np.roll(music, 431)], axis=1)
    if name == "5.1 mix":
        low = coloured(rng, len(dialogue), rate, 20, 100) * 0.2
        around = np.roll(music, 9001) * 3
        return np.stack([music, np.roll(music, 77), dialogue + 0.2 * hits, low, around, -0.7 * around], axis=1)
    raise ValueError(name)


def written(path: Path, signal: np.ndarray, rate: int, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, signal, rate, subtype=subtype)
    return path


def ffmpeg_readings(path: Path) -> list[dict[str, float]]:
    """What ebur128 said after every 100 ms."""
    filters = "ebur128=peak=true:metadata=1,ametadata=mode=print:file=-"
    command = [
        "ffmpeg",
        "-nostdin",
        "-hide_banner",
        "-loglevel",
        "error",
        "-i",
        path,
        "-filter:a",
        filters,
        "-f",
        "null",
        "-",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [
        {key: float(value) for key, value in re.findall(r"lavfi\.r128\.(\S+?)=(\S+)", frame)}
        for frame in text.split("frame:")[1:]
    ]


def range_of(short_term: list[float]) -> float:
    """The loudness range of short-term readings, written after the reference code in EBU Tech 3342.

    ffmpeg's own figure takes the 10 % point one reading lower, which on twenty seconds is up to 1.6 LU of its range.
    """
    loudness = np.array([reading for reading in short_term if reading >= -70.0])
    threshold = 10 * np.log10(np.mean(10 ** (loudness / 10))) - 20.0
    gated = np.sort(loudness[loudness >= threshold])
    low, high = (gated[int(np.floor((len(gated) - 1) * part + 0.5))] for part in (0.10, 0.95))
    return float(high - low)


@needs_ffmpeg
def test_loudness_range_as_ffmpeg_has_it(tmp_path: Path) -> None:
    """On material whose loudness glides, so that no two neighbouring readings lie far apart."""
    rate = 44_100
    time = np.arange(60 * rate) / rate
    swell = 10 ** (9.0 * np.sin(2 * np.pi * time / 23.0) / 20)
    signal = 0.05 * swell * coloured(np.random.default_rng(4), len(time), rate, 40, 15_000)
    path = written(tmp_path / "swell.wav", signal[:, None], rate)
    measured = measure_file(path).loudness.range_lu
    assert measured == pytest.approx(ffmpeg_readings(path)[-1]["LRA"], abs=0.1)
    assert measured is not None
    assert measured > 14.0


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("stereo music", 44_100),
        ("stereo music", 48_000),
        ("stereo music", 96_000),
        ("mono dialogue", 44_100),
        ("mono dialogue", 48_000),
        ("5.1 mix", 48_000),
    ],
)
def test_loudness_as_ffmpeg_has_it(name: str, rate: int, tmp_path: Path) -> None:
    path = written(tmp_path / "programme.wav", programme(name, rate), rate)
    measured = measure_file(path).to_dict()
    frames = ffmpeg_readings(path)
    last = frames[-1]
    assert len(frames) >= 199
    assert measured["integrated_lufs"] == pytest.approx(last["I"], abs=0.1)
    assert measured["range_lu"] == pytest.approx(range_of([frame["S"] for frame in frames[29:]]), abs=0.02)
    assert measured["range_lu"] > (3.0 if rate != 48_000 else 0.5), "the material has no dynamics to speak of"

    # ffmpeg looks every 100 ms, we every 10 ms: its maximum is never above ours. Where both look, they agree.
    assert measured["momentary_max_lufs"] >= max(frame["M"] for frame in frames[3:]) - 0.1
    assert measured["short_term_max_lufs"] == pytest.approx(max(frame["S"] for frame in frames[29:]), abs=0.1)
    signal, _ = soundfile.read(path, dtype="float32", always_2d=True)
    meter = LoudnessMeter(rate, measured["channels"])
    momentary, short_term = [], []
    for start in range(0, len(frames) * rate // 10, rate // 10):
        meter.feed(signal[start : start + rate // 10])
        momentary.append(meter.momentary_lufs)
        short_term.append(meter.short_term_lufs)
    # ffmpeg's K-weighting is not matched to 48 kHz below the shelf (0.02 dB at 96 kHz), and it writes three decimals.
    audible = [i for i in range(3, len(frames)) if frames[i]["M"] > -70.0]
    np.testing.assert_allclose([momentary[i] for i in audible], [frames[i]["M"] for i in audible], rtol=0, atol=0.05)
    np.testing.assert_allclose(short_term[29:], [frame["S"] for frame in frames[29:]], rtol=0, atol=0.05)

    # ffmpeg upsamples to 192 kHz, a coarser grid than ours below 96 kHz; it prints three decimals of a linear peak.
    loudest = 20 * np.log10(max(value for key, value in last.items() if key.startswith("true_peak")))
    assert -0.1 <= measured["true_peak_dbtp"] - loudest <= 0.2
    for i, channel in enumerate(measured["per_channel"]):
        assert channel["true_peak_dbtp"] == pytest.approx(20 * np.log10(last[f"true_peaks_ch{i}"]), abs=0.2)


@needs_ffmpeg
def test_plain_levels_as_ffmpeg_has_them(tmp_path: Path) -> None:
    signal = programme("stereo music", 48_000)
    signal[:, 0] -= 0.031
    signal[:, 1] += 0.012
    path = written(tmp_path / "levels.wav", signal, 48_000)
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-i", path, "-filter:a", "astats", "-f", "null", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    left, right, overall = re.split(r"Channel: 2|Overall", text.split("Channel: 1")[1])
    measured = measure_file(path).to_dict()
    for said, ours in ((left, measured["per_channel"][0]), (right, measured["per_channel"][1]), (overall, measured)):
        for label, name, within in (
            ("Peak level dB", "peak_dbfs", 0.001),
            ("RMS level dB", "rms_dbfs", 0.001),
            ("DC offset", "dc", 0.00001),
        ):
            value = re.search(rf"{label}: (\S+)", said)
            assert value is not None
            assert ours[name] == pytest.approx(float(value[1]), abs=within), (label, said)


def test_the_json_has_the_agreed_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "two.wav", programme("stereo music", 48_000)[:200_000], 48_000)
    data = json.loads(json.dumps([measure_file(path).to_dict()], allow_nan=False))[0]
    assert list(data) == [
        *("file", "sample_rate", "channels", "frames"),
        *LOUDNESS,
        *LEVELS,
        *("dc", "per_channel"),
    ]
    assert data["file"] == str(path)
    assert (data["sample_rate"], data["channels"], data["frames"]) == (48_000, ["L", "R"], 200_000)
    assert [list(channel) for channel in data["per_channel"]] == [["channel", *LEVELS, "dc", "non_finite"]] * 2
    assert data["true_peak_dbtp"] == max(channel["true_peak_dbtp"] for channel in data["per_channel"])


@pytest.mark.parametrize(
    ("suffix", "subtype", "within"),
    [
        ("wav", "PCM_16", 0.001),
        ("wav", "PCM_24", 0.0001),
        ("wav", "DOUBLE", 0.0001),
        ("flac", "PCM_24", 0.0001),
        ("aiff", "PCM_24", 0.0001),
        ("ogg", "VORBIS", 0.4),  # the codec thins out noise; ffmpeg reads the same
    ],
)
def test_every_format_measures_the_same(suffix: str, subtype: str, within: float, tmp_path: Path) -> None:
    signal = programme("stereo music", 48_000)[: 5 * 48_000]
    expected = measure_file(written(tmp_path / "plain.wav", signal, 48_000)).to_dict()
    measured = measure_file(written(tmp_path / f"other.{suffix}", signal, 48_000, subtype)).to_dict()
    assert measured["frames"] == expected["frames"]
    assert measured["channels"] == ["L", "R"]
    for name in ("integrated_lufs", "momentary_max_lufs", "rms_dbfs"):
        assert measured[name] == pytest.approx(expected[name], abs=within)


def test_surround_files_are_weighted_by_place(tmp_path: Path) -> None:
    """A 5.1 file with the same tone in one channel after the other."""
    tone = 0.1 * np.sin(2 * np.pi * 997 / 48_000 * np.arange(96_000))
    readings: dict[str, float | None] = {}
    for i in range(6):
        signal = np.zeros((len(tone), 6))
        signal[:, i] = tone
        measured = measure_file(written(tmp_path / f"{i}.wav", signal, 48_000)).to_dict()
        assert measured["channels"] == ["L", "R", "C", "LFE", "Ls", "Rs"]
        assert measured["per_channel"][i]["peak_dbfs"] == pytest.approx(-20.0, abs=0.01)
        readings[measured["channels"][i]] = measured["integrated_lufs"]
    assert readings.pop("LFE") is None
    for label, loudness in readings.items():
        assert loudness == pytest.approx(-21.52 if label in ("Ls", "Rs") else -23.01, abs=0.02), label


def test_silence_short_and_empty_files(tmp_path: Path) -> None:
    silent = measure_file(written(tmp_path / "silent.wav", np.zeros((48_000 * 4, 2)), 48_000)).to_dict()
    assert silent["frames"] == 48_000 * 4
    assert [silent[name] for name in (*LOUDNESS, *LEVELS)] == [None] * 7
    assert silent["dc"] == 0.0

    empty = measure_file(written(tmp_path / "empty.wav", np.zeros((0, 2)), 48_000)).to_dict()
    assert empty["frames"] == 0
    assert [empty[name] for name in (*LOUDNESS, *LEVELS, "dc")] == [None] * 8

    short = measure_file(written(tmp_path / "short.wav", np.full((1, 1), 0.5), 44_100)).to_dict()
    assert (short["frames"], short["channels"], short["dc"]) == (1, ["M"], 0.5)
    assert [short[name] for name in LOUDNESS] == [None] * 4
    assert short["peak_dbfs"] == pytest.approx(-6.0206, abs=1e-4)
    json.dumps([silent, empty, short], allow_nan=False)


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    signal = programme("stereo music", 48_000)[: 48_000 * 4].astype(np.float32)
    clean = signal.copy()
    signal[1000:1010, 1] = np.nan
    signal[2000, 0] = np.inf
    clean[1000:1010, 1] = clean[2000, 0] = 0.0
    measured = measure_file(written(tmp_path / "dirty.wav", signal, 48_000)).to_dict()
    expected = measure_file(written(tmp_path / "clean.wav", clean, 48_000)).to_dict()
    assert [channel["non_finite"] for channel in measured["per_channel"]] == [1, 10]
    assert measured["integrated_lufs"] == expected["integrated_lufs"]
    assert measured["rms_dbfs"] == expected["rms_dbfs"]
    json.dumps(measured, allow_nan=False)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    path = written(tmp_path / "long.wav", np.zeros((200_000, 1)), 48_000)
    heard: list[tuple[int, int]] = []
    measure_file(path, lambda done, total: heard.append((done, total)))
    assert len(heard) > 2
    assert heard == sorted(heard)
    assert heard[-1] == (200_000, 200_000)


def test_files_that_cannot_be_measured_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="nowhere"):
        measure_file(tmp_path / "nowhere.wav")
    text = tmp_path / "text.wav"
    text.write_text("not audio at all")
    with pytest.raises(AudioFileError, match="text"):
        measure_file(text)
    slow = written(tmp_path / "slow.wav", np.zeros((100, 1)), 2_000)
    with pytest.raises(LoudnessError, match=r"slow\.wav: loudness is measured from 4000 .* not at 2000 Hz"):
        measure_file(slow)


def test_a_measurement_is_a_value(tmp_path: Path) -> None:
    path = written(tmp_path / "same.wav", programme("mono dialogue", 44_100)[:100_000], 44_100)
    first, second = measure_file(path), measure_file(str(path))
    assert isinstance(first, Measurement)
    assert first == second
