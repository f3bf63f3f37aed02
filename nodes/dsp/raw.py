"""Raw memory, atomics, time and semaphores: words for what only compiled code can do, by address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def native_only(function: F) -> F:
    """Mark a function that stands for an operation of the machine, and does nothing in Python."""
    function.__native_intrinsic__ = function.__name__  # pyright: ignore[reportFunctionMemberAccess]
    return function


@native_only
def word(address: int, k: int) -> int:
    """The k-th 64-bit word at an address."""
    raise NotImplementedError("compiled code only")


@native_only
def set_word(address: int, k: int, value: int) -> None:
    """Set the k-th 64-bit word at an address."""
    raise NotImplementedError("compiled code only")


@native_only
def load_f32(address: int, k: int) -> float:
    """The k-th float32 at an address."""
    raise NotImplementedError("compiled code only")


@native_only
def store_f32(address: int, k: int, value: float) -> None:
    """Set the k-th float32 at an address."""
    raise NotImplementedError("compiled code only")


@native_only
def load_f64(address: int, k: int) -> float:
    """The k-th float64 at an address."""
    raise NotImplementedError("compiled code only")


@native_only
def load_atomic(address: int) -> int:
    """A word, acquired."""
    raise NotImplementedError("compiled code only")


@native_only
def store_atomic(address: int, value: int) -> None:
    """Publish a word."""
    raise NotImplementedError("compiled code only")


@native_only
def add_atomic(address: int, value: int) -> int:
    """Add to a word; the value before."""
    raise NotImplementedError("compiled code only")


@native_only
def now_ns() -> int:
    """Nanoseconds on a clock that never jumps."""
    raise NotImplementedError("compiled code only")


@native_only
def relax() -> None:
    """A breath in a waiting loop."""
    raise NotImplementedError("compiled code only")


@native_only
def post(semaphore: int) -> None:
    """Add one to a semaphore (a ``sem_t`` in shared memory)."""
    raise NotImplementedError("compiled code only")


@native_only
def take(semaphore: int) -> int:
    """Take one from a semaphore without waiting; whether there was one."""
    raise NotImplementedError("compiled code only")


@native_only
def take_until(semaphore: int, at: int) -> int:
    """Take one from a semaphore, waiting at most until ``now_ns`` shows a time, or a signal comes; whether there was
    one.
    """
    raise NotImplementedError("compiled code only")
