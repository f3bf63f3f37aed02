"""The workloads in pedalboard: chains of its built-in effects, summed in numpy.

Every chain gets its whole input in one call with ``buffer_size`` at the block, so that Python has no part in it from
block to block. Not the same:

- W1: pedalboard has no sidechain, so nothing ducks the music; balance, sends and buses are numpy; its compressor and
  limiter follow other laws (JUCE's, whose time constants differ, and whose limiter is made of two compressors).
- W2, W3: expressed in full.
- W4: expressed in full; that JUCE normalises the response is taken back.
"""

from __future__ import annotations

import math

import numpy as np
from pedalboard import (
    Compressor,
    Convolution,
    Delay,
    Gain,
    HighShelfFilter,
    Limiter,
    LowShelfFilter,
    Mix,
    PeakFilter,
    Pedalboard,
    Plugin,
    Reverb,
)

from benchmarks.inputs import RATE, RESPONSE, SOURCE, TRACKS
from benchmarks.peers.task import JUCE_RESPONSE, JUCE_WET, Frames, Task, main
from benchmarks.workloads import GAINS, HIGH_SHELF, LOW_SHELF, PEAK, STAGES, decibels, track_bands

FILTERS = {LOW_SHELF: LowShelfFilter, PEAK: PeakFilter, HIGH_SHELF: HighShelfFilter}


def _through(task: Task, samples: Frames, plugins: list[Plugin]) -> Frames:
    return Pedalboard(plugins).process(samples, RATE, buffer_size=task.block)


def mixdown(task: Task) -> Frames:
    """W1, but for what the module says."""
    buses = [np.zeros((2, task.frames), np.float32) for _ in range(4)]
    to_reverb, to_delay = np.zeros((2, task.frames), np.float32), np.zeros((2, task.frames), np.float32)
    for i, name in enumerate(TRACKS):
        chain: list[Plugin] = [FILTERS[type](hz, gain_db, q) for type, hz, gain_db, q in track_bands(i)]
        chain += [Compressor(-18, 4, 10, 100), Gain(-(i % 7) - 6)]
        track = _through(task, task.read(name), chain)
        theta = (2 * i / 31) * math.pi / 4
        track *= np.array([[math.sqrt(2) * math.cos(theta)], [math.sqrt(2) * math.sin(theta)]], np.float32)
        buses[i % 4] += track
        to_reverb += track * np.float32(0.125)
        to_delay += track * np.float32(0.0631)
    master = sum(_through(task, bus, [Compressor(-12, 2, 20, 200)]) for bus in buses)
    room = Reverb(room_size=0.7, damping=0.5, wet_level=1, dry_level=0, width=1)
    master += _through(task, to_reverb, [room]) / np.float32(JUCE_WET)
    master += _through(task, to_delay, [Delay(0.375, 0.4, 1.0)])
    return _through(task, master, [Limiter(-1, 50)])


def wide(task: Task) -> Frames:
    """W2."""
    return _through(task, task.read(SOURCE), [Mix([Gain(decibels(g)) for g in GAINS])])


def deep(task: Task) -> Frames:
    """W3."""
    return _through(task, task.read(SOURCE), [PeakFilter(hz, gain_db, 1.0) for hz, gain_db in STAGES])


def convolved(task: Task) -> Frames:
    """W4."""
    wet = _through(task, task.read(SOURCE), [Convolution(str(task.inputs / RESPONSE), mix=1.0)])
    return wet / np.float32(JUCE_RESPONSE)


if __name__ == "__main__":
    main({"w1": mixdown, "w2": wide, "w3": deep, "w4": convolved})
