"""The transforms of two frames at once, against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.dsp import windows

RNG = np.random.default_rng(81)


@pytest.mark.parametrize("size", [2, 8, 64, 512])
def test_two_frames_and_back(size):
    x, y = RNG.standard_normal((2, size))
    own = windows.tables(size)
    work = np.zeros((2, size))
    work[0, own["swapped"]], work[1, own["swapped"]] = x, y
    windows.transform(work, own["roots"])
    first = np.array([complex(*windows.first_of(work, k)) for k in range(size // 2 + 1)])
    second = np.array([complex(*windows.second_of(work, k)) for k in range(size // 2 + 1)])
    assert first == pytest.approx(np.fft.rfft(x), abs=1e-12)
    assert second == pytest.approx(np.fft.rfft(y), abs=1e-12)
    for spectrum, frame in ((first, x), (second, y)):
        for k, value in enumerate(spectrum):
            windows.put_back(work, own["swapped"], k, value.real, value.imag)
        windows.transform(work, own["roots"])
        assert work[0] / size == pytest.approx(frame, abs=1e-13)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="power of two, found 48"):
        windows.tables(48)


@pytest.mark.parametrize("size", [64, 2048])
def test_squared_windows_a_quarter_apart_add_up(size):
    total = sum(np.roll(windows.hann(size) ** 2, k * size // 4) for k in range(4))
    assert total == pytest.approx(1.5, abs=1e-12)
