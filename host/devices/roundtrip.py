"""The round trip of an interface: how many frames from an output, through a cable, back to an input.

Bursts of noise go out, and each is looked for in what comes in by cross-correlation. The noise is white, so that its
autocorrelation is one narrow peak, whatever filters the converters put on it, and it stands out of hum and hiss.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from host.devices.kinds import NULL, Choice, DeviceError, Notice
from host.devices.opening import open_device
from host.devices.stored import RoundTrip
from host.native.program import native
from host.native.raw import load_f32, set_word, store_f32, word

BURSTS = 8
LENGTH = 2048
"""Frames of noise in a burst."""
LEVEL = 0.25
GAP_S = 0.5
"""From burst to burst, and the longest round trip that is found."""
CLEAR = 8.0
"""How far a peak must stand above the rest of the correlation (its root mean square)."""
DEADLINE_S = 5.0

OUT, FRAMES, IN, OUTPUTS, INPUTS, OUTPUT, INPUT, AT, CALLS = range(9)
Samples = npt.NDArray[np.float32]


@helper
def exchange(input, output, frames, times, flags, words):
    """PaStreamCallback: play an array on one channel, keep another channel in a second array; silence elsewhere."""
    at = word(words, AT)
    there = word(words, FRAMES)
    outputs = word(words, OUTPUTS)
    inputs = word(words, INPUTS)
    for k in range(frames * outputs):
        store_f32(output, k, 0.0)
    for k in range(min(frames, there - at)):
        store_f32(output, k * outputs + word(words, OUTPUT), load_f32(word(words, OUT), at + k))
        if input != 0:
            store_f32(word(words, IN), at + k, load_f32(input, k * inputs + word(words, INPUT)))
    set_word(words, AT, min(at + frames, there))
    set_word(words, CALLS, word(words, CALLS) + 1)
    return 0


class Exchange:
    """A renderer that plays an array on one output channel while it keeps one input channel."""

    def __init__(self, signal: Samples, output: int, input: int) -> None:
        self.signal, self.heard = signal, np.zeros_like(signal)
        self.words = np.zeros(CALLS + 1, np.int64)
        self.words[[OUT, FRAMES, IN]] = signal.ctypes.data, len(signal), self.heard.ctypes.data
        self.words[[OUTPUT, INPUT]] = output, input

    @property
    def callback(self) -> int:
        """As ``Renderer``'s."""
        return native(exchange, 6)

    @property
    def user(self) -> int:
        """As ``Renderer``'s."""
        return self.words.ctypes.data

    @property
    def frames(self) -> int:
        """Frames played, until all are."""
        return int(self.words[AT])

    @property
    def callbacks(self) -> int:
        """Calls so far."""
        return int(self.words[CALLS])

    @property
    def done(self) -> bool:
        """Whether all was played."""
        return self.frames == len(self.signal)

    def prepare(self, inputs: int, outputs: int, frames: int) -> int:
        """As ``Renderer``'s."""
        self.words[[INPUTS, OUTPUTS]] = inputs, outputs
        return 0

    def process(self, input: Samples | None, output: Samples) -> None:
        """As ``Renderer``'s."""
        at, count = self.frames, min(len(output), len(self.signal) - self.frames)
        output[:] = 0
        output[:count, self.words[OUTPUT]] = self.signal[at : at + count]
        if input is not None:
            self.heard[at : at + count] = input[:count, self.words[INPUT]]
        self.words[AT] += count
        self.words[CALLS] += 1


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison gave: the median of the frames by which the bursts came late, how far those lie apart
    (largest less smallest), and how many of the bursts came back.
    """

    frames: int
    spread: int
    bursts: int


def bursts(rate: int) -> Samples:
    """What is played: silence, then a burst at the start of each gap; the same on every run."""
    gap = round(GAP_S * rate)
    signal = np.zeros(gap * (BURSTS + 1), np.float32)
    for k in range(BURSTS):
        noise = np.random.default_rng(k).choice([-LEVEL, LEVEL], LENGTH)
        signal[gap * k + gap // 2 :][:LENGTH] = noise
    return signal


def compared(signal: Samples, heard: Samples, rate: int) -> Found:
    """How late each burst of a signal is heard. Raises DeviceError where they are not, or not all alike."""
    gap = round(GAP_S * rate)
    lags: list[int] = []
    size = 1 << (gap + 2 * LENGTH).bit_length()
    for k in range(BURSTS):
        start = gap * k + gap // 2
        burst, window = signal[start : start + LENGTH].astype(float), heard[start : start + gap].astype(float)
        spectrum = np.fft.rfft(window - window.mean(), size) * np.conj(np.fft.rfft(burst, size))
        found = np.abs(np.fft.irfft(spectrum, size)[: len(window) - LENGTH + 1])
        peak = int(np.argmax(found))
        rest = np.delete(found, np.s_[max(0, peak - LENGTH // 8) : peak + LENGTH // 8])
        if found[peak] > CLEAR * np.sqrt(np.mean(rest**2)) and found[peak] > 0:
            lags.append(peak)
    if not np.any(heard):
        raise DeviceError("nothing at all came back: the input is silent; is the cable in, on the channels named?")
    if len(lags) < BURSTS * 3 // 4:
        raise DeviceError(
            f"only {len(lags)} of {BURSTS} bursts came back clearly; connect the output to the input with a cable, "
            "turn the gain up, and monitoring off"
        )
    return Found(int(np.median(lags)), max(lags) - min(lags), len(lags))


def measure_round_trip(
    choice: Choice,
    *,
    rate: int = 48000,
    output: int = 0,
    input: int = 0,
    notice: Notice,
    ready: Callable[[str], None] = lambda name: None,
) -> RoundTrip:
    """Play bursts on a device's output channel and find them in an input channel, both counted from 0.

    ``ready`` is told the device's name when it is open and before anything is played. Raises DeviceError where there
    is no such device, or where the bursts do not come back.
    """
    rate = choice.rate or rate
    exchanged = Exchange(bursts(rate), output, input)
    device = open_device(choice, exchanged, inputs=input + 1, outputs=output + 1, rate=rate, notice=notice)
    try:
        if device.name == NULL:
            raise DeviceError("there is no device to measure")
        if device.inputs <= input or device.outputs <= output:
            raise DeviceError(f"{device.name} does not have both output {output + 1} and input {input + 1}")
        ready(device.name)
        device.start()
        end = time.monotonic() + len(exchanged.signal) / rate + DEADLINE_S
        while not exchanged.done:
            if time.monotonic() > end or not device.alive():
                raise DeviceError(f"{device.name} stopped while it was being measured")
            time.sleep(0.02)
        device.stop()
        if device.xruns:
            notice(f"{device.xruns} dropouts while measuring: measure again if the spread is not 0")
        found = compared(exchanged.signal, exchanged.heard, rate)
        one, _, other = device.name.partition(" + ")
        return RoundTrip(one, other or one, device.rate, device.block, found.frames, found.spread)
    finally:
        device.close()
