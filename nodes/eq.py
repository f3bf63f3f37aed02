"""Equaliser."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from graph.spec import (
    GROUPS,
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Choice,
    Config,
    Memory,
    Node,
    Param,
    ParamBank,
    Params,
    Scratch,
    Services,
    State,
    Switch,
    helper,
    kernel,
)
from nodes.dsp.biquad import TYPES, Curve, cascade, decibels, follow, ringing, settle, transfer
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
def hears(k, g, tick, on, always):
    """Whether a band of a node is heard in a tick; while it is being switched, its share starts or ends at zero."""
    lane = g * on.channels
    return on[tick, k, lane] > 0.0 or on[tick + TICK - 1, k, lane] > 0.0 or always >> k & 1 != 0


@helper
def next_to_arrange(g, tick, on, always, pattern):
    """The first of the nodes from ``g`` on whose bands changed; their number, if there is none."""
    while g < on.groups:
        for k in range(BANDS):
            if hears(k, g, tick, on, always) != (pattern[g] >> k & 1 != 0):
                return g
        g += 1
    return g


@helper
def arrange(tick, on, always, pattern, band, seen, w, spare):
    """Give the bands that are on their places in the cascade, in order, and take along what they hold.

    Places that are left over get no band (``BANDS``), and bands that are left over no place.
    """
    g = next_to_arrange(0, tick, on, always, pattern)
    while g < on.groups:
        first = g * on.channels
        for k in range(BANDS + 1):
            for lane in range(on.channels):
                spare[k, 0, lane] = spare[k, 1, lane] = 0.0
        place = 0
        while place < BANDS and band[place, g] < BANDS:
            for lane in range(on.channels):
                spare[band[place, g], 0, lane] = w[place, 0, first + lane]
                spare[band[place, g], 1, lane] = w[place, 2, first + lane]
            place += 1
        pattern[g] = 0
        k = -1
        for place in range(BANDS):
            k += 1
            while k < BANDS and not hears(k, g, tick, on, always):
                k += 1
            k = min(k, BANDS)
            band[place, g] = k if place < seen.shape[0] else BANDS
            pattern[g] |= 1 << k
            for lane in range(on.channels):
                w[place, 0, first + lane] = spare[band[place, g], 0, lane]
                w[place, 2, first + lane] = spare[band[place, g], 1, lane]
        for place in range(seen.shape[0]):
            seen[place, 0, g] = 0.0
        g = next_to_arrange(g + 1, tick, on, always, pattern)


@helper
def next_to_settle(at, on, type, freq, gain_db, q, band, seen):
    """The first place from ``at`` on, node by node, whose band's params changed."""
    count = seen.shape[0]
    while at < count * freq.groups:
        g, place = at // count, at % count
        k, lane = min(band[place, g], BANDS - 1), g * freq.channels
        same = seen[place, 0, g] == freq[0, k, lane] and seen[place, 1, g] == q[0, k, lane]
        same = same and seen[place, 2, g] == gain_db[0, k, lane] and seen[place, 3, g] == int(type[0, k, lane] + 0.5)
        if not (same and seen[place, 5, g] == on[0, k, lane]):
            return at
        at += 1
    return at


@helper
def settled(on, type, freq, gain_db, q, band, seen, form, w, c, rate):
    """The coefficients of every lane, while nothing moves. A band that is partly on is mixed with what it gets."""
    count = seen.shape[0]
    at = next_to_settle(0, on, type, freq, gain_db, q, band, seen)
    while at < count * freq.groups:
        g, place = at // count, at % count
        k, lane = min(band[place, g], BANDS - 1), g * freq.channels
        f, width, db = float(freq[0, k, lane]), float(q[0, k, lane]), float(gain_db[0, k, lane])
        settle(place, g, freq.channels, int(type[0, k, lane] + 0.5), f, width, db, seen, form, w, rate)
        seen[place, 5, g] = on[0, k, lane]
        at = next_to_settle(at + 1, on, type, freq, gain_db, q, band, seen)
    for k in range(count):
        for lane in range(freq.lanes):
            g = lane // freq.channels
            share = seen[k, 5, g]
            c[k, 0, lane] = form[k, 0, g] if share == 1.0 else fma(share, form[k, 0, g] - 1.0, 1.0)
            c[k, 1, lane], c[k, 2, lane] = share * form[k, 1, g], share * form[k, 2, g]
            c[k, 3, lane], c[k, 4, lane] = form[k, 3, g], form[k, 4, g]


