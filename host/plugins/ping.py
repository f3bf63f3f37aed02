"""How late a plugin's output really is: an impulse, or a note, is sent in, and what it changes is looked for.

The plugin is run twice over the same time, once with the ping and once without, so that what it makes by itself does
not count. *Onset* is the first frame at which the difference reaches a tenth (−20 dB) of its largest magnitude, *peak*
the frame of that magnitude; both are counted from the ping. A report is right where it lies between them: a filter of
linear phase sounds a little before its latency, most others exactly at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from graph.layouts import LAYOUTS
from host.plugins.description import Arrangement, Description
from host.plugins.instance import Event, PluginInstance

Agreement = Literal["agrees", "later", "earlier", "silent", "noisy"]
LEVEL = 0.5
"""Of the impulse."""
REACHED = 0.1
QUIET = 1e-6
"""A difference no larger than this is none."""
WARM_S = 0.5
"""Run before the ping, for what smooths its params."""
LISTEN_S = 1.0
"""Listened beyond the latency that is reported."""
ODD = 37
"""Frames into a block at which the ping comes, so that what works in blocks is found out."""
NOTE_ON = bytes((0x90, 60, 100))


@dataclass(frozen=True, slots=True)
class Ping:
    """What was found. ``later``: nothing is heard before the reported latency has passed and more: it reports too
    little, or delays sound as its effect. ``earlier``: all is heard before it. ``silent``: nothing came out.
    ``noisy``: it never does the same twice.
    """

    rate: int
    block: int
    reported: int
    onset: int | None
    peak: int | None
    level: float
    """Magnitude at the peak."""
    agreement: Agreement

    @property
    def measured(self) -> int | None:
        """Frames: what was reported where that may be right, else the onset."""
        return self.reported if self.agreement == "agrees" else self.onset

    def plain(self) -> dict[str, Any]:
        """As maps and numbers."""
        return {**asdict(self), "measured": self.measured}


def own_arrangement(description: Description) -> Arrangement:
    """The layouts that a fresh plugin has."""
    return Arrangement(tuple(b.layout for b in description.inputs), tuple(b.layout for b in description.outputs))


def buffers(layouts: Sequence[str], frames: int) -> list[npt.NDArray[np.float32]]:
    """Silence for each bus that is on."""
    return [np.zeros((len(LAYOUTS[layout]), frames), np.float32) for layout in layouts if layout]


def ping(make: Callable[[], PluginInstance], rate: int = 48000, block: int = 512) -> Ping:
    """Measure a plugin that ``make`` loads afresh, in the layouts it has. Raises PluginError."""
    (still, _), (answer, reported) = (_run(make(), rate, block, pinged) for pinged in (False, True))
    start = _start(rate, block)
    change = np.abs(answer - still).max(axis=0, initial=0.0)
    before, after = change[:start], change[start:]
    level = float(after.max(initial=0.0))
    if level <= QUIET:
        return Ping(rate, block, reported, None, None, level, "silent")
    onset, peak = int(np.argmax(after >= REACHED * level)), int(np.argmax(after))
    if before.max(initial=0.0) >= REACHED * level:
        return Ping(rate, block, reported, None, None, level, "noisy")
    agreement = "later" if onset > reported else "earlier" if peak < reported else "agrees"
    return Ping(rate, block, reported, onset, peak, level, agreement)


def _start(rate: int, block: int) -> int:
    """The frame of the ping: in a block of its own, a little after its beginning."""
    return -(-int(WARM_S * rate) // block) * block + min(ODD, block - 1)


def _run(plugin: PluginInstance, rate: int, block: int, pinged: bool) -> tuple[npt.NDArray[np.float32], int]:
    """The main output over the time of the ping, ``[channel, frame]``, and the latency reported."""
    try:
        plugin.prepare(rate, block)
        reported = plugin.latency()
        own = own_arrangement(plugin.description)
        into, out = buffers(own.inputs, block), buffers(own.outputs, block)
        start = _start(rate, block)
        length = -(-(start + reported + int(LISTEN_S * rate)) // block) * block
        heard = np.zeros((len(out[0]) if out else 0, length), np.float32)
        for begin in range(0, length, block):
            now = pinged and begin <= start < begin + block
            if now and into:
                into[0][:, start - begin] = LEVEL
            note = [Event(start - begin, NOTE_ON)] if now and plugin.description.events_in else []
            plugin.process(into, out, note)
            if now and into:
                into[0][:] = 0.0
            if out:
                heard[:, begin : begin + block] = out[0]
        return heard, reported
    finally:
        plugin.close()
