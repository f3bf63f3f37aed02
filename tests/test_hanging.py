"""A test that hangs is ended and named, and costs no other test its turn."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HANGING = """
import threading
import pytest

@pytest.fixture
def endless():
    yield
    threading.Event().wait()

def test_hangs():
    threading.Event().wait()

def test_fails_and_then_hangs(endless):
    assert False

@pytest.mark.parametrize("k", range(4))
def test_sound(k):
    pass
"""


def test_what_hangs_is_ended_and_named_and_the_others_have_their_turn(root: Path, tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(HANGING)
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    shutil.copy(root / "pyproject.toml", tmp_path)
    words = [sys.executable, "-P", "-m", "pytest", "-n", "1", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=2"]
    done = subprocess.run([*words, "test_some.py"], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=240)
    assert done.returncode == 1, done.stdout + done.stderr
    assert ", 4 passed in " in done.stdout
    for name in ("test_hangs", "test_fails_and_then_hangs"):
        assert f"crashed while running 'test_some.py::{name}'" in done.stdout
    assert done.stderr.count("Timeout (0:00:02)!") == 2
    assert "in test_hangs" in done.stderr
    assert "in endless" in done.stderr
