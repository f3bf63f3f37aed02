"""Surround pan."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.layouts import labels_of
from graph.spec import (
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    LayoutSetting,
    Level,
    Memory,
    Node,
    Param,
    Params,
    PatchError,
    Scratch,
    Services,
    Settings,
    helper,
    kernel,
)
from nodes.dsp.panning import left_power, right_power

POSITIONS = ("angle", "room")
ANGLE, ROOM = 1, 2
"""Positions as the size of an axis: a size is a constant to the compiler."""

DEGREES = {"M": 0, "L": -30, "R": 30, "C": 0, "Ls": -110, "Rs": 110, "Lss": -90, "Rss": 90, "Lrs": -135, "Rrs": 135}
HIGH_DEGREES = {"Ltf": -45, "Rtf": 45, "Ltr": -135, "Rtr": 135}
"""Where loudspeakers stand: ITU-R BS.775 for 5.1, BS.2051 for sides, rears and heights; clockwise from the front."""
HIGH_AT = 45.0
"""The elevation of the upper ones, in degrees."""

CORNERS = {"M": (0, 1), "L": (-1, 1), "R": (1, 1), "C": (0, 1), "Ls": (-1, -1), "Rs": (1, -1)}
CORNERS |= {"Lss": (-1, 0), "Rss": (1, 0), "Lrs": (-1, -1), "Rrs": (1, -1)}
HIGH_CORNERS = {"Ltf": (-1, 1), "Rtf": (1, 1), "Ltr": (-1, -1), "Rtr": (1, -1)}
"""Where they stand in a room that is two wide and two long: to the right, and to the front."""


def _params(settings: Settings) -> tuple[Param, ...]:
    if settings["position"] == "angle":
        return (
            Param("angle_deg", 0.0, -180.0, 180.0, "°", doc="Direction: 0 is the front, 90 the right, -90 the left."),
            Param("elevation_deg", 0.0, 0.0, 90.0, "°", doc="Height, heard where the layout has upper channels."),
            Param("width_deg", 60.0, -180.0, 180.0, "°", doc="How far apart the channels of a stereo input are."),
        )
    return (
        Param("x", 0.0, -1.0, 1.0, doc="Place from the left wall to the right one."),
        Param("y", 1.0, -1.0, 1.0, doc="Place from the back wall to the front one."),
        Param("z", 0.0, 0.0, 1.0, doc="From the floor to the ceiling, heard where the layout has upper channels."),
        Param("width", 2.0, -2.0, 2.0, doc="How far apart the channels of a stereo input are."),
    )


def _ring(labels: tuple[str, ...], degrees: Mapping[str, int]) -> list[tuple[float, float, int]]:
    """The loudspeakers of one height as ``(place, 0, lane)``, by place."""
    return sorted((float(degrees[label]), 0.0, lane) for lane, label in enumerate(labels) if label in degrees)


def _grid(labels: tuple[str, ...], corners: Mapping[str, tuple[int, int]]) -> list[tuple[float, float, int]]:
    """The same as ``(y, x, lane)``: row by row from the back, each from the left."""
    own = [(corners[label], lane) for lane, label in enumerate(labels) if label in corners]
    return sorted((float(y), float(x), lane) for (x, y), lane in own)


@helper
def add_ring(power, source, place, first, end, angle, share):
    """Give a share of a source's power to the two loudspeakers of a ring between which it is."""
    count = end - first
    if count == 0:
        return
    below = end - 1
    for k in range(first, end):
        if place[k, 0] <= angle:
            below = k
    above = below + 1 if below + 1 < end else first
    start = place[below, 0]
    span = place[above, 0] - start
    if span <= 0.0:
        span += 360.0
    beyond = angle - start
    if beyond < 0.0:
        beyond += 360.0
    add_between(power, source, int(place[below, 2]), int(place[above, 2]), 2.0 * beyond / span - 1.0, share)


@helper
def add_between(power, source, one, other, pan, share):
    """Deal a share of power out to two lanes: cos² and sin²."""
    a, b = left_power(pan), right_power(pan)
    power[source, one] += share * a * a
    power[source, other] += share * b * b


@helper
def add_row(power, source, place, first, end, y, x, share):
    """Give a share of a source's power to the two loudspeakers of a row between which it is."""
    below = -1
    for k in range(first, end):
        if place[k, 0] == y and (place[k, 1] <= x or below < 0):
            below = k
    above = below + 1 if below + 1 < end and place[min(below + 1, end - 1), 0] == y else below
    span = place[above, 1] - place[below, 1]
    pan = 2.0 * (x - place[below, 1]) / span - 1.0 if span > 0.0 else -1.0
    add_between(power, source, int(place[below, 2]), int(place[above, 2]), max(pan, -1.0), share)


@helper
def add_grid(power, source, place, first, end, y, x, share):
    """Give a share of a source's power to the two rows of a grid between which it is."""
    if end == first:
        return
    back, front = place[first, 0], place[end - 1, 0]
    for k in range(first, end):
        if place[k, 0] <= y:
            back = max(back, place[k, 0])
        else:
            front = min(front, place[k, 0])
    pan = max(2.0 * (y - back) / (front - back) - 1.0, -1.0) if front > back else -1.0
    a, b = left_power(pan), right_power(pan)
    add_row(power, source, place, first, end, back, x, share * a * a)
    add_row(power, source, place, first, end, front, x, share * b * b)


