"""Whatever loads, the compiler takes or refuses in one clear sentence."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import pytest

from graph.compiler import compile
from graph.errors import PatchError
from graph.patchfile import loads
from graph.paths import latencies
from nodes import kinds


class NoFiles:
    """A world without files and plugins."""

    def audio_info(self, path: str) -> Any:
        raise PatchError(f"there is no file {path[:40]!r}")

    def read_audio(self, path: str, rate: float) -> Any:
        raise PatchError(f"there is no file {path[:40]!r}")

    def read_midi(self, path: str, rate: float) -> Any:
        raise PatchError(f"there is no file {path[:40]!r}")

    def user_node(self, path: str) -> Any:
        raise PatchError(f"there is no file {path[:40]!r}")

    def midi_input(self, node: str, device: str) -> Any:
        raise PatchError("there is no MIDI here")

    def plugin(self, settings: Any) -> Any:
        raise PatchError("there is no such plugin")

    def open_plugin(self, request: Any) -> Any:
        raise PatchError("there is no such plugin")

    def plugin_words(self, number: int) -> Any:
        raise PatchError("plugins are not played here")


@pytest.mark.parametrize("lenient", [False, True])
def test_every_patch_that_loads_compiles_or_is_refused_in_one_sentence(bad_patches: ModuleType, lenient: bool) -> None:
    outcomes: Counter[str] = Counter()
    refused: dict[str, str] = {}
    known = kinds()
    for name, data in bad_patches.corpus():
        try:
            patch = loads(data)
        except PatchError:
            continue
        missing: list[PatchError] | None = [] if lenient else None
        try:
            schedule = compile(patch, known, NoFiles(), missing=missing)
        except PatchError as error:
            refused[name] = str(error)
            continue
        outcomes["compiled"] += 1
        latencies(schedule)
    assert outcomes["compiled"] > 100, outcomes
    assert len(refused) > 100
    for name, message in refused.items():
        assert 0 < len(message) < 800, name
        assert message.isprintable(), name
