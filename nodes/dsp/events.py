"""MIDI events in signals and in words, and which notes are held.

In a signal an event is a row of two whole numbers (see ``graph.spec.EventsIn``); elsewhere it is one word, ``packed``:
status, first data byte << 8, second << 16.

A *tracker* is memory that follows what goes by: how often each note is held, and which pedals are down, so that all of
it can be ended. Kernels know it by its address.
"""

from __future__ import annotations

from graph.spec import TICK, helper
from nodes.dsp.raw import load_f32, set_word, store_f32, word

ROWS = TICK
"""Events in a tick."""
RELEASE = 1
"""A status that no MIDI has: all notes that came the same way end, and pedals go up."""
STATUS, BYTE = 64, 128
"""What the status is multiplied with in lane 0, and the second data byte in lane 1."""
LARGEST = STATUS * 256
NOTE_OFF, NOTE_ON, PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, BEND = 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0
SUSTAIN, SOSTENUTO, SOUND_OFF, RESET, NOTES_OFF = 64, 66, 120, 121, 123
"""Controllers; all from NOTES_OFF on end the notes of their channel."""

TOTAL, SUSTAINS, SOSTENUTOS, COUNTS = 0, 1, 2, 3
"""Words of a tracker: how much is held altogether; a bit for each channel whose pedal is down; then a byte for each
note of each channel, eight in a word: how often it is held.
"""
COUNT_WORDS = 16 * 128 // 8
TRACKER_WORDS = COUNTS + COUNT_WORDS
MOST = 255


@helper
def packed(status, first, second):
    """An event as one word."""
    return status | first << 8 | second << 16


@helper
def head_of(event, frame):
    """Lane 0 of an event at a frame of its tick."""
    return float(frame + STATUS * (event & 255))


@helper
def data_of(event):
    """Lane 1 of an event."""
    return float((event >> 8 & 127) + BYTE * (event >> 16 & 127))


@helper
def row_at(signal, row):
    """An event of a signal at an address, ``frame << 32 | packed``; 0 where there is none, or what is there is none."""
    head, data = load_f32(signal, 2 * row), load_f32(signal, 2 * row + 1)
    if not (head >= STATUS and head < LARGEST and data >= 0.0 and data < BYTE * BYTE):
        return 0
    first, second = int(head), int(data)
    return (first & 63) << 32 | first >> 6 | (second & 127) << 8 | second >> 7 << 16


@helper
def put_row(signal, row, frame, event):
    """Write an event into a signal at an address."""
    store_f32(signal, 2 * row, head_of(event, frame))
    store_f32(signal, 2 * row + 1, data_of(event))


@helper
def end_rows(signal, rows):
    """Say that a tick of a signal at an address has no more events than these."""
    if rows < ROWS:
        store_f32(signal, 2 * rows, 0.0)
        store_f32(signal, 2 * rows + 1, 0.0)


@helper
def is_note_on(event):
    """Whether a note begins."""
    return event & 0xF0 == NOTE_ON and event >> 16 & 127 > 0


@helper
def is_note_off(event):
    """Whether a note ends."""
    return event & 0xF0 == NOTE_OFF or (event & 0xF0 == NOTE_ON and event >> 16 & 127 == 0)


@helper
def is_of_a_channel(event):
    """Whether it is a channel message."""
    return NOTE_OFF <= event & 255 < 0xF0


@helper
def held(tracker, channel, note):
    """How often a note is held."""
    k = channel * 128 + note
    return word(tracker, COUNTS + (k >> 3)) >> 8 * (k & 7) & MOST


@helper
def hold(tracker, channel, note, more):
    """Hold a note once more or, with −1, less; never less than not at all."""
    count = held(tracker, channel, note)
    if 0 <= count + more <= MOST:
        k = channel * 128 + note
        at, shift = COUNTS + (k >> 3), 8 * (k & 7)
        set_word(tracker, at, word(tracker, at) & ~(MOST << shift) | (count + more) << shift)
        set_word(tracker, TOTAL, word(tracker, TOTAL) + more)


@helper
def press(tracker, pedal, channel, down):
    """Move a pedal."""
    bit = 1 << channel
    before = word(tracker, pedal)
    after = before | bit if down else before & ~bit
    set_word(tracker, pedal, after)
    set_word(tracker, TOTAL, word(tracker, TOTAL) + ((after >> channel & 1) - (before >> channel & 1)))


@helper
def follow(tracker, event):
    """Take note of an event that goes by, where ``ending_meant`` has been given before it."""
    channel, first, second = event & 15, event >> 8 & 127, event >> 16 & 127
    if is_note_on(event):
        hold(tracker, channel, first, 1)
    elif is_note_off(event):
        hold(tracker, channel, first, -1)
    elif event & 0xF0 == CONTROL:
        if first == SUSTAIN:
            press(tracker, SUSTAINS, channel, second >= 64)
        elif first == SOSTENUTO:
            press(tracker, SOSTENUTOS, channel, second >= 64)


@helper
def note_ending(tracker, first, last):
    """Something that ends a note of some channels, noted as gone by; 0 where none is held."""
    if word(tracker, TOTAL) == 0:
        return 0
    for at in range(16 * first, 16 * last + 16):
        counts = word(tracker, COUNTS + at)
        if counts:
            k = 0
            while counts >> 8 * k & MOST == 0:
                k += 1
            channel, note = at >> 4, (at & 15) * 8 + k
            hold(tracker, channel, note, -1)
            return packed(NOTE_OFF | channel, note, 64)
    return 0


@helper
def pedal_ending(tracker, first, last):
    """The same for a pedal."""
    for channel in range(first, last + 1):
        if word(tracker, SUSTAINS) >> channel & 1:
            press(tracker, SUSTAINS, channel, False)
            return packed(CONTROL | channel, SUSTAIN, 0)
        if word(tracker, SOSTENUTOS) >> channel & 1:
            press(tracker, SOSTENUTOS, channel, False)
            return packed(CONTROL | channel, SOSTENUTO, 0)
    return 0


@helper
def ending(tracker):
    """Something that ends what is held, noted as gone by; 0 where nothing is held. Notes come before pedals."""
    event = note_ending(tracker, 0, 15)
    return event if event else pedal_ending(tracker, 0, 15)


@helper
def ending_meant(tracker, event):
    """What an event ends that ends more than one thing, put so that everybody understands it; 0 for most."""
    if event & 0xF0 != CONTROL:
        return 0
    channel, first = event & 15, event >> 8 & 127
    if first == RESET:
        return pedal_ending(tracker, channel, channel)
    return note_ending(tracker, channel, channel) if first == SOUND_OFF or first >= NOTES_OFF else 0
