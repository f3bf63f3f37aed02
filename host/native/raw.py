"""Words for what only compiled code can do; ``host.native.intrinsics`` gives them their meaning."""

from __future__ import annotations

from nodes.dsp.raw import (
    add_atomic,
    load_atomic,
    load_f32,
    load_f64,
    native_only,
    now_ns,
    relax,
    set_word,
    store_atomic,
    store_f32,
    word,
)

__all__ = [
    "add_atomic",
    "call_audio",
    "call_step",
    "cycles",
    "flush_denormals",
    "give_way",
    "load_atomic",
    "load_f32",
    "load_f64",
    "now_ns",
    "relax",
    "restore_float_mode",
    "set_word",
    "sleep_until",
    "store_atomic",
    "store_f32",
    "word",
]


@native_only
def call_step(address: int, args: int, offset: int, frames: int) -> None:
    """Call a step."""
    raise NotImplementedError("compiled code only")


@native_only
def call_audio(address: int, input: int, output: int, frames: int, times: int, flags: int, user: int) -> int:
    """Call an audio callback of PortAudio's type; its answer."""
    raise NotImplementedError("compiled code only")


@native_only
def sleep_until(at: int) -> None:
    """Sleep until that clock shows a time, or a signal comes."""
    raise NotImplementedError("compiled code only")


@native_only
def give_way() -> None:
    """Offer the processor to another thread."""
    raise NotImplementedError("compiled code only")


@native_only
def cycles() -> int:
    """A count that grows evenly with time, fast to read; its unit differs from machine to machine."""
    raise NotImplementedError("compiled code only")


@native_only
def flush_denormals() -> int:
    """Set flush-to-zero and denormals-are-zero; the control word before."""
    raise NotImplementedError("compiled code only")


@native_only
def restore_float_mode(before: int) -> None:
    """Put the control word of the floating-point unit back."""
    raise NotImplementedError("compiled code only")
