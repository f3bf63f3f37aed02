"""A filter that makes white noise pink: one-pole filters side by side, weighted so that their sum falls by 3 dB per
octave.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

POLES = 12
LOWEST_HZ = 6.0
"""The lowest pole: below it the spectrum is flat."""
FITTED_HZ = 15.0, 21000.0
"""Where the spectrum is fitted, as far as the rate allows."""

_ROUNDS = 40
_ROW = 256

Row = npt.NDArray[np.float64]


@cache
def design(rate: float) -> tuple[Row, Row]:
    """Poles and weights: the sum of w_k / (1 - p_k z⁻¹), white noise in, pink noise of the same power out.

    Within 0.05 dB of −3.01 dB per octave from 20 Hz to 20 kHz at 48 kHz (0.2 dB for rates from 8 kHz on, up to 0.48 of
    the rate). The poles are spread evenly over the octaves, and one is none at all; Gauss-Newton steps on the error in
    dB find the weights.
    """
    spread = LOWEST_HZ * (0.4 * rate / LOWEST_HZ) ** (np.arange(POLES - 1) / (POLES - 2))
    poles = np.append(np.exp(-2 * np.pi * spread / rate), 0.0)
    freqs = np.geomspace(FITTED_HZ[0], min(FITTED_HZ[1], 0.48 * rate), 256)
    each = 1.0 / (1.0 - poles * np.exp(2j * np.pi * freqs / rate)[:, None])
    wanted = 1.0 / np.sqrt(freqs)
    weights = np.sqrt(np.append(spread, 0.4 * rate)) / rate
    weights *= np.exp(np.mean(np.log(wanted / np.abs(each @ weights))))
    unit = weights.copy()
    for _ in range(_ROUNDS):
        sum_ = each @ weights
        error = np.log(wanted / np.abs(sum_))
        slopes = np.real(np.conj(sum_)[:, None] * each) / (np.abs(sum_) ** 2)[:, None] * unit
        normal = slopes.T @ slopes + 1e-7 * len(freqs) * np.eye(POLES)
        step = np.linalg.solve(normal, slopes.T @ error)
        weights = weights + unit * step * min(1.0, 0.5 / float(np.max(np.abs(step))))
    power = np.sum(np.outer(weights, weights) / (1.0 - np.outer(poles, poles)))
    return poles, weights / np.sqrt(power)


def sounded(before: Row, pole: float) -> float:
    """What the filter 1 / (1 - p z⁻¹) holds after some samples: the sum of p^k x[-1-k], whose powers are of few
    numbers, p^(a·ROW) · p^b.
    """
    rows = -(-len(before) // _ROW)
    x = np.zeros(rows * _ROW)
    x[: len(before)] = before[::-1]
    return float(pole ** (_ROW * np.arange(rows)) @ x.reshape(rows, _ROW) @ pole ** np.arange(_ROW))
