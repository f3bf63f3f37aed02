"""What a kernel sees: typed views over raw addresses, whose shapes are part of their types.

Because lanes, channels and state shapes are compile-time constants, one kernel source becomes straight vector code
for each shape it is asked for. Loads and stores carry alias scopes (every view of a kernel is a scope of its own, and
the compiler never
lets the buffers of a step overlap), so loops need no overlap checks. With ``checked`` views every index is tested: a
bad one is counted in
the context's fault word and moved to zero, instead of touching foreign memory.

Indices: signals and params ``[frame, lane]``, banks ``[frame, index, lane]``, streams ``[timeline frame, channel]`` or,
for frames that lie side by side (``stream.run`` says how many), ``[timeline frame, frames on, channel]``; state,
scratch and memory as declared.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_getattr_generic, models, overload_method, register_model

from graph.spec import TICK
from host.native.abi import FAULT, FRAMES, STREAM_MISSED, Argument

I64 = ir.IntType(64)
SCALARS = {"f4": (ir.FloatType(), types.float32), "f8": (ir.DoubleType(), types.float64), "i8": (I64, types.int64)}
SCOPES = tuple(f"v{k}" for k in range(48))
READABLE = {"in", "param", "bank", "state", "scratch", "memory", "stream_in"}
WRITABLE = {"out", "add", "state", "scratch", "memory", "stream_out"}
NEVER = 1 << 62


@dataclass(frozen=True)
class Access:
    """An argument, its alias scope, and how it is reached."""

    argument: Argument
    scope: str
    moving: bool
    checked: bool

    @property
    def groups(self) -> int:
        return self.argument.lanes // self.argument.channels

    @property
    def rank(self) -> int:
        match self.argument.mode:
            case "bank":
                return 3
            case "state" | "scratch" | "memory":
                return len(self.argument.dims)
            case _:
                return 2


class View(types.Type):
    """The numba type of a view. Two views with the same access are the same type."""

    def __init__(self, access: Access) -> None:
        self.access = access
        super().__init__(name=f"View({access!r})")


# base: address of element zero. For memory, a b c are the dimensions 1, 2 and 0; for streams, mask, first and end
# frame; for moving
# params, a is the offset into the block. home: the context, or a stream's header.
MEMBERS = ("base", "a", "b", "c", "home")


@register_model(View)
class ViewModel(models.StructModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, [(name, types.int64) for name in MEMBERS])


@intrinsic
def open_view(typingctx, view_type, base, a, b, c, home):
    """A view of the given type over its words."""
    view = view_type.instance_type

    def codegen(context, builder, sig, args):
        proxy = cgutils.create_struct_proxy(view)(context, builder)
        for name, value in zip(MEMBERS, args[1:], strict=True):
            setattr(proxy, name, value)
        return proxy._getvalue()

    return view(view_type, *([types.int64] * len(MEMBERS))), codegen


def _number(value: int):
    return ir.Constant(I64, value)


def _times(builder, x, y):
    for one, other in ((x, y), (y, x)):
        if isinstance(one, ir.Constant) and one.constant == 1:
            return other
    return builder.mul(x, y, flags=("nsw",))


def _plus(builder, x, y):
    if isinstance(x, ir.Constant) and x.constant == 0:
        return y
    return builder.add(x, y, flags=("nsw",))


def _words(builder, address):
    return builder.inttoptr(address, I64.as_pointer())


def _word(builder, address, k: int):
    return builder.load(builder.gep(_words(builder, address), [_number(k)]))


def _guarded(builder, access: Access, proxy, value, limit):
    """In checked views: ``value`` where it is within 0 … limit - 1, else zero with the fault counted."""
    if not access.checked:
        return value
    bad = builder.icmp_unsigned(">=", value, limit)
    with builder.if_then(bad, likely=False):
        slot = builder.gep(_words(builder, proxy.home), [_number(FAULT)])
        builder.store(builder.add(builder.load(slot), _number(1)), slot)
    return builder.select(bad, _number(0), value)


def _frame(builder, access: Access, proxy, value):
    if not access.checked:
        return value
    return _guarded(builder, access, proxy, value, _word(builder, proxy.home, FRAMES))


def _group(builder, access: Access, lane):
    if access.groups == 1:
        return _number(0)
    return lane if access.argument.channels == 1 else builder.udiv(lane, _number(access.argument.channels))


def _offset(builder, access: Access, proxy, index):
    """The element's distance from the base, in elements."""
    arg = access.argument
    match arg.mode:
        case "in" | "out" | "add":
            lane = _guarded(builder, access, proxy, index[1], _number(arg.lanes))
            return _plus(builder, _times(builder, _frame(builder, access, proxy, index[0]), _number(arg.pitch)), lane)
        case "param":
            return _group(builder, access, _guarded(builder, access, proxy, index[1], _number(arg.lanes)))
        case "bank":
            lane = _guarded(builder, access, proxy, index[2], _number(arg.lanes))
            which = _guarded(builder, access, proxy, index[1], _number(arg.count))
            return _plus(builder, _times(builder, which, _number(access.groups)), _group(builder, access, lane))
        case "state" | "scratch" | "memory":
            sizes = [_number(d) for d in arg.dims] if arg.mode != "memory" else [proxy.c, proxy.a, proxy.b]
            offset = _number(0)
            for axis, value in enumerate(index):
                value = _guarded(builder, access, proxy, value, sizes[axis])
                offset = value if axis == 0 else _plus(builder, _times(builder, offset, sizes[axis]), value)
            return offset
        case _:
            frame = builder.and_(index[0], proxy.a)
            if len(index) == 3:
                size = _plus(builder, proxy.a, _number(1))
                frame = _guarded(builder, access, proxy, _plus(builder, frame, index[1]), size)
            return _plus(builder, _times(builder, frame, _number(arg.lanes)), index[-1])


