"""Values between frames, against sines that are known everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.dsp.between import between, sinc

TAPS = sinc()
FRAMES = np.arange(256)


@pytest.mark.parametrize("part", [0.25, 0.5, 0.123456, 0.999])
@pytest.mark.parametrize("frequency", [0.01, 0.2, 0.4])
def test_a_sine_is_itself_between_its_frames(part, frequency):
    line = np.sin(2 * np.pi * frequency * FRAMES)[:, None]
    found = [between(line, k, part, 0, TAPS) for k in range(100, 120)]
    assert found == pytest.approx(np.sin(2 * np.pi * frequency * (np.arange(100, 120) + part)), abs=3e-5)


def test_on_a_frame_it_is_the_frame():
    line = np.random.default_rng(1).standard_normal((256, 1))
    assert between(line, 77, 0.0, 0, TAPS) == pytest.approx(line[77, 0], abs=1e-15)
