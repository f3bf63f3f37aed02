"""One audio callback for some seconds on JACK, beside a loop that hogs the interpreter; its dropouts, as JSON.

``python -m benchmarks.callbacks empty|python SECONDS``: ``empty`` is native code that writes silence, and so the least
that a callback can do; ``python`` is sounddevice's own, which does the same in the interpreter.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.hogging import hog
from graph.spec import helper
from host.native.program import native
from host.native.raw import set_word, store_f32, word

SETTLE_S = 1.0
"""What happens while a device starts does not count."""


@helper
def silent(source, target, frames, info, flags, words):
    for k in range(frames * word(words, 0)):
        store_f32(target, k, 0.0)
    set_word(words, 1, word(words, 1) + frames)
    set_word(words, 2, word(words, 2) + 1)
    return 0


class Silent:
    """A renderer of silence."""

    def __init__(self) -> None:
        self.words = np.zeros(3, np.int64)
        self.callback = native(silent, 6)
        self.user = self.words.ctypes.data

    def prepare(self, inputs: int, outputs: int, frames: int) -> int:
        """As ``Live.prepare``."""
        self.words[0] = outputs
        return 0

    def process(self, input: Any, output: Any) -> None:
        """As ``Live.process``."""
        output[:] = 0

    @property
    def frames(self) -> int:
        """Frames so far."""
        return int(self.words[1])

    @property
    def callbacks(self) -> int:
        """Calls so far."""
        return int(self.words[2])


def empty(seconds: float) -> dict[str, float]:
    """The native callback."""
    from host.devices import Choice, open_device

    device = open_device(Choice("system"), Silent(), inputs=0, outputs=2, rate=48000, notice=_complain)
    device.start()
    stream: Any = device
    try:
        return _counted(seconds, lambda: (stream.xruns, stream.calls))
    finally:
        device.close()


def python(seconds: float) -> dict[str, float]:
    """The interpreter's."""
    import sounddevice

    xruns = calls = 0

    def call(data: Any, frames: int, times: Any, status: Any) -> None:
        nonlocal xruns, calls
        data[:] = bytes(len(data))
        xruns += any((status.output_underflow, status.output_overflow))
        calls += 1

    stream = sounddevice.RawOutputStream(48000, 0, "system", 2, "float32", latency="low", callback=call)
    with stream:
        return _counted(seconds, lambda: (xruns, calls))


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


def _counted(seconds: float, counts: Callable[[], tuple[int, int]]) -> dict[str, float]:
    time.sleep(SETTLE_S)
    before, begun = counts(), time.monotonic()
    hog(seconds)
    after, ended = counts(), time.monotonic()
    return {"xruns": after[0] - before[0], "calls": after[1] - before[1], "seconds": ended - begun}


if __name__ == "__main__":
    print(json.dumps({"empty": empty, "python": python}[sys.argv[1]](float(sys.argv[2]))))
