"""Whether two programs made the same sound, so that a fast wrong answer is seen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

PIECE = 1 << 18


def difference_db(one: Path, other: Path) -> float:
    """RMS of the difference of two files in dBFS, all channels together; −inf where they are equal.

    Raises ValueError where their lengths or channels differ, or a sample is not a number.
    """
    import soundfile

    total, count = 0.0, 0
    with soundfile.SoundFile(one) as a, soundfile.SoundFile(other) as b:
        if (a.frames, a.channels) != (b.frames, b.channels):
            raise ValueError(f"{a.frames} frames of {a.channels} channels, not {b.frames} of {b.channels}")
        while len(x := a.read(PIECE, always_2d=True)):
            total += float(np.sum((x - b.read(PIECE, always_2d=True)) ** 2))
            count += x.size
    if not math.isfinite(total):
        raise ValueError("samples that are no numbers")
    return 10 * math.log10(total / count) if total else -math.inf
