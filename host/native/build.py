"""From a marked Python function to position-independent machine code in an object file.

Numba is the front end only: it types and lowers the functions; we link, inline and optimise the module ourselves, so
that vector code does not depend on a process's settings, and so that a kernel that would allocate, raise or call the
interpreter is refused here. This module is imported only when something is not in the cache.
"""

from __future__ import annotations

import re
import threading
import types as pytypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import llvmlite.binding as llvm
from numba import njit, types
from numba.core import config as numba_config
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext

from graph.spec import Kernel
from host.native import intrinsics
from host.native.abi import (
    DEADLINE,
    FADE,
    HEADER_WORDS,
    PLACE,
    RATE,
    ROLL,
    ROLLING,
    SLOPE,
    STREAM_DATA,
    STREAM_END,
    STREAM_MASK,
    STREAM_START,
    TIME,
    VIEW_WORDS,
    Argument,
    Signature,
)
from host.native.cpu import target_machine
from host.native.source import KernelError, rebuilt
from host.native.views import SCOPES, Access, View, open_view

MATH = {
    "acos",
    "asin",
    "atan",
    "atan2",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "fmod",
    "hypot",
    "ldexp",
    "log",
}
MATH |= {
    "log10",
    "log1p",
    "log2",
    "pow",
    "rint",
    "round",
    "roundeven",
    "sin",
    "sinh",
    "sincos",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    "fma",
    "fmax",
    "fmin",
}
ALLOWED_CALLS = (
    MATH
    | {name + "f" for name in MATH}
    | {"memcpy", "memset", "memmove", "clock_gettime", "sched_yield", "sem_post", "sem_trywait", "sem_clockwait"}
    | {"clock_nanosleep", "clock_gettime_nsec_np", "nanosleep", "Sleep", "QueryUnbiasedInterruptTime"}
)
RAISED = "patchwright_raised"
SCRATCH_LIMIT = 128 * 1024
OPTIONS = {"error_model": "numpy", "boundscheck": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_lock = threading.Lock()
_dispatchers: dict[pytypes.FunctionType, object] = {}


def _compiled(function: pytypes.FunctionType):
    """The dispatcher of a helper, its own helpers replaced first."""
    if function not in _dispatchers:
        _dispatchers[function] = njit(**OPTIONS)(rebuilt(function, _compiled, intrinsics.MACHINE))
    return _dispatchers[function]


def build_kernel(kernel: Kernel, signature: Signature, symbol: str) -> bytes:
    """The object code of a kernel for one signature, with the entry ``symbol(args, offset, n)``.

    Raises KernelError with what is wrong with the kernel.
    """
    with _lock:
        step = _wrapper(kernel, signature)
        return _build(step, (types.int64,) * 3, symbol, kernel.function.__qualname__)


def build_function(function: pytypes.FunctionType, arguments: int, symbol: str) -> bytes:
    """The object code of a helper that takes ``arguments`` 64-bit integers and returns nothing (or one)."""
    with _lock:
        return _build(
            rebuilt(function, _compiled, intrinsics.MACHINE), (types.int64,) * arguments, symbol, function.__qualname__
        )


def _wrapper(kernel: Kernel, signature: Signature) -> pytypes.FunctionType:
    """The step around a kernel: opens a view for each argument over the step's words."""
    names: dict[str, object] = {
        "kernel": njit(**OPTIONS)(rebuilt(kernel.function, _compiled, intrinsics.MACHINE)),
        "open_view": open_view,
        "word": intrinsics.word,
        "set_word": intrinsics.set_word,
        "float_of": intrinsics.float_of,
    }
    lines = ["context = word(args, 0)"]
    if signature.checked:
        lines.append("set_word(context, 3, n)")
    after: list[str] = []
    call: list[str] = []
    scratch = 0
    scopes = iter(SCOPES)
    for arg in signature.arguments:
        match arg.mode:
            case "reserved":
                call.append(
                    {
                        "n": "n",
                        "time": f"word(context, {TIME}) + offset - word(args, 1)",
                        "position": f"word(context, {PLACE}) + offset * word(context, {ROLLING}) - word(args, 1)",
                        "rate": f"float_of(word(context, {RATE}))",
                        "skew": "word(args, 2)",
                        "roll": f"float_of(word(context, {ROLL})) + offset * float_of(word(context, {SLOPE}))",
                        "slope": f"float_of(word(context, {SLOPE}))",
                        "faded": f"word(context, {TIME}) + offset - word(context, {FADE})",
                        "block_offset": "offset",
                        "block_deadline": f"word(context, {DEADLINE})",
                    }[arg.name]
                )
                continue
            case "raw":
                call.append(f"word(args, {arg.word})")
                continue
            case "state" if signature.groups > 1:
                opened, closed = _side_by_side(arg, signature, names, next(scopes))
                lines += opened
                after += closed
            case "scratch":
                size = _bytes(arg)
                scratch += size
                names[f"block_{arg.name}"] = intrinsics.stack_block(size)
                lines.append(_opened(arg, signature, names, next(scopes), f"block_{arg.name}()"))
            case "in" | "out" | "add" if arg.count:
                parts = []
                for k in range(arg.count):
                    part = f"{arg.name}_{k}"
                    base = f"word(args, {arg.word + VIEW_WORDS * k}) + offset * {4 * arg.pitch}"
                    # All of a bank's ports share one type, hence one scope; they never overlap, but the compiler must
                    # not assume it.
                    if k == 0:
                        scope = next(scopes)
                    lines.append(_opened(arg, signature, names, scope, base, part))
                    parts.append(part)
                call.append("(" + "".join(p + ", " for p in parts) + ")")
                continue
            case _:
                lines.append(_opened(arg, signature, names, next(scopes), _base(arg, signature)))
        call.append(f"view_{arg.name}")
    if scratch > SCRATCH_LIMIT:
        raise KernelError(
            f"{kernel.function.__qualname__} asks for {scratch} bytes of scratch; at most {SCRATCH_LIMIT}, use memory"
        )
    lines.append(f"kernel({', '.join(call)})")
    text = "def step(args, offset, n):\n" + "".join(f"    {line}\n" for line in lines + after)
    exec(compile(text, f"<step of {kernel.function.__qualname__}>", "exec"), names)
    step = names["step"]
    assert isinstance(step, pytypes.FunctionType)
    return step


def _bytes(arg: Argument) -> int:
    size = 4 if arg.dtype == "f4" else 8
    for dim in arg.dims:
        size *= dim
    return size


def _base(arg: Argument, signature: Signature) -> str:
    base = f"word(args, {arg.word})"
    if arg.mode in ("in", "out", "add"):
        return f"{base} + offset * {4 * arg.pitch}"
    return base


def _opened(
    arg: Argument, signature: Signature, names: dict[str, object], scope: str, base: str, variable: str = ""
) -> str:
    """The line that opens a view."""
    moving = signature.moving and arg.mode in ("param", "bank")
    names[f"type_{variable or arg.name}"] = View(Access(arg, scope, moving, signature.checked))
    rest = ["0", "0", "0"]
    home = "context"
    if arg.mode in ("stream_in", "stream_out"):
        home = base
        base, *rest = (f"word({home}, {k})" for k in (STREAM_DATA, STREAM_MASK, STREAM_START, STREAM_END))
    elif arg.mode == "memory":
        # Words after the base are the dimensions in order; the view keeps the first one last.
        first, second, third = (f"word(args, {arg.word + k})" for k in (1, 2, 3))
        rest = [second, third, first]
    elif moving:
        rest[0] = "offset"
    view = variable or f"view_{arg.name}"
    return f"{view} = open_view(type_{variable or arg.name}, {base}, {', '.join(rest)}, {home})"


def _side_by_side(
    arg: Argument, signature: Signature, names: dict[str, object], scope: str
) -> tuple[list[str], list[str]]:
    """Lines that gather the states of the nodes of a wide step into one local array, and that put them back."""
    inner = arg.dims[-1] // signature.groups
    rows = 1
    for dim in arg.dims[:-1]:
        rows *= dim
    name = arg.name
    width = 4 if arg.dtype == "f4" else 8
    names[f"block_{name}"] = intrinsics.stack_block(_bytes(arg))
    names[f"type_{name}"] = View(Access(arg, scope, False, signature.checked))
    for way, back in (("gather", False), ("scatter", True)):
        names[f"{way}_{name}"] = intrinsics.side_by_side(rows, inner, signature.groups, width, back=back)
    opened = [
        f"local_{name} = block_{name}()",
        f"view_{name} = open_view(type_{name}, local_{name}, 0, 0, 0, context)",
        f"gather_{name}(word(args, {arg.word}), local_{name})",
    ]
    return opened, [f"scatter_{name}(word(args, {arg.word}), local_{name})"]


_entries: list[Callable[[object], None]] = []
"""What stands for machine code in numba's books; kept, since it looks functions up by it."""


@contextmanager
def _front_end_only() -> Iterator[None]:
    """Let numba type and lower, but neither optimise nor turn every helper into machine code that nobody calls: that is
    most of a cold start.
    """

    def entry(context, library, fndesc, env):
        library._ensure_finalized()
        _entries.append([].append)
        return _entries[-1]

    saved = numba_config.OPT, numba_config.LOOP_VECTORIZE, CPUContext.get_executable, JITCodeLibrary._finalize_specific
    numba_config.OPT, numba_config.LOOP_VECTORIZE = type(saved[0])(0), 0
    CPUContext.get_executable, JITCodeLibrary._finalize_specific = entry, lambda library: None
    try:
        yield
    finally:
        numba_config.OPT, numba_config.LOOP_VECTORIZE = saved[:2]
        CPUContext.get_executable, JITCodeLibrary._finalize_specific = saved[2:]


def _build(function: pytypes.FunctionType, arguments: Sequence[types.Type], symbol: str, what: str) -> bytes:
    try:
        with _front_end_only():
            dispatcher = njit(**OPTIONS)(function)
            dispatcher.compile(tuple(arguments))
    except Exception as error:  # numba raises many kinds; each means the same to an author
        raise KernelError(f"{what} cannot be compiled: {_reason(error)}") from error
    result = dispatcher.overloads[tuple(arguments)]
    text = result.library.get_llvm_str() + _entry(
        symbol, result.fndesc.llvm_func_name, len(arguments), result.signature.return_type
    )
    module = _optimised(text, symbol, unroll=True)
    if _strided(module):
        # The lane loop was unrolled away and the frame loop vectorised with strides instead: keep the lanes together.
        kept = _optimised(text, symbol, unroll=False)
        if _strided(kept) < _strided(module):
            module = kept
    _refuse_foreign_calls(module, symbol, what)
    return target_machine().emit_object(module)


def _entry(symbol: str, inner: str, count: int, returns: types.Type) -> str:
    """LLVM text of the exported function. What is left of a call to ``raised`` after optimisation means that the code
    can raise.
    """
    params = ", ".join(f"i64 %a{k}" for k in range(count))
    result = "" if returns == types.none else "  %v = load i64, ptr %r\n"
    return (
        f'\ndefine {"void" if not result else "i64"} @{symbol}({params}) "prefer-vector-width"="256" {{\n'
        f"  %r = alloca i64\n  %e = alloca ptr\n"
        f'  %s = call i32 @"{inner}"(ptr %r, ptr %e{", " if count else ""}{params})\n'
        "  %bad = icmp ne i32 %s, 0\n  br i1 %bad, label %oops, label %fine\noops:\n"
        f"  call void @{RAISED}()\n  br label %fine\nfine:\n"
        f"{result}  ret {'void' if not result else 'i64 %v'}\n}}\ndeclare void @{RAISED}()\n"
    )


def _optimised(text: str, symbol: str, *, unroll: bool) -> llvm.ModuleRef:
    module = llvm.parse_assembly(text)
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
            function.add_function_attribute("alwaysinline")
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_interleaving = True
    options.loop_unrolling = unroll
    builder = llvm.create_pass_builder(target_machine(), options)
    builder.getModulePassManager().run(module, builder)
    return module


def _strided(module: llvm.ModuleRef) -> int:
    """How many of a module's vector accesses are strided: each costs as much as its elements one by one."""
    return len(re.findall(r"call [^\n]*@llvm\.masked\.(?:gather|scatter)\.", str(module)))


def _refuse_foreign_calls(module: llvm.ModuleRef, symbol: str, what: str) -> None:
    defined = [f.name for f in module.functions if not f.is_declaration]
    used = str(module)
    foreign = [
        f.name
        for f in module.functions
        if f.is_declaration and not f.name.startswith("llvm.") and f.name not in ALLOWED_CALLS
    ]
    foreign = [name for name in foreign if f"@{name}(" in used.replace(f"declare {name}", "")]
    if RAISED in foreign:
        raise KernelError(f"{what} can raise an exception; on the audio thread nothing may")
    if foreign:
        raise KernelError(
            f"{what} calls {', '.join(foreign)}: on the audio thread nothing may allocate, raise or call Python"
        )
    assert symbol in defined


def _reason(error: Exception) -> str:
    """What a person needs of a compiler's message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = [
        line
        for line in lines
        if not line.startswith(("During:", "This error may have", "Failed in", "- Resolution", "http"))
    ]
    return " ".join(wanted[:6]) or type(error).__name__


assert HEADER_WORDS == 3
