"""Equaliser."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graph.spec import (
    GROUPS,
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Choice,
    Config,
    Node,
    Param,
    ParamBank,
    Params,
    Scratch,
    State,
    Switch,
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

BANDS = 8
PEAK = TYPES.index("peak")
NEVER = 1 << 60
"""A frame that no call reaches; params that do not move hold until beyond it."""


def active(config: Config) -> list[int]:
    """The bands that cost anything: those that are on, and those that may come on while it plays."""
    names = [f"b{k + 1}_on" for k in range(BANDS)]
    return [k for k, name in enumerate(names) if config.params[name] > 0.0 or name in config.driven]


def driven(config: Config) -> int:
    """The bands that may come on while it plays, as bits."""
    return sum(1 << k for k in range(BANDS) if f"b{k + 1}_on" in config.driven)


@helper
def hears(k, g, on, always):
    """Whether a band of a node is to be heard."""
    return on[0, k, g * on.channels] > 0.0 or always >> k & 1 != 0


@helper
def next_to_arrange(g, on, always, pattern):
    """The first of the nodes from ``g`` on whose bands changed; their number, if there is none."""
    while g < on.groups:
        for k in range(BANDS):
            if hears(k, g, on, always) != (pattern[g] >> k & 1 != 0):
                return g
        g += 1
    return g


@helper
def arrange(on, always, pattern, band, seen, z, spare):
    """Give the bands that are on their places in the cascade, in order, and take along what they hold.

    Places that are left over get no band (``BANDS``), and bands that are left over no place.
    """
    g = next_to_arrange(0, on, always, pattern)
    while g < on.groups:
        first = g * on.channels
        for k in range(BANDS + 1):
            for lane in range(on.channels):
                spare[k, 0, lane] = spare[k, 1, lane] = 0.0
        place = 0
        while place < BANDS and band[place, g] < BANDS:
            for lane in range(on.channels):
                spare[band[place, g], 0, lane] = z[place, 0, first + lane]
                spare[band[place, g], 1, lane] = z[place, 1, first + lane]
            place += 1
        pattern[g] = 0
        k = -1
        for place in range(BANDS):
            k += 1
            while k < BANDS and not hears(k, g, on, always):
                k += 1
            k = min(k, BANDS)
            band[place, g] = k if place < seen.shape[0] else BANDS
            pattern[g] |= 1 << k
            for lane in range(on.channels):
                z[place, 0, first + lane] = spare[band[place, g], 0, lane]
                z[place, 1, first + lane] = spare[band[place, g], 1, lane]
        for place in range(seen.shape[0]):
            seen[place, 0, g] = 0.0
        g = next_to_arrange(g + 1, on, always, pattern)


@helper
def next_to_design(at, on, type, freq, gain_db, q, band, seen):
    """The first place from ``at`` on, node by node, whose band's params changed."""
    count = seen.shape[0]
    while at < count * freq.groups:
        g, place = at // count, at % count
        k, lane = min(band[place, g], BANDS - 1), g * freq.channels
        same = seen[place, 0, g] == freq[0, k, lane] and seen[place, 1, g] == q[0, k, lane]
        same = same and seen[place, 2, g] == gain_db[0, k, lane] and seen[place, 3, g] == type[0, k, lane]
        if not (same and seen[place, 4, g] == on[0, k, lane]):
            return at
        at += 1
    return at


@helper
def redesign(on, type, freq, gain_db, q, band, seen, form, z, rate):
    """Bring the direct forms to what the params say now. A band that is partly on is mixed with what it gets."""
    count = seen.shape[0]
    at = next_to_design(0, on, type, freq, gain_db, q, band, seen)
    while at < count * freq.groups:
        g, place = at // count, at % count
        first = g * freq.channels
        k = min(band[place, g], BANDS - 1)
        f, w, db = float(freq[0, k, first]), float(q[0, k, first]), float(gain_db[0, k, first])
        kind, weight = float(type[0, k, first]), float(on[0, k, first])
        now = design(int(kind + 0.5), f, w, db, rate)
        if seen[place, 0, g] > 0.0:
            before = design(int(seen[place, 3, g] + 0.5), seen[place, 0, g], seen[place, 1, g], seen[place, 2, g], rate)
            for lane in range(first, first + freq.channels):
                s1, s2 = integrators(before[0], before[1], z[place, 0, lane], z[place, 1, lane])
                z[place, 0, lane], z[place, 1, lane] = delays(now[0], now[1], s1, s2)
        seen[place, 0, g], seen[place, 1, g], seen[place, 2, g] = f, w, db
        seen[place, 3, g], seen[place, 4, g] = kind, weight
        share = weight if band[place, g] < BANDS else 0.0
        b0, c1, c2, back1, back2 = direct(*now)
        form[place, 0, g], form[place, 1, g] = fma(share, b0 - 1.0, 1.0) if share < 1.0 else b0, share * c1
        form[place, 2, g], form[place, 3, g], form[place, 4, g] = share * c2, back1, back2
        at = next_to_design(at + 1, on, type, freq, gain_db, q, band, seen)


