"""Tags: one set of names for every format.

| format | where |
|---|---|
| WAV | `LIST INFO` (UTF-8), the same as `id3 ` for readers that know only that; `bext` for the broadcast fields |
| AIFF | an `ID3 ` chunk (2.4); names without a frame of their own as `TXXX` |
| FLAC, OGG | Vorbis comments; any further name is allowed |

The ISRC of a WAV goes to three places, because no two readers look in the same one: `axml` (EBU Tech 3352: BWF
MetaEdit and mastering workstations), `TSRC` in the `id3 ` chunk (ffmpeg, taggers, players), and `ISRC` in `LIST
INFO`, which is officially the *source* but is what many tools show as the ISRC. `time_reference` is in samples since
midnight, at the file's rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

from host.audiofile.bext import BEXT_KEYS, WIDTHS, axml_chunk, bext_chunk, text_of
from host.audiofile.chunks import chunk_bytes
from host.audiofile.comments import CHANNEL_MASK

_MAX_VALUE = 64 << 10


class _Place(NamedTuple):
    info: str | None
    frame: str | None
    comment: str


_PLACES = {
    "title": _Place("INAM", "TIT2", "TITLE"),
    "artist": _Place("IART", "TPE1", "ARTIST"),
    "album": _Place("IPRD", "TALB", "ALBUM"),
    "album_artist": _Place(None, "TPE2", "ALBUMARTIST"),
    "composer": _Place("IMUS", "TCOM", "COMPOSER"),
    "track": _Place("ITRK", "TRCK", "TRACKNUMBER"),
    "disc": _Place(None, "TPOS", "DISCNUMBER"),
    "genre": _Place("IGNR", "TCON", "GENRE"),
    "date": _Place("ICRD", "TDRC", "DATE"),
    "comment": _Place("ICMT", "COMM", "COMMENT"),
    "copyright": _Place("ICOP", "TCOP", "COPYRIGHT"),
    "isrc": _Place("ISRC", "TSRC", "ISRC"),
    "publisher": _Place("IPUB", "TPUB", "PUBLISHER"),
    "engineer": _Place("IENG", None, "ENGINEER"),
    "encoder": _Place("ISFT", "TSSE", "ENCODER"),
    "language": _Place("ILNG", "TLAN", "LANGUAGE"),
    "keywords": _Place("IKEY", None, "KEYWORDS"),
    "subject": _Place("ISBJ", None, "SUBJECT"),
}
KNOWN_TAGS = (*_PLACES, *BEXT_KEYS)

_KEY_OF_INFO = {place.info: key for key, place in _PLACES.items()} | {"IPRT": "track", "IENC": "encoder"}
_KEY_OF_FRAME = {place.frame: key for key, place in _PLACES.items() if place.frame}
_KEY_OF_COMMENT = {place.comment: key for key, place in _PLACES.items()}

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_FORMS = {
    "origination_date": (re.compile(r"\d{4}[-_:. ]\d\d[-_:. ]\d\d"), "like 2024-05-31"),
    "origination_time": (re.compile(r"\d\d[-_:. ]\d\d[-_:. ]\d\d"), "like 23:59:59"),
    "umid": (re.compile(r"([0-9a-f]{64}|[0-9a-f]{128})"), "32 or 64 bytes in hexadecimal"),
}


def checked_tags(tags: Mapping[str, str], format_: str, time_reference: int | None = None) -> dict[str, str]:
    """Tags with their names in lower case and their values checked, ready to be written.

    Args:
        format_: "WAV", "AIFF", "FLAC" or "OGG".
        time_reference: samples since midnight, if not already among the tags.

    Raises:
        ValueError: an unknown name (WAV, AIFF), or a value that does not fit its place; says which and what was
        expected.
    """
    given = dict(tags)
    if time_reference is not None:
        given.setdefault("time_reference", str(time_reference))
    checked: dict[str, str] = {}
    for name, value in given.items():
        key = name.strip().lower()
        if key in checked:
            raise ValueError(f"the tag {key!r} is given twice")
        _check_name(key, format_)
        value = _checked_value(key, value)
        if value:
            checked[key] = value
    if time_reference is not None and checked["time_reference"] != str(time_reference):
        raise ValueError(
            f"the tag time_reference ({checked['time_reference']}) is not the file's own ({time_reference})"
        )
    return checked


def _check_name(key: str, format_: str) -> None:
    if key in KNOWN_TAGS:
        return
    if format_ not in ("FLAC", "OGG"):
        raise ValueError(f"{format_} has no place for a tag {key!r}; there are {', '.join(KNOWN_TAGS)}")
    if not key or not all(" " <= char <= "}" and char != "=" for char in key) or key.upper() == CHANNEL_MASK:
        raise ValueError(f"{key!r} cannot name a tag; expected printable ASCII without '='")


def _checked_value(key: str, value: str) -> str:
    if "\0" in value or len(value) > _MAX_VALUE:
        raise ValueError(
            f"the tag {key!r} cannot hold this value; expected text of at most {_MAX_VALUE} characters, no NUL"
        )
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the tag {key!r} is not valid Unicode text") from None
    if key == "isrc":
        plain = value.replace("-", "").replace(" ", "").upper()
        if not _ISRC.fullmatch(plain):
            raise ValueError(f"{value!r} is not an ISRC; expected two letters, three letters or digits, seven digits")
        return plain
    if key == "time_reference":
        if not (value.isascii() and value.isdigit()) or int(value) >= 1 << 64:
            raise ValueError(f"time_reference {value!r} is not a number of samples since midnight (0 to 2^64 - 1)")
        return str(int(value))
    if key == "umid":
        value = value.lower()
    if key in _FORMS and not _FORMS[key][0].fullmatch(value):
        raise ValueError(f"{key} {value!r} does not have its form; expected {_FORMS[key][1]}")
    if len(encoded) > WIDTHS.get(key, len(encoded)):
        raise ValueError(f"{key} is {len(encoded)} bytes long; it holds at most {WIDTHS[key]}")
    return value


def wav_chunks(tags: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Checked tags as the chunks of a WAV: names and contents, empty ones left out."""
    info = b""
    for key, place in _PLACES.items():
        if place.info and key in tags:
            info += chunk_bytes(place.info.encode(), tags[key].encode() + b"\0", "little")
    general = {key: value for key, value in tags.items() if key in _PLACES}
    chunks = [
        (b"bext", bext_chunk(tags)),
        (b"LIST", b"INFO" + info if info else b""),
        (b"axml", axml_chunk(tags["isrc"]) if "isrc" in tags else b""),
        (b"id3 ", id3_tag(general) if general else b""),
    ]
    return [(name, content) for name, content in chunks if content]