@helper
def moved(tick, signal, out, on, type, freq, gain_db, q, band, seen, form, w, dry, wet, rate):
    """A tick of bands that move, one after the other, in stretches over which their params hold; what switches them
    may move from frame to frame.
    """
    at = tick
    while at < tick + TICK:
        end = min(tick + TICK, type.until(at), freq.until(at), gain_db.until(at), q.until(at))
        for i in range(end - at):
            for lane in range(out.lanes):
                dry[i, lane] = wet[i, lane] = signal[at + i, lane]
        for place in range(seen.shape[0]):
            k = min(band[place, 0], BANDS - 1)
            f, width, db = float(freq[at, k, 0]), float(q[at, k, 0]), float(gain_db[at, k, 0])
            follow(place, end - at, int(type[at, k, 0] + 0.5), f, width, db, seen, form, w, wet, rate)
            for i in range(end - at):
                share = on[at + i, k, 0]
                for lane in range(out.lanes):
                    if share != 1.0:
                        wet[i, lane] = fma(share, wet[i, lane] - dry[i, lane], dry[i, lane])
                    dry[i, lane] = wet[i, lane]
        for i in range(end - at):
            for lane in range(out.lanes):
                out[at + i, lane] = wet[i, lane]
        at = end


def bank(make: Callable[[str], Param]) -> ParamBank:
    """One param for each band."""
    return Params(tuple(make(f"b{k + 1}") for k in range(BANDS)))


class Eq(Node):
    """An equaliser of up to eight bands: lowpass, highpass, bandpass, notch, allpass, peak, shelves."""

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

    switched = Memory(1, "i8")
    """What may come on while it plays, where something may."""
    pattern = State((GROUPS,), "i8")
    band = State((BANDS, GROUPS), "i8", BANDS)
    seen = State(lambda config: (len(active(config)), 6, GROUPS))
    form = State(lambda config: (len(active(config)), 5, GROUPS))
    w = State((BANDS, 4, LANES))
    spare = Scratch((BANDS + 1, 2, LANES))
    c = Scratch(lambda config: (len(active(config)), 5, LANES))
    v = Scratch((4, LANES))
    dry = Scratch((TICK, LANES))
    wet = Scratch((TICK, LANES))

    @kernel
    def process(
        signal, out, on, type, freq, gain_db, q, switched, pattern, band, seen, form, w, spare, c, v, dry, wet, rate, n
    ):
        always = switched[0] if switched.shape[0] else 0
        moving = min(on.until(0), type.until(0), freq.until(0), gain_db.until(0), q.until(0)) < NEVER
        if not moving:
            arrange(0, on, always, pattern, band, seen, w, spare)
            settled(on, type, freq, gain_db, q, band, seen, form, w, c, rate)
        for tick in range(0, n, TICK):
            if moving:
                arrange(tick, on, always, pattern, band, seen, w, spare)
                moved(tick, signal, out, on, type, freq, gain_db, q, band, seen, form, w, dry, wet, rate)
            else:
                cascade(tick, tick + TICK, signal, out, c, w, v)
            for lane in range(out.lanes):
                for k in range(seen.shape[0]):
                    if not abs(w[k, 0, lane]) < 1e300:  # what is not a number ends with its tick
                        w[k, 0, lane] = w[k, 2, lane] = 0.0

    @classmethod
    def shape_key(cls, config: Config) -> object:
        return driven(config)

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        bits = driven(config)
        return {"switched": np.array([bits] if bits else [], np.int64)}

    @classmethod
    def tail(cls, config: Config) -> float:
        def ends(bank: ParamBank, k: int) -> tuple[float, ...]:
            param = bank.make({})[k]
            return (param.low, param.high) if param.name in config.driven else (config.params[param.name],)

        total = 0.0
        for k in active(config):
            types = [round(end) for end in ends(cls.type, k)]
            types = range(types[0], types[-1] + 1)
            total += ringing(types, ends(cls.freq, k), ends(cls.q, k), ends(cls.gain_db, k), config.rate)
        return total

    @classmethod
    def response(cls, config: Config, freqs: Curve) -> Curve:
        p, total = config.params, np.ones(len(freqs), np.complex128)
        for b in (f"b{k + 1}" for k in active(config)):
            type, freq, q, gain_db = round(p[f"{b}_type"]), p[f"{b}_freq_hz"], p[f"{b}_q"], p[f"{b}_gain_db"]
            total *= 1.0 + p[f"{b}_on"] * (transfer(type, freq, q, gain_db, config.rate, freqs) - 1.0)
        return decibels(total)
