"""A node of one's own: one Python file with a class as in any file of this folder, compiled into the running graph.

What the file declares is taken over as it is. Its hooks are Python that others wrote, so what goes wrong in them is
said in one sentence; and what its kernel writes is cleaned of what is no number.
"""

from __future__ import annotations

import math
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from graph.spec import (
    AudioIn,
    AudioOut,
    Config,
    Kernel,
    Memory,
    Node,
    Param,
    PatchError,
    Port,
    Ports,
    Services,
    Setting,
    State,
    Stream,
    helper,
    kernel,
)
from nodes.dsp.scrub import scrub

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_LATENCY = 1 << 20
"""Frames: 20 seconds and more, at any rate that is in use."""
MOST_BYTES = 1 << 30
"""Of memory, for one node."""
UNSOUND = "own_unsound"
"""The state in which a node of one's own counts the samples that were NaN or infinite."""


class User(Node):
    """A Python file of your own as a node, once you trust it; without a file, sound passes."""

    kind = "user"
    family = "utility"
    bypassable = True
    varies = True

    path = Setting("path", "", "path", doc="The file: beside the patch, or by its name in your node folder.")
    signal = AudioIn("in")
    out = AudioOut("out")

    @classmethod
    def variant(cls, settings: Mapping[str, Any], services: Services) -> type[Node]:
        return own(services.user_node(settings["path"])) if settings["path"] else cls

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane]


@lru_cache(maxsize=256)
def own(declared: type[Node]) -> type[Node]:
    """The kind of a node that is this class of the user's. Raises PatchError where it declares what it must not."""
    _refuse(declared)
    body: dict[str, Any] = {
        "__doc__": declared.__doc__,
        "__module__": declared.__module__,
        "kind": User.kind,
        "wide": False,  # neither side by side with others nor into a sum: its output is cleaned by itself
        "accumulates": False,
        "varies": False,
        "declares": declared,
        "own_path": User.path,
        "own_outs": Ports("out"),
        UNSOUND: State((1,), "i8"),
    }
    for name in ("process", "emit"):
        found = getattr(declared, name)
        if found is not None:
            body[name] = _cleaned(found)
    for name, fits in _HOOKS.items():
        hook = getattr(declared, name)
        if not hasattr(hook, "__func__"):
            raise PatchError(f"{declared.__name__}.{name} is no class method: put @classmethod before it")
        if fits is not None or hook.__func__ is not getattr(Node, name).__func__:
            body[name] = classmethod(_guarded(declared, hook.__func__, fits))
    kind = type(declared.__name__, (declared,), body)
    _try_declarations(kind)
    return kind


def _refuse(declared: type[Node]) -> None:
    """Refuse what can be told of a class by looking at it."""
    if not isinstance(getattr(declared, "process", None), Kernel):
        raise PatchError(f"{declared.__name__} has no kernel: expected a function `process` marked with @kernel")
    if declared.submit is not None or declared.collect is not None:
        raise PatchError(f"{declared.__name__} has submit or collect, which are for plugins; expected process")
    if (declared.emit is None) != (declared.absorb is None):
        raise PatchError(f"{declared.__name__} has one of emit and absorb; expected both or neither")
    if getattr(declared.file, "__func__", None) is not Node.file.__func__:
        raise PatchError(f"{declared.__name__} has a hook `file`, which is for built-in kinds only")
    for name, item in declared.declared.items():
        if isinstance(item, Stream | Ports):
            raise PatchError(f"{declared.__name__}.{name} is a {type(item).__name__}, which is for built-in kinds only")
        if isinstance(item, Memory) and item.held:
            raise PatchError(f"{declared.__name__}.{name} is held, which is for built-in kinds only")
    if any(setting.name == User.path.name for setting in declared.settings_declared()):
        raise PatchError(f"{declared.__name__} has a setting {User.path.name!r}, which is the file itself; rename it")


def _try_declarations(kind: type[Node]) -> None:
    """Refuse names that no patch could hold, or that stand for two things."""
    settings = {setting.name: setting.default for setting in kind.settings_declared()}
    ports, params = kind.ports(settings), kind.params(settings)
    for what, names in (
        ("output", [p.name for p in ports if p.flow == "out"]),
        ("input or param", [p.name for p in ports if p.flow == "in"] + [p.name for p in params]),
        ("setting", [s.name for s in kind.settings_declared()]),
    ):
        for name in names:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise PatchError(f"expected 1 to 64 letters, digits, _ or - as the name of an {what}, found {name!r}")
            if names.count(name) > 1:
                raise PatchError(f"there are two of the name {name!r} among what is an {what}")


