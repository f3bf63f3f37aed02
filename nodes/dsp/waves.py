"""The classic waves over one turn, and their corners with everything above half of the sample rate taken off.

A step at a distance of d frames becomes the integral of a windowed sinc; ``rounding`` is the difference between that
and the step, ``easing`` the integral of the difference, for a bend (T. Stilson and J. Smith, "Alias-free digital
synthesis of classic analog waveforms", ICMC 1996; E. Brandt, "Hard sync without aliasing", ICMC 2001). Both are zero
from ``REACH`` frames on. The window is Kaiser's: 90 dB, flat to 0.44 of the sample rate, half as much at 0.5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.machine import fma
from nodes.dsp.turns import nearest, part_of_turn

REACH = 24
BETA = 9.0
DEGREE = 9
"""Of the polynomial that stands for the sinc between two whole distances."""


def _tables() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Polynomials in the fraction of a distance, by its whole part, the highest power first: rounding and easing."""
    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    powers = np.vander(nodes, increasing=True)
    x = np.arange(REACH)[:, None] + nodes
    kernel = np.sinc(x) * np.i0(BETA * np.sqrt(1.0 - (x / REACH) ** 2))
    sinc = np.linalg.solve(powers, kernel.T).T
    rounding = _integrated(sinc)
    # The whole sinc has an area of one, half of it on either side; what is missing is counted from the far end.
    sinc /= 2.0 * rounding.sum()
    rounding = _integrated(sinc)
    rounding[:, 0] = np.concatenate([[0.0], np.cumsum(rounding.sum(axis=1))])[:-1] - 0.5
    easing = _integrated(rounding)
    easing[:, 0] = -np.cumsum(easing.sum(axis=1)[::-1])[::-1]
    return np.ascontiguousarray(rounding[:, ::-1]), np.ascontiguousarray(easing[:, ::-1])


def _integrated(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The integrals of polynomials (lowest power first) from zero on."""
    return np.hstack([np.zeros((len(rows), 1)), rows / np.arange(1, rows.shape[1] + 1)])


ROUNDING, EASING = _tables()
ROUNDING_POWERS, EASING_POWERS = ROUNDING.shape[1], EASING.shape[1]


@helper
def rounding(x, per_turn):
    """The rounding of steps up, one at every whole turn, at x turns; ``per_turn`` is frames in a turn."""
    total = 0.0
    reach = REACH / per_turn
    k = nearest(x - reach)
    while k <= x + reach:
        d = (x - k) * per_turn
        a = abs(d)
        if a < REACH:
            row = int(a)
            u = a - row
            p = ROUNDING[row, 0]
            for j in range(1, ROUNDING_POWERS):
                p = fma(p, u, ROUNDING[row, j])
            total += p if d >= 0.0 else -p
        k += 1.0
    return total


@helper
def easing(x, per_turn):
    """The easing of bends upward, one at every whole turn, at x turns, in the unit of what the slope is per frame."""
    total = 0.0
    reach = REACH / per_turn
    k = nearest(x - reach)
    while k <= x + reach:
        a = abs((x - k) * per_turn)
        if a < REACH:
            row = int(a)
            u = a - row
            p = EASING[row, 0]
            for j in range(1, EASING_POWERS):
                p = fma(p, u, EASING[row, j])
            total += p
        k += 1.0
    return total


@helper
def triangle(p):
    """0 at the start, 1 at a quarter turn, -1 at three quarters; 0 ≤ p < 1."""
    return 1.0 - 4.0 * abs(part_of_turn(p + 0.25) - 0.5)


@helper
def saw(p):
    """From -1 up to 1; 0 ≤ p < 1."""
    return 2.0 * p - 1.0


@helper
def square(p):
    """1 for half a turn, then -1; 0 ≤ p < 1."""
    return 1.0 if p < 0.5 else -1.0
