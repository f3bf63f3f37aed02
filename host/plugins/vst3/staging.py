"""Blocks that come as arrays, made ready for a native call: they go through buffers of ours, with room behind them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from host.plugins.description import Arrangement
from host.plugins.errors import PluginError
from host.plugins.instance import (
    CHANGES,
    EVENTS,
    INPUTS,
    MOST_CHANGES,
    MOST_EVENTS,
    OUTPUTS,
    TRANSPORT,
    Block,
    Change,
    Event,
    NativeCall,
    Transport,
    checked_frames,
    transport_words,
)
from host.plugins.vst3 import com
from host.plugins.vst3.layouts import order
from host.plugins.vst3.memory import SLACK

_Run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Staging:
    """For blocks of up to ``most`` frames of the plugin ``name``, which sees these buffers and never its caller's.
    ``place`` finds a param by its id, and raises PluginError where there is none.
    """

    def __init__(self, name: str, arrangement: Arrangement, most: int, place: Callable[[int], int]) -> None:
        self._name, self._most, self._place = name, most, place
        self._into = _buffers(arrangement.inputs, most)
        self._out = _buffers(arrangement.outputs, most)
        self._channels = _addresses(self._into), _addresses(self._out)

    def run(
        self,
        call: NativeCall,
        words: np.ndarray,
        inputs: Sequence[Block],
        outputs: Sequence[Block],
        events: Sequence[Event],
        changes: Sequence[Change],
        transport: Transport,
    ) -> None:
        """Run one block from ``inputs`` into ``outputs``. Raises PluginError where something does not fit."""
        wanted = [len(array) for array in self._into], [len(array) for array in self._out]
        frames = checked_frames(self._name, inputs, outputs, wanted, self._most)
        for own, given in zip(self._into, inputs, strict=True):
            own[:, :frames] = given
        kept = [*self._channels, self._change_words(changes), _event_words(events), transport_words(transport)]
        for word, array in zip((INPUTS, OUTPUTS, CHANGES, EVENTS, TRANSPORT), kept, strict=True):
            words[word] = array.ctypes.data
        _Run(call.function)(call.words, frames)
        words[: TRANSPORT + 1] = 0
        for own, given in zip(self._out, outputs, strict=True):
            given[:] = own[:, :frames]

    def silence(self, most: int) -> tuple[list[Block], list[Block]]:
        """Inputs and outputs of a silent block of up to ``most`` frames."""
        frames = min(most, self._most)
        into, out = ([np.zeros((len(own), frames), np.float32) for own in side] for side in (self._into, self._out))
        return into, out

    def _change_words(self, changes: Sequence[Change]) -> np.ndarray:
        if len(changes) > MOST_CHANGES:
            raise PluginError(f"{len(changes)} param changes in one block; at most {MOST_CHANGES}")
        table = np.zeros((len(changes), 3), np.int64)
        for row, change in zip(table, changes, strict=True):
            row[:2] = self._place(change.id), change.frame
            row[2:].view(np.float64)[0] = com.unit(change.value)
        return np.concatenate([[len(changes)], table[np.argsort(table[:, 1], kind="stable")].ravel()])


def _buffers(layouts: Sequence[str], most: int) -> list[Block]:
    return [np.zeros((len(order(layout)), most + SLACK), np.float32) for layout in layouts if layout]


def _addresses(buffers: Sequence[Block]) -> np.ndarray:
    return np.array([row.ctypes.data for buffer in buffers for row in buffer] or [0], np.int64)


def _event_words(events: Sequence[Event]) -> np.ndarray:
    if len(events) > MOST_EVENTS:
        raise PluginError(f"{len(events)} events in one block; at most {MOST_EVENTS}")
    packed = []
    for event in sorted(events, key=lambda event: event.frame):
        if not 1 <= len(event.data) <= 3 or not 0x80 <= event.data[0] < 0xF0:
            raise PluginError(f"{event.data.hex(' ')} is no MIDI channel message")
        packed.append(event.frame << 32 | int.from_bytes(event.data, "little"))
    return np.array([len(packed), *packed], np.int64)
