"""Gate, expander and ducker, against loops written from their descriptions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

RATE = 48000
RNG = np.random.default_rng(41)
DEFAULTS = {
    "threshold_db": -40.0,
    "ratio": 10.0,
    "range_db": -80.0,
    "attack_ms": 1.0,
    "hold_ms": 50.0,
    "release_ms": 100.0,
    "hysteresis_db": 3.0,
}


def db(x):
    return 20 * np.log10(np.maximum(x, 1e-20))


def held_peak(key: np.ndarray) -> np.ndarray:
    """The largest magnitude of the last 5 ms, over all channels."""
    size, frames = np.abs(key).max(axis=1), round(0.005 * RATE)
    padded = np.concatenate([np.zeros(frames), size])
    return maximum_filter1d(padded, frames, origin=(frames - 1) // 2)[frames:]


def rms(key: np.ndarray) -> np.ndarray:
    """The root of the mean square of the last 10 ms, of the loudest channel."""
    frames = round(0.010 * RATE)
    sums = np.cumsum(np.vstack([np.zeros((frames, key.shape[1])), key.astype(float) ** 2]), axis=0)
    return np.sqrt(np.maximum(sums[frames:] - sums[:-frames], 0.0).max(axis=1) / frames)


def gains(level: np.ndarray, params: dict[str, float]) -> np.ndarray:
    """Decibels, frame by frame."""
    p = DEFAULTS | params
    rest = {k: 0.0 if p[k] == 0 else np.exp(-1000 / (p[k] * RATE)) for k in ("attack_ms", "release_ms")}
    opened, left, wanted = False, 0, np.zeros(len(level))
    for i, loud in enumerate(db(level)):
        if loud >= p["threshold_db"] or (opened and loud >= p["threshold_db"] - p["hysteresis_db"]):
            opened, left = True, round(p["hold_ms"] * RATE / 1000)
        elif left > 0:
            left -= 1
        else:
            opened = False
        wanted[i] = 0.0 if opened else max((p["ratio"] - 1) * (loud - p["threshold_db"]), p["range_db"])
    wanted[:64] = wanted[:64].max()
    y, found = wanted[0], np.zeros(len(level))
    for i, x in enumerate(wanted):
        k = rest["release_ms" if x < y else "attack_ms"]
        y = found[i] = k * y + (1 - k) * x
    return found


def bursts(channels: int = 2) -> np.ndarray:
    levels = np.repeat([-70, -20, -41.5, -44, -30, -90, -38], 3200)
    n = np.arange(len(levels))
    x = np.sin(2 * np.pi * 440 * n / RATE) * 10 ** (levels / 20)
    return (x[:, None] * np.linspace(1, 0.5, channels)).astype(np.float32)


CASES = [
    {},
    {"hold_ms": 0, "release_ms": 5, "attack_ms": 0, "ratio": 3},
    {"threshold_db": -25, "hysteresis_db": 18, "range_db": -20, "hold_ms": 10, "release_ms": 20},
    {"ratio": 2, "hysteresis_db": 0, "release_ms": 0, "hold_ms": 0},
]


@pytest.mark.parametrize("params", CASES)
@pytest.mark.parametrize(("kind", "detect"), [("gate", held_peak), ("expander", rms)])
def test_it_is_the_loop_of_its_description(play, kind, detect, params):
    x = bursts()
    got = play(kind, {"in": x}, params)["out"]
    wanted = x * 10 ** (gains(detect(x), params) / 20)[:, None]
    assert got == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize(("kind", "offset"), [("gate", 0.0), ("expander", -3.0103)])
@pytest.mark.parametrize(("below", "ratio", "gain"), [(0, 4, 0), (5, 4, -15), (10, 4, -30), (10, 1, 0), (30, 10, -60)])
def test_the_static_curve(play, kind, offset, below, ratio, gain):
    """A sine so many decibels below the threshold, by the peak or by the RMS."""
    level = -30 - below - offset + (0.05 if below == 0 else 0)
    x = 10 ** (level / 20) * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    params = {"threshold_db": -30, "ratio": ratio, "range_db": -60}
    program = play(kind, {"in": x}, params)
    assert db(np.abs(program["out"][-4800:]).max()) - level == pytest.approx(gain, abs=0.06)
    assert program.program.readings["node", "gain_reduction"] == pytest.approx([-gain], abs=0.06)


@pytest.mark.parametrize("kind", ["gate", "expander"])
def test_what_is_loud_passes_bit_for_bit(play, kind):
    x = (0.5 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)[:, None]).astype(np.float32)
    assert np.array_equal(play(kind, {"in": x})["out"][9600:], x[9600:])


@pytest.mark.parametrize("kind", ["gate", "expander"])
def test_the_sidechain_opens_it(play, kind):
    x = (1e-3 * RNG.uniform(-1, 1, (RATE, 2))).astype(np.float32)
    key = np.zeros((RATE, 1), np.float32)
    key[20_000:24_000] = 0.5
    got = play(kind, {"in": x, "sidechain": key})["out"]
    closed = got[:20_000]
    assert closed == pytest.approx(1e-4 * x[:20_000], abs=1e-9)
    assert got[21_000:24_000] == pytest.approx(x[21_000:24_000], rel=1e-4)
    # 50 ms of hold and at most 10 ms of the detector: open until then, closed by 63.2 % of 80 dB 100 ms later.
    assert got[24_000:26_300] == pytest.approx(x[24_000:26_300], rel=1e-4)
    fall = db(np.abs(got[31_300:31_500]).max() / np.abs(x[31_300:31_500]).max())
    assert fall == pytest.approx(-80 * (1 - np.exp(-1)), abs=4)


@pytest.mark.parametrize("kind", ["gate", "expander"])
def test_a_threshold_above_all_that_was_loud_closes_it_at_once(play, kind):
    """Neither what it holds nor the hysteresis keeps it open then."""
    x = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    up = {"threshold_db": [(0.0, -40.0, "hold"), (0.5, -1.0, "hold")]}
    got = play(kind, {"in": x}, {"hold_ms": 5000, "hysteresis_db": 24, "release_ms": 1}, automation=up)["out"][:, 0]
    assert got[: RATE // 2] == pytest.approx(x[: RATE // 2], abs=1e-7)
    assert np.abs(got[RATE // 2 + 960 :]).max() < 0.01


# -- ducker ------------------------------------------------------------------------------------------------------------


def keyed(*spans: tuple[int, int], level: float = 0.1, frames: int = 2 * RATE) -> np.ndarray:
    key = np.zeros((frames, 1), np.float32)
    for start, end in spans:
        key[start:end] = level
    return key


def test_it_ducks_by_its_depth_holds_and_comes_back(play):
    x = np.ones((2 * RATE, 2), np.float32)
    params = {"depth_db": -20, "attack_ms": 20, "hold_ms": 100, "release_ms": 50}
    got = db(play("ducker", {"in": x, "sidechain": keyed((10_000, 30_000))}, params)["out"][:, 0])
    assert (got[:10_000] == 0).all()
    t = np.arange(1, 20_001) / RATE
    assert got[10_000:30_000] == pytest.approx(-20 * (1 - np.exp(-t / 0.02)), abs=1e-3)
    # The detector holds for 5 ms, the ducker for 100.
    back = 30_000 + round(0.105 * RATE) - 1
    assert got[30_000:back] == pytest.approx(-20, abs=1e-3)
    t = np.arange(1, 20_001) / RATE
    assert got[back : back + 20_000] == pytest.approx(-20 * np.exp(-t / 0.05), abs=1e-3)


def test_without_a_sidechain_nothing_is_ducked(play):
    x = RNG.uniform(-1, 1, (9600, 2)).astype(np.float32)
    assert np.array_equal(play("ducker", {"in": x})["out"], x)
    assert np.array_equal(play("ducker", {"in": x, "sidechain": keyed((0, 9600), level=0.017, frames=9600)})["out"], x)
    assert (
        np.abs(play("ducker", {"in": x, "sidechain": keyed((0, 9600), level=0.018, frames=9600)})["out"] - x).max()
        > 0.1
    )


def test_with_lookahead_the_gain_is_ahead_and_the_sound_in_time(play):
    x = np.ones((RATE, 1), np.float32)
    key = keyed((20_000, 24_000), frames=RATE)
    params = {"attack_ms": 10, "lookahead_ms": 30}
    plain = play("ducker", {"in": x, "sidechain": key}, {"attack_ms": 10})["out"]
    early = play("ducker", {"in": x, "sidechain": key}, params)["out"]
    assert np.array_equal(early[:-1440], plain[1440:])
    late = play("ducker", {"in": x, "sidechain": key}, params, aligned=False)["out"]
    assert not late[:1440].any()


def test_lookahead_does_not_move(play):
    from graph.errors import PatchError

    with pytest.raises(PatchError, match="lookahead"):
        play("ducker", {"in": np.zeros(100)}, automation={"lookahead_ms": [(0.0, 1.0, "hold")]})
