"""Reverb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Memory,
    Node,
    Param,
    PatchError,
    Scratch,
    Services,
    State,
    kernel,
)
from nodes.dsp import fdn, freeverb
from nodes.dsp.fdn import (
    SMALLEST,
    damp,
    design,
    diffuse,
    feed,
    from_tile,
    hear,
    mix_and_add,
    rotate_and_mix,
    to_tile,
    turn,
)
from nodes.dsp.freeverb import INPUT_GAIN, allpass_tick, comb_tick
from nodes.dsp.lines import FADE_TICKS, clean, close, row, tap
from nodes.dsp.machine import f32

ALGORITHMS = ("fdn", "freeverb")
PREDELAY_HIGH_MS = 500.0
LONGEST_S = 30.0
PREDELAY = 16  # its column among the delays, behind those of the lines


def _lengths(config: Config) -> tuple[list[int], list[int]]:
    """Frames of the lines and of the allpasses."""
    return (freeverb if config.settings["algorithm"] == "freeverb" else fdn).lengths(config.rate)


class Reverb(Node):
    """Reverberation: a modern feedback delay network, or Freeverb.

    `fdn` has a decay time (at 1 kHz) that does not depend on its size, and decorrelated outputs. `freeverb` is the
    classic: there size sets the feedback (0.7 + 0.28·size), damping the lowpass (0.4·damping), and decay_s does
    nothing. A mono node is what the left channel would be. Signals wider than stereo need a stereo send.
    """

    kind = "reverb"
    family = "space"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    algorithm = ChoiceSetting("algorithm", ALGORITHMS, doc="Feedback delay network, or Freeverb.")
    predelay = Param("predelay_ms", 0.0, 0.0, PREDELAY_HIGH_MS, "ms", doc="Silence before the reverberation.")
    decay = Param("decay_s", 1.8, 0.1, LONGEST_S, "s", "log", doc="Time to fall by 60 dB at 1 kHz (not with freeverb).")
    size = Param("size", 0.7, doc="Size of the room: density of echoes; with freeverb, how long it sounds.")
    damping = Param("damping", 0.5, doc="How much faster high frequencies die away.")
    width = Param("width", 1.0, doc="From mono reverberation (0) to stereo (1).")
    mix = Param("mix", 0.3, doc="From the signal as it is (0) to the reverberation alone (1).")

    lines = State(lambda config: (16, row(max(_lengths(config)[0]))), "f4")
    allpasses = State(lambda config: (len(_lengths(config)[1]), row(max(_lengths(config)[1]))), "f4")
    past = Memory(2)
    frames = Memory(1, "i8")
    warped = Memory(1, "f8")
    clock = State((2,), "i8")  # ticks so far, ticks left of a fade
    delays = State((2, 17), "i8")  # of the lines and the predelay, before and after a fade
    heard = State((2,))  # decay and damping that the filters are for
    filters = State((3, 16), "f4")
    wanted = Scratch((3, 16), "f4")
    kept = State((2, 8), "f4")
    gains = State((4,))
    turning = State((4, 8))
    which = State(lambda config: (1 + ALGORITHMS.index(config.settings["algorithm"]),))
    source = Scratch((2, TICK), "f4")
    wet = Scratch((2, TICK), "f4")
    planar = Scratch((16, TICK), "f4")
    tile = Scratch((2, TICK, 8), "f4")

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        if config.channels("in") > 2:
            raise PatchError(
                f"a reverb is mono or stereo, and this signal is {config.layouts['in']}; use downmix first"
            )
        return {}

    @classmethod
    def tail(cls, config: Config) -> float:
        def extreme(param: str, value: float) -> float:
            return value if param in config.driven else config.params[param]

        before = extreme("predelay_ms", PREDELAY_HIGH_MS) / 1000 + 0.1
        if config.settings["algorithm"] == "freeverb":
            return before + freeverb.seconds_to_minus_120_db(config.rate, extreme("size", 1.0))
        return before + fdn.seconds_to_minus_120_db(extreme("decay_s", LONGEST_S), extreme("size", 0.0))

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[Any]]:
        lines, allpasses = _lengths(config)
        past = row(PREDELAY_HIGH_MS / 1000 * config.rate)
        return {
            "past": np.zeros((config.channels("in"), past), np.float32),
            "frames": np.array(lines + allpasses, np.int64),
            "warped": np.array(fdn.shelf(config.rate)),
        }

    @kernel
    def process(
        signal,
        out,
        predelay,
        decay,
        size,
        damping,
        width,
        mix,
        lines,
        allpasses,
        past,
        frames,
        warped,
        clock,
        delays,
        heard,
        filters,
        wanted,
        kept,
        gains,
        turning,
        which,
        source,
        wet,
        planar,
        tile,
        n,
        rate,
    ):
        network = which.shape[0] == 1
        for tick in range(n // TICK):
            at = tick * TICK
            now = clock[0] * TICK
            new = now & (past.shape[1] - TICK - 1)
            place = now & (lines.shape[1] - TICK - 1)
            spot = now & (allpasses.shape[1] - TICK - 1)
            for i in range(TICK):
                for lane in range(out.lanes):
                    past[lane, new + i] = clean(signal[at + i, lane])
            close(past, out.lanes, new)

            if clock[1] == 0:
                scale = SMALLEST + (1.0 - SMALLEST) * size[at, 0] if network else 1.0
                changed = 0
                for k in range(17):
                    delays[0, k] = delays[1, k]
                    if k == PREDELAY:
                        delays[1, k] = int(predelay[at, 0] * 0.001 * rate + 0.5)
                    else:
                        delays[1, k] = max(TICK, int(frames[k] * scale))
                    changed += delays[0, k] != delays[1, k]
                if changed and clock[0] > 0:
                    clock[1] = FADE_TICKS
            fade = clock[1]

            for lane in range(out.lanes):
                tap(past, lane, new, delays, PREDELAY, fade, source, lane)
            if out.lanes == 1:
                for i in range(TICK):
                    source[1, i] = source[0, i]

            if network:
                moving = heard[0] != decay[at, 0] or heard[1] != damping[at, 0] or fade == FADE_TICKS or clock[0] == 0
                if moving:
                    heard[0] = decay[at, 0]
                    heard[1] = damping[at, 0]
                    design(heard[0], heard[1], rate, delays, frames, warped, wanted, gains)
                    if clock[0] == 0:
                        gains[0] = gains[1]
                        gains[2] = gains[3]
                        for k in range(16):
                            filters[0, k] = wanted[0, k]
                            filters[1, k] = wanted[1, k]
                            filters[2, k] = wanted[2, k]
                        for j in range(8):
                            turning[2, j] = 1.0
                diffuse(allpasses, spot, frames, gains, source)
                for k in range(16):
                    tap(lines, k, place, delays, k, fade, planar, k)
                to_tile(planar, tile)
                damp(tile, filters, wanted, moving, kept)
                from_tile(tile, planar)
                hear(planar, gains, wet)
                turn(turning, rate)
                rotate_and_mix(planar, turning)
                mix_and_add(planar, source)
                feed(planar, allpasses, spot, frames, gains, lines, place)
            else:
                for i in range(TICK):
                    source[0, i] = (source[0, i] + source[1, i]) * f32(INPUT_GAIN)
                comb_tick(source, size, damping, at, lines, place, delays, kept, tile, wet)
                for k in range(8):
                    allpass_tick(allpasses, k, spot, frames[16 + k], wet, k // 4)
                close(allpasses, 8, spot)
            if fade > 0:
                clock[1] = fade - 1
            clock[0] += 1

            half = f32(0.5)
            for i in range(TICK):
                for lane in range(out.lanes):
                    w = width[at + i, lane]
                    m = mix[at + i, lane]
                    own, other = wet[lane, i], wet[1 - lane, i]
                    if out.lanes > 1:
                        own = own * (half + half * w) + other * (half - half * w)
                    out[at + i, lane] = signal[at + i, lane] * (f32(1.0) - m) + own * m
