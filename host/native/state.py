"""The tables of 64-bit words through which the control side and the callback know each other.

The control side writes commands into a ring and reads what it likes; every other word belongs to the callback, or is
set while no callback runs.
"""

from __future__ import annotations

# Words of the state.
(
    CONTEXT,
    BLOCK,
    PLAYED,
    CALLBACKS,
    INPUTS,
    OUTPUTS,
    DIRECT,
    FIFO_FRAMES,
    FIFO_IN,
    FIFO_IN_FILL,
    FIFO_OUT,
    FIFO_OUT_FILL,
    COMMANDS,
    COMMANDS_MASK,
    WRITTEN,
    TAKEN,
    ACTIVE,
    ACTIVE_COUNT,
    WANTED,
    ROLL_LEFT,
    PENDING,
    PENDING_PLACE,
    PENDING_BANK,
    BANK,
    WRAPS,
    LOOP_START,
    LOOP_END,
    LATE,
    BUDGET,
    SPENT,
    SPENT_WORST,
    SLOWEST,
    FADE_END,
    CULPRIT,
    NEXT_START,
    NEXT_END,
    NEXT_BANK,
) = range(37)
CLOCK = 48
"""Where the words of the clock begin (``host.native.pace``)."""
LIVE_WORDS = 64
MOST_ACTIVE = 8192
"""Ramps that may be under way at once; beyond, a param is set at once."""

# Words of a program, and of each of its ports.
ROWS, ROW_COUNT, WAIT, SOURCES, SOURCE_COUNT, SINKS, SINK_COUNT, TAPES, TAPE_COUNT, TAKES, TAKE_COUNT = range(11)
PLAY_WORDS = 16
PORT_HEADER, PORT_ARRIVAL, PORT_CHANNELS, PORT_PLACES = 0, 1, 2, 3
PORT_WORDS = 4
BANK_WORDS = 8
"""Of each of a tape's four banks: data, mask, start, end, as in the header of a stream."""

# Commands: what to do, and up to three words about it.
COMMAND_WORDS = 4
PLAY, GO, BASE, BEND, TURN, LOCATE, LOOP = range(7)
INSIDE = 4
"""Beside the number of a bank: the loop is one that the place is in."""

# What waits, as bits of PENDING, for the players to have faded out.
JUMP, OTHER_LOOP = 1, 2
SEAM_S = 0.005
"""How long the crossfade at the end of a loop is, in seconds."""

# Words of what the automation of a param is to be: where its segments lie, how many, and a number that tells them from
# others.
BEND_SEGMENTS, BEND_COUNT, BEND_IDENTITY = 0, 1, 2

# Words of a ramp.
(
    RAMP_PAIR,
    RAMP_CELL,
    RAMP_BUFFER,
    RAMP_ROW,
    RAMP_TABLE,
    RAMP_USERS,
    RAMP_ON,
    RAMP_LEFT,
    RAMP_FROM,
    RAMP_TO,
    RAMP_CURVE,
    RAMP_HELD,
) = range(12)
RAMP_WORDS = 12
STRAIGHT, EVEN_RATIO, AT_ONCE = 0, 1, 2
