"""Multiband compressor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Level,
    Memory,
    Node,
    Param,
    ParamBank,
    Params,
    Reading,
    Scratch,
    Services,
    Setting,
    Settings,
    State,
    kernel,
)
from nodes.dsp.crossing import settling, slots, tick_into_bands
from nodes.dsp.dynamics import DB_PER_LOG2, LOG2_PER_DB, exp2_32, follow, reduction, remainder, slide_max
from nodes.dsp.exponentials import exp2
from nodes.dsp.gating import PEAK_S, window_frames
from nodes.dsp.machine import f32, fma

CUTS_HZ = {2: (1000.0,), 3: (200.0, 3000.0), 4: (120.0, 800.0, 5000.0)}


def each(make: Callable[[str, str], Param]) -> ParamBank:
    """One param for each band, from its prefix and its name in words."""
    return Params(lambda settings: tuple(make(f"b{k + 1}", f"band {k + 1}") for k in range(settings["bands"])))


def _cuts(settings: Settings) -> tuple[Param, ...]:
    return tuple(
        Param(f"f{k + 1}_hz", hz, 20.0, 20000.0, "Hz", "log", f"Where band {k + 2} begins.", "tick")
        for k, hz in enumerate(CUTS_HZ[settings["bands"]])
    )


class MultibandCompressor(Node):
    """Compress a signal band by band.

    It is split as a crossover does (Linkwitz-Riley, 24 dB per octave), so that with nothing to do only the phase
    changes. Each band has a compressor of its own: the peak of the last 5 ms in the loudest channel, bent by threshold,
    ratio and knee (Giannoulis, Massberg, Reiss: "Digital Dynamic Range Compressor Design", JAES 60(6), 2012), then
    smoothed in decibels, attack and release being the times to 63.2 %. Frequencies are meant to rise from cut to cut.
    """

    kind = "multiband_compressor"
    family = "dynamics"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    bands = Setting("bands", 3, "integer", "How many bands there are.", low=2, high=4)
    freqs = Params(_cuts)
    threshold = each(lambda b, name: Param(f"{b}_threshold_db", -24.0, -80.0, 0.0, "dB", doc=f"Threshold of {name}."))
    ratio = each(
        lambda b, name: Param(f"{b}_ratio", 3.0, 1.0, 100.0, doc=f"Decibels above it that become one in {name}.")
    )
    attack = each(
        lambda b, name: Param(
            f"{b}_attack_ms", 10.0, 0.0, 500.0, "ms", rate="tick", doc=f"Time to 63.2 % of a fall in gain of {name}."
        )
    )
    release = each(
        lambda b, name: Param(
            f"{b}_release_ms", 50.0, 1.0, 5000.0, "ms", rate="tick", doc=f"Time to 63.2 % of a rise in gain of {name}."
        )
    )
    gain = each(lambda b, name: Level(f"{b}_level_db", 0.0, doc=f"Level of {name} after compression."))
    knee = Param("knee_db", 6.0, 0.0, 24.0, "dB", doc="Width of the bend of the curves around their thresholds.")
    mix = Param("mix", 1.0, doc="Share of the compressed bands; the rest is their sum as it was.")
    gain_reduction = Reading("dB", "How far the gain of each band is down now.", lambda c: (c.settings["bands"],))

    seen = State(lambda config: (config.settings["bands"] - 1,))
    w = State(lambda config: (slots(config.settings["bands"]), 2, LANES))
    low = Scratch((TICK, LANES))
    high = Scratch((TICK, LANES))
    band = Scratch(lambda config: (config.settings["bands"], TICK, LANES))
    kept = Scratch(lambda config: (config.settings["bands"], TICK, LANES))
    level = Scratch(lambda config: (TICK, config.settings["bands"]), "f4")
    curve = Scratch(lambda config: (1, 4, config.settings["bands"]), "f4")
    speed = Scratch(lambda config: (4, config.settings["bands"]))
    state = State(lambda config: (config.settings["bands"],))
    ring = Memory(2, "f8")
    places = Memory(1, "i8")

    @classmethod
    def tail(cls, config: Config) -> float:
        params = _cuts(config.settings)
        return settling((p.low if p.name in config.driven else config.params[p.name] for p in params), config.rate)

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The windows of the detectors."""
        ring = np.zeros((window_frames(PEAK_S, config.rate) + 1, config.settings["bands"]))
        return {"ring": ring, "places": np.zeros(1, np.int64)}

    @kernel
    def process(
        signal,
        out,
        freqs,
        threshold,
        ratio,
        attack,
        release,
        gain,
        knee,
        mix,
        gain_reduction,
        seen,
        w,
        low,
        high,
        band,
        kept,
        level,
        curve,
        speed,
        state,
        ring,
        places,
        rate,
        n,
    ):
        lanes, bands = out.lanes, level.shape[1]
        for start in range(0, n, TICK):
            tick_into_bands(kept, band, low, high, signal, start, lanes, freqs, seen, w, rate)
            for b in range(bands):
                for i in range(TICK):
                    top = 0.0
                    for lane in range(lanes):
                        top = max(top, abs(kept[b, i, lane]))
                    level[i, b] = top
            slide_max(level, bands, ring, places, 0)
            for i in range(TICK):
                width = LOG2_PER_DB * knee[start + i, 0]
                for b in range(bands):
                    slope = 1.0 - 1.0 / ratio[start + i, b, 0]
                    curve[0, 1, b], curve[0, 2, b] = slope, 0.5 * width
                    curve[0, 3, b] = 0.5 * slope / max(width, 1e-9)
                    over = level[i, b] * exp2(-LOG2_PER_DB * threshold[start + i, b, 0])
                    level[i, b] = reduction(f32(over), curve, 0, b)
            at = start
            while at < start + TICK:
                end = min(start + TICK, attack.until(at), release.until(at))
                for b in range(bands):
                    rising = remainder(float(attack[at, b, 0]), rate)
                    falling = remainder(float(release[at, b, 0]), rate)
                    speed[0, b], speed[1, b] = rising, 1.0 - rising
                    speed[2, b], speed[3, b] = falling, 1.0 - falling
                follow(level, state, bands, at - start, end - start, speed)
                at = end
            for i in range(TICK):
                share = 1.0 * mix[start + i, 0]
                for lane in range(lanes):
                    high[i, lane] = 0.0
                for b in range(bands):
                    factor = fma(share, exp2_32(f32(-level[i, b])) * gain[start + i, b, 0] - 1.0, 1.0)
                    for lane in range(lanes):
                        high[i, lane] = fma(factor, kept[b, i, lane], high[i, lane])
                for lane in range(lanes):
                    out[start + i, lane] = high[i, lane]
        for b in range(bands):
            gain_reduction[b] = f32(DB_PER_LOG2) * level[TICK - 1, b]
