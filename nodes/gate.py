"""Gate."""

from __future__ import annotations

from graph.spec import Scratch
from nodes.dsp.gating import PEAK, Gating


class Gate(Gating):
    """Turn down what is softer than a threshold, steered by the signal itself or by a sidechain.

    It opens where the peak of the last 5 ms, in the loudest channel, reaches the threshold, and closes once that has
    stayed below the threshold less the hysteresis for as long as it holds. While it is closed, each decibel below the
    threshold becomes ``ratio`` decibels, down to the range. All channels get the same gain.
    """

    kind = "gate"
    detector = PEAK

    mode = Scratch((PEAK,))
    square = Scratch((1, 1))
