"""Fixtures that the tests of ``graph`` share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def bad_patches() -> ModuleType:
    """The module ``corpus``: bad patches, and patches that are only odd."""
    spec = importlib.util.spec_from_file_location("bad_patches", Path(__file__).with_name("corpus.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
