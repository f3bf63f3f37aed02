"""Where the editor keeps what is the user's: journals, the list of recent files; and where shipped patches are."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

VARIABLE = "PATCHWRIGHT_DATA"
SHIPPED = Path(__file__).resolve().parents[2] / "patches"
"""Patches that come with the program."""
FIRST = SHIPPED / "duck_music_under_dialogue.json"
"""What a first start opens."""


def data_folder() -> Path:
    """The user's data; PATCHWRIGHT_DATA overrides it. It need not be there yet."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("patchwright", appauthor=False))


def home() -> Path:
    """Where a dialog begins that has no better place."""
    documents = Path(platformdirs.user_documents_dir())
    return documents if documents.is_dir() else Path.home()


def presets_folder() -> Path:
    """Where the user's own patches for the browser are; it need not be there yet."""
    return data_folder() / "patches"
