"""A device of PortAudio's whose callback is native code."""

from __future__ import annotations

import time
from typing import Any

from host.devices import portaudio
from host.devices.kinds import LONGEST_BLOCK, DeviceError, DeviceInfo, Renderer
from host.devices.system import prepare_thread
from host.native.relay import Relay

USUAL_BLOCK = 256
"""What is asked of devices that have no block of their own."""
FIRST_CALL_S = 2.0
STILL_S = 0.3
"""A device that asks for nothing for so long is gone."""
DEADLINE_S = 2.0


class Pulse:
    """Whether a count goes on. Time in which nobody looked, since all of the machine stood still, counts for little."""

    def __init__(self) -> None:
        self._count, self._at, self._still = -1, time.monotonic(), 0.0

    def beats(self, count: int) -> bool:
        """Whether the count has moved within the last ``STILL_S``."""
        now = time.monotonic()
        self._still += min(now - self._at, STILL_S / 3)
        self._at = now
        if count != self._count:
            self._count, self._still = count, 0.0
        return self._still < STILL_S


def agreed(block: int, name: str) -> int:
    """A device's own block. Raises DeviceError where it is longer than a renderer can take."""
    if block > LONGEST_BLOCK:
        raise DeviceError(f"{name} asks for {block} frames at once; give it a block of at most {LONGEST_BLOCK}")
    return block


class Stream:
    """An open stream, running from the start, behind a shut relay until ``start``.

    Raises DeviceError where PortAudio refuses, or where the device then asks for nothing.
    """

    native = True

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
        self.api, self.rate, self.label = main.api, rate, main.label
        self.inputs = inputs if input else 0
        self.outputs = outputs if output else 0
        self.fifo_frames = 0
        self._own_block = not block and main.api == portaudio.JACK
        self.block = 0 if self._own_block else block or USUAL_BLOCK
        self._renderer = renderer
        self._running = False
        self._open(output, input)
        try:
            self._first_call()
        except DeviceError:
            self.close()
            raise

    def _open(self, output: DeviceInfo | None, input: DeviceInfo | None) -> None:
        self.instance = portaudio.load()
        self._lib, ffi = self.instance.lib, self.instance.ffi
        self._stream: Any = None
        self.relay = Relay(self.outputs)
        place = ffi.new("PaStream**")
        ways = [self._parameters(d, way) for d, way in ((input, "input"), (output, "output"))]
        with self.instance.held():
            self._check(
                self._lib.Pa_OpenStream(
                    place,
                    *ways,
                    self.rate,
                    self.block,
                    0,
                    ffi.cast("PaStreamCallback*", self.relay.callback),
                    ffi.cast("void*", self.relay.user),
                ),
                ffi,
            )
            self._stream = place[0]
            self.instance.streams.add(self)
            try:
                self._check(self._lib.Pa_StartStream(self._stream), ffi)
            except DeviceError:
                self.close()
                raise
            info = self._lib.Pa_GetStreamInfo(self._stream)
        self.latency_frames = round((info.inputLatency + info.outputLatency) * self.rate)
        self.rate = round(info.sampleRate)

    def _parameters(self, device: DeviceInfo | None, way: str) -> Any:
        if device is None:
            return self.instance.ffi.NULL
        described = self.instance.sounddevice.query_devices(device.index)
        return self.instance.ffi.new(
            "PaStreamParameters*",
            {
                "device": device.index,
                "channelCount": self.inputs if way == "input" else self.outputs,
                "sampleFormat": self._lib.paFloat32,
                "suggestedLatency": described[f"default_low_{way}_latency"],
            },
        )

    def _check(self, status: int, ffi: Any) -> None:
        if status != self._lib.paNoError:
            said = ffi.string(self._lib.Pa_GetErrorText(status)).decode(errors="replace")
            raise DeviceError(f"{self.name} ({self.api}) cannot be opened at {self.rate} Hz: {said}")

    def _first_call(self) -> None:
        """Wait until it asks for something: only then is it really there, and its own block known."""
        end, before = time.monotonic() + FIRST_CALL_S, self.relay.calls
        while self.relay.calls == before:
            if time.monotonic() > end:
                raise DeviceError(f"{self.name} ({self.api}) was opened, and asks for nothing")
            time.sleep(0.001)
        if self.relay.thread:
            prepare_thread(self.relay.thread)  # not every driver does; where it is not granted, `doctor` says so
        if self._own_block:
            self.block = agreed(self.relay.last, self.name)

    def start(self) -> None:
        """Prepare the renderer and let calls through to it."""
        if not self._lib.Pa_IsStreamActive(self._stream):
            self.relay.forget_thread()
            if self._lib.Pa_StartStream(self._stream):
                raise DeviceError(f"{self.name} ({self.api}) does not start again")
            self._first_call()
        self.fifo_frames = self._renderer.prepare(self.inputs, self.outputs, self.block)
        self.relay.open(self._renderer.callback, self._renderer.user, self.block)
        self._pulse = Pulse()
        self._running = True

    def shut(self) -> None:
        """Let no more calls through, and wait for the one at work. Does not ask PortAudio anything."""
        self._running = False
        end = time.monotonic() + DEADLINE_S
        while not self.relay.shut():
            if time.monotonic() > end:
                raise DeviceError(f"{self.name} is still rendering after {DEADLINE_S:g} s")
            time.sleep(0.0002)

    def stop(self) -> None:
        """As ``Device.stop``."""
        self.shut()
        self._lib.Pa_StopStream(self._stream)

    def close(self) -> None:
        """Give the device back. With a server that no longer answers this may take for ever."""
        self.shut()
        with self.instance.held():
            if self._stream is not None:
                stream, self._stream = self._stream, None
                self._lib.Pa_AbortStream(stream)
                self._lib.Pa_CloseStream(stream)
                self.instance.streams.discard(self)

    def alive(self) -> bool:
        """As ``Device.alive``: the stream is active, and frames are rendered for it."""
        return self._running and self.active and self._pulse.beats(self.relay.frames)

    @property
    def active(self) -> bool:
        """Whether PortAudio takes it for one that runs."""
        return self._stream is not None and self._lib.Pa_IsStreamActive(self._stream) == 1

    @property
    def calls(self) -> int:
        """Calls so far, those behind a shut gate among them."""
        return self.relay.calls

    @property
    def trouble(self) -> str:
        """What can be said about a stream that is no longer alive."""
        if not self.active:
            return "it is gone"
        if self.block and self.relay.last != self.block:
            return f"it asks for {self.relay.last} frames at once now, not {self.block}"
        return "it asks for nothing any more"

    @property
    def xruns(self) -> int:
        """Dropouts that the device reported."""
        return self.relay.xruns
