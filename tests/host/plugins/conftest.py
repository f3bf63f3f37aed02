"""Plugins in the process of the tests."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator

import pytest

ROOM = 256
"""Bytes; more than the floating-point environment takes anywhere."""


@pytest.fixture(autouse=True)
def same_arithmetic() -> Iterator[None]:
    """Some plugins leave denormal numbers switched off in the thread that called them. In a worker of their own that is
    nobody's harm; here the tests that follow would compute with it.
    """
    if sys.platform == "win32":
        yield
        return
    libc = ctypes.CDLL("libm.so.6" if sys.platform == "linux" else None)
    environment = ctypes.create_string_buffer(ROOM)
    libc.fegetenv(environment)
    yield
    libc.fesetenv(environment)
