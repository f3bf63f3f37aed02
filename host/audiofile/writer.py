"""Writing audio files: whole under their final name, or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from host.audiofile.aiff import AIFF_LIMIT, aiff_header
from host.audiofile.comments import CHANNEL_MASK
from host.audiofile.errors import AudioFileError
from host.audiofile.riff import RIFF_LIMIT, wav_header
from host.audiofile.sinks import BITS, FlacSink, PcmSink, Sink, VorbisSink
from host.audiofile.sources import MAX_CHANNELS, MAX_RATE, MIN_RATE, Block, reason_of
from host.audiofile.speakers import vorbis_order, wave_order
from host.audiofile.tagfiles import fix_serial, write_comments
from host.audiofile.tags import aiff_tag_chunks, checked_tags, comment_name, wav_chunks

FORMATS = {
    ".wav": "WAV",
    ".wave": "WAV",
    ".bwf": "WAV",
    ".rf64": "WAV",
    ".flac": "FLAC",
    ".aiff": "AIFF",
    ".aif": "AIFF",
    ".aifc": "AIFF",
    ".ogg": "OGG",
    ".oga": "OGG",
}
# The first is the default.
SUBTYPES = {
    "WAV": ("FLOAT", "PCM_24", "PCM_16"),
    "AIFF": ("FLOAT", "PCM_24", "PCM_16"),
    "FLAC": ("PCM_24", "PCM_16"),
    "OGG": ("VORBIS",),
}
_MAX_CHANNELS = {"WAV": MAX_CHANNELS, "AIFF": MAX_CHANNELS, "FLAC": 8, "OGG": MAX_CHANNELS}
_MAX_RATE = {"WAV": MAX_RATE, "AIFF": MAX_RATE, "FLAC": 655_350, "OGG": 200_000}


class AudioWriter:
    """A file in the making, made by `create_audio`. It grows under another name beside its place until `commit`.

    As a context manager it commits at the end of the block, and on any exception (Ctrl-C included) removes what it
    wrote.

    A growing one has its final name from the start, and nothing removes it: it can be read as far as the last
    `update`, whatever happens.

    Attributes:
        path: the final name.
        format: "WAV", "FLAC", "AIFF" or "OGG".
        subtype: "FLOAT", "PCM_16", "PCM_24" or "VORBIS".
        rate: in Hz.
        labels: the channels of the blocks it takes, in their order.
        frames: written so far.
        clipped: samples that did not fit an integer (or Vorbis' full scale) and were limited; always 0 for FLOAT.
    """

    def __init__(
        self,
        path: Path,
        temporary: Path,
        sink: Sink,
        *,
        format: str,
        subtype: str,
        rate: int,
        labels: tuple[str, ...],
        order: list[int] | None,
        comments: Mapping[str, str],
        overwrite: bool,
        growing: bool = False,
    ) -> None:
        self.path = path
        self.format = format
        self.subtype = subtype
        self.rate = rate
        self.labels = labels
        self.frames = 0
        self.clipped = 0
        self._order = order
        self._comments = comments
        self._overwrite = overwrite
        self._growing = growing
        self._temporary = temporary
        self._sink = sink
        # Also runs when the writer is dropped, or at the interpreter's end.
        self._discard = weakref.finalize(self, _remove, sink, None if growing else temporary)

    def write(self, block: Block) -> None:
        """Append frames: float32 [n, channels], in the order of `labels`.

        Raises:
            AudioFileError: the disk is full, the file outgrows its format, or it is already closed.
        """
        if block.ndim != 2 or block.shape[1] != len(self.labels):
            raise ValueError(f"write needs an array [n, {len(self.labels)}], not {list(block.shape)}")
        if not self._discard.alive:
            raise AudioFileError(self.path, "is already closed")
        block = np.asarray(block, np.float32)
        with _explained(self.path):
            self.clipped += self._sink.write(block if self._order is None else block[:, self._order])
        self.frames += len(block)

    def update(self) -> None:
        """Make a growing file readable as it is; in FLAC up to the last whole block. Raises AudioFileError."""
        if self._discard.alive:
            with _explained(self.path):
                self._sink.update(self.frames)

    def keep(self) -> None:
        """End a growing file after a write failed, readable up to that. Raises AudioFileError."""
        if self._discard.detach():
            with _explained(self.path):
                self._sink.keep(self.frames)

    def commit(self) -> None:
        """Complete the file, put it on the disk (fsync) and give it its name. A second call does nothing.

        Raises:
            AudioFileError: it could not be completed; then nothing is left behind, unless it is a growing one.
        """
        if not self._discard.alive:
            return
        try:
            with _explained(self.path):
                self._sink.finish(self.frames)
                if self.format == "FLAC" and self.frames == 0:
                    raise AudioFileError(self.path, "FLAC cannot hold a file without frames")
                if self.format in ("FLAC", "OGG"):
                    write_comments(self._temporary, self.format, self._comments)
                if self.format == "OGG":
                    fix_serial(self._temporary)
                _sync(self._temporary)
                if not self._growing:
                    _rename(self._temporary, self.path, self._overwrite)
        except BaseException:
            self.abort()
            raise
        self._discard.detach()

    def abort(self) -> None:
        """Remove what was written, unless it is committed."""
        self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()


def create_audio(
    path: str | os.PathLike[str],
    rate: int,
    labels: Sequence[str],
    *,
    subtype: str | None = None,
    dither: bool = False,
    tags: Mapping[str, str] | None = None,
    time_reference: int | None = None,
    overwrite: bool = True,
    growing: bool = False,
    seed: int = 0,
    riff_limit: int = RIFF_LIMIT,
) -> AudioWriter:
    """Begin an audio file; its suffix says the format.

    Args:
        path: .wav, .flac, .aiff or .ogg (and their usual variants).
        rate: in Hz.
        labels: the channels of the blocks to come; the file stores them in its own format's order, with a channel mask.
        subtype: FLOAT, PCM_24, PCM_16 (WAV, AIFF; default FLOAT), PCM_24, PCM_16 (FLAC; default PCM_24), VORBIS (OGG).
        dither: triangular dither before rounding to integers; no effect on FLOAT and VORBIS.
        tags: names of `KNOWN_TAGS` (any case), any others too in FLAC and OGG.
        time_reference: the first frame's time, in samples since midnight.
        overwrite: whether a file of that name may be replaced.
        growing: write under the final name from the start, readable after each `update`; never over a file.
        seed: of the dither noise; the same seed gives the same file.
        riff_limit: the RIFF size in bytes above which a WAV becomes RF64.

    Raises:
        AudioFileError: the format cannot hold this, a tag does not fit, or there is no writing there.
    """
    target = Path(path)
    format_ = FORMATS.get(target.suffix.lower())
    if format_ is None:
        raise AudioFileError(
            path, f"cannot tell the format from {target.suffix!r}; expected .wav, .flac, .aiff or .ogg"
        )
    subtype = SUBTYPES[format_][0] if subtype is None else subtype.upper()
    if subtype not in SUBTYPES[format_]:
        raise AudioFileError(path, f"{format_} cannot hold {subtype}; expected {' or '.join(SUBTYPES[format_])}")
    names = tuple(labels)
    if not names or len(set(names)) != len(names):
        raise AudioFileError(path, f"channels need labels, each its own, not {' '.join(names) or 'none'}")
    if len(names) > _MAX_CHANNELS[format_]:
        raise AudioFileError(
            path, f"{format_} holds at most {_MAX_CHANNELS[format_]} channels, this has {len(names)}; write WAV instead"
        )
    if not MIN_RATE <= rate <= _MAX_RATE[format_]:
        raise AudioFileError(path, f"{format_} cannot hold {rate} Hz; expected {MIN_RATE} to {_MAX_RATE[format_]}")
    try:
        checked = checked_tags(tags or {}, format_, time_reference)
    except ValueError as error:
        raise AudioFileError(path, str(error)) from error

    dither_seed = seed if dither else None
    metadata: list[tuple[bytes, bytes]] = []
    comments = {comment_name(key): value for key, value in checked.items()}
    plain = len(names) == 1 or names == ("L", "R")
    mask, order = vorbis_order(names) if format_ == "OGG" else wave_order(names)
    if plain:
        mask = None
    if format_ in ("FLAC", "OGG") and mask:  # FLAC's own 5.1 leaves open whether its surrounds are back or side
        comments[CHANNEL_MASK] = f"0x{mask:04X}"

    def wav(frames: int) -> bytes:
        return wav_header(
            rate=rate,
            channels=len(names),
            bits=BITS[subtype],
            floating=subtype == "FLOAT",
            mask=mask,
            frames=frames,
            metadata=metadata,
            limit=riff_limit,
        )

    def aiff(frames: int) -> bytes:
        return aiff_header(
            rate=rate,
            channels=len(names),
            bits=BITS[subtype],
            floating=subtype == "FLOAT",
            mask=mask or None,
            frames=frames,
            metadata=metadata,
        )

    with _explained(target):
        final, temporary = _place_new(target) if growing else _place(target, overwrite)
        try:
            sink: Sink
            if format_ == "WAV":
                metadata = wav_chunks(checked)
                sink = PcmSink(temporary, wav, subtype, "little", dither_seed, growing=growing)
            elif format_ == "AIFF":
                metadata = aiff_tag_chunks(checked)
                sink = PcmSink(temporary, aiff, subtype, "big", dither_seed, AIFF_LIMIT - len(aiff(0)), growing=growing)
            elif format_ == "FLAC":
                sink = FlacSink(temporary, rate, len(names), subtype, dither_seed)
            else:
                sink = VorbisSink(temporary, rate, len(names))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return AudioWriter(
        final,
        temporary,
        sink,
        format=format_,
        subtype=subtype,
        rate=rate,
        labels=names,
        order=order,
        comments=comments,
        overwrite=overwrite,
        growing=growing,
    )


def _place_new(target: Path) -> tuple[Path, Path]:
    """A file that was not there before, twice: it is written in its place."""
    if not target.parent.is_dir():
        raise AudioFileError(target, f"there is no folder {target.parent}")
    with target.open("xb"):
        pass
    return target, target


def _place(target: Path, overwrite: bool) -> tuple[Path, Path]:
    """The file that is meant (behind links), and an empty temporary one beside it."""
    final = target.resolve()
    if final.exists():
        if not final.is_file():
            raise AudioFileError(target, "exists and is not an ordinary file; it will not be replaced")
        if not overwrite:
            raise AudioFileError(target, "exists; it will not be overwritten")
    if not final.parent.is_dir():
        raise AudioFileError(target, f"there is no folder {final.parent}")
    temporary = final.with_name(f".{final.stem[:40]}-{secrets.token_hex(4)}.part")
    with temporary.open("xb"):
        pass
    if final.exists():
        temporary.chmod(stat.S_IMODE(final.stat().st_mode) | stat.S_IWUSR)
    return final, temporary


def _remove(sink: Sink, temporary: Path | None) -> None:
    try:
        sink.close()
    except OSError:  # a full disk says so again when the last buffer is flushed
        pass
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _rename(temporary: Path, final: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, final)
    elif os.name == "nt":
        os.rename(temporary, final)  # which refuses to replace there
    else:
        os.link(temporary, final)
        temporary.unlink()
    if os.name != "nt":
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioFileError(path, f"cannot be written: {error.strerror}") from error
    except RuntimeError as error:  # libsndfile's
        reason = reason_of(error)
        # It says "System error" where the system refuses it something while it writes, and not what.
        words = "the disk may be full" if reason in ("", "System error") else reason
        raise AudioFileError(path, f"cannot be written: {words}") from error
    except AudioFileError:
        raise
    except ValueError as error:
        raise AudioFileError(path, str(error)) from error
