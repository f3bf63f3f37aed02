"""Keys as they are pressed, one at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any


@contextmanager
def keyboard() -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for a key: a character, ``left``, ``right``, or nothing."""
    if not sys.stdin.isatty():

        def none(seconds: float) -> str:
            sleep(seconds)
            return ""

        yield none
    elif sys.platform == "win32":
        yield _windows_key
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield _unix_key
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _unix_key(seconds: float) -> str:
    import os
    import select

    if not select.select([sys.stdin], [], [], seconds)[0]:
        return ""
    data = os.read(sys.stdin.fileno(), 16)
    if not data:
        return "q"  # the terminal is gone
    return {b"\x1b[D": "left", b"\x1bOD": "left", b"\x1b[C": "right", b"\x1bOC": "right"}.get(data, chr(data[0]))


def _windows_key(seconds: float) -> str:
    import msvcrt

    read: Any = msvcrt
    end = monotonic() + seconds
    while monotonic() < end:
        if read.kbhit():
            character = read.getwch()
            if character in ("\x00", "\xe0"):
                return {"K": "left", "M": "right"}.get(read.getwch(), "")
            return character
        sleep(0.01)
    return ""
