"""MIDI from devices: on which frame it is heard, and what becomes of devices that come and go. The devices are fakes;
the ring, the clock and the kernel are not.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.spec import helper
from host.midi import inputs as midi_inputs
from host.midi.inputs import Inputs
from host.midi.ring import LIVE_EVENTS, RingWriter, new_ring
from host.native.pace import CLOCK_WORDS, keep_time
from host.native.program import native
from host.offline import Offline
from host.remote.ports import LOOK_S
from host.services import FileServices
from nodes.dsp.arrivals import CLOCK_DELAY, CLOCK_FRAME, CLOCK_NS, ITEMS, WRITTEN
from nodes.dsp.events import NOTE_OFF, NOTE_ON, RELEASE

name = "events_rig"
spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / "graph" / "events_rig.py")
assert spec is not None
assert spec.loader is not None
rig = sys.modules.setdefault(name, importlib.util.module_from_spec(spec))
spec.loader.exec_module(rig)

RATE = 48000
NS = 10**9
BEGAN = 1_000 * NS


class Keyboard:
    """Something that nodes hear: what is put in is heard by a clock that is set by hand."""

    def __init__(self, delay: int = 0, size: int = LIVE_EVENTS) -> None:
        self.clock = np.zeros(CLOCK_WORDS, np.int64)
        self.clock[[CLOCK_NS, CLOCK_FRAME, CLOCK_DELAY]] = BEGAN, 0, delay
        self.made = new_ring(size, self.clock.ctypes.data)
        self.writer = RingWriter(self.made)

    def ring(self, node: str, device: str) -> np.ndarray:
        return self.made

    def put(self, event: int, frame: float) -> None:
        """An event that came in when a frame began, or a part of one later."""
        self.writer.put(event, BEGAN + round(frame * NS / RATE))


def listening(keyboard: Keyboard, block: int) -> tuple[Offline, list[tuple[int, int]]]:
    """A patch that hears it, and what it has heard."""
    patch = Patch(sample_rate=RATE)
    patch.add("keys", "midi_in")
    patch.add("probe", "event_probe")
    patch.connect("keys.out", "probe.in")
    services = FileServices(Path(), midi=keyboard)
    offline = Offline(compile(patch, rig.registry(), services, RATE), services, block, checked=True)
    found: list[tuple[int, int]] = []
    offline.drains["probe"] = lambda start, part: found.extend(
        (start + frame, event) for frame, event in rig.decoded(part)
    )
    for _ in offline.run(64):
        pass
    return offline, found


def on(note: int) -> int:
    return NOTE_ON | note << 8 | 100 << 16


@pytest.mark.parametrize("block", [64, 512, 1024])
def test_what_comes_in_is_heard_a_constant_time_later_whatever_the_block(block):
    keyboard = Keyboard(delay=1100)
    offline, found = listening(keyboard, block)
    given = [(100 + 37 * k, on(k % 128)) for k in range(200)]
    for frame, event in given:
        keyboard.put(event, frame + 0.4)
    for _ in offline.run(16384):
        pass
    assert found == [(frame + 1100, event) for frame, event in given]
    assert offline.program.faults == 0


def test_nobody_hears_what_was_played_before_and_what_comes_too_late_is_heard_at_once():
    keyboard = Keyboard()
    keyboard.put(on(1), 10)
    offline, found = listening(keyboard, 64)
    keyboard.put(on(2), 20)
    keyboard.put(on(3), 64 + 3)
    for _ in offline.run(256):
        pass
    assert found == [(64, on(2)), (67, on(3))]


def test_who_falls_behind_lets_all_notes_go():
    keyboard = Keyboard(size=16)
    offline, found = listening(keyboard, 64)
    keyboard.put(on(60), 70)
    for _ in offline.run(64):
        pass
    for k in range(40):
        keyboard.put(on(k), 200 + k)
    for _ in offline.run(512):
        pass
    assert found[0] == (70, on(60))
    assert [event for _, event in found[1:]] == [NOTE_OFF | 60 << 8 | 64 << 16]


def test_a_clock_does_not_tremble_with_the_calls_it_follows():
    """Calls that are late by chance, of a device whose rate is not quite what it says."""
    clock, rng = np.zeros(CLOCK_WORDS, np.int64), np.random.default_rng(3)
    frames, true_rate = 256, RATE * (1 + 50e-6)
    off: list[float] = []
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(native(_keep_at_48k, 4))
    for k in range(12000):
        ideal, late = BEGAN + k * frames * NS / true_rate, rng.exponential(5.0)
        call(clock.ctypes.data, k * frames, frames, round(ideal + late * NS / RATE))
        off.append((clock[CLOCK_NS] - (BEGAN + clock[CLOCK_FRAME] * NS / true_rate)) * RATE / NS)
    settled = np.array(off[6000:])
    assert settled.std() < 1.0, "frames, where the calls tremble by five"
    assert abs(settled.mean() - 5.0) < 1.0, "the mean of what they are late"
    assert clock[CLOCK_DELAY] >= frames


@helper
def _keep_at_48k(clock, frame, frames, now):
    keep_time(clock, frame, frames, 48000.0, now)


@dataclass
class FakeMidi:
    """Devices that are there because a test says so; as a backend of mido."""

    names: list[str] = field(default_factory=list[str])
    opened: dict[str, Callable[[Any], None]] = field(default_factory=dict[str, Callable[[Any], None]])
    broken: set[str] = field(default_factory=set[str])

    def get_input_names(self) -> list[str]:
        return list(self.names)

    def open_input(self, name: str, callback: Callable[[Any], None]) -> Any:
        if name in self.broken:
            raise OSError("busy")
        assert name not in self.opened, "a device is opened once"
        self.opened[name] = callback
        midi = self

        class Open:
            def close(self) -> None:
                del midi.opened[name]

        return Open()

    def play(self, name: str, message: mido.Message) -> None:
        self.opened[name](message)


def events(ring: np.ndarray) -> list[int]:
    """All that was ever put into a ring that nothing has gone round in."""
    return ring[ITEMS + 1 : ITEMS + 1 + 2 * ring[WRITTEN] : 2].tolist()


@pytest.fixture
def stage() -> tuple[FakeMidi, Inputs, list[str], Callable[[], None]]:
    """Fake devices, what hears them, what was said, and a function that looks again."""
    midi, told = FakeMidi(["Keys 20:0", "Pads 24:0"]), list[str]()
    heard = Inputs(0, told.append, midi)
    now = [0.0]

    def look() -> None:
        now[0] += LOOK_S
        heard.step(now[0])

    return midi, heard, told, look


NOTE = mido.Message("note_on", note=60, velocity=100)
PACKED = NOTE_ON | 60 << 8 | 100 << 16


def test_a_device_is_opened_once_for_all_who_hear_it(stage):
    midi, heard, told, look = stage
    keys, again, everything = heard.ring("a", "keys"), heard.ring("b", "keys"), heard.ring("c", "")
    assert keys is again
    look()
    assert sorted(midi.opened) == ["Keys 20:0", "Pads 24:0"]
    midi.play("Keys 20:0", NOTE)
    midi.play("Pads 24:0", mido.Message("program_change", channel=3, program=7))
    midi.play("Pads 24:0", mido.Message("sysex", data=[1, 2]))
    midi.play("Pads 24:0", mido.Message("clock"))
    assert events(keys) == [PACKED]
    assert events(everything) == [PACKED, 0xC3 | 7 << 8]
    assert told == ["The MIDI device 'Keys 20:0' is heard.", "The MIDI device 'Pads 24:0' is heard."]


def test_what_a_device_held_ends_when_it_goes_and_it_is_heard_again_when_it_is_back(stage):
    midi, heard, told, look = stage
    ring = heard.ring("a", "Keys")
    look()
    midi.play("Keys 20:0", NOTE)
    midi.names.remove("Keys 20:0")
    look()
    assert events(ring) == [PACKED, RELEASE]
    midi.names.append("Keys 21:0")
    look()
    midi.play("Keys 21:0", NOTE)
    assert events(ring) == [PACKED, RELEASE, PACKED]
    assert [text.split(":")[0] for text in told if "gone" in text] == ["The MIDI device 'Keys 20"]


def test_a_device_that_nobody_hears_any_more_is_closed(stage):
    midi, heard, _, look = stage
    ring = heard.ring("a", "Pads")
    look()
    assert list(midi.opened) == ["Pads 24:0"]
    del ring
    look()
    assert not midi.opened


def test_what_is_missing_or_busy_is_said_once(stage):
    midi, heard, told, look = stage
    rings = heard.ring("a", "Organ"), heard.ring("b", "Keys")
    midi.broken.add("Keys 20:0")
    look()
    look()
    assert told.count("There is no MIDI device 'Organ' yet; there is: Keys 20:0, Pads 24:0.") == 1
    assert told.count("The MIDI device 'Keys 20:0' cannot be opened: busy.") == 1
    assert len(rings) == 2


def test_without_midi_there_is_one_notice_and_silence(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(midi_inputs, "why_none", lambda: "There is no MIDI here.")
    heard = Inputs(0, told.append)
    ring = heard.ring("a", "")
    for k in range(5):
        heard.step(k * LOOK_S)
    assert told == ["There is no MIDI here."]
    assert events(ring) == []
