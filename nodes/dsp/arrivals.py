"""Events that come in from outside while sound is made: a ring that the host writes and kernels read, and what frame a
moment of the machine's clock is.

An event is heard a constant time after it came in: as long as the longest time from one look at the ring to the next.
So its place in the sound depends on when it came, and not on when somebody looked.
"""

from __future__ import annotations

import math

from graph.spec import helper
from nodes.dsp.raw import load_atomic
from nodes.dsp.raw import word as raw_word

# Words of a ring.
WRITTEN, HOME, MASK, CLOCK, ITEMS = 0, 1, 2, 3, 8
"""How many events were ever put in; the address of the ring; their number at once less one; the address of a clock, or
0: then a stamp is a frame, and nothing is too old to be heard. From ITEMS on pairs: a stamp, nanoseconds of the
machine's monotonic clock, and the event, packed.
"""
# Words of a clock.
CLOCK_NS, CLOCK_FRAME, CLOCK_DELAY = 0, 1, 2
"""A moment, the frame that began then, and after how many frames what comes in is heard."""


@helper
def there(ring):
    """How many events were ever put in."""
    return load_atomic(ring[HOME] + 8 * WRITTEN)


@helper
def first_to_hear(ring, count):
    """From which event on somebody hears who begins now."""
    return count if ring[CLOCK] else 0


@helper
def stamp_of(ring, k):
    """The stamp of event k."""
    return ring[ITEMS + 2 * (k & ring[MASK])]


@helper
def event_at(ring, k):
    """Event k."""
    return ring[ITEMS + 2 * (k & ring[MASK]) + 1]


@helper
def due(ring, k, rate):
    """The frame at which event k is to be heard."""
    stamp, clock = stamp_of(ring, k), ring[CLOCK]
    if clock == 0:
        return stamp
    frames = min(max((stamp - raw_word(clock, CLOCK_NS)) * (rate * 1e-9), -1e9), 1e9)
    return raw_word(clock, CLOCK_FRAME) + raw_word(clock, CLOCK_DELAY) + math.floor(frames + 0.5)
