"""Keeping what was just heard: the last seconds of a ring that is written all the time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from host.audiofile import AudioFileError
from host.disk.feeds import Frames
from host.disk.recorder import PIECE, Ring, Take, create_take


def save_last(
    ring: Frames,
    header: npt.NDArray[np.int64],
    seconds: float,
    path: Path,
    rate: int,
    labels: Sequence[str],
    *,
    subtype: str | None = None,
    first: int = 0,
    end: int | None = None,
) -> Take:
    """Write the last seconds of a ring to a new file, as far as they are there: before frame ``end``, now where it is
    not given, and not before frame ``first``.

    The ring goes on being written meanwhile: it is copied first, oldest frames first, and of what may have been
    overwritten during that, nothing is kept; that much less is in the file. So the ring is best some seconds
    longer than what is asked for.

    Raises:
        AudioFileError: there is nothing to write yet, or no writing there.
    """
    source = Ring(ring, header)
    end = source.end if end is None else end
    start = max(first, end - round(seconds * rate), source.oldest)
    if end <= start:
        raise AudioFileError(path, "there is nothing to keep yet")
    kept = np.empty((end - start, ring.shape[1]), np.float32)
    done = lost = 0
    while done < len(kept):
        block, gone = source.copy(start + done, min(PIECE, len(kept) - done))
        kept[done : done + len(block)] = block
        if gone:
            lost = done + gone
        done += len(block)
    writer = create_take(path, rate, labels, subtype)
    try:
        for at in range(lost, len(kept), PIECE):
            writer.write(kept[at : at + PIECE])
        writer.commit()
    except AudioFileError:
        writer.keep()
        raise
    return Take(writer.path, len(kept) - lost, lost, writer.clipped)
