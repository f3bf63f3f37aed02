"""Denoise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import (
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
    Switch,
    helper,
    kernel,
)
from nodes.dsp import profiles
from nodes.dsp.exponentials import db_of, exp2
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma
from nodes.dsp.windows import hann, nearest_size, tables, transform

LENGTH_S = 0.0427
SHORTEST = 4 * TICK
"""A hop, a quarter of a window, must be whole ticks."""
LOG2_OF_10_OVER_10 = 0.33219280948873625
LOUDEST = 1e6
"""The most that counts as above the noise: 60 dB. What is louder is let through anyway."""


def _size(config: Config) -> int:
    return max(SHORTEST, nearest_size(LENGTH_S, config.rate))


@helper
def load(line, first, one, other, window, swapped, work):
    """Two channels of a window of the line, as real and imaginary parts."""
    mask = line.shape[0] - 1
    for j in range(window.shape[0]):
        at, to = (first + j) & mask, swapped[j]
        work[0, to] = window[j] * line[at, one]
        work[1, to] = window[j] * line[at, other] if other != one else 0.0


@helper
def add_power(work, kept, pair, power):
    """Keep the transform of two channels, and add up their powers."""
    size = work.shape[1]
    for k in range(size):
        kept[2 * pair, k], kept[2 * pair + 1, k] = work[0, k], work[1, k]
    for k in range(power.shape[0]):
        j = (size - k) & (size - 1)
        one = fma(work[0, k], work[0, k], work[1, k] * work[1, k])
        power[k] += 0.5 * (one + fma(work[0, j], work[0, j], work[1, j] * work[1, j]))


@helper
def weigh(power, noise, prior, wiener, gains, lanes, scale, keep, floor):
    """The gain of each line, from its power against that of the noise."""
    count = power.shape[0]
    for k in range(count):
        level = lanes * scale * noise[k]
        wiener[k] = 1.0
        if level > 1e-30:
            above = min(power[k] / level, LOUDEST)
            ratio = fma(keep, prior[k], (1.0 - keep) * max(above - 1.0, 0.0))
            wiener[k] = ratio / (1.0 + ratio)
            prior[k] = wiener[k] * wiener[k] * above
    for k in range(count):
        around = wiener[max(k - 1, 0)] + wiener[min(k + 1, count - 1)]
        gains[k] = floor + (1.0 - floor) * (0.5 * wiener[k] + 0.25 * around)


@helper
def lay(kept, pair, one, other, gains, window, roots, swapped, work, laid, first):
    """Add a window of two channels, each line times its gain, to what has been laid."""
    size, mask = window.shape[0], laid.shape[0] - 1
    for k in range(size):
        gain, to = gains[min(k, size - k)], swapped[k]
        work[0, to], work[1, to] = gain * kept[2 * pair, k], -gain * kept[2 * pair + 1, k]
    transform(work, roots)
    # Squared Hann windows a quarter apart add up to 3/2.
    scale = 1.0 / (1.5 * size)
    for j in range(size):
        at, weight = (first + j) & mask, scale * window[j]
        new = j >= size - (size >> 2)
        a, b = weight * work[0, j], -weight * work[1, j]
        laid[at, one] = a if new else laid[at, one] + a
        if other != one:
            laid[at, other] = b if new else laid[at, other] + b


class Denoise(Node):
    """Take steady noise out of a signal: hiss, hum, air, as they were learned.

    The noise is learned from a part of a file where nothing else is heard (``learn_from``); where there is no such
    file, it is the spectrum that ``patchwright learn`` has kept in the patch; without either nothing changes. In
    each window, of about 43 ms, each line of the spectrum gets the gain of Wiener's filter, ξ/(1 + ξ), with the
    share of signal to noise ξ estimated as Y. Ephraim and D. Malah do ("Speech enhancement using a minimum
    mean-square error short-time spectral amplitude estimator", IEEE Trans. ASSP 32(6), 1984): ``smoothing`` is how
    much of the window before goes into it, which keeps single lines from twittering. ``sensitivity_db`` is by how
    much the noise is taken for louder than it was; ``reduction_db`` is the lowest gain. All channels get the same
    gains. Its latency is the window.
    """

    kind = "denoise"
    family = "tone"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    learn_from = Setting("learn_from", "", "path", doc="Audio file that the noise is learned from.")
    learn_start = Setting("learn_start_s", 0.0, "number", "Where in it the noise begins to be alone.", low=0.0)
    learn_end = Setting("learn_end_s", 0.0, "number", "Where that ends; 0 is the end of the file.", low=0.0)
    reduction = Param("reduction_db", -20.0, -96.0, 0.0, "dB", doc="How far noise is turned down.", as_gain=True)
    sensitivity = Param("sensitivity_db", 3.0, -12.0, 24.0, "dB", doc="How much louder the noise is taken for.")
    smoothing = Param("smoothing", 0.95, 0.0, 0.99, doc="How slowly the gains follow.")
    listen = Switch("listen", doc="Hear what is taken out instead of what is left.")
    gain_reduction = Reading("dB", "How far the level is down now.", (1,))

    line = Memory(2)
    laid = Memory(2, "f8")
    window = Memory(1, "f8")
    roots = Memory(2, "f8")
    swapped = Memory(1, "i8")
    work = Memory(2, "f8")
    kept = Memory(2, "f8")
    noise = Memory(1, "f8")
    power = Memory(1, "f8")
    prior = Memory(1, "f8")
    wiener = Memory(1, "f8")
    gains = Memory(1, "f8")
    counter = State((1,), "i8")

    @classmethod
    def check(cls, config: Config) -> None:
        """What is kept must be a spectrum, and what is learned from must be some time."""
        if config.state is not None:
            profiles.decoded(config.state)
        start, end = config.settings["learn_start_s"], config.settings["learn_end_s"]
        if end and end <= start:
            raise PatchError(f"expected more than learn_start_s, which is {start:g}", place="settings.learn_end_s")

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        return profiles.known_files(config, services, "learn_from")

    @classmethod
    def latency(cls, config: Config) -> int:
        return _size(config) - TICK

    @classmethod
    def tail(cls, config: Config) -> float:
        return 2 * _size(config) / config.rate

    @classmethod
    def shape_key(cls, config: Config) -> object:
        return sorted(config.info.items()), config.state

    @classmethod
    def learned(cls, config: Config, services: Services) -> bytes | None:
        if "learn_from" not in config.info:
            return None
        data, _ = services.read_audio(config.settings["learn_from"], config.rate)
        start, end = (round(config.settings[name] * config.rate) for name in ("learn_start_s", "learn_end_s"))
        part = data[start : end or len(data)]
        if not len(part):
            raise PatchError(f"the file ends after {len(data) / config.rate:g} s", place="settings.learn_start_s")
        return profiles.encoded(profiles.learned(part, config.rate, _size(config)))

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[Any]]:
        """The noise as the power of each line of a window, zero where nothing is known; and room for windows."""
        size, lanes = _size(config), config.channels("in")
        lines, window = size // 2 + 1, hann(size)
        state = cls.learned(config, services) or config.state
        noise = np.zeros(lines)
        if state is not None:
            density = profiles.decoded(state).density_at(np.linspace(0.0, 0.5 * config.rate, lines))
            noise = density * 0.5 * config.rate * np.sum(window**2)
        return {
            "line": np.zeros((2 * size, lanes), np.float32),
            "laid": np.zeros((2 * size, lanes)),
            "window": window,
            **tables(size),
            "work": np.zeros((2, size)),
            "kept": np.zeros((lanes + (lanes & 1), size)),
            "noise": noise,
            **{name: np.zeros(lines) for name in ("power", "prior", "wiener", "gains")},
        }

    @kernel
    def process(
        signal,
        out,
        reduction,
        sensitivity,
        smoothing,
        listen,
        gain_reduction,
        line,
        laid,
        window,
        roots,
        swapped,
        work,
        kept,
        noise,
        power,
        prior,
        wiener,
        gains,
        counter,
        n,
    ):
        size, mask, lanes = window.shape[0], line.shape[0] - 1, out.lanes
        for start in range(0, n, TICK):
            frames = counter[0]
            for i in range(TICK):
                for lane in range(lanes):
                    line[(frames + i) & mask, lane] = clean(signal[start + i, lane])
            frames += TICK
            counter[0] = frames
            if frames % (size >> 2) == 0:
                last = start + TICK - 1
                for k in range(power.shape[0]):
                    power[k] = 0.0
                for pair in range((lanes + 1) // 2):
                    load(line, frames - size, 2 * pair, min(2 * pair + 1, lanes - 1), window, swapped, work)
                    transform(work, roots)
                    add_power(work, kept, pair, power)
                scale = exp2(LOG2_OF_10_OVER_10 * sensitivity[last, 0])
                keep, floor = float(smoothing[last, 0]), float(reduction[last, 0])
                weigh(power, noise, prior, wiener, gains, lanes, scale, keep, floor)
                came, left = 1e-30, 1e-30
                for k in range(power.shape[0]):
                    came += power[k]
                    left += gains[k] * gains[k] * power[k]
                gain_reduction[0] = 0.5 * db_of(came / left)
                for pair in range((lanes + 1) // 2):
                    one, other = 2 * pair, min(2 * pair + 1, lanes - 1)
                    lay(kept, pair, one, other, gains, window, roots, swapped, work, laid, frames - size)
            for i in range(TICK):
                at = (frames - size + i) & mask
                removed = 1.0 * listen[start + i, 0]
                for lane in range(lanes):
                    y = laid[at, lane]
                    out[start + i, lane] = fma(removed, line[at, lane] - 2.0 * y, y)
