"""Sound taken apart into windows, changed as spectra, and laid over each other again.

Two real frames x and y are transformed at once, as the real and imaginary parts of one: with Z the transform of
x + i·y, that of x is (Z[k] + Z*[−k]) / 2, that of y (Z[k] − Z*[−k]) / 2i. Transforms are of radix 2, decimation in time
(J. W. Cooley and J. W. Tukey, 1965), in float64, with the roots of each stage side by side.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.machine import fma


def tables(size: int) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]:
    """What ``transform`` needs for so many points, a power of two: ``roots`` and ``swapped``."""
    bits = size.bit_length() - 1
    if size != 1 << bits:
        raise ValueError(f"expected a power of two, found {size}")
    swapped = np.zeros(size, np.int64)
    for bit in range(bits):
        swapped = swapped << 1 | (np.arange(size) >> bit & 1)
    roots = np.zeros((2, size))
    for stage in range(bits):
        turns = np.arange(1 << stage) / (2 << stage)
        # The roots of a stage begin at its span.
        roots[0, 1 << stage : 2 << stage] = np.cos(2 * np.pi * turns)
        roots[1, 1 << stage : 2 << stage] = -np.sin(2 * np.pi * turns)
    return {"roots": roots, "swapped": swapped}


def nearest_size(seconds: float, rate: float) -> int:
    """The power of two whose length is nearest to a time, as a ratio."""
    return 1 << max(6, round(float(np.log2(seconds * rate))))


def hann(size: int) -> npt.NDArray[np.float64]:
    """A Hann window that is periodic in ``size``."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


@helper
def transform(work, roots):
    """In place: values whose places were swapped become their transform with negative exponent, in order."""
    size = work.shape[1]
    span = 1
    while span < size:
        for first in range(0, size, 2 * span):
            for k in range(span):
                i, j = first + k, first + k + span
                c, s = roots[0, span + k], roots[1, span + k]
                re = fma(c, work[0, j], -(s * work[1, j]))
                im = fma(c, work[1, j], s * work[0, j])
                x, y = work[0, i], work[1, i]
                work[0, i], work[1, i] = x + re, y + im
                work[0, j], work[1, j] = x - re, y - im
        span *= 2


@helper
def first_of(work, k):
    """Real and imaginary part of point k of the transform of the real part."""
    j = (work.shape[1] - k) & (work.shape[1] - 1)
    return 0.5 * (work[0, k] + work[0, j]), 0.5 * (work[1, k] - work[1, j])


@helper
def second_of(work, k):
    """The same of the imaginary part."""
    j = (work.shape[1] - k) & (work.shape[1] - 1)
    return 0.5 * (work[1, k] + work[1, j]), 0.5 * (work[0, j] - work[0, k])


@helper
def put_back(work, swapped, k, re, im):
    """Set point k of the spectrum of a real frame, and its mirror image, where ``transform`` makes the frame of them:
    the conjugates are set, so that the forward transform runs backward (times the number of points).
    """
    size = work.shape[1]
    to = swapped[k]
    work[0, to], work[1, to] = re, -im
    if 0 < k < size // 2:
        to = swapped[size - k]
        work[0, to], work[1, to] = re, im
