"""What gates, expanders and duckers share: the level of a key over all of its channels, and the downward half of
dynamics.

Falls are base-2 logarithms, as in ``dynamics``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Memory,
    Node,
    Param,
    Reading,
    Scratch,
    Services,
    Sidechain,
    State,
    helper,
    kernel,
)
from nodes.dsp.dynamics import DB_PER_LOG2, LOG2_PER_DB, exp2_32, follow, log2_32, remainder, slide_max, slide_sum
from nodes.dsp.machine import f32, finite

PEAK_S, RMS_S = 0.005, 0.010
PEAK, RMS = 1, 2
"""Detectors as the size of an axis: a size is a constant to the compiler."""

# Places in the counters: whether there has been a tick, whether the gate is open, frames left to hold.
STARTED, OPEN, LEFT = 0, 1, 2


def window_frames(seconds: float, rate: float) -> int:
    """Frames of a detector's window."""
    return max(1, round(seconds * rate))


@helper
def loudest_peak(key, start, level, ring, places):
    """A tick of ``level[frame, 0]``: the magnitude of the loudest channel, held over the window."""
    for i in range(TICK):
        top = f32(0.0)
        for lane in range(key.lanes):
            top = max(top, abs(finite(key[start + i, lane])))
        level[i, 0] = top
    slide_max(level, 1, ring, places, 0)


@helper
def loudest_rms(key, start, level, square, ring, places):
    """A tick of ``level[frame, 0]``: the RMS of the loudest channel over the window."""
    for i in range(TICK):
        for lane in range(key.lanes):
            x = 1.0 * finite(key[start + i, lane])
            square[i, lane] = x * x
    slide_sum(square, key.lanes, ring, places, 0)
    one = 1.0 / (ring.shape[0] - 2)
    for i in range(TICK):
        top = 0.0
        for lane in range(key.lanes):
            top = max(top, square[i, lane])
        level[i, 0] = math.sqrt(top * one)


@helper
def smooth(level, state, first, end, closing_ms, opening_ms, rate, speed):
    """Let falls follow what is wanted: down in ``closing_ms``, back up in ``opening_ms``, to 63.2 % each."""
    closing, opening = remainder(closing_ms, rate), remainder(opening_ms, rate)
    speed[0, 0], speed[1, 0], speed[2, 0], speed[3, 0] = closing, 1.0 - closing, opening, 1.0 - opening
    follow(level, state, 1, first, end, speed)


@helper
def smooth_tick(level, state, start, closing, opening, rate, speed):
    """The same over the tick of a block that begins at ``start``, with times that are params and may move."""
    i = start
    while i < start + TICK:
        end = min(start + TICK, closing.until(i), opening.until(i))
        smooth(level, state, i - start, end - start, closing[i, 0], opening[i, 0], rate, speed)
        i = end


@helper
def as_always(level, state, highest):
    """Begin as if the first tick had always been: at its highest, or its lowest, from end to end."""
    value = level[0, 0]
    for i in range(TICK):
        value = max(value, level[i, 0]) if highest else min(value, level[i, 0])
    for i in range(TICK):
        level[i, 0] = value
    state[0] = value


class Gating(Node):
    """The base of gate and expander, which differ in how they measure."""

    family = "dynamics"
    bypassable = True
    accumulates = True
    detector = PEAK

    signal = AudioIn("in")
    key = Sidechain("sidechain", fallback="in", doc="What is measured; the input itself if nothing is plugged in.")
    out = AudioOut("out")
    threshold = Param("threshold_db", -40.0, -96.0, 0.0, "dB", doc="Level at which it opens.")
    ratio = Param("ratio", 10.0, 1.0, 100.0, doc="Decibels out for each decibel below the threshold.")
    deepest = Param("range_db", -80.0, -96.0, 0.0, "dB", doc="The furthest that the gain falls.")
    attack = Param("attack_ms", 1.0, 0.0, 500.0, "ms", rate="tick", doc="Time to 63.2 % of a rise in gain.")
    hold = Param("hold_ms", 50.0, 0.0, 5000.0, "ms", rate="tick", doc="How long it stays open at least.")
    release = Param("release_ms", 100.0, 0.0, 5000.0, "ms", rate="tick", doc="Time to 63.2 % of a fall in gain.")
    hysteresis = Param("hysteresis_db", 3.0, 0.0, 24.0, "dB", doc="How far below the threshold it closes.")
    gain_reduction = Reading("dB", "How far the gain is down now.", (1,))

    level = Scratch((TICK, 1), "f4")
    speed = Scratch((4, 1))
    state = State((1,))
    counters = State((3,), "i8")
    top = State((1,))
    """The loudest since it opened: where the threshold rises above that, nothing keeps it open."""
    ring = Memory(2, "f8")
    places = Memory(1, "i8")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The window of the detector."""
        if cls.detector == RMS:
            ring = np.zeros((window_frames(RMS_S, config.rate) + 2, config.channels("sidechain")))
        else:
            ring = np.zeros((window_frames(PEAK_S, config.rate) + 1, 1))
        return {"ring": ring, "places": np.zeros(1, np.int64)}

    @kernel
    def process(
        signal,
        key,
        out,
        threshold,
        ratio,
        deepest,
        attack,
        hold,
        release,
        hysteresis,
        gain_reduction,
        mode,
        square,
        level,
        speed,
        state,
        counters,
        top,
        ring,
        places,
        rate,
        n,
    ):
        for start in range(0, n, TICK):
            if mode.shape[0] == RMS:
                loudest_rms(key, start, level, square, ring, places)
            else:
                loudest_peak(key, start, level, ring, places)
            for i in range(TICK):
                loud = log2_32(level[i, 0])
                opens = LOG2_PER_DB * threshold[start + i, 0]
                closes = opens - LOG2_PER_DB * hysteresis[start + i, 0]
                top[0] = max(1.0 * loud, top[0]) if counters[OPEN] == 1 else 1.0 * loud
                stays = counters[OPEN] == 1 and top[0] >= opens
                if loud >= opens or (stays and loud >= closes):
                    counters[OPEN] = 1
                    counters[LEFT] = int(hold[start + i, 0] * rate * 0.001 + 0.5)
                elif stays and counters[LEFT] > 0:
                    counters[LEFT] -= 1
                else:
                    counters[OPEN] = 0
                wanted = (ratio[start + i, 0] - 1.0) * (opens - loud)
                if counters[OPEN] == 1:
                    wanted = 0.0
                level[i, 0] = min(wanted, -LOG2_PER_DB * deepest[start + i, 0])
            if counters[STARTED] == 0:
                # Neither does noise slip through at the start, nor is sound faded in.
                counters[STARTED] = 1
                as_always(level, state, False)
            smooth_tick(level, state, start, release, attack, rate, speed)
            for i in range(TICK):
                gain = exp2_32(f32(-level[i, 0]))
                for lane in range(out.lanes):
                    out[start + i, lane] = signal[start + i, lane] * gain
            gain_reduction[0] = f32(DB_PER_LOG2) * level[TICK - 1, 0]
