"""Dehum."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from graph.spec import LANES, TICK, AudioIn, AudioOut, Config, Node, Param, Scratch, State, helper, kernel
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma, select

MOST = 32
HIGHEST = 0.45
"""Part of the sample rate above which a harmonic is left alone."""
Q = Param("q", 30.0, 5.0, 200.0, "", "log", "Fundamental over the width of each notch.", rate="tick")
FREQUENCY = Param("freq_hz", 50.0, 30.0, 120.0, "Hz", "log", "Fundamental: 50 or 60 for mains.", rate="tick")


@helper
def notch(x, w, k, lane, g, damping, share):
    """What a notch leaves of a sample: the input less a share of a bandpass."""
    e1 = 1.0 / fma(g, g + damping, 1.0)
    e2 = g * e1
    s1, s2 = w[k, 0, lane], w[k, 1, lane]
    v1 = fma(e2, x - s2, e1 * s1)
    v2 = fma(g, v1, s2)
    w[k, 0, lane], w[k, 1, lane] = fma(2.0, v1, -s1), fma(2.0, v2, -s2)
    return fma(-share * damping, v1, x)


class Dehum(Node):
    """Take mains hum out: a row of narrow notches at a frequency and its multiples.

    Each notch is 1 − (1 − d)·B, with B a bandpass of 0 dB peak and d what is to be left of the hum, and all are as wide
    as the first, freq/q (−3 dB, for a deep one): hum that wavers by some tenths of a hertz still falls in. Filters are
    state variable filters with trapezoidal integrators (Andrew Simper, https://cytomic.com/technical-papers). A
    harmonic that comes on starts empty, so that it fades in by itself; a fraction of one is a shallower notch.
    """

    kind = "dehum"
    family = "tone"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    freq = FREQUENCY
    harmonics = Param(
        "harmonics", 8.0, 1.0, float(MOST), doc="How many notches there are, counted from the fundamental."
    )
    q = Q
    left = Param("depth_db", -60.0, -96.0, 0.0, "dB", doc="What is left of the hum; -96 is nothing.", as_gain=True)
    seen = State((1,))
    w = State((MOST, 2, LANES))
    v = Scratch((TICK, LANES))

    @classmethod
    def tail(cls, config: Config) -> float:
        """A notch at the part w of the sample rate loses sin(2πw) / (2·k·q) of what it holds in a frame."""
        p = {param.name: (param.low, param.high) for param in (FREQUENCY, Q, cls.harmonics)}
        p = {name: ends if name in config.driven else (config.params[name],) * 2 for name, ends in p.items()}
        slowest = math.sin(2.0 * math.pi * HIGHEST) / MOST if "freq_hz" in config.driven else 1.0
        for freq in p["freq_hz"]:
            for k in range(1, math.ceil(p["harmonics"][1]) + 1):
                if k * freq < HIGHEST * config.rate:
                    slowest = min(slowest, math.sin(2.0 * math.pi * k * freq / config.rate) / k)
        return 2.0 * p["q"][1] / slowest * (math.log(1e7) + math.log(MOST) + 4.0) / config.rate

    @classmethod
    def response(cls, config: Config, freqs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        p = config.params
        left = 0.0 if p["depth_db"] <= -96.0 else 10.0 ** (p["depth_db"] / 20.0)
        z = np.exp(-2j * np.pi * np.minimum(freqs / config.rate, 0.5))
        s = (1.0 - z) / (1.0 + z + 1e-300)
        total = np.ones(len(freqs), np.complex128)
        for k in range(1, MOST + 1):
            share = (1.0 - left) * min(max(p["harmonics"] - k + 1.0, 0.0), 1.0)
            if share > 0.0 and k * p["freq_hz"] < HIGHEST * config.rate:
                g, damping = math.tan(math.pi * k * p["freq_hz"] / config.rate), 1.0 / (k * p["q"])
                total *= 1.0 - share * damping * g * s / (s * s + damping * g * s + g * g)
        return 20.0 * np.log10(np.maximum(np.abs(total), 1e-20))

    @kernel
    def process(signal, out, freq, harmonics, q, left, seen, w, v, rate, n):
        for start in range(0, n, TICK):
            for i in range(TICK):
                for lane in range(out.lanes):
                    v[i, lane] = clean(signal[start + i, lane])
            at = start
            while at < start + TICK:
                end = min(start + TICK, freq.until(at), q.until(at))
                fundamental, width = float(freq[at, 0]), float(q[at, 0])
                # What a filter holds is as large as its Q; so what it takes away goes on as it was.
                scale = width / seen[0] if seen[0] > 0.0 else 1.0
                seen[0] = width
                top = 0.0
                for i in range(at, end):
                    top = max(top, 1.0 * harmonics[i, 0])
                for k in range(MOST):
                    wanted = k < top and (k + 1) * fundamental < HIGHEST * rate
                    for lane in range(out.lanes):
                        a, b = scale * w[k, 0, lane], scale * w[k, 1, lane]
                        good = wanted and abs(a) + abs(b) < 1e300
                        w[k, 0, lane], w[k, 1, lane] = select(good, a, 0.0), select(good, b, 0.0)
                    if not wanted:
                        continue
                    g, damping = math.tan(math.pi * (k + 1) * fundamental / rate), 1.0 / ((k + 1) * width)
                    for i in range(at, end):
                        share = (1.0 - left[i, 0]) * min(max(harmonics[i, 0] - k, 0.0), 1.0)
                        for lane in range(out.lanes):
                            v[i - start, lane] = notch(v[i - start, lane], w, k, lane, g, damping, share)
                at = end
            for i in range(TICK):
                for lane in range(out.lanes):
                    out[start + i, lane] = v[i, lane]
