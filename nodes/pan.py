"""Pan."""

from __future__ import annotations

from collections.abc import Mapping

from graph.spec import GROUPS, AudioIn, AudioOut, ChoiceSetting, Config, Node, Param, PatchError, Scratch, kernel
from nodes.dsp.panning import left_balance, left_power, right_balance, right_power
from nodes.dsp.turns import quarter_sine

LAWS = ("equal_power", "linear", "balance")
EQUAL_POWER, LINEAR, BALANCE = 1, 2, 3


class Pan(Node):
    """Place a mono signal between left and right, or move a stereo one.

    With θ = (pan + 1)·π/4, a mono input gets the gains cos θ and sin θ (``equal_power``), (1 − pan)/2 and (1 + pan)/2
    (``linear``), or √2·cos θ and √2·sin θ (``balance``). A stereo input follows the stereo rule of the StereoPanner
    node of the W3C's Web Audio API: the far channel moves over, the near one stays; or, with ``balance``, its channels
    get √2·cos θ and √2·sin θ.
    """

    kind = "pan"
    family = "space"
    wide = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    law = ChoiceSetting("law", LAWS, doc="How the gains follow from the position.")
    pan = Param("pan", 0.0, -1.0, 1.0, doc="Position, from left to right.")
    number = Scratch(lambda config: (1 + LAWS.index(config.settings["law"]),))
    gain = Scratch((4, GROUPS))

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """Always stereo."""
        if config.channels("in") > 2:
            raise PatchError(f"pan places mono and stereo, and this is {config.layouts['in']}; use surround_pan")
        return {"out": "stereo"}

    @kernel
    def process(signal, out, pan, number, gain, n):
        i = 0
        while i < n:
            end = min(n, pan.until(i))
            for g in range(out.groups):
                p = float(pan[i, g * signal.channels])
                # Gains from left to left, right to left, left to right, right to right.
                gain[1, g], gain[2, g] = 0.0, 0.0
                if number.shape[0] == BALANCE:
                    gain[0, g], gain[3, g] = left_balance(p), right_balance(p)
                elif signal.channels == 2:
                    gain[0, g], gain[1, g] = quarter_sine(1.0 - max(p, 0.0)), quarter_sine(-min(p, 0.0))
                    gain[2, g], gain[3, g] = quarter_sine(max(p, 0.0)), quarter_sine(1.0 + min(p, 0.0))
                elif number.shape[0] == LINEAR:
                    gain[0, g], gain[3, g] = 0.5 - 0.5 * p, 0.5 + 0.5 * p
                else:
                    gain[0, g], gain[3, g] = left_power(p), right_power(p)
            for j in range(i, end):
                for g in range(out.groups):
                    if signal.channels == 1:
                        x = signal[j, g]
                        out[j, 2 * g] = x * gain[0, g]
                        out[j, 2 * g + 1] = x * gain[3, g]
                    elif number.shape[0] == BALANCE:
                        out[j, 2 * g] = signal[j, 2 * g] * gain[0, g]
                        out[j, 2 * g + 1] = signal[j, 2 * g + 1] * gain[3, g]
                    else:
                        left, right = signal[j, 2 * g], signal[j, 2 * g + 1]
                        out[j, 2 * g] = left * gain[0, g] + right * gain[1, g]
                        out[j, 2 * g + 1] = left * gain[2, g] + right * gain[3, g]
            i = end
