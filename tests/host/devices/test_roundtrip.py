"""The round trip is measured to the frame, in arrays and over a loop of JACK's; what does not come back is said."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from host.devices import Choice, DeviceError, portaudio
from host.devices.null import NullDevice
from host.devices.roundtrip import GAP_S, Exchange, bursts, compared, measure_round_trip

RATE = 48000
SIGNAL = bursts(RATE)


def late(frames: int, gain: float = 1.0) -> np.ndarray:
    return np.concatenate([np.zeros(frames, np.float32), SIGNAL])[: len(SIGNAL)] * np.float32(gain)


@pytest.mark.parametrize("frames", [0, 1, 64, 777, 12345, round(GAP_S * RATE) - 2048])
@pytest.mark.parametrize("gain", [1.0, -0.01])
def test_a_delay_is_found_to_the_frame(frames, gain):
    found = compared(SIGNAL, late(frames, gain), RATE)
    assert (found.frames, found.spread, found.bursts) == (frames, 0, 8)


def test_hum_hiss_and_offset_do_not_matter():
    t = np.arange(len(SIGNAL)) / RATE
    noise = 0.02 * np.random.default_rng(1).standard_normal(len(SIGNAL)) + 0.1 * np.sin(2 * np.pi * 50 * t) + 0.05
    found = compared(SIGNAL, late(431, 0.1) + noise.astype(np.float32), RATE)
    assert (found.frames, found.spread) == (431, 0)


def test_a_jump_within_shows_in_the_spread():
    heard = late(500)
    half = len(heard) // 2
    heard[half:] = late(504)[half:]
    found = compared(SIGNAL, heard, RATE)
    assert found.spread == 4


def test_silence_and_foreign_sound_are_told_from_a_round_trip():
    with pytest.raises(DeviceError, match="nothing at all"):
        compared(SIGNAL, np.zeros_like(SIGNAL), RATE)
    noise = np.random.default_rng(2).standard_normal(len(SIGNAL)).astype(np.float32)
    with pytest.raises(DeviceError, match="of 8 bursts"):
        compared(SIGNAL, noise, RATE)


def test_native_and_python_exchange_alike():
    heard = np.random.default_rng(3).standard_normal((len(SIGNAL), 2)).astype(np.float32)
    capture = np.zeros((len(SIGNAL), 3), np.float32)
    one = Exchange(SIGNAL, 2, 1)
    device = NullDevice(
        one, inputs=2, outputs=3, rate=RATE, block=100, paced=False, limit=len(SIGNAL), feed=heard, capture=capture
    )
    device.start()
    assert device.wait(20)
    assert one.done
    assert np.array_equal(one.heard, heard[:, 1])
    assert np.array_equal(capture, np.stack([np.zeros_like(SIGNAL)] * 2 + [SIGNAL], 1))
    other = Exchange(SIGNAL, 2, 1)
    other.prepare(2, 3, 100)
    block = np.ones((1000, 3), np.float32)
    for at in range(0, len(SIGNAL), 1000):
        other.process(heard[at : at + 1000], block)
        assert np.array_equal(block[: len(SIGNAL) - at], capture[at : at + 1000])
    assert np.array_equal(other.heard, one.heard)


@pytest.mark.parametrize("period", [64, 256])
def test_over_a_loop_of_jack_it_is_one_period_to_the_frame(jack, period):
    """A client connected to itself hears what it played one period ago: JACK's own rule for loops."""
    jack.stop()
    jack.start(period)
    portaudio.restart()
    said: list[str] = []

    def connect(name: str) -> None:
        ours = [port for port in jack.ports() if port.startswith("Patchwright")]
        jack.connect(next(p for p in ours if "out_1" in p), next(p for p in ours if "in_0" in p))

    trip = measure_round_trip(Choice("system"), rate=RATE, output=1, input=0, notice=said.append, ready=connect)
    assert (trip.frames, trip.spread) == (period, 0), said
    assert (trip.output, trip.input, trip.rate, trip.block) == ("system", "system", RATE, period)


def test_a_loop_that_is_not_there_is_said(jack):
    before = threading.active_count()
    with pytest.raises(DeviceError, match="nothing at all came back"):
        measure_round_trip(Choice("system"), rate=RATE, notice=lambda words: None)
    with pytest.raises(DeviceError, match="both output 9 and input 1"):
        measure_round_trip(Choice("system"), rate=RATE, output=8, notice=lambda words: None)
    assert threading.active_count() == before


def test_the_null_device_has_no_round_trip():
    with pytest.raises(DeviceError, match="no device to measure"):
        measure_round_trip(Choice("null"), rate=RATE, notice=lambda words: None)
