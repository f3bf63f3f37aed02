"""Denoise, against noise and signals that are known apart."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError
from nodes.dsp import profiles

RATE = 48000
RNG = np.random.default_rng(111)
T = np.arange(3 * RATE) / RATE


def noise(frames, rng=RNG):
    """Hiss and a hum, 40 dB below full scale or so."""
    hiss = np.diff(0.01 * rng.standard_normal(frames + 1))
    return (hiss + 0.01 * np.sin(2 * np.pi * 100 * np.arange(frames) / RATE)).astype(np.float32)


LEARNED = noise(4 * RATE)[:, None]
FILES = {"room.wav": (LEARNED, RATE)}
ROOM = {"learn_from": "room.wav"}


def db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=float)))


def run(play, x, params=None, settings=ROOM, **more):
    return play("denoise", {"in": x}, params or {}, settings, files=FILES, **more)["out"].astype(float)


def test_without_anything_learned_it_is_a_delay_as_declared(play):
    x = RNG.uniform(-1, 1, (RATE // 2, 3)).astype(np.float32)
    got = run(play, x, settings={}, aligned=False)
    late = len(got) - len(x)
    assert late == 2048 - 64
    assert got[late:] == pytest.approx(x, abs=1e-6)
    assert not got[:late].any()


@pytest.mark.parametrize("reduction", [-6, -20, -40])
def test_noise_goes_down_as_far_as_it_is_to(play, reduction):
    x = noise(3 * RATE)
    got = run(play, x, {"reduction_db": reduction, "sensitivity_db": 6})[RATE:, 0]
    assert db(got) - db(x[RATE:]) == pytest.approx(reduction, abs=2)


@pytest.mark.parametrize("level", [0.5, 0.1])
def test_a_loud_signal_stays(play, level):
    clean = level * np.sin(2 * np.pi * 1000 * T) + level * np.sin(2 * np.pi * 5003 * T)
    got = run(play, clean + noise(len(T)))[RATE : 2 * RATE, 0]
    lines = np.abs(np.fft.rfft(got * np.hanning(RATE))) / (RATE / 4)
    assert lines[[1000, 5003]] == pytest.approx(level, rel=0.01)


def test_noise_around_a_signal_goes(play):
    """What is left besides the signal is far below what was there."""
    clean = 0.3 * np.sin(2 * np.pi * 1000 * T) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * T))
    x = clean + noise(len(T))
    got = run(play, x, {"reduction_db": -30})[:, 0]
    inner = slice(RATE // 2, -RATE // 2)
    assert db(got[inner] - clean[inner]) < db(x[inner] - clean[inner]) - 12


def test_speech_like_bursts_come_out_of_the_noise(play):
    bursts = (np.sin(2 * np.pi * 2 * T) > 0) * 0.1 * RNG.standard_normal(len(T))
    x = bursts + noise(len(T))
    got = run(play, x)[:, 0]
    loud, quiet = (np.sin(2 * np.pi * 2 * T) > 0.5), (np.sin(2 * np.pi * 2 * T) < -0.5)
    assert db(got[loud]) - db(x[loud]) == pytest.approx(0, abs=1)
    assert db(got[quiet]) - db(x[quiet]) < -15


def test_what_is_taken_out_can_be_heard(play):
    x = (0.2 * np.sin(2 * np.pi * 440 * T) + noise(len(T))).astype(np.float32)
    left, taken = (run(play, x, {"listen": k})[:, 0] for k in (0, 1))
    assert left + taken == pytest.approx(x, abs=1e-6)
    assert db(taken[RATE:-RATE]) == pytest.approx(db(noise(RATE)), abs=2)


def test_channels_get_the_same_gains(play):
    x = noise(RATE) + 0.1 * np.sin(2 * np.pi * 700 * T[:RATE])
    got = run(play, np.stack([x, -0.5 * x, 0.25 * x], 1))
    assert got[:, 1] == pytest.approx(-0.5 * got[:, 0], abs=1e-6)
    assert got[:, 2] == pytest.approx(0.25 * got[:, 0], abs=1e-6)


def test_only_the_part_that_is_named_is_learned_from(play):
    """The file says how loud the noise is only where it is alone."""
    loud = LEARNED.copy()
    loud[: 2 * RATE] += 0.5 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)[:, None].astype(np.float32)
    files = {"take.wav": (loud, RATE)}
    x = 0.05 * np.sin(2 * np.pi * 300 * T[:RATE])
    for settings, gone in (({}, True), ({"learn_start_s": 2.1}, False), ({"learn_end_s": 1.9}, True)):
        own = {"learn_from": "take.wav", **settings}
        got = play("denoise", {"in": x}, {}, own, files=files)["out"][RATE // 4 : -RATE // 4, 0]
        assert bool(db(got) - db(x) < -15) is gone


def test_what_was_learned_is_as_good_as_the_file(play):
    x = noise(RATE)
    state = profiles.encoded(profiles.learned(LEARNED, RATE, 2048))
    assert run(play, x, settings={}, state=state) == pytest.approx(run(play, x), abs=1e-6)


def test_what_was_learned_holds_at_another_rate(play):
    """White noise learned at 48 kHz is turned down at 96 kHz: its density is what counts."""
    white = 0.01 * RNG.standard_normal((4 * RATE, 1)).astype(np.float32)
    state = profiles.encoded(profiles.learned(white, RATE, 2048))
    x = np.repeat(white[:RATE, 0], 2)  # to 96 kHz, with images above 24 kHz
    got = play("denoise", {"in": x}, {"sensitivity_db": 6}, {}, state=state, rate=2 * RATE)["out"][RATE:, 0]
    below = lambda y: np.sum(np.abs(np.fft.rfft(y.astype(float)))[: len(y) // 8] ** 2)  # noqa: E731
    assert 10 * np.log10(below(got) / below(x[RATE:])) < -15


def test_nonsense_is_refused_by_name(play):
    with pytest.raises(PatchError, match="spectrum that was learned"):
        run(play, np.zeros(64), settings={}, state=b"nonsense")
    with pytest.raises(PatchError, match=r"learn_end_s: expected more than learn_start_s, which is 2"):
        run(play, np.zeros(64), settings=ROOM | {"learn_start_s": 2, "learn_end_s": 1})
    with pytest.raises(PatchError, match=r"learn_start_s: the file ends after 4 s"):
        run(play, np.zeros(64), settings=ROOM | {"learn_start_s": 5})
