"""The one error that audio files raise."""

from __future__ import annotations

import os


class AudioFileError(ValueError):
    """A file cannot be read or written: which one, and why.

    Attributes:
        path: the file, as it was given.
        reason: what is wrong with it, without the path.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        self.path = os.fspath(path)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")
