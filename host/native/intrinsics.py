"""Machine operations for the compiler: what ``nodes.dsp.machine`` names, and what the runner and the step kernels
need.
"""

from __future__ import annotations

import platform

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

I64 = ir.IntType(64)
F64 = ir.DoubleType()
F32 = ir.FloatType()
I32 = ir.IntType(32)


@intrinsic
def fma(typingctx, a, b, c):
    def codegen(context, builder, sig, args):
        function = builder.module.declare_intrinsic("llvm.fma", [F64], ir.FunctionType(F64, [F64] * 3))
        return builder.call(function, args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@intrinsic
def fma32(typingctx, a, b, c):
    def codegen(context, builder, sig, args):
        function = builder.module.declare_intrinsic("llvm.fma", [F32], ir.FunctionType(F32, [F32] * 3))
        return builder.call(function, args)

    return types.float32(types.float32, types.float32, types.float32), codegen


@intrinsic
def f32(typingctx, x):
    def codegen(context, builder, sig, args):
        return args[0]

    return types.float32(types.float32), codegen


ROOT_HALF_BITS = 0x3F3504F3
"""The bits of the float32 nearest to √½: subtracted from those of a number, they leave its exponent on top."""


def _bits32(builder, x):
    return builder.bitcast(x, I32)


@intrinsic
def exponent32(typingctx, x):
    def codegen(context, builder, sig, args):
        shifted = builder.sub(_bits32(builder, args[0]), ir.Constant(I32, ROOT_HALF_BITS))
        return builder.sitofp(builder.ashr(shifted, ir.Constant(I32, 23)), F32)

    return types.float32(types.float32), codegen


@intrinsic
def mantissa32(typingctx, x):
    def codegen(context, builder, sig, args):
        bits = _bits32(builder, args[0])
        shifted = builder.sub(bits, ir.Constant(I32, ROOT_HALF_BITS))
        exponent = builder.and_(shifted, ir.Constant(I32, 0xFF800000))
        return builder.bitcast(builder.sub(bits, exponent), F32)

    return types.float32(types.float32), codegen


@intrinsic
def scaled32(typingctx, x, e):
    def codegen(context, builder, sig, args):
        shift = builder.shl(_bits32(builder, args[1]), ir.Constant(I32, 23))
        return builder.bitcast(builder.add(_bits32(builder, args[0]), shift), F32)

    return types.float32(types.float32, types.float32), codegen


@intrinsic
def bits_of(typingctx, x):
    return types.int64(types.float64), lambda context, builder, sig, args: builder.bitcast(args[0], I64)


@intrinsic
def float_of(typingctx, bits):
    return types.float64(types.int64), lambda context, builder, sig, args: builder.bitcast(args[0], F64)


@intrinsic
def select(typingctx, condition, a, b):
    unified = typingctx.unify_types(a, b)
    sig = unified(types.boolean, unified, unified)
    return sig, lambda context, builder, sig, args: builder.select(args[0], args[1], args[2])


@intrinsic
def finite(typingctx, x):
    """Exponent bits all set means NaN or infinity; testing bits keeps it one vector compare, whatever the mode of the
    unit.
    """
    mask = ir.Constant(ir.IntType(32), 0x7F800000)

    def codegen(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(32))
        bad = builder.icmp_unsigned("==", builder.and_(bits, mask), mask)
        return builder.select(bad, ir.Constant(F32, 0.0), args[0])

    return types.float32(types.float32), codegen


def _pointer(builder, address, kind):
    return builder.inttoptr(address, kind.as_pointer())


@intrinsic
def word(typingctx, address, k):
    """The k-th 64-bit word at an address."""

    def codegen(context, builder, sig, args):
        return builder.load(builder.gep(_pointer(builder, args[0], I64), [args[1]]))

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def set_word(typingctx, address, k, value):
    def codegen(context, builder, sig, args):
        builder.store(args[2], builder.gep(_pointer(builder, args[0], I64), [args[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _typed_access(kind, numba_type):
    @intrinsic
    def load(typingctx, address, k):
        def codegen(context, builder, sig, args):
            return builder.load(builder.gep(_pointer(builder, args[0], kind), [args[1]], inbounds=True))

        return numba_type(types.int64, types.int64), codegen

    @intrinsic
    def store(typingctx, address, k, value):
        def codegen(context, builder, sig, args):
            builder.store(args[2], builder.gep(_pointer(builder, args[0], kind), [args[1]], inbounds=True))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, numba_type), codegen

    return load, store


load_f32, store_f32 = _typed_access(F32, types.float32)
load_f64, store_f64 = _typed_access(F64, types.float64)


@intrinsic
def load_atomic(typingctx, address):
    """A 64-bit word, acquired: what was written before its publication is seen after it."""

    def codegen(context, builder, sig, args):
        return builder.load_atomic(_pointer(builder, args[0], I64), "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def store_atomic(typingctx, address, value):
    """Publish a 64-bit word: all that was written before is seen by who acquires it."""

    def codegen(context, builder, sig, args):
        builder.store_atomic(args[1], _pointer(builder, args[0], I64), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def add_atomic(typingctx, address, value):
    """Add to a 64-bit word; the value before."""

    def codegen(context, builder, sig, args):
        return builder.atomic_rmw("add", _pointer(builder, args[0], I64), args[1], "acq_rel")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def call_step(typingctx, address, args, offset, frames):
    """Call the native step at an address."""

    def codegen(context, builder, sig, args):
        function_type = ir.FunctionType(ir.VoidType(), [I64, I64, I64])
        builder.call(_pointer(builder, args[0], function_type), args[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), codegen


@intrinsic
def call_audio(typingctx, address, input, output, frames, times, flags, user):
    def codegen(context, builder, sig, args):
        function_type = ir.FunctionType(I32, [I64] * 6)
        return builder.sext(builder.call(_pointer(builder, args[0], function_type), args[1:]), I64)

    return types.int64(*[types.int64] * 7), codegen


ARM = platform.machine().lower() in ("arm64", "aarch64")
VOID = ir.VoidType()


@intrinsic
def relax(typingctx):
    def codegen(context, builder, sig, args):
        if ARM:
            hint = builder.module.declare_intrinsic("llvm.aarch64.hint", [], ir.FunctionType(VOID, [I32]))
            builder.call(hint, [ir.Constant(I32, 1)])
        else:
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", [], ir.FunctionType(VOID, [])), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def give_way(typingctx):
    def codegen(context, builder, sig, args):
        if platform.system() != "Windows":
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(I32, []), "sched_yield")
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen


SECOND = 1_000_000_000
MONOTONIC = 6 if platform.system() == "Darwin" else 1


def _libc(builder, name, result, *arguments):
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)


def _timespec(builder, ns):
    spot = cgutils.alloca_once(builder, ir.ArrayType(I64, 2))
    for k, part in enumerate((builder.sdiv, builder.srem)):
        cell = builder.gep(spot, [ir.Constant(I32, 0), ir.Constant(I32, k)])
        builder.store(part(ns, ir.Constant(I64, SECOND)), cell)
    return spot


def _now(builder):
    if platform.system() == "Darwin":
        return _libc(builder, "clock_gettime_nsec_np", I64, ir.Constant(I32, MONOTONIC))
    if platform.system() == "Windows":
        spot = cgutils.alloca_once(builder, I64)
        _libc(builder, "QueryUnbiasedInterruptTime", I32, spot)
        return builder.mul(builder.load(spot), ir.Constant(I64, 100))
    spot = _timespec(builder, ir.Constant(I64, 0))
    _libc(builder, "clock_gettime", I32, ir.Constant(I32, MONOTONIC), spot)
    seconds, rest = (builder.load(builder.gep(spot, [ir.Constant(I32, 0), ir.Constant(I32, k)])) for k in (0, 1))
    return builder.add(builder.mul(seconds, ir.Constant(I64, SECOND)), rest)


@intrinsic
def now_ns(typingctx):
    return types.int64(), lambda context, builder, sig, args: _now(builder)


@intrinsic
def sleep_until(typingctx, at):
    """Absolute where the system can; elsewhere for the difference, which is positive or not slept."""

    def codegen(context, builder, sig, args):
        nowhere = ir.Constant(ir.ArrayType(I64, 2).as_pointer(), None)
        if platform.system() == "Linux":
            absolute = ir.Constant(I32, 1)
            _libc(
                builder,
                "clock_nanosleep",
                I32,
                ir.Constant(I32, MONOTONIC),
                absolute,
                _timespec(builder, args[0]),
                nowhere,
            )
            return context.get_dummy_value()
        rest = builder.sub(args[0], _now(builder))
        with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(I64, 0))):
            if platform.system() == "Windows":
                milliseconds = builder.sdiv(builder.add(rest, ir.Constant(I64, 999_999)), ir.Constant(I64, 1_000_000))
                _libc(builder, "Sleep", ir.VoidType(), builder.trunc(milliseconds, I32))
            else:
                _libc(builder, "nanosleep", I32, _timespec(builder, rest), nowhere)
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def post(typingctx, semaphore):
    def codegen(context, builder, sig, args):
        if platform.system() == "Linux":
            _libc(builder, "sem_post", I32, builder.inttoptr(args[0], I64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def take(typingctx, semaphore):
    def codegen(context, builder, sig, args):
        if platform.system() != "Linux":
            return ir.Constant(I64, 0)
        failed = _libc(builder, "sem_trywait", I32, builder.inttoptr(args[0], I64.as_pointer()))
        return builder.zext(builder.icmp_signed("==", failed, ir.Constant(I32, 0)), I64)

    return types.int64(types.int64), codegen


@intrinsic
def take_until(typingctx, semaphore, at):
    def codegen(context, builder, sig, args):
        if platform.system() != "Linux":
            return ir.Constant(I64, 0)
        clock = ir.Constant(I32, MONOTONIC)
        place = builder.inttoptr(args[0], I64.as_pointer())
        failed = _libc(builder, "sem_clockwait", I32, place, clock, _timespec(builder, args[1]))
        return builder.zext(builder.icmp_signed("==", failed, ir.Constant(I32, 0)), I64)

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def cycles(typingctx):
    def codegen(context, builder, sig, args):
        if ARM:  # the cycle counter is not for everybody there; the timer's count is
            timer = ir.InlineAsm(ir.FunctionType(I64, []), "mrs $0, cntvct_el0", "=r", True)
            return builder.call(timer, [])
        return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", [], ir.FunctionType(I64, [])), [])

    return types.int64(), codegen


DENORMAL_BITS = 1 << 24 if ARM else 0x8040
"""FZ of the FPCR, or FTZ and DAZ of the MXCSR."""


def _float_mode(builder):
    if ARM:
        return builder.call(builder.module.declare_intrinsic("llvm.aarch64.get.fpcr", [], ir.FunctionType(I64, [])), [])
    spot = cgutils.alloca_once(builder, I32)
    store = builder.module.declare_intrinsic(
        "llvm.x86.sse.stmxcsr", [], ir.FunctionType(VOID, [ir.IntType(8).as_pointer()])
    )
    builder.call(store, [builder.bitcast(spot, ir.IntType(8).as_pointer())])
    return builder.zext(builder.load(spot), I64)


def _set_float_mode(builder, value):
    if ARM:
        builder.call(
            builder.module.declare_intrinsic("llvm.aarch64.set.fpcr", [], ir.FunctionType(VOID, [I64])), [value]
        )
        return
    spot = cgutils.alloca_once(builder, I32)
    builder.store(builder.trunc(value, I32), spot)
    load = builder.module.declare_intrinsic(
        "llvm.x86.sse.ldmxcsr", [], ir.FunctionType(VOID, [ir.IntType(8).as_pointer()])
    )
    builder.call(load, [builder.bitcast(spot, ir.IntType(8).as_pointer())])


@intrinsic
def flush_denormals(typingctx):
    def codegen(context, builder, sig, args):
        before = _float_mode(builder)
        _set_float_mode(builder, builder.or_(before, ir.Constant(I64, DENORMAL_BITS)))
        return before

    return types.int64(), codegen


@intrinsic
def restore_float_mode(typingctx, before):
    def codegen(context, builder, sig, args):
        _set_float_mode(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


def stack_block(size: int):
    """An intrinsic that gives the address of ``size`` bytes of stack, aligned for vectors."""

    @intrinsic
    def block(typingctx):
        def codegen(context, builder, sig, args):
            with builder.goto_entry_block():
                space = builder.alloca(ir.ArrayType(ir.IntType(8), max(size, 1)))
                space.align = 64
            return builder.ptrtoint(space, I64)

        return types.int64(), codegen

    return block


def side_by_side(rows: int, inner: int, groups: int, width: int, *, back: bool):
    """An intrinsic that copies between ``groups`` arrays ``[rows][inner]``, whose addresses are in a table, and one
    local array ``[rows][groups · inner]``: from them, or ``back`` to them. Elements are ``width`` bytes.

    Written out copy by copy: as a loop it would be vectorised across rows, with strided accesses.
    """

    @intrinsic
    def copy(typingctx, table, local):
        def codegen(context, builder, sig, args):
            row = ir.VectorType(ir.IntType(8 * width), inner).as_pointer()
            for g in range(groups):
                one = builder.load(builder.gep(_pointer(builder, args[0], I64), [ir.Constant(I64, g)]))
                for r in range(rows):
                    own = builder.add(one, ir.Constant(I64, r * inner * width))
                    shared = builder.add(args[1], ir.Constant(I64, (r * groups + g) * inner * width))
                    source, target = (shared, own) if back else (own, shared)
                    value = builder.load(builder.inttoptr(source, row), align=width)
                    builder.store(value, builder.inttoptr(target, row), align=width)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy


MACHINE = {
    operation.__name__: operation
    for operation in (
        *(
            fma,
            fma32,
            f32,
            bits_of,
            float_of,
            select,
            finite,
            exponent32,
            mantissa32,
            scaled32,
            word,
            set_word,
            load_atomic,
            store_atomic,
            add_atomic,
            call_step,
            call_audio,
            now_ns,
            sleep_until,
        ),
        *(post, take, take_until, relax, give_way, cycles, flush_denormals, restore_float_mode),
    )
} | {"load_f32": load_f32, "store_f32": store_f32, "load_f64": load_f64}
