"""Audio files: read at any rate in our channel order, written whole, with channel masks and tags.

`open_audio` and `read_whole` read, `create_audio` writes, `read_tags` reads tags. All stream in constant memory.
"""

from __future__ import annotations

from host.audiofile.errors import AudioFileError
from host.audiofile.reader import AudioReader, open_audio, read_whole
from host.audiofile.tagfiles import read_tags
from host.audiofile.tags import KNOWN_TAGS
from host.audiofile.writer import FORMATS, SUBTYPES, AudioWriter, create_audio

__all__ = [
    "FORMATS",
    "KNOWN_TAGS",
    "SUBTYPES",
    "AudioFileError",
    "AudioReader",
    "AudioWriter",
    "create_audio",
    "open_audio",
    "read_tags",
    "read_whole",
]
