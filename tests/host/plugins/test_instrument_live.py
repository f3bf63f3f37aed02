"""Instruments played live: the same notes as in a render, and none that hangs, whatever happens to what plays them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mido
import numpy as np
import pytest

from graph.document import Patch
from host.midi.inputs import Inputs
from host.plugins.link import Link
from host.remote.ports import LOOK_S

from .c.build import USABLE, WHY_NOT
from .rig import Stage, until
from .scores import FRAMES, PLUGIN, by_frame, levels, note, played, playing, real_link, write

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)

BLOCK = 4096
HOLD = np.float32(100 / 127) * np.float32(60 / 128)
"""What the plugin makes of note 60 at velocity 100."""
LONG = note(0, 40 * BLOCK, 60)


class Concert(Stage):
    """Plays from the start of the timeline once the plugins are there."""

    def __init__(self, patch: Patch, link: Link, folder: Path) -> None:
        super().__init__(patch, link, block=BLOCK, folder=folder)
        self.patch = patch
        self.live.roll(False)
        nodes = [id for id, entry in patch.nodes().items() if entry.kind == "plugin"]
        self.play_until(lambda: all(link.standing()[id].status == "ready" for id in nodes), "plugins to be there")
        self.play()
        self.go(0)

    def go(self, place: int) -> None:
        """Jump somewhere and play on from there, without a fade."""
        self.live.roll(False)
        self.live.locate(place, 0)
        self.play()
        self.live.roll(True, hard=True)

    def edit(self) -> np.ndarray:
        """Play the patch as it is now; what was heard until all of it was in place."""
        self.conductor.set_patch(self.patch, self.services)
        begin = len(self.heard)
        self.play_until(lambda: not self.conductor.busy, "the edit to be in place")
        return np.concatenate(self.heard[begin:])[:, 0]

    def left(self, blocks: int = 1) -> np.ndarray:
        """The left channel of some blocks."""
        return self.play(blocks)[:, 0]


@contextmanager
def concert(folder: Path, patch: Patch | None = None, plugins: dict[str, dict[str, object]] | None = None, **options):
    with real_link(plugins or {PLUGIN: {"INSTRUMENT": True}}, live=True, block=BLOCK, **options) as link:
        yield Concert(patch or playing(), link, folder)


@pytest.fixture
def held(tmp_path) -> Iterator[Concert]:
    """A long note that has been playing for a while."""
    write(tmp_path / "a.mid", LONG)
    with concert(tmp_path) as stage:
        assert np.all(stage.left(2) == HOLD)
        yield stage


def test_live_is_offline_bit_for_bit(tmp_path):
    notes = [(100, 3000, 60, 100), (1000, 15000, 64, 64), (1000, 4001, 67, 1), (4001, 4002, 67, 127)]
    write(tmp_path / "a.mid", by_frame(*(note(*each) for each in notes)))
    with concert(tmp_path) as stage:
        heard = stage.left(4)
        assert np.allclose(heard, levels(notes, len(heard)), atol=1e-6)
        with real_link({PLUGIN: {"INSTRUMENT": True}}, live=False) as link:
            assert np.array_equal(heard[:FRAMES], played(playing(), link, tmp_path)[:, 0])
        stage.go(0)
        assert np.array_equal(stage.left(4), heard)


def test_notes_end_where_the_transport_stops_and_only_new_ones_begin_after(held):
    held.live.roll(False)
    assert not held.left(2)[64:].any()
    held.live.roll(True)
    assert not held.left().any(), "a note that began before is not begun in its middle"


def test_notes_end_at_a_jump_and_play_on_from_the_new_place(tmp_path):
    write(tmp_path / "a.mid", by_frame(LONG, note(20 * BLOCK, 21 * BLOCK, 100, 127)))
    with concert(tmp_path) as stage:
        stage.play(2)
        stage.live.locate(20 * BLOCK - 1000, 0)
        heard = stage.left(2)
        assert heard[0] == 0
        (there,) = np.flatnonzero(np.diff(heard) > 0)
        assert there + 1 == 512 + 1000, "the transport fades out first"
        assert heard[there + 1] == np.float32(100 / 128)


def test_a_loop_ends_what_sounds_at_its_end_and_begins_again(tmp_path):
    write(tmp_path / "a.mid", by_frame(note(1000, 40 * BLOCK, 60)))
    with concert(tmp_path) as stage:
        stage.live.set_loop(0, 6400)
        heard = stage.left(8)
        t = np.arange(len(heard)) % 6400
        assert np.array_equal(heard, np.where(t >= 1000, HOLD, 0))


def test_controllers_are_chased_after_a_jump(tmp_path):
    """What the file has set before a place holds there, whatever was set further on."""
    gain = [mido.Message("control_change", control=1, value=value) for value in (0, 127)]
    write(tmp_path / "a.mid", [(10 * BLOCK, gain[0]), (20 * BLOCK, gain[1])])
    patch = playing(name="Keys")
    patch.add("in", "audio_in")
    patch.connect("in.out", "synth.in")
    with concert(tmp_path, patch, {"Keys": {}}) as stage:
        for place, loud in ((0, True), (15, False), (25, True), (15, False), (10, False), (20, True)):
            stage.go(place * BLOCK)
            heard = stage.play()
            assert np.array_equal(heard, stage.given[-1]) if loud else not heard.any(), place
            stage.live.roll(False)
            stage.play()
        stage.go(0)
        assert not stage.play().any(), "what the file sets only later goes back to what it is at power-up: 0"


def test_a_cut_cable_ends_its_notes_and_no_others(tmp_path):
    write(tmp_path / "a.mid", LONG)
    write(tmp_path / "b.mid", note(0, 40 * BLOCK, 30, 127))
    patch = playing()
    patch.add("other", "midi_file", settings={"path": "b.mid"})
    patch.connect("other.out", "synth.events")
    with concert(tmp_path, patch) as stage:
        both = HOLD + np.float32(30 / 128)
        assert np.allclose(stage.left(), both)
        stage.patch.disconnect("other.out", "synth.events")
        heard = stage.edit()
        assert set(np.round(heard, 5)) <= {np.round(both, 5), np.round(HOLD, 5)}, "the other note goes on all the while"
        assert np.all(stage.left() == HOLD)
        stage.patch.connect("other.out", "synth.events")
        stage.edit()
        assert np.all(stage.left() == HOLD), "it is heard from its next note on"


@pytest.mark.parametrize("how", ["mute", "remove", "replace"])
def test_notes_end_with_what_plays_them(held, how):
    match how:
        case "mute":
            held.patch.node("song").mute = True
        case "remove":
            held.patch.remove("song")
        case "replace":
            held.patch.node("song").settings["start_s"] = 1000.0
    heard = held.edit()
    assert set(heard) <= {HOLD, np.float32(0)}
    assert not held.left().any()


def test_a_bypassed_plugin_holds_nothing_when_it_is_back(tmp_path):
    write(tmp_path / "a.mid", by_frame(note(0, 6 * BLOCK, 60)))
    patch = playing(name="Keys")
    patch.add("in", "audio_in", level_db=-96.0)
    patch.connect("in.out", "synth.in")
    with concert(tmp_path, patch, {"Keys": {"SINGLE": True}}) as stage:
        assert np.all(stage.left(2) == HOLD)
        stage.patch.node("synth").bypass = True
        stage.edit()
        stage.play(8)
        assert not stage.left().any()
        stage.patch.node("synth").bypass = False
        stage.edit()
        assert not stage.left(2).any()


def test_a_note_off_that_came_while_the_plugin_was_late_is_not_lost(tmp_path):
    """The worker is stopped over the end of the note, so that it misses the block with the note off."""
    write(tmp_path / "a.mid", by_frame(note(0, 6 * BLOCK, 60)))
    with concert(tmp_path) as stage:
        assert np.all(stage.left(2) == HOLD)
        (group,) = stage.link._watch.groups.values()
        assert group.child is not None
        status = Path(f"/proc/{group.child.process.pid}/stat")
        os.kill(group.child.process.pid, signal.SIGSTOP)
        try:
            until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T", "the worker to stand still")
            stage.play(6)
        finally:
            os.kill(group.child.process.pid, signal.SIGCONT)
        assert stage.link.standing()["synth"].missed == 1
        passed = [stage.link.standing()["synth"].passed]

        def answers() -> bool:
            passed.append(stage.link.standing()["synth"].passed)
            return passed[-1] == passed[-2]

        stage.play_until(answers, "the plugin to answer again")
        assert not stage.left(3).any()
        assert passed[-1] == stage.link.standing()["synth"].passed


class Keyboard:
    """A device that is there until it is taken away; as a backend of mido."""

    def __init__(self) -> None:
        self.names = ["Keys"]
        self.play = lambda message: None

    def get_input_names(self) -> list[str]:
        return self.names

    def open_input(self, name: str, callback: Callable[[mido.Message], None]) -> Keyboard:
        self.play = callback
        return self

    def close(self) -> None:
        """Nothing comes any more."""


def test_a_keyboard_is_heard_while_the_transport_stands_and_lets_go_when_it_is_unplugged(tmp_path):
    patch = playing()
    patch.remove("song")
    patch.add("keys", "midi_in", settings={"device": "keys"})
    patch.connect("keys.out", "synth.events")
    keyboard, told, now = Keyboard(), list[str](), 0.0
    with concert(tmp_path, patch) as stage:
        heard = stage.services.midi = Inputs(stage.live.clock, told.append, keyboard)
        stage.conductor.set_patch(patch, stage.services)
        stage.patch.node("keys").settings["device"] = "Key"
        stage.edit()
        heard.step(now)
        stage.live.roll(False)
        stage.play()
        keyboard.play(mido.Message("note_on", note=60, velocity=100))
        stage.play_until(lambda: stage.heard[-1][-1, 0] == HOLD, "the note")
        keyboard.play(mido.Message("note_off", note=60))
        stage.play_until(lambda: stage.heard[-1][-1, 0] == 0, "its end")
        keyboard.play(mido.Message("note_on", note=60, velocity=100))
        stage.play_until(lambda: stage.heard[-1][-1, 0] == HOLD, "another one")
        keyboard.names = []
        heard.step(now + LOOK_S)
        stage.play_until(lambda: stage.heard[-1][-1, 0] == 0, "its end")
    assert [text.partition(";")[0] for text in told] == [
        "The MIDI device 'Keys' is heard.",
        "The MIDI device 'Keys' is gone",
    ]


def test_an_instrument_that_is_removed_and_brought_back_holds_nothing(held):
    """The plugin is kept for a while; what was held in it when it went is over when it is back."""
    hosted = next(iter(held.link._hosted.values()))
    entry = held.patch.node("synth")
    held.patch.remove("synth")
    held.edit()
    assert not held.left(2).any()
    held.patch.put("synth", entry)
    held.patch.connect("song.out", "synth.events")
    held.patch.connect("synth.out", "out.in")
    held.edit()
    assert [h for h in held.link._hosted.values() if h.table is not None] == [hosted]
    assert not held.left(2).any()
