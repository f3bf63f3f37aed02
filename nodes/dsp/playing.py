"""What a plugin is told to play: its events of a block, and what came while it did not answer.

A note that begins while a plugin is missed is not played late; what ends one, and the last of every controller, is kept
for when it is back. Whoever begins to play a plugin first ends the notes that somebody else left in it.
"""

from __future__ import annotations

from graph.spec import TICK, helper
from nodes.dsp.events import (
    CONTROL,
    PRESSURE,
    ROWS,
    TRACKER_WORDS,
    ending,
    follow,
    held,
    is_note_off,
    is_note_on,
    row_at,
)
from nodes.dsp.raw import set_word
from nodes.dsp.raw import word as raw_word

MOST_EVENTS = 4096
"""Of a block."""
# Words that the table of a plugin's node has for it.
EVENTS_PORT, ALARM, LATE_COUNT, LOST = range(18, 22)
"""Which input brings events, or −1; 1 where so much was missed that all notes must end; how many events wait until the
plugin is back; how many were lost.
"""
LATE = 168
MOST_LATE = 256
END = LATE + MOST_LATE


@helper
def tell(target, words, tracker, used, frame, event):
    """An event for the plugin, whose ``tracker`` follows what it was told; how many there are then."""
    if used >= MOST_EVENTS:
        keep(words, tracker, event)
        return used
    follow(tracker, event)
    set_word(target, 1 + used, frame << 32 | event)
    return used + 1


@helper
def tell_events(target, words, tracker, ins, known, offset, n):
    """All events of a block, with what is left from before."""
    used = 0
    if words[ALARM] or not known[0]:
        event = ending(tracker)
        while event and used < MOST_EVENTS:
            set_word(target, 1 + used, event)
            used += 1
            event = ending(tracker)
    known[0], words[ALARM] = 1, 0
    count, words[LATE_COUNT] = words[LATE_COUNT], 0
    for k in range(count):
        used = tell(target, words, tracker, used, 0, words[LATE + k])
    port = words[EVENTS_PORT]
    if port >= 0:
        signal = raw_word(ins, 1 + 3 * port) + 4 * offset * raw_word(ins, 3 + 3 * port)
        for tick in range(0, n, TICK):
            for row in range(ROWS):
                found = row_at(signal + 8 * tick, row)
                if found == 0:
                    break
                used = tell(target, words, tracker, used, tick + (found >> 32), found & 0xFFFFFF)
    set_word(target, 0, used)


@helper
def miss_events(words, tracker, ins, offset, n):
    """Keep what must not be lost of a block that the plugin is not handed."""
    port = words[EVENTS_PORT]
    if port >= 0:
        signal = raw_word(ins, 1 + 3 * port) + 4 * offset * raw_word(ins, 3 + 3 * port)
        for tick in range(0, n, TICK):
            for row in range(ROWS):
                found = row_at(signal + 8 * tick, row)
                if found == 0:
                    break
                keep(words, tracker, found & 0xFFFFFF)


@helper
def keep(words, tracker, event):
    """Let an event wait for the plugin. Of several that set the same, the last is enough."""
    if is_note_on(event):
        words[LOST] += 1
        return
    if is_note_off(event) and held(tracker, event & 15, event >> 8 & 127) == 0:
        return
    whole = event & 0xF0 == CONTROL or event & 0xF0 == PRESSURE or is_note_off(event)
    same = 0xFFFF if whole else 0xFF
    for k in range(words[LATE_COUNT]):
        if (words[LATE + k] ^ event) & same == 0:
            words[LATE + k] = event
            return
    if words[LATE_COUNT] < MOST_LATE:
        words[LATE + words[LATE_COUNT]] = event
        words[LATE_COUNT] += 1
    else:
        words[ALARM] = 1
        words[LOST] += 1


@helper
def begin_anew(tracker):
    """The plugin was started again, and holds nothing."""
    for k in range(TRACKER_WORDS):
        set_word(tracker, k, 0)
