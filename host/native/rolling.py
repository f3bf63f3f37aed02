"""The transport inside the callback: it starts and stops over a ramp, jumps, and goes round in loops."""

from __future__ import annotations

from graph.spec import RAMP, TICK, helper
from host.native.abi import JUMPS, PLACE, ROLL, ROLLING, SLOPE
from host.native.raw import load_f64, set_word, word
from host.native.state import (
    BANK,
    CONTEXT,
    LOOP_END,
    LOOP_START,
    PENDING,
    PENDING_BANK,
    PENDING_PLACE,
    ROLL_LEFT,
    WANTED,
    WRAPS,
)
from nodes.dsp.machine import bits_of


@helper
def turn_on(live, n):
    """After a block: the fades of stopping and starting, jumps that waited for them, and the end of a loop."""
    context = word(live, CONTEXT)
    left = word(live, ROLL_LEFT)
    if left:
        left -= n
        set_word(live, ROLL_LEFT, left)
        set_word(context, ROLL, bits_of(load_f64(context, ROLL) + n * load_f64(context, SLOPE)))
        if left == 0:
            set_word(context, SLOPE, bits_of(0.0))
            if load_f64(context, ROLL) > 0.5:
                set_word(context, ROLL, bits_of(1.0))
            else:
                set_word(context, ROLL, bits_of(0.0))
                set_word(context, ROLLING, 0)
                if word(live, PENDING):
                    set_word(live, PENDING, 0)
                    jump(live, word(live, PENDING_PLACE), word(live, PENDING_BANK))
                if word(live, WANTED):
                    roll(live, 1, 0)
    end = word(live, LOOP_END)
    start, place = word(live, LOOP_START), word(context, PLACE)
    if word(context, ROLLING) and start < end <= place < end + TICK:
        jump(live, place - (end - start), word(live, BANK) ^ 1)
        set_word(live, WRAPS, word(live, WRAPS) + 1)


@helper
def roll(live, on, hard):
    """Start or stop the transport, over a ramp, or at once."""
    context = word(live, CONTEXT)
    set_word(live, WANTED, on)
    now = load_f64(context, ROLL)
    if word(live, PENDING):
        return  # the jump is waited for, and then what is wanted is done
    if on and hard:
        set_word(context, ROLL, bits_of(1.0))
        set_word(context, SLOPE, bits_of(0.0))
        set_word(live, ROLL_LEFT, 0)
        set_word(context, ROLLING, 1)
    elif on and (now < 1.0 or load_f64(context, SLOPE) < 0.0):
        fade_roll(live, now, 1.0)
        set_word(context, ROLLING, 1)
    elif not on and word(context, ROLLING):
        fade_roll(live, now, 0.0)


@helper
def fade_roll(live, now, to):
    """Head for a gain of the players, over whole ticks."""
    context = word(live, CONTEXT)
    frames = max(TICK, int(abs(to - now) * RAMP + (TICK - 1)) // TICK * TICK)
    set_word(context, SLOPE, bits_of((to - now) / frames))
    set_word(live, ROLL_LEFT, frames)


@helper
def jump(live, place, bank):
    """Go on at another place, from the bank that was filled for it."""
    context = word(live, CONTEXT)
    set_word(context, PLACE, place)
    set_word(context, JUMPS, word(context, JUMPS) + 1)
    set_word(live, BANK, bank)
