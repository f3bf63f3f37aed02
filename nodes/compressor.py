"""Compressor."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.spec import (
    GROUPS,
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Memory,
    Param,
    Reading,
    Scratch,
    Services,
    Setting,
    Sidechain,
    State,
    helper,
    kernel,
)
from nodes.dsp.dynamics import (
    DB_PER_LOG2,
    FOREVER,
    LOG2_PER_DB,
    delay_tick,
    exp2_32,
    follow,
    reduction,
    remainder,
    slide_max,
    slide_sum,
)
from nodes.dsp.exponentials import exp2
from nodes.dsp.lookahead import LooksAhead, lookahead_frames
from nodes.dsp.machine import f32, finite, fma32

DETECTORS = ("peak", "rms", "envelope")
PEAK, RMS, ENVELOPE = 1, 2, 3
"""Detectors as the size of an axis: a size is a constant to the compiler, so a kernel has the code of its own only."""
PEAK_S, RMS_S = 0.005, 0.010


def _detector(config: Config) -> int:
    return 1 + DETECTORS.index(config.settings["detector"])


def _tracks(config: Config) -> str:
    """The axis of the detectors: one for each lane, or one for all lanes of a node."""
    tied = config.settings["link"] or config.channels("sidechain") != config.channels("in")
    return GROUPS if tied else LANES


@helper
def squares(key, start, square):
    """The squares of a tick of the key."""
    for i in range(TICK):
        for lane in range(key.lanes):
            x = 1.0 * finite(key[start + i, lane])
            square[i, lane] = x * x


@helper
def loudest_square(square, window, level, tracks):
    """For each track the RMS of the loudest of its channels, from sums of squares over ``window`` frames."""
    each = square.shape[1] // tracks
    one = 1.0 / window
    for i in range(TICK):
        for track in range(tracks):
            highest = square[i, track * each]
            for lane in range(track * each + 1, track * each + each):
                highest = max(highest, square[i, lane])
            level[i, track] = math.sqrt(highest * one)


@helper
def loudest(key, start, level, tracks):
    """For each track the magnitude of the loudest of its channels."""
    each = key.lanes // tracks
    for i in range(TICK):
        for track in range(tracks):
            highest = abs(finite(key[start + i, track * each]))
            for lane in range(track * each + 1, track * each + each):
                highest = max(highest, abs(finite(key[start + i, lane])))
            level[i, track] = highest


class Compressor(LooksAhead):
    """Turn down what is louder than a threshold, steered by the signal itself or by a sidechain.

    ``peak`` and ``rms`` measure first, then bend the level by the curve of threshold, ratio and knee, then smooth the
    gain in decibels: attack and release are the times to 63.2 % of a change. ``envelope`` smooths the magnitude
    itself by attack and release, then bends. The level of a sine is its peak for ``peak``, 3 dB less for ``rms``.
    """

    kind = "compressor"
    family = "dynamics"
    bypassable = True
    wide = True
    accumulates = True

    signal = AudioIn("in")
    key = Sidechain("sidechain", fallback="in", doc="What is measured; the input itself if nothing is plugged in.")
    out = AudioOut("out")
    detector = ChoiceSetting(
        "detector", DETECTORS, "peak", "Measures the peak of the last 5 ms, the RMS of the last 10 ms, or an envelope."
    )
    link = Setting("link", True, "switch", "One gain for all channels, from the loudest, instead of one each.")
    threshold = Param("threshold_db", -18.0, -80.0, 0.0, "dB", doc="Level above which the gain falls.")
    ratio = Param("ratio", 4.0, 1.0, 100.0, doc="Decibels above the threshold that become one.")
    attack = Param("attack_ms", 10.0, 0.0, 500.0, "ms", rate="tick", doc="Time to 63.2 % of a fall in gain.")
    release = Param("release_ms", 100.0, 1.0, 5000.0, "ms", rate="tick", doc="Time to 63.2 % of a rise in gain.")
    knee = Param("knee_db", 0.0, 0.0, 24.0, "dB", doc="Width of the bend of the curve around the threshold.")
    makeup = Param("makeup_db", 0.0, -24.0, 24.0, "dB", doc="Gain after compression.")
    mix = Param("mix", 1.0, doc="Share of the compressed signal; the rest is the input, in time with it.")
    lookahead = Param(
        "lookahead_ms", 0.0, 0.0, 20.0, "ms", modulatable=False, doc="How far measuring is ahead of the sound: latency."
    )
    gain_reduction = Reading("dB", "How far the gain is down now, makeup aside.")

    mode = Scratch(lambda config: (_detector(config),))
    state = State(lambda config: (_tracks(config),))
    level = Scratch(lambda config: (TICK, _tracks(config)), "f4")
    curve = Scratch(lambda config: (TICK, 6, _tracks(config)), "f4")
    gain = Scratch(lambda config: (TICK, _tracks(config)), "f4")
    square = Scratch(lambda config: (TICK, config.channels("sidechain") if _detector(config) == RMS else 1))
    speed = Scratch(lambda config: (4, _tracks(config)))
    delayed = Scratch((TICK, LANES), "f4")
    ring = Memory(2, "f8")
    line = Memory(2, "f4")
    places = Memory(1, "i8")

    @classmethod
    def alone(cls, config: Config) -> bool:
        return _detector(config) != ENVELOPE or lookahead_frames(config) > 0

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        key, lanes = config.channels("sidechain"), config.channels("in")
        tracks = lanes if _tracks(config) == LANES else 1
        ring = {
            PEAK: (round(PEAK_S * config.rate) + 1, tracks),
            RMS: (round(RMS_S * config.rate) + 2, key),
            ENVELOPE: (0, tracks),
        }
        return {
            "ring": np.zeros(ring[_detector(config)]),
            "line": np.zeros((lookahead_frames(config), lanes), np.float32),
            "places": np.zeros(2 if cls.alone(config) else 0, np.int64),
        }

    @kernel
    def process(
        signal,
        key,
        out,
        threshold,
        ratio,
        attack,
        release,
        knee,
        makeup,
        mix,
        gain_reduction,
        mode,
        state,
        level,
        curve,
        gain,
        square,
        speed,
        delayed,
        ring,
        line,
        places,
        n,
        rate,
    ):
        tracks = level.shape[1]
        share = out.lanes // tracks
        own = tracks // out.groups
        held = min(threshold.until(0), ratio.until(0), knee.until(0), makeup.until(0), mix.until(0))
        moving = 0 if held > FOREVER else 1
        gliding = min(attack.until(0), release.until(0)) < FOREVER
        for start in range(0, n, TICK):
            if mode.shape[0] == RMS:
                squares(key, start, square)
                slide_sum(square, key.lanes, ring, places, 0)
                loudest_square(square, ring.shape[0] - 2, level, tracks)
            else:
                loudest(key, start, level, tracks)
                if mode.shape[0] == PEAK:
                    slide_max(level, tracks, ring, places, 0)

            if moving or start == 0:
                for i in range(TICK if moving else 1):
                    for group in range(out.groups):
                        lane = group * out.channels
                        slope = 1.0 - 1.0 / ratio[start + i, lane]
                        width = LOG2_PER_DB * knee[start + i, lane]
                        for track in range(group * own, group * own + own):
                            curve[i, 0, track] = exp2(-LOG2_PER_DB * threshold[start + i, lane])
                            curve[i, 1, track] = slope
                            curve[i, 2, track] = 0.5 * width
                            curve[i, 3, track] = 0.5 * slope / max(width, 1e-9)
                            curve[i, 4, track] = LOG2_PER_DB * makeup[start + i, lane]
                            curve[i, 5, track] = mix[start + i, lane]
            if mode.shape[0] != ENVELOPE:
                for i in range(TICK):
                    for track in range(tracks):
                        at = i * moving
                        level[i, track] = reduction(level[i, track] * curve[at, 0, track], curve, at, track)
            i = start
            while i < start + TICK:
                end = min(start + TICK, attack.until(i), release.until(i))
                if gliding or start == 0:
                    for group in range(out.groups):
                        rising = remainder(attack[i, group * out.channels], rate)
                        falling = remainder(release[i, group * out.channels], rate)
                        for track in range(group * own, group * own + own):
                            speed[0, track], speed[1, track] = rising, 1.0 - rising
                            speed[2, track], speed[3, track] = falling, 1.0 - falling
                follow(level, state, tracks, i - start, end - start, speed)
                i = end
            for i in range(TICK):
                for track in range(tracks):
                    at = i * moving
                    if mode.shape[0] == ENVELOPE:
                        fall = reduction(level[i, track] * curve[at, 0, track], curve, at, track)
                    else:
                        fall = level[i, track]
                    wet = exp2_32(f32(curve[at, 4, track] - fall))
                    gain[i, track] = fma32(curve[at, 5, track], wet, f32(f32(1.0) - curve[at, 5, track]))
            if start + TICK == n:
                for lane in range(out.lanes):
                    track, at = lane // share, (TICK - 1) * moving
                    now = level[TICK - 1, track]
                    if mode.shape[0] == ENVELOPE:
                        now = reduction(now * curve[at, 0, track], curve, at, track)
                    gain_reduction[lane] = f32(DB_PER_LOG2) * now
            if line.shape[0] > 0:
                for i in range(TICK):
                    for lane in range(out.lanes):
                        delayed[i, lane] = signal[start + i, lane]
                delay_tick(delayed, out.lanes, line, places, 1)
                for i in range(TICK):
                    for lane in range(out.lanes):
                        out[start + i, lane] = delayed[i, lane] * gain[i, lane // share]
            else:
                for i in range(TICK):
                    for lane in range(out.lanes):
                        out[start + i, lane] = signal[start + i, lane] * gain[i, lane // share]
