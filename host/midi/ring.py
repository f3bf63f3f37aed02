"""The ring through which MIDI reaches a node: written by one thread, read by native code."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Any
from weakref import ref

from graph.plugins import Words
from graph.spec import Song, helper
from host.native.arena import aligned
from host.native.program import native
from host.native.raw import now_ns, set_word, store_atomic, word
from nodes.dsp.arrivals import CLOCK, HOME, ITEMS, MASK, WRITTEN

LIVE_EVENTS = 8192
"""How far a reader may lag behind; a power of two."""


@helper
def _put(ring, event, stamp):
    """An event into the ring at an address; without a stamp, as of now."""
    count = word(ring, WRITTEN)
    at = ITEMS + 2 * (count & word(ring, MASK))
    set_word(ring, at, stamp if stamp else now_ns())
    set_word(ring, at + 1, event)
    store_atomic(ring + 8 * WRITTEN, count + 1)


@cache
def _native_put() -> Any:
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(native(_put, 3))


def new_ring(events: int, clock: int = 0) -> Words:
    """An empty ring for so many events, a power of two. ``clock``: the address of a clock, for stamps in time."""
    ring = aligned((ITEMS + 2 * events,), "i8")
    ring[HOME], ring[MASK], ring[CLOCK] = ring.ctypes.data, events - 1, clock
    return ring


def ring_of(song: Song) -> Words:
    """A ring with a whole song, stamped in frames."""
    count = len(song.events)
    ring = new_ring(1 << count.bit_length())
    ring[ITEMS : ITEMS + 2 * count] = song.events.reshape(-1)
    ring[WRITTEN] = count
    return ring


class RingWriter:
    """Puts events into a ring for as long as somebody else keeps that, from whatever thread."""

    def __init__(self, ring: Words) -> None:
        self.ring = ref(ring)
        self._lock = Lock()
        self._put = _native_put()

    def put(self, event: int, stamp: int = 0) -> None:
        """An event that came in now, or at a time of the machine's monotonic clock, in nanoseconds."""
        ring = self.ring()
        if ring is not None:
            with self._lock:
                self._put(ring.ctypes.data, event, stamp)


class Songs:
    """Songs in place of devices, by the node that plays each."""

    def __init__(self, songs: Mapping[str, Song]) -> None:
        self._songs = songs

    def ring(self, node: str, device: str) -> Words:
        """A ring with the node's whole song; an empty one where it has none."""
        return ring_of(self._songs[node]) if node in self._songs else new_ring(1)
