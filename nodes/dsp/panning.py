"""Gains of panning laws, from a pan of −1 … 1."""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp.turns import quarter_sine

SQRT_2 = 1.4142135623730951


@helper
def left_power(pan):
    """cos θ with θ = (pan + 1)·π/4: exactly 0 at the right end."""
    return quarter_sine(0.5 - 0.5 * pan)


@helper
def right_power(pan):
    """sin θ with θ = (pan + 1)·π/4: exactly 0 at the left end."""
    return quarter_sine(0.5 + 0.5 * pan)


@helper
def left_balance(pan):
    """√2·cos θ: 1 in the middle."""
    return SQRT_2 * left_power(pan)


@helper
def right_balance(pan):
    """√2·sin θ: 1 in the middle."""
    return SQRT_2 * right_power(pan)
