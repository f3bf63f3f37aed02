"""The file that a new node of one's own begins as: it works, and keeps the contract."""

from __future__ import annotations

import keyword
import re

TEXT = '''"""{title}: a node of one's own. docs/nodes.md says what each part may be.

    patchwright nodes trust {file}     let it run, each time it has changed
    patchwright nodes check {file}     hold it to what the built-in kinds keep
"""

import math

from graph.spec import LANES, AudioIn, AudioOut, Node, Param, State, kernel
from nodes.dsp.machine import finite


class {name}(Node):
    """Soften a signal: what is above a frequency fades, by 6 dB an octave."""

    kind = "{kind}"
    family = "tone"  # where the palette shows it
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    freq = Param("freq_hz", 2000.0, low=20.0, high=20000.0, unit="Hz", curve="log", doc="Where it begins to fade.")
    mix = Param("mix", 1.0, doc="How much of the result is heard, beside the signal as it was.")

    past = State((LANES,))  # a number for each channel, which lasts from call to call

    @classmethod
    def tail(cls, config):
        """Seconds until an echo of what was is 140 dB down."""
        return 16.2 / (2.0 * math.pi * config.params["freq_hz"]) if "freq_hz" not in config.driven else 0.2

    @kernel
    def process(signal, out, freq, mix, past, rate, n):
        # This becomes native code: numbers, loops, math and helpers, and nothing that allocates or raises.
        for i in range(n):
            for lane in range(out.lanes):
                x = finite(signal[i, lane])  # else one sample that is no number would stay in `past` for ever
                share = 1.0 - math.exp(-2.0 * math.pi * freq[i, lane] / rate)
                past[lane] += share * (x - past[lane])
                out[i, lane] = x + mix[i, lane] * (past[lane] - x)
'''


def template(kind: str) -> str:
    """The text of a new node of this kind. Raises ValueError for what cannot be the name of one."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", kind) or keyword.iskeyword(kind):
        raise ValueError(f"expected a name of small letters, digits and _, such as wave_folder, found {kind!r}")
    name = "".join(part.capitalize() for part in kind.split("_"))
    title = kind.replace("_", " ").capitalize()
    return TEXT.format(title=title, file=f"{kind}.py", name=name, kind=kind)
