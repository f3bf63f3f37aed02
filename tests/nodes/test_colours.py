"""Tremolo, bit crusher and saturator, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from graph.errors import PatchError

RATE = 48000
RNG = np.random.default_rng(51)


def db(x):
    return 20 * np.log10(np.maximum(np.abs(x), 1e-20))


# -- tremolo -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wave", ["sine", "triangle"])
@pytest.mark.parametrize(
    ("rate", "depth", "phase", "spread"), [(5, 0.5, 0, 0), (0.7, 1, 0.3, 0.5), (33.3, 0.9, 0, 0.25)]
)
def test_a_tremolo_is_its_formula(play, wave, rate, depth, phase, spread):
    x = RNG.uniform(-1, 1, (RATE, 3)).astype(np.float32)
    params = {"rate_hz": rate, "depth": depth, "phase": phase, "spread": spread}
    got = play("tremolo", {"in": x}, params, {"wave": wave})["out"]
    turn = rate * np.arange(RATE)[:, None] / RATE + phase - spread * np.array([0, 1, 0])
    swing = np.cos(2 * np.pi * turn) if wave == "sine" else 4 * np.abs(turn % 1 - 0.5) - 1
    assert got == pytest.approx(x * (1 - depth * (0.5 - 0.5 * swing)), abs=3e-7)


def test_a_tremolo_without_depth_changes_no_bit(play):
    x = RNG.uniform(-1, 1, (4800, 2)).astype(np.float32)
    assert np.array_equal(play("tremolo", {"in": x}, {"depth": 0})["out"], x)


# -- bit crusher -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_samples_are_rounded_to_so_many_bits(play, bits):
    x = RNG.uniform(-1, 1, (4800, 2)).astype(np.float32)
    got = play("bitcrusher", {"in": x}, {"bits": bits})["out"]
    steps = 2.0 ** (bits - 1)
    assert np.array_equal(got, (np.rint(x * steps) / steps).astype(np.float32))
    if bits == 8:
        # The noise of rounding: a twelfth of a step's square.
        assert db(np.std(got - x)) == pytest.approx(db(1 / steps / np.sqrt(12)), abs=0.1)


@pytest.mark.parametrize("divisor", [2, 3, 16])
def test_samples_are_held(play, divisor):
    x = RNG.uniform(-1, 1, (4800, 2)).astype(np.float32)
    got = play("bitcrusher", {"in": x}, {"bits": 24, "rate_hz": RATE / divisor})["out"]
    assert np.array_equal(got, x[np.arange(4800) // divisor * divisor])


def test_a_rate_between_takes_as_many_samples_as_it_says(play):
    x = np.arange(RATE, dtype=np.float32)
    got = play("bitcrusher", {"in": x}, {"bits": 24, "rate_hz": 11_111})["out"][:, 0]
    assert 1 + np.count_nonzero(np.diff(got)) == pytest.approx(11_111, abs=2)
    assert (x - got).max() <= np.ceil(RATE / 11_111)
    assert (x >= got).all()


def test_all_bits_and_all_samples_are_the_input_and_mix_is_a_share(play):
    x = RNG.uniform(-1, 1, (4800, 2)).astype(np.float32)
    assert np.array_equal(play("bitcrusher", {"in": x}, {"bits": 24})["out"], x)
    assert np.array_equal(play("bitcrusher", {"in": x}, {"bits": 2, "mix": 0})["out"], x)
    rough = play("bitcrusher", {"in": x}, {"bits": 2})["out"]
    assert play("bitcrusher", {"in": x}, {"bits": 2, "mix": 0.25})["out"] == pytest.approx(
        0.75 * x + 0.25 * rough, abs=1e-7
    )


# -- saturator ---------------------------------------------------------------------------------------------------------


def bent(x, curve):
    if curve == "tanh":
        return np.tanh(x)
    if curve == "cubic":
        u = np.clip(x, -1.5, 1.5)
        return u - 4 / 27 * u**3
    return np.clip(x, -1, 1)


@pytest.mark.parametrize("curve", ["tanh", "cubic", "hard"])
@pytest.mark.parametrize(("drive", "bias", "level", "mix"), [(0, 0, 0, 1), (20, 0.3, -6, 1), (40, -1, 0, 0.5)])
def test_the_curves(play, curve, drive, bias, level, mix):
    x = RNG.uniform(-2, 2, (4800, 2)).astype(np.float32)
    params = {"drive_db": drive, "bias": bias, "level_db": level, "mix": mix}
    got = play("saturator", {"in": x}, params, {"curve": curve, "oversampling": 1})["out"]
    wet = (bent(10 ** (drive / 20) * x.astype(float) + bias, curve) - bent(bias, curve)) * 10 ** (level / 20)
    assert got == pytest.approx(mix * wet + (1 - mix) * x, abs=3e-6)


@pytest.mark.parametrize("oversampling", [2, 4, 8])
def test_what_is_soft_passes_in_time(play, oversampling):
    """Up to 19 kHz, and later by just as much as is declared."""
    x = np.zeros(8192, np.float32)
    x[4000] = 1e-3
    played = play("saturator", {"in": x}, settings={"oversampling": oversampling})
    y = played["out"][:, 0] / 1e-3
    assert np.argmax(np.abs(y)) == 4000
    response = np.fft.rfft(np.roll(y, -4000))
    audible = np.fft.rfftfreq(8192, 1 / RATE) < 18_500
    assert db(response[audible]) == pytest.approx(0, abs=0.01)
    assert np.angle(response[audible]) == pytest.approx(0, abs=1e-3)
    late = play("saturator", {"in": x}, settings={"oversampling": oversampling}, aligned=False)["out"][:, 0]
    assert np.argmax(np.abs(late)) == 4048


def lines(y: np.ndarray, hz: float) -> np.ndarray:
    """Amplitudes of all whole multiples of 1 Hz."""
    return 2 * np.abs(np.fft.rfft(y[-RATE:])) / RATE


@pytest.mark.parametrize(("curve", "drive"), [("tanh", 12), ("hard", 6), ("cubic", 12)])
def test_overtones_are_those_of_the_curve_and_do_not_fold_back(play, curve, drive):
    hz = 2900
    n = np.arange(2 * RATE)
    x = np.sin(2 * np.pi * hz * n / RATE)
    # The overtones of the curve without any sampling: from a turn in many points.
    turn = np.arange(4096) / 4096
    exact = 2 * np.abs(np.fft.rfft(bent(10 ** (drive / 20) * np.sin(2 * np.pi * turn), curve))) / 4096
    worst = {}
    for oversampling in (1, 8):
        params, settings = {"drive_db": drive}, {"curve": curve, "oversampling": oversampling}
        found = lines(play("saturator", {"in": x}, params, settings)["out"][:, 0].astype(float), hz)
        own = np.arange(1, 7) * hz
        if oversampling == 8:
            assert found[own] == pytest.approx(exact[1:7], abs=2e-4)
        found[np.arange(0, 9) * hz] = 0
        worst[oversampling] = db(found[:18_500].max())
    assert worst[8] < worst[1] - 25


@pytest.mark.parametrize("mix", [0.0, 1.0])
def test_the_dry_share_is_in_time(play, mix):
    x = (0.01 * RNG.uniform(-1, 1, (4800, 2))).astype(np.float32)
    got = play("saturator", {"in": x}, {"mix": mix})["out"]
    if mix == 0.0:
        assert np.array_equal(got, x)
    else:
        assert np.corrcoef(got[:, 0], x[:, 0])[0, 1] > 0.9


def test_an_oversampling_of_three_is_refused(play):
    with pytest.raises(PatchError, match="expected 1, 2, 4 or 8, found 3"):
        play("saturator", {"in": np.zeros(100)}, settings={"oversampling": 3})
