"""MIDI files on the timeline: what is played when, round and round, and what is set up for a start in the middle."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.spec import Song
from host.native.abi import JUMPS, PLACE
from host.offline import Offline
from host.services import FileServices
from nodes.dsp.chasing import chased, history_of
from nodes.dsp.events import BEND, CONTROL, NOTE_OFF, NOTE_ON, PROGRAM

name = "events_rig"
spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "graph" / "events_rig.py")
assert spec is not None
assert spec.loader is not None
rig = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
spec.loader.exec_module(rig)

RATE, TICK = 48000, 64


def packed(status: int, first: int = 0, second: int = 0) -> int:
    return status | first << 8 | second << 16


def on(note: int) -> int:
    return packed(NOTE_ON, note, 100)


def off(note: int) -> int:
    return packed(NOTE_OFF, note, 64)


def turn(number: int, value: int, channel: int = 0) -> int:
    return packed(CONTROL | channel, number, value)


@dataclass
class Sung(FileServices):
    """One song, under every path."""

    song: Song | None = None

    def read_midi(self, path: str, rate: float) -> Song:
        assert self.song is not None
        return self.song


def world(events: list[tuple[int, int]], frames: int) -> Sung:
    return Sung(Path(), song=Song(np.array(events, np.int64).reshape(-1, 2), frames))


def patch_of(**settings: object) -> Patch:
    patch = Patch(sample_rate=RATE)
    patch.add("song", "midi_file", settings={"path": "a.mid", **settings})
    patch.add("probe", "event_probe")
    patch.connect("song.out", "probe.in")
    return patch


def heard(events: list[tuple[int, int]], frames: int, until: int, **settings: object) -> list[tuple[int, int]]:
    found, lost = rig.heard(patch_of(**settings), until, services=world(events, frames))
    assert lost == 0
    return found


def test_it_begins_where_it_lies_on_the_timeline():
    song = [(0, on(60)), (1000, off(60))]
    assert heard(song, 1000, 4096) == song
    assert heard(song, 1000, 4096, start_s=777 / RATE) == [(777, on(60)), (1777, off(60))]


def test_a_loop_begins_again_on_its_frame_and_ends_what_is_held():
    song = [(10, on(60)), (20, on(61)), (30, off(61))]
    found = heard(song, 1001, 4000, loop=True, start_s=100 / RATE)
    wanted = [(100 + 1001 * lap + frame, event) for lap in range(4) for frame, event in song]
    wanted += [(100 + 1001 * lap, off(60)) for lap in (1, 2, 3)]
    assert found == sorted(each for each in wanted if each[0] < 4000)


def test_a_loop_puts_back_what_the_file_sets_only_later():
    song = [(500, turn(7, 20)), (600, packed(BEND, 0, 0)), (700, turn(1, 99))]
    found = heard(song, 1024, 2048, loop=True)
    assert found[:3] == song
    assert sorted(event for frame, event in found if frame == 1024) == sorted(
        [turn(7, 100), packed(BEND, 0, 64), turn(1, 0)]
    )


class Rolling:
    """A song played by a program whose place on the timeline is set by hand."""

    def __init__(self, events: list[tuple[int, int]], frames: int) -> None:
        services = world(events, frames)
        self.offline = Offline(compile(patch_of(), rig.registry(), services, RATE), services, checked=True)
        self.context = self.offline.program.context
        self.found: list[tuple[int, int]] = []
        self.offline.drains["probe"] = lambda start, part: self.found.extend(
            (start + frame, event) for frame, event in rig.decoded(part)
        )

    def play(self, frames: int, place: int | None = None) -> list[tuple[int, int]]:
        """What is heard from here, or from a place, on: frames from there."""
        if place is not None:
            self.context[PLACE] = place
            self.context[JUMPS] += 1
        began = self.offline.program.time
        self.found.clear()
        for _ in self.offline.run(frames):
            pass
        assert self.offline.program.faults == 0
        return [(frame - began, event) for frame, event in self.found]


def test_at_a_jump_notes_end_then_what_stands_there_is_set_up_then_it_plays_on():
    song = [
        (0, turn(32, 2)),
        (0, turn(0, 1)),
        (0, packed(PROGRAM, 5)),
        (0, turn(7, 50)),
        (0, turn(100, 3)),
        (0, turn(6, 9)),
    ]
    song += [(64, on(60)), (900, packed(BEND, 3, 70)), (1000, turn(7, 90)), (1990, off(60)), (2000, on(70))]
    rolling = Rolling(song, 3000)
    assert rolling.play(512) == song[:7]
    chased_there = [
        turn(0, 1),
        turn(32, 2),
        packed(PROGRAM, 5),
        turn(7, 90),
        turn(100, 3),
        turn(6, 9),
        packed(BEND, 3, 70),
    ]
    found = rolling.play(512, 1984)
    assert found == [(0, off(60)), *((0, event) for event in chased_there), (6, off(60)), (16, on(70))]
    found = rolling.play(64, 0)
    assert found[0] == (0, off(70))
    assert found.index((0, packed(BEND, 0, 64))) < found.index((0, turn(32, 2))), "what comes later is put back first"


def test_many_controllers_are_chased_over_several_ticks_before_the_notes():
    settings = [(k, turn(10 + number, 5, channel)) for k, (channel, number) in enumerate(np.ndindex(16, 60))]
    rolling = Rolling([*settings, (2000, on(60))], 3000)
    rolling.play(64)
    found = rolling.play(2048, 1999)
    assert sorted(event for _, event in found[:-1]) == sorted(event for _, event in settings)
    assert found[-1] == (960 // TICK * TICK, on(60)), "late, but not lost"


numbers = st.sampled_from([0, 1, 7, 64, 121])
controls = st.builds(turn, numbers, st.integers(0, 127), st.integers(0, 1))
bends = st.builds(lambda a, b: packed(BEND | a, 0, b), st.integers(0, 1), st.integers(0, 127))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.one_of(controls, bends)), max_size=30), st.integers(0, 51))
def test_what_stands_at_a_place_is_what_the_last_event_before_it_has_set(written, place):
    """Against playing everything from the beginning."""
    song = sorted(written, key=lambda each: each[0])
    stands: dict[tuple[int, int, int], int] = {}
    for frame, event in song:
        channel = event & 15
        if frame >= place:
            break
        if event & 0xF0 == BEND:
            stands[channel, BEND, 0] = event
        elif event >> 8 & 127 != 121:
            stands[channel, CONTROL, event >> 8 & 127] = event
        else:
            for key in [k for k in stands if k[0] == channel and k[1:] in ((CONTROL, 1), (CONTROL, 64), (BEND, 0))]:
                stands[key] = packed(BEND | channel, 0, 64) if key[1] == BEND else turn(key[2], 0, channel)
    _, slots, history = history_of(np.array(song, np.int64).reshape(-1, 2))
    sent = np.zeros(len(slots), np.int64)
    found = [int(chased(slots, history, sent, k, place)) for k in range(len(slots))]
    assert sorted(event for event in found if event) == sorted(stands.values())


def test_without_a_file_there_is_nothing_and_a_missing_one_is_refused_with_its_place(tmp_path):
    patch = patch_of(path="")
    assert rig.heard(patch, 512) == ([], 0)
    with pytest.raises(PatchError, match=r"none\.mid: No such file") as caught:
        compile(patch_of(path="none.mid"), rig.registry(), FileServices(tmp_path), RATE)
    assert caught.value.place == "nodes.song.settings.path"
