"""Everything a kernel reaches: for the cache key, and for handing it to the compiler.

Kernels and helpers are plain Python functions, so that reading declarations never waits for a compiler. A cache key
must change with any of them, wherever it is written; ``fingerprint`` therefore follows names through globals,
function by function.
"""

from __future__ import annotations

import dis
import hashlib
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

MARK = "__native_helper__"
INTRINSIC = "__native_intrinsic__"


class KernelError(TypeError):
    """A kernel that cannot be compiled to code fit for the audio thread, and why."""


def reached(function: types.FunctionType) -> dict[str, Any]:
    """The global values a function uses, by name."""
    if function.__code__.co_freevars:
        raise KernelError(
            f"{function.__qualname__} closes over {', '.join(function.__code__.co_freevars)}; "
            "use arguments or module constants"
        )
    return {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}


@cache
def _names(code: types.CodeType) -> list[str]:
    """The global names in some code; to read it costs more than all else that is done with a kernel that is kept."""
    return sorted({i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"})


def is_helper(value: object) -> bool:
    """Whether a value is a function marked to be compiled with the kernels that call it."""
    return isinstance(value, types.FunctionType) and hasattr(value, MARK)


def intrinsic_name(value: object) -> str | None:
    """The name of the machine operation that a function stands for, if it does."""
    return getattr(value, INTRINSIC, None) if isinstance(value, types.FunctionType) else None


def fingerprint(function: types.FunctionType) -> str:
    """A digest of the code of a function and of all it reaches: helpers, constants, arrays."""
    digest = hashlib.sha256()
    _add_function(digest, function, set())
    return digest.hexdigest()


def _add_function(digest: hashlib._Hash, function: types.FunctionType, seen: set[types.FunctionType]) -> None:
    if function in seen:
        return
    seen.add(function)
    _add_code(digest, function.__code__)
    for name, value in reached(function).items():
        digest.update(name.encode())
        if is_helper(value):
            _add_function(digest, value, seen)
        elif isinstance(value, np.ndarray):
            digest.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        elif isinstance(value, types.ModuleType):
            digest.update(value.__name__.encode())
        elif isinstance(value, (int, float, str, bytes, tuple, bool)) or value is None:
            digest.update(repr(value).encode())
        elif callable(value):
            digest.update(f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}".encode())
        else:
            raise KernelError(
                f"{function.__qualname__} uses {name}, a {type(value).__name__}; "
                "kernels may use numbers, tuples, arrays and helpers"
            )


def _add_code(digest: hashlib._Hash, code: types.CodeType) -> None:
    digest.update(code.co_code)
    digest.update(repr((code.co_names, code.co_varnames, code.co_argcount)).encode())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _add_code(digest, constant)
        else:
            digest.update(repr(constant).encode())


def rebuilt(
    function: types.FunctionType, compiled: Callable[[types.FunctionType], Any], intrinsics: dict[str, Any]
) -> types.FunctionType:
    """The same function over globals in which helpers are replaced by their compiled selves and intrinsics by the
    machine operations.
    """
    swaps: dict[str, Any] = {}
    for name, value in reached(function).items():
        operation = intrinsic_name(value)
        if operation is not None:
            swaps[name] = intrinsics[operation]
        elif is_helper(value):
            swaps[name] = compiled(value)
    return types.FunctionType(
        function.__code__, {**function.__globals__, **swaps}, function.__name__, function.__defaults__
    )
