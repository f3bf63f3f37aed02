"""Spectrum."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Memory,
    Node,
    Param,
    PatchError,
    Reading,
    Services,
    Setting,
    State,
    helper,
    kernel,
)
from nodes.dsp.dynamics import remainder
from nodes.dsp.exponentials import db_of
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma32

FLOOR_DB = -160.0
LOWEST_HZ, HIGHEST_HZ = 20.0, 20000.0
MIDDLE_HZ = 1000.0
LONGEST_HOP = 1024
"""Frames from one look to the next, at most."""

# Places in the counters: frames since the start, the next piece of work, and how often there has been a look.
FRAMES, NEXT, LOOKS = 0, 1, 2


def _hop(config: Config) -> int:
    return min(config.settings["size"] // 4, LONGEST_HOP)


def centers(config: Config) -> np.ndarray:
    """The middle frequencies of the bands in Hz: whole parts of octaves around 1 kHz, from 20 Hz to 20 kHz or half of
    the sample rate.
    """
    per = config.settings["per_octave"]
    top = min(HIGHEST_HZ, 0.5 * config.rate * 2.0 ** (-0.5 / per))
    first = math.ceil(per * math.log2(LOWEST_HZ / MIDDLE_HZ) - 0.5)
    last = math.floor(per * math.log2(top / MIDDLE_HZ) + 1e-9)
    return MIDDLE_HZ * 2.0 ** (np.arange(first, last + 1) / per)


def shares(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """For each band its first and last line and the shares of these two that belong to it; the lines between belong to
    it wholly.

    Line b stands for the frequencies from b to b + 1 parts of the sample rate, there being ``size`` parts.
    """
    middle = centers(config)
    half = 2.0 ** (0.5 / config.settings["per_octave"])
    last = config.settings["size"] // 2 - 1
    low, high = (np.minimum(middle * k * config.settings["size"] / config.rate, last + 1.0) for k in (1 / half, half))
    first = np.minimum(np.floor(low), last)
    end = np.maximum(np.minimum(np.ceil(high) - 1, last), first)
    within = np.where(first == end, high - low, first + 1 - low)
    return np.stack([first, end]).astype(np.int64), np.stack([within, np.where(first == end, 0.0, high - end)])


@helper
def load(line, newest, window, twist, swapped, work, lane):
    """Take the last frames of a lane, windowed, as half as many complex numbers, in the order that ``butterflies`` asks
    for.

    A line of N = 2P real numbers x is taken as P complex ones, c[m] = (x[m] + i·x[m + P])·e^(2πi·m/4P). Their transform
    at place m is that of x at (m + ¼)/P of the sample rate, and at P − 1 − m its conjugate at (m + ¾)/P: so, in turn,
    they are the lines in the middle of each part of the spectrum that is 1/N wide.
    """
    half = swapped.shape[0]
    mask = line.shape[0] - 1
    for m in range(half):
        a = line[(newest + m) & mask, lane] * window[m]
        b = line[(newest + m + half) & mask, lane] * window[m + half]
        k = swapped[m]
        work[0, k] = fma32(a, twist[0, m], -(b * twist[1, m]))
        work[1, k] = fma32(a, twist[1, m], b * twist[0, m])


@helper
def butterflies(work, roots, stage):
    """One stage of the transform with positive exponent, in place (radix 2, decimation in time: J. W. Cooley and
    J. W. Tukey, 1965).
    """
    half = work.shape[1]
    span = 1 << stage
    step = half >> (stage + 1)
    for first in range(0, half, 2 * span):
        for k in range(span):
            i, j = first + k, first + k + span
            c, s = roots[0, k * step], roots[1, k * step]
            re = fma32(c, work[0, j], -(s * work[1, j]))
            im = fma32(c, work[1, j], s * work[0, j])
            x, y = work[0, i], work[1, i]
            work[0, i], work[1, i] = x + re, y + im
            work[0, j], work[1, j] = x - re, y - im


@helper
def power_of(work, line):
    """The squared magnitude of a line of the spectrum."""
    k = line >> 1
    place = work.shape[1] - 1 - k if line & 1 else k
    re, im = 1.0 * work[0, place], 1.0 * work[1, place]
    return re * re + im * im


@helper
def gather(work, edges, parts, scale, keep, power, lane):
    """Sum up the bands, and let what is shown follow."""
    for band in range(power.shape[0]):
        first, last = edges[0, band], edges[1, band]
        total = parts[0, band] * power_of(work, first)
        if last > first:
            for line in range(first + 1, last):
                total += power_of(work, line)
            total += parts[1, band] * power_of(work, last)
        total *= scale
        power[band, lane] = total + keep * (power[band, lane] - total)


class Spectrum(Node):
    """Show the spectrum of a signal, which passes through unchanged.

    The bands are parts of octaves around 1 kHz. Each reads the power of what lies in it, channel by channel: a sine at
    full scale reads 0 dB, and the powers of all bands together are that of the signal. A longer ``size`` tells lower
    frequencies apart: where a band is narrower than the lines of the transform (the sample rate divided by the size;
    the Hann window spreads a sine over four), it reads its share of them. ``smoothing_ms`` is the time in which a
    change shows by 63.2 %.
    """

    kind = "spectrum"
    family = "analysis"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    size = Setting("size", 4096, "integer", "Frames of a transform: a power of two.", low=512, high=32768)
    per_octave = Setting("per_octave", 12, "integer", "Bands in an octave.", low=1, high=48)
    smoothing = Param("smoothing_ms", 150.0, 0.0, 5000.0, "ms", rate="tick", doc="Time to show 63.2 % of a change.")
    level = Reading("dB", "Level of each band, channel by channel.", lambda config: (len(centers(config)), LANES))
    frequency = Reading("Hz", "Middle frequency of each band.", lambda config: (len(centers(config)),))

    line = Memory(2, "f4")
    window = Memory(1, "f4")
    twist = Memory(2, "f4")
    roots = Memory(2, "f4")
    swapped = Memory(1, "i8")
    work = Memory(2, "f4")
    edges = Memory(2, "i8")
    parts = Memory(2, "f8")
    middles = Memory(1, "f4")
    hop = Memory(1, "i8")
    power = State(lambda config: (len(centers(config)), LANES))
    counters = State((3,), "i8")

    @classmethod
    def check(cls, config: Config) -> None:
        if config.settings["size"] & (config.settings["size"] - 1):
            raise PatchError(f"expected a power of two, found {config.settings['size']}", place="settings.size")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """Tables for the transform and for the bands, and room for the signal."""
        size = config.settings["size"]
        half = size // 2
        turns = np.arange(half) / (4 * half)
        circle = np.arange(half // 2) / half
        swapped = np.zeros(half, np.int64)
        for bit in range(half.bit_length() - 1):
            swapped = swapped << 1 | (np.arange(half) >> bit & 1)
        edges, parts = shares(config)
        return {
            # A hop more than the transform takes, so that nothing is written over before it has been taken.
            "line": np.zeros((2 * size, config.channels("in")), np.float32),
            "window": (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)).astype(np.float32),
            "twist": np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]).astype(np.float32),
            "roots": np.stack([np.cos(2 * np.pi * circle), np.sin(2 * np.pi * circle)]).astype(np.float32),
            "swapped": swapped,
            "work": np.zeros((2, half), np.float32),
            "edges": edges,
            "parts": parts,
            "middles": centers(config).astype(np.float32),
            "hop": np.array([_hop(config)]),
        }

    @kernel
    def process(
        signal,
        out,
        smoothing,
        level,
        frequency,
        line,
        window,
        twist,
        roots,
        swapped,
        work,
        edges,
        parts,
        middles,
        hop,
        power,
        counters,
        rate,
        n,
    ):
        size = window.shape[0]
        mask = line.shape[0] - 1
        stages = 0
        while 1 << stages < swapped.shape[0]:
            stages += 1
        # The work of a look: for each lane to load, to go through the stages, and to gather; dealt out over a hop.
        items = out.lanes * (stages + 2)
        each = (items * TICK + hop[0] - 1) // hop[0]
        # A sine of amplitude 1 has the power 1, as the mean square of the window is 3/8: 2 (one side) · 2 (for a sine).
        scale = 4.0 / (0.375 * float(size) * float(size))
        for start in range(0, n, TICK):
            at = counters[FRAMES]
            for i in range(TICK):
                for lane in range(out.lanes):
                    x = signal[start + i, lane]
                    out[start + i, lane] = x
                    line[(at + i) & mask, lane] = clean(x)
            at += TICK
            counters[FRAMES] = at
            if at % hop[0] == 0:
                counters[NEXT] = 0
                counters[LOOKS] += 1
            if counters[LOOKS] == 0:
                continue
            newest = at - at % hop[0] - size
            keep = remainder(float(smoothing[start, 0]), rate / hop[0])
            for item in range(counters[NEXT], min(counters[NEXT] + each, items)):
                lane, what = item // (stages + 2), item % (stages + 2)
                if what == 0:
                    load(line, newest, window, twist, swapped, work, lane)
                elif what <= stages:
                    butterflies(work, roots, what - 1)
                else:
                    gather(work, edges, parts, scale, keep, power, lane)
            counters[NEXT] = min(counters[NEXT] + each, items)
        for band in range(power.shape[0]):
            frequency[band] = middles[band]
            for lane in range(out.lanes):
                level[band, lane] = max(db_of(max(power[band, lane], 1e-30)) * 0.5, FLOOR_DB)
