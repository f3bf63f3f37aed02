"""Keys as they are pressed, one at a time."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

_SEQUENCE = re.compile(rb"\x1b[\[O][0-9;]*[ -~]")
"""What a terminal sends for keys that are no characters."""
_ARROWS = {b"\x1b[D": "left", b"\x1bOD": "left", b"\x1b[C": "right", b"\x1bOC": "right"}


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
            yield _UnixKeys()
        finally:
            with suppress(termios.error):  # it may be gone
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class _UnixKeys:
    """Keys from a terminal that hands over each byte; what comes in one piece is taken key by key."""

    def __init__(self) -> None:
        self._typed = b""

    def __call__(self, seconds: float) -> str:
        import os
        import select

        if not self._typed:
            if not select.select([sys.stdin], [], [], seconds)[0]:
                return ""
            with suppress(OSError):  # where it hangs up, some systems say so in this way
                self._typed = os.read(sys.stdin.fileno(), 256)
            if not self._typed:
                return "q"  # the terminal is gone
        key = _SEQUENCE.match(self._typed)
        length = key.end() if key else 1
        first, self._typed = self._typed[:length], self._typed[length:]
        return _ARROWS.get(first, chr(first[0]))


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
