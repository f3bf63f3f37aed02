"""The number behind a float32."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.dsp.precise import precise


@pytest.mark.parametrize("number", [0.01, 0.1, 0.3, 1.0, 7.25, 440.1, 997.0, 12345.67, 20000.0, 1e-5])
def test_a_decimal_number_is_found_again(number):
    assert precise(np.float32(number), -1.0) == number


def test_the_stored_number_goes_first():
    number = 261.6255653005986
    assert precise(np.float32(number), number) == number


def test_nothing_moves_by_more_than_it_was_rounded():
    for value in np.random.default_rng(1).uniform(0.01, 20000, 2000).astype(np.float32):
        assert np.float32(precise(value, -1.0)) == value
    assert precise(np.float32(0.0), -1.0) == 0.0
