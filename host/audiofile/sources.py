"""Where samples come from: uncompressed WAV straight off the disk, everything else through libsndfile."""

from __future__ import annotations

import sys
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from host.audiofile.aiff import apple_labels
from host.audiofile.comments import CHANNEL_MASK, read_comments
from host.audiofile.errors import AudioFileError
from host.audiofile.riff import IEEE_FLOAT, PCM, WavInfo, is_riff, read_wav
from host.audiofile.speakers import FLAC_DEFAULTS, default_labels, labels_of_mask, unnamed, vorbis_labels

if TYPE_CHECKING:
    import soundfile

Block = npt.NDArray[np.float32]

MAX_CHANNELS = 64
MIN_RATE, MAX_RATE = 1000, 3_072_000
_DECODE_FRAMES = 4096
_COUNTLESS = 1 << 56  # libsndfile says more than this when a stream does not know its length


class Source(Protocol):
    """A file's own samples, in the file's own rate and channel order."""

    rate: int
    channels: int
    frames: int

    @property
    def descriptor(self) -> int | None:
        """The number of the open file; None where it is not known."""
        ...

    def read_into(self, out: Block) -> int:
        """Fill `out` (float32 [n, channels], C-contiguous) from the position; how many frames there were."""
        ...

    def seek(self, frame: int) -> None:
        """Move to a frame, 0…frames."""
        ...

    def close(self) -> None: ...


class WavSource:
    """Uncompressed WAV, by ourselves: 32-bit floats go straight into the caller's array, no copy between; the other
    kinds are scaled to full scale ±1.0."""

    def __init__(self, path: Path, info: WavInfo, kind: str) -> None:
        self.rate, self.channels, self.frames = info.rate, info.channels, info.frames
        self._path = path
        self._kind = kind
        self._offset = info.data_offset
        self._frame_bytes = info.block_align
        self._frame = 0
        self._scratch = np.empty(0, np.uint8)
        self._file = path.open("rb", buffering=0)
        self._file.seek(self._offset)

    @property
    def descriptor(self) -> int | None:
        return self._file.fileno()

    def read_into(self, out: Block) -> int:
        wanted = min(len(out), self.frames - self._frame)
        if wanted <= 0:
            return 0
        if self._kind == "f4":
            got = self._fill(out[:wanted].data.cast("B"))
        else:
            size = wanted * self._frame_bytes
            if len(self._scratch) < size:
                self._scratch = np.empty(size, np.uint8)
            got = self._fill(self._scratch[:size].data)
            samples = floats_of(self._scratch[: got * self._frame_bytes], self._kind)
            out[:got] = samples.reshape(got, self.channels)
        self._frame += got
        return got

    def _fill(self, room: memoryview) -> int:
        done = 0
        try:
            while done < len(room):
                got = self._file.readinto(room[done:])
                if not got:
                    break
                done += got
        except OSError as error:
            raise AudioFileError(self._path, f"cannot be read: {error.strerror}") from error
        return done // self._frame_bytes

    def seek(self, frame: int) -> None:
        self._frame = frame
        self._file.seek(self._offset + self._frame_bytes * frame)

    def close(self) -> None:
        self._file.close()


def _wav_kind(info: WavInfo) -> str | None:
    """How samples are stored, as a numpy type (`i3` for 24 bits); None for what is compressed or unusual."""
    kinds = {(PCM, 8): "u1", (PCM, 16): "i2", (PCM, 24): "i3", (PCM, 32): "i4"}
    kinds |= {(IEEE_FLOAT, 32): "f4", (IEEE_FLOAT, 64): "f8"}
    kind = kinds.get((info.tag, info.bits))
    packed = info.block_align * 8 == info.bits * info.channels
    return kind if packed and sys.byteorder == "little" else None


def floats_of(raw: npt.NDArray[np.uint8], kind: str) -> Block:
    """Stored little-endian samples as float32, full scale ±1.0."""
    if kind == "u1":
        return (raw.astype(np.float32) - 128.0) / 128.0
    if kind == "i3":
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        raw, kind = wide.reshape(-1), "i4"
    samples = raw.view(f"<{kind}").astype(np.float32)
    if kind[0] == "i":
        samples *= np.float32(2.0 ** (1 - 8 * int(kind[1])))
    return samples


class DecodedSource:
    """Any file that libsndfile decodes. Small reads are served from a decoded block."""

    def __init__(self, path: Path, file: soundfile.SoundFile, opened: FileIO | None) -> None:
        self.rate, self.channels, self.frames = file.samplerate, file.channels, file.frames
        self._path = path
        self._file = file
        self._opened = opened
        self._block: Block = np.empty((_DECODE_FRAMES, self.channels), np.float32)
        self._start = self._end = 0
        self._frame = 0

    @property
    def descriptor(self) -> int | None:
        return self._opened.fileno() if self._opened is not None else None

    def read_into(self, out: Block) -> int:
        wanted = min(len(out), self.frames - self._frame)
        done = 0
        while done < wanted:
            if self._start == self._end:
                if wanted - done >= _DECODE_FRAMES:
                    got = self._decode(out[done:wanted], done)
                    if got == 0:
                        break
                    done += got
                    continue
                self._start, self._end = 0, self._decode(self._block, done)
                if self._end == 0:
                    break
            take = min(wanted - done, self._end - self._start)
            out[done : done + take] = self._block[self._start : self._start + take]
            self._start += take
            done += take
        self._frame += done
        return done

    def _decode(self, out: Block, done: int) -> int:
        import soundfile

        try:
            return self._file.buffer_read_into(out, dtype="float32")
        except soundfile.SoundFileError as error:
            raise AudioFileError(
                self._path, f"cannot be decoded after frame {self._frame + done}: {reason_of(error)}"
            ) from error

    def seek(self, frame: int) -> None:
        import soundfile

        self._start = self._end = 0
        self._frame = frame
        try:
            self._file.seek(frame)
        except soundfile.SoundFileError as error:
            raise AudioFileError(self._path, f"cannot seek to frame {frame}: {reason_of(error)}") from error

    def close(self) -> None:
        self._file.close()
        if self._opened is not None:
            self._opened.close()


