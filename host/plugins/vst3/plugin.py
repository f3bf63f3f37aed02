"""A VST3 plugin, loaded and played by our own host."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from ctypes import c_double, c_int16, c_int32, c_uint8, c_uint32, c_void_p
from pathlib import Path

import numpy as np

from host.plugins import presets
from host.plugins.description import OFF, Arrangement, Bus, Description
from host.plugins.errors import PluginError
from host.plugins.instance import (
    DROPPED,
    FAILED,
    SCRUBBED,
    Block,
    Change,
    Event,
    NativeCall,
    Notice,
    Transport,
    check_buses,
)
from host.plugins.vst3 import com
from host.plugins.vst3.blocks import CC_COUNT
from host.plugins.vst3.describe import (
    NEVER,
    arrange,
    buses_of,
    describe,
    latency_of,
    own_arrangement,
    param_text,
    titles_of,
)
from host.plugins.vst3.layouts import order
from host.plugins.vst3.memory import Memory, Wire
from host.plugins.vst3.module import load
from host.plugins.vst3.parts import Parts
from host.plugins.vst3.staging import Staging
from host.plugins.vst3.window import PluginWindow

LARGEST_BLOCK = 1 << 16
FLUSH = 64
HELD_S, ECHO_S = 60.0, 0.5
"""How long a param is left alone by changes after its knob was taken in hand, and after it was let go."""
TROUBLES = {
    SCRUBBED: "{} samples that were no numbers were replaced with silence",
    DROPPED: "{} changes or events did not fit into their block, or named no param",
    FAILED: "it said of {} blocks that it failed",
}


def classes(path: Path) -> list[str]:
    """The ids of the plugins in a file. Raises PluginError; a plugin may also crash or never come back."""
    return [kind.uid for kind in load(path).classes]


class Vst3Plugin:
    """One instance; see ``PluginInstance`` for what each method promises."""

    description: Description
    arrangement: Arrangement

    def __init__(self, path: Path, uid: str | None = None) -> None:
        module = load(path)
        kind = module.find(uid)
        self._ready = False
        self._staging: Staging | None = None
        self._window: PluginWindow | None = None
        self._places: dict[int, int] = {}
        self._heeded: dict[int, float] = {}
        """What programs turned in the controller, and the processor was not told, by place."""
        self._memory: Memory | None = None
        self._loaded: Parts | None = Parts(module, kind, self._moved)
        try:
            self.description = describe(self._parts, kind)
            self._places = {param.id: place for place, param in enumerate(self.description.params)}
            self._memory = self._make_memory(self._parts)
        except PluginError:
            self._loaded.close()
            raise
        self._counted = dict.fromkeys(TROUBLES, 0)
        self._latency: int | None = None

    def _make_memory(self, parts: Parts) -> Memory:
        function = com.address(parts.processor.this, com.PROCESS)
        if not function:
            raise PluginError(f"{self.description.name}: it has no process function")
        self._moves = self._controllers()
        return Memory(parts.processor.this, function, list(self._places), self._moves)

    @property
    def _parts(self) -> Parts:
        if self._loaded is None:
            raise PluginError(f"{self.description.name} is closed")
        return self._loaded

    @property
    def memory(self) -> Memory:
        """What blocks are made of."""
        if self._memory is None or self._loaded is None:
            raise PluginError(f"{self.description.name} is closed")
        return self._memory

    def _moved(self, id: int, held: bool, value: float | None) -> None:
        """The plugin moved a param: the processor hears of it with the next block; and, where a person did it in its
        window, for a while of nothing else, since what the patch says of it follows, and is late.
        """
        place = self._places.get(id)
        if place is not None and self._memory is not None:
            if self._window is not None and self._window.open:
                self._memory.grip(place, time.monotonic() + (HELD_S if held else ECHO_S))
            if value is not None:
                self._memory.ask(place, value)

    def _controllers(self) -> np.ndarray | None:
        """Which param each MIDI controller moves, or None where the plugin takes no events."""
        if not self.description.events_in:
            return None
        table = np.full((16, CC_COUNT), -1, np.int64)
        kinds = (c_int32, c_int16, c_int16, c_void_p)
        for channel, number in np.ndindex(table.shape) if self._parts.mapping is not None else ():
            found = c_uint32()
            assert self._parts.mapping is not None
            code = self._parts.mapping.call(com.CC_MAPPING, 0, channel, number, ctypes.byref(found), types=kinds)
            if code == com.OK:
                table[channel, number] = self._places.get(found.value, -1)
        return table

    def prepare(self, rate: float, max_block: int, arrangement: Arrangement | None = None) -> None:
        if not 1 <= rate <= 1e6 or not 1 <= max_block <= LARGEST_BLOCK:
            raise PluginError(f"{self.description.name}: {rate} Hz in blocks of {max_block} frames makes no sense")
        memory, parts = self.memory, self._parts
        self._rest()
        asked = arrangement or own_arrangement(self.description.inputs, self.description.outputs)
        check_buses(self.description, asked)
        if parts.processor.call(com.CAN_SAMPLE_SIZE, 0, types=(c_int32,)) == com.FALSE:
            raise PluginError(f"{self.description.name}: it does not process 32-bit samples")
        if not arrange(parts, asked):
            raise PluginError(f"{self.description.name} does not take the layouts {_words(asked)}")
        inputs, outputs = buses_of(parts)
        setup = com.ProcessSetup(0, 0, max_block, rate)
        code = parts.processor.call(com.SETUP, ctypes.byref(setup), types=(c_void_p,))
        if code not in (com.OK, com.NOT_IMPLEMENTED):
            raise PluginError(f"{self.description.name}: setupProcessing gave {code} for {rate} Hz, {max_block} frames")
        sides = (com.INPUT, inputs, asked.inputs), (com.OUTPUT, outputs, asked.outputs)
        for direction, buses, layouts in sides:
            for at, layout in enumerate(layouts[: len(buses)]):
                kinds = (c_int32, c_int32, c_int32, c_uint8)
                parts.component.call(com.ACTIVATE_BUS, com.AUDIO, direction, at, layout != OFF, types=kinds)
        for direction in (com.INPUT, com.OUTPUT):
            for at in range(max(0, min(parts.buses(com.EVENTS, direction), 64))):
                kinds = (c_int32, c_int32, c_int32, c_uint8)
                parts.component.call(com.ACTIVATE_BUS, com.EVENTS, direction, at, 1, types=kinds)
        memory.arrange(rate, max_block, *(_wires(buses, layouts) for _, buses, layouts in sides))
        self.arrangement = asked
        self._staging = Staging(self.description.name, asked, max_block, self._place)
        self._wake()

    def _wake(self) -> None:
        code = self._parts.component.call(com.SET_ACTIVE, 1, types=(c_uint8,))
        if code not in (com.OK, com.NOT_IMPLEMENTED):
            raise PluginError(f"{self.description.name}: setActive gave {code}")
        self._parts.processor.call(com.SET_PROCESSING, 1, types=(c_uint8,))
        self._ready = True
        self._latency = latency_of(self._parts)

    def _rest(self) -> None:
        if self._ready:
            self._ready = False
            self._parts.processor.call(com.SET_PROCESSING, 0, types=(c_uint8,))
            self._parts.component.call(com.SET_ACTIVE, 0, types=(c_uint8,))

    def process(
        self,
        inputs: Sequence[Block],
        outputs: Sequence[Block],
        events: Sequence[Event] = (),
        changes: Sequence[Change] = (),
        transport: Transport | None = None,
    ) -> None:
        call = self.native()
        assert self._staging is not None
        self._staging.run(call, self.memory.words, inputs, outputs, events, changes, transport or Transport())

    def native(self) -> NativeCall:
        if not self._ready:
            raise PluginError(f"{self.description.name} is not prepared")
        return self.memory.call()

    def latency(self) -> int:
        if not self._ready or self._latency is None:
            raise PluginError(f"{self.description.name} is not prepared")
        self._latency = latency_of(self._parts)
        return self._latency

    def tail(self) -> int | None:
        frames = self._parts.processor.call(com.GET_TAIL, result=c_uint32)
        return None if frames >= NEVER // 2 else frames

    def reset(self) -> None:
        if self._ready:
            self._rest()
            self._wake()

    def _place(self, id: int) -> int:
        place = self._places.get(id)
        if place is None:
            raise PluginError(f"{self.description.name} has no param {id}")
        return place

    def get(self, id: int) -> float:
        self._place(id)
        self._hear()
        assert self._parts.controller is not None
        return com.unit(self._parts.controller.call(com.GET_PARAM, id, types=(c_uint32,), result=c_double))

    def set(self, id: int, value: float) -> None:
        place, value = self._place(id), com.unit(value)
        self._hear()
        self._tell([(place, value)])
        self.memory.ask(place, value)
        self.heed_programs()

    def _tell(self, values: Sequence[tuple[int, float]]) -> None:
        """Let the controller know of values, by the places of their params. What programs turn there beside these is
        kept for ``heed_programs``.
        """
        controller = self._parts.controller
        if controller is None:
            return
        params = self.description.params
        programs = [each for each in values if params[each[0]].program]
        before = self._shown() if programs else {}
        for place, value in programs:
            controller.call(com.SET_PARAM, params[place].id, value, types=(c_uint32, c_double))
        after = self._shown() if programs else {}
        for place, value in values:
            if not params[place].program:
                controller.call(com.SET_PARAM, params[place].id, value, types=(c_uint32, c_double))
        self._heeded.update({place: shown for place, shown in after.items() if shown != before[place]})
        for place, _ in values:
            self._heeded.pop(place, None)

    def heed_programs(self) -> None:
        self._hear()
        for place, value in self._heeded.items():
            self.memory.ask(place, value)
        self._heeded.clear()

    def _shown(self) -> dict[int, float]:
        """What the controller has for each param, beside programs and what is only shown."""
        controller = self._parts.controller
        assert controller is not None
        places = [k for k, p in enumerate(self.description.params) if not p.read_only and not p.program]
        ids = (self.description.params[k].id for k in places)
        values = (controller.call(com.GET_PARAM, id, types=(c_uint32,), result=c_double) for id in ids)
        return {place: com.unit(value) for place, value in zip(places, values, strict=True)}

    def _hear(self) -> None:
        """Let the controller know what the processor was told, and what it said."""
        self._tell([(place, com.unit(value)) for place, value in self.memory.take_seen()])

    def titles(self) -> dict[int, tuple[str, str]]:
        return titles_of(self._parts)

    def text(self, id: int, value: float) -> str:
        self._place(id)
        return param_text(self._parts, id, com.unit(value))

    def value_of(self, id: int, text: str) -> float | None:
        self._place(id)
        assert self._parts.controller is not None
        raw = (text[:127] + "\0").encode("utf-16-le")
        found = c_double()
        kinds = (c_uint32, c_void_p, c_void_p)
        units = ctypes.create_string_buffer(raw, 256)
        code = self._parts.controller.call(com.PARAM_VALUE, id, units, ctypes.byref(found), types=kinds)
        return com.unit(found.value) if code == com.OK else None

    def state(self) -> bytes:
        if self.memory.asked():
            self._flush()
        return self._packed()

    def state_in_play(self) -> bytes | None:
        return None if self.memory.asked() else self._packed()

    def _packed(self) -> bytes:
        preset = self._halves()
        if not preset.component:
            raise PluginError(f"{self.description.name} gave no state")
        return presets.pack(preset)

    def _halves(self) -> presets.Preset:
        """The state of both halves; nothing where the plugin gives none."""
        self._hear()
        component = self._parts.state_of(self._parts.component, com.GET_STATE)
        controller = self._parts.controller and self._parts.state_of(self._parts.controller, com.C_GET_STATE)
        return presets.Preset(self.description.uid, component or b"", controller or None)

    def _flush(self) -> None:
        """A processor learns of values only while it processes, and some not in blocks of no frames."""
        if not self._ready:
            self.prepare(48000.0, FLUSH)
        assert self._staging is not None
        self.process(*self._staging.silence(FLUSH))

    def set_state(self, data: bytes) -> None:
        preset = presets.unpack(data, f"state of {self.description.name}")
        if preset.uid != self.description.uid:
            raise PluginError(f"this is the state of another plugin ({preset.uid}), not of {self.description.name}")
        if self.memory.asked():
            self._flush()
        before = self._halves()
        if not self._take(preset) and (now := self._halves()).component != preset.component:
            taken_back = before.component and now != before and self._take(before)
            left = "it was left as it was" if taken_back or now == before else "and what it has now is unknown"
            raise PluginError(f"{self.description.name} did not take the state over; {left}")

    def _take(self, preset: presets.Preset) -> bool:
        parts = self._parts
        self.memory.forget_asked()
        self.memory.take_seen()
        self._heeded.clear()
        if not parts.give_state(parts.component, com.SET_STATE, preset.component):
            return False
        if parts.controller is not None:
            parts.give_state(parts.controller, com.SET_COMPONENT_STATE, preset.component)
            if preset.controller is not None:
                parts.give_state(parts.controller, com.C_SET_STATE, preset.controller)
        return True

    def notices(self) -> list[Notice]:
        self._hear()
        found = [notice for notice in self._parts.handler.taken() if self._is_news(notice)]
        for word, words in TROUBLES.items():
            count = int(self.memory.words[word])
            if count != self._counted[word]:
                found.append(Notice("trouble", text=words.format(count - self._counted[word])))
                self._counted[word] = count
        return found

    def _is_news(self, notice: Notice) -> bool:
        """Whether the host is to hear of something; buses that are said to have changed may be as they were."""
        if notice.kind == "layouts" and self._ready:
            asked = self.arrangement
            try:
                now = own_arrangement(*buses_of(self._parts))
            except PluginError:
                return True
            both = [(now.inputs, asked.inputs), (now.outputs, asked.outputs)]
            same = [len(a) == len(b) and all(y in (OFF, x) for x, y in zip(a, b, strict=True)) for a, b in both]
            return not all(same)
        if notice.kind == "controllers":
            fresh = self._controllers()
            if self._moves is not None and fresh is not None:
                self._moves[:] = fresh  # the same memory, which blocks read
            return False
        return True

    def open_window(self, title: str) -> PluginWindow:
        if self._parts.controller is None:
            raise PluginError(f"{self.description.name} has no window")
        if self._window is not None and self._window.open:
            raise PluginError(f"the window of {self.description.name} is open already")
        self._window = PluginWindow(self._parts.controller, title, self._parts.handler.notices.append)
        return self._window

    def close(self) -> None:
        if self._loaded is not None:
            if self._window is not None:
                self._window.close()
            self._rest()
            parts, self._loaded = self._loaded, None
            parts.close()


def _words(asked: Arrangement) -> str:
    sides = (", ".join(layout or "off" for layout in side) or "nothing" for side in (asked.inputs, asked.outputs))
    return " to ".join(sides)


def _wires(buses: Sequence[Bus], layouts: Sequence[str]) -> list[Wire]:
    return [
        Wire(layout != OFF, bus.channels, tuple(order(layout)) if layout else ())
        for bus, layout in zip(buses, layouts, strict=True)
    ]
