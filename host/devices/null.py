"""The device that is none: it keeps time by the machine's clock, or none, and is always there."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from host.devices.kinds import NULL, NULL_DEVICE, DeviceError, Renderer
from host.devices.stream import Pulse
from host.devices.system import prepare_thread
from host.native import null
from host.native.arena import aligned
from host.native.program import native

USUAL_BLOCK = 128
DEADLINE_S = 5.0
Samples = npt.NDArray[np.float32]


class NullDevice:
    """A thread that runs a native loop.

    ``block``: frames a call, or several sizes to be asked for in turn. ``paced`` False: as fast as it goes. ``limit``:
    frames after which it ends, at the end of a block (0: never). ``feed``: what the inputs get, [frame, channel]; then
    silence. ``capture``: filled with what the outputs get, until it is full.
    """

    name, api, native = NULL, NULL_DEVICE.api, True
    latency_frames = 0

    def __init__(
        self,
        renderer: Renderer,
        *,
        inputs: int,
        outputs: int,
        rate: int,
        block: int | Sequence[int] = 0,
        paced: bool = True,
        limit: int = 0,
        feed: Samples | None = None,
        capture: Samples | None = None,
    ) -> None:
        sizes = [block or USUAL_BLOCK] if isinstance(block, int) else list(block)
        if not sizes or min(sizes) < 1:
            raise ValueError(f"blocks have at least one frame, got {sizes}")
        self.inputs, self.outputs, self.rate = inputs, outputs, rate
        self.block = sizes[0] if len(set(sizes)) == 1 else 0
        self.fifo_frames = 0
        self._renderer = renderer
        self._thread: threading.Thread | None = None
        self.words = np.zeros(null.WORDS, np.int64)
        buffers = [aligned((max(sizes) * max(1, channels),), "f4") for channels in (inputs, outputs)]
        times, size_table = np.zeros(3), np.array(sizes, np.int64)
        self._keep = [buffers, times, size_table]
        put = self.words.__setitem__
        put([null.RATE, null.INPUTS, null.OUTPUTS], [rate, inputs, outputs])
        put([null.INPUT, null.OUTPUT], [buffers[0].ctypes.data if inputs else 0, buffers[1].ctypes.data])
        put([null.TIMES, null.SIZES, null.COUNT], [times.ctypes.data, size_table.ctypes.data, len(sizes)])
        put([null.PACED, null.LIMIT], [paced, limit])
        for samples, at, channels in ((feed, null.FED, inputs), (capture, null.TAKEN, outputs)):
            if samples is not None:
                self._attach(samples, at, channels)

    def _attach(self, samples: Samples, at: int, channels: int) -> None:
        if samples.dtype != np.float32 or samples.ndim != 2 or samples.shape[1] != channels:
            raise ValueError(f"expected float32 [frame, {channels}], got {samples.dtype} {samples.shape}")
        if not samples.flags.c_contiguous:
            raise ValueError("what is fed or captured must lie in one piece")
        self._keep.append(samples)
        self.words[at], self.words[at + 1] = samples.ctypes.data, len(samples)

    def start(self) -> None:
        """Prepare the renderer and begin at frame zero."""
        if self._thread is not None:
            return
        self.fifo_frames = self._renderer.prepare(self.inputs, self.outputs, self.block)
        self.words[[null.CALLBACK, null.USER]] = self._renderer.callback, self._renderer.user
        self.words[[null.QUIT, null.FRAMES]] = 0
        self._pulse = Pulse()
        run, address = _loop(), self.words.ctypes.data

        def play() -> None:
            if self.words[null.PACED]:
                prepare_thread()
            run(address)

        self._thread = threading.Thread(target=play, name="null device", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """As ``Device.stop``."""
        self.words[null.QUIT] = 1
        if self._thread is not None:
            self._thread.join(DEADLINE_S)
            if self._thread.is_alive():
                raise DeviceError(f"the null device is still rendering after {DEADLINE_S:g} s")
            self._thread = None

    shut = close = stop

    def wait(self, seconds: float) -> bool:
        """Wait for the limit; whether it was reached in time."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def alive(self) -> bool:
        """As ``Device.alive``."""
        return self._thread is not None and self._thread.is_alive() and self._pulse.beats(self.frames)

    trouble = "its thread has ended"

    @property
    def frames(self) -> int:
        """Frames since the start."""
        return int(self.words[null.FRAMES])

    @property
    def xruns(self) -> int:
        """Blocks that were done only when the next one was due."""
        return int(self.words[null.LATE])


@cache
def _loop() -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(native(null.loop, 1))
