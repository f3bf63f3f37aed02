"""De-esser."""

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
    Node,
    Param,
    Params,
    Reading,
    Scratch,
    Services,
    State,
    kernel,
)
from nodes.dsp.crossing import settling, slots, tick_into_bands
from nodes.dsp.dynamics import DB_PER_LOG2, LOG2_PER_DB, exp2_32, log2_32, slide_max
from nodes.dsp.gating import PEAK_S, as_always, smooth_tick, window_frames
from nodes.dsp.machine import f32

FREQUENCY = Param("freq_hz", 5500.0, 1000.0, 16000.0, "Hz", "log", "Where the band of the hiss begins.", rate="tick")


class Deesser(Node):
    """Turn down what hisses: the band above a frequency, where it is louder than a threshold.

    The band is split off as a crossover does (Linkwitz-Riley, 24 dB per octave), so that with nothing to do only the
    phase changes. Its peak over the last 5 ms, in the loudest channel, counts; what is above the threshold becomes
    1/ratio of it in decibels, at most down by the range, with attack and release the times to 63.2 %.
    """

    kind = "deesser"
    family = "dynamics"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    freqs = Params((FREQUENCY,))
    threshold = Param("threshold_db", -30.0, -80.0, 0.0, "dB", doc="Level of the band above which it is turned down.")
    ratio = Param("ratio", 4.0, 1.0, 100.0, doc="Decibels above the threshold that become one.")
    deepest = Param("range_db", -12.0, -48.0, 0.0, "dB", doc="The furthest that the band is turned down.")
    attack = Param("attack_ms", 1.0, 0.0, 100.0, "ms", rate="tick", doc="Time to 63.2 % of a fall in gain.")
    release = Param("release_ms", 60.0, 1.0, 1000.0, "ms", rate="tick", doc="Time to 63.2 % of a rise in gain.")
    gain_reduction = Reading("dB", "How far the band is down now.", (1,))

    seen = State((1,))
    w = State((slots(2), 2, LANES))
    low = Scratch((TICK, LANES))
    high = Scratch((TICK, LANES))
    band = Scratch((2, TICK, LANES))
    kept = Scratch((2, TICK, LANES))
    level = Scratch((TICK, 1), "f4")
    speed = Scratch((4, 1))
    state = State((1,))
    started = State((1,), "i8")
    ring = Memory(2, "f8")
    places = Memory(1, "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        lowest = FREQUENCY.low if "freq_hz" in config.driven else config.params["freq_hz"]
        return settling([lowest], config.rate)

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The window of the detector."""
        return {"ring": np.zeros((window_frames(PEAK_S, config.rate) + 1, 1)), "places": np.zeros(1, np.int64)}

    @kernel
    def process(
        signal,
        out,
        freqs,
        threshold,
        ratio,
        deepest,
        attack,
        release,
        gain_reduction,
        seen,
        w,
        low,
        high,
        band,
        kept,
        level,
        speed,
        state,
        started,
        ring,
        places,
        rate,
        n,
    ):
        lanes = out.lanes
        for start in range(0, n, TICK):
            tick_into_bands(kept, band, low, high, signal, start, lanes, freqs, seen, w, rate)
            for i in range(TICK):
                top = 0.0
                for lane in range(lanes):
                    top = max(top, abs(kept[1, i, lane]))
                level[i, 0] = top
            slide_max(level, 1, ring, places, 0)
            for i in range(TICK):
                over = log2_32(level[i, 0]) - LOG2_PER_DB * threshold[start + i, 0]
                fall = (1.0 - 1.0 / ratio[start + i, 0]) * max(over, 0.0)
                level[i, 0] = min(fall, -LOG2_PER_DB * deepest[start + i, 0])
            if started[0] == 0:
                started[0] = 1  # no hiss slips through at the start
                as_always(level, state, True)
            smooth_tick(level, state, start, attack, release, rate, speed)
            for i in range(TICK):
                gain = exp2_32(f32(-level[i, 0]))
                for lane in range(lanes):
                    out[start + i, lane] = kept[0, i, lane] + gain * kept[1, i, lane]
            gain_reduction[0] = f32(DB_PER_LOG2) * level[TICK - 1, 0]
