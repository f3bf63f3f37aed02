"""Nodes of one's own: texts of files, and a data folder of each test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph import Patch
from host.usernodes.source import read
from host.usernodes.trust import trust

GAIN = '''
from graph.spec import AudioIn, AudioOut, Level, Node, kernel


class MyGain(Node):
    """Scale a signal by a level in decibels."""

    kind = "my_gain"
    family = "mix"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    level = Level("level_db", 0.0, doc="Level applied to the signal.")

    @kernel
    def process(signal, out, level, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * level[i, lane]
'''


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    """The user's data folder."""
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def written(tmp_path) -> Callable[..., Path]:
    """Write a file of a node beside the patch, trusted unless that is not wanted."""

    def write(text: str, name: str = "mine.py", trusted: bool = True) -> Path:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        if trusted:
            trust(read(file).digest, file)
        return file

    return write


@pytest.fixture
def patch(tmp_path) -> Patch:
    """Noise through a node of one's own."""
    found = Patch("Own", sample_rate=48000)
    found.folder = tmp_path
    found.add("noise", "noise")
    found.add("own", "user", settings={"path": "mine.py"})
    found.add("out", "audio_out", settings={"layout": "mono"})
    found.connect("noise.out", "own.in")
    found.connect("own.out", "out.in")
    return found
