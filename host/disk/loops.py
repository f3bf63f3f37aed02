"""What a loop of the transport sounds like: seamless, with a crossfade that ends where it wraps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host.disk.feeds import Frames
from host.native.state import SEAM_S


@dataclass(frozen=True)
class Loop:
    """Timeline frames from ``start`` to before ``end``, over and over.

    Over the last ``fade`` frames, what leads up to the end gives way to what leads up to the start, by sin²: where both
    are the same they add up to one.
    """

    start: int
    end: int
    fade: int

    @property
    def length(self) -> int:
        """Frames from one wrap to the next."""
        return self.end - self.start

    @property
    def blend(self) -> int:
        """The first frame that is not what lies at its own place."""
        return self.end - self.fade

    def fold(self, place: int, wrapped: bool) -> tuple[int, int]:
        """Where what is heard at a place comes from, and for how many frames from there on in one piece.

        From the end on everything is heard again; with ``wrapped``, what lies before the start is what was heard before
        the wrap, for those who lag behind.
        """
        if place < self.start and not wrapped:
            return place, self.end - place
        source = self.start + (place - self.start) % self.length
        return source, self.end - source

    def gains(self, start: int, frames: int) -> Frames:
        """The gain of what leads up to the loop's start, from a place within the fade on: float32 [frame, 1]."""
        along = (np.arange(start - self.blend, start - self.blend + frames) + 1) / (self.fade + 1)
        return (np.sin(0.5 * np.pi * along) ** 2).astype(np.float32)[:, None]


def loop_of(span: tuple[int, int] | None, rate: int) -> Loop | None:
    """The loop over a span of timeline frames; None where the span is empty."""
    if span is None or span[1] <= span[0]:
        return None
    return Loop(span[0], span[1], min(round(SEAM_S * rate), span[1] - span[0]))
