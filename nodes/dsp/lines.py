"""Delay lines that are worked on a tick at a time.

Lines are the rows of one array, rings whose length is a power of two, written at a common place: always a whole tick,
on a tick's boundary. A tick's worth of frames behind the end of a ring repeats its beginning, so that a tick that was
written at any distance can be read in one piece. No line may be shorter than a tick.
"""

from __future__ import annotations

from graph.spec import TICK, helper
from nodes.dsp.machine import f32, finite

LOUDEST = 1e9
"""Input beyond this is clipped, so that nothing that is kept can overflow, however wrong what comes in is."""

FADE_TICKS = 16
"""How long it takes to fade from one delay to another."""


def ring(frames: float) -> int:
    """The length of a ring for delays up to so many frames."""
    return 1 << max(2 * TICK - 1, int(frames) + TICK).bit_length()


def row(frames: float) -> int:
    """The length of a row that holds such a ring."""
    return ring(frames) + TICK


@helper
def clean(x):
    """A sample that is fit to be kept: NaN and infinity are silence, and what is absurdly loud is clipped."""
    return max(f32(-LOUDEST), min(f32(LOUDEST), finite(x)))


@helper
def reach(lines, place, delay):
    """Where in a row a tick starts that was written ``delay`` frames before the one at ``place``."""
    return (place - delay) & (lines.shape[1] - TICK - 1)


@helper
def close(lines, count, place):
    """To be called when a tick has been written to the first ``count`` lines."""
    if place == 0:
        for k in range(count):
            for i in range(TICK):
                lines[k, lines.shape[1] - TICK + i] = lines[k, i]


@helper
def tap(lines, k, place, delays, d, fade, target, channel):
    """Read one tick of a line. ``delays[1, d]`` frames ago; while ``fade`` ticks are left of a fade, from
    ``delays[0, d]`` frames ago to there.
    """
    new = reach(lines, place, delays[1, d])
    if fade == 0:
        for i in range(TICK):
            target[channel, i] = lines[k, new + i]
    else:
        old = reach(lines, place, delays[0, d])
        step = f32(1.0 / (FADE_TICKS * TICK))
        start = f32(1.0 - fade * (1.0 / FADE_TICKS))
        for i in range(TICK):
            a = lines[k, old + i]
            target[channel, i] = a + (lines[k, new + i] - a) * (start + f32(i + 1) * step)
