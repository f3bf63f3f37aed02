"""Values between frames, by a windowed sinc."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.machine import fma

REACH = 16
"""Frames on either side that a value between frames is interpolated from."""
PHASES = 512
BETA = 9.0


@cache
def sinc() -> npt.NDArray[np.float64]:
    """``[phase, tap]``: a sinc under a Kaiser window, for values between frames. It is always the same array."""
    t = np.arange(PHASES + 1)[:, None] / PHASES - np.arange(1 - REACH, REACH + 1)
    taps = np.sinc(t) * np.i0(BETA * np.sqrt(np.maximum(1.0 - (t / REACH) ** 2, 0.0))) / np.i0(BETA)
    taps.flags.writeable = False
    return taps


@helper
def between(line, whole, part, lane, between_taps):
    """The value ``part`` of a frame after the frame ``whole``."""
    mask = line.shape[0] - 1
    phase = part * PHASES
    row = min(int(phase), PHASES - 1)
    u = phase - row
    total = 0.0
    for t in range(2 * REACH):
        h = between_taps[row, t]
        total = fma(fma(u, between_taps[row + 1, t] - h, h), line[(whole + t + 1 - REACH) & mask, lane], total)
    return total
