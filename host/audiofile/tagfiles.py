"""Tags in files: read from every format, written into FLAC and OGG (WAV and AIFF get theirs with the header)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from host.audiofile.aiff import aiff_chunks, is_aiff
from host.audiofile.bext import isrc_of_axml, read_bext
from host.audiofile.chunks import body
from host.audiofile.comments import read_comments
from host.audiofile.errors import AudioFileError
from host.audiofile.riff import is_riff, read_wav
from host.audiofile.tags import tags_of_comments, tags_of_id3, tags_of_info


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    from mutagen import MutagenError

    try:
        yield
    except MutagenError as error:
        raise AudioFileError(path, f"its tags cannot be used: {error}") from error
    except OSError as error:
        raise AudioFileError(path, f"cannot be used: {error.strerror}") from error


def read_tags(path: str | os.PathLike[str]) -> dict[str, str]:
    """The tags of a WAV, AIFF, FLAC or OGG file, by the names of `KNOWN_TAGS`; others by their own, in lower case.

    Where a WAV says the same in several places, `bext` goes before `LIST INFO`, and that before `id3 `; an ISRC is
    taken from `id3 `, then `axml`, then `LIST INFO`. A format without tags that we know gives none.

    Raises:
        AudioFileError: missing or unreadable.
    """
    file_path = Path(path)
    if not file_path.is_file():
        raise AudioFileError(path, "no such file")
    with _explained(file_path), file_path.open("rb") as file:
        head = file.read(12)
        if is_riff(head):
            return _wav_tags(file_path)
        if is_aiff(head):
            found = [chunk for chunk in aiff_chunks(file) if chunk.name in (b"ID3 ", b"id3 ")]
            return tags_of_id3(body(file, found[0])) if found else {}
        return tags_of_comments(read_comments(file))


def _wav_tags(path: Path) -> dict[str, str]:
    bext: dict[str, str] = {}
    info: dict[str, str] = {}
    id3: dict[str, str] = {}
    isrc: str | None = None
    with path.open("rb") as file:
        try:
            chunks = read_wav(file).chunks
        except ValueError as error:
            raise AudioFileError(path, str(error)) from error
        for chunk in chunks:
            if chunk.name == b"bext":
                bext = read_bext(body(file, chunk))
            elif chunk.name == b"LIST":
                info |= tags_of_info(body(file, chunk))
            elif chunk.name in (b"id3 ", b"ID3 "):
                id3 = tags_of_id3(body(file, chunk))
            elif chunk.name == b"axml":
                isrc = isrc_of_axml(body(file, chunk))
    tags = id3 | info | bext
    isrc = id3.get("isrc") or isrc
    return tags | {"isrc": isrc} if isrc else tags


def write_comments(path: Path, format_: str, comments: Mapping[str, str]) -> None:
    """Set the Vorbis comments of a FLAC or Ogg Vorbis file to these and no others."""
    from mutagen.flac import FLAC
    from mutagen.oggvorbis import OggVorbis

    with _explained(path):
        file = FLAC(path) if format_ == "FLAC" else OggVorbis(path)
        file.clear()
        for name, value in comments.items():
            file[name] = value
        file.save()


def fix_serial(path: Path) -> None:
    """Give the pages of an Ogg file the serial number 1.

    libsndfile draws it by lot, and equal renders should be equal files.
    """
    from mutagen.ogg import OggPage

    with _explained(path), path.open("r+b") as file:
        while True:
            offset = file.tell()
            try:
                page = OggPage(file)
            except EOFError:
                return
            end = file.tell()
            page.serial = 1
            file.seek(offset)
            file.write(page.write())
            file.seek(end)
