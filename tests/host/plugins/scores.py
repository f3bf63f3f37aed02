"""MIDI files for the tests, written by mido, and what the test plugin makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mido
import numpy as np

from graph.compiler import compile
from graph.document import Patch
from host.offline import run_arrays
from host.plugins.choose import Backend, choose
from host.plugins.description import Description, plain
from host.plugins.link import Link
from host.services import FileServices
from nodes import kinds

from .c.build import build, uid
from .rig import RATE

TICKS = 24000
"""Of a quarter note, so that at 120 a minute and 48 kHz a tick of the file is a frame."""
PLUGIN = "Foretold"
FRAMES = 8192

Score = Iterable[tuple[int, mido.Message | mido.MetaMessage]]
"""Messages and the frame of each."""


def write(path: Path, *tracks: Score, ticks: int = TICKS) -> Path:
    """A file with a track for each score."""
    file = mido.MidiFile(ticks_per_beat=ticks, type=1 if len(tracks) > 1 else 0)
    for score in tracks:
        track = mido.MidiTrack()
        file.tracks.append(track)
        before = 0
        for at, message in score:
            track.append(message.copy(time=at - before))
            before = at
    file.save(path)
    return path


def note(start: int, end: int, pitch: int, velocity: int = 100, channel: int = 0) -> list[tuple[int, mido.Message]]:
    """A note, from a frame to a frame."""
    on = mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)
    return [(start, on), (end, mido.Message("note_off", note=pitch, channel=channel))]


def by_frame(*notes: list[tuple[int, mido.Message]]) -> list[tuple[int, mido.Message]]:
    """Several, in order."""
    return sorted((item for each in notes for item in each), key=lambda item: item[0])


def levels(notes: Iterable[tuple[int, int, int, int]], frames: int, delay: int = 0) -> np.ndarray:
    """What the test plugin makes of notes (start, end, pitch, velocity): a level for each while it is held."""
    found = np.zeros(frames, np.float32)
    for start, end, pitch, velocity in sorted(notes, key=lambda each: each[2]):
        level = np.float32(velocity / 127) * np.float32(pitch / 128)
        found[start + delay : end + delay] += level
    return found


def described(backend: Backend = "native", **macros: object) -> tuple[Description, dict[str, Any]]:
    """The test plugin in one of its behaviours, as a finder gives it."""
    bundle = build(**macros)
    description = choose(bundle, uid(), order=[backend]).description
    where = {"path": str(bundle), "uid": description.uid, "backend": backend, "format": "vst3"}
    return description, {**where, "description": plain(description)}


def real_link(plugins: Mapping[str, Mapping[str, object]], **options: Any) -> Link:
    """A link to test plugins: the macros of each, by the name that patches call it."""
    found = {name: described(**macros) for name, macros in plugins.items()}
    return Link(**{"finder": lambda settings: found[settings["name"]], **options})


def playing(path: str = "a.mid", name: str = PLUGIN) -> Patch:
    """A MIDI file -> an instrument -> out."""
    patch = Patch(sample_rate=RATE)
    patch.add("song", "midi_file", settings={"path": path})
    patch.add("synth", "plugin", settings={"name": name})
    patch.add("out", "audio_out")
    patch.connect("song.out", "synth.events")
    patch.connect("synth.out", "out.in")
    return patch


def played(patch: Patch, link: Link, folder: Path, source: np.ndarray | None = None, **options: Any) -> np.ndarray:
    """What the output of a patch has, rendered."""
    services = FileServices(folder, link)
    schedule = compile(patch, kinds(), services, RATE)
    if link.settle():
        schedule = compile(patch, kinds(), services, RATE)
    inputs = {} if source is None else {"in": source}
    found, program = run_arrays(schedule, services, FRAMES, inputs, **{"block": link.block, **options})
    link.check()
    assert program.faults == 0
    return found["out"]
