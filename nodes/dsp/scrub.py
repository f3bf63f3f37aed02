"""Keeping what is no number from going on, where signals come from code that was not written here."""

from __future__ import annotations

from graph.spec import helper
from nodes.dsp.machine import finite
from nodes.dsp.raw import load_f32, store_f32, word


@helper
def scrub(ports, offset, n):
    """Make zeros of NaN and infinity in all ports of a ``Ports`` table, ``n`` frames from ``offset`` on; how many there
    were.
    """
    bad = 0
    for k in range(word(ports, 0)):
        lanes, pitch = word(ports, 2 + 3 * k), word(ports, 3 + 3 * k)
        start = word(ports, 1 + 3 * k) + 4 * offset * pitch
        if lanes == pitch:
            for j in range(n * lanes):
                x = load_f32(start, j)
                bad += finite(x) != x
                store_f32(start, j, finite(x))
        else:
            for i in range(n):
                for lane in range(lanes):
                    x = load_f32(start, i * pitch + lane)
                    bad += finite(x) != x
                    store_f32(start, i * pitch + lane, finite(x))
    return bad
