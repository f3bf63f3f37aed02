"""The compressor against its definition: static curve, time constants, and every sample of it in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.schedule import KernelStep
from host.offline import run_arrays
from nodes import kinds

RATE = 48000


def db(gain):
    return 20 * np.log10(np.maximum(np.asarray(gain, float), 1e-300))


def sine(freq, level_db, seconds=0.5, rate=RATE):
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * freq * np.arange(int(seconds * rate)) / rate)


def noise(frames=RATE // 2, channels=2, seed=1, level=0.3):
    """Noise that swells and fades."""
    rng = np.random.default_rng(seed)
    swell = 1 + np.sin(2 * np.pi * 5 * np.arange(frames) / RATE)
    return (level * swell[:, None] * rng.standard_normal((frames, channels))).astype(np.float32)


def curve_db(level, threshold, ratio, knee):
    """What the gain of the static curve is, in dB: Giannoulis, Massberg, Reiss, JAES 60(6), eq. 4."""
    over = np.asarray(level, float) - threshold
    slope = 1 / ratio - 1
    bent = slope * (over + knee / 2) ** 2 / (2 * max(knee, 1e-12))
    return np.where(2 * over < -knee, 0.0, np.where(2 * over > knee, slope * over, bent))


def smoothed(x, rising_ms, falling_ms, rate=RATE):
    """One pole, with the time to 63.2 % upwards and downwards."""
    up = np.exp(-1000 / (rising_ms * rate)) if rising_ms else 0.0
    down = np.exp(-1000 / (falling_ms * rate)) if falling_ms else 0.0
    y, out = 0.0, np.empty(len(x))
    for i, value in enumerate(x):
        k = up if value > y else down
        y = value + k * (y - value)
        out[i] = y
    return out


def windowed(key, detector, rate=RATE):
    """The level that ``peak`` and ``rms`` measure: over the last 5 or 10 ms."""
    key = np.abs(key.astype(float))
    if detector == "peak":
        frames = round(0.005 * rate)
        return maximum_filter1d(np.concatenate([np.zeros(frames), key]), frames, origin=(frames - 1) // 2)[frames:]
    frames = round(0.010 * rate)
    padded = np.concatenate([np.zeros(frames), key**2])
    return np.sqrt(np.maximum(np.convolve(padded, np.full(frames, 1 / frames))[frames : len(padded)], 0))


def gain_of(key, detector, threshold, ratio, attack, release, knee, rate=RATE):
    """The gain, by the definition of each detector."""
    if detector == "envelope":
        return 10 ** (
            curve_db(db(smoothed(np.abs(key.astype(float)), attack, release, rate)), threshold, ratio, knee) / 20
        )
    fall = -curve_db(db(windowed(key, detector, rate)), threshold, ratio, knee)
    return 10 ** (-smoothed(fall, attack, release, rate) / 20)


# -- the static curve --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1.0, 1.5, 4.0, 20.0, 100.0])
@pytest.mark.parametrize("knee", [0.0, 6.0, 24.0])
@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_static_curve_on_sines(play, detector, ratio, knee):
    """Within 0.1 dB from 100 Hz on; the level of a sine is its peak, or its RMS."""
    for freq, threshold in ((100.0, -30.0), (441.0, -18.0), (1000.0, -50.0), (3001.0, -24.0), (10007.0, -36.0)):
        levels = np.arange(-60.0, 1.0, 6.0)
        x = np.concatenate([sine(freq, level) for level in levels])
        params = {"threshold_db": threshold, "ratio": ratio, "knee_db": knee, "attack_ms": 1, "release_ms": 5}
        y = play("compressor", {"in": x}, params, {"detector": detector})["out"][:, 0]
        heard = levels - (3.0103 if detector == "rms" else 0.0)
        for k, level in enumerate(levels):
            steady = slice(int((k + 0.6) * RATE / 2), int((k + 1) * RATE / 2))
            found = db(np.sqrt(np.mean(y[steady] ** 2.0)) / np.sqrt(np.mean(x[steady] ** 2)))
            assert found == pytest.approx(float(curve_db(heard[k], threshold, ratio, knee)), abs=0.1), (freq, level)


@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
@pytest.mark.parametrize("link", [False, True])
def test_definition_in_float64(play, detector, link):
    """Every sample, against the definition in float64: within −120 dB."""
    x = noise()
    for settings in (
        {"threshold": -18.0, "ratio": 4.0, "attack": 10.0, "release": 100.0, "knee": 0.0},
        {"threshold": -40.0, "ratio": 100.0, "attack": 0.0, "release": 1.0, "knee": 12.0},
        {"threshold": -12.0, "ratio": 1.5, "attack": 300.0, "release": 5.0, "knee": 24.0},
    ):
        names = {"threshold": "threshold_db", "attack": "attack_ms", "release": "release_ms", "knee": "knee_db"}
        params = {names.get(k, k): v for k, v in settings.items()}
        y = play("compressor", {"in": x}, params, {"detector": detector, "link": link})["out"]
        if not link:
            gains = [gain_of(x[:, c], detector, **settings) for c in (0, 1)]
        elif detector == "rms":
            level = np.maximum(windowed(x[:, 0], "rms"), windowed(x[:, 1], "rms"))
            fall = -curve_db(db(level), settings["threshold"], settings["ratio"], settings["knee"])
            gains = [10 ** (-smoothed(fall, settings["attack"], settings["release"]) / 20)] * 2
        else:
            gains = [gain_of(np.abs(x).max(axis=1), detector, **settings)] * 2
        assert db(np.abs(y - x * np.stack(gains, 1)).max()) < -120


@pytest.mark.parametrize("case", [(-18, 4, 10, 100), (-12, 2, 20, 200), (-24, 4, 5, 150)])
def test_envelope_is_the_compressor_of_the_workloads(play, case):
    """env = x + c·(env − x); g = (env / T)^(1/ratio − 1): within −120 dB of it in float64."""
    threshold, ratio, attack, release = case
    x = noise(2 * RATE)
    y = play(
        "compressor",
        {"in": x},
        {"threshold_db": threshold, "ratio": ratio, "attack_ms": attack, "release_ms": release},
        {"detector": "envelope", "link": False},
    )["out"]
    T = 10 ** (threshold / 20)
    ca, cr = np.exp(-1 / (attack * 1e-3 * RATE)), np.exp(-1 / (release * 1e-3 * RATE))
    for c in (0, 1):
        env, g = 0.0, np.empty(len(x))
        for i, a in enumerate(np.abs(x[:, c].astype(float))):
            env = a + (ca if a > env else cr) * (env - a)
            g[i] = (env / T) ** (1 / ratio - 1) if env > T else 1.0
        assert db(np.abs(y[:, c] - x[:, c] * g).max()) < -130


# -- time --------------------------------------------------------------------------------------------------------------


def steps(rate, low=-60.0, high=0.0):
    """A tone of one sign, quiet, loud from 0.5 s to 1.5 s, quiet again: its magnitude is the level of every frame."""
    level = np.full(int(3 * rate), low)
    level[int(0.5 * rate) : int(1.5 * rate)] = high
    return 10 ** (level / 20)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize(("attack", "release"), [(1.0, 20.0), (10.0, 100.0), (50.0, 300.0)])
@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_times_are_to_63_percent_of_the_change_in_db(play, rate, attack, release, detector):
    """Within 5 %; the hold of the peak's window (and the settling of the mean's) comes before."""
    x = steps(rate)
    params = {"threshold_db": -40, "ratio": 4, "attack_ms": attack, "release_ms": release}
    y = play("compressor", {"in": x}, params, {"detector": detector}, rate=rate)["out"][:, 0]
    fall = -db(y / x)
    full = 0.75 * 40
    part = full * (1 - np.exp(-1))
    on, off = int(0.5 * rate), int(1.5 * rate)
    reached = (np.argmax(fall[on:] >= part) + 1) / rate * 1000
    if detector == "peak":
        assert reached == pytest.approx(attack, rel=0.05, abs=1.5e3 / rate)
        hold = round(0.005 * rate)
        assert np.all(fall[off : off + hold - 1] > 0.999 * full * (1 - np.exp(-1000 / attack)))
        left = (np.argmax(fall[off + hold - 1 :] <= full - part) + 1) / rate * 1000
        assert left == pytest.approx(release, rel=0.05, abs=1.5e3 / rate)
    else:
        # The level itself takes the window's 10 ms. Then it stays, and what is left of the change only fades away.
        window = round(0.010 * rate)
        for start, time, left in ((on, attack, fall[off - 1] - fall), (off, release, fall)):
            settled = left[start + window :]
            faded = (np.argmax(settled <= settled[0] / np.e) + 1) / rate * 1000
            assert faded == pytest.approx(time, rel=0.05, abs=1.5e3 / rate)
        assert attack * 0.95 < reached < attack * 1.05 + 10
    assert fall[off - 1] == pytest.approx(full, rel=0.01)


def test_an_attack_of_nothing_is_instant(play):
    x = steps(RATE, -60.0, -10.0)
    y = play("compressor", {"in": x}, {"threshold_db": -30, "ratio": 2, "attack_ms": 0})["out"][:, 0]
    assert db(y[RATE // 2] / x[RATE // 2]) == pytest.approx(-10, abs=1e-4)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("ms", [0.0, 0.01, 1.0, 7.3, 20.0])
def test_lookahead_is_latency_and_comes_before_the_sound(play, rate, ms):
    frames = round(ms * rate / 1000)
    x = steps(rate)
    params = {"threshold_db": -40, "ratio": 4, "attack_ms": 5, "release_ms": 50}
    late = play("compressor", {"in": x}, {**params, "lookahead_ms": ms}, rate=rate, aligned=False)["out"][:, 0]
    plain = play("compressor", {"in": x}, params, rate=rate)["out"][:, 0]
    gain = plain / x
    wanted = np.concatenate([np.zeros(frames), x])[: len(x)] * gain
    assert len(late) == len(x) + frames
    assert db(np.abs(late[: len(x)] - wanted).max()) < -120


def test_lookahead_meets_the_attack(play):
    """With a lookahead longer than the attack, a jump in level arrives already turned down."""
    x = steps(RATE)
    params = {"threshold_db": -40, "ratio": 4, "attack_ms": 2, "lookahead_ms": 20}
    y = play("compressor", {"in": x}, params)["out"][:, 0]
    assert db(y[RATE // 2]) == pytest.approx(-30, abs=0.1)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_the_loudest_channel_leads_when_linked(play):
    x = noise(channels=6)
    x[:, 4] *= 3
    y = play("compressor", {"in": x}, {"threshold_db": -30})["out"]
    gain = gain_of(np.abs(x).max(axis=1), "peak", -30, 4, 10, 100, 0)
    assert db(np.abs(y - x * gain[:, None]).max()) < -120


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
@pytest.mark.parametrize("link", [True, False])
def test_sidechains_of_any_width(play, channels, detector, link):
    """One gain from the loudest channel of the key; channel by channel only if unlinked and as many."""
    x, key = noise(seed=2), noise(channels=channels, seed=3)
    settings = {"detector": detector, "link": link}
    y = play("compressor", {"in": x, "sidechain": key}, {"threshold_db": -30}, settings)["out"]
    levels = [windowed(key[:, c], "rms") for c in range(channels)]
    for lane in (0, 1):
        own = [lane] if not link and channels == 2 else list(range(channels))
        if detector == "rms":
            fall = -curve_db(db(np.max([levels[c] for c in own], axis=0)), -30, 4, 0)
            gain = 10 ** (-smoothed(fall, 10, 100) / 20)
        else:
            gain = gain_of(np.abs(key[:, own]).max(axis=1), detector, -30, 4, 10, 100, 0)
        assert db(np.abs(y[:, lane] - x[:, lane] * gain).max()) < -120


def test_a_silent_sidechain_compresses_nothing(play):
    x = noise()
    y = play("compressor", {"in": x, "sidechain": np.zeros((len(x), 1))}, {"threshold_db": -60})["out"]
    assert np.array_equal(x, y)


# -- the rest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
def test_below_the_threshold_nothing_changes(play, detector):
    x = noise(level=0.001)
    for mix in (0.0, 0.3, 1.0):
        y = play("compressor", {"in": x}, {"threshold_db": -20, "mix": mix}, {"detector": detector})["out"]
        assert np.array_equal(x, y)


def test_makeup_and_mix(play):
    x = noise()
    params = {"threshold_db": -30, "makeup_db": 7.5, "mix": 0.4, "lookahead_ms": 3}
    y = play("compressor", {"in": x}, params, aligned=False)["out"][: len(x)]
    gain = gain_of(np.abs(x).max(axis=1), "peak", -30, 4, 10, 100, 0) * 10 ** (7.5 / 20)
    dry = np.concatenate([np.zeros((144, 2)), x])[: len(x)]
    assert db(np.abs(y - dry * (0.6 + 0.4 * gain[:, None])).max()) < -120


@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
def test_gain_reduction_is_read(play, detector):
    x = np.concatenate([noise(level=0.001), 0.5 + noise(12800, level=0)])
    played = play("compressor", {"in": x}, {"threshold_db": -30, "makeup_db": 9}, {"detector": detector})
    found = played.program.readings["node", "gain_reduction"]
    gain = played["out"][-1] / x[-1] / 10 ** (9 / 20)
    assert found == pytest.approx(-db(gain), abs=1e-4)
    assert found[0] > 10


@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
def test_same_samples_in_every_block_and_alignment(play, detector):
    """Windows and delays go on over the ends of blocks and of ticks."""
    x = noise(5000, seed=4)
    params = {"threshold_db": -35, "ratio": 8, "knee_db": 5, "lookahead_ms": 1.7}
    found = [
        play("compressor", {"in": x}, params, {"detector": detector}, block=block, checked=checked)
        for block, checked in ((64, False), (448, False), (1024, False), (512, True))
    ]
    assert all(np.array_equal(found[0]["out"], other["out"]) for other in found[1:])
    assert found[-1].program.faults == 0


MOVES = {
    "threshold_db": (-50.0, -10.0),
    "ratio": (1.0, 20.0),
    "attack_ms": (0.0, 100.0),
    "release_ms": (1.0, 500.0),
    "knee_db": (0.0, 24.0),
    "makeup_db": (-12.0, 12.0),
    "mix": (0.0, 1.0),
}


@pytest.mark.parametrize("param", MOVES)
@pytest.mark.parametrize("detector", ["peak", "envelope"])
def test_a_step_of_automation_is_a_step(play, param, detector):
    """Within a tick: as the one value before it, and, for what has no memory, as the other after it."""
    low, high = MOVES[param]
    x = noise(4000, seed=5)
    settings = {"detector": detector}
    at = 2021
    moved = play(
        "compressor", {"in": x}, {}, settings, automation={param: [(0, low, "hold"), (at / RATE, high, "hold")]}
    )
    before = play("compressor", {"in": x}, {param: low}, settings)["out"]
    after = play("compressor", {"in": x}, {param: high}, settings)["out"]
    y = moved["out"]
    assert np.array_equal(y[:at], before[:at])
    assert not np.array_equal(y[at:], before[at:])
    if param in ("makeup_db", "mix") or (detector == "envelope" and param in ("threshold_db", "ratio", "knee_db")):
        assert np.array_equal(y[at:], after[at:])


def test_modulation_of_the_threshold(play):
    """Frame by frame: with an envelope that does not move, the gain follows the threshold alone."""
    frames = 4096
    x = np.full((frames, 1), 0.5, np.float32)
    wave = np.sin(2 * np.pi * 200 * np.arange(frames) / RATE)
    y = play(
        "compressor",
        {"in": x},
        {"threshold_db": -40, "attack_ms": 0},
        {"detector": "envelope"},
        modulation={"threshold_db": (wave, 0.25)},
    )["out"][:, 0]
    wanted = curve_db(db(0.5), -40 + 20 * wave.astype(np.float32), 4, 0)
    assert np.abs(db(y / 0.5) - wanted).max() < 1e-4


def test_lookahead_cannot_be_moved(play):
    x = noise(64)
    with pytest.raises(PatchError, match=r"lookahead_ms.*latency"):
        play("compressor", {"in": x}, automation={"lookahead_ms": [(0, 1, "linear"), (1, 2, "hold")]})
    with pytest.raises(PatchError, match="cannot be modulated"):
        play("compressor", {"in": x}, modulation={"lookahead_ms": (np.zeros(64), 0.1)})


@pytest.mark.parametrize("detector", ["peak", "rms", "envelope"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -3e38])
def test_recovers(play, detector, bad):
    """What is no number, or absurd, in one block: afterwards all is as if it had been silent there, or soon is."""
    x = noise(2 * RATE, seed=6)
    broken, silent = x.copy(), x.copy()
    broken[1000:1010] = bad
    silent[1000:1010] = 0.0
    params = {"threshold_db": -30, "attack_ms": 5, "release_ms": 5}
    y = play("compressor", {"in": broken}, params, {"detector": detector})["out"]
    wanted = play("compressor", {"in": silent}, params, {"detector": detector})["out"]
    assert np.isfinite(y[1010:]).all()
    heals = 1010 if not np.isfinite(bad) else RATE + RATE // 2
    assert db(np.abs(y[heals:] - wanted[heals:]).max()) < -100


def test_the_mean_square_does_not_drift(play):
    """Full scale, then −100 dB for a minute: the window forgets, to the last bit of what is there now."""
    loud = np.sign(noise(RATE, channels=1))
    quiet = np.full((60 * RATE, 1), 1e-4, np.float32)
    x = np.concatenate([loud, quiet])
    params = {"threshold_db": -80, "ratio": 2, "attack_ms": 0, "release_ms": 1}
    played = play("compressor", {"in": x}, params, {"detector": "rms"}, frames=len(x))
    assert played["out"][-1, 0] == np.float32(1e-4)
    params = {**params, "threshold_db": -80.0}
    louder = np.concatenate([loud, 10 * quiet])
    y = play("compressor", {"in": louder}, params, {"detector": "rms"}, frames=len(louder))["out"]
    assert db(y[-1, 0] / 1e-3) == pytest.approx(-10, abs=1e-4)


def test_bypass_keeps_the_latency(play):
    x = noise(4000)
    y = play("compressor", {"in": x}, {"lookahead_ms": 5, "threshold_db": -40}, bypass=True, aligned=False)["out"]
    assert np.array_equal(y[240:], x)
    assert not y[:240].any()


def test_envelopes_run_side_by_side_and_windows_do_not():
    """Eight stereo envelopes are one wide step with the same bits; what needs memory runs alone."""
    data = {f"in{k}": noise(2048, seed=k) for k in range(8)}

    def heard(settings, wide):
        patch = Patch(sample_rate=RATE)
        patch.add("out", "audio_out")
        for k in range(8):
            patch.add(f"in{k}", "audio_in")
            patch.add(f"c{k}", "compressor", settings=settings, threshold_db=-20.0 - k, release_ms=50.0 + 7 * k)
            patch.connect(f"in{k}.out", f"c{k}.in")
            patch.connect(f"c{k}.out", "out.in")
        schedule = compile(patch, kinds(), None, wide=wide)
        widest = max(len(s.nodes) for s in schedule.steps if isinstance(s, KernelStep))
        return run_arrays(schedule, None, 2048, data)[0]["out"], widest

    for settings, abreast in (
        ({"detector": "envelope", "link": False}, 8),
        ({"detector": "envelope", "link": True}, 8),
        ({"detector": "peak"}, 1),
    ):
        together, widest = heard(settings, True)
        apart, alone = heard(settings, False)
        assert (widest, alone) == (abreast, 1)
        assert np.array_equal(together, apart)
