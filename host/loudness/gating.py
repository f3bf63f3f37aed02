"""Gated loudness and loudness range from mean-square energies. Pure functions: linear energies in, LUFS or LU out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.dsp.loudness import ABSOLUTE_GATE_LUFS, INTEGRATED_GATE_LU, OFFSET, RANGE_GATE_LU, RANGE_PERCENTILES

FloatArray = NDArray[np.floating[Any]]


def lufs(energy: float) -> float | None:
    """The loudness of a weighted mean square; `None` for silence (−∞)."""
    return OFFSET + 10.0 * math.log10(energy) if energy > 0.0 else None


def energy_at(loudness: float) -> float:
    """The weighted mean square of a loudness in LUFS."""
    return 10.0 ** ((loudness - OFFSET) / 10.0)


def gated(energies: FloatArray, relative_gate: float) -> FloatArray:
    """What passes the absolute gate and then a gate `relative_gate` LU from the mean of that."""
    passing = energies[energies > energy_at(ABSOLUTE_GATE_LUFS)]
    if passing.size == 0:
        return passing
    return passing[passing > passing.mean() * 10.0 ** (relative_gate / 10.0)]


def integrated(momentary: FloatArray, relative_gate: float = INTEGRATED_GATE_LU) -> float | None:
    """Integrated loudness from the energies of 400 ms blocks that overlap by 75 % (BS.1770-5 Annex 1).

    `None` when nothing passes the gates.
    """
    passing = gated(momentary, relative_gate)
    return lufs(float(passing.mean())) if passing.size else None


def loudness_range(short_term: FloatArray, relative_gate: float = RANGE_GATE_LU) -> float | None:
    """Loudness range in LU from the energies of 3 s windows every 100 ms (EBU Tech 3342).

    `None` when nothing passes the gates.
    """
    passing = np.sort(gated(short_term, relative_gate))
    if passing.size == 0:
        return None
    low, high = (passing[math.floor((passing.size - 1) * percent / 100.0 + 0.5)] for percent in RANGE_PERCENTILES)
    return 10.0 * math.log10(high / low)
