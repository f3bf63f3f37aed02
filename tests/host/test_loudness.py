"""The loudness meter against EBU Tech 3341/3342 (2023) test signals, BS.1770's own anchors, and ideal interpolation.

The signals are generated from the descriptions in table 1 of each document; cases 7 and 8 of 3341 (5 and 6 of 3342) are
recordings and not here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import host.loudness.meter
from host.loudness import Loudness, LoudnessError, LoudnessMeter, channel_weight, gating, kweighting, truepeak
from host.loudness.kweighting import CHUNK, k_weighting
from nodes.dsp.loudness import k_weighting_sections

RATE = 48_000
STEREO = ("L", "R")
SURROUND = ("L", "R", "C", "LFE", "Ls", "Rs")

Segment = tuple[float, float | tuple[float, ...]]  # seconds; dBFS peak of a sine, one for all channels or one each
SILENCE = -np.inf


def tone(*segments: Segment, rate: int = RATE, channels: int = 2, hz: float = 1000.0) -> np.ndarray:
    """A sine of changing level, phase running on: [frames, channels] float64."""
    levels = []
    for seconds, decibels in segments:
        amplitudes = 10.0 ** (np.broadcast_to(decibels, channels) / 20.0)
        levels.append(np.tile(amplitudes, (round(seconds * rate), 1)))
    envelope = np.concatenate(levels)
    return envelope * np.sin(2 * np.pi * hz / rate * np.arange(len(envelope)))[:, None]


def measure(signal: np.ndarray, labels: tuple[str, ...] = STEREO, rate: int = RATE, block: int = 100_000) -> Loudness:
    meter = LoudnessMeter(rate, labels)
    for start in range(0, len(signal), block):
        meter.feed(signal[start : start + block])
    return meter.result()


def readings(signal: np.ndarray, name: str, seconds: float) -> Iterator[tuple[float, float | None]]:
    """The time and what a live meter shows then, every `seconds`."""
    meter = LoudnessMeter(RATE, STEREO)
    step = round(seconds * RATE)
    for start in range(0, len(signal) - step + 1, step):
        meter.feed(signal[start : start + step])
        yield (start + step) / RATE, getattr(meter, name)


# Each case yields (what it measures, reading, expected, how much lower, how much higher it may be).
Check = tuple[str, float | None, float, float, float]


def whole(signal: np.ndarray, names: str, expected: float, labels: tuple[str, ...] = STEREO) -> Iterator[Check]:
    result = measure(signal, labels)
    for name in names.split():
        yield name, getattr(result, name), expected, 0.1, 0.1


def live(signal: np.ndarray, name: str, step: float, settled: float) -> Iterator[Check]:
    for time, reading in readings(signal, name, step):
        if time >= settled - 1e-9:
            yield f"{name} at {time:.2f} s", reading, -23.0, 0.1, 0.1


def bursts(name: str, length: float, shift: float, tail: float) -> Iterator[Check]:
    for i in range(20):
        result = measure(tone((shift * i, SILENCE), (length, -23.0), (tail, SILENCE)))
        yield f"{name} of burst {i}", getattr(result, name), -23.0, 0.1, 0.1


def staircase(name: str, length: float, shift: float, step: float) -> Iterator[Check]:
    """Twenty segments of two window lengths, a burst in each, 1 dB louder and later every time."""
    pieces: list[Segment] = []
    for i in range(20):
        pieces += [(shift * i, SILENCE), (length, -38.0 + i), (length - shift * i, SILENCE)]
    loudest = [-np.inf] * 20
    for time, reading in readings(tone(*pieces), name, step):
        segment = min(19, int((time - 1e-9) / (2 * length)))
        if reading is not None:
            loudest[segment] = max(loudest[segment], reading)
    for i in range(20):
        yield f"{name} of segment {i}", loudest[i], -38.0 + i, 0.1, 0.1


def faded(signal: np.ndarray, rate: int = RATE) -> np.ndarray:
    frames = rate // 100
    signal = signal.copy()
    signal[:frames] *= np.linspace(0, 1, frames)[:, None]
    signal[-frames:] *= np.linspace(1, 0, frames)[:, None]
    return signal


def steady_peak(divisor: int, amplitude: float, degrees: float, expected: float) -> Iterator[Check]:
    phase = 2 * np.pi * np.arange(RATE) / divisor + np.radians(degrees)
    result = measure(faded(np.tile(amplitude * np.sin(phase)[:, None], 2)))
    yield "true_peak_dbtp", result.true_peak_dbtp, expected, 0.4, 0.2


def embedded_peak(offset: int) -> Iterator[Check]:
    """fs/6 at half scale with one full-scale period of fs/4 in it, made at 4·fs, taken down from sample `offset` on."""
    import soxr

    around = 0.5 * np.sin(2 * np.pi * np.arange(24 * 1000) / 24)
    once = np.sin(2 * np.pi * np.arange(16) / 16)
    signal = np.concatenate([around, once, around])[offset:]
    signal = soxr.resample(signal, 4 * RATE, RATE, "VHQ")
    result = measure(faded(np.tile(signal[:, None], 2)))
    yield "true_peak_dbtp", result.true_peak_dbtp, 0.0, 0.4, 0.2


def spread(expected: float, *levels: float) -> Iterator[Check]:
    result = measure(tone(*[(20.0, level) for level in levels]))
    # The document allows 1 LU, but for synthetic signals any meter on the right gates comes this close.
    yield "range_lu", result.range_lu, expected, 0.1, 0.1


ALL = "integrated_lufs momentary_max_lufs short_term_max_lufs"
FIVE = ("L", "R", "C", "Ls", "Rs")
CASES: dict[str, Callable[[], Iterator[Check]]] = {
    "3341-1": lambda: whole(tone((20, -23)), ALL, -23.0),
    "3341-2": lambda: whole(tone((20, -33)), ALL, -33.0),
    "3341-3": lambda: whole(tone((10, -36), (60, -23), (10, -36)), "integrated_lufs", -23.0),
    "3341-4": lambda: whole(tone((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)), "integrated_lufs", -23.0),
    "3341-5": lambda: whole(tone((20, -26), (20.1, -20), (20, -26)), "integrated_lufs", -23.0),
    "3341-6": lambda: whole(tone((20, (-28, -28, -24, -30, -30)), channels=5), "integrated_lufs", -23.0, FIVE),
    "3341-6 with LFE": lambda: whole(
        tone((20, (-28, -28, -24, -10, -30, -30)), channels=6), "integrated_lufs", -23.0, SURROUND
    ),
    "3341-9": lambda: live(tone(*[(1.34, -20), (1.66, -30)] * 5), "short_term_lufs", 0.1, 3.0),
    "3341-10": lambda: bursts("short_term_max_lufs", 3.0, 0.15, 1.0),
    "3341-11": lambda: staircase("short_term_lufs", 3.0, 0.15, 0.1),
    "3341-12": lambda: live(tone(*[(0.18, -20), (0.22, -30)] * 25), "momentary_lufs", 0.05, 1.0),
    "3341-13": lambda: bursts("momentary_max_lufs", 0.4, 0.02, 1.0),
    "3341-14": lambda: staircase("momentary_lufs", 0.4, 0.02, 0.01),
    "3341-15": lambda: steady_peak(4, 0.5, 0.0, -6.0),
    "3341-16": lambda: steady_peak(4, 0.5, 45.0, -6.0),
    "3341-17": lambda: steady_peak(6, 0.5, 60.0, -6.0),
    "3341-18": lambda: steady_peak(8, 0.5, 67.5, -6.0),
    "3341-19": lambda: steady_peak(4, 1.41, 45.0, 3.0),
    "3341-20": lambda: embedded_peak(0),
    "3341-21": lambda: embedded_peak(1),
    "3341-22": lambda: embedded_peak(2),
    "3341-23": lambda: embedded_peak(3),
    "3342-1": lambda: spread(10.0, -20, -30),
    "3342-2": lambda: spread(5.0, -20, -15),
    "3342-3": lambda: spread(20.0, -40, -20),
    "3342-4": lambda: spread(15.0, -50, -35, -20, -35, -50),
}


def misses(case: str) -> list[str]:
    """What of a case lies outside its tolerance."""
    checks = list(CASES[case]())
    assert checks, f"{case} checks nothing"
    return [
        f"{case}: {what} is {reading}, expected {expected}"
        for what, reading, expected, under, over in checks
        if reading is None or not expected - under <= reading <= expected + over
    ]


@pytest.mark.parametrize("case", CASES)
def test_ebu_case(case: str) -> None:
    assert misses(case) == []


Meter = host.loudness.meter
Gated = functools.partial
FAULTS: dict[str, tuple[str, object, str, object]] = {
    "relative gate at -20 LU": ("3341-3", gating, "integrated", Gated(gating.integrated, relative_gate=-20.0)),
    "range gate at -10 LU": ("3342-3", gating, "loudness_range", Gated(gating.loudness_range, relative_gate=-10.0)),
    "absolute gate at -30 LUFS": ("3342-3", gating, "ABSOLUTE_GATE_LUFS", -30.0),
    "surrounds at 1.0": ("3341-6", Meter, "channel_weight", lambda label: float(label != "LFE")),
    "LFE counted": ("3341-6 with LFE", Meter, "channel_weight", lambda label: 1.41 if label[1:] == "s" else 1.0),
    "momentary windows every 100 ms": (
        "3341-13",
        Meter._Windows,
        "loudest",
        lambda self: gating.lufs(self.every_block().max(initial=0.0)),
    ),
    "momentary over 300 ms": ("3341-12", Meter, "MOMENTARY_STEPS", 30),
    "short-term over 2.5 s": ("3341-9", Meter, "SHORT_TERM_STEPS", 250),
    "no K-weighting": ("3341-1", kweighting.KWeighting, "filter", lambda self, chunk, state: (chunk, state)),
    "true peak from the samples": (
        "3341-16",
        truepeak.Interpolator,
        "peaks",
        lambda self, history, chunk: np.zeros(len(chunk)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_meter_fails_its_case(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases above are worth something only if a wrong meter fails them."""
    case, place, name, wrong = FAULTS[fault]
    assert misses(case) == []
    monkeypatch.setattr(place, name, wrong)
    assert misses(case) != []


