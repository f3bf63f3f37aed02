"""Params on their way from one value to another, while the callback runs."""

from __future__ import annotations

from graph.spec import RAMP, TICK, helper
from host.native.raw import load_f32, load_f64, set_word, store_f32, word
from host.native.runner import ROW_INSTEAD
from host.native.state import (
    ACTIVE,
    ACTIVE_COUNT,
    AT_ONCE,
    EVEN_RATIO,
    MOST_ACTIVE,
    RAMP_BUFFER,
    RAMP_CELL,
    RAMP_CURVE,
    RAMP_FROM,
    RAMP_HELD,
    RAMP_LEFT,
    RAMP_ON,
    RAMP_PAIR,
    RAMP_ROW,
    RAMP_TABLE,
    RAMP_TO,
    RAMP_USERS,
)
from host.native.steps import eased
from nodes.dsp.exponentials import exp2, log2
from nodes.dsp.machine import bits_of


@helper
def start_ramp(live, ramp, to):
    """Send a param from where it is to a value."""
    cell = word(ramp, RAMP_CELL)
    count = word(live, ACTIVE_COUNT)
    on = word(ramp, RAMP_ON)
    if not on and (count >= MOST_ACTIVE or word(ramp, RAMP_CURVE) == AT_ONCE):
        store_f32(cell, 0, to)
        return
    if on:
        now = ramp_value(ramp, RAMP - word(ramp, RAMP_LEFT))
    else:
        now = float(load_f32(cell, 0))
        set_word(word(live, ACTIVE), count, ramp)
        set_word(live, ACTIVE_COUNT, count + 1)
        set_word(ramp, RAMP_ON, 1)
        set_word(word(ramp, RAMP_PAIR), 0, word(ramp, RAMP_BUFFER))
        set_word(word(ramp, RAMP_PAIR), 1, 1)
        if word(ramp, RAMP_ROW):
            users = word(ramp, RAMP_USERS)
            set_word(users, 0, word(users, 0) + 1)
            set_word(word(ramp, RAMP_ROW), ROW_INSTEAD, word(ramp, RAMP_TABLE))
    set_word(ramp, RAMP_FROM, bits_of(now))
    set_word(ramp, RAMP_TO, bits_of(to))
    set_word(ramp, RAMP_LEFT, RAMP)


@helper
def ramp_value(ramp, i):
    """Where a ramp is after so many frames."""
    start, to = load_f64(ramp, RAMP_FROM), load_f64(ramp, RAMP_TO)
    u = i * (1.0 / RAMP)
    if word(ramp, RAMP_HELD):
        u = eased(i // TICK)
    if u >= 1.0:
        return to
    if word(ramp, RAMP_CURVE) == EVEN_RATIO:
        return start * exp2(u * log2(to / start))
    return start + (to - start) * u


@helper
def fill_ramp(ramp, n):
    """The values of a param on its way, for a block."""
    buffer, done = word(ramp, RAMP_BUFFER), RAMP - word(ramp, RAMP_LEFT)
    if word(ramp, RAMP_HELD):
        for tick in range(0, n, TICK):
            x = ramp_value(ramp, done + tick + TICK)
            for i in range(tick, tick + TICK):
                store_f32(buffer, i, x)
    else:
        for i in range(n):
            store_f32(buffer, i, ramp_value(ramp, done + i + 1))


@helper
def end_ramp(live, k, n):
    """After a block: whether ramp k goes on; if not, its param stands still again."""
    active = word(live, ACTIVE)
    ramp = word(active, k)
    left = word(ramp, RAMP_LEFT) - n
    set_word(ramp, RAMP_LEFT, max(left, 0))
    if left > 0:
        return True
    store_f32(word(ramp, RAMP_CELL), 0, load_f64(ramp, RAMP_TO))
    set_word(word(ramp, RAMP_PAIR), 0, word(ramp, RAMP_CELL))
    set_word(word(ramp, RAMP_PAIR), 1, 0)
    set_word(ramp, RAMP_ON, 0)
    if word(ramp, RAMP_ROW):
        users = word(ramp, RAMP_USERS)
        set_word(users, 0, word(users, 0) - 1)
        if word(users, 0) == 0:
            set_word(word(ramp, RAMP_ROW), ROW_INSTEAD, 0)
    last = word(live, ACTIVE_COUNT) - 1
    set_word(active, k, word(active, last))
    set_word(live, ACTIVE_COUNT, last)
    return False
