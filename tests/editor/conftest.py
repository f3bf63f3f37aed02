"""Screens and windows for the tests of the editor, and sessions without any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editor.window import Screen, Window, skip_without_screens


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    """A screen without a monitor."""
    skip_without_screens()
    found = Screen()
    yield found
    found.close()


@pytest.fixture
def open_window(screen: Screen, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Opens windows, ``open_window(PATCH, "--no-engine")``, each with its own settings; closes what is left open."""
    opened: list[Window] = []

    def open_one(*arguments: str | Path, **options: Any) -> Window:
        opened.append(Window(screen, tmp_path / f"window{len(opened)}", arguments, **options))
        return opened[-1]

    yield open_one
    for window in opened:
        window.discard()