def reason_of(error: Exception) -> str:
    """What libsndfile says, without the path that soundfile puts before it and the full stop after it."""
    text = getattr(error, "error_string", None) or str(error)
    return text.removeprefix("Error : ").rstrip(".")


def open_source(path: Path) -> tuple[Source, tuple[str, ...], str | None]:
    """Open a file: its samples, the labels of its channels in the file's order, and a warning if it is cut short.

    Raises:
        AudioFileError: missing, not a regular file, not audio, or not readable.
    """
    head, info = _look(path)
    labels = None
    warning = None
    if info is not None:
        if info.declared_frames is None:
            warning = f"the header does not say how long it is; {info.frames} frames are there"
        elif info.frames < info.declared_frames:
            warning = f"cut short: the header promises {info.declared_frames} frames, {info.frames} are there"
        _check(path, info.channels, info.rate)
        if info.ambisonic:
            labels = unnamed(info.channels)
        elif info.mask:
            labels = labels_of_mask(info.mask, info.channels)
        else:
            labels = default_labels(info.channels)
        kind = _wav_kind(info)
        if kind is not None:
            return WavSource(path, info, kind), labels, warning
    source, format_ = _decoded(path)
    if labels is None or source.channels != len(labels):
        labels = _stored_labels(path, head, format_, source.channels)
    return source, labels, warning


def _look(path: Path) -> tuple[bytes, WavInfo | None]:
    try:
        if not path.exists():
            raise AudioFileError(path, "no such file")
        if not path.is_file():
            raise AudioFileError(path, "not a file" if not path.is_dir() else "a folder, not an audio file")
        with path.open("rb") as file:
            head = file.read(12)
            if not head:
                raise AudioFileError(path, "the file is empty")
            if not is_riff(head):
                return head, None
            try:
                return head, read_wav(file)
            except AudioFileError:
                raise
            except ValueError as error:
                raise AudioFileError(path, str(error)) from error
    except OSError as error:
        raise AudioFileError(path, f"cannot be read: {error.strerror}") from error


def _check(path: Path, channels: int, rate: int) -> None:
    if channels > MAX_CHANNELS:
        raise AudioFileError(path, f"{channels} channels; at most {MAX_CHANNELS} are supported")
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFileError(path, f"a sample rate of {rate} Hz; expected {MIN_RATE} to {MAX_RATE}")


def _decoded(path: Path) -> tuple[DecodedSource, str]:
    import soundfile

    if path.suffix.lower() == ".raw":
        raise AudioFileError(path, "headerless (raw) audio; expected WAV, FLAC, AIFF or OGG")
    try:
        file, opened = _open_sound(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(
            path, f"not an audio file that can be read ({reason_of(error)}); expected WAV, FLAC, AIFF, OGG"
        ) from error
    try:
        _check(path, file.channels, file.samplerate)
        if file.frames > _COUNTLESS:
            raise AudioFileError(
                path, "does not say how long it is, as piped streams do; copy it with ffmpeg -i OLD NEW and use that"
            )
        return DecodedSource(path, file, opened), file.format
    except BaseException:
        file.close()
        if opened is not None:
            opened.close()
        raise


def _open_sound(path: Path) -> tuple[soundfile.SoundFile, FileIO | None]:
    """The file by a number of ours, where the system lets a library use it; else by its path, as also where its name
    says more about its format than its bytes do.
    """
    import soundfile

    if sys.platform != "win32":
        opened = FileIO(path)
        try:
            return soundfile.SoundFile(opened.fileno(), closefd=False), opened
        except soundfile.SoundFileError:
            opened.close()
    return soundfile.SoundFile(path), None


def _stored_labels(path: Path, head: bytes, format_: str, channels: int) -> tuple[str, ...]:
    with path.open("rb") as file:
        if format_ not in ("FLAC", "OGG"):
            return apple_labels(file, head, channels) or default_labels(channels)
        mask = _comment_mask(file) if channels > 1 else 0
    if mask:
        return labels_of_mask(mask, channels)
    return vorbis_labels(channels) if format_ == "OGG" else default_labels(channels, FLAC_DEFAULTS)


def _comment_mask(file: BinaryIO) -> int:
    try:
        return max(0, int(read_comments(file)[CHANNEL_MASK][0], 0))
    except (KeyError, ValueError):
        return 0  # no such comment, or one that says nothing
