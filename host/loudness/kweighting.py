"""K-weighting (ITU-R BS.1770) for any sample rate, filtered in whole chunks by matrix products.

BS.1770-5 Annex 1 prints coefficients for 48 kHz only. They are the bilinear transform of two analog sections, a high
shelf and a high-pass; the parameters below are those sections solved back from the printed numbers (the values every
rate-independent meter uses), so other rates follow by transforming again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHELF_HZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
# The shelf's middle gain as a power of its top gain: nearly the square root, but not to the digits of the print.
SHELF_BAND_EXPONENT = 0.4996667741545416
HIGHPASS_HZ, HIGHPASS_Q = 38.13547087602444, 0.5003270373238773
# The print leaves the high-pass's numerator at 1 −2 1, undivided by a0: a gain of 0.043 dB, which is part of the
# response that other rates have to match ("the same frequency response that the specified filter provides at 48 kHz").
_K48 = math.tan(math.pi * HIGHPASS_HZ / 48_000)
HIGHPASS_GAIN = 1.0 + _K48 / HIGHPASS_Q + _K48 * _K48

BLOCK = 64  # frames one matrix product filters at once
CHUNK_BLOCKS = 256  # a power of two, for the doubling scan
CHUNK = (
    BLOCK * CHUNK_BLOCKS
)  # frames of every call; fixed, so that the bits cannot depend on how a caller cut his blocks

FloatArray = NDArray[np.floating[Any]]


def k_weighting_sections(rate: float) -> FloatArray:
    """Both biquads as [2, 6] rows of b0 b1 b2 a0 a1 a2 (a0 = 1), pre-filter first. `rate` in Hz."""
    k = math.tan(math.pi * SHELF_HZ / rate)
    top = 10.0 ** (SHELF_DB / 20.0)
    band = top**SHELF_BAND_EXPONENT
    a0 = 1.0 + k / SHELF_Q + k * k
    shelf = [
        (top + band * k / SHELF_Q + k * k) / a0,
        2.0 * (k * k - top) / a0,
        (top - band * k / SHELF_Q + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / SHELF_Q + k * k) / a0,
    ]
    k = math.tan(math.pi * HIGHPASS_HZ / rate)
    a0 = 1.0 + k / HIGHPASS_Q + k * k
    gain = HIGHPASS_GAIN / a0
    highpass = [gain, -2.0 * gain, gain, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / HIGHPASS_Q + k * k) / a0]
    return np.array([shelf, highpass])


@dataclass(frozen=True)
class KWeighting:
    """The filter of one sample rate, as matrices over blocks of `BLOCK` frames and four states.

    A recursion in Python would be slow, and `scipy.signal` takes longer to import than a minute of stereo takes to
    measure; a linear filter over a block, though, is two matrix products, and the states at their starts are a scan.
    """

    from_input: FloatArray  # [BLOCK, BLOCK]: input of a block -> output of the block, from rest
    from_state: FloatArray  # [4, BLOCK]: state at a block's start -> output of the block
    into_state: FloatArray  # [BLOCK, 4]: input of a block -> state after it, from rest
    advance: tuple[
        FloatArray, ...
    ]  # [4, 4] each: a state carried over 1, 2, 4, … CHUNK_BLOCKS / 2 blocks without input

    def filter(self, chunk: FloatArray, state: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Filter [C, CHUNK] float64 from `state` [C, 4]; returns the output [C, CHUNK] and the state after it."""
        channels = chunk.shape[0]
        blocks = chunk.reshape(channels, CHUNK_BLOCKS, BLOCK)
        # Hillis and Steele's scan: after the k-th step each row holds the state from the last 2^k blocks.
        after = blocks @ self.into_state
        after[:, 0] += state @ self.advance[0]
        for step, carry in enumerate(self.advance):
            reach = 1 << step
            earlier = after[:, :-reach] @ carry
            after[:, reach:] += earlier
        before = np.concatenate([state[:, None, :], after[:, :-1]], axis=1)
        output = blocks @ self.from_input
        output += before @ self.from_state
        end = after[:, -1].copy()
        # A state dying away after the sound has ended would become denormal and slow; 1e-100 is -2000 dB.
        end[np.abs(end) < 1e-100] = 0.0
        return output.reshape(channels, CHUNK), end


@lru_cache(maxsize=8)
def k_weighting(rate: int) -> KWeighting:
    """The filter for a sample rate in Hz; designed once per rate."""
    step, into, out, direct = _state_space(k_weighting_sections(rate))
    powers = [np.eye(4)]
    for _ in range(BLOCK):
        powers.append(step @ powers[-1])
    response = [direct] + [float(out @ powers[n] @ into) for n in range(BLOCK - 1)]
    from_input = np.zeros((BLOCK, BLOCK))
    for i in range(BLOCK):
        from_input[i, i:] = response[: BLOCK - i]
    carry = powers[BLOCK].T
    advance = [carry]
    while 1 << len(advance) < CHUNK_BLOCKS:
        carry = carry @ carry
        advance.append(carry)
    return KWeighting(
        from_input=from_input,
        from_state=np.stack([out @ powers[n] for n in range(BLOCK)], axis=1),
        into_state=np.stack([powers[BLOCK - 1 - n] @ into for n in range(BLOCK)]),
        advance=tuple(advance),
    )


def _state_space(sections: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Two biquads in series (transposed direct form II) as s' = A s + B x, y = C s + D x; returns A, B, C, D."""
    matrices = []
    for b0, b1, b2, _, a1, a2 in sections:
        matrices.append((np.array([[-a1, 1.0], [-a2, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0]), b0))
    (step1, into1, direct1), (step2, into2, direct2) = matrices
    out = np.array([1.0, 0.0])
    step = np.block([[step1, np.zeros((2, 2))], [np.outer(into2, out), step2]])
    return step, np.concatenate([into1, into2 * direct1]), np.concatenate([out * direct2, out]), direct1 * direct2
