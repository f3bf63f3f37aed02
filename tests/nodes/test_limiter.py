"""The limiter against resamplers that know nothing of it, and against the formula of the workloads."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import butter, chirp, lfilter, sosfilt

from graph.errors import PatchError
from host.loudness.meter import LoudnessMeter
from nodes.dsp import crests

RATE = 48000


def db(gain):
    return 20 * np.log10(np.maximum(np.asarray(gain, float), 1e-300))


def at_most(level_db):
    """The largest float32 that is not above a level."""
    exact = 10 ** (level_db / 20)
    near = np.float32(exact)
    return near if float(near) <= exact else np.nextafter(near, np.float32(0))


def tone(freq, frames, phase=0.0):
    return np.sin(2 * np.pi * freq * np.arange(frames) / RATE + phase)


def material():
    """What rises between its samples, and what jumps; with silence around, so that no edge is cut."""
    rng = np.random.default_rng(1)
    n = 16000
    often = np.arange(n)
    white, signs = rng.standard_normal(n), rng.choice([-1.0, 1.0], n)
    pattern = np.zeros(n)
    for start in range(500, n - 500, 777):
        pattern[start - 40 : start + 40] = np.sign(np.sinc(0.5 - np.arange(-40, 40)))
    found = {
        "fs/4 at 45 degrees": 1.4 * tone(12000, n, np.pi / 4),
        "fs/4 in bursts": np.where(often // 1000 % 2 == 0, 2.0, 0.2) * tone(12000, n, np.pi / 4),
        "fs/6 in bursts": np.where(often // 700 % 2 == 0, 1.5, 0.0) * tone(8000, n, np.pi / 6),
        "noise": white,
        "noise bursts": white * np.where(often // 300 % 3 == 0, 2.0, 0.01),
        "random signs": signs,
        "bursts of random signs": signs * np.where(often // 300 % 3 == 0, 2.0, 0.01),
        "single samples": np.where(rng.random(n) < 0.002, 5 * white, 0.0),
        "the worst between two samples": pattern,
        "clipped music": np.clip(8 * lfilter([1], [1, -0.97], white) / 12, -1, 1),
        "hard clipped noise": np.clip(8 * lfilter([1], [1, -0.7], white), -1, 1),
        "a sudden tone": np.where(often > 5000, 4.0, 0.0) * tone(1000, n),
        "a sudden high tone": np.where(often > 5000, 8.0, 0.0) * tone(18000, n, 1.0),
    }
    found |= {f"square of {f} Hz": 1.5 * np.sign(tone(f, n, 0.1)) for f in (100, 997, 3000, 7001, 11025)}
    found |= {
        f"bursts of {f} Hz": np.where(often // 500 % 2 == 0, 2.0, 0.0) * tone(f, n) for f in (15000, 20000, 22000)
    }
    around = np.zeros(1000)
    return {name: np.concatenate([around, x, around]).astype(np.float32) for name, x in found.items()}


MATERIAL = material()


def true_peak(y, quality="HQ"):
    return db(np.abs(soxr.resample(y.astype(float), 1, 8, quality=quality)).max())


def metered(y, rate=RATE):
    """What `measure` says."""
    meter = LoudnessMeter(rate, ["M"])
    meter.feed(y)
    return meter.result().true_peak_dbtp


def limited(play, x, settings=None, **params):
    return play("limiter", {"in": x}, params, settings or {})["out"]


# -- the ceiling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATERIAL)
@pytest.mark.parametrize("lookahead", [0.0, 5.0, 20.0])
def test_true_peak_stays_below_the_ceiling(play, name, lookahead):
    """By soxr, eight times oversampled, in two qualities, and by our meter: within 0.12 dB; and samples exactly."""
    for ceiling, gain in ((-1.0, 0.0), (-6.0, 12.0)):
        y = limited(play, MATERIAL[name], lookahead_ms=lookahead, ceiling_db=ceiling, input_db=gain)[:, 0]
        assert np.abs(y).max() <= at_most(ceiling)
        assert true_peak(y) <= ceiling + 0.1
        assert true_peak(y, "VHQ") <= ceiling + 0.1
        assert metered(y) <= ceiling + 0.12


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("release", [1.0, 5000.0])
def test_true_peak_stays_below_the_ceiling_in_every_channel(play, link, channels, release):
    """Each with other material, however fast the gain comes back."""
    names = ("noise", "fs/4 in bursts", "random signs", "bursts of random signs", "square of 997 Hz", "clipped music")
    x = np.stack([2 * np.roll(MATERIAL[names[c]], 97 * c) for c in range(channels)], 1)
    y = limited(play, x, {"link": link}, release_ms=release, ceiling_db=-3)
    peaks = [true_peak(y[:, c]) for c in range(channels)]
    assert np.abs(y).max() <= at_most(-3)
    assert max(peaks) <= -2.9
    assert max(peaks) > -4


def test_filters_of_the_standard_and_of_meters_agree_next_to_half_the_rate(play):
    """Long white noise and a sweep to the very end of the band. The filter that BS.1770 prints as its example (12 taps
    a point) has ripples of 0.2 dB of its own.
    """
    quarter = """.0017089843750 .0109863281250 -.0196533203125 .0332031250000 -.0594482421875 .1373291015625
        .9721679687500 -.1022949218750 .0476074218750 -.0266113281250 .0148925781250 -.0083007812500"""
    half = """-.0291748046875 .0292968750000 -.0517578125000 .0891113281250 -.1665039062500 .4650878906250
        .7797851562500 -.2003173828125 .1015625000000 -.0582275390625 .0330810546875 -.0189208984375"""
    first, second = (np.array(text.split(), float) for text in (quarter, half))
    sweep = 2 * chirp(np.arange(4 * RATE) / RATE, 15000, 4, RATE / 2)
    for x in (np.random.default_rng(9).standard_normal(5 * RATE), sweep):
        y = limited(play, x.astype(np.float32))[:, 0]
        assert -1.1 < metered(y) <= -0.95
        standard = max(np.abs(np.convolve(y, h)).max() for h in (first, second, second[::-1], first[::-1]))
        assert db(standard) <= -0.7


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_ffmpeg_agrees(play, tmp_path):
    """All the material in one go; ffmpeg says tenths of a decibel."""
    y = np.concatenate([limited(play, x) for x in MATERIAL.values()])
    path = tmp_path / "limited.wav"
    soundfile.write(path, y, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert float(said.rsplit("Peak:", 1)[1].split()[0]) <= -0.9


@pytest.mark.parametrize("lookahead", [0.0, 0.02, 0.1, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("link", [True, False])
def test_samples_stay_below_the_ceiling(play, lookahead, link):
    """To the last bit, at ceilings that float32 can and cannot say."""
    for name in ("noise", "random signs", "single samples", "square of 7001 Hz"):
        x = np.stack([MATERIAL[name], 0.6 * np.roll(MATERIAL[name], 333)], 1)
        for ceiling in (0.0, -0.3, -1.0, -6.0206, -40.0):
            settings = {"true_peak": False, "link": link}
            y = limited(play, x, settings, lookahead_ms=lookahead, ceiling_db=ceiling, input_db=6)
            assert np.abs(y).max() <= at_most(ceiling)
            assert np.abs(y).max() > 0.99 * at_most(ceiling)


@pytest.mark.parametrize("rate", [44100, 96000, 192000])
def test_other_rates(play, rate):
    for name in ("noise", "square of 997 Hz", "fs/4 in bursts"):
        y = play("limiter", {"in": MATERIAL[name]}, {"ceiling_db": -3}, rate=rate)["out"][:, 0]
        assert true_peak(y) <= -2.9
        assert metered(y, rate) <= -2.95


def test_a_tone_is_turned_down_to_the_ceiling_and_no_further(play):
    """The true peak of a steady tone, from low to high, whatever its samples are: within 0.05 dB below 16 kHz."""
    for freq, allowed in ((100.0, 0.02), (997.0, 0.02), (5000.0, 0.03), (12000.0, 0.03), (16000.0, 0.05)):
        x = 2 * tone(freq, RATE, np.pi / 4).astype(np.float32)
        y = limited(play, x, release_ms=500)[RATE // 2 : RATE - 3000, 0]
        assert np.sqrt(2 * np.mean(y**2.0)) == pytest.approx(10 ** (-1 / 20), rel=allowed * 0.115)


# -- what it leaves alone ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}, {"link": False}])
@pytest.mark.parametrize("lookahead", [0.0, 5.0])
def test_below_the_ceiling_no_bit_changes(play, settings, lookahead):
    """Music just below the ceiling, and music long after a peak."""
    rng = np.random.default_rng(2)
    x = lfilter([1], [1, -0.9], rng.standard_normal((2 * RATE, 2)), axis=0)
    x = (0.5 * x / np.abs(x).max()).astype(np.float32)
    x[5000] = 3.0
    y = limited(play, x, settings, lookahead_ms=lookahead)
    assert np.array_equal(y[:4000], x[:4000])
    assert np.array_equal(y[RATE:], x[RATE:])
    assert not np.array_equal(y, x)


def test_linked_channels_keep_their_balance(play):
    x = np.stack([MATERIAL["noise"], 0.1 * MATERIAL["random signs"]], 1)
    y = limited(play, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = y / x
    both = np.isfinite(gains).all(axis=1)
    assert np.abs(gains[both, 0] - gains[both, 1]).max() < 1e-6
    apart = limited(play, x, {"link": False})
    assert np.array_equal(apart[:, 1], x[:, 1])
    assert not np.array_equal(apart[:, 0], x[:, 0])


# -- the shape of the gain ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", [5.0, 50.0, 400.0])
def test_without_lookahead_it_is_the_formula_of_the_workloads(play, release):
    """e = max(|l|, |r|, e·r); g = e > c ? c/e : 1."""
    x = np.random.default_rng(3).standard_normal((RATE, 2)).astype(np.float32)
    y = limited(play, x, {"true_peak": False}, lookahead_ms=0, release_ms=release)
    c, r = 10 ** (-1 / 20), np.exp(-1000 / (release * RATE))
    e, gain = 0.0, np.empty(len(x))
    for i, loudest in enumerate(np.abs(x.astype(float)).max(axis=1)):
        e = max(loudest, e * r)
        gain[i] = c / e if e > c else 1.0
    assert db(np.abs(y - x * gain[:, None]).max()) < -130


@pytest.mark.parametrize("lookahead", [1.0, 5.0, 13.7])
def test_the_gain_falls_within_the_lookahead_and_smoothly(play, lookahead):
    """One peak in a quiet tone: the gain is down when it comes, was one before the lookahead, and makes no jumps."""
    frames = round(lookahead * RATE / 1000)
    x = np.full(RATE // 2, 0.1, np.float32)
    x[10000] = 4.0
    y = limited(play, x, {"true_peak": False}, lookahead_ms=lookahead)[:, 0]
    gain = y / x
    assert np.all(gain[: 10000 - frames] == 1.0)
    assert gain[10000] == pytest.approx(10 ** (-1 / 20) / 4, rel=1e-6)
    falling = np.diff(gain[10000 - frames - 1 : 10001])
    assert np.all(falling <= 0)
    # Two running means make a ramp without corners: no step is more than twice the average one.
    assert np.abs(falling).max() < 2.2 * (1 - gain[10000]) / frames
    assert np.abs(np.diff(falling)).max() < 8 * (1 - gain[10000]) / frames**2


def test_release_is_the_time_of_8_7_decibels(play):
    x = np.full(RATE, 0.01, np.float32)
    x[5000] = 10.0
    for release in (10.0, 50.0, 200.0):
        y = limited(play, x, {"true_peak": False}, release_ms=release, lookahead_ms=2, ceiling_db=-20)[:, 0]
        level = db(y / x)
        settled = 5000 + 2 * 96
        after = round(release * RATE / 1000)
        assert level[settled + after] - level[settled] == pytest.approx(8.686, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "lookahead", "frames"),
    [
        ({"true_peak": False}, 0.0, 0),
        ({"true_peak": False}, 5.0, 240),
        ({}, 5.0, 240),
        ({}, 20.0, 960),
        ({}, 0.0, crests.LAG + 32),
    ],
)
def test_latency(play, settings, lookahead, frames):
    x = 0.5 * MATERIAL["noise bursts"] / np.abs(MATERIAL["noise bursts"]).max()
    y = play("limiter", {"in": x}, {"lookahead_ms": lookahead}, settings, aligned=False)["out"][:, 0]
    assert len(y) == len(x) + frames
    assert np.array_equal(y[frames:], x)
    assert not y[:frames].any()
    assert np.array_equal(
        play("limiter", {"in": x}, {"lookahead_ms": lookahead}, settings, bypass=True, aligned=False)["out"][:, 0], y
    )


@pytest.mark.parametrize("kind", ["music", "high", "quarter", "signs"])
def test_crests_between_samples(kind):
    """The detector by itself, in plain Python, frame by frame, against soxr at sixteen times the rate."""
    rng = np.random.default_rng(4)
    n = crests.PAST + 64 + 1000
    x = {
        "music": sosfilt(butter(12, 16000, fs=RATE, output="sos"), rng.standard_normal(n)),
        "high": tone(19000, n, 0.4),
        "quarter": tone(12000, n, np.pi / 4),
        "signs": rng.choice([-1.0, 1.0], n),
    }[kind].astype(np.float32)
    arrays = [np.zeros(crests.EXTENT, np.float32) for _ in range(8)]
    crests.crests(x[500:], 1, *arrays)
    fine = np.abs(soxr.resample(x.astype(float), 1, 16, quality="VHQ"))
    # What lies at the end of the band is a matter of opinion, except for how high it can get.
    rel = {"music": 0.02, "high": 0.02, "quarter": 0.01, "signs": 0.5}[kind]
    for k in range(6, crests.EXTENT - 3):
        at = 16 * (500 + k + crests.LONG // 2 - 1)
        # A sample is answered by the crests on both its sides.
        crest = max(arrays[-1][k - 1], arrays[-1][k])
        assert crest > (1 - rel) * fine[at - 14 : at + 13].max()
        assert crest < (1 + rel) * fine[at - 18 : at + 18].max()
        assert crest <= crests.HIGHEST * np.abs(x).max()


# -- the rest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}, {"link": False}])
@pytest.mark.parametrize("lookahead", [0.0, 1.7])
def test_same_samples_in_every_block(play, settings, lookahead):
    x = np.stack([MATERIAL["noise bursts"], MATERIAL["clipped music"]], 1)[:9000]
    params = {"lookahead_ms": lookahead, "release_ms": 20}
    found = [
        play("limiter", {"in": x}, params, settings, block=block, checked=checked)
        for block, checked in ((64, False), (448, False), (1024, False), (512, True))
    ]
    assert all(np.array_equal(found[0]["out"], other["out"]) for other in found[1:])
    assert found[-1].program.faults == 0


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}])
def test_a_moving_ceiling_holds_for_the_sound_it_comes_with(play, settings):
    """A step down is already there when its own sound comes; and what came before keeps its own ceiling."""
    x = np.tile(MATERIAL["noise"], 2)
    at = 12003
    steps = [(0.0, -3.0, "hold"), (at / RATE, -20.0, "hold")]
    y = play("limiter", {"in": x}, {}, settings, automation={"ceiling_db": steps})["out"][:, 0]
    assert np.abs(y[:at]).max() <= at_most(-3.0)
    assert np.abs(y[at:]).max() <= at_most(-20.0)
    assert np.abs(y[at : at + 2000]).max() > 0.8 * at_most(-20.0)


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}])
def test_modulated_input_and_ceiling(play, settings):
    x = MATERIAL["noise"]
    wave = np.sin(2 * np.pi * 7 * np.arange(len(x)) / RATE).astype(np.float32)
    y = play("limiter", {"in": x}, {"ceiling_db": -20}, settings, modulation={"ceiling_db": (wave, 0.25)})["out"][:, 0]
    bound = 10 ** ((-20 + 10 * wave) / 20)
    assert np.all(np.abs(y) <= bound * (1 + 1e-6))
    louder = play("limiter", {"in": x}, {"input_db": 0}, settings, modulation={"input_db": (wave, 0.05)})["out"][:, 0]
    assert np.abs(louder).max() <= at_most(-1.0)
    assert not np.array_equal(louder, limited(play, x, settings)[:, 0])


def test_gain_reduction_is_read(play):
    x = np.full((RATE // 4, 2), 0.5, np.float32)
    for settings, lookahead in (({}, 5.0), ({"true_peak": False}, 5.0), ({"true_peak": False}, 0.0)):
        params = {"ceiling_db": -18, "lookahead_ms": lookahead, "release_ms": 5000}
        played = play("limiter", {"in": x}, params, settings)
        reading = played.program.readings["node", "gain_reduction"]
        # The sound has ended a little before the last frame, and the gain began to rise.
        assert reading == pytest.approx(-db(played["out"][-1] / x[-1]), abs=0.02)
        # A step rises above itself between its samples.
        assert reading == pytest.approx(18 + db(0.5) + (0 if settings else 1.1), abs=0.05)
        played = play("limiter", {"in": 0.1 * x}, params, settings)
        assert list(played.program.readings["node", "gain_reduction"]) == [0.0, 0.0]


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}])
@pytest.mark.parametrize("lookahead", [0.0, 5.0])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_recovers(play, settings, lookahead, bad):
    """What is no number is silence."""
    x = np.stack([MATERIAL["clipped music"]] * 2, 1)
    broken, silent = x.copy(), x.copy()
    broken[3000:3100, 1] = bad
    silent[3000:3100, 1] = 0.0
    y = limited(play, broken, settings, lookahead_ms=lookahead)
    assert np.array_equal(y, limited(play, silent, settings, lookahead_ms=lookahead))


@pytest.mark.parametrize("settings", [{}, {"true_peak": False}])
def test_recovers_from_the_largest_floats(play, settings):
    x = np.full(4 * RATE, 0.1, np.float32)
    x[100:200] = 3e38 * (-1.0) ** np.arange(100)
    y = limited(play, x, settings, release_ms=1)[:, 0]
    assert np.isfinite(y).all()
    assert np.array_equal(y[RATE:], x[RATE:])


def test_lookahead_cannot_be_moved(play):
    with pytest.raises(PatchError, match=r"lookahead_ms.*latency"):
        play("limiter", {"in": MATERIAL["noise"]}, automation={"lookahead_ms": [(0, 1, "linear"), (1, 2, "hold")]})
