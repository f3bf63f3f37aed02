"""Delay lines read at places that move from frame to frame: what chorus and flanger share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import Config, helper
from nodes.dsp.machine import fma

SHORTEST = 2.0
"""Frames: any shorter, the interpolator would need frames that are yet to come."""
AROUND = 4
"""Frames that a place is read from, beyond its delay."""


def ring(frames: float) -> int:
    """The length of a ring for delays up to so many frames."""
    return 1 << (int(frames) + 2 * AROUND).bit_length()


def swept_memory(config: Config, longest_ms: float) -> dict[str, npt.NDArray[Any]]:
    """The rate as it was typed, and a line for delays up to so many milliseconds."""
    size = ring(longest_ms / 1000 * config.rate)
    return {
        "stored": np.array([config.params["rate_hz"]]),
        "line": np.zeros((size, config.channels("in")), np.float32),
    }


@helper
def read(line, at, delay, lane):
    """What was written ``delay`` frames before the frame ``at``: cubic, by Lagrange's formula through four frames."""
    frames = max(delay, SHORTEST)
    whole = int(frames)
    u = frames - whole
    mask = line.shape[0] - 1
    before, x0 = line[(at - whole + 1) & mask, lane], line[(at - whole) & mask, lane]
    x1, after = line[(at - whole - 1) & mask, lane], line[(at - whole - 2) & mask, lane]
    a = u * (u - 1.0) * (u - 2.0) * (-1.0 / 6.0)
    b = (u + 1.0) * (u - 1.0) * (u - 2.0) * 0.5
    c = (u + 1.0) * u * (u - 2.0) * -0.5
    d = (u + 1.0) * u * (u - 1.0) * (1.0 / 6.0)
    return fma(a, before, fma(b, x0, fma(c, x1, d * after)))
