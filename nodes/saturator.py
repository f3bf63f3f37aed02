"""Saturator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Level,
    Memory,
    Node,
    Param,
    PatchError,
    Scratch,
    Services,
    Setting,
    State,
    helper,
    kernel,
)
from nodes.dsp.exponentials import LOG2_OF_10_OVER_20, exp2
from nodes.dsp.lines import clean

CURVES = ("tanh", "cubic", "hard")
TANH, CUBIC = 1, 2
REACH = 24
"""Frames that the filters between the rates look to either side."""
EDGE = 0.91
"""Where the filters are at −6 dB, in parts of half the sample rate: −90 dB at 1.03 of it."""
BETA = 9.0
FOUR_OVER_LN_4 = 2.8853900817779268


def taps(factor: int) -> np.ndarray:
    """A lowpass at ``factor`` times the rate: a sinc under a Kaiser window, 2 · REACH · factor + 1 taps, of sum one."""
    t = np.arange(-REACH * factor, REACH * factor + 1) / factor
    h = np.sinc(EDGE * t) * np.kaiser(len(t), BETA)
    return h / h.sum()


@helper
def bent(x, curve):
    """The curve, of slope one at zero."""
    if curve == TANH:
        u = min(max(x, -20.0), 20.0)
        return 1.0 - 2.0 / (1.0 + exp2(FOUR_OVER_LN_4 * u))
    if curve == CUBIC:
        u = min(max(x, -1.5), 1.5)
        return u - u * u * u * (4.0 / 27.0)
    return min(max(x, -1.0), 1.0)


class Saturator(Node):
    """Bend a signal along a curve that levels off at full scale: warmth, crunch, or clipping.

    ``tanh``; ``cubic``: x − 4x³/27 up to 1.5, where it reaches 1; ``hard``: x up to 1. The drive is the gain before the
    curve; bias shifts the signal on it, for even harmonics, and what constant that adds is taken off again. With
    ``oversampling`` the curve is applied at a multiple of the sample rate, which keeps overtones from folding back,
    takes off what lies above 0.8 of half the rate, and takes 48 frames.
    """

    kind = "saturator"
    family = "tone"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    oversampling = Setting("oversampling", 4, "integer", "How many times the sample rate: 1, 2, 4 or 8.", low=1, high=8)
    curve = ChoiceSetting("curve", CURVES, doc="How loud signals are bent.")
    drive = Param("drive_db", 0.0, 0.0, 48.0, "dB", doc="Gain before the curve.")
    bias = Param("bias", 0.0, -1.0, 1.0, doc="Shift along the curve.")
    level = Level("level_db", 0.0, doc="Gain after the curve.")
    mix = Param("mix", 1.0, doc="Share of the bent signal; the rest is the input, in time with it.")

    shape = Scratch(lambda config: (config.settings["oversampling"], 1 + CURVES.index(config.settings["curve"])))
    up = Memory(2, "f8")
    down = Memory(1, "f8")
    past = State((2 * REACH + TICK, LANES))
    over = State(lambda config: ((2 * REACH + TICK) * config.settings["oversampling"], config.channels("in")))

    @classmethod
    def check(cls, config: Config) -> None:
        factor = config.settings["oversampling"]
        if factor & (factor - 1):
            raise PatchError(f"expected 1, 2, 4 or 8, found {factor}", place="settings.oversampling")

    @classmethod
    def latency(cls, config: Config) -> int:
        return 0 if config.settings["oversampling"] == 1 else 2 * REACH

    @classmethod
    def tail(cls, config: Config) -> float:
        return 2 * cls.latency(config) / config.rate

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The filters: up by phase and frame, and down."""
        factor = config.settings["oversampling"]
        h = taps(factor)
        up = np.zeros((factor, 2 * REACH + 1))
        for phase in range(factor):
            own = factor * h[phase::factor]
            up[phase, : len(own)] = own
        return {"up": up, "down": h}

    @kernel
    def process(signal, out, drive, bias, level, mix, shape, up, down, past, over, n):
        factor, curve = shape.shape[0], shape.shape[1]
        reach = 2 * REACH
        for start in range(0, n, TICK):
            for i in range(TICK):
                for lane in range(out.lanes):
                    past[reach + i, lane] = clean(signal[start + i, lane])
            for i in range(TICK):
                gain = exp2(LOG2_OF_10_OVER_20 * drive[start + i, 0])
                shift = 1.0 * bias[start + i, 0]
                rest = bent(shift, curve)
                for phase in range(factor):
                    at = (reach + i) * factor + phase
                    for lane in range(out.lanes):
                        x = past[reach + i, lane]
                        if factor > 1:
                            x = 0.0
                            for k in range(reach + 1):
                                x += up[phase, k] * past[reach + i - k, lane]
                        over[at, lane] = bent(gain * x + shift, curve) - rest
            for i in range(TICK):
                share = 1.0 * mix[start + i, 0]
                for lane in range(out.lanes):
                    dry, wet = past[reach + i, lane], over[reach + i, lane]
                    if factor > 1:
                        dry, wet = past[i, lane], 0.0
                        for m in range(reach * factor + 1):
                            wet += down[m] * over[(reach + i) * factor - m, lane]
                    out[start + i, lane] = dry + share * (wet * level[start + i, 0] - dry)
            for i in range(reach):
                for lane in range(out.lanes):
                    past[i, lane] = past[TICK + i, lane]
            for i in range(reach * factor):
                for lane in range(out.lanes):
                    over[i, lane] = over[TICK * factor + i, lane]
