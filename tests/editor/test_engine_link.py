"""The editor and its engine: an engine that plays on when an editor is gone is the next editor's."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

import pytest

from editor.link import engine_maker
from graph import Patch
from host.engine import folder as folders
from host.engine.client import Engine


@pytest.fixture
def runtime(monkeypatch):
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        monkeypatch.setenv(folders.VARIABLE, name)
        yield name
        assert not [path for path in os.listdir(name) if os.path.isdir(os.path.join(name, path))]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_the_next_editor_takes_over_what_plays(runtime):
    patch = Patch("Left", 48000)
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    first = engine_maker("null")()
    assert isinstance(first, Engine)
    first.load(patch)
    first.play()
    until(lambda: first.status.place_s > 0)
    pid = first.status.pid
    first.detach()  # as it is when an editor dies
    second = engine_maker("null")()
    try:
        assert second.status.pid == pid
        assert second.status.rolling
        clock = second.status.numbers["clock"]
        second.load(patch)
        assert second.status.numbers["clock"] >= clock > 0  # the same sound, going on
    finally:
        second.close()
