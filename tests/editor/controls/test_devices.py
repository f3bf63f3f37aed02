"""MIDI devices to choose from: those that are here, and one that was chosen and is not."""

from __future__ import annotations

from time import monotonic, sleep

import mido

from editor.controls.devices import ALL, MidiDevices, absent, choices, words_for
from editor.controls.ears import Ears
from graph.declare import Setting
from host.remote.learn import pressed
from host.remote.sources import Source
from nodes import kinds

HERE = ["nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", "X-Touch 24:0"]


def test_what_is_wanted_is_always_among_the_choices():
    assert list(choices("", HERE)) == [ALL, *HERE]
    gone = choices("Launchpad", HERE)
    assert list(gone)[-1] == "Not here: Launchpad"
    assert gone[words_for("Launchpad", HERE)] == "Launchpad"
    part = choices("nano", HERE)
    assert list(part)[-1] == f"nano   ({HERE[0]})"
    assert words_for("", HERE) == ALL
    assert words_for(HERE[1], HERE) == HERE[1]
    assert absent("Launchpad", HERE)
    assert not absent("nano", HERE)
    assert not absent("nanoKONTROL2:nanoKONTROL2 MIDI 1 28:0", HERE), "ALSA's numbers change"
    assert not absent("", [])


def test_devices_are_looked_for_aside_and_what_goes_wrong_is_said():
    answers = iter([(["A", "A", "B"], ""), OSError("broken"), ([], "There is no MIDI here.")])

    def look():
        found = next(answers)
        if isinstance(found, OSError):
            raise found
        return found

    devices = MidiDevices(look)
    for names, why in ((("A", "B"), ""), ((), "broken"), ((), "There is no MIDI here.")):
        count = devices.count
        devices.refresh()
        end = monotonic() + 60
        while devices.count == count or devices.looking:
            assert monotonic() < end
            sleep(0.002)
        assert devices.names == names
        assert why in devices.why


def test_which_settings_name_a_device_is_declared():
    found = {
        (name, s.name) for name, kind in kinds().items() for s in kind.settings_declared() if s.type == "midi_device"
    }
    assert found == {("midi_in", "device")}
    setting = Setting("device", "", "midi_device")
    assert setting.check("nano") == "nano"
    assert "MIDI device" in setting.expected


class Backend:
    """Devices that are played by hand."""

    def __init__(self, *names: str) -> None:
        self.names, self.callbacks, self.closed = list(names), {}, []

    def get_input_names(self):
        return self.names

    def get_output_names(self):
        return []

    def open_input(self, name, callback):
        self.callbacks[name] = callback
        backend = self

        class Opened:
            def close(self) -> None:
                backend.closed.append(name)

        return Opened()


def test_the_device_on_which_something_is_moved_is_found():
    backend = Backend("Keys", "Pads")
    ears = Ears(["Keys", "Pads"], lambda: pressed, backend)
    assert ears.step(0.0) is None
    backend.callbacks["Pads"](mido.Message("note_on", channel=9, note=36, velocity=100))
    assert ears.step(0.1) == ("Pads", Source("note", 10, 36))
    ears.close()
    assert sorted(backend.closed) == ["Keys", "Pads"]
