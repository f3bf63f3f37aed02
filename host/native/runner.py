"""The native loop that calls the steps: whole blocks, step by step, except inside feedback loops, which go tick by
tick.

A program is a table of rows ``[step address, arguments, loop end, instead, …]``; ``loop end`` is zero, or, at the
first step of a loop, the row after its last one. ``instead`` is zero, or the address of ``[count, step address,
arguments, step address, …]``: what is called instead while a param of the step's nodes is on its way. Nothing here
allocates, locks or raises.
"""

from __future__ import annotations

from graph.spec import helper
from host.native.abi import PLACE, ROLLING, TIME
from host.native.raw import (
    add_atomic,
    call_step,
    flush_denormals,
    give_way,
    load_atomic,
    relax,
    restore_float_mode,
    set_word,
    store_atomic,
    word,
)

ROW_WORDS = 8
ROW_ADDRESS, ROW_ARGS, ROW_LOOP_END, ROW_INSTEAD = 0, 1, 2, 3
ROW_CYCLES, ROW_WORST = 4, 5
"""What the live runner measures: cycles spent in the row so far, and the most in one block."""
TICK = 64

# Words of a team's table: several threads that work through one program together. Each on a cache line of its own.
TEAM_ROUND, TEAM_DONE, TEAM_QUIT, TEAM_FRAMES = 0, 8, 16, 24
TEAM_WORDS = 32
PATIENCE = 4000
"""Turns of a waiting loop after which the processor is offered to somebody else."""


@helper
def run_rows(rows, at, frames):
    """Run the row, or the loop that starts at it; the row to go on with."""
    end = word(rows, at * ROW_WORDS + ROW_LOOP_END)
    if end == 0:
        run_row(rows, at, 0, frames)
        return at + 1
    for offset in range(0, frames, TICK):
        for k in range(at, end):
            run_row(rows, k, offset, TICK)
    return end


@helper
def run_row(rows, at, offset, frames):
    """Run one row, or what is called instead."""
    instead = word(rows, at * ROW_WORDS + ROW_INSTEAD)
    if instead == 0:
        call_step(word(rows, at * ROW_WORDS), word(rows, at * ROW_WORDS + ROW_ARGS), offset, frames)
    else:
        for k in range(word(instead, 0)):
            call_step(word(instead, 2 * k + 1), word(instead, 2 * k + 2), offset, frames)


@helper
def advance(context, frames):
    """Let time pass."""
    set_word(context, TIME, word(context, TIME) + frames)
    set_word(context, PLACE, word(context, PLACE) + frames * word(context, ROLLING))


@helper
def run(rows, count, context, frames, block):
    """Run a program over ``frames`` frames (whole ticks), a block at a time, from the context's time on."""
    before = flush_denormals()
    done = 0
    while done < frames:
        size = min(block, frames - done)
        at = 0
        while at < count:
            at = run_rows(rows, at, size)
        advance(context, size)
        done += size
    restore_float_mode(before)


@helper
def wait_for(address, value):
    """Wait until a word has a value."""
    turns = 0
    while load_atomic(address) != value:
        relax()
        turns += 1
        if turns > PATIENCE:
            give_way()


@helper
def work(rows, units, flags, team, order, count):
    """One member of a team: at each round, do its own units in its own order; until told to quit."""
    before = flush_denormals()
    seen = 0
    while True:
        turns = 0
        while load_atomic(team + 8 * TEAM_ROUND) == seen:
            if load_atomic(team + 8 * TEAM_QUIT):
                restore_float_mode(before)
                return
            relax()
            turns += 1
            if turns > PATIENCE:
                give_way()
        seen = load_atomic(team + 8 * TEAM_ROUND)
        play(rows, units, flags, word(team, TEAM_FRAMES), order, count, seen)
        add_atomic(team + 8 * TEAM_DONE, 1)


@helper
def play(rows, units, flags, frames, order, count, turn):
    """Do units in an order, each as soon as what it waits for is done, by whomever.

    ``units`` holds for each unit the address of ``[row, how many it waits for, which]``; ``flags`` the round in which
    each was last done.
    """
    for k in range(count):
        unit = word(order, k)
        entry = word(units, unit)
        for j in range(word(entry, 1)):
            wait_for(flags + 8 * word(entry, 2 + j), turn)
        run_rows(rows, word(entry, 0), frames)
        store_atomic(flags + 8 * unit, turn)


@helper
def lead(rows, units, flags, team, order, count, members, context, frames, block):
    """Run a program as ``run`` does, with ``members`` others at work."""
    before = flush_denormals()
    done = 0
    turn = load_atomic(team + 8 * TEAM_ROUND)
    while done < frames:
        size = min(block, frames - done)
        turn += 1
        set_word(team, TEAM_FRAMES, size)
        store_atomic(team + 8 * TEAM_DONE, 0)
        store_atomic(team + 8 * TEAM_ROUND, turn)
        play(rows, units, flags, size, order, count, turn)
        wait_for(team + 8 * TEAM_DONE, members)
        advance(context, size)
        done += size
    restore_float_mode(before)
