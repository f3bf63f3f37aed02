"""The loudness meter: BS.1770 / EBU R 128 loudness, true peak and plain levels of a stream, in one pass.

Sources: ITU-R BS.1770-5 (11/2023), EBU Tech 3341 (momentary, short-term, integrated), EBU Tech 3342 (range).
"""

from __future__ import annotations

import copy
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host.loudness import gating
from host.loudness.kweighting import CHUNK, k_weighting
from host.loudness.truepeak import interpolator
from nodes.dsp.loudness import (
    BLOCK_STEPS,
    HIGHEST_RATE,
    LOWEST_RATE,
    MOMENTARY_STEPS,
    SHORT_TERM_STEPS,
    STEPS_PER_SECOND,
    TAPS,
    channel_weight,
    factor_for,
)

LIMIT = 1e100  # a sample beyond this is no sound; like NaN and Inf it is taken as silence and counted

FloatArray = NDArray[np.floating[Any]]


class LoudnessError(ValueError):
    """A stream that cannot be metered, or a block that does not belong to it."""


@dataclass(frozen=True, slots=True)
class ChannelLevels:
    """Levels of one channel. dBTP and dBFS: 0 is a full-scale sample; `None` is −∞."""

    label: str
    true_peak_dbtp: float | None
    peak_dbfs: float | None
    rms_dbfs: float | None  # root mean square against 1.0: a full-scale sine reads −3.01
    dc: float | None  # mean sample; None before the first frame
    non_finite: int  # samples that were NaN, infinite or absurd (beyond 1e100), measured as zero


@dataclass(frozen=True, slots=True)
class Loudness:
    """What a meter has measured so far. `None` stands for −∞, and for what needs more sound than there was."""

    frames: int
    integrated_lufs: float | None  # from 400 ms on
    momentary_max_lufs: float | None  # from 400 ms on
    short_term_max_lufs: float | None  # from 3 s on
    range_lu: float | None  # from 3 s on
    true_peak_dbtp: float | None
    peak_dbfs: float | None
    rms_dbfs: float | None  # over all channels
    dc: float | None  # of the channel where it is worst, with its sign
    channels: tuple[ChannelLevels, ...]


