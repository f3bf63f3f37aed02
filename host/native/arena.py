"""Memory that outlives a schedule: the state of nodes, by node id, and the lines of compensation and feedback, by name.

A slot keeps its address for as long as its owner keeps its shape, so state survives a recompile without being copied.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPES = {"f4": np.float32, "f8": np.float64, "i8": np.int64}
ALIGN = 64
PAGE = 4096


@dataclass(slots=True)
class _Slot:
    shape: Hashable
    array: npt.NDArray[Any]


class Arena:
    """Slots by key. ``keep_only`` forgets the rest, once nothing native can reach them.

    With ``touch`` every page is there before it is used, so that nothing on the audio thread waits for one.
    """

    def __init__(self, touch: bool = False) -> None:
        self._slots: dict[Hashable, _Slot] = {}
        self._touch = touch

    def get(self, key: Hashable, shape: Hashable, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The array under a key: the one that is there if its shape key is equal, else a new one."""
        slot = self._slots.get(key)
        if slot is None or slot.shape != shape:
            slot = self._slots[key] = _Slot(shape, make())
            if self._touch:
                touched(slot.array)
        return slot.array

    def array(self, key: Hashable, shape: tuple[int, ...], dtype: str, init: float = 0.0) -> npt.NDArray[Any]:
        """A slot of plain numbers, aligned for vectors."""
        return self.get(key, (shape, dtype, init), lambda: aligned(shape, dtype, init))

    def find(self, key: Hashable) -> npt.NDArray[Any] | None:
        """The array under a key, if there is one."""
        slot = self._slots.get(key)
        return None if slot is None else slot.array

    def keep_only(self, keys: Iterable[Hashable]) -> None:
        """Forget every slot but these."""
        wanted = set(keys)
        self._slots = {key: slot for key, slot in self._slots.items() if key in wanted}


def aligned(shape: tuple[int, ...], dtype: str, init: float = 0.0) -> npt.NDArray[Any]:
    """A new C-ordered array that starts on a cache line."""
    kind = np.dtype(DTYPES[dtype])
    count = int(np.prod(shape, dtype=np.int64)) if shape else 1
    raw = np.zeros(count * kind.itemsize + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    array = raw[start : start + count * kind.itemsize].view(kind).reshape(shape)
    if init:
        array[...] = init
    return array


def touched(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, each of its pages written to."""
    raw = array.reshape(-1).view(np.uint8)
    for some in (raw[::PAGE], raw[-1:]):
        some[...] = some.copy()
    return array
