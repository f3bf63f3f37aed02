"""Measuring audio files: what `patchwright measure` prints. Any length in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from host.loudness import Loudness, LoudnessError, LoudnessMeter

READ_FRAMES = 1 << 16

Progress = Callable[[int, int], None]  # frames done, frames in all


@dataclass(frozen=True, slots=True)
class Measurement:
    """The loudness and levels of one file."""

    file: str  # the path as it was given
    sample_rate: int
    loudness: Loudness
    warning: str | None = None  # one clause about damage that did not keep the file from being read

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; −∞, and what the file is too short to tell, is `null`."""
        whole = self.loudness
        return {
            "file": self.file,
            "sample_rate": self.sample_rate,
            "channels": [channel.label for channel in whole.channels],
            "frames": whole.frames,
            "integrated_lufs": whole.integrated_lufs,
            "momentary_max_lufs": whole.momentary_max_lufs,
            "short_term_max_lufs": whole.short_term_max_lufs,
            "range_lu": whole.range_lu,
            "true_peak_dbtp": whole.true_peak_dbtp,
            "peak_dbfs": whole.peak_dbfs,
            "rms_dbfs": whole.rms_dbfs,
            "dc": whole.dc,
            "per_channel": [
                {
                    "channel": channel.label,
                    "true_peak_dbtp": channel.true_peak_dbtp,
                    "peak_dbfs": channel.peak_dbfs,
                    "rms_dbfs": channel.rms_dbfs,
                    "dc": channel.dc,
                    "non_finite": channel.non_finite,
                }
                for channel in whole.channels
            ],
        }


def measure_file(path: str | os.PathLike[str], progress: Progress | None = None) -> Measurement:
    """Measure an audio file from its first frame to its last.

    `progress` hears of every read. Raises `AudioFileError` for a file that cannot be read and `LoudnessError` for one
    whose sample rate has no loudness; both name the file.
    """
    # Here, because soundfile comes with it.
    from host.audiofile import open_audio

    with open_audio(path) as reader:
        block = np.empty((READ_FRAMES, reader.channels), np.float32)
        try:
            meter = LoudnessMeter(reader.rate, reader.labels)
        except LoudnessError as error:
            raise LoudnessError(f"{os.fspath(path)}: {error}") from error
        while got := reader.read_into(block):
            meter.feed(block[:got])
            if progress is not None:
                progress(meter.frames, reader.frames)
        return Measurement(os.fspath(path), reader.rate, meter.result(), reader.warning)
