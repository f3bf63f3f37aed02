"""The transport inside the callback: it starts and stops over a ramp, jumps, and goes round in loops."""

from __future__ import annotations

from graph.spec import RAMP, TICK, helper
from host.native.abi import JUMPS, PLACE, RATE, ROLL, ROLLING, SLOPE
from host.native.raw import load_f64, set_word, word
from host.native.state import (
    BANK,
    CONTEXT,
    INSIDE,
    JUMP,
    LOOP_END,
    LOOP_START,
    NEXT_BANK,
    NEXT_END,
    NEXT_START,
    OTHER_LOOP,
    PENDING,
    PENDING_BANK,
    PENDING_PLACE,
    ROLL_LEFT,
    SEAM_S,
    WANTED,
    WRAPS,
)
from nodes.dsp.machine import bits_of, float_of


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
                pending = word(live, PENDING)
                set_word(live, PENDING, 0)
                if pending & OTHER_LOOP:
                    go_by(live, word(live, NEXT_START), word(live, NEXT_END), word(live, NEXT_BANK))
                if pending & JUMP:
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
        return  # what is put off is waited for, and then what is wanted is done
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
def put_off(live, what):
    """Have something done when the players have faded out; then they come back."""
    set_word(live, PENDING, word(live, PENDING) | what)
    fade_roll(live, load_f64(word(live, CONTEXT), ROLL), 0.0)


@helper
def seam_between(live, start, end, bank):
    """Whether players would click where the transport goes by another loop at once: from inside a crossfade or into
    one, or past the end that is gone round from now on.
    """
    context = word(live, CONTEXT)
    if not word(context, ROLLING):
        return False
    place, seam = word(context, PLACE), int(SEAM_S * float_of(word(context, RATE)) + 1.0)
    old_start, old_end = word(live, LOOP_START), word(live, LOOP_END)
    into = start < end and place >= end - min(seam, end - start) and (place < end or bank & INSIDE)
    out = old_start < old_end and old_end - min(seam, old_end - old_start) <= place < old_end
    return bool(into or out)


@helper
def go_by(live, start, end, bank):
    """Loop from one place to another from now on, from the bank that goes by it already, if that is known."""
    set_word(live, LOOP_START, start)
    set_word(live, LOOP_END, end)
    if bank >= 0:
        set_word(live, BANK, bank & 3)
        place = word(word(live, CONTEXT), PLACE)
        if bank & INSIDE and place >= end:  # it has just been left
            jump(live, start + (place - start) % (end - start), (bank & 3) ^ 1)


@helper
def jump(live, place, bank):
    """Go on at another place, from the bank that was filled for it."""
    context = word(live, CONTEXT)
    set_word(context, PLACE, place)
    set_word(context, JUMPS, word(context, JUMPS) + 1)
    set_word(live, BANK, bank)
