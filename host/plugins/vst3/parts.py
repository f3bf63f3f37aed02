"""The two halves of a VST3 plugin, processor and controller, made, joined and taken apart in the published order."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_int32, c_void_p

from host.plugins.errors import PluginError
from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.module import Module, PluginClass, host
from host.plugins.vst3.objects import Handler, Stream


class Parts:
    """A plugin's component, its audio processor and, where it has one, its controller."""

    processor: Remote

    def __init__(self, module: Module, kind: PluginClass, moved: Callable[[int, bool, float | None], None]) -> None:
        self.name = kind.name or kind.uid
        self.component = module.create(com.iid(kind.uid), com.COMPONENT)
        self.controller: Remote | None = None
        self.mapping: Remote | None = None
        self._own = False
        """Whether the controller is an object of its own."""
        self._ends: tuple[Remote, Remote] | None = None
        self._started: list[Remote] = []
        self._held = [self.component]
        self.handler = Handler(moved)
        try:
            self._join(module)
        except PluginError:
            self.close()
            raise

    def _join(self, module: Module) -> None:
        self._start(self.component)
        self.processor = self._interface(self.component, com.PROCESSOR)
        self._find_controller(module)
        if self.controller is None:
            return
        self.controller.call(com.SET_HANDLER, self.handler.this, types=(c_void_p,))
        self.mapping = self._query(self.controller, com.MIDI_MAPPING)
        if self._own:
            self._connect(self.controller)
            if (data := self.state_of(self.component, com.GET_STATE)) is not None:
                self.give_state(self.controller, com.SET_COMPONENT_STATE, data)

    def _query(self, part: Remote, identifier: bytes) -> Remote | None:
        found = part.query(identifier)
        if found is not None:
            self._held.append(found)
        return found

    def _interface(self, part: Remote, identifier: bytes) -> Remote:
        found = self._query(part, identifier)
        if found is None:
            raise PluginError(f"{self.name} cannot process audio: it has no IAudioProcessor")
        return found

    def _start(self, part: Remote) -> None:
        code = part.call(com.INITIALIZE, host().this, types=(c_void_p,))
        if code != com.OK:
            raise PluginError(f"{self.name} does not start: initialize gave {code}")
        self._started.append(part)

    def _find_controller(self, module: Module) -> None:
        self.controller = self._query(self.component, com.CONTROLLER)
        if self.controller is not None:
            return
        raw = ctypes.create_string_buffer(16)
        if self.component.call(com.CONTROLLER_CLASS, raw, types=(c_void_p,)) != com.OK or not any(raw.raw):
            return
        self.controller = module.create(raw.raw, com.CONTROLLER)
        self._held.append(self.controller)
        self._own = True
        self._start(self.controller)

    def _connect(self, controller: Remote) -> None:
        one, other = self._query(self.component, com.CONNECTION), self._query(controller, com.CONNECTION)
        if one is not None and other is not None:
            self._ends = one, other
            one.call(com.CONNECT, other.this, types=(c_void_p,))
            other.call(com.CONNECT, one.this, types=(c_void_p,))

    def state_of(self, part: Remote, slot: int) -> bytes | None:
        """What ``getState`` of a half writes, or None where it says no."""
        with Stream() as stream:
            code = part.call(slot, stream.this, types=(c_void_p,))
            return bytes(stream.data) if code == com.OK else None

    def give_state(self, part: Remote, slot: int, data: bytes) -> bool:
        """Let a half read a state; whether it says that it could."""
        with Stream(data) as stream:
            return part.call(slot, stream.this, types=(c_void_p,)) == com.OK

    def buses(self, media: int, direction: int) -> int:
        """How many buses there are, at most as many as make sense."""
        return self.component.call(com.BUS_COUNT, media, direction, types=(c_int32, c_int32))

    def close(self) -> None:
        """Take everything apart. The processor must be at rest."""
        if self.controller is not None:
            self.controller.call(com.SET_HANDLER, None, types=(c_void_p,))
        if self._ends is not None:
            one, other = self._ends
            one.call(com.DISCONNECT, other.this, types=(c_void_p,))
            other.call(com.DISCONNECT, one.this, types=(c_void_p,))
        for part in self._started:
            part.call(com.TERMINATE)
        for part in reversed(self._held):
            part.release()
        self.handler.done()
