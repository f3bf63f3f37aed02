"""Plugins run by pedalboard: VST3 and Audio Units with one input bus and one output bus.

What pedalboard needs, found by measuring release 0.9.26: it is primed once with silence at the largest block, and then
never told to reset, for after that it cuts the latency off the audio; and a state is only true after a block has run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from host.plugins import presets
from host.plugins.board_loading import (
    LAYOUTS,
    Format,
    describe,
    latency_of,
    line,
    open_plugin,
    shown,
    state_of,
    unit,
)
from host.plugins.description import LONGEST_TEXT, Arrangement, Description
from host.plugins.errors import PluginError
from host.plugins.instance import (
    Block,
    Change,
    Event,
    NativeCall,
    Notice,
    Transport,
    Window,
    check_buses,
    checked_frames,
)

QUARTER = 0.25
"""Of a frame: added to times in seconds, so that neither rounding nor cutting off gives the frame before."""
ALL_NOTES_OFF = 123
LONGEST_TAIL_S = 30.0
SILENCE = 1e-6
"""-120 dBFS."""


class BoardPlugin:
    """One instance; see ``PluginInstance`` for what each method promises.

    ``description`` is what a scan found out, by either backend: its params must be in the plugin's order. Buses beyond
    the first of each side stay off.
    """

    description: Description
    arrangement: Arrangement

    def __init__(
        self, path: Path, uid: str | None = None, description: Description | None = None, format: Format = "vst3"
    ) -> None:
        self.description = description or describe(path, uid, format)
        self._plugin: Any = open_plugin(path, uid or self.description.uid, format)
        self._name = self.description.name
        parameters = self._plugin._parameters
        if len(parameters) != len(self.description.params):
            raise PluginError(
                f"{self._name}: pedalboard knows {len(parameters)} params of it, its description "
                f"{len(self.description.params)}"
            )
        self._params = {param.id: known for param, known in zip(self.description.params, parameters, strict=True)}
        self._size = 0
        self._stale = False
        self._scrubbed = 0
        self._told = latency_of(self._plugin)

    @property
    def plugin(self) -> Any:
        """pedalboard's object."""
        if self._plugin is None:
            raise PluginError(f"{self._name} is closed")
        return self._plugin

    def prepare(self, rate: float, max_block: int, arrangement: Arrangement | None = None) -> None:
        if not 1 <= rate <= 1e6 or not 1 <= max_block <= 1 << 16:
            raise PluginError(f"{self._name}: {rate} Hz in blocks of {max_block} frames makes no sense")
        inputs, outputs = self.description.inputs, self.description.outputs
        if arrangement is None:
            arrangement = Arrangement(
                tuple(bus.layout if at == 0 else "" for at, bus in enumerate(inputs)),
                tuple(bus.layout if at == 0 else "" for at, bus in enumerate(outputs)),
            )
        check_buses(self.description, arrangement)
        for side, layouts, buses in (("input", arrangement.inputs, inputs), ("output", arrangement.outputs, outputs)):
            if any(layouts[1:]):
                raise PluginError(f"{self._name}: pedalboard runs only the first {side} bus, the others must be off")
            if layouts and layouts[0] != buses[0].layout:
                raise PluginError(f"{self._name}: its {side} is {buses[0].layout} here, not {layouts[0] or 'off'}")
        self._into = _counts(arrangement.inputs)
        self._out = _counts(arrangement.outputs)
        if len(self._out) != 1 or len(self._into) > 1 or (self._into and self._into != self._out):
            raise PluginError(f"{self._name}: pedalboard runs plugins with as many channels out as in")
        self._rate, self._size, self.arrangement = float(rate), max_block, arrangement
        self._prime()

    def _prime(self) -> None:
        """One block of silence at the largest size: what pedalboard prepares the plugin for."""
        self._run(np.zeros((self._out[0], self._size), np.float32), [])

    def _run(self, block: Block, events: Sequence[Event]) -> Block:
        """One call of pedalboard, whose answer is checked."""
        frames = block.shape[1]
        try:
            if self.description.instrument:
                messages = [(event.data, (event.frame + QUARTER) / self._rate) for event in events]
                given = self.plugin.process(
                    messages,
                    duration=(frames + QUARTER) / self._rate,
                    sample_rate=self._rate,
                    num_channels=len(block),
                    buffer_size=self._size,
                    reset=False,
                )
            else:
                given = self.plugin.process(block, self._rate, self._size, False)
        except (RuntimeError, ValueError) as error:
            raise PluginError(f"{self._name}: pedalboard gave up: {line(error)}") from None
        self._stale = False
        if given.shape != block.shape:
            raise PluginError(f"{self._name}: pedalboard gave {given.shape} samples for {block.shape}")
        return given

    def process(
        self,
        inputs: Sequence[Block],
        outputs: Sequence[Block],
        events: Sequence[Event] = (),
        changes: Sequence[Change] = (),
        transport: Transport | None = None,
    ) -> None:
        """Changes are exact to the frame, for the block is cut where they are; the transport is not passed on."""
        if not self._size:
            raise PluginError(f"{self._name} is not prepared")
        frames = checked_frames(self._name, inputs, outputs, (self._into, self._out), self._size)
        known = [(self._param(change.id), change) for change in changes]
        cuts = sorted({0, frames} | {min(max(change.frame, 0), frames) for change in changes})
        source = inputs[0] if inputs else np.zeros_like(outputs[0])
        for begin, end in pairwise(cuts):
            for parameter, change in known:
                if min(max(change.frame, 0), frames) == begin:
                    parameter.raw_value = unit(change.value)
                    self._stale = True
            notes = [event._replace(frame=event.frame - begin) for event in events if begin <= event.frame < end]
            given = self._run(np.ascontiguousarray(source[:, begin:end]), notes)
            outputs[0][:, begin:end] = self._numbers(given)

    def _numbers(self, given: Block) -> Block:
        """The samples, with zero for what is no number and for denormals."""
        size = np.abs(given)
        right = (size >= np.finfo(np.float32).tiny) & (size <= np.finfo(np.float32).max)
        self._scrubbed += int(np.count_nonzero(~np.isfinite(given)))
        return np.where(right, given, np.float32(0))

    def native(self) -> NativeCall | None:
        return None

    def latency(self) -> int:
        if not self._size:
            raise PluginError(f"{self._name} is not prepared")
        return latency_of(self.plugin)

    def tail(self) -> int | None:
        return None

    def reset(self) -> None:
        """Silence until it falls silent: after a reset pedalboard would cut the latency off the audio."""
        if not self._size:
            return
        quiet = np.zeros((self._out[0], self._size), np.float32)
        stop = [Event(0, bytes([0xB0 | channel, ALL_NOTES_OFF, 0])) for channel in range(16)]
        needed = silent = self.latency() + self._size
        for _ in range(math.ceil(LONGEST_TAIL_S * self._rate / self._size)):
            silent = silent - self._size if np.abs(self._run(quiet, stop)).max() < SILENCE else needed
            stop = []
            if silent <= 0:
                return

    def _param(self, id: int) -> Any:
        found = self._params.get(id)
        if found is None or self._plugin is None:
            raise PluginError(f"{self._name} has no param {id}" if self._plugin else f"{self._name} is closed")
        return found

    def get(self, id: int) -> float:
        return unit(self._param(id).raw_value)

    def set(self, id: int, value: float) -> None:
        self._param(id).raw_value = unit(value)
        self._stale = True

    def heed_programs(self) -> None:
        """Its halves are one here."""

    def titles(self) -> dict[int, tuple[str, str]]:
        return {param.id: (param.name, param.unit) for param in self.description.params}

    def text(self, id: int, value: float) -> str:
        return shown(self._param(id), unit(value))

    def value_of(self, id: int, text: str) -> float | None:
        try:
            return unit(self._param(id).get_raw_value_for_text(text[:LONGEST_TEXT]))
        except (RuntimeError, ValueError):
            return None

    def state(self) -> bytes:
        if self._stale:
            if not self._size:
                self.prepare(48000.0, 512)
            self._prime()
        return state_of(self.plugin, self.description.format)[1]

    def state_in_play(self) -> bytes | None:
        return None

    def set_state(self, data: bytes) -> None:
        if self.description.format == "vst3":
            preset = presets.unpack(data, f"state of {self._name}")
            if preset.uid != self.description.uid:
                raise PluginError(f"this is the state of another plugin ({preset.uid}), not of {self._name}")
        try:
            before = self.state()
        except PluginError:
            before = b""
        if not self._take(data):
            left = "it was left as it was" if before and self._take(before) else "and what it has now is unknown"
            raise PluginError(f"{self._name} did not take the state over; {left}")

    def _take(self, data: bytes) -> bool:
        try:
            if self.description.format == "vst3":
                self.plugin.preset_data = data
            else:
                self.plugin.raw_state = data
        except (RuntimeError, ValueError):
            return False
        return True

    def notices(self) -> list[Notice]:
        found: list[Notice] = []
        latency = int(self.plugin.reported_latency_samples)
        if latency != self._told:
            self._told = latency
            found.append(Notice("latency"))
        if self._scrubbed:
            words = f"{self._scrubbed} samples that were no numbers were replaced with silence"
            found.append(Notice("trouble", text=words))
            self._scrubbed = 0
        return found

    def open_window(self, title: str) -> Window:
        raise PluginError(f"{self._name}: pedalboard's windows stop their process; use the panel of its params")

    def close(self) -> None:
        self._plugin = None
        self._params = {}


def _counts(layouts: tuple[str, ...]) -> list[int]:
    """Channels of each bus that is on."""
    return [channels for layout in layouts for channels, name in LAYOUTS.items() if name == layout]
