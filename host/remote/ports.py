"""MIDI ports of the system, by mido and python-rtmidi; one that is unplugged is taken up again when it is back."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido

from host.remote import machine

SEQUENCER = Path("/dev/snd/seq")
"""Where Linux has its MIDI, if it has any."""
LOOK_S = 2.0
"""Seconds between two looks at which ports there are."""
MOST_WAITING = 4096
"""Messages that wait to be taken; beyond that the oldest go."""
HEARD = frozenset({"control_change", "pitchwheel", "note_on", "note_off"}) | machine.HEARD

_NUMBERS = re.compile(r" ?\d+:\d+$")
"""What ALSA puts behind the name of a port; it changes from one plugging in to the next."""


def why_none(api: str = "") -> str:
    """Why there is no MIDI here, in one sentence; nothing where there is. ``api`` is ``""`` or ``jack``."""
    if api == "" and sys.platform.startswith("linux") and not SEQUENCER.exists():
        return (
            f"There is no MIDI here: the ALSA sequencer, {SEQUENCER}, is missing (try: sudo modprobe snd-seq); "
            "everything else works."
        )
    try:
        _names(_backend(api), "input")
    except (ImportError, OSError, ValueError) as error:
        return f"There is no MIDI here: {str(error)[:200]}; everything else works."
    return ""


def port_names(api: str = "") -> tuple[list[str], list[str]]:
    """The ports to hear and the ports to tell; none where there is no MIDI."""
    if why_none(api):
        return [], []
    backend = _backend(api)
    return _names(backend, "input"), _names(backend, "output")


def _backend(api: str) -> Any:
    return mido.Backend("mido.backends.rtmidi" + ("/UNIX_JACK" if api == "jack" else ""))


def _names(backend: Any, direction: str) -> list[str]:
    return backend.get_input_names() if direction == "input" else backend.get_output_names()


def found_among(wanted: str, names: list[str]) -> str:
    """The port that a name means: that name, that name but for ALSA's numbers, or the first that contains it."""
    plain = _NUMBERS.sub("", wanted)
    for fits in (
        lambda name: name == wanted,
        lambda name: _NUMBERS.sub("", name) == plain,
        lambda name: plain.lower() in name.lower(),
    ):
        for name in names:
            if fits(name):
                return name
    return ""


class Port:
    """A controller by its name, both ways where it has both; as ``MidiInput`` and ``MidiOutput`` of the surface.

    ``notice`` is told in one sentence what happens to it, each thing once.
    """

    def __init__(self, wanted: str, notice: Callable[[str], None], api: str = "", backend: Any = None) -> None:
        self.wanted = wanted
        self._notice = notice
        self._said = ""
        self._backend = backend
        if backend is None:
            reason = why_none(api)
            if reason:
                self._say(reason)
            else:
                self._backend = _backend(api)
        self._waiting: deque[mido.Message] = deque(maxlen=MOST_WAITING)
        self._input: Any = None
        self._output: Any = None
        self._open: dict[str, str] = {}
        self._looked = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether the controller is there to be heard."""
        return self._input is not None

    def step(self, now: float) -> bool:
        """Look from time to time whether it is still, or again, there; whether it has just been opened."""
        if self._backend is None or now - self._looked < LOOK_S:
            return False
        self._looked = now
        try:
            inputs, outputs = _names(self._backend, "input"), _names(self._backend, "output")
            if self._input is not None:
                if self._open["input"] in inputs:
                    return False
                self._say(f"The MIDI controller {self._open['input']!r} is gone; it is taken up again when it is back.")
                self.close()
                return False
            name = found_among(self.wanted, inputs)
            if not name:
                there = ", ".join(inputs) or "none"
                self._say(f"There is no MIDI controller {self.wanted!r} yet; there is: {there}.")
                return False
            self._input = self._backend.open_input(name, callback=self._came)
            self._open = {"input": name}
            answer = name if name in outputs else found_among(name, outputs)
            if answer:
                self._output = self._backend.open_output(answer)
        except OSError as error:
            self.close()
            self._say(f"The MIDI controller {self.wanted!r} cannot be opened: {str(error)[:200]}.")
            return False
        self._say(f"The MIDI controller {name!r} is in use.")
        return True

    def _came(self, message: Any) -> None:
        """Called from the system's MIDI thread: keep what is of use, and nothing that could grow without end."""
        if message.type in HEARD and (message.type != "sysex" or len(message.data) <= machine.LONGEST):
            self._waiting.append(message)

    def iter_pending(self) -> Iterator[mido.Message]:
        """The messages that came, without waiting for more."""
        while self._waiting:
            yield self._waiting.popleft()

    def send(self, msg: mido.Message) -> None:
        """Tell the controller, where it listens."""
        if self._output is not None:
            try:
                self._output.send(msg)
            except OSError as error:
                self._say(f"The MIDI controller {self.wanted!r} cannot be told anything: {str(error)[:200]}.")
                self._output = None

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._notice(text)

    def close(self) -> None:
        """Let the port go."""
        for port in (self._input, self._output):
            if port is not None:
                port.close()
        self._input = self._output = None
        self._open = {}
        self._waiting.clear()
