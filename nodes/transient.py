"""Transient shaper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Level,
    Memory,
    Node,
    Param,
    Reading,
    Scratch,
    Services,
    Sidechain,
    State,
    kernel,
)
from nodes.dsp.dynamics import LOG2_PER_DB, exp2_32, log2_32, remainder
from nodes.dsp.gating import loudest_peak, window_frames
from nodes.dsp.machine import f32, fma, select

HOLD_S = 0.010
"""How long the detector holds a peak: half a period of 50 Hz, so that the waves of a bass are no attacks."""
FLOOR = -16.6
"""The quietest that counts, in base-2 logarithms: −100 dB."""
WHOLE = 2.0
"""How far the followers must be apart for the whole effect, likewise: 12 dB."""
FALL_MS, GLIDE_MS = 30.0, 0.5
"""How fast the slow rise falls back, and how fast the gain moves."""


class Transient(Node):
    """Shape attacks and sustains: louder or softer, however loud the sound is.

    The level is the peak of the last 10 ms in the loudest channel, in decibels. A follower that takes ``rise_ms`` to
    rise lags behind it at attacks, and one that takes ``fall_ms`` to fall lags where the sound decays; times are those
    to 63.2 %. The gain is ``attack_db`` and ``sustain_db`` times the distances, 12 dB being whole, and moves within
    half a millisecond. A sound that stays as it is keeps its level.
    """

    kind = "transient"
    family = "dynamics"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    key = Sidechain("sidechain", fallback="in", doc="What is measured; the input itself if nothing is plugged in.")
    out = AudioOut("out")
    attack = Param("attack_db", 0.0, -24.0, 24.0, "dB", doc="Gain of attacks.")
    sustain = Param("sustain_db", 0.0, -24.0, 24.0, "dB", doc="Gain of what follows them.")
    rise = Param("rise_ms", 20.0, 1.0, 200.0, "ms", "log", "How long an attack lasts.", rate="tick")
    fall = Param("fall_ms", 200.0, 10.0, 2000.0, "ms", "log", "How long a sustain lasts.", rate="tick")
    gain = Level("level_db", 0.0, doc="Gain after all.")
    change = Reading("dB", "Gain that is being added now.", (1,))

    level = Scratch((TICK, 1), "f4")
    rising = State((1,), init=FLOOR)
    falling = State((1,), init=FLOOR)
    glide = State((1,))
    ring = Memory(2, "f8")
    places = Memory(1, "i8")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The window of the detector."""
        return {"ring": np.zeros((window_frames(HOLD_S, config.rate) + 1, 1)), "places": np.zeros(1, np.int64)}

    @kernel
    def process(
        signal,
        key,
        out,
        attack,
        sustain,
        rise,
        fall,
        gain,
        change,
        level,
        rising,
        falling,
        glide,
        ring,
        places,
        rate,
        n,
    ):
        sinking, gliding = remainder(FALL_MS, rate), remainder(GLIDE_MS, rate)
        for start in range(0, n, TICK):
            loudest_peak(key, start, level, ring, places)
            up, down, now = rising[0], falling[0], glide[0]
            at = start
            while at < start + TICK:
                end = min(start + TICK, rise.until(at), fall.until(at))
                lagging, lasting = remainder(float(rise[at, 0]), rate), remainder(float(fall[at, 0]), rate)
                for i in range(at, end):
                    loud = max(1.0 * log2_32(level[i - start, 0]), FLOOR)
                    up = fma(select(loud > up, lagging, sinking), up - loud, loud)
                    down = select(loud > down, loud, fma(lasting, down - loud, loud))
                    wanted = attack[i, 0] * min(max((loud - up) / WHOLE, 0.0), 1.0)
                    wanted += sustain[i, 0] * min(max((down - loud) / WHOLE, 0.0), 1.0)
                    now = fma(gliding, now - wanted, wanted)
                    level[i - start, 0] = now
                at = end
            rising[0], falling[0], glide[0] = up, down, now
            for i in range(TICK):
                factor = exp2_32(f32(LOG2_PER_DB * level[i, 0])) * gain[start + i, 0]
                for lane in range(out.lanes):
                    out[start + i, lane] = signal[start + i, lane] * factor
        change[0] = glide[0]
