"""MIDI devices that are heard: each opened once, and again when it is back; what they play goes to every node that
asked for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido

from graph.plugins import Words
from host.midi.ring import LIVE_EVENTS, RingWriter, new_ring
from host.remote.ports import LOOK_S, found_among, why_none
from nodes.dsp.events import RELEASE

Notice = Callable[[str], None]


def system_backend() -> Any:
    """The system's MIDI."""
    return mido.Backend("mido.backends.rtmidi")


class _Listener:
    """A ring, and the device whose events go there."""

    def __init__(self, device: str, ring: Words) -> None:
        self.device = device
        self.said = ""
        self._writer = RingWriter(ring)
        self.put = self._writer.put
        self.ring = self._writer.ring


class _Port:
    """An open device."""

    def __init__(self, backend: Any, name: str) -> None:
        self.listeners: tuple[_Listener, ...] = ()
        self._port = backend.open_input(name, callback=self._came)

    def _came(self, message: Any) -> None:
        """Called from a thread of the system's: hand a channel message on."""
        data = message.bytes()
        if 0x80 <= data[0] < 0xF0 and len(data) <= 3:
            event = data[0] | data[1] << 8 | (data[2] << 16 if len(data) > 2 else 0)
            for listener in self.listeners:
                listener.put(event)

    def close(self) -> None:
        """Let the device go; what it held is ended."""
        self._port.close()
        for listener in self.listeners:
            listener.put(RELEASE)


class Inputs:
    """All devices that nodes hear; as ``MidiSource``. ``step`` must be called from time to time.

    ``clock`` is the address of the clock by which events find their frame; ``notice`` is told in one sentence what is
    missing, each thing once.
    """

    def __init__(self, clock: int, notice: Notice, backend: Any = None) -> None:
        self._clock, self._notice, self._backend = clock, notice, backend
        self._listeners: list[_Listener] = []
        self._ports: dict[str, _Port] = {}
        self._looked = float("-inf")
        self._broken: set[str] = set()
        self._silent = False

    def ring(self, node: str, device: str) -> Words:
        """The ring of a device, the same for all nodes that hear it."""
        for listener in self._listeners:
            found = listener.ring()
            if listener.device == device and found is not None:
                return found
        ring = new_ring(LIVE_EVENTS, self._clock)
        self._listeners.append(_Listener(device, ring))
        self._looked = float("-inf")
        return ring

    def step(self, now: float) -> None:
        """Look, from time to time, which devices are there; open those that are wanted, close those that are not."""
        if now - self._looked < LOOK_S or self._silent:
            return
        self._looked = now
        self._listeners = [listener for listener in self._listeners if listener.ring() is not None]
        if not self._listeners and not self._ports:
            return
        if self._backend is None:
            reason = why_none()
            if reason:
                self._silent = True
                self._notice(reason)
                return
            self._backend = system_backend()
        try:
            names: list[str] = self._backend.get_input_names()
        except OSError as error:
            self._notice(f"MIDI devices cannot be looked for: {str(error)[:200]}.")
            return
        wanted = self._wanted(names)
        for name in [name for name in self._ports if name not in wanted]:
            gone = self._ports.pop(name)
            gone.close()
            if name not in names:
                self._notice(f"The MIDI device {name!r} is gone; it is heard again when it is back.")
        for name, listeners in wanted.items():
            self._open(name, listeners)

    def _wanted(self, names: list[str]) -> dict[str, tuple[_Listener, ...]]:
        """Who hears each device that is there."""
        found: dict[str, tuple[_Listener, ...]] = {}
        for listener in self._listeners:
            name = found_among(listener.device, names) if listener.device else ""
            for heard in names if not listener.device else [name] if name else []:
                found[heard] = (*found.get(heard, ()), listener)
            if listener.device and not name:
                there = ", ".join(names) or "none"
                text = f"There is no MIDI device {listener.device!r} yet; there is: {there}."
                heard = any(listener in port.listeners for port in self._ports.values())
                if text != listener.said and not heard:  # where it was heard, it is said that it is gone
                    self._notice(text)
                listener.said = text
            else:
                listener.said = ""
        return found

    def _open(self, name: str, listeners: tuple[_Listener, ...]) -> None:
        port = self._ports.get(name)
        if port is None:
            try:
                port = self._ports[name] = _Port(self._backend, name)
            except OSError as error:
                if name not in self._broken:
                    self._broken.add(name)
                    self._notice(f"The MIDI device {name!r} cannot be opened: {str(error)[:200]}.")
                return
            self._broken.discard(name)
            self._notice(f"The MIDI device {name!r} is heard.")
        for listener in set(port.listeners) - set(listeners):
            listener.put(RELEASE)
        port.listeners = listeners

    def close(self) -> None:
        """Let all devices go."""
        for port in self._ports.values():
            port.close()
        self._ports.clear()
