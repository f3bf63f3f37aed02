"""What every peer's script is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.inputs import RATE

JUCE_WET = 3.0
"""JUCE's reverb, which both peers have, multiplies its wet signal by this."""
JUCE_RESPONSE = 0.125
"""JUCE's convolution makes every response this loud, by the root of its energy; that of W4 has unit energy."""

Frames = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Task:
    """How to do a workload."""

    block: int
    seconds: float
    inputs: Path

    @property
    def frames(self) -> int:
        """Length of the result."""
        return round(self.seconds * RATE)

    def read(self, name: str) -> Frames:
        """As much of an input as is needed, ``[channel, frame]``."""
        samples, _ = soundfile.read(self.inputs / name, frames=self.frames, dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T)


def main(workloads: Mapping[str, Callable[[Task], Frames]]) -> None:
    """Do what the command line asks for and write the result, ``[channel, frame]``."""
    _, key, block, seconds, out, inputs = sys.argv
    task = Task(int(block), float(seconds), Path(inputs))
    result = workloads[key](task)
    soundfile.write(out, result.T[: task.frames], RATE, subtype="FLOAT")
