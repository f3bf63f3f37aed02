"""What a device calls, in front of what renders: a native gate that can be shut at any time.

A device that hangs or dies may still call long after it was given up, while another one already plays. So what it calls
is a relay of its own: it passes the call on while its gate is open, and gives silence otherwise. It also counts: calls,
frames, and the dropouts that the device reports; and it keeps the renderer's frames per call to what was agreed.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from host.native.program import native
from host.native.raw import add_atomic, call_audio, load_atomic, set_word, store_atomic, store_f32, word

WORDS = 32
# Gate and calls at work lie on cache lines of their own; the rest is written by the device's thread alone.
GATE, BUSY = 0, 8
CALLBACK, USER, OUTPUTS, EXPECTED = 16, 17, 18, 19
CALLS, FRAMES, XRUNS, LAST = 20, 21, 22, 23
WHO, THREAD = 24, 25
"""A function without arguments that gives the number of the thread that calls it, and what it gave (0: not asked)."""
LONGEST = 1 << 16
"""More frames than any device asks for at once."""
DROPOUTS = 0b1111
"""PortAudio's flags for input and output underflow and overflow."""
LOW = 0xFFFFFFFF
"""`unsigned long` has 32 bits on some systems; what lies above them is not ours to read."""


@helper
def relay(input, output, frames, times, flags, words):
    """PaStreamCallback: pass the call on to the renderer, or give silence. Always 0, "go on"."""
    size = frames & LOW
    late = flags & LOW
    add_atomic(words + 8 * BUSY, 1)
    shut = add_atomic(words + 8 * GATE, 0)
    expected = word(words, EXPECTED)
    if word(words, THREAD) == 0 and word(words, WHO) != 0:
        set_word(words, THREAD, call_audio(word(words, WHO), 0, 0, 0, 0, 0, 0))
    if shut == 0 and (size == expected or expected == 0):
        if late & DROPOUTS:
            set_word(words, XRUNS, word(words, XRUNS) + 1)
        call_audio(word(words, CALLBACK), input, output, size, times, late, word(words, USER))
        set_word(words, FRAMES, word(words, FRAMES) + size)
    elif output != 0:
        for k in range(min(size, LONGEST) * word(words, OUTPUTS)):
            store_f32(output, k, 0.0)
    set_word(words, LAST, size)
    store_atomic(words + 8 * CALLS, word(words, CALLS) + 1)
    add_atomic(words + 8 * BUSY, -1)
    return 0


@helper
def shut_gate(words):
    """Shut the gate; how many calls are still at work behind it."""
    if load_atomic(words + 8 * GATE) == 0:
        add_atomic(words + 8 * GATE, 1)
    return add_atomic(words + 8 * BUSY, 0)


class Relay:
    """The gate in front of a renderer, shut at first. Its memory is never freed: a device may call for ever."""

    _kept: list[npt.NDArray[np.int64]] = []  # noqa: RUF012

    def __init__(self, outputs: int) -> None:
        space = np.zeros(WORDS + 8, np.int64)
        start = (-space.ctypes.data % 64) // 8
        self.words = space[start : start + WORDS]
        self.words[OUTPUTS] = outputs
        self.words[GATE] = 1
        self.words[WHO] = _who()
        Relay._kept.append(space)

    @property
    def callback(self) -> int:
        """The address to give to the device."""
        return native(relay, 6)

    @property
    def user(self) -> int:
        """The address to give to the device as user data."""
        return self.words.ctypes.data

    def open(self, callback: int, user: int, frames: int) -> None:
        """Let calls through to a renderer that was prepared for ``frames`` frames a call (0: varying)."""
        self.words[[CALLBACK, USER, EXPECTED]] = callback, user, frames
        self.words[GATE] = 0

    def shut(self) -> bool:
        """Let no more calls through; False while one is still at work."""
        return _shut()(self.user) == 0

    @property
    def thread(self) -> int:
        """The system's number of the thread that calls; 0 before the first call, and where it is not to be had."""
        return int(self.words[THREAD])

    def forget_thread(self) -> None:
        """Another thread may call from now on."""
        self.words[THREAD] = 0

    @property
    def calls(self) -> int:
        """Calls so far, whether let through or not."""
        return int(self.words[CALLS])

    @property
    def frames(self) -> int:
        """Frames rendered for the device."""
        return int(self.words[FRAMES])

    @property
    def xruns(self) -> int:
        """Calls for which the device reported a dropout."""
        return int(self.words[XRUNS])

    @property
    def last(self) -> int:
        """Frames asked for by the last call."""
        return int(self.words[LAST])


@cache
def _who() -> int:
    """The address of ``gettid``; 0 where the system has none."""
    found = getattr(ctypes.CDLL(None), "gettid", None) if sys.platform.startswith("linux") else None
    return (ctypes.cast(found, ctypes.c_void_p).value or 0) if found else 0


@cache
def _shut() -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(native(shut_gate, 1))
