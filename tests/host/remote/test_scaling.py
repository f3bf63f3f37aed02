"""Positions and values of every param there is: the ends are the ends, and there and back is where it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.spec import BUILT_IN_PARAMS, Param
from host.remote.scaling import CONTINUOUS, position_of, value_at
from nodes import kinds

PARAMS = [
    param
    for kind in kinds().values()
    for param in (*kind.params({s.name: s.default for s in kind.settings_declared()}), *BUILT_IN_PARAMS.values())
]
PARAM = st.sampled_from(PARAMS)
POSITION = st.floats(0, 1)


@given(param=PARAM)
def test_ends(param: Param) -> None:
    assert value_at(param, 0) == param.low
    assert value_at(param, 1) == param.high
    assert value_at(param, -3) == param.low
    assert value_at(param, 7) == param.high
    assert position_of(param, param.low) == 0
    assert position_of(param, param.high) == 1 or param.low == param.high


@given(param=PARAM, position=POSITION)
def test_there_and_back(param: Param, position: float) -> None:
    value = value_at(param, position)
    assert param.low <= value <= param.high
    if param.curve in CONTINUOUS:
        assert position_of(param, value) == pytest.approx(position, abs=1e-9)
    else:
        assert value.is_integer()
        assert abs(value - (param.low + position * (param.high - param.low))) <= 0.5 + 1e-9
        assert value_at(param, position_of(param, value)) == value


@given(param=PARAM, one=POSITION, other=POSITION)
def test_higher_is_not_lower(param: Param, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert value_at(param, low) <= value_at(param, high)


def test_known_places() -> None:
    freq = Param("f", 1000, 10, 1000, "Hz", "log")
    assert value_at(freq, 0.5) == pytest.approx(100)
    assert position_of(freq, 31.6227766) == pytest.approx(0.25)
    assert value_at(Param("l", 0, -96, 24, "dB"), 0.8) == pytest.approx(0)
