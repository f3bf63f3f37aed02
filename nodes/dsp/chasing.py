"""Chasing: what controllers, bends and programs stand at somewhere in a song, for whoever begins to play there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.events import BEND, CHANNEL_PRESSURE, CONTROL, PROGRAM, RESET, SOUND_OFF

Words = npt.NDArray[np.int64]

CENTRE = 64
POWER_UP = {7: 100, 8: CENTRE, 10: CENTRE, 11: 127, 71: 64, 72: 64, 73: 64, 74: 64, 75: 64, 76: 64, 77: 64, 78: 64}
"""Controllers that are not 0 when an instrument is switched on (General MIDI 2, RP-015)."""
UNSET = {98: 127, 99: 127, 100: 127, 101: 127}
"""Numbers of params that are not chosen."""
AT_RESET = (1, 11, 64, 65, 66, 67, 98, 99, 100, 101)
"""Controllers that "reset all controllers" puts back, beside bend and channel pressure (RP-015)."""
NO_SLOT = -1


def _slot_of(event: int) -> tuple[int, int, int] | None:
    """What an event sets: channel, its turn when all are set at once, and the controller. None where it sets nothing.

    Banks come before programs, and the number of a param before its value.
    """
    status, channel, first = event & 0xF0, event & 15, event >> 8 & 127
    if status == CONTROL and first < SOUND_OFF:
        return channel, 0 if first in (0, 32) else 3 if first in (6, 38, 96, 97) else 2, first
    if status == PROGRAM:
        return channel, 1, 0
    if status == CHANNEL_PRESSURE:
        return channel, 4, 0
    if status == BEND:
        return channel, 5, 0
    return None


def _default(event: int) -> int:
    """The event that sets back what this one sets."""
    status, first = event & 0xF0, event >> 8 & 127
    if status == CONTROL:
        return event & 0xFFFF | (POWER_UP | UNSET).get(first, 0) << 16
    return event & 0xFF | (CENTRE << 16 if status == BEND else 0)


def history_of(events: Words) -> tuple[Words, Words, Words]:
    """Of ``[event, (frame, packed)]``: the slot that each event sets, or −1; the slots, ``[slot, (event that sets it
    back, where its history begins, where it ends)]``; and their histories, ``[change, (frame, event)]``.
    """
    changes: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    own: dict[int, tuple[int, int, int]] = {}
    backs: dict[tuple[int, int, int], int] = {}
    sets = np.flatnonzero((events[:, 1] & 0xF0) >= CONTROL)
    for at, (frame, event) in zip(sets.tolist(), events[sets].tolist(), strict=True):
        slot = _slot_of(event)
        if slot is not None:
            own[at] = slot
            changes.setdefault(slot, []).append((frame, event))
            backs[slot] = _default(event)
        elif event & 0xF0 == CONTROL and event >> 8 & 127 == RESET:
            for other, back in backs.items():
                if other[0] == event & 15 and (other[1] in (4, 5) or (other[1] in (2, 3) and other[2] in AT_RESET)):
                    changes[other].append((frame, back))
    order = sorted(changes)
    numbers = {slot: k for k, slot in enumerate(order)}
    slots = np.zeros((len(order), 3), np.int64)
    history = np.zeros((sum(map(len, changes.values())), 2), np.int64)
    end = 0
    for k, slot in enumerate(order):
        start, end = end, end + len(changes[slot])
        slots[k] = backs[slot], start, end
        history[start:end] = changes[slot]
    places = np.full(len(events), NO_SLOT, np.int64)
    for at, slot in own.items():
        places[at] = numbers[slot]
    return places, slots, history


@helper
def chased(slots, history, sent, k, place):
    """The event that sets slot k to what it is right before a place; 0 where it was never set, neither there nor by
    whoever keeps ``sent``, which notes what has been set.
    """
    low, high = slots[k, 1], slots[k, 2]
    while low < high:
        middle = (low + high) >> 1
        if history[middle, 0] < place:
            low = middle + 1
        else:
            high = middle
    if low > slots[k, 1]:
        sent[k] = 1
        return history[low - 1, 1]
    if sent[k]:
        sent[k] = 0
        return slots[k, 0]
    return 0
