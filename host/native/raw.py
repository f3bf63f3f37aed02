"""Words for what only compiled code can do; ``host.native.intrinsics`` gives them their meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _native_only(function: F) -> F:
    function.__native_intrinsic__ = function.__name__  # pyright: ignore[reportFunctionMemberAccess]
    return function


@_native_only
def word(address: int, k: int) -> int:
    """The k-th 64-bit word at an address."""
    raise NotImplementedError("compiled code only")


@_native_only
def set_word(address: int, k: int, value: int) -> None:
    """Set the k-th 64-bit word at an address."""
    raise NotImplementedError("compiled code only")


@_native_only
def load_f32(address: int, k: int) -> float:
    """The k-th float32 at an address."""
    raise NotImplementedError("compiled code only")


@_native_only
def store_f32(address: int, k: int, value: float) -> None:
    """Set the k-th float32 at an address."""
    raise NotImplementedError("compiled code only")


@_native_only
def load_f64(address: int, k: int) -> float:
    """The k-th float64 at an address."""
    raise NotImplementedError("compiled code only")


@_native_only
def load_atomic(address: int) -> int:
    """A word, acquired."""
    raise NotImplementedError("compiled code only")


@_native_only
def store_atomic(address: int, value: int) -> None:
    """Publish a word."""
    raise NotImplementedError("compiled code only")


@_native_only
def add_atomic(address: int, value: int) -> int:
    """Add to a word; the value before."""
    raise NotImplementedError("compiled code only")


@_native_only
def call_step(address: int, args: int, offset: int, frames: int) -> None:
    """Call a step."""
    raise NotImplementedError("compiled code only")


@_native_only
def call_audio(address: int, input: int, output: int, frames: int, times: int, flags: int, user: int) -> int:
    """Call an audio callback of PortAudio's type; its answer."""
    raise NotImplementedError("compiled code only")


@_native_only
def now_ns() -> int:
    """Nanoseconds on a clock that never jumps."""
    raise NotImplementedError("compiled code only")


@_native_only
def sleep_until(at: int) -> None:
    """Sleep until that clock shows a time, or a signal comes."""
    raise NotImplementedError("compiled code only")


@_native_only
def relax() -> None:
    """A breath in a waiting loop."""
    raise NotImplementedError("compiled code only")


@_native_only
def give_way() -> None:
    """Offer the processor to another thread."""
    raise NotImplementedError("compiled code only")


@_native_only
def cycles() -> int:
    """A count that grows evenly with time, fast to read; its unit differs from machine to machine."""
    raise NotImplementedError("compiled code only")


@_native_only
def flush_denormals() -> int:
    """Set flush-to-zero and denormals-are-zero; the control word before."""
    raise NotImplementedError("compiled code only")


@_native_only
def restore_float_mode(before: int) -> None:
    """Put the control word of the floating-point unit back."""
    raise NotImplementedError("compiled code only")
