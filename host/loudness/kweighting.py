"""K-weighting (ITU-R BS.1770) for any sample rate, filtered in whole chunks by matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.dsp.loudness import k_weighting_sections

BLOCK = 64  # frames one matrix product filters at once
CHUNK_BLOCKS = 256  # a power of two, for the doubling scan
CHUNK = (
    BLOCK * CHUNK_BLOCKS
)  # frames of every call; fixed, so that the bits cannot depend on how a caller cut his blocks

FloatArray = NDArray[np.floating[Any]]


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
