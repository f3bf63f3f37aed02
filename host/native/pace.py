"""When frames begin by the machine's clock, told from when a device calls.

Calls come unevenly, though the sound is even; a delay-locked loop of second order follows them slowly, so that what
came in between two calls gets a frame that does not tremble with them. After F. Adriaensen, "Using a DLL to filter
time" (2005).
"""

from __future__ import annotations

from graph.spec import TICK, helper
from host.native.raw import load_f64, set_word, word
from nodes.dsp.arrivals import CLOCK_DELAY, CLOCK_FRAME, CLOCK_NS
from nodes.dsp.machine import bits_of

CLOCK_PER_FRAME, CLOCK_NEXT = 3, 4
"""Words of a clock after those that all read: nanoseconds in a frame, and when the next call is due (float64)."""
CLOCK_WORDS = 8
BANDWIDTH_HZ = 0.5
LARGEST_TURN = 0.5
GAP_NS = 250e6
"""A call that is further off than this is the first of a new row."""
SLACK_S = 0.001
"""How much later than it came an event may be seen."""


@helper
def keep_time(clock, frame, frames, rate, now):
    """A device calls ``now`` for some frames, the first of which is ``frame``."""
    turn = min(6.283185307179586 * BANDWIDTH_HZ * frames / rate, LARGEST_TURN)
    per_frame, due = load_f64(clock, CLOCK_PER_FRAME), load_f64(clock, CLOCK_NEXT)
    off = now - due
    if per_frame <= 0.0 or abs(off) > GAP_NS:
        per_frame, due, off = 1e9 / rate, float(now), 0.0
        set_word(clock, CLOCK_DELAY, 0)
    set_word(clock, CLOCK_NS, int(due))
    set_word(clock, CLOCK_FRAME, frame)
    set_word(clock, CLOCK_DELAY, max(word(clock, CLOCK_DELAY), frames + TICK + int(SLACK_S * rate)))
    set_word(clock, CLOCK_NEXT, bits_of(due + 1.4142135623730951 * turn * off + per_frame * frames))
    set_word(clock, CLOCK_PER_FRAME, bits_of(per_frame + turn * turn * off / max(frames, 1)))
