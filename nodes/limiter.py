"""Limiter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import (
    GROUPS,
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Level,
    Memory,
    Param,
    PatchError,
    Reading,
    Scratch,
    Services,
    Setting,
    State,
    helper,
    kernel,
)
from nodes.dsp.crests import EXTENT, HIGHEST, LAG, PAST, crests
from nodes.dsp.dynamics import DB_PER_LOG2, FOREVER, LOG2_PER_DB, box, delay_tick, fall, log2_32, remainder, slide_max
from nodes.dsp.exponentials import exp2, log2
from nodes.dsp.lookahead import LooksAhead, lookahead_frames
from nodes.dsp.machine import bits_of, f32, finite, select

AT_ONCE, AHEAD, BETWEEN_SAMPLES = 1, 2, 3
"""Modes as the size of an axis: a size is a constant to the compiler, so a kernel has the code of its own mode only."""
ABSURD = 1e30
"""What is taken for a level that is no number, after sums of the largest floats."""
SHORTEST_RAMP = 32
"""Frames that the gain of a true-peak limiter takes to fall, at least: faster, it would raise new crests itself."""
UNIT = 1 << 36
"""A gain of one, where gains are whole numbers: their sums are then exact, and a gain of one stays exactly one."""
BELOW_ONE = 0.99999994
"""The float32 before one: it makes a ceiling that was rounded up the float32 below what was asked for."""


def _mode(config: Config) -> int:
    if config.settings["true_peak"]:
        return BETWEEN_SAMPLES
    return AHEAD if _latency(config) else AT_ONCE


def _tracks(config: Config) -> str:
    return GROUPS if config.settings["link"] else LANES


def _latency(config: Config) -> int:
    frames = lookahead_frames(config)
    return max(frames, LAG + SHORTEST_RAMP) if config.settings["true_peak"] else frames


def _extent(config: Config) -> int:
    """Points of the interpolated signals."""
    return EXTENT * config.channels("in") if config.settings["true_peak"] else 1


@helper
def below(db):
    """The largest float32 that is not above a level of 0 dB or less, nor above any that a float32 says so."""
    exact = exp2(LOG2_PER_DB * db) * (1.0 + 7e-9 * db)
    c = f32(exact)
    return select(1.0 * c > exact, f32(c * f32(BELOW_ONE)), c)


class Limiter(LooksAhead):
    """Keep a signal below a ceiling, between its samples too, turning it down before the peak comes.

    The gain falls along a smooth ramp within the lookahead and is down when the peak arrives; then it rises again, by
    8.7 dB in every ``release_ms``. What stays below the ceiling passes untouched. Without lookahead and ``true_peak``
    the gain falls at once. ``true_peak`` takes 1.9 ms (at 48 kHz) to look between samples and to turn down gently
    enough: where the lookahead is shorter than that, the latency is not.
    """

    kind = "limiter"
    family = "dynamics"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    true_peak = Setting("true_peak", True, "switch", "Mind the peaks between samples; latency is at least 1.9 ms then.")
    link = Setting("link", True, "switch", "One gain for all channels, from the loudest, instead of one each.")
    ceiling = Param("ceiling_db", -1.0, -40.0, 0.0, "dB", doc="Level that nothing exceeds.")
    release = Param("release_ms", 50.0, 1.0, 5000.0, "ms", rate="tick", doc="Time in which the gain rises by 8.7 dB.")
    lookahead = Param(
        "lookahead_ms", 5.0, 0.0, 20.0, "ms", modulatable=False, doc="Time to turn down before a peak: latency."
    )
    input = Level("input_db", 0.0, doc="Gain before the limiter.")
    gain_reduction = Reading("dB", "How far the gain is down now.")

    mode = Scratch(lambda config: (_mode(config),))
    level = Scratch(lambda config: (TICK, _tracks(config)))
    swift = Scratch(lambda config: (TICK, _tracks(config)), "f4")
    bound = Scratch((TICK,), "f4")
    gain = Scratch(lambda config: (TICK, _tracks(config)), "i8")
    dry = Scratch((TICK, LANES), "f4")
    envelope = State(lambda config: (_tracks(config),))
    extremes = State((3,), "f4")
    past = State(lambda config: ((PAST + TICK) * config.channels("in") if config.settings["true_peak"] else 1,), "f4")
    ceilings = State(lambda config: (PAST + TICK if config.settings["true_peak"] else 1,), "f4", 1.0)
    between = Scratch(lambda config: (_extent(config),), "f4")
    upon = Scratch(lambda config: (_extent(config),), "f4")
    near = Scratch(lambda config: (_extent(config),), "f4")
    first = Scratch(lambda config: (_extent(config),), "f4")
    third = Scratch(lambda config: (_extent(config),), "f4")
    other_first = Scratch(lambda config: (_extent(config),), "f4")
    other_third = Scratch(lambda config: (_extent(config),), "f4")
    crest = Scratch(lambda config: (_extent(config),), "f4")
    held = Memory(2, "f8")
    early = Memory(2, "i8")
    late = Memory(2, "i8")
    line = Memory(2, "f4")
    places = Memory(1, "i8")

    @classmethod
    def check(cls, config: Config) -> None:
        if "lookahead_ms" in config.driven:
            raise PatchError(
                "lookahead is latency, which nothing can move while sound runs", place="params.lookahead_ms"
            )

    @classmethod
    def latency(cls, config: Config) -> int:
        return _latency(config)

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        latency, lanes = _latency(config), config.channels("in")
        tracks = 1 if config.settings["link"] else lanes
        ramp = latency - LAG if config.settings["true_peak"] else latency
        # Two running means, one after the other, together as long as the ramp.
        short, rest = ramp // 2 + 1, ramp - ramp // 2 + 1
        early = np.full((short + 1, tracks), UNIT, np.int64)
        early[short] *= short
        late = np.full((rest + 1, tracks), UNIT * short, np.int64)
        late[rest] *= rest
        return {
            "held": np.zeros((ramp + 2, tracks)),
            "early": early,
            "late": late,
            "line": np.zeros((latency, lanes), np.float32),
            "places": np.zeros(4, np.int64),
        }

    @kernel
    def process(
        signal,
        out,
        ceiling,
        release,
        input,
        gain_reduction,
        mode,
        level,
        swift,
        bound,
        gain,
        dry,
        envelope,
        extremes,
        past,
        ceilings,
        between,
        upon,
        near,
        first,
        third,
        other_first,
        other_third,
        crest,
        held,
        early,
        late,
        line,
        places,
        n,
        rate,
    ):
        tracks = level.shape[1]
        share = out.lanes // tracks
        lanes = out.lanes
        moving = ceiling.until(0) < FOREVER
        for start in range(0, n, TICK):
            for i in range(TICK):
                for lane in range(lanes):
                    dry[i, lane] = finite(signal[start + i, lane] * input[start + i, lane])

            if moving:
                for i in range(TICK):
                    bound[i] = below(ceiling[start + i, 0])
            elif start == 0:
                for i in range(TICK):
                    bound[i] = below(ceiling[0, 0])

            if mode.shape[0] == AT_ONCE:
                for i in range(TICK):
                    for track in range(tracks):
                        peak = f32(0.0)
                        for lane in range(track * share, track * share + share):
                            peak = max(peak, abs(dry[i, lane]))
                        swift[i, track] = peak * f32(f32(1.0) / bound[i])
                i = start
                while i < start + TICK:
                    end = min(start + TICK, release.until(i))
                    fall(swift, envelope, tracks, i - start, end - start, remainder(release[i, 0], rate))
                    i = end
                for i in range(TICK):
                    for track in range(tracks):
                        e = swift[i, track]
                        swift[i, track] = select(e > f32(1.0), f32(1.0) / e, f32(1.0))
                for i in range(TICK):
                    for lane in range(lanes):
                        c = bound[i]
                        out[start + i, lane] = max(min(f32(dry[i, lane] * swift[i, lane // share]), c), f32(-c))
                if start + TICK == n:
                    for lane in range(lanes):
                        gain_reduction[lane] = f32(-DB_PER_LOG2) * log2_32(swift[TICK - 1, lane // share])
                continue

            if mode.shape[0] == BETWEEN_SAMPLES:
                highest, lowest = f32(0.0), f32(1.0)
                for i in range(TICK):
                    ceilings[PAST + i] = bound[i]
                    lowest = min(lowest, bound[i])
                    for lane in range(lanes):
                        past[(PAST + i) * lanes + lane] = dry[i, lane]
                        highest = max(highest, abs(dry[i, lane]))
                around = max(highest, max(extremes[0], extremes[1]))
                if f32(HIGHEST) * around < min(lowest, extremes[2]):
                    # No crest can reach the ceiling; any level below one says the same.
                    for i in range(TICK):
                        for track in range(tracks):
                            level[i, track] = 0.0
                else:
                    crests(past, lanes, between, upon, near, first, third, other_first, other_third, crest)
                    for i in range(TICK):
                        for track in range(tracks):
                            peak = f32(0.0)
                            for lane in range(track * share, track * share + share):
                                peak = max(peak, max(crest[(i + 5) * lanes + lane], crest[(i + 6) * lanes + lane]))
                            over = peak / (1.0 * ceilings[PAST - LAG + i])
                            level[i, track] = select(over < ABSURD, over, ABSURD)
                extremes[0], extremes[1], extremes[2] = highest, extremes[0], lowest
                for j in range(PAST * lanes):
                    past[j] = past[TICK * lanes + j]
                for i in range(PAST):
                    ceilings[i] = ceilings[TICK + i]
            else:
                for i in range(TICK):
                    for track in range(tracks):
                        peak = f32(0.0)
                        for lane in range(track * share, track * share + share):
                            peak = max(peak, abs(dry[i, lane]))
                        level[i, track] = peak / (1.0 * bound[i])

            # Where nothing is over and nothing is left of what was, the gain is one, whatever else there is to
            # remember.
            over = bits_of(1.0)
            for i in range(TICK):
                for track in range(tracks):
                    over = max(over, bits_of(level[i, track]))
            calm = over == bits_of(1.0)
            unit = UNIT * (early.shape[0] - 1) * (late.shape[0] - 1)
            for track in range(tracks):
                calm = calm and late[late.shape[0] - 1, track] == unit
            delay_tick(dry, lanes, line, places, 3)
            if calm:
                for i in range(TICK):
                    for lane in range(lanes):
                        out[start + i, lane] = dry[i, lane]
                if start + TICK == n:
                    for lane in range(lanes):
                        gain_reduction[lane] = f32(0.0)
                continue

            slide_max(level, tracks, held, places, 0)
            i = start
            while i < start + TICK:
                end = min(start + TICK, release.until(i))
                fall(level, envelope, tracks, i - start, end - start, remainder(release[i, 0], rate))
                i = end
            for i in range(TICK):
                for track in range(tracks):
                    gain[i, track] = int(UNIT * select(level[i, track] > 1.0, 1.0 / level[i, track], 1.0))
            box(gain, tracks, early, places, 1)
            box(gain, tracks, late, places, 2)
            for i in range(TICK):
                for track in range(tracks):
                    level[i, track] = gain[i, track] / float(unit)
            for i in range(TICK):
                for lane in range(lanes):
                    out[start + i, lane] = dry[i, lane] * level[i, lane // share]
            if start + TICK == n:
                for lane in range(lanes):
                    gain_reduction[lane] = f32(-DB_PER_LOG2 * log2(level[TICK - 1, lane // share]))
