"""The thread that writes streams to files: readable at any moment, aligned whatever happens, never over a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic

import numpy as np
import numpy.typing as npt

from host.audiofile import AudioFileError, AudioWriter, create_audio
from host.disk.feeds import Frames
from host.native.abi import STREAM_END
from host.services import inside

WAKE_S = 0.02
UPDATE_S = 0.5
"""How often what was written is made readable."""
PIECE = 8192
BATCH = 2048
"""Frames that are worth a write."""
MOST_TAKES = 10_000


@dataclass(frozen=True)
class Take:
    """What became of a recording.

    ``frames`` are in the file, ``lost`` of those that were asked for are silent in it or missing at its end.
    ``problem`` is why it ended early, or None.
    """

    path: Path
    frames: int
    lost: int = 0
    clipped: int = 0
    problem: str | None = None


def create_take(
    path: Path,
    rate: int,
    labels: Sequence[str],
    subtype: str | None,
    tags: Mapping[str, str] | None = None,
    time_reference: int | None = None,
) -> AudioWriter:
    """Begin a growing file of this name, or with -2, -3, … behind it where there is one already.

    Raises:
        AudioFileError: as `create_audio`.
    """
    for name in _names(path):
        if os.path.lexists(name):
            continue
        try:
            return create_audio(
                name, rate, labels, subtype=subtype, tags=tags, time_reference=time_reference, growing=True
            )
        except AudioFileError as error:
            if not isinstance(error.__cause__, FileExistsError):
                raise
    raise AudioFileError(path, f"there are {MOST_TAKES} takes of this name already")


def _names(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, MOST_TAKES + 1):
        yield path.with_stem(f"{path.stem}-{number}")


class Ring:
    """What native code writes and another thread reads.

    Native code may be at most ``slack`` frames beyond END, which it moves when they are written.
    """

    def __init__(self, frames: Frames, header: npt.NDArray[np.int64]) -> None:
        if len(frames) & (len(frames) - 1):
            raise ValueError(f"a ring of {len(frames)} frames: expected a power of two")
        self._frames = frames
        self._header = header
        self.slack = min(PIECE, len(frames) // 4)

    @property
    def end(self) -> int:
        """The first frame that is not there yet."""
        return int(self._header[STREAM_END])

    @property
    def oldest(self) -> int:
        """The first frame that is surely not being overwritten."""
        return self.end + self.slack - len(self._frames)

    def copy(self, start: int, frames: int) -> tuple[Frames, int]:
        """A copy of at most so many frames from ``start`` on, and how many of the first were overwritten meanwhile;
        those are silent.
        """
        at = start & (len(self._frames) - 1)
        found = self._frames[at : at + frames].copy()
        lost = min(max(0, self.oldest - start), len(found))
        found[:lost] = 0.0
        return found, lost


class _Track:
    def __init__(self, ring: Ring, writer: AudioWriter, start: int) -> None:
        self.ring = ring
        self.writer = writer
        self.at = start
        self.stop_at: int | None = None
        self.lost = 0
        self.problem: str | None = None
        self.ended = Event()
        self._update_at = 0.0

    @property
    def take(self) -> Take:
        return Take(self.writer.path, self.writer.frames, self.lost, self.writer.clipped, self.problem)

    def step(self) -> None:
        """Write what is there. Raises AudioFileError."""
        limit = self.ring.end if self.stop_at is None else min(self.ring.end, self.stop_at)
        if limit - self.at >= BATCH or self.stop_at is not None:
            while self.at < limit:
                self._piece(min(PIECE, limit - self.at))
        now = monotonic()
        if now >= self._update_at and self.writer.frames:
            self._update_at = now + UPDATE_S
            self.writer.update()
        if self.stop_at is not None and self.at >= self.stop_at:
            self.writer.update()  # so that it is whole even where the disk has no room for its end
            self.writer.commit()
            self.ended.set()

    def _piece(self, frames: int) -> None:
        gone = self.ring.oldest - self.at
        if gone > 0:
            block = np.zeros((min(frames, gone), len(self.writer.labels)), np.float32)
            lost = len(block)
        else:
            block, lost = self.ring.copy(self.at, frames)
        self.writer.write(block)
        self.at += len(block)
        self.lost += lost

    def fail(self, error: AudioFileError) -> None:
        """End the take where it is, readable."""
        self.problem = error.reason
        try:
            self.writer.keep()
        except AudioFileError as again:
            self.problem += f"; {again.reason}"
        self.ended.set()


class Recorder:
    """Writes streams to files, in a thread of its own, until `close`.

    A file has its name from the start and is brought up to date twice a second: after a crash it holds all but the
    last second. When the disk is full a take ends readable, said once, and the others go on. What the disk was too slow
    for is silence in the file and counted, so that tracks stay aligned.
    """

    def __init__(self, rate: int, notice: Callable[[str], None]) -> None:
        self._rate = rate
        self._notice = notice
        self._tracks: dict[str, _Track] = {}
        self._woken = Condition()
        self._closing = False
        self._thread = Thread(target=self._run, name="disk recorder", daemon=True)
        self._thread.start()

    def start(
        self,
        key: str,
        ring: Frames,
        header: npt.NDArray[np.int64],
        path: str | Path,
        subtype: str | None,
        labels: Sequence[str],
        from_frame: int,
        *,
        folder: Path | None = None,
        tags: Mapping[str, str] | None = None,
        time_reference: int | None = None,
    ) -> Path:
        """Record a stream from a frame of its clock on.

        Args:
            ring: float32 [frames, channels], a power of two of frames.
            header: the stream's words; END is moved after each chunk, which is at most 8192 frames, or a quarter of the
                ring.
            folder: the patch's own, which the path must lie in; None where the user chose the path.
            time_reference: the first frame's time, in samples since midnight.

        Returns:
            the file's name, with -2, -3, … where there was one of that name.

        Raises:
            AudioFileError: it cannot be written. PatchError: it lies outside the folder.
        """
        if key in self._tracks:
            raise ValueError(f"{key} is being recorded already")
        if ring.ndim != 2 or ring.shape[1] != len(labels):
            raise ValueError(f"{key}: a ring of shape {list(ring.shape)} for {len(labels)} channels")
        full = Path(path) if folder is None else inside(folder, str(path))
        source = Ring(ring, header)
        writer = create_take(full, self._rate, labels, subtype, tags, time_reference)
        with self._woken:
            self._tracks = {**self._tracks, key: _Track(source, writer, from_frame)}
            self._woken.notify()
        return writer.path

    def running(self) -> dict[str, Take]:
        """What is being recorded, as far as it is written."""
        return {key: track.take for key, track in self._tracks.items()}

    def stop(self, key: str, at_frame: int | None = None, *, limit_s: float = 5.0) -> Take:
        """End a recording before a frame of its clock, else with what is there by now; the file is complete when this
        returns, unless the disk takes longer than ``limit_s``. Raises KeyError.
        """
        return self.stop_all([key], at_frame, limit_s=limit_s)[key]

    def stop_all(
        self, keys: Sequence[str] | None = None, at_frame: int | None = None, *, limit_s: float = 5.0
    ) -> dict[str, Take]:
        """End several recordings, or all, as `stop`."""
        tracks = {key: self._tracks[key] for key in (keys if keys is not None else list(self._tracks))}
        with self._woken:
            for track in tracks.values():
                track.stop_at = track.ring.end if at_frame is None else at_frame
            self._woken.notify()
        takes: dict[str, Take] = {}
        late = monotonic() + limit_s
        for key, track in tracks.items():
            if not track.ended.wait(max(0.0, late - monotonic())):
                track.problem = track.problem or "was not written to its end in time"
            assert track.stop_at is not None
            missing = max(0, track.stop_at - track.at)
            track.lost += missing
            takes[key] = track.take
        with self._woken:
            self._tracks = {key: track for key, track in self._tracks.items() if key not in tracks}
        return takes

    def close(self, limit_s: float = 5.0) -> dict[str, Take]:
        """End all recordings, and the thread."""
        takes = self.stop_all(limit_s=limit_s)
        with self._woken:
            self._closing = True
            self._woken.notify()
        self._thread.join(limit_s)
        return takes

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closing:
            tracks = self._tracks
            for track in tracks.values():
                if track.ended.is_set():
                    continue
                try:
                    track.step()
                except AudioFileError as error:
                    track.fail(error)
                    seconds = track.writer.frames / self._rate
                    self._notice(f"{track.writer.path}: {track.problem}; the take ends after {seconds:.1f} s")
            with self._woken:
                if tracks is self._tracks and not self._closing:
                    ending = any(t.stop_at is not None and not t.ended.is_set() for t in tracks.values())
                    self._woken.wait(0.001 if ending else WAKE_S if tracks else None)
