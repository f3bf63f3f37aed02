"""The phaser, against the response of its allpasses as analog theory and the bilinear transform give it."""

from __future__ import annotations

import numpy as np
import pytest

RATE = 48000
STILL = {"depth_octaves": 0.0, "spread": 0.0}


def response(freqs, stages, hz, feedback, mix):
    """Dry, and a chain of allpasses (w − s)/(w + s) with its feedback around it."""
    s = 1j * np.tan(np.pi * freqs / RATE)
    w = np.tan(np.pi * hz / RATE)
    chain = ((w - s) / (w + s)) ** stages
    return 1 - mix + mix * chain / (1 - feedback * chain)


@pytest.mark.parametrize("stages", [2, 5, 6, 12])
@pytest.mark.parametrize(("hz", "feedback", "mix"), [(800, 0.0, 0.5), (300, 0.7, 0.5), (4000, -0.9, 1.0)])
def test_at_rest_it_is_a_chain_of_allpasses(play, stages, hz, feedback, mix):
    x = np.zeros(1 << 16, np.float32)
    x[0] = 1.0
    params = STILL | {"freq_hz": hz, "feedback": feedback, "mix": mix}
    got = np.fft.rfft(play("phaser", {"in": x}, params, {"stages": stages})["out"][:, 0].astype(float))
    wanted = response(np.arange(len(got)) * RATE / len(x), stages, hz, feedback, mix)
    assert np.abs(got - wanted)[:-1].max() < 2e-5 * np.abs(wanted).max()


def test_the_notches_are_where_the_phase_is_turned_half_way(play):
    """Four stages turn by 180° where each turns by 45°, and by 540° where each turns by 135°."""
    x = np.zeros(1 << 16, np.float32)
    x[0] = 1.0
    got = play("phaser", {"in": x}, STILL | {"freq_hz": 1000, "feedback": 0, "mix": 0.5}, {"stages": 4})["out"][:, 0]
    size = np.abs(np.fft.rfft(got.astype(float)))
    freqs = np.arange(len(size)) * RATE / len(x)
    for turn in (45, 135):
        notch = RATE / np.pi * np.arctan(np.tan(np.pi * 1000 / RATE) * np.tan(np.radians(turn / 2)))
        assert size[np.argmin(np.abs(freqs - notch))] < 0.01
    heard = size[freqs < 10_000]
    assert np.count_nonzero((heard[1:-1] < heard[:-2]) & (heard[1:-1] < heard[2:])) == 2


def test_it_swings_around_its_middle_and_channels_apart(play):
    """A sine comes out turned by twice the angle whose tangent is what the sweep makes it."""
    t = np.arange(2 * RATE) / RATE
    x = np.sin(2 * np.pi * 500 * t)
    params = {"freq_hz": 500, "depth_octaves": 2, "rate_hz": 0.5, "spread": 0.25, "feedback": 0, "mix": 1}
    got = play("phaser", {"in": np.stack([x, x], 1)}, params, {"stages": 2})["out"].astype(float)
    for lane, behind in ((0, 0.0), (1, 0.25)):
        where = 500 * 2 ** (2 * np.sin(2 * np.pi * (0.5 * t - behind)))
        turn = 2 * 2 * np.arctan(np.tan(np.pi * 500 / RATE) / np.tan(np.pi * where / RATE))
        # The sweep is slow beside the sine: what it adds is its own speed, π radians in a second of 500 turns.
        assert got[4800:, lane] == pytest.approx(np.sin(2 * np.pi * 500 * t - turn)[4800:], abs=0.01)


def test_without_mix_no_bit_changes(play):
    x = np.random.default_rng(8).uniform(-1, 1, (4800, 2)).astype(np.float32)
    assert np.array_equal(play("phaser", {"in": x}, {"mix": 0})["out"], x)


def test_it_stays_bounded_however_it_is_shaken(play):
    """Rotations add no energy: with feedback r no more than 1/(1 − r) of it comes out, in amplitude."""
    rng = np.random.default_rng(9)
    x = rng.uniform(-1, 1, RATE).astype(np.float32)
    shaken = {"freq_hz": (rng.uniform(-1, 1, RATE), 1.0)}
    params = {"feedback": 0.9, "mix": 1, "depth_octaves": 4, "rate_hz": 20}
    got = play("phaser", {"in": x}, params, {"stages": 24}, modulation=shaken)["out"].astype(float)
    assert np.sqrt(np.sum(got**2)) <= 10 * np.sqrt(np.sum(x.astype(float) ** 2))
