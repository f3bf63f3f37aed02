"""The native loop that calls the steps: whole blocks, step by step, except inside feedback loops, which go tick by
tick.

A program is a table of rows ``[step address, arguments, loop end]``; ``loop end`` is zero, or, at the first step of a
loop, the row after its last one. Nothing here allocates, locks or raises.
"""

from __future__ import annotations

from graph.spec import helper
from host.native.abi import TIME
from host.native.raw import (
    add_atomic,
    call_step,
    flush_denormals,
    load_atomic,
    relax,
    restore_float_mode,
    set_word,
    store_atomic,
    word,
)

ROW_WORDS = 4
ROW_ADDRESS, ROW_ARGS, ROW_LOOP_END, ROW_WAITS = 0, 1, 2, 3
TICK = 64

# Words of a team's table: several threads that work through one program together.
TEAM_NEXT, TEAM_ROUND, TEAM_DONE, TEAM_QUIT, TEAM_FRAMES = 0, 8, 16, 24, 32
TEAM_WORDS = 40


@helper
def run_rows(rows, at, frames):
    """Run the row, or the loop that starts at it; the row to go on with."""
    end = word(rows, at * ROW_WORDS + ROW_LOOP_END)
    if end == 0:
        call_step(word(rows, at * ROW_WORDS), word(rows, at * ROW_WORDS + ROW_ARGS), 0, frames)
        return at + 1
    for offset in range(0, frames, TICK):
        for k in range(at, end):
            call_step(word(rows, k * ROW_WORDS), word(rows, k * ROW_WORDS + ROW_ARGS), offset, TICK)
    return end


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
        set_word(context, TIME, word(context, TIME) + size)
        done += size
    restore_float_mode(before)


@helper
def work(rows, count, waits, flags, team, member):
    """One member of a team: take the next unit, wait for what it needs, run it, say so; until told to quit.

    ``waits`` holds, for each row, how many rows it waits for and which; ``flags`` holds for each row the round in
    which it was last done.
    """
    before = flush_denormals()
    seen = 0
    while True:
        while load_atomic(team + 8 * TEAM_ROUND) == seen:
            if load_atomic(team + 8 * TEAM_QUIT):
                restore_float_mode(before)
                return
            relax()
        seen = load_atomic(team + 8 * TEAM_ROUND)
        play(rows, count, waits, flags, team, seen)
        add_atomic(team + 8 * TEAM_DONE, 1)


@helper
def play(rows, count, waits, flags, team, turn):
    """Share one block with whoever else plays it."""
    frames = word(team, TEAM_FRAMES)
    while True:
        unit = add_atomic(team + 8 * TEAM_NEXT, 1)
        if unit >= count:
            return
        entry = word(waits, unit)
        at = word(entry, 0)
        for k in range(word(entry, 1)):
            needed = flags + 8 * word(entry, 2 + k)
            while load_atomic(needed) != turn:
                relax()
        run_rows(rows, at, frames)
        store_atomic(flags + 8 * unit, turn)


@helper
def lead(rows, count, waits, flags, team, members, context, frames, block):
    """Run a program as ``run`` does, with ``members`` others at work."""
    before = flush_denormals()
    done = 0
    turn = load_atomic(team + 8 * TEAM_ROUND)
    while done < frames:
        size = min(block, frames - done)
        turn += 1
        set_word(team, TEAM_FRAMES, size)
        store_atomic(team + 8 * TEAM_DONE, 0)
        store_atomic(team + 8 * TEAM_NEXT, 0)
        store_atomic(team + 8 * TEAM_ROUND, turn)
        play(rows, count, waits, flags, team, turn)
        while load_atomic(team + 8 * TEAM_DONE) != members:
            relax()
        set_word(context, TIME, word(context, TIME) + size)
        done += size
    restore_float_mode(before)
