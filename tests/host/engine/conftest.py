"""Engines of tests: in folders of their own, none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from graph import Patch
from host.engine import folder as folders

FAKE = (sys.executable, "-P", str(Path(__file__).with_name("fake.py")))
DEADLINE_S = 60.0


def until(condition: Callable[[], object], what: str = "", seconds: float = DEADLINE_S) -> None:
    """Wait for a condition; fail where it does not come true."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, what or "it did not come true in time"
        sleep(0.001)


def running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.fixture(autouse=True)
def runtime(monkeypatch) -> Iterator[Path]:
    """A private folder for the engines of one test, empty again after it, and no engine running."""
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        monkeypatch.setenv(folders.VARIABLE, name)
        yield Path(name)
        left = [path for path in Path(name).iterdir() if path.is_dir()]
        for said in filter(None, map(folders.endpoint, left)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(said.pid, signal.SIGKILL)
        assert not left, "an engine was left behind"


@pytest.fixture
def patch() -> Patch:
    """A source, a level, an output."""
    patch = Patch("Test", 48000)
    patch.add("tone", "oscillator", freq_hz=100)
    patch.add("level", "gain", level_db=-6)
    patch.add("out", "audio_out")
    patch.connect("tone.out", "level.in")
    patch.connect("level.out", "out.in")
    return patch
