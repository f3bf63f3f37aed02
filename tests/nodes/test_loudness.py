"""The loudness node: EBU's test signals, other people's meter, and our own that measures files."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from graph.errors import PatchError
from graph.layouts import LAYOUTS
from host.loudness import LoudnessMeter

RATE = 48000
SILENCE = -np.inf
NAMES = ("momentary", "short_term", "momentary_max", "short_term_max", "integrated", "loudness_range")


def tone(*segments, rate: int = RATE, channels: int = 2, hz: float = 1000.0) -> np.ndarray:
    """A sine of changing level, its phase running on: pairs of seconds and dBFS, one for all channels or one each."""
    levels = [np.tile(10.0 ** (np.broadcast_to(db, channels) / 20), (round(s * rate), 1)) for s, db in segments]
    envelope = np.concatenate(levels)
    return (envelope * np.sin(2 * np.pi * hz / rate * np.arange(len(envelope)))[:, None]).astype(np.float32)


def show(play, x: np.ndarray, **options) -> dict[str, float]:
    program = play("loudness", {"in": x}, block=options.pop("block", 4096), **options).program
    found = {name: float(program.readings["node", name][0]) for name in NAMES}
    return found | {"true_peak": program.readings["node", "true_peak"].copy()}


def programme(rate: int, seconds: float, channels: int, seed: int) -> np.ndarray:
    """Noise that becomes louder and softer, with pauses."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((round(seconds * rate), channels))
    x = np.cumsum(x, axis=0) * 0.02 + 0.3 * x - np.cumsum(np.vstack([np.zeros((200, channels)), x[:-200]]), 0) * 0.02
    t = np.arange(len(x)) / rate
    level = -30 + 12 * np.sin(2 * np.pi * t / 7.3) - 45 * (np.sin(2 * np.pi * t / 11.0) > 0.8)
    return (x * 10 ** (level / 20)[:, None] * 0.4).astype(np.float32)


# EBU Tech 3341 (2023), table 1: cases 1 to 6, by their numbers; and 3342, table 1: cases 1 to 4.
CASES = {
    "3341-1": (((20, -23),), 2, "momentary short_term integrated", -23.0),
    "3341-2": (((20, -33),), 2, "momentary short_term integrated", -33.0),
    "3341-3": (((10, -36), (60, -23), (10, -36)), 2, "integrated", -23.0),
    "3341-4": (((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)), 2, "integrated", -23.0),
    "3341-5": (((20, -26), (20.1, -20), (20, -26)), 2, "integrated", -23.0),
    "3341-6": (((20, (-28, -28, -24, -30, -30)),), 5, "integrated", -23.0),
    "3342-1": (((20, -20), (20, -30)), 2, "loudness_range", 10.0),
    "3342-2": (((20, -20), (20, -15)), 2, "loudness_range", 5.0),
    "3342-3": (((20, -40), (20, -20)), 2, "loudness_range", 20.0),
    "3342-4": (((20, -50), (20, -35), (20, -20), (20, -35), (20, -50)), 2, "loudness_range", 15.0),
}


@pytest.mark.parametrize("case", CASES)
def test_ebu_case(play, case):
    segments, channels, names, expected = CASES[case]
    shown = show(play, tone(*segments, channels=channels))
    for name in names.split():
        assert shown[name] == pytest.approx(expected, abs=0.1), name


def test_bursts_of_400_ms_and_of_3_s_are_caught_wherever_they_start(play):
    """EBU Tech 3341, cases 10 and 13."""
    for k in (0, 3, 7):
        shown = show(play, tone((0.15 * k, SILENCE), (3, -23), (1, SILENCE)))
        assert shown["short_term_max"] == pytest.approx(-23, abs=0.1)
        shown = show(play, tone((0.02 * k, SILENCE), (0.4, -23), (1, SILENCE)))
        assert shown["momentary_max"] == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("rate", "layout", "seconds"),
    [
        (48000, "stereo", 25),
        (44100, "stereo", 12),
        (48000, "5.1", 12),
        (22050, "mono", 25),
        (96000, "quad", 12),
        (48000, "7.1.4", 12),
    ],
)
def test_it_agrees_with_the_meter_of_files(play, rate, layout, seconds):
    x = programme(rate, seconds, len(LAYOUTS[layout]), 3)
    meter = LoudnessMeter(rate, LAYOUTS[layout])
    meter.feed(x)
    wanted = meter.result()
    shown = show(play, x, rate=rate)
    assert shown["integrated"] == pytest.approx(wanted.integrated_lufs, abs=0.02)
    assert shown["loudness_range"] == pytest.approx(wanted.range_lu, abs=0.05)
    assert shown["momentary_max"] == pytest.approx(wanted.momentary_max_lufs, abs=0.001)
    assert shown["short_term_max"] == pytest.approx(wanted.short_term_max_lufs, abs=0.001)
    assert shown["momentary"] == pytest.approx(meter.momentary_lufs, abs=0.001)
    assert shown["short_term"] == pytest.approx(meter.short_term_lufs, abs=0.001)
    peaks = [channel.true_peak_dbtp for channel in wanted.channels]
    assert shown["true_peak"] == pytest.approx(peaks, abs=0.01)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(("channels", "seconds"), [(2, 90), (6, 30)])
def test_it_agrees_with_ffmpeg(play, tmp_path, channels, seconds):
    x = programme(RATE, seconds, channels, 5)
    soundfile.write(tmp_path / "x.wav", x, RATE, "FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-channel_layout", "5.1(side)" if channels == 6 else "stereo"]
    command += ["-i", str(tmp_path / "x.wav"), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stderr
    said = said[said.rindex("Summary:") :]
    shown = show(play, x)
    for label, name in (("I", "integrated"), ("LRA", "loudness_range")):
        found = re.search(rf"\b{label}:\s+(-?[\d.]+) LU", said)
        assert found
        assert shown[name] == pytest.approx(float(found[1]), abs=0.11), "ffmpeg rounds to 0.1"
    found = re.search(r"Peak:\s+(-?[\d.]+) dBFS", said)
    assert found
    assert shown["true_peak"].max() == pytest.approx(float(found[1]), abs=0.25)


def test_the_true_peak_lies_between_samples(play):
    """EBU Tech 3341, case 16: a quarter of the sample rate at 45° touches no crest."""
    x = 0.5 * np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)
    x[:480] *= np.linspace(0, 1, 480)
    x[-480:] *= np.linspace(1, 0, 480)
    assert show(play, x)["true_peak"] == pytest.approx([-6.02], abs=0.05)


def test_what_is_not_known_yet_and_silence_read_minus_120(play):
    shown = show(play, tone((0.38, -20)))
    assert {shown[name] for name in NAMES[:5]} == {-120.0}
    shown = show(play, np.zeros((5 * RATE, 2)))
    assert {shown[name] for name in NAMES[:5]} == {-120.0}
    assert (shown["true_peak"] == -120.0).all()
    assert show(play, tone((5, -80)))["integrated"] == -120.0


def test_reset_starts_anew(play):
    x = tone((6, -10), (8, -30))
    shown = show(play, x, automation={"reset": [(0.0, 0.0, "hold"), (6.016, 1.0, "hold"), (7.0, 0.0, "hold")]})
    after = show(play, x[288_768:])
    for name in NAMES:
        assert shown[name] == pytest.approx(after[name], abs=1e-4), name
    assert shown["true_peak"] == pytest.approx(after["true_peak"], abs=1e-4)
    assert shown["integrated"] == pytest.approx(-30, abs=0.1)
    assert show(play, x)["momentary_max"] == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize("block", [64, 448])
def test_the_block_does_not_matter(play, block):
    x = programme(RATE, 5, 2, 8)
    shown, other = show(play, x, block=block), show(play, x)
    assert all(np.array_equal(shown[name], other[name]) for name in shown)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_counts_as_silence(play, bad):
    x = tone((5, -23))
    x[RATE : RATE + 64] = 0.0
    wanted = show(play, x)
    x[RATE : RATE + 64] = bad
    shown = show(play, x)
    assert all(np.array_equal(shown[name], wanted[name]) for name in shown)


def test_the_signal_passes_through(play):
    x = np.random.default_rng(1).uniform(-1, 1, (2000, 6)).astype(np.float32)
    assert np.array_equal(play("loudness", {"in": x})["out"], x)


def test_a_rate_that_is_too_low_is_refused(play):
    with pytest.raises(PatchError, match="from 4000 Hz on"):
        play("loudness", {"in": np.zeros(100)}, rate=2000)
