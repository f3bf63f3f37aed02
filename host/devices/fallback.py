"""A device of PortAudio's whose callback is Python: for machines where the native one cannot be had.

It does the same work, and waits for the interpreter whenever something else runs in it.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from host.devices import portaudio
from host.devices.kinds import DeviceError, DeviceInfo, Renderer
from host.devices.stream import DEADLINE_S, USUAL_BLOCK, Pulse, agreed
from host.native.relay import DROPOUTS


class PythonStream:
    """As ``host.devices.stream.Stream``, through sounddevice's own callback."""

    native = False

    def __init__(
        self,
        output: DeviceInfo | None,
        input: DeviceInfo | None,
        renderer: Renderer,
        *,
        inputs: int,
        outputs: int,
        rate: int,
        block: int,
    ) -> None:
        main = output or input
        assert main is not None
        self.name = main.name if input in (None, main) else f"{main.name} + {input.name}"
        self.api, self.label = main.api, main.label
        self.inputs = inputs if input else 0
        self.outputs = outputs if output else 0
        self.fifo_frames = 0
        self._renderer = renderer
        self._gate = threading.Lock()
        self._running = False
        self._frames = self._xruns = self._last = self.calls = 0
        self._called = threading.Event()
        own = not block and main.api == portaudio.JACK
        options: dict[str, Any] = {
            "samplerate": rate,
            "blocksize": 0 if own else block or USUAL_BLOCK,
            "dtype": "float32",
            "latency": "low",
        }
        self.instance = portaudio.load()
        sounddevice = self.instance.sounddevice
        try:
            with self.instance.held():
                self._stream = self._opened(sounddevice, output, input, options)
                self.instance.streams.add(self)
                self._stream.start()
        except sounddevice.PortAudioError as error:
            self.instance.streams.discard(self)
            raise DeviceError(f"{self.name} ({self.api}) cannot be opened at {rate} Hz: {error}") from error
        if not self._called.wait(DEADLINE_S):
            self.close()
            raise DeviceError(f"{self.name} ({self.api}) was opened, and asks for nothing")
        self.block = agreed(self._last, self.name) if own else options["blocksize"]
        self.rate = round(self._stream.samplerate)
        latency = self._stream.latency
        self.latency_frames = round((sum(latency) if isinstance(latency, tuple) else latency) * self.rate)

    def _opened(self, sounddevice: Any, output: DeviceInfo | None, input: DeviceInfo | None, options: Any) -> Any:
        if output is None or input is None:
            kind = sounddevice.RawInputStream if output is None else sounddevice.RawOutputStream
            call = (
                (lambda data, n, times, status: self._call(data, None, n, status))
                if output is None
                else (lambda data, n, times, status: self._call(None, data, n, status))
            )
            main = output or input
            assert main is not None
            return kind(device=main.index, channels=self.outputs or self.inputs, callback=call, **options)
        return sounddevice.RawStream(
            device=(input.index, output.index),
            channels=(self.inputs, self.outputs),
            callback=lambda given, wanted, n, times, status: self._call(given, wanted, n, status),
            **options,
        )

    def _call(self, given: Any, wanted: Any, frames: int, status: Any) -> None:
        self._last = frames
        self.calls += 1
        self._called.set()
        input = None if given is None else np.frombuffer(given, np.float32).reshape(frames, self.inputs)
        output = (
            np.empty((frames, 0), np.float32)
            if wanted is None
            else np.frombuffer(wanted, np.float32).reshape(frames, self.outputs)
        )
        with self._gate:
            if not self._running or (self.block and frames != self.block):
                output[:] = 0
                return
            self._xruns += bool(status._flags & DROPOUTS)
            self._renderer.process(input, output)
            self._frames += frames

    def start(self) -> None:
        """Prepare the renderer and let calls through to it."""
        if not self._stream.active:
            self._stream.start()
        self.fifo_frames = self._renderer.prepare(self.inputs, self.outputs, self.block)
        self._pulse = Pulse()
        self._running = True

    def shut(self) -> None:
        """Let no more calls through."""
        with self._gate:
            self._running = False

    def stop(self) -> None:
        """As ``Device.stop``."""
        self.shut()
        self._stream.stop()

    def close(self) -> None:
        """As ``Stream.close``."""
        self.shut()
        with self.instance.held():
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)
            self.instance.streams.discard(self)

    def alive(self) -> bool:
        """As ``Device.alive``."""
        return self._running and self.active and self._pulse.beats(self._frames)

    @property
    def active(self) -> bool:
        """Whether PortAudio takes it for one that runs."""
        return not self._stream.closed and self._stream.active

    @property
    def trouble(self) -> str:
        """What can be said about a stream that is no longer alive."""
        return "it asks for nothing any more" if self.active else "it is gone"

    @property
    def xruns(self) -> int:
        """Dropouts that the device reported."""
        return self._xruns
