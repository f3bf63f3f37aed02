"""A file on the timeline: the one way in which offline renders and live tapes get a file's samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from graph.spec import FileRequest
from host.audiofile import AudioReader, open_audio

Frames = npt.NDArray[np.float32]


@dataclass
class FileFeed:
    """The frames of a file whose first one is heard at timeline frame ``first``; zeros before it and after the end.

    ``lanes`` says which of the file's channels each channel holds; None: all of them, in their order.
    """

    reader: AudioReader
    first: int = 0
    lanes: Sequence[int] | None = None

    def __call__(self, start: int, out: Frames) -> None:
        """Fill ``out`` [frame, channel] from timeline frame ``start`` on. Raises AudioFileError."""
        skip = min(max(0, self.first - start), len(out))
        out[:skip] = 0.0
        if skip == len(out):
            return
        self.reader.seek(start + skip - self.first)
        if self.lanes is None:
            self.reader.read_into(out[skip:])
        else:
            out[skip:] = self.reader.read(len(out) - skip)[:, self.lanes]

    def close(self) -> None:
        """Let go of the file."""
        self.reader.close()


def open_request(request: FileRequest, path: Path, rate: int) -> FileFeed:
    """Open what a node asks for: offset, loop and place on the timeline are those of the request.

    Raises:
        AudioFileError: as `open_audio`.
    """
    with open_audio(path) as own:
        start = round(request.offset_s * own.rate)
    reader = open_audio(path, rate, loop=request.loop, start_frame=start)
    return FileFeed(reader, round(request.start_s * rate))
