"""What pings make of plugins whose true latency is known."""

from __future__ import annotations

import numpy as np
import pytest

from host.plugins.description import Bus, Description
from host.plugins.ping import ping


class Delayed:
    """Convolves its input with ``response``, says it is ``reported`` late, and adds ``hum`` and ``hiss`` of its own."""

    seeds = iter(range(1000))

    def __init__(self, response, reported: int, hum: float = 0.0, hiss: float = 0.0, instrument: bool = False) -> None:
        bus = Bus("", "main", 1, "mono", ("mono",))
        inputs = () if instrument else (bus,)
        self.description = Description("vst3", "A", "A", inputs=inputs, outputs=(bus,), events_in=instrument)
        self.response, self.reported, self.hum, self.hiss = np.asarray(response, np.float32), reported, hum, hiss
        self.chance = np.random.default_rng(next(self.seeds))

    def prepare(self, rate, max_block, arrangement=None) -> None:
        self.rest = np.zeros(len(self.response) + max_block, np.float32)
        self.frame = 0

    def latency(self) -> int:
        return self.reported

    def process(self, inputs, outputs, events=(), changes=(), transport=None) -> None:
        frames = outputs[0].shape[1]
        source = inputs[0][0].copy() if inputs else np.zeros(frames, np.float32)
        for event in events:
            source[event.frame] = event.data[2] / 127
        self.rest[: frames + len(self.response) - 1] += np.convolve(source, self.response)
        time = self.frame + np.arange(frames)
        own = self.hum * np.sin(0.01 * time) + self.hiss * self.chance.standard_normal(frames)
        outputs[0][0] = self.rest[:frames] + own
        self.rest = np.concatenate([self.rest[frames:], np.zeros(frames, np.float32)])
        self.frame += frames

    def close(self) -> None:
        self.rest = None


def late(frames: int, level: float = 1.0) -> np.ndarray:
    return np.append(np.zeros(frames, np.float32), np.float32(level))


@pytest.mark.parametrize("block", [1, 64, 480, 512, 4096])
@pytest.mark.parametrize("frames", [0, 1, 63, 700])
def test_a_true_report_agrees_to_the_frame_at_any_block(frames, block):
    found = ping(lambda: Delayed(late(frames, 0.001), frames, hum=0.5), 8000, block)
    assert (found.agreement, found.onset, found.peak, found.measured) == ("agrees", frames, frames, frames)


def test_a_report_that_is_wrong_is_told_by_the_frame():
    found = ping(lambda: Delayed(late(37), 36), 8000, 64)
    assert (found.agreement, found.measured) == ("later", 37)
    found = ping(lambda: Delayed(late(37), 38), 8000, 64)
    assert (found.agreement, found.measured) == ("earlier", 37)


def test_a_filter_of_linear_phase_sounds_before_its_latency_and_agrees():
    response = np.sinc(np.arange(-50, 51) / 4)
    found = ping(lambda: Delayed(response, 50), 8000, 64)
    assert found.agreement == "agrees"
    assert found.onset is not None
    assert found.onset < found.peak == found.measured == 50


def test_silence_and_noise_are_told_from_an_answer():
    assert ping(lambda: Delayed([0.0], 10, hum=1.0), 8000, 64).agreement == "silent"
    assert ping(lambda: Delayed(late(5), 5, hiss=1.0), 8000, 64).agreement == "noisy"


def test_an_instrument_is_pinged_with_a_note():
    found = ping(lambda: Delayed(late(12), 12, instrument=True), 8000, 64)
    assert (found.agreement, found.measured) == ("agrees", 12)
