"""Overviews of audio files for nodes that play one: read aside, once, and kept as long as the window is open."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from editor.faces import Face
from editor.link import Floats
from editor.model import Session
from graph.spec import Node, Stream

COLUMNS = 82
PIECE = 1 << 16
LONGEST_S = 3600.0


class Waves:
    """Peaks of files in COLUMNS equal parts, by path; ``count`` rises when one has been read."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.count = 0
        self._known: dict[Path, Floats | None] = {}
        self._settings: dict[type[Node], str] = {}

    def of(self, node: str, face: Face) -> Floats | None:
        """The overview of the file that a node plays, as far as it has been read; None where there is none."""
        kind = self.session.kinds.get(face.kind)
        if kind is None:
            return None
        if kind not in self._settings:
            self._settings[kind] = played_setting(kind)
        given = face.settings.get(self._settings[kind])
        if not isinstance(given, str) or not given or "\0" in given:
            return None
        path = (self.session.patch.folder or Path()) / given
        if path not in self._known:
            self._known[path] = None
            threading.Thread(target=self._read, args=(path,), name="overview", daemon=True).start()
        return self._known[path]

    def _read(self, path: Path) -> None:
        from host.audiofile import AudioFileError

        try:
            self._known[path] = overview(path)
        except (AudioFileError, OSError):  # a missing file is told by the engine; here there is just nothing to draw
            return
        self.count += 1


def played_setting(kind: type[Node]) -> str:
    """The setting of a kind that names the file it plays; empty where it plays none."""
    played = any(stream.serves == "file" and stream.flow == "in" for stream in kind.every(Stream))
    return next((s.name for s in kind.settings_declared() if s.type == "path"), "") if played else ""


def overview(path: Path, columns: int = COLUMNS) -> Floats:
    """The highest sample of each of ``columns`` equal parts of a file (of its first hour), relative to the highest."""
    from host.audiofile import open_audio

    with open_audio(path) as reader:
        frames = min(reader.frames, int(LONGEST_S * reader.out_rate))
        peaks = np.zeros(columns, np.float32)
        done = 0
        while done < frames:
            piece = reader.read(min(PIECE, frames - done))
            if not len(piece):
                break
            levels = np.abs(piece).max(axis=1)
            at = (np.arange(done, done + len(piece)) * columns // max(frames, 1)).clip(0, columns - 1)
            np.maximum.at(peaks, at, levels)
            done += len(piece)
    highest = float(peaks.max(initial=0.0))
    return peaks / highest if highest > 0 else peaks