def _pointer(builder, access: Access, proxy, index):
    scalar = SCALARS[access.argument.dtype][0].as_pointer()
    offset = _offset(builder, access, proxy, index)
    if not access.moving or access.argument.mode not in ("param", "bank"):
        return builder.gep(builder.inttoptr(proxy.base, scalar), [offset], inbounds=True)
    # A table of (address, stride) pairs, which nothing changes during the call.
    pair = _times(builder, offset, _number(2))
    base, stride = (_constant_load(builder, proxy.base, _plus(builder, pair, _number(k))) for k in (0, 1))
    frame = _plus(builder, _frame(builder, access, proxy, index[0]), proxy.a)
    return builder.gep(builder.inttoptr(base, scalar), [_times(builder, frame, stride)], inbounds=True)


def _constant_load(builder, table, at):
    load = builder.load(builder.gep(_words(builder, table), [at], inbounds=True))
    load.set_metadata("invariant.load", builder.module.add_metadata([]))
    return load


def _scoped(builder, instruction, access: Access):
    """Say that this access touches nothing that another view of the kernel touches."""
    module = builder.module
    domain = module.add_metadata([ir.MetaDataString(module, "kernel")])
    scopes = {name: module.add_metadata([ir.MetaDataString(module, name), domain]) for name in SCOPES}
    instruction.set_metadata("alias.scope", module.add_metadata([scopes[access.scope]]))
    instruction.set_metadata(
        "noalias", module.add_metadata([node for name, node in scopes.items() if name != access.scope])
    )


def _fits(view: View, index) -> bool:
    if isinstance(index, types.BaseTuple):
        ranks = (2, 3) if view.access.argument.mode in ("stream_in", "stream_out") else (view.access.rank,)
        return len(index) in ranks and all(isinstance(t, types.Integer) for t in index)
    return view.access.rank == 1 and isinstance(index, types.Integer)


def _index_type(view: View, index):
    return types.UniTuple(types.int64, len(index)) if isinstance(index, types.BaseTuple) else types.int64


@infer_global(operator.getitem)
class GetItem(AbstractTemplate):
    def generic(self, args, kws):
        if kws or len(args) != 2 or not isinstance(args[0], View):
            return None
        view, index = args
        if view.access.argument.mode not in READABLE or not _fits(view, index):
            return None
        return signature(SCALARS[view.access.argument.dtype][1], view, _index_type(view, index))


@infer_global(operator.setitem)
class SetItem(AbstractTemplate):
    def generic(self, args, kws):
        if kws or len(args) != 3 or not isinstance(args[0], View):
            return None
        view, index, value = args
        if (
            view.access.argument.mode not in WRITABLE
            or not _fits(view, index)
            or not isinstance(value, types.Number | types.Boolean)
        ):
            return None
        return signature(types.void, view, _index_type(view, index), SCALARS[view.access.argument.dtype][1])


def _unpacked(context, builder, sig, args):
    view = sig.args[0]
    proxy = cgutils.create_struct_proxy(view)(context, builder, value=args[0])
    index = cgutils.unpack_tuple(builder, args[1]) if isinstance(sig.args[1], types.BaseTuple) else [args[1]]
    return view.access, _pointer(builder, view.access, proxy, index)