def _cleaned(made: Kernel) -> Kernel:
    """A kernel that does the same, and then cleans all outputs and counts."""
    names = made.arguments
    more = [name for name in ("own_outs", UNSOUND, "block_offset", "n") if name not in names]
    text = f"""def process({", ".join((*names, *more))}):
    inner({", ".join(names)})
    {UNSOUND}[0] += scrub(own_outs, block_offset, n)
"""
    space: dict[str, Any] = {"inner": helper(made.function), "scrub": scrub}
    exec(compile(text, "<a node of one's own>", "exec"), space)
    return kernel(space["process"])


# -- hooks -------------------------------------------------------------------------------------------------------------


def _whole(found: Any, kind: type[Node]) -> Any:
    if isinstance(found, bool) or not isinstance(found, int | np.integer) or not 0 <= found <= MOST_LATENCY:
        raise PatchError(f"expected whole frames from 0 to {MOST_LATENCY}, found {found!r}")
    return int(found)


def _seconds(found: Any, kind: type[Node]) -> Any:
    if isinstance(found, bool) or not isinstance(found, int | float | np.number) or not found >= 0:
        raise PatchError(f"expected seconds of at least 0, found {found!r}")
    return float(found)


def _all(sort: type) -> Callable[[Any, type[Node]], Any]:
    def fits(found: Any, kind: type[Node]) -> Any:
        if not all(isinstance(item, sort) for item in found):
            raise PatchError(f"expected a {sort.__name__} each, found {found!r}"[:300])
        return tuple(found)

    return fits


def _arrays(found: Any, kind: type[Node]) -> Any:
    wanted = {name: item for name, item in kind.declared.items() if isinstance(item, Memory)}
    if not isinstance(found, Mapping):
        raise PatchError(f"expected a dict of arrays, found {type(found).__name__}")
    for name, item in wanted.items():
        array = found.get(name)
        fits = isinstance(array, np.ndarray) and array.ndim == item.ndim
        if array is None or not fits or not np.can_cast(array.dtype, item.dtype, "same_kind"):
            wanted_words = f"{item.ndim} dimensions, {item.dtype}"
            raise PatchError(f"expected an array of {wanted_words}, for {name}, found {_seen(array)}")
    if (size := sum(math.prod(found[name].shape) * 8 for name in wanted)) > MOST_BYTES:
        raise PatchError(f"expected at most {MOST_BYTES >> 20} MiB of memory, found {size >> 20}")
    return {name: np.ascontiguousarray(found[name], item.dtype) for name, item in wanted.items()}


def _seen(found: Any) -> str:
    return f"{found.ndim} dimensions, {found.dtype}" if isinstance(found, np.ndarray) else type(found).__name__


_HOOKS: Mapping[str, Callable[[Any, type[Node]], Any] | None] = {
    "ports": _all(Port),
    "params": _all(Param),
    "latency": _whole,
    "tail": _seconds,
    "prepare": _arrays,
    "check": None,
    "output_layouts": None,
    "info": None,
    "alone": None,
    "shape_key": None,
    "learned": None,
    "ends_at": None,
    "response": None,
}
"""What a class may say in Python, and what must come of it; what is only wrapped where there is one."""


def _guarded(declared: type[Node], hook: Callable[..., Any], fits: Callable[[Any, type[Node]], Any] | None) -> Any:
    @wraps(hook)
    def guarded(cls: type[Node], *args: Any) -> Any:
        id = args[0].id if args and isinstance(args[0], Config) else ""
        place = f"nodes.{id}" if id else ""
        try:
            found = hook(cls, *args)
            return found if fits is None else fits(found, cls)
        except PatchError as error:
            if fits is None:
                raise
            raise PatchError(f"{hook.__name__}: {error.message}", place=place, node=id) from None
        except Exception as error:
            words = f"{hook.__name__}: {words_of(error, file_of(declared))}"
            raise PatchError(words, place=place, node=id) from error

    return guarded


def file_of(declared: type[Node]) -> str:
    """The file that a class of the user's came from."""
    return str(getattr(sys.modules.get(declared.__module__), "__file__", declared.__module__))


def words_of(error: BaseException, file: str) -> str:
    """An error of the user's code in one line, with the line of the file where it happened."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    said = " ".join(str(error).split())[:300]
    return f"{file}{f':{lines[-1]}' if lines else ''}: {type(error).__name__}{f': {said}' if said else ''}"
