"""Ducker."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Memory,
    Param,
    Reading,
    Scratch,
    Services,
    Sidechain,
    State,
    kernel,
)
from nodes.dsp.dynamics import DB_PER_LOG2, LOG2_PER_DB, delay_tick, exp2_32, log2_32
from nodes.dsp.gating import PEAK_S, as_always, loudest_peak, smooth_tick, window_frames
from nodes.dsp.lookahead import LooksAhead, lookahead_frames
from nodes.dsp.machine import f32

# Places in the counters: whether there has been a tick, whether it ducks, frames left to hold.
STARTED, DOWN, LEFT = 0, 1, 2


class Ducker(LooksAhead):
    """Turn a signal down by a fixed depth while another one sounds: music under a voice.

    The peak of the last 5 ms in the loudest channel of the sidechain counts. While it reaches the threshold, and for as
    long after as it holds, the gain goes down by the depth; attack and release are the times to 63.2 % of the way, in
    decibels. With lookahead the gain is on its way before the voice is heard. Without a sidechain nothing is ducked.
    """

    kind = "ducker"
    family = "dynamics"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    key = Sidechain("sidechain", doc="What the signal makes room for.")
    out = AudioOut("out")
    threshold = Param("threshold_db", -35.0, -96.0, 0.0, "dB", doc="Level of the sidechain from which on it ducks.")
    depth = Param("depth_db", -12.0, -96.0, 0.0, "dB", doc="Gain while it ducks.")
    attack = Param("attack_ms", 50.0, 0.0, 500.0, "ms", rate="tick", doc="Time to 63.2 % of the way down.")
    hold = Param("hold_ms", 300.0, 0.0, 5000.0, "ms", rate="tick", doc="How long it stays down after the sidechain.")
    release = Param("release_ms", 400.0, 0.0, 5000.0, "ms", rate="tick", doc="Time to 63.2 % of the way back up.")
    lookahead = Param(
        "lookahead_ms", 0.0, 0.0, 200.0, "ms", modulatable=False, doc="How far ducking is ahead of the sound: latency."
    )
    gain_reduction = Reading("dB", "How far the gain is down now.", (1,))

    level = Scratch((TICK, 1), "f4")
    speed = Scratch((4, 1))
    delayed = Scratch((TICK, LANES), "f4")
    state = State((1,))
    counters = State((3,), "i8")
    top = State((1,))
    """The loudest since it went down: where the threshold rises above that, nothing keeps it down."""
    ring = Memory(2, "f8")
    line = Memory(2, "f4")
    places = Memory(1, "i8")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The window of the detector, and what is waiting to be heard."""
        return {
            "ring": np.zeros((window_frames(PEAK_S, config.rate) + 1, 1)),
            "line": np.zeros((lookahead_frames(config), config.channels("in")), np.float32),
            "places": np.zeros(2, np.int64),
        }

    @kernel
    def process(
        signal,
        key,
        out,
        threshold,
        depth,
        attack,
        hold,
        release,
        gain_reduction,
        level,
        speed,
        delayed,
        state,
        counters,
        top,
        ring,
        line,
        places,
        rate,
        n,
    ):
        for start in range(0, n, TICK):
            loudest_peak(key, start, level, ring, places)
            for i in range(TICK):
                loud, down = 1.0 * log2_32(level[i, 0]), counters[DOWN] == 1
                bound = LOG2_PER_DB * threshold[start + i, 0]
                top[0] = max(loud, top[0]) if down else loud
                if loud >= bound:
                    counters[DOWN] = 1
                    counters[LEFT] = int(hold[start + i, 0] * rate * 0.001 + 0.5)
                elif down and top[0] >= bound and counters[LEFT] > 0:
                    counters[LEFT] -= 1
                else:
                    counters[DOWN] = 0
                level[i, 0] = counters[DOWN] * -LOG2_PER_DB * depth[start + i, 0]
            if counters[STARTED] == 0:
                counters[STARTED] = 1
                as_always(level, state, True)
            smooth_tick(level, state, start, attack, release, rate, speed)
            for i in range(TICK):
                for lane in range(out.lanes):
                    delayed[i, lane] = signal[start + i, lane]
            if line.shape[0] > 0:
                delay_tick(delayed, out.lanes, line, places, 1)
            for i in range(TICK):
                gain = exp2_32(f32(-level[i, 0]))
                for lane in range(out.lanes):
                    out[start + i, lane] = delayed[i, lane] * gain
            gain_reduction[0] = f32(DB_PER_LOG2) * level[TICK - 1, 0]
