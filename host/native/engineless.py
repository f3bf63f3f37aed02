"""Numba keeps every module that it finishes for an engine of its own, from which we never take code: megabytes for each
kernel, for as long as the process lives.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core.codegen import JITCPUCodegen
from numba.core.registry import cpu_target

_lock = threading.Lock()


@contextmanager
def engineless() -> Iterator[None]:
    """Within, what numba finishes is its caller's alone, and gone with it."""
    assert cpu_target.target_context is not None  # made here: what it compiles for itself it does need
    with _lock:
        saved = JITCPUCodegen._add_module
        JITCPUCodegen._add_module = lambda self, module: None
        try:
            yield
        finally:
            JITCPUCodegen._add_module = saved