def test_k_weighting_has_the_published_coefficients_at_48_khz() -> None:
    published = [  # BS.1770-5 Annex 1, tables 1 and 2
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting_sections(48_000), published, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_k_weighting_filters_as_a_recursion_would(rate: int) -> None:
    from scipy.signal import sosfilt

    signal = np.random.default_rng(1).normal(0.05, 0.1, (2, 3 * CHUNK))
    state = np.zeros((2, 4))
    outputs = []
    for start in range(0, signal.shape[1], CHUNK):
        output, state = k_weighting(rate).filter(signal[:, start : start + CHUNK], state)
        outputs.append(output)
    expected = sosfilt(k_weighting_sections(rate), signal)
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 88_200, 96_000, 192_000])
def test_every_rate_reads_the_same_loudness(rate: int) -> None:
    # 22050 Hz has no whole number of frames in 10 ms.
    result = measure(tone((5, -23.0), rate=rate), rate=rate)
    for name in ALL.split():
        assert getattr(result, name) == pytest.approx(-23.0, abs=0.05)
    for hz in (30.0, 60.0, 3000.0):
        low = measure(tone((3, -23.0), rate=rate, hz=hz), rate=rate)
        expected = measure(tone((3, -23.0), hz=hz))
        # Near half of a low rate the bilinear transform bends the shelf.
        within = 0.1 if hz > rate / 10 else 0.01
        assert low.integrated_lufs == pytest.approx(expected.integrated_lufs, abs=within), hz


def test_a_full_scale_sine_in_one_front_channel_is_minus_3_01() -> None:
    """The anchor of BS.1770-5 Annex 1: 997 Hz at 0 dBFS on one of L, C, R indicates -3.01 LKFS."""
    expected = {
        "L": -3.01,
        "C": -3.01,
        "R": -3.01,
        "M": -3.01,
        "Ls": -1.52,
        "Rs": -1.52,
        "Lss": -1.52,
        "Lrs": -3.01,
        "Ltf": -3.01,
    }
    for label, loudness in expected.items():
        result = measure(tone((3, 0.0), channels=1, hz=997.0), (label,))
        assert result.integrated_lufs == pytest.approx(loudness, abs=0.02), label
    assert measure(tone((3, 0.0), channels=1), ("LFE",)).integrated_lufs is None


def test_channel_weights_follow_the_position_table() -> None:
    """BS.1770-5 Annex 3, tables 4 and 5: of the middle layer only ±60° to ±120° weigh 1.41."""
    heavy = {"Ls", "Rs", "Lss", "Rss"}
    for label in ("M", "L", "R", "C", "Ls", "Rs", "Lss", "Rss", "Lrs", "Rrs", "Ltf", "Rtf", "Ltr", "Rtr", "Cs", "ch5"):
        assert channel_weight(label) == (1.41 if label in heavy else 1.0), label
    assert channel_weight("LFE") == 0.0


