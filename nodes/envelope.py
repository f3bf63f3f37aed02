"""Envelope follower."""

from __future__ import annotations

import math

from graph.spec import (
    TICK,
    AudioIn,
    ChoiceSetting,
    Config,
    ControlOut,
    Level,
    Node,
    Param,
    Scratch,
    Setting,
    State,
    kernel,
)
from nodes.dsp.dynamics import follow, remainder
from nodes.dsp.machine import finite

DETECTORS = ("peak", "rms")
PEAK, RMS = 1, 2
TIMES_TO_SILENCE = 14.0
"""Release times until a millionth is left: ln 10⁶, and a little more."""


class Envelope(Node):
    """Follow the level of a signal, to move params with it.

    ``peak`` smooths the magnitude of the loudest channel, ``rms`` its square, and takes the root; attack and release
    are the times to 63.2 % of a change of these. Full scale is 1, and what is louder counts as that.
    """

    kind = "envelope"
    family = "control"

    signal = AudioIn("in", "any", "What is followed.")
    out = ControlOut("out", doc="Its level.")
    detector = ChoiceSetting("detector", DETECTORS, doc="Follows the magnitude, or the mean square.")
    bipolar = Setting("bipolar", False, "switch", "From -1 to 1, else from 0 to 1.")
    level = Level("level_db", 0.0, doc="Gain before it is measured.")
    attack = Param("attack_ms", 10.0, 0.0, 500.0, "ms", rate="tick", doc="Time to 63.2 % of a rise.")
    release = Param("release_ms", 100.0, 0.0, 5000.0, "ms", rate="tick", doc="Time to 63.2 % of a fall.")
    number = Scratch(lambda config: (1 + DETECTORS.index(config.settings["detector"]), 1 + config.settings["bipolar"]))
    state = State((1,))
    track = Scratch((TICK, 1))
    speed = Scratch((4, 1))

    @classmethod
    def tail(cls, config: Config) -> float:
        if config.settings["bipolar"]:
            return math.inf
        longest = cls.release.high if "release_ms" in config.driven else config.params["release_ms"]
        # The root of what falls takes twice as long.
        times = TIMES_TO_SILENCE * (1 + DETECTORS.index(config.settings["detector"]))
        return times * longest / 1000 + TICK / config.rate

    @kernel
    def process(signal, out, level, attack, release, number, state, track, speed, rate, n):
        for start in range(0, n, TICK):
            for i in range(TICK):
                x = 0.0
                for lane in range(signal.lanes):
                    x = max(x, float(abs(finite(signal[start + i, lane]))))
                x = min(x * level[start + i, 0], 1.0)
                track[i, 0] = x * x if number.shape[0] == RMS else x
            i = start
            while i < start + TICK:
                end = min(start + TICK, attack.until(i), release.until(i))
                rising, falling = remainder(float(attack[i, 0]), rate), remainder(float(release[i, 0]), rate)
                speed[0, 0], speed[1, 0], speed[2, 0], speed[3, 0] = rising, 1.0 - rising, falling, 1.0 - falling
                follow(track, state, 1, i - start, end - start, speed)
                i = end
            for i in range(TICK):
                y = track[i, 0]
                if number.shape[0] == RMS:
                    y = math.sqrt(max(y, 0.0))
                y = min(max(y, 0.0), 1.0)
                out[start + i, 0] = 2.0 * y - 1.0 if number.shape[1] == 2 else y