@helper
def rest(tick, signal, out, c, s, last):
    """A tick of direct forms, all bands of a frame at once."""
    for i in range(tick, tick + TICK):
        for lane in range(out.lanes):
            x = float(signal[i, lane])
            for k in range(c.shape[0]):
                w1, w2 = s[k, 0, lane], s[k, 2, lane]
                s[k, 0, lane] = fma(c[k, 3, lane], w1, fma(c[k, 4, lane], w2, x))
                s[k, 2, lane] = w1
                x = fma(c[k, 0, lane], x, fma(c[k, 1, lane], w1, c[k, 2, lane] * w2))
            last[lane] = x
            out[i, lane] = x


@helper
def turn(place, at, whole, type, freq, gain_db, q, band, seen, now, pace, z, s, rate):
    """Make a band that moves ready for a stretch: over a whole tick it glides, a step is a step."""
    k = min(band[place, 0], BANDS - 1)
    f, w, db, kind = float(freq[at, k, 0]), float(q[at, k, 0]), float(gain_db[at, k, 0]), float(type[at, k, 0])
    if seen[place, 0, 0] == 0.0:
        seen[place, 0, 0], seen[place, 1, 0], seen[place, 2, 0], seen[place, 3, 0] = f, w, db, kind
    moved = movement(f, seen[place, 0, 0], w, seen[place, 1, 0], db, seen[place, 2, 0])
    before = design(int(seen[place, 3, 0] + 0.5), seen[place, 0, 0], seen[place, 1, 0], seen[place, 2, 0], rate)
    after = design(int(kind + 0.5), f, w, db, rate)
    for lane in range(z.shape[2]):
        s[place, 0, lane], s[place, 2, lane] = integrators(before[0], before[1], z[place, 0, lane], z[place, 1, lane])
    now[place, 0], now[place, 1], now[place, 2], now[place, 3], now[place, 4] = after
    pace[place, 0] = pace[place, 1] = pace[place, 2] = pace[place, 3] = pace[place, 4] = 0.0
    if whole and flows(moved, seen[place, 5, 0]):
        pace[place, 0], pace[place, 1] = (after[0] - before[0]) * (1.0 / TICK), (after[1] - before[1]) * (1.0 / TICK)
        pace[place, 2], pace[place, 3] = (after[2] - before[2]) * (1.0 / TICK), (after[3] - before[3]) * (1.0 / TICK)
        pace[place, 4] = (after[4] - before[4]) * (1.0 / TICK)
        now[place, 0], now[place, 1], now[place, 2], now[place, 3], now[place, 4] = before
    seen[place, 0, 0], seen[place, 1, 0], seen[place, 2, 0] = f, w, db
    seen[place, 3, 0], seen[place, 4, 0], seen[place, 5, 0] = kind, -1.0, moved


@helper
def move(at, end, signal, out, on, type, freq, gain_db, q, band, seen, now, pace, z, s, last, rate):
    """A stretch of bands that move, on their integrators."""
    count = seen.shape[0]
    for place in range(count):
        turn(place, at, end - at == TICK, type, freq, gain_db, q, band, seen, now, pace, z, s, rate)
    for i in range(at, end):
        for lane in range(out.lanes):
            last[lane] = signal[i, lane]
        for place in range(count):
            for row in range(5):
                now[place, row] += pace[place, row]
            g = now[place, 0]
            c1 = 1.0 / fma(g, g + now[place, 1], 1.0)
            c2 = g * c1
            c3 = g * c2
            weight = on[i, min(band[place, 0], BANDS - 1), 0]
            for lane in range(out.lanes):
                x, s1, s2 = last[lane], s[place, 0, lane], s[place, 2, lane]
                v1 = fma(c2, x - s2, c1 * s1)
                v2 = fma(c3, x - s2, fma(c2, s1, s2))
                s[place, 0, lane] = fma(2.0, v1, -s1)
                s[place, 2, lane] = fma(2.0, v2, -s2)
                wet = fma(now[place, 2], x, fma(now[place, 3], v1, now[place, 4] * v2))
                last[lane] = fma(weight, wet - x, x)
        for lane in range(out.lanes):
            out[i, lane] = last[lane]
    for place in range(count):
        g, k = now[place, 0], now[place, 1]
        for lane in range(out.lanes):
            z[place, 0, lane], z[place, 1, lane] = delays(g, k, s[place, 0, lane], s[place, 2, lane])


def bank(make: Callable[[str], Param]) -> ParamBank:
    """One param for each band."""
    return Params(tuple(make(f"b{k + 1}") for k in range(BANDS)))