def aiff_tag_chunks(tags: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Checked tags as the chunks of an AIFF."""
    return [(b"ID3 ", id3_tag(tags))] if tags else []


def id3_tag(tags: Mapping[str, str]) -> bytes:
    """An ID3v2.4 tag, without padding."""
    from mutagen import id3

    tag = id3.ID3()
    for key, value in tags.items():
        frame = _PLACES[key].frame if key in _PLACES else None
        if frame == "COMM":
            tag.add(id3.COMM(encoding=3, lang="eng", desc="", text=[value]))
        elif frame is None or (frame == "TDRC" and str(id3.ID3TimeStamp(value)) != value):
            tag.add(id3.TXXX(encoding=3, desc=key, text=[value]))
        else:
            tag.add(id3.Frames[frame](encoding=3, text=[value]))
    buffer = BytesIO()
    tag.save(buffer, v1=0, v2_version=4, padding=lambda _: 0)
    return buffer.getvalue()


def comment_name(key: str) -> str:
    """The Vorbis comment that holds a tag."""
    return _PLACES[key].comment if key in _PLACES else key.upper()


def tags_of_info(content: bytes) -> dict[str, str]:
    """Tags of a `LIST` chunk's content; none unless it is an `INFO` list. `ISRC` counts only when it is an ISRC."""
    if content[:4] != b"INFO":
        return {}
    tags: dict[str, str] = {}
    offset = 4
    while offset + 8 <= len(content):
        size = int.from_bytes(content[offset + 4 : offset + 8], "little")
        name = text_of(content[offset : offset + 4])
        value = text_of(content[offset + 8 : offset + 8 + size]).strip()
        key = _KEY_OF_INFO.get(name)
        if key == "isrc" and not _ISRC.fullmatch(value):
            key = "source"
        if key and value:
            tags.setdefault(key, value)
        offset += 8 + size + (size & 1)
    return tags


def tags_of_id3(content: bytes) -> dict[str, str]:
    """Tags of an ID3v2 tag; one that mutagen cannot read gives none."""
    from mutagen import id3

    try:
        tag = id3.ID3(BytesIO(content))
    except Exception:  # mutagen raises whatever its parser stumbles over, and damaged tags must not cost the sound
        return {}
    tags: dict[str, str] = {}
    for frame in tag.values():
        if frame.FrameID == "TXXX":
            key = str(frame.desc).lower()
        else:
            key = _KEY_OF_FRAME.get(frame.FrameID)
        if key:
            tags.setdefault(key, "; ".join(str(text) for text in frame.text))
    return tags


def tags_of_comments(comments: Mapping[str, list[str]]) -> dict[str, str]:
    """Tags from Vorbis comments (names in upper case); several values are joined."""
    return {
        _KEY_OF_COMMENT.get(name, name.lower()): "; ".join(values)
        for name, values in comments.items()
        if name != CHANNEL_MASK
    }
