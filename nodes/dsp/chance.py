"""Chance that can be looked up: a number for each place in a sequence, so that nothing depends on what ran before.

The generator is SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014) with its counter given from outside.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import helper

GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
SECOND = 0x94D049BB133111EB - (1 << 64)
# What is left of a 64-bit word after shifting it right by 30, 27, 31 and 11 places: signed words shift their sign in.
LOW_34, LOW_37, LOW_33, LOW_53 = (1 << 34) - 1, (1 << 37) - 1, (1 << 33) - 1, (1 << 53) - 1
FROM_53 = 2.0**-52


@helper
def chance(base, k):
    """The number at place k of the sequence with this base: uniform, -1 ≤ … < 1."""
    z = base + k * GOLDEN
    z = (z ^ ((z >> 30) & LOW_34)) * FIRST
    z = (z ^ ((z >> 27) & LOW_37)) * SECOND
    z = z ^ ((z >> 31) & LOW_33)
    return float((z >> 11) & LOW_53) * FROM_53 - 1.0


def base_of(seed: int) -> int:
    """Where the sequence of a seed starts, as a signed 64-bit word; far from that of any other seed."""
    z = np.array([seed & ((1 << 64) - 1)], np.uint64)
    return int(_mixed(z * np.uint64(0xD1342543DE82EF95) + np.uint64(1)).view(np.int64)[0])


def chances(base: int, first: int, count: int) -> npt.NDArray[np.float64]:
    """``chance(base, k)`` for ``count`` places from ``first`` on."""
    start = np.array([base + first * GOLDEN], dtype=object) % (1 << 64)
    z = start.astype(np.uint64) + np.arange(count, dtype=np.uint64) * np.uint64(GOLDEN + (1 << 64))
    return (_mixed(z) >> np.uint64(11)).astype(np.float64) * FROM_53 - 1.0


def _mixed(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST + (1 << 64))
    z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND + (1 << 64))
    return z ^ (z >> np.uint64(31))
