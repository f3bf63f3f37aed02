"""Downmix."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.layouts import LAYOUTS, labels_of
from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Level,
    Memory,
    Node,
    Scratch,
    Services,
    State,
    kernel,
)
from nodes.dsp import quadrature
from nodes.dsp.quadrature import LAGGING, LEADING, through

LEFT = ("Ls", "Lss", "Lrs", "Ltf", "Ltr")
RIGHT = ("Rs", "Rss", "Rrs", "Rtf", "Rtr")
AS_IS, CENTER, SURROUND, LFE = 0, 1, 2, 3
"""Which gain a channel is folded with."""

Fold = dict[tuple[int, str], tuple[int, float]]
"""(row, input label) to the gain by number, and a factor."""


def _stereo(labels: tuple[str, ...]) -> Fold:
    """Lo and Ro."""
    found: Fold = {}
    for row, (own, others) in enumerate((("L", LEFT), ("R", RIGHT))):
        found |= {(row, label): (SURROUND, 1.0) for label in others}
        found |= {
            (row, own): (AS_IS, 1.0),
            (row, "M"): (AS_IS, 1.0),
            (row, "C"): (CENTER, 1.0),
            (row, "LFE"): (LFE, 1.0),
        }
    return {key: value for key, value in found.items() if key[1] in labels}


def _matrixed(labels: tuple[str, ...]) -> Fold:
    """The front of Lt, the front of Rt, and the surround that goes into both."""
    found = {key: value for key, value in _stereo(labels).items() if key[1] not in LEFT + RIGHT}
    return found | {(2, label): (SURROUND, 1.0) for label in labels if label in LEFT + RIGHT}


def _mono(labels: tuple[str, ...]) -> Fold:
    """Half of Lo and half of Ro."""
    found: Fold = {}
    for (_, label), (gain, factor) in _stereo(labels).items():
        found[0, label] = gain, found.get((0, label), (gain, 0.0))[1] + 0.5 * factor
    return found


def _five_one(labels: tuple[str, ...]) -> Fold:
    """Every channel that has a place keeps it; the others go to the nearest."""
    there = LAYOUTS["5.1"]
    near = {"Lss": "Ls", "Rss": "Rs", "Lrs": "Ls", "Rrs": "Rs", "Ltf": "L", "Rtf": "R", "Ltr": "Ls", "Rtr": "Rs"}
    found: Fold = {(there.index(label), label): (AS_IS, 1.0) for label in labels if label in there}
    found |= {(there.index(near[label]), label): (SURROUND, 1.0) for label in labels if label in near}
    return found | ({(there.index("C"), "M"): (AS_IS, 1.0)} if "M" in labels else {})


def _phased(config: Config) -> bool:
    """Whether there are surrounds to be turned by 90°."""
    wanted = config.settings["to"] == "stereo" and config.settings["mode"] == "lt_rt"
    return wanted and any(label in LEFT for label in labels_of(config.layouts["in"]))


def _rows(config: Config) -> int:
    return 3 if _phased(config) else len(LAYOUTS[config.settings["to"]])


class Downmix(Node):
    """Fold a signal down to fewer channels.

    To stereo (Rec. ITU-R BS.775, ATSC A/85): Lo = L + c·C + s·(left surrounds) + f·LFE, Ro likewise, with the gains of
    ``center_db``, ``surround_db`` and ``lfe_db``; sides, rears and heights are surrounds. ``lt_rt`` (ATSC A/52, matrix
    surround): Lt = L + c·C − s·j(all surrounds), Rt = R + c·C + s·j(all surrounds), where j leads by 90°, to 0.05°
    from 20 Hz to 20 kHz; fronts and surrounds pass allpass networks for it. To mono: (Lo + Ro)/2. To 5.1: channels
    that 5.1 has stay, sides and rears go to the surrounds, heights to the channel below them, by ``surround_db``.

    A signal that is not wider than ``to`` goes to the channels of its names, mono to L and R, or to C.
    """

    kind = "downmix"
    family = "space"
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out", "=to")
    to = ChoiceSetting("to", ("mono", "stereo", "5.1"), "stereo", "Layout of the output.")
    mode = ChoiceSetting(
        "mode", ("lo_ro", "lt_rt"), doc="How stereo takes the surrounds in: plain, or for matrix decoders."
    )
    center = Level("center_db", -3.0103, doc="Level of C.")
    surround = Level("surround_db", -3.0103, doc="Level of sides, rears and heights.")
    lfe = Level("lfe_db", -96.0, doc="Level of LFE.")
    factors = Memory(2, "f8")
    gains = Memory(2, "i8")
    coefficients = Memory(2, "f8")
    mixed = Scratch(lambda config: (_rows(config), config.channels("in")))
    before = State((LAGGING + 1, 3))

    @classmethod
    def tail(cls, config: Config) -> float:
        """The allpass networks ring on at the low end."""
        return quadrature.settling(config.rate) if _phased(config) else 0.0

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """Which input goes where, and by which gain; and the allpass networks."""
        labels = labels_of(config.layouts["in"])
        to = config.settings["to"]
        if _phased(config):
            fold = _matrixed(labels)
        else:
            fold = {"mono": _mono, "stereo": _stereo, "5.1": _five_one}[to](labels)
        factors = np.zeros((_rows(config), len(labels)))
        gains = np.zeros(factors.shape, np.int64)
        for (row, label), (gain, factor) in fold.items():
            factors[row, labels.index(label)], gains[row, labels.index(label)] = factor, gain
        return {"factors": factors, "gains": gains, "coefficients": quadrature.sections(config.rate)}

    @kernel
    def process(signal, out, center, surround, lfe, factors, gains, coefficients, mixed, before, n):
        i = 0
        while i < n:
            end = min((i // TICK + 1) * TICK, center.until(i), surround.until(i), lfe.until(i))
            for row in range(mixed.shape[0]):
                for k in range(signal.lanes):
                    gain = 1.0
                    if gains[row, k] == CENTER:
                        gain = float(center[i, 0])
                    elif gains[row, k] == SURROUND:
                        gain = float(surround[i, 0])
                    elif gains[row, k] == LFE:
                        gain = float(lfe[i, 0])
                    mixed[row, k] = factors[row, k] * gain
            for j in range(i, end):
                if mixed.shape[0] == out.lanes:
                    for lane in range(out.lanes):
                        total = 0.0
                        for k in range(signal.lanes):
                            total += mixed[lane, k] * signal[j, k]
                        out[j, lane] = total
                else:
                    left, right, around = 0.0, 0.0, 0.0
                    for k in range(signal.lanes):
                        left += mixed[0, k] * signal[j, k]
                        right += mixed[1, k] * signal[j, k]
                        around += mixed[2, k] * signal[j, k]
                    around = through(around, before, 2, coefficients, 1, LEADING)
                    out[j, 0] = through(left, before, 0, coefficients, 0, LAGGING) - around
                    out[j, 1] = through(right, before, 1, coefficients, 0, LAGGING) + around
            i = end
            if mixed.shape[0] != out.lanes and i % TICK == 0:
                size = 0.0
                for k in range(before.shape[0]):
                    for row in range(3):
                        size += abs(before[k, row])
                if not size < 1e30:
                    for k in range(before.shape[0]):
                        for row in range(3):
                            before[k, row] = 0.0
