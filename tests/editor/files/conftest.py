"""A patch for windows that open and save files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def shipped(root: Path, tmp_path: Path) -> Path:
    """A copy of the shipped patch with its audio."""
    shutil.copytree(root / "patches", tmp_path / "patches")
    return tmp_path / "patches" / "duck_music_under_dialogue.json"