def _designs(config: Config, slowest: bool = False) -> list[tuple[int, float, float, float]]:
    """Type, frequency, Q and gain of each active band; with ``slowest``, where it moves, what rings longest."""
    found: list[tuple[int, float, float, float]] = []
    for k in active(config):
        name = f"b{k + 1}"
        moves = slowest and any(f"{name}_{what}" in config.driven for what in ("type", "freq_hz", "gain_db", "q"))
        type, gain_db = round(config.params[f"{name}_type"]), config.params[f"{name}_gain_db"]
        freq, q = (10.0, 50.0) if moves else (config.params[f"{name}_freq_hz"], config.params[f"{name}_q"])
        found.append((type, freq, q, gain_db))
    return found


class Eq(Node):
    """Up to eight bands of equalising, each a lowpass, highpass, bandpass, notch, allpass, peak or shelf."""

    kind = "eq"
    family = "tone"
    bypassable = True
    wide = True

    signal = AudioIn("in")
    out = AudioOut("out")
    on = bank(lambda b: Switch(f"{b}_on", doc="Whether the band is heard."))
    type = bank(lambda b: Choice(f"{b}_type", TYPES, PEAK, doc="What the band does to the spectrum."))
    freq = bank(lambda b: Param(f"{b}_freq_hz", 1000.0, 10.0, 24000.0, "Hz", "log", "Its frequency.", rate="tick"))
    gain_db = bank(lambda b: Param(f"{b}_gain_db", 0.0, -40.0, 40.0, "dB", doc="Its boost or cut.", rate="tick"))
    q = bank(lambda b: Param(f"{b}_q", 0.7071, 0.05, 50.0, "", "log", "Its resonance.", rate="tick"))

    always = Scratch(lambda config: (1 + driven(config),), "i8")
    """As long as its bits from one: so the kernel knows what may come on."""
    pattern = State((GROUPS,), "i8")
    band = State((BANDS, GROUPS), "i8", BANDS)
    seen = State(lambda config: (len(active(config)), 6, GROUPS))
    form = State(lambda config: (len(active(config)), 5, GROUPS))
    z = State((BANDS, 2, LANES))
    spare = Scratch((BANDS + 1, 2, LANES))
    c = Scratch(lambda config: (len(active(config)), 5, LANES))
    s = Scratch(lambda config: (len(active(config)), 4, LANES))
    """What the bands at work hold, in rows 0 and 2: numbers that lie side by side where there is but one lane would
    tempt the compiler to work on them as pairs, and shuffling them costs more than it gains.
    """
    last = Scratch((LANES,))
    now = Scratch(lambda config: (len(active(config)), 5))
    pace = Scratch(lambda config: (len(active(config)), 5))

    @kernel
    def process(
        signal,
        out,
        on,
        type,
        freq,
        gain_db,
        q,
        always,
        pattern,
        band,
        seen,
        form,
        z,
        spare,
        c,
        s,
        last,
        now,
        pace,
        rate,
        n,
    ):
        count = seen.shape[0]
        moving = min(on.until(0), type.until(0), freq.until(0), gain_db.until(0), q.until(0)) < NEVER
        arrange(on, always.shape[0] - 1, pattern, band, seen, z, spare)
        if not moving:
            redesign(on, type, freq, gain_db, q, band, seen, form, z, rate)
            for k in range(count):
                for lane in range(out.lanes):
                    for row in range(5):
                        c[k, row, lane] = form[k, row, lane // out.channels]
                    s[k, 0, lane], s[k, 2, lane] = z[k, 0, lane], z[k, 1, lane]
        for tick in range(0, n, TICK):
            if moving:
                at = tick
                while at < tick + TICK:
                    end = min(type.until(at), freq.until(at), gain_db.until(at), q.until(at), tick + TICK)
                    move(at, end, signal, out, on, type, freq, gain_db, q, band, seen, now, pace, z, s, last, rate)
                    at = end
            else:
                rest(tick, signal, out, c, s, last)
            for lane in range(out.lanes):
                if not abs(last[lane]) < 1e300:  # what is not a number ends with its tick
                    for k in range(count):
                        s[k, 0, lane] = s[k, 2, lane] = z[k, 0, lane] = z[k, 1, lane] = 0.0
        if not moving:
            for k in range(count):
                for lane in range(out.lanes):
                    z[k, 0, lane], z[k, 1, lane] = s[k, 0, lane], s[k, 2, lane]

    @classmethod
    def tail(cls, config: Config) -> float:
        return sum(ringing(*design, config.rate) for design in _designs(config, slowest=True))

    @classmethod
    def response(cls, config: Config, freqs: Curve) -> Curve:
        total = np.ones(len(freqs), np.complex128)
        for k, curve in zip(active(config), _designs(config), strict=True):
            total *= 1.0 + config.params[f"b{k + 1}_on"] * (transfer(*curve, config.rate, freqs) - 1.0)
        return decibels(total)
