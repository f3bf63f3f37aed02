"""Expander."""

from __future__ import annotations

from graph.spec import TICK, Scratch
from nodes.dsp.gating import RMS, Gating


class Expander(Gating):
    """Spread what is softer than a threshold, by its RMS level, steered by the signal itself or by a sidechain.

    As a gate, but for what it measures: the RMS over the last 10 ms, in the loudest channel, which follows loudness
    rather than single peaks. Each decibel below the threshold becomes ``ratio`` decibels, down to the range; what is
    louder stays, and so does what comes soon after it (``hold_ms``) or is not much softer (``hysteresis_db``).
    """

    kind = "expander"
    detector = RMS

    mode = Scratch((RMS,))
    square = Scratch(lambda config: (TICK, config.channels("sidechain")))
