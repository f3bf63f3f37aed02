"""Delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graph.spec import (
    GROUPS,
    LANES,
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
    helper,
    kernel,
)
from nodes.dsp.machine import f32, finite, fma

LONGEST_S = 5.0
TAPS = 32
"""Taps of the interpolator, a sinc under a Kaiser window; half of them lie after the place that is read."""
HALF = TAPS // 2
BETA = 8.0
LOW_OFF, HIGH_OFF = 10.0, 24000.0
FLOAT32 = 6.1e-8
"""How far from what was meant a float32 may be, as a share of it; a little more than 2^−24."""
LOW_CUT_S, HIGH_CUT_S = 0.35, 0.02
"""How long the filters, at their lowest, take to fall silent."""


@helper
def bessel(x):
    """The modified Bessel function of order zero, by its series."""
    total, term, k = 1.0, 1.0, 1.0
    while term > 1e-12 * total:
        term *= (x / (2.0 * k)) * (x / (2.0 * k))
        total += term
        k += 1.0
    return total


@helper
def design(taps, row, fraction):
    """Weights that read ``fraction`` of a frame before a place; at zero exactly the place itself.

    A sinc under a Kaiser window, scaled to unity at 0 Hz.
    """
    if fraction == 0.0:
        for k in range(TAPS):
            taps[row, k] = 1.0 if k == HALF - 1 else 0.0
        return
    total = 0.0
    for k in range(TAPS):
        x = k - (HALF - 1) - fraction
        window = bessel(BETA * math.sqrt(max(0.0, 1.0 - (x / HALF) * (x / HALF)))) / bessel(BETA)
        taps[row, k] = math.sin(math.pi * x) / (math.pi * x) * window
        total += taps[row, k]
    for k in range(TAPS):
        taps[row, k] /= total


@helper
def one_pole(frequency, rate):
    """The coefficient g / (1 + g) of a trapezoidal one-pole filter that is 3 dB down at a frequency.

    g = tan(π·frequency / rate). Zavalishin: "The Art of VA Filter Design", 3.10.
    """
    w = math.pi * min(frequency, 0.49 * rate) / rate
    return math.sin(w) / (math.sin(w) + math.cos(w))


@helper
def frames_of(ms, rate):
    """A time in frames: whole where only the rounding of float32 keeps it from being so, and where it is too short to
    be interpolated.
    """
    wanted = ms * rate * 0.001
    nearest = math.floor(wanted + 0.5)
    return nearest if abs(wanted - nearest) <= max(1e-4, wanted * FLOAT32) or wanted < HALF + 1 else wanted


class Delay(Node):
    """Repeat the sound after a time, with feedback, and filters on the repeats.

    Where the time moves, the sound fades from the old place in the line to the new one, a tick at a time.
    """

    kind = "delay"
    family = "time"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    mode = ChoiceSetting("mode", ("stereo", "ping_pong"), doc="ping_pong crosses the sides at each repeat.")
    time_ms = Param(
        "time_ms",
        250.0,
        0.0,
        5000.0,
        "ms",
        doc="Time to the first repeat; rounded to whole frames below 17.",
        rate="tick",
    )
    feedback = Param("feedback", 0.0, -0.99, 0.99, doc="How much of each repeat is repeated again.")
    mix = Param("mix", 0.5, 0.0, 1.0, doc="0 is dry, 1 is the repeats alone.")
    low_cut = Param(
        "low_cut_hz", 10.0, 10.0, 2000.0, "Hz", "log", "Takes lows off the repeats; off at 10.", rate="tick"
    )
    high_cut = Param(
        "high_cut_hz", 24000.0, 200.0, 24000.0, "Hz", "log", "Takes highs off the repeats; off at 24000.", rate="tick"
    )

    crossed = Scratch(lambda config: (2 if config.settings["mode"] == "ping_pong" else 1,))
    line = Memory(2)
    place = State((GROUPS,), "i8")
    frames = State((2, GROUPS), "f8", -1.0)
    fading = State((GROUPS,), "i8")
    taps = State((2, TAPS))
    cutting = State((2, GROUPS), "i8")
    low = State((LANES,))
    high = State((LANES,))
    wet = Scratch((TICK, LANES))

    @classmethod
    def check(cls, config: Config) -> None:
        if config.settings["mode"] == "ping_pong" and config.layouts["in"] != "stereo":
            raise PatchError(f"ping_pong takes stereo, and this is {config.layouts['in']}", place="settings.mode")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, Any]:
        import numpy as np

        size = 1 << (math.ceil(LONGEST_S * config.rate) + TICK + TAPS).bit_length()
        return {"line": np.zeros((size, config.channels("in")), np.float32)}

    @classmethod
    def tail(cls, config: Config) -> float:
        loudest = 0.99 if "feedback" in config.driven else abs(config.params["feedback"])
        time = LONGEST_S if "time_ms" in config.driven else config.params["time_ms"] / 1000
        repeats = 1 if loudest < 1e-6 else 1 + math.ceil(math.log(1e-7) / math.log(loudest))
        if config.params["low_cut_hz"] > LOW_OFF or "low_cut_hz" in config.driven:
            time += LOW_CUT_S
        if config.params["high_cut_hz"] < HIGH_OFF or "high_cut_hz" in config.driven:
            time += HIGH_CUT_S
        return repeats * time + (TAPS + TICK) / config.rate

    @kernel
    def process(
        signal,
        out,
        time_ms,
        feedback,
        mix,
        low_cut,
        high_cut,
        crossed,
        line,
        place,
        frames,
        fading,
        taps,
        cutting,
        low,
        high,
        wet,
        rate,
        n,
    ):
        mask = line.shape[0] - 1
        swap = crossed.shape[0] - 1
        at = place[0]
        i = 0
        while i < n:
            end = min(min(time_ms.until(i), low_cut.until(i)), min(high_cut.until(i), i + TICK - i % TICK))
            if fading[0] == 0:
                wanted = frames_of(float(time_ms[i, 0]), rate)
                if wanted != frames[1, 0]:
                    # A fade that has begun is finished first, so that none is shorter than a tick.
                    fading[0] = TICK if frames[1, 0] >= 0.0 else 0
                    frames[0, 0], frames[1, 0] = frames[1, 0], wanted
                    for k in range(TAPS):
                        taps[0, k] = taps[1, k]
                    design(taps, 1, wanted - math.floor(wanted))
            left = fading[0]
            if left > 0:
                end = min(end, i + left)
            old, new = int(frames[0, 0]), int(frames[1, 0])
            whole_old, whole_new = float(old) == frames[0, 0], float(new) == frames[1, 0]
            low_on, high_on = low_cut[i, 0] > LOW_OFF, high_cut[i, 0] < HIGH_OFF
            a_low, a_high = one_pole(float(low_cut[i, 0]), rate), one_pole(float(high_cut[i, 0]), rate)
            begins = high_on and cutting[1, 0] == 0
            if low_on and cutting[0, 0] == 0:
                for lane in range(out.lanes):
                    low[lane] = 0.0
            cutting[0, 0], cutting[1, 0] = int(low_on), int(high_on)
            size = end - i
            if whole_new and left == 0 and not low_on and not high_on and new >= TICK and swap == 0:
                for j in range(size):
                    read = (at + j - new) & mask
                    for lane in range(out.lanes):
                        y = line[read, lane]
                        x = signal[i + j, lane]
                        line[(at + j) & mask, lane] = finite(x + feedback[i + j, lane] * y)
                        share = mix[i + j, lane]
                        out[i + j, lane] = x * (f32(1.0) - share) + y * share
            else:
                for j in range(size):
                    here = at + j
                    step = (TICK - left + j + 1.0) / TICK
                    for lane in range(out.lanes):
                        x = float(signal[i + j, lane])
                        line[here & mask, lane] = finite(f32(x))
                        y = 0.0
                        if whole_new:
                            y = float(line[(here - new) & mask, lane])
                        else:
                            for k in range(TAPS):
                                y = fma(taps[1, k], float(line[(here - new + HALF - 1 - k) & mask, lane]), y)
                        if left > 0:
                            z = 0.0
                            if whole_old:
                                z = float(line[(here - old) & mask, lane])
                            else:
                                for k in range(TAPS):
                                    z = fma(taps[0, k], float(line[(here - old + HALF - 1 - k) & mask, lane]), z)
                            y = z + step * (y - z)
                        if low_on:
                            v = a_low * (y - low[lane])
                            below = low[lane] + v
                            low[lane] = below + v
                            y -= below
                        if high_on:
                            if begins and j == 0:
                                high[lane] = y
                            v = a_high * (y - high[lane])
                            y = high[lane] + v
                            high[lane] = y + v
                        wet[j, lane] = y
                    for lane in range(out.lanes):
                        x = float(signal[i + j, lane])
                        y = wet[j, lane]
                        back = wet[j, out.lanes - 1 - lane] if swap else y
                        if new > 0 or left > 0:
                            line[here & mask, lane] = finite(f32(x + feedback[i + j, lane] * back))
                        out[i + j, lane] = x * (1.0 - mix[i + j, lane]) + y * mix[i + j, lane]
            for lane in range(out.lanes):
                if not abs(low[lane]) + abs(high[lane]) < 1e30:
                    low[lane] = high[lane] = 0.0
            fading[0] = max(left - size, 0)
            at += size
            i = end
        place[0] = at
