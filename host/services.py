"""What kinds may ask of the outside world while a patch is compiled: audio files, relative to the patch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from graph.errors import PatchError
from graph.plugins import OpenedPlugin, PluginAbout, PluginRequest, Words

if TYPE_CHECKING:
    from graph.spec import Node, Song
    from host.plugins.link import Link
    from host.usernodes.loading import Keeper


@dataclass(frozen=True, slots=True)
class FileInfo:
    """An audio file's header."""

    rate: int
    frames: int
    labels: tuple[str, ...]


class MidiSource(Protocol):
    """Somewhere that MIDI comes from."""

    def ring(self, node: str, device: str) -> Words:
        """The ring that a node with this device is to read."""
        ...


def inside(folder: Path, path: str) -> Path:
    """A path that a patch in this folder may write to, links followed. Raises PatchError for any other."""
    if "\0" in path:
        raise PatchError("a path cannot hold a zero character")
    full = (folder / path).resolve()
    if not full.is_relative_to(folder.resolve()):
        raise PatchError(f"a patch writes only inside its own folder, and {path!r} is not")
    return full


@dataclass
class FileServices:
    """Files as seen from a folder, whose headers are read once; and plugins, played where there is a link to them, else
    only looked at.
    """

    folder: Path
    plugins: Link | None = None
    midi: MidiSource | None = None
    """Where MIDI devices are heard; without one they are silent."""
    own: Keeper | None = None
    """What keeps nodes of the user's own in play while their files change; without one, files are as they are."""
    progress: Callable[[int, int], None] | None = None
    """Told how many frames of how many are read of an audio file that is read whole."""
    _songs: dict[tuple[Path, float], tuple[tuple[int, int], Song]] = field(
        default_factory=dict[tuple[Path, float], tuple[tuple[int, int], "Song"]]
    )
    _known: dict[Path, FileInfo] = field(default_factory=dict[Path, FileInfo])

    def locate(self, path: str) -> Path:
        """Where a path of the patch really is."""
        if "\0" in path:
            raise PatchError("a path cannot hold a zero character")
        return self.folder / path

    def audio_info(self, path: str) -> FileInfo:
        """Rate, length and channels. Raises PatchError where there is no such audio file."""
        from host.audiofile import AudioFileError, open_audio

        full = self.locate(path)
        if full not in self._known:
            try:
                with open_audio(full) as reader:
                    self._known[full] = FileInfo(reader.rate, reader.source_frames, reader.labels)
            except AudioFileError as error:
                raise PatchError(str(error)) from None
        return self._known[full]

    def read_audio(self, path: str, rate: float) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
        """A whole file at a rate. Raises PatchError where it cannot be read, or is too long to hold."""
        from host.audiofile import AudioFileError, read_whole

        try:
            return read_whole(self.locate(path), int(rate), progress=self.progress)
        except AudioFileError as error:
            raise PatchError(str(error)) from None

    def read_midi(self, path: str, rate: float) -> Song:
        """A MIDI file in frames, read again when it has changed. Raises PatchError where it cannot be read."""
        from host.midi.files import MidiFileError, read_song

        full = self.locate(path)
        try:
            stat = full.stat()
            stamp = stat.st_mtime_ns, stat.st_size
            known = self._songs.get((full, rate))
            if known is None or known[0] != stamp:
                known = self._songs[full, rate] = stamp, read_song(full, rate)
        except OSError as error:
            raise PatchError(f"{full}: {error.strerror}") from None
        except MidiFileError as error:
            raise PatchError(str(error)) from None
        return known[1]

    def midi_input(self, node: str, device: str) -> Words:
        """Where a MIDI device is heard by a node."""
        from host.midi.ring import new_ring

        return new_ring(1) if self.midi is None else self.midi.ring(node, device)

    def user_node(self, path: str) -> type[Node]:
        """The class in a file of the user's. Raises PatchError where there is none, or it is not trusted."""
        from host.usernodes.loading import trusted_kind

        return trusted_kind(path, self.folder) if self.own is None else self.own.kind(path, self.folder)

    def plugin(self, settings: Mapping[str, Any]) -> PluginAbout:
        """What is known of the plugin that a node's settings name. Raises PatchError."""
        if self.plugins is not None:
            return self.plugins.describe(settings)
        from host.plugins.finding import from_store

        return from_store(settings)[0]

    def version_words(self, settings: Mapping[str, Any]) -> str:
        """What to say where a plugin has another version than settings name. Raises PatchError where it is missing."""
        from host.plugins.finding import from_store, version_words

        found = self.plugins.description(settings) if self.plugins is not None else from_store(settings)[0]
        return version_words(settings, found)

    def open_plugin(self, request: PluginRequest) -> OpenedPlugin:
        """Begin to load a plugin; without a link, only say how late it is known to be. Raises PatchError."""
        if self.plugins is not None:
            return self.plugins.open(request)
        return OpenedPlugin(0, self.plugin(request.settings).latency_frames)

    def plugin_words(self, number: int) -> Words:
        """Where native code hands audio over to it. Raises PatchError where nothing is to be played."""
        if self.plugins is None:
            raise PatchError("plugins are not played here")
        return self.plugins.words(number)
