"""Bit crusher."""

from __future__ import annotations

from graph.spec import LANES, AudioIn, AudioOut, Config, Node, Param, State, kernel
from nodes.dsp.exponentials import exp2
from nodes.dsp.lines import clean
from nodes.dsp.turns import nearest

MOST_BITS = 24.0
HIGHEST_HZ = 96000.0


class Bitcrusher(Node):
    """Roughen a signal: fewer bits, and fewer samples in a second.

    A sample is rounded to the nearest of 2^bits steps from −1 to 1 (and as many more beyond as it needs); 24 bits leave
    it as it is. ``rate_hz`` samples are taken in a second and held in between; the sample rate, or more, takes all.
    """

    kind = "bitcrusher"
    family = "tone"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    bits = Param("bits", 8.0, 1.0, MOST_BITS, doc="Bits of a sample; parts of a bit count, too.")
    hold_rate = Param("rate_hz", 96000.0, 100.0, HIGHEST_HZ, "Hz", "log", "Samples taken in a second.")
    mix = Param("mix", 1.0, doc="Share of the rough signal; the rest is the input.")
    held = State((LANES,), "f4")
    phase = State((1,), init=1.0)

    @classmethod
    def tail(cls, config: Config) -> float:
        """A sample is held for so long."""
        slowest = cls.hold_rate.low if "rate_hz" in config.driven else config.params["rate_hz"]
        return 1.0 / slowest + 2.0 / config.rate

    @kernel
    def process(signal, out, bits, hold_rate, mix, held, phase, rate, n):
        for i in range(n):
            if phase[0] >= 1.0:
                phase[0] = max(phase[0] - 1.0, 0.0)
                for lane in range(out.lanes):
                    held[lane] = clean(signal[i, lane])
            phase[0] = phase[0] + min(hold_rate[i, 0] / rate, 1.0)
            steps = exp2(bits[i, 0] - 1.0)
            for lane in range(out.lanes):
                x, y = 1.0 * signal[i, lane], 1.0 * held[lane]
                if bits[i, 0] < MOST_BITS:
                    y = nearest(y * steps) / steps
                # All of one is exactly that.
                share = 1.0 * mix[i, 0]
                out[i, lane] = y if share == 1.0 else x + share * (y - x)