class SurroundPan(Node):
    """Place a mono or stereo signal in any layout.

    Two loudspeakers that are neighbours share a source by cos and sin of the part of the way from one to the other, so
    that the power is the same everywhere. With ``angle`` they stand on a circle (J. M. Chowning, "The simulation of
    moving sound sources", JAES 19(1), 1971), at the angles of ITU-R BS.775 and BS.2051; a second circle, at 45°, shares
    with the first by elevation. With ``room`` they stand in a rectangle, and the rows share first, then the places in a
    row, as the allocentric panner of ITU-R BS.2127 does. ``spread`` deals that part of the power out evenly to all
    channels; ``center`` is the part of C's power that stays there, the rest going to L and R alike. LFE gets the mean
    of the input's channels.
    """

    kind = "surround_pan"
    family = "space"
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out", "=layout")
    layout = LayoutSetting("layout", "5.1", "Layout of the output.")
    position = ChoiceSetting("position", POSITIONS, doc="Whether the place is an angle, or a point in a room.")
    place = Params(_params)
    spread = Param("spread", 0.0, doc="From a point (0) to everywhere alike (1).")
    center = Param("center", 1.0, doc="How much of C is used: at 0 the middle is between L and R.")
    lfe = Level("lfe_db", -96.0, high=12.0, doc="Level in the LFE channel, where there is one.")
    mode = Scratch(lambda config: (1 + POSITIONS.index(config.settings["position"]),))
    power = Scratch(lambda config: (2, config.channels("out")))
    table = Memory(2, "f8")
    """``[loudspeaker, (place, place in the row, lane)]``: those at the ears, then the upper ones."""
    known = Memory(1, "i8")
    """How many are at the ears; the lanes of LFE, C, L and R, −1 where there is none."""

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """What was asked for."""
        if config.channels("in") > 2:
            raise PatchError(f"surround_pan places mono and stereo, and this is {config.layouts['in']}")
        return {}

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """Where the loudspeakers are."""
        labels = labels_of(config.settings["layout"])
        if config.settings["position"] == "angle":
            ears, upper = _ring(labels, DEGREES), _ring(labels, HIGH_DEGREES)
        else:
            ears, upper = _grid(labels, CORNERS), _grid(labels, HIGH_CORNERS)
        lanes = [labels.index(label) if label in labels else -1 for label in ("LFE", "C", "L", "R")]
        return {"table": np.array(ears + upper), "known": np.array([len(ears), *lanes])}

    @kernel
    def process(signal, out, place, spread, center, lfe, mode, power, table, known, n):
        ears, bass, middle, left, right = known[0], known[1], known[2], known[3], known[4]
        count = table.shape[0]
        i = 0
        points = out.lanes - (1 if bass >= 0 else 0)
        while i < n:
            end = min(n, place.until(i), spread.until(i), center.until(i))
            even, used = float(spread[i, 0]), float(center[i, 0])
            for source in range(signal.channels):
                for lane in range(out.lanes):
                    power[source, lane] = 0.0
                side = source - 0.5 if signal.channels == 2 else 0.0
                if mode.shape[0] == ANGLE:
                    angle = place[i, 0, 0] + side * place[i, 2, 0]
                    angle = angle - 360.0 if angle > 180.0 else angle
                    angle = angle + 360.0 if angle <= -180.0 else angle
                    up = min(place[i, 1, 0] / HIGH_AT, 1.0) if count > ears else 0.0
                    a, b = left_power(2.0 * up - 1.0), right_power(2.0 * up - 1.0)
                    add_ring(power, source, table, 0, ears, angle, a * a)
                    add_ring(power, source, table, ears, count, angle, b * b)
                else:
                    x = min(max(place[i, 0, 0] + side * place[i, 3, 0], -1.0), 1.0)
                    y = float(place[i, 1, 0])
                    up = float(place[i, 2, 0]) if count > ears else 0.0
                    a, b = left_power(2.0 * up - 1.0), right_power(2.0 * up - 1.0)
                    add_grid(power, source, table, 0, ears, y, x, a * a)
                    add_grid(power, source, table, ears, count, y, x, b * b)
                if middle >= 0:
                    moved = (1.0 - used) * power[source, middle]
                    power[source, middle] -= moved
                    power[source, left] += 0.5 * moved
                    power[source, right] += 0.5 * moved
                for lane in range(out.lanes):
                    share = 0.0 if lane == bass else even / points
                    power[source, lane] = math.sqrt(max((1.0 - even) * power[source, lane] + share, 0.0))
            for j in range(i, end):
                for lane in range(out.lanes):
                    y = 0.0
                    for source in range(signal.channels):
                        gain = lfe[j, 0] / signal.channels if lane == bass else power[source, lane]
                        y += signal[j, source] * gain
                    out[j, lane] = y
            i = end