class LoudnessMeter:
    """Measures a stream fed in blocks of any size; the readings do not depend, to the bit, on how it was cut.

    Memory: a fixed second or so of state, and sixteen bytes per 100 ms (1.2 MB for two hours).
    """

    def __init__(self, rate: float, labels: Sequence[str]) -> None:
        """A meter for `rate` Hz (4 kHz and up) and one channel per label. Raises `LoudnessError`."""
        if not labels:
            raise LoudnessError("a loudness meter needs at least one channel")
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise LoudnessError(f"loudness is measured from {LOWEST_RATE} to {HIGHEST_RATE} Hz, not at {rate:g} Hz")
        self.rate = round(rate)
        self.labels = tuple(labels)
        count = len(self.labels)
        self._weights = np.array([channel_weight(label) for label in self.labels])
        self._filter = k_weighting(self.rate)
        self._between = interpolator(factor_for(self.rate))

        # Everything from here to `_fill` advances by whole chunks; the arrays are replaced, never written into.
        self._position = 0  # frames consumed
        self._filter_state: FloatArray = np.zeros((count, 4))
        self._history: FloatArray = np.zeros((count, TAPS - 1))
        self._true_peak: FloatArray = np.zeros(count)
        self._peak: FloatArray = np.zeros(count)
        self._squares: FloatArray = np.zeros(count)
        self._sum: FloatArray = np.zeros(count)
        self._non_finite: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        self._steps: FloatArray = np.zeros(0)  # weighted energies of the last complete 10 ms steps
        self._step_count = 0  # complete steps since the start
        self._open_step = 0.0  # energy of the step that a chunk's end cut
        self._momentary = _Windows(MOMENTARY_STEPS, self.rate)
        self._short_term = _Windows(SHORT_TERM_STEPS, self.rate)

        self._pending: FloatArray = np.zeros((count, CHUNK))
        self._fill = 0

    @property
    def frames(self) -> int:
        """Frames fed so far."""
        return self._position + self._fill

    @property
    def momentary_lufs(self) -> float | None:
        """Loudness of the last 400 ms (to the last 10 ms step)."""
        return self._flushed()._momentary.last()

    @property
    def short_term_lufs(self) -> float | None:
        """Loudness of the last 3 s (to the last 10 ms step)."""
        return self._flushed()._short_term.last()

    def feed(self, block: NDArray[np.floating[Any]]) -> None:
        """Take the next frames: [frames, C] float32 or float64 (or [frames] for one channel)."""
        block = np.asarray(block)
        if block.ndim == 1 and len(self.labels) == 1:
            block = block[:, None]
        if block.ndim != 2 or block.shape[1] != len(self.labels):
            raise LoudnessError(f"a block of shape {block.shape} came, expected [frames, {len(self.labels)}]")
        if block.dtype.kind != "f":
            raise LoudnessError(f"a block of {block.dtype} came, expected floating point, full scale at 1.0")
        taken = 0
        while taken < len(block):
            more = min(CHUNK - self._fill, len(block) - taken)
            self._pending[:, self._fill : self._fill + more] = block[taken : taken + more].T
            self._fill += more
            taken += more
            if self._fill == CHUNK:
                self._consume(self._pending, CHUNK)
                self._fill = 0

    def result(self) -> Loudness:
        """The measurement up to here, the sound's end included; feeding may go on afterwards."""
        done = self._flushed()
        frames = done._position
        # After the last frame comes silence, and the signal may crest once more while it stops.
        tail = done._between.peaks(done._history, np.zeros((len(self.labels), TAPS + (-TAPS) % 64)))
        true_peak = np.maximum(np.maximum(done._true_peak, tail), done._peak)
        mean_square = done._squares / max(frames, 1)
        means = done._sum / max(frames, 1)
        channels = tuple(
            ChannelLevels(
                label,
                _decibels(true_peak[i]),
                _decibels(done._peak[i]),
                _decibels(math.sqrt(mean_square[i])),
                float(means[i]) if frames else None,
                int(done._non_finite[i]),
            )
            for i, label in enumerate(self.labels)
        )
        return Loudness(
            frames=frames,
            integrated_lufs=gating.integrated(done._momentary.every_block()),
            momentary_max_lufs=done._momentary.loudest(),
            short_term_max_lufs=done._short_term.loudest(),
            range_lu=gating.loudness_range(done._short_term.every_block()),
            true_peak_dbtp=_decibels(true_peak.max()),
            peak_dbfs=_decibels(done._peak.max()),
            rms_dbfs=_decibels(math.sqrt(mean_square.mean())),
            dc=float(means[np.abs(means).argmax()]) if frames else None,
            channels=channels,
        )

    def _flushed(self) -> LoudnessMeter:
        """This meter with its pending frames consumed; itself untouched."""
        if self._fill == 0:
            return self
        twin = copy.copy(self)
        twin._momentary, twin._short_term = self._momentary.copy(), self._short_term.copy()
        chunk = np.zeros_like(self._pending)
        chunk[:, : self._fill] = self._pending[:, : self._fill]
        twin._consume(chunk, self._fill)
        twin._fill = 0
        return twin

    def _consume(self, chunk: FloatArray, frames: int) -> None:
        """Advance over the first `frames` of a chunk [C, CHUNK]; the rest is zero and comes after the sound's end."""
        peak = np.maximum(chunk.max(axis=1), -chunk.min(axis=1))
        if not (peak <= LIMIT).all():  # NaN compares false
            good = np.abs(chunk) <= LIMIT
            self._non_finite = self._non_finite + (~good).sum(axis=1)
            chunk = np.where(good, chunk, 0.0)
            peak = np.abs(chunk).max(axis=1)
        self._peak = np.maximum(self._peak, peak)
        self._sum = self._sum + chunk.sum(axis=1)
        self._squares = self._squares + np.square(chunk).sum(axis=1)

        self._true_peak = np.maximum(self._true_peak, self._between.peaks(self._history, chunk))
        weighted, self._filter_state = self._filter.filter(chunk, self._filter_state)
        self._account(weighted, frames)

        # The history ends at the last real frame, so that the tail follows it directly.
        self._history = np.concatenate([self._history, chunk[:, :frames]], axis=1)[:, -(TAPS - 1) :]
        self._position += frames

    def _account(self, weighted: FloatArray, frames: int) -> None:
        """Sum K-weighted [C, CHUNK] into 10 ms steps and slide the windows over the complete ones."""
        first, end = self._step_count, _steps_in(self._position + frames, self.rate)
        # Step k covers the frames from ⌊k·rate/100⌋ on; reduceat wants where each begins in this chunk.
        starts = _step_start(np.arange(first, end + 1), self.rate) - self._position
        starts[0] = 0
        if starts[-1] == frames:
            starts = starts[:-1]
        energies = self._weights @ np.add.reduceat(np.square(weighted[:, :frames]), starts, axis=1)
        energies[0] += self._open_step
        complete = end - first
        self._open_step = float(energies[complete]) if len(energies) > complete else 0.0
        self._step_count = end
        steps = np.concatenate([self._steps, energies[:complete]])
        self._momentary.slide(steps, complete, end)
        self._short_term.slide(steps, complete, end)
        self._steps = steps[-(SHORT_TERM_STEPS - 1) :]


class _Windows:
    """A window of `steps` 10 ms steps sliding over a stream: its latest, its loudest, and one every 100 ms."""

    def __init__(self, steps: int, rate: int) -> None:
        self._length = steps
        self._rate = rate
        self._latest: float | None = None
        self._loudest = 0.0
        self._blocks = array("d")

    def copy(self) -> _Windows:
        twin = copy.copy(self)
        twin._blocks = self._blocks[:]
        return twin

    def slide(self, steps: FloatArray, new: int, end: int) -> None:
        """Energies of steps up to step `end`, the last `new` of them not seen before."""
        count = min(new, len(steps) - self._length + 1)
        if count <= 0:
            return
        span = steps[len(steps) - self._length - count + 1 :]
        # Added one after the other, not as one reduction: the order, and with it the bits, must not depend on `count`.
        total = np.zeros(count)
        for i in range(self._length):
            total += span[i : i + count]
        starts = np.arange(end - self._length - count + 1, end - self._length + 1)
        means = total / (_step_start(starts + self._length, self._rate) - _step_start(starts, self._rate))
        self._latest = float(means[-1])
        self._loudest = max(self._loudest, float(means.max()))
        self._blocks.extend(means[starts % BLOCK_STEPS == 0])

    def last(self) -> float | None:
        return None if self._latest is None else gating.lufs(self._latest)

    def loudest(self) -> float | None:
        return gating.lufs(self._loudest)

    def every_block(self) -> FloatArray:
        return np.array(self._blocks)


def _step_start(step: NDArray[np.int64], rate: int) -> NDArray[np.int64]:
    return step * rate // STEPS_PER_SECOND


def _steps_in(frames: int, rate: int) -> int:
    """How many whole steps `frames` hold: the largest k with ⌊k·rate/100⌋ <= frames."""
    return ((frames + 1) * STEPS_PER_SECOND - 1) // rate


def _decibels(amplitude: float) -> float | None:
    return 20.0 * math.log10(amplitude) if amplitude > 0.0 else None
