"""The null device: it keeps time, or runs as fast as it goes; what it is fed and what it captures is exact."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from host.devices import Choice, open_device
from host.devices.null import NullDevice

from .conftest import LARGEST, SMALLEST, Counting, frames_without_interpreter, until


def test_it_keeps_real_time():
    """Never ahead of the clock, and never behind for long: what was missed is made up for."""
    renderer = Counting()
    device = NullDevice(renderer, inputs=0, outputs=2, rate=48000, block=64)
    begin = time.monotonic()
    device.start()
    until(lambda: device.frames)
    first = time.monotonic()

    def seconds() -> tuple[float, float]:
        return device.frames / 48000, time.monotonic() - begin

    until(lambda: time.monotonic() - first > 0.5)
    rendered, elapsed = seconds()
    assert rendered <= elapsed + 64 / 48000
    until(lambda: device.frames / 48000 > 0.98 * (time.monotonic() - first))
    assert device.alive()
    device.stop()
    assert not device.alive()
    assert renderer.frames == device.frames
    assert renderer.prepared == [(0, 2, 64)]


def test_it_needs_no_interpreter():
    renderer = Counting()
    device = NullDevice(renderer, inputs=0, outputs=2, rate=48000, block=64)
    device.start()
    until(lambda: device.frames)
    assert frames_without_interpreter(renderer) > 640
    device.stop()


@pytest.mark.parametrize("block", [64, 128, 100, (64, 100, 1, 511)])
def test_unpaced_it_runs_to_the_limit_and_captures_every_frame(block):
    rng = np.random.default_rng(7)
    feed = rng.standard_normal((30_000, 2)).astype(np.float32)
    capture = np.full((48_000, 3), np.nan, np.float32)
    renderer = Counting()
    device = NullDevice(
        renderer, inputs=2, outputs=3, rate=48000, block=block, paced=False, limit=48_000, feed=feed, capture=capture
    )
    device.start()
    assert device.wait(20.0)
    sizes = [block] if isinstance(block, int) else list(block)
    assert renderer.prepared == [(2, 3, block if isinstance(block, int) else 0)]
    assert 48_000 <= renderer.frames < 48_000 + max(sizes)
    assert (renderer.words[SMALLEST], renderer.words[LARGEST]) == (min(sizes), max(sizes))
    assert np.array_equal(capture[:, 0], np.arange(48_000))
    assert np.array_equal(capture[:30_000, 1:], feed)
    assert not capture[30_000:, 1:].any()
    device.close()


def test_starting_again_begins_anew():
    capture = np.zeros((1000, 1), np.float32)
    renderer = Counting()
    device = NullDevice(renderer, inputs=0, outputs=1, rate=48000, block=100, paced=False, limit=1000, capture=capture)
    for k in range(2):
        device.start()
        assert device.wait(20.0)
        device.stop()
        assert np.array_equal(capture[:, 0], np.arange(1000) + 1000 * k)


def test_a_thread_more_and_a_thread_less():
    before = threading.active_count()
    device = NullDevice(Counting(), inputs=0, outputs=1, rate=48000)
    device.start()
    assert threading.active_count() == before + 1
    device.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "samples", [np.zeros((10, 3), np.float32), np.zeros((10, 2)), np.zeros((10, 4), np.float32)[:, ::2]]
)
def test_arrays_of_another_shape_are_refused(samples):
    with pytest.raises(ValueError, match=r"expected float32 \[frame, 2\]|one piece"):
        NullDevice(Counting(), inputs=0, outputs=2, rate=48000, capture=samples)


def test_it_is_there_for_whoever_chooses_it():
    said: list[str] = []
    device = open_device(Choice("null", block=100), Counting(), inputs=200, outputs=2, rate=44100, notice=said.append)
    assert (device.name, device.rate, device.block, device.inputs, device.outputs) == ("null", 44100, 100, 64, 2)
    assert said == []
