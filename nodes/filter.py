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
from nodes.dsp.biquad import (
    TYPES,
    Curve,
    decibels,
    delays,
    design,
    direct,
    flows,
    integrators,
    movement,
    ringing,
    transfer,
)
from nodes.dsp.machine import fma

NEVER = 1 << 60
"""A frame that no call reaches; params that do not move hold until beyond it."""


@helper
def next_to_design(g, i, freq, q, gain_db, seen):
    """The first of the nodes from ``g`` on whose params changed; their number, if there is none."""
    while g < freq.groups:
        lane = g * freq.channels
        if seen[0, g] != freq[i, lane] or seen[1, g] != q[i, lane] or seen[2, g] != gain_db[i, lane]:
            return g
        g += 1
    return g


@helper
def redesign(type, freq, q, gain_db, seen, form, w1, w2, rate):
    """Bring the direct forms to what the params say now."""
    g = next_to_design(0, 0, freq, q, gain_db, seen)
    while g < freq.groups:
        first = g * freq.channels
        f, w, db = float(freq[0, first]), float(q[0, first]), float(gain_db[0, first])
        now = design(type, f, w, db, rate)
        if seen[0, g] > 0.0:
            before = design(type, seen[0, g], seen[1, g], seen[2, g], rate)
            for lane in range(first, first + freq.channels):
                s1, s2 = integrators(before[0], before[1], w1[lane], w2[lane])
                w1[lane], w2[lane] = delays(now[0], now[1], s1, s2)
        seen[0, g], seen[1, g], seen[2, g] = f, w, db
        form[0, g], form[1, g], form[2, g], form[3, g], form[4, g] = direct(*now)
        g = next_to_design(g + 1, 0, freq, q, gain_db, seen)


@helper
def rest(tick, signal, out, c, w1, w2):
    """A tick of direct forms."""
    for i in range(tick, tick + TICK):
        for lane in range(out.lanes):
            x, first, second = float(signal[i, lane]), w1[lane], w2[lane]
            out[i, lane] = fma(c[0, lane], x, fma(c[1, lane], first, c[2, lane] * second))
            w1[lane] = fma(c[3, lane], first, fma(c[4, lane], second, x))
            w2[lane] = first


@helper
def move(type, at, end, signal, out, freq, q, gain_db, seen, form, w1, w2, s1, s2, rate):
    """A stretch of a filter that moves. Over a whole tick it glides; a step is a step."""
    f, w, db = float(freq[at, 0]), float(q[at, 0]), float(gain_db[at, 0])
    if seen[0, 0] == 0.0:
        seen[0, 0], seen[1, 0], seen[2, 0] = f, w, db
    moved = movement(f, seen[0, 0], w, seen[1, 0], db, seen[2, 0])
    g, k, m0, m1, m2 = design(type, seen[0, 0], seen[1, 0], seen[2, 0], rate)
    for lane in range(out.lanes):
        s1[lane], s2[lane] = integrators(g, k, w1[lane], w2[lane])
    h, l, n0, n1, n2 = design(type, f, w, db, rate)
    dg, dk, d0, d1, d2 = 0.0, 0.0, 0.0, 0.0, 0.0
    if end - at == TICK and flows(moved, seen[3, 0]):
        dg, dk = (h - g) * (1.0 / TICK), (l - k) * (1.0 / TICK)
        d0, d1, d2 = (n0 - m0) * (1.0 / TICK), (n1 - m1) * (1.0 / TICK), (n2 - m2) * (1.0 / TICK)
    else:
        g, k, m0, m1, m2 = h, l, n0, n1, n2
    seen[0, 0], seen[1, 0], seen[2, 0], seen[3, 0] = f, w, db, moved
    for i in range(at, end):
        g, k, m0, m1, m2 = g + dg, k + dk, m0 + d0, m1 + d1, m2 + d2
        c1 = 1.0 / fma(g, g + k, 1.0)
        c2 = g * c1
        c3 = g * c2
        for lane in range(out.lanes):
            x = float(signal[i, lane])
            rise = x - s2[lane]
            v1 = fma(c2, rise, c1 * s1[lane])
            v2 = fma(c3, rise, fma(c2, s1[lane], s2[lane]))
            s1[lane] = fma(2.0, v1, -s1[lane])
            s2[lane] = fma(2.0, v2, -s2[lane])
            out[i, lane] = fma(m0, x, fma(m1, v1, m2 * v2))
    for lane in range(out.lanes):
        w1[lane], w2[lane] = delays(h, l, s1[lane], s2[lane])
    form[0, 0], form[1, 0], form[2, 0], form[3, 0], form[4, 0] = direct(h, l, n0, n1, n2)


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
    seen = State((4, GROUPS))
    form = State((5, GROUPS))
    w1 = State((LANES,))
    w2 = State((LANES,))
    c = Scratch((5, LANES))
    s1 = Scratch((LANES,))
    s2 = Scratch((LANES,))

    @kernel
    def process(signal, out, freq, q, gain_db, number, seen, form, w1, w2, c, s1, s2, rate, n):
        type = number.shape[0] - 1
        moving = min(freq.until(0), q.until(0), gain_db.until(0)) < NEVER
        if not moving:
            redesign(type, freq, q, gain_db, seen, form, w1, w2, rate)
            for lane in range(out.lanes):
                for row in range(5):
                    c[row, lane] = form[row, lane // out.channels]
        for tick in range(0, n, TICK):
            if moving:
                at = tick
                while at < tick + TICK:
                    end = min(tick + TICK, freq.until(at), q.until(at), gain_db.until(at))
                    move(type, at, end, signal, out, freq, q, gain_db, seen, form, w1, w2, s1, s2, rate)
                    at = end
            else:
                rest(tick, signal, out, c, w1, w2)
            for lane in range(out.lanes):
                if not abs(w1[lane]) < 1e300:  # what is not a number ends with its tick
                    w1[lane] = w2[lane] = 0.0

    @classmethod
    def tail(cls, config: Config) -> float:
        type, p = TYPES.index(config.settings["type"]), config.params
        freq = 10.0 if "freq_hz" in config.driven else p["freq_hz"]
        q = 50.0 if "q" in config.driven else p["q"]
        return ringing(type, freq, q, 40.0 if "gain_db" in config.driven else p["gain_db"], config.rate)

    @classmethod
    def response(cls, config: Config, freqs: Curve) -> Curve:
        type, p = TYPES.index(config.settings["type"]), config.params
        return decibels(transfer(type, p["freq_hz"], p["q"], p["gain_db"], config.rate, freqs))
