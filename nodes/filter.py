"""Filter."""

from __future__ import annotations

from graph.spec import (
    GROUPS,
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Node,
    Param,
    Scratch,
    State,
    helper,
    kernel,
)
from nodes.dsp.biquad import TYPES, Curve, cascade, decibels, follow, ringing, settle, transfer

NEVER = 1 << 60
"""A frame that no call reaches; params that do not move hold until beyond it."""


@helper
def next_to_settle(g, freq, q, gain_db, seen):
    """The first of the nodes from ``g`` on whose params changed; their number, if there is none."""
    while g < freq.groups:
        lane = g * freq.channels
        if seen[0, 0, g] != freq[0, lane] or seen[0, 1, g] != q[0, lane] or seen[0, 2, g] != gain_db[0, lane]:
            return g
        g += 1
    return g


@helper
def settled(type, freq, q, gain_db, seen, form, w, c, rate):
    """The coefficients of every lane, while nothing moves."""
    g = next_to_settle(0, freq, q, gain_db, seen)
    while g < freq.groups:
        lane = g * freq.channels
        f, width, db = float(freq[0, lane]), float(q[0, lane]), float(gain_db[0, lane])
        settle(0, g, freq.channels, type, f, width, db, seen, form, w, rate)
        g = next_to_settle(g + 1, freq, q, gain_db, seen)
    for lane in range(freq.lanes):
        for row in range(5):
            c[0, row, lane] = form[0, row, lane // freq.channels]


@helper
def moved(type, tick, signal, out, freq, q, gain_db, seen, form, w, tick_of, rate):
    """A tick of a filter that moves, in stretches over which its params hold."""
    at = tick
    while at < tick + TICK:
        end = min(tick + TICK, freq.until(at), q.until(at), gain_db.until(at))
        for i in range(at, end):
            for lane in range(out.lanes):
                tick_of[i - at, lane] = signal[i, lane]
        f, width, db = float(freq[at, 0]), float(q[at, 0]), float(gain_db[at, 0])
        follow(0, end - at, type, f, width, db, seen, form, w, tick_of, rate)
        for i in range(at, end):
            for lane in range(out.lanes):
                out[i, lane] = tick_of[i - at, lane]
        at = end


class Filter(Node):
    """A second-order filter: lowpass, highpass, bandpass, notch, allpass, peak or shelf."""

    kind = "filter"
    family = "tone"
    bypassable = True
    wide = True

    signal = AudioIn("in")
    out = AudioOut("out")
    type = ChoiceSetting("type", TYPES, doc="What it does to the spectrum.")
    freq = Param("freq_hz", 1000.0, 10.0, 24000.0, "Hz", "log", "Cutoff or centre frequency.", rate="tick")
    q = Param("q", 0.7071, 0.05, 50.0, "", "log", "Resonance; higher is narrower.", rate="tick")
    gain_db = Param("gain_db", 0.0, -40.0, 40.0, "dB", doc="Boost or cut of a peak or shelf.", rate="tick")

    number = Scratch(lambda config: (1 + TYPES.index(config.settings["type"]),), "i8")
    """As long as its type's number from one: so the kernel is compiled for the type."""
    seen = State((1, 5, GROUPS))
    form = State((1, 5, GROUPS))
    w = State((1, 3, LANES))
    c = Scratch((1, 5, LANES))
    v = Scratch((1, LANES))
    tick_of = Scratch((TICK, LANES))

    @kernel
    def process(signal, out, freq, q, gain_db, number, seen, form, w, c, v, tick_of, rate, n):
        type = number.shape[0] - 1
        moving = min(freq.until(0), q.until(0), gain_db.until(0)) < NEVER
        if not moving:
            settled(type, freq, q, gain_db, seen, form, w, c, rate)
        for tick in range(0, n, TICK):
            if moving:
                moved(type, tick, signal, out, freq, q, gain_db, seen, form, w, tick_of, rate)
            else:
                cascade(tick, tick + TICK, signal, out, c, w, v)
            for lane in range(out.lanes):
                if not abs(w[0, 0, lane]) < 1e300:  # what is not a number ends with its tick
                    w[0, 0, lane] = w[0, 2, lane] = 0.0

    @classmethod
    def tail(cls, config: Config) -> float:
        freqs, qs, gains_db = (
            (param.low, param.high) if param.name in config.driven else (config.params[param.name],)
            for param in (cls.freq, cls.q, cls.gain_db)
        )
        return ringing([TYPES.index(config.settings["type"])], freqs, qs, gains_db, config.rate)

    @classmethod
    def response(cls, config: Config, freqs: Curve) -> Curve:
        type, p = TYPES.index(config.settings["type"]), config.params
        return decibels(transfer(type, p["freq_hz"], p["q"], p["gain_db"], config.rate, freqs))
