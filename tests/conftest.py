"""What all tests share: property tests are the same on every run, and a slow machine is no failure."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before numpy is loaded: threads of a matrix product wait for each other awake, and tests run side by side as it is.
for _library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

settings.register_profile(
    "patchwright", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patchwright")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's background job starts with interrupts ignored, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the way to the terminal before what tests say is caught."""
    config.stash[STDERR] = os.dup(2)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the cycle collector need not walk them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Pytest gives up its watch over tests that hang once something fails, and after a failure something that should
    have ended may well be waited for.
    """
    seconds = float(item.config.getini("faulthandler_timeout"))
    if seconds > 0:
        faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[STDERR])
    return (yield)


ROOM = 256
"""Bytes; more than the floating-point environment takes anywhere."""
_libm = None if sys.platform == "win32" else ctypes.CDLL("libm.so.6" if sys.platform == "linux" else None)
_arithmetic = ctypes.create_string_buffer(ROOM)
if _libm:
    _libm.fegetenv(_arithmetic)


@pytest.fixture(autouse=True)
def same_arithmetic() -> None:
    """Some plugins leave denormal numbers switched off in the thread that called them, also when a fixture of a whole
    module loads or closes them. In a worker of their own that is nobody's harm; here the tests that follow would
    compute with it.
    """
    if _libm:
        _libm.fesetenv(_arithmetic)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent
