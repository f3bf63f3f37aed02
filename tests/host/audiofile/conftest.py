"""Files to read, and outside programs that say what is in a file."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.audiofile import create_audio

Probe = Callable[[Path], dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None:
        for item in items:
            if {"ffprobe", "ffmpeg"} & set(getattr(item, "fixturenames", ())):
                item.add_marker(pytest.mark.skip(reason="ffmpeg is not installed"))


@pytest.fixture
def ffprobe() -> Probe:
    """What ffprobe says of a file: its audio stream's fields, and `tags` of stream and container together."""

    def probe(path: Path) -> dict[str, Any]:
        command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
        said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        stream = said["streams"][0]
        return stream | {"tags": said["format"].get("tags", {}) | stream.get("tags", {})}

    return probe


@pytest.fixture
def ffmpeg() -> Callable[..., bytes]:
    """Run ffmpeg with these arguments and this standard input; its standard output."""

    def run(*arguments: str, stdin: bytes = b"") -> bytes:
        command = ["ffmpeg", "-v", "error", "-y", *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout

    return run


def levels(channels: int, frames: int = 4800) -> np.ndarray:
    """Channel c holds the constant (c + 1) / 32: any swap shows."""
    return np.tile(((np.arange(channels) + 1) / 32).astype(np.float32), (frames, 1))


def level_order(block: np.ndarray) -> list[int]:
    """Which channel of `levels` each channel holds, from the middle of the block."""
    middle = block[len(block) // 3 : 2 * len(block) // 3].mean(axis=0)
    return [round(float(level) * 32) - 1 for level in middle]


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    """White noise of about −20 dBFS."""
    return (0.1 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def write(path: Path, block: np.ndarray, labels: Sequence[str] | None = None, rate: int = 48000, **more: Any) -> Path:
    """Write a block in one go, mono or stereo unless labels say otherwise."""
    names = labels or {1: ("M",), 2: ("L", "R")}[block.shape[1]]
    with create_audio(path, rate, names, **more) as writer:
        writer.write(block)
    return path
