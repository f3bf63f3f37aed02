"""The files of a render: those that feed a patch, and those that it writes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from graph.errors import PatchError
from graph.layouts import LAYOUTS
from graph.schedule import CompiledNode, Schedule
from graph.spec import Song
from host.audiofile import AudioFileError, AudioReader, AudioWriter, create_audio, open_audio
from host.disk.feeds import FileFeed, open_request
from host.midi.files import MidiFileError, read_song
from host.midi.ring import Songs
from host.offline import Feed, Offline
from host.services import FileServices, inside
from host.usernodes.counting import unsound

PathLike = str | os.PathLike[str]


class RenderError(ValueError):
    """Something that was asked of a render cannot be done: one line."""


@dataclass
class RenderFiles:
    """The files of one render. ``stack`` closes the inputs; outputs that are not committed by then go, too."""

    schedule: Schedule
    services: FileServices
    stack: ExitStack
    notes: list[str]
    allow_missing: bool
    feeds: dict[str, Feed] = field(default_factory=dict[str, Feed])
    readers: dict[str, AudioReader] = field(default_factory=dict[str, AudioReader])
    writers: dict[str, AudioWriter] = field(default_factory=dict[str, AudioWriter])

    def open_inputs(self, inputs: Mapping[str, PathLike]) -> int | None:
        """Open what feeds the patch; the last frame that any of it has, or None where nothing is finite."""
        ends: list[int] = []
        device_inputs = {n.id: n for n in self.schedule.nodes if n.kind.kind == "audio_in"}
        midi = [n.id for n in self.schedule.nodes if n.kind.kind == "midi_in"]
        for id in inputs:
            if id not in device_inputs and id not in midi:
                there = ", ".join([*device_inputs, *midi]) or "none"
                raise RenderError(f"there is no audio_in or midi_in node {id!r}; there are {there}")
        ends += self._open_midi(midi, inputs)
        for id, node in device_inputs.items():
            if id not in inputs:
                self.notes.append(f"{id} has no input file: it is silent")
                continue
            reader = self.readers[id] = self.stack.enter_context(open_audio(inputs[id], self.schedule.rate))
            self.feeds[id] = FileFeed(reader, 0, _lanes(reader, node.config.layouts["out"], id))
            ends.append(reader.frames)
        for node in self.schedule.nodes:
            request = node.kind.file(node.config)
            if request is None or not any(p.flow == "out" for p in node.kind.ports(node.config.settings)):
                continue
            path = self.services.locate(request.path)
            try:
                feed = open_request(request, path, self.schedule.rate)
            except AudioFileError as error:
                if not self.allow_missing:
                    raise PatchError(str(error), place=f"nodes.{node.id}.settings.path", node=node.id) from None
                self.notes.append(f"{node.id}: {error}; it is silent")
                continue
            self.stack.callback(feed.close)
            self.readers[node.id] = feed.reader
            feed.lanes = _lanes(feed.reader, node.config.layouts["out"], node.id)
            self.feeds[node.id] = feed
            if not request.loop:
                ends.append(feed.first + feed.reader.frames)
        ends += [end for end in (n.kind.ends_at(n.config) for n in self.schedule.nodes) if end is not None]
        return max(ends, default=None)

    def _open_midi(self, nodes: list[str], inputs: Mapping[str, PathLike]) -> list[int]:
        """Let ``midi_in`` nodes play files; where each ends."""
        songs: dict[str, Song] = {}
        for id in nodes:
            if id not in inputs:
                self.notes.append(f"{id} has no input file: it is silent")
                continue
            try:
                songs[id] = read_song(Path(inputs[id]), self.schedule.rate)
            except MidiFileError as error:
                raise RenderError(str(error)) from None
        self.services.midi = Songs(songs)
        return [song.frames for song in songs.values()]

    def open_outputs(
        self, outputs: Mapping[str, PathLike], subtype: str | None, dither: bool, tags: Mapping[str, str]
    ) -> None:
        """Begin the files that the render writes."""
        device_outputs = {n.id: n for n in self.schedule.nodes if n.kind.kind == "audio_out"}
        recorders = {n.id: n for n in self.schedule.nodes if n.id not in device_outputs and _records(n)}
        for id in outputs:
            if id not in device_outputs:
                raise RenderError(f"there is no audio_out node {id!r}; there are {', '.join(device_outputs) or 'none'}")
        if not outputs and not recorders:
            raise RenderError(f"no output was asked for; the patch has {', '.join(device_outputs) or 'no audio_out'}")
        targets = [os.path.realpath(path) for path in outputs.values()]
        if len(set(targets)) != len(targets):
            raise RenderError("two outputs go to one file")
        for id, path in outputs.items():
            labels = LAYOUTS[device_outputs[id].config.layouts["in"]]
            self.writers[id] = self._create(path, labels, subtype, dither, tags, overwrite=True)
        for id, node in recorders.items():
            request = node.kind.file(node.config)
            assert request is not None
            path = self._inside(request.path, id)
            labels = LAYOUTS[node.config.layouts["in"]]
            self.writers[id] = self._create(path, labels, request.subtype, dither, tags, overwrite=False)
        if dither and not any(writer.subtype in ("PCM_16", "PCM_24") for writer in self.writers.values()):
            found = ", ".join(f"{id} is {writer.subtype}" for id, writer in self.writers.items())
            raise RenderError(
                f"there is nothing to dither, since {found}: dither goes before rounding to PCM_16 or PCM_24"
            )

    def _create(
        self,
        path: PathLike,
        labels: tuple[str, ...],
        subtype: str | None,
        dither: bool,
        tags: Mapping[str, str],
        *,
        overwrite: bool,
    ) -> AudioWriter:
        writer = create_audio(
            path, self.schedule.rate, labels, subtype=subtype, dither=dither, tags=tags, overwrite=overwrite
        )
        self.stack.callback(writer.abort)
        return writer

    def _inside(self, path: str, id: str) -> Path:
        """A recorder's path, which must lie in the patch's own folder."""
        try:
            return inside(self.services.folder, path)
        except PatchError as error:
            raise PatchError(error.message, place=f"nodes.{id}.settings.path", node=id) from None

    def unsound(self, offline: Offline) -> list[tuple[str, int]]:
        """How many samples were NaN or infinite, and where, as far as there were any."""
        found = [(id, reader.scrubbed + offline.unsound.get(id, 0)) for id, reader in self.readers.items()]
        found += unsound(offline.program).items()
        found.append(("feedback loops", offline.program.scrubbed))
        return [(place, count) for place, count in found if count]


def _records(node: CompiledNode) -> bool:
    return node.kind.file(node.config) is not None and not any(
        p.flow == "out" for p in node.kind.ports(node.config.settings)
    )


def _lanes(reader: AudioReader, layout: str, id: str) -> list[int] | None:
    """Which of a file's channels a node's channels hold; None: they are the same."""
    if reader.labels == LAYOUTS[layout]:
        return None
    if len(reader.labels) == 1 and layout == "stereo":
        return [0, 0]
    have = reader.layout or " ".join(reader.labels)
    raise RenderError(f"{reader.path} is {have}, and {id} is {layout}; set the layout of {id}, or convert the file")
