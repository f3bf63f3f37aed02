"""When a crew expects the next block: close to the device's own clock, however late those are that call."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from host.native.arena import aligned
from host.native.program import native
from host.plugins.serving import CLOCK_WORDS, DUE, PERIOD, keep_time

PERIOD_NS = 2_666_667


def expected(calls: Sequence[int]) -> list[int]:
    """When each call but the first was expected; 0 where it was not."""
    clock = aligned((CLOCK_WORDS,), "i8")
    told = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(native(keep_time, 2))
    found: list[int] = []
    for at in calls:
        found.append(int(clock[DUE]) if clock[PERIOD] else 0)
        told(clock.ctypes.data, int(at))
    return found[1:]


def late(count: int, period: int = PERIOD_NS, scale: float = 40_000.0) -> np.ndarray:
    """Calls of a device that keeps time, by a system that wakes somewhat late, and one call in fifty much too late."""
    chance = np.random.default_rng(1)
    lateness = chance.exponential(scale, count)
    lateness[chance.random(count) < 0.02] += 900_000
    return (10**12 + period * np.arange(count) + lateness).astype(np.int64)


def misses(calls: np.ndarray, found: Sequence[int], window: int) -> float:
    """How many calls came further from when they were expected, of those that came as they should."""
    right = np.diff(calls, prepend=calls[0])[1:] < 1.2 * PERIOD_NS
    return float(np.mean(np.abs(np.array(found) - calls[1:])[right] > window))


def test_a_call_is_expected_where_the_clock_puts_it_and_not_where_the_last_was_late() -> None:
    calls = late(2000)
    naive = [int(b + (b - a)) for a, b in pairwise(calls)]
    ours = misses(calls[100:], expected(calls)[100:], 120_000)
    assert ours < 0.05
    assert ours < 0.5 * misses(calls[101:], naive[100:-1], 120_000)


def test_another_block_size_is_learnt_within_a_few_blocks() -> None:
    before, after = late(100, scale=5_000.0), late(30, PERIOD_NS // 2, scale=5_000.0)
    calls = np.concatenate([before, after + before[-1] - after[0] + PERIOD_NS // 2])
    found, gaps = np.array(expected(calls))[-16:], np.diff(calls)[-16:]
    right = gaps < 0.6 * PERIOD_NS
    assert np.count_nonzero(right) > 10
    assert np.all(np.abs(found - calls[-16:])[right] < 120_000)


def test_nothing_is_expected_after_a_rest() -> None:
    calls = np.array([10**12, 10**12 + PERIOD_NS, 10**12 + PERIOD_NS + 10**9, 10**12 + 2 * PERIOD_NS + 10**9])
    assert expected(calls)[1:] == [int(calls[1] + PERIOD_NS), 0]


def test_calls_for_one_block_are_one() -> None:
    """Plugins side by side are called one after another."""
    starts = 10**12 + PERIOD_NS * np.arange(20)
    calls = np.sort(np.concatenate([starts, starts + 20_000, starts + 45_000]))
    found = expected(calls)
    assert abs(found[-3] - int(starts[-1])) < 1_000
