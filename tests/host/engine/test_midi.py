"""MIDI devices of an engine: opened when a patch asks for them, timed by the sound, missed in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mido
import numpy as np
import pytest

from graph import Patch
from host.devices.null import NullDevice
from host.engine.player import LivePlayer
from host.midi import inputs
from host.native.events import LOST
from host.native.state import CLOCK
from nodes.dsp.arrivals import CLOCK_DELAY, CLOCK_FRAME, CLOCK_NS, ITEMS, WRITTEN

from .conftest import until

RATE = 48000


class Backend:
    """One device, whose keys a test presses."""

    press: Callable[[mido.Message], None]

    def get_input_names(self) -> list[str]:
        return ["Grand Piano"]

    def open_input(self, name: str, callback: Callable[[mido.Message], None]) -> Backend:
        assert name == "Grand Piano"
        self.press = callback
        return self

    def close(self) -> None:
        """Nothing comes any more."""


def patch() -> Patch:
    made = Patch("Keys", RATE)
    made.add("keys", "midi_in", {"device": "piano"})
    made.add("out", "audio_out")
    return made


@pytest.fixture
def player() -> Iterator[tuple[LivePlayer, list[str]]]:
    told: list[str] = []
    made = LivePlayer(RATE, lambda flow, first, count: list(range(first, first + count)), told.append)
    yield made, told
    made.close()


def play(player: LivePlayer, given: Patch, folder: Any) -> None:
    player.set_patch(1, given, folder)
    until(lambda: player.step() >= 0 and player.outcome() is not None)


def test_a_device_is_heard_as_soon_as_a_patch_asks_for_it(player, tmp_path, monkeypatch):
    made, told = player
    backend = Backend()
    monkeypatch.setattr(inputs, "why_none", lambda: "")
    monkeypatch.setattr(inputs, "system_backend", lambda: backend)
    play(made, Patch("Nothing", RATE), tmp_path)
    assert not told
    play(made, patch(), tmp_path)
    until(lambda: made.step() >= 0 and told)
    assert told == ["The MIDI device 'Grand Piano' is heard."]
    backend.press(mido.Message("note_on", note=60, velocity=1))
    assert made._midi is not None
    ring = made._midi.ring("keys", "piano")
    assert ring[WRITTEN] == 1
    assert ring[ITEMS + 1] == 0x90 | 60 << 8 | 1 << 16
    made.running(True)
    device = NullDevice(made.renderer, inputs=0, outputs=2, rate=RATE, block=256, paced=False, limit=4096)
    device.start()
    until(lambda: made.step() >= 0 and device.wait(0.0))
    device.stop()
    made.running(False)
    clock = made.renderer.words[CLOCK:]
    assert clock[CLOCK_FRAME] == 4096 - 256
    assert clock[CLOCK_DELAY] >= 256
    assert abs(clock[CLOCK_NS] - ring[ITEMS]) < 60e9, "both by one clock"


def test_a_machine_without_midi_says_so_once_and_plays_on(player, tmp_path, monkeypatch):
    made, told = player
    monkeypatch.setattr(inputs, "why_none", lambda: "There is no MIDI here.")
    play(made, patch(), tmp_path)
    for _ in range(10):
        made.step()
    assert told == ["There is no MIDI here."]
    made.renderer.process(None, np.zeros((256, 2), np.float32))


def test_events_that_were_lost_are_told(player, tmp_path):
    made, told = player
    play(made, Patch("Nothing", RATE), tmp_path)
    made.renderer.context[LOST] = 7
    made.step()
    made.renderer.context[LOST] = 9
    made.step()
    assert told == ["7 events were lost: more came at once than there is room for."]
