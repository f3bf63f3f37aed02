"""The sound that the workloads read: seeded noise and tones, written once for each length and kept in ``in/``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 48000
TRACKS = tuple(f"trk{i:02d}.wav" for i in range(32))
SOURCE = "src.wav"
RESPONSE = "ir.wav"

_SEEDS = {name: 1234 + i for i, name in enumerate(TRACKS)} | {SOURCE: 99}
_RESPONSE_FRAMES = 96000


def folder_for(seconds: float, root: Path) -> Path:
    """Where the inputs of a length are."""
    return root / f"{seconds:g}s"


def generate(names: Iterable[str], seconds: float, root: Path) -> Path:
    """Write those input files that are not there yet, stereo float32 WAV; the answer is their folder."""
    import soundfile

    folder = folder_for(seconds, root)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / name
        if path.exists():
            continue
        samples = _response() if name == RESPONSE else _track(_SEEDS[name], max(1, round(seconds * RATE)))
        partial = path.with_name(f".{name}.partial")
        soundfile.write(partial, samples, RATE, subtype="FLOAT", format="WAV")
        os.replace(partial, path)
    return folder


def _track(seed: int, frames: int) -> npt.NDArray[np.float32]:
    """Noise and a sine, both swelling slowly: loud enough to move every compressor."""
    random = np.random.default_rng(seed)
    time = np.arange(frames, dtype=np.float32) / RATE
    samples = np.empty((frames, 2), np.float32)
    hz = 60 * 2 ** (random.random() * 5)
    swell_hz, swell_phase = 0.1 + random.random(), random.random() * 6
    swell = (0.55 + 0.45 * np.sin(2 * np.pi * swell_hz * time + swell_phase)).astype(np.float32)
    tone = np.sin(2 * np.pi * ((hz * time) % 1.0)).astype(np.float32)
    for channel in range(2):
        noise = random.standard_normal(frames, dtype=np.float32) * np.float32(0.08)
        samples[:, channel] = (noise + np.float32(0.25) * tone) * swell
    return np.clip(samples, -0.99, 0.99)


def _response() -> npt.NDArray[np.float32]:
    """Two seconds of decaying noise, of unit energy in each channel."""
    time = np.arange(_RESPONSE_FRAMES) / RATE
    noise = np.random.default_rng(7).standard_normal((_RESPONSE_FRAMES, 2)).astype(np.float32)
    response = noise * np.exp(-time * 3.45)[:, None]
    return (response / np.sqrt((response**2).sum(axis=0))).astype(np.float32)