@lower_builtin(operator.getitem, View, types.Any)
def _get(context, builder, sig, args):
    access, pointer = _unpacked(context, builder, sig, args)
    load = builder.load(pointer)
    _scoped(builder, load, access)
    return load


@lower_builtin(operator.setitem, View, types.Any, types.Any)
def _set(context, builder, sig, args):
    access, pointer = _unpacked(context, builder, sig, args)
    value = args[2]
    if access.argument.mode == "add":
        before = builder.load(pointer)
        _scoped(builder, before, access)
        value = builder.fadd(before, value)
    _scoped(builder, builder.store(value, pointer), access)
    return context.get_dummy_value()


CONSTANTS = ("lanes", "channels", "groups", "count")
MEMBERS_READ = {"start": "b", "end": "c"}


@infer_getattr
class ViewAttributes(AttributeTemplate):
    key = View

    def generic_resolve(self, view, name):
        if name in CONSTANTS or (name in MEMBERS_READ and view.access.argument.mode.startswith("stream")):
            return types.int64
        if name == "shape" and view.access.argument.mode in ("state", "scratch", "memory"):
            return types.UniTuple(types.int64, len(view.access.argument.dims))
        return None


@lower_getattr_generic(View)
def _attribute(context, builder, view, value, name):
    proxy = cgutils.create_struct_proxy(view)(context, builder, value=value)
    access, arg = view.access, view.access.argument
    if name == "shape":
        sizes = [proxy.c, proxy.a, proxy.b][: len(arg.dims)] if arg.mode == "memory" else [_number(d) for d in arg.dims]
        return context.make_tuple(builder, types.UniTuple(types.int64, len(sizes)), sizes)
    if name in MEMBERS_READ:
        return getattr(proxy, MEMBERS_READ[name])
    return _number(access.groups if name == "groups" else getattr(arg, name))


@intrinsic
def _count_missed(typingctx, view, frames):
    def codegen(context, builder, sig, args):
        proxy = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0])
        slot = builder.gep(_words(builder, proxy.home), [_number(STREAM_MISSED)])
        builder.store(builder.add(builder.load(slot), args[1]), slot)
        return context.get_dummy_value()

    return types.void(view, types.int64), codegen


@overload_method(View, "missed")
def _missed(view, frames):
    """Count frames that a stream should have had."""
    if view.access.argument.mode in ("stream_in", "stream_out"):
        return lambda view, frames: _count_missed(view, frames)
    return None


@intrinsic
def _mask(typingctx, view):
    def codegen(context, builder, sig, args):
        return cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0]).a

    return types.int64(view), codegen


@overload_method(View, "run")
def _run(view, frame):
    """How many frames of a stream lie side by side from a timeline frame on."""
    if view.access.argument.mode in ("stream_in", "stream_out"):
        return lambda view, frame: _mask(view) + 1 - (frame & _mask(view))
    return None


@intrinsic
def _moves(typingctx, view, which, group):
    """Whether a param of a moving step (one of a bank, of one of its nodes) moves itself."""

    def codegen(context, builder, sig, args):
        proxy = cgutils.create_struct_proxy(sig.args[0])(context, builder, value=args[0])
        pair = builder.add(builder.mul(args[1], _number(sig.args[0].access.groups)), args[2])
        stride = _constant_load(builder, proxy.base, builder.add(builder.mul(pair, _number(2)), _number(1)))
        return builder.icmp_signed("!=", stride, _number(0))

    return types.boolean(view, types.int64, types.int64), codegen


@overload_method(View, "until")
def _until(view, i):
    """The frame up to which a param holds its value from frame ``i`` on: at most to the end of the tick, or for ever
    where it does not move.
    """
    access = view.access
    if access.argument.mode not in ("param", "bank"):
        return None
    if not access.moving:
        return lambda view, i: NEVER
    groups, channels, count, tick = access.groups, access.argument.channels, access.argument.count, TICK

    if access.argument.mode == "param":

        def until(view, i):
            end = NEVER
            for g in range(groups):
                if _moves(view, 0, g):
                    end = min(end, (i // tick + 1) * tick)
                    for j in range(i + 1, end):
                        if view[j, g * channels] != view[i, g * channels]:
                            end = j
                            break
            return end

    else:

        def until(view, i):
            end = NEVER
            for k in range(count):
                for g in range(groups):
                    if _moves(view, k, g):
                        end = min(end, (i // tick + 1) * tick)
                        for j in range(i + 1, end):
                            if view[j, k, g * channels] != view[i, k, g * channels]:
                                end = j
                                break
            return end

    return until