def test_true_peak_finds_the_crest_of_band_limited_sound() -> None:
    """Against ideal interpolation: a periodic signal, its spectrum padded to 64 times the rate."""
    rng = np.random.default_rng(5)
    frames = 4096
    for trial in range(20):
        spectrum = np.zeros(frames // 2 + 1, dtype=complex)
        top = int(frames * 20_000 / 44_100)
        spectrum[1:top] = rng.normal(size=top - 1) + 1j * rng.normal(size=top - 1)
        period = np.fft.irfft(spectrum)
        period *= 0.5 / np.abs(period).max()
        crest = np.abs(np.fft.irfft(spectrum, 64 * frames)).max() * 64
        crest *= 0.5 / np.abs(np.fft.irfft(spectrum)).max()
        signal = np.tile(period, 3)[:, None]
        within = slice(frames, 2 * frames)
        # Fades far from the period that is looked at, so that the ends ring in nobody's reading.
        signal[: frames // 2] *= np.linspace(0, 1, frames // 2)[:, None]
        signal[-frames // 2 :] *= np.linspace(1, 0, frames // 2)[:, None]
        assert np.abs(signal[within]).max() == pytest.approx(0.5)
        reading = measure(signal, ("M",), 44_100).true_peak_dbtp
        assert reading is not None
        assert -0.13 <= reading - 20 * np.log10(crest) <= 0.03, trial


def test_true_peak_sees_the_end_of_the_sound_and_block_borders() -> None:
    crest = np.zeros(CHUNK + 400)
    for at in (CHUNK - 1, len(crest) - 2):
        signal = crest.copy()
        signal[at : at + 2] = 0.5  # two equal samples: sinc gives 0.5 · 4/π between them
        reading = measure(signal[:, None], ("M",)).true_peak_dbtp
        assert reading == pytest.approx(20 * np.log10(0.5 * 4 / np.pi), abs=0.05), at


def test_true_peak_is_never_below_the_sample_peak() -> None:
    signal = np.zeros((1000, 1))
    signal[500] = -0.25
    result = measure(signal, ("M",))
    assert result.peak_dbfs == pytest.approx(-12.0412, abs=1e-4)
    assert result.true_peak_dbtp == result.peak_dbfs


def cut(frames: int, sizes: Iterator[int]) -> Iterator[slice]:
    start = 0
    while start < frames:
        size = next(sizes)
        yield slice(start, start + size)
        start += size


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_results_do_not_depend_on_the_blocks(rate: int) -> None:
    rng = np.random.default_rng(7)
    seconds = 7
    signal = (rng.normal(size=(seconds * rate + 123, 2)) * rng.uniform(0.01, 0.4, (1, 2))).astype(np.float32)
    signal[::4001, 0] = np.nan
    expected = measure(signal, rate=rate, block=len(signal))
    some = (0, 1, 2, 63, 64, 65, 441, 480, 997, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK)
    for sizes in (iter(lambda: 512, 0), iter(lambda: 30_001, 0), iter(lambda: int(rng.choice(some)), -1)):
        meter = LoudnessMeter(rate, STEREO)
        for part in cut(len(signal), sizes):
            meter.feed(signal[part])
        assert meter.result() == expected
    meter = LoudnessMeter(rate, STEREO)
    for part in cut(len(signal), iter(lambda: 5000, 0)):
        meter.feed(signal[part])
        meter.result()  # asking on the way changes nothing
        _ = meter.momentary_lufs
    assert meter.result() == expected


def test_float32_and_float64_agree() -> None:
    signal = np.random.default_rng(2).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    assert measure(signal) == measure(signal.astype(np.float64))


def test_plain_levels() -> None:
    signal = tone((2, (-6.0, -20.0)))
    signal[:, 0] += 0.25
    signal[:, 1] -= 0.01
    result = measure(signal)
    left, right = result.channels
    assert (left.label, right.label) == STEREO
    assert left.dc == pytest.approx(0.25, abs=1e-6)
    assert right.dc == pytest.approx(-0.01, abs=1e-6)
    assert result.dc == left.dc
    assert left.peak_dbfs == pytest.approx(20 * np.log10(10**-0.3 + 0.25), abs=0.001)
    power = [0.5 * 10**-0.6 + 0.25**2, 0.5 * 10**-2.0 + 0.01**2]
    assert left.rms_dbfs == pytest.approx(10 * np.log10(power[0]), abs=1e-4)
    assert right.rms_dbfs == pytest.approx(10 * np.log10(power[1]), abs=1e-4)
    assert result.rms_dbfs == pytest.approx(10 * np.log10(np.mean(power)), abs=1e-4)
    assert result.peak_dbfs == left.peak_dbfs
    assert measure(-signal).dc == pytest.approx(-0.25, abs=1e-6)


def test_nothing_at_all() -> None:
    result = LoudnessMeter(RATE, STEREO).result()
    assert result.frames == 0
    for name in (*ALL.split(), "range_lu", "true_peak_dbtp", "peak_dbfs", "rms_dbfs", "dc"):
        assert getattr(result, name) is None
    assert result.channels[0].dc is None


def test_silence_is_minus_infinity() -> None:
    result = measure(np.zeros((5 * RATE, 2)))
    for name in (*ALL.split(), "range_lu", "true_peak_dbtp", "peak_dbfs", "rms_dbfs"):
        assert getattr(result, name) is None
    assert result.dc == 0.0
    assert result.frames == 5 * RATE


def test_loudness_needs_whole_windows() -> None:
    for seconds, known in (
        (0.399, ()),
        (0.4, ALL.split()[:2]),
        (2.999, ALL.split()[:2]),
        (3.0, (*ALL.split(), "range_lu")),
    ):
        result = measure(tone((seconds, -23.0)))
        for name in (*ALL.split(), "range_lu"):
            assert (getattr(result, name) is not None) == (name in known), (seconds, name)
        assert result.peak_dbfs == pytest.approx(-23.0, abs=0.01)
    assert measure(tone((0.4, -23.0))).integrated_lufs == pytest.approx(-23.0, abs=0.1)


def test_what_lies_below_the_absolute_gate_has_no_integrated_loudness() -> None:
    result = measure(tone((5, -75.0)))
    assert result.integrated_lufs is None
    assert result.range_lu is None
    assert result.momentary_max_lufs == pytest.approx(-75.0, abs=0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_samples_that_are_no_numbers_are_silence_and_counted(bad: float) -> None:
    signal = tone((4, -23.0))
    clean = signal.copy()
    spots = [0, 777, CHUNK - 1, CHUNK, len(signal) - 1]
    clean[spots, 1] = 0.0
    signal[spots, 1] = bad
    result, expected = measure(signal), measure(clean)
    assert result.channels[1].non_finite == len(spots)
    assert result.channels[0].non_finite == 0
    assert (result.integrated_lufs, result.true_peak_dbtp, result.dc) == (
        expected.integrated_lufs,
        expected.true_peak_dbtp,
        expected.dc,
    )


def test_huge_samples_stay_finite() -> None:
    signal = tone((1, 0.0)).astype(np.float64) * 3.0e38
    result = measure(signal.astype(np.float32))
    assert result.true_peak_dbtp == pytest.approx(20 * np.log10(3.0e38), abs=0.01)
    assert result.integrated_lufs == pytest.approx(20 * np.log10(3.0e38), abs=0.1)


def test_misuse_is_named() -> None:
    with pytest.raises(LoudnessError, match="at least one channel"):
        LoudnessMeter(RATE, ())
    with pytest.raises(LoudnessError, match="not at 100 Hz"):
        LoudnessMeter(100, STEREO)
    meter = LoudnessMeter(RATE, STEREO)
    with pytest.raises(LoudnessError, match=r"shape \(10, 3\) came, expected \[frames, 2\]"):
        meter.feed(np.zeros((10, 3)))
    with pytest.raises(LoudnessError, match="int16 came, expected floating point"):
        meter.feed(np.zeros((10, 2), dtype=np.int16))
    assert meter.frames == 0
    mono = LoudnessMeter(RATE, ("M",))
    mono.feed(np.zeros(10))
    assert mono.frames == 10


def test_two_hours_need_no_more_memory_than_their_readings() -> None:
    meter = LoudnessMeter(4_000, ("M",))
    block = np.random.default_rng(3).normal(0, 0.1, (4_000 * 60, 1)).astype(np.float32)
    for _ in range(30):
        meter.feed(block)
    held = [value for value in vars(meter).values() if isinstance(value, np.ndarray)]
    assert sum(value.nbytes for value in held) < 300_000
    windows = (meter._momentary, meter._short_term)
    assert all(len(window.every_block()) <= 30 * 60 * 10 for window in windows)
