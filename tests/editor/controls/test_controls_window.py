"""MIDI and OSC in a real window: controls learned, used, changed and freed; devices picked. The devices are made up,
the rest is not.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import mido
import pytest

from editor import settings
from graph.document import Patch
from host.remote import wire
from host.remote.mappings import controls_in
from tests.editor.controls.midi_rig import play
from tests.editor.window import DEADLINE_S, RIGHT, Screen, Window

RIG = Path(__file__).parent / "midi_rig.py"


class Desk:
    """A window, and a MIDI controller beside it."""

    def __init__(self, screen: Screen, folder: Path) -> None:
        self.midi = folder / "midi"
        self.midi.mkdir()
        self.file = folder / "rig.json"
        patch = Patch("Rig")
        patch.add("tone", "filter")
        patch.add("keys", "midi_in")
        patch.add("main", "bus")
        patch.connect("tone.out", "main.in")
        patch.save(self.file)
        words = [self.file, "--no-engine"]
        self.window = Window(screen, folder / "window", words, RIG, {"PATCHWRIGHT_TEST_MIDI": str(self.midi)})

    def plug(self, name: str, there: bool = True) -> None:
        device = self.midi / f"{name}.device"
        device.touch() if there else device.unlink()

    def move(self, name: str, number: int, values: list[int], until: Callable[[dict], object], what: str) -> None:
        """Move a knob to and fro until something has come of it."""
        end = monotonic() + DEADLINE_S
        while True:
            for value in values:
                play(self.midi, name, mido.Message("control_change", control=number, value=value))
            if until(self.window.state()):
                return
            assert monotonic() < end, f"{what}\n{self.window.state()['notices']}\n{self.window.log()}"
            sleep(0.05)

    def controls(self) -> list[dict]:
        return self.window.patch().get("metadata", {}).get("controls", [])

    def value(self, node: str, param: str) -> float | None:
        return self.window.patch()["nodes"][node].get("params", {}).get(param)


def choose(window: Window, what: str, name: str) -> None:
    """Open the menu of a param, and take one of its lines; where these are is known from the menu's corner."""
    x, y = window.middle(what)
    window.click((x, y), RIGHT)
    window.settle()
    window.shot(f"control_menu_{name}")
    left, top, _, _ = window.rect(f"menu:param:{name}")
    window.click((x + left + 20, y + top + 6))


@pytest.fixture
def desk(screen: Screen, tmp_path: Path) -> Iterator[Desk]:
    found = Desk(screen, tmp_path)
    yield found
    found.window.discard()


def test_a_control_is_learned_used_changed_and_freed(desk: Desk) -> None:
    window = desk.window
    desk.plug("Knobs")
    desk.plug("Pads")
    choose(window, "knob:tone.freq_hz", "learn")
    window.until(lambda _: window.ask(do="locate", what="learning:heard")["rect"] is not None)
    window.shot("control_learning")
    desk.move("Knobs", 74, [10, 12], lambda _: desk.controls(), "a control is learned")
    assert desk.controls() == [{"from": "cc 1 74", "node": "tone", "param": "freq_hz"}]
    assert window.state()["undo"][-1] == "Learn cc 1 74"
    kept, problem = settings.load(window.folder / "config" / "editor.json")
    assert (kept.controller, problem) == ("Knobs", "")
    # what is learned moves, from where the two meet
    desk.move("Knobs", 74, [0, 127, 127], lambda _: desk.value("tone", "freq_hz") == 24000, "the param follows")
    steps = [name for name in window.state()["undo"] if "controller" in name]
    assert steps, "it is in the history"
    window.click("header:tone")
    window.settle(8)
    window.click("tab:controls")
    window.settle(4)
    window.shot("controls_page")
    # another end of its range, and how it takes over
    window.click("controls:0:high")
    window.key("ctrl+a")
    window.type("2000")
    window.key("Return")
    window.until(lambda _: desk.controls()[0].get("high") == 2000)
    desk.move("Knobs", 74, [0, 127], lambda _: desk.value("tone", "freq_hz") == 2000, "the range is the control's")
    window.click("controls:0:remove")
    window.until(lambda _: not desk.controls(), "it is freed")
    window.click("header:main")
    window.key("ctrl+z")
    window.until(lambda _: len(desk.controls()) == 1, "freeing is undone")
    window.key("ctrl+s")
    window.until(lambda state: not state["dirty"])
    found, problems = controls_in(Patch.load(desk.file).metadata)
    assert [(str(c.source), c.node, c.param, c.high) for c in found] == [("cc 1 74", "tone", "freq_hz", 2000.0)]
    assert not problems
    assert not window.problems()
    window.close()


def test_controls_from_the_inspector_and_the_clipboard_and_osc(desk: Desk) -> None:
    window = desk.window
    desk.plug("Knobs")
    window.click("header:tone")
    window.settle(6)
    choose(window, "inspector:tone.q", "copy")
    window.until(lambda state: any("/tone/q is on the clipboard" in text for _, text in state["notices"]))
    choose(window, "inspector:tone.q", "learn")
    window.settle()
    window.key("Escape")
    window.until(lambda _: window.ask(do="locate", what="learning")["rect"] is None, "it waits no more")
    # OSC: a port of our own
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    window.click("tab:controls")
    window.settle()
    window.double_click("controls:port")
    window.key("ctrl+a")
    window.type(str(port))
    window.key("Return")
    end = monotonic() + DEADLINE_S
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while desk.value("tone", "q") != 5.0:
            sender.sendto(wire.write("/tone/q", 5.0), ("127.0.0.1", port))
            assert monotonic() < end, window.state()["notices"]
            sleep(0.05)
    window.settle(4)
    window.shot("controls_osc")
    assert not window.problems()
    window.close()


def test_a_device_is_picked_and_kept_where_it_is_not_here(desk: Desk) -> None:
    window = desk.window
    desk.plug("Keyboard")
    window.click("header:keys")
    window.settle(6)
    picker = "inspector:keys:device"
    window.click(f"{picker}:refresh")
    window.settle(8)
    x, y = window.middle(picker)
    window.click((x, y))
    window.settle(4)
    window.shot("device_list")
    window.click((x, y + 50))  # the second line: the first device
    window.until(lambda _: window.patch()["nodes"]["keys"].get("settings") == {"device": "Keyboard"}, "it is picked")
    desk.plug("Keyboard", there=False)
    window.click(f"{picker}:refresh")
    window.settle(10)
    window.shot("device_absent")
    assert window.patch()["nodes"]["keys"]["settings"] == {"device": "Keyboard"}
    assert window.ask(do="value", what=picker)["value"] == "Not here: Keyboard"
    assert not window.problems()
    window.close()
