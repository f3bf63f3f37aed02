"""Crossover."""

from __future__ import annotations

from graph.spec import LANES, TICK, AudioIn, AudioOuts, Config, Node, Param, Params, Scratch, Setting, State, kernel
from nodes.dsp.crossing import forget_nonsense, into_bands, settling, slots

NAMES = {
    2: ("low", "high"),
    3: ("low", "mid", "high"),
    4: ("low", "low_mid", "high_mid", "high"),
}
DEFAULTS_HZ = (200.0, 2000.0, 8000.0)


class Crossover(Node):
    """Take a signal apart into bands whose sum is flat.

    Linkwitz-Riley, 24 dB per octave: at a cut both neighbours are 6 dB down and in phase. The sum of all bands has the
    magnitude of the input at every frequency; its phase is that of an allpass for each cut. Frequencies are meant to
    rise from cut to cut.
    """

    kind = "crossover"
    family = "tone"

    signal = AudioIn("in")
    outs = AudioOuts(lambda settings: NAMES[settings["bands"]], "auto", "One band, from the lowest to the highest.")
    bands = Setting("bands", 2, "integer", "How many bands there are.", low=2, high=4)
    freqs = Params(
        lambda settings: tuple(
            Param(f"f{k + 1}_hz", DEFAULTS_HZ[k], 20.0, 20000.0, "Hz", "log", f"Where band {k + 2} begins.", "tick")
            for k in range(settings["bands"] - 1)
        )
    )
    seen = State(lambda config: (config.settings["bands"] - 1,))
    w = State(lambda config: (slots(config.settings["bands"]), 2, LANES))
    low = Scratch((TICK, LANES))
    high = Scratch((TICK, LANES))
    band = Scratch(lambda config: (config.settings["bands"], TICK, LANES))

    @classmethod
    def tail(cls, config: Config) -> float:
        params = cls.params(config.settings)
        return settling((p.low if p.name in config.driven else config.params[p.name] for p in params), config.rate)

    @kernel
    def process(signal, outs, freqs, seen, w, low, high, band, rate, n):
        lanes = signal.lanes
        at = 0
        while at < n:
            end = min((at // TICK + 1) * TICK, freqs.until(at))
            for i in range(end - at):
                for lane in range(lanes):
                    high[i, lane] = signal[at + i, lane]
            into_bands(band, low, high, end - at, lanes, freqs, at, seen, w, rate)
            for k in range(band.shape[0]):
                for i in range(end - at):
                    for lane in range(lanes):
                        outs[k][at + i, lane] = band[k, i, lane]
            if end % TICK == 0:
                forget_nonsense(w, lanes)
            at = end
