"""From the file of a node of one's own to its class: the one place where such a file runs, and only when trusted."""

from __future__ import annotations

import builtins
import dis
import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from graph.errors import PatchError
from graph.spec import Kernel, Node
from host.native.abi import RESERVED
from host.native.source import intrinsic_name, is_helper
from host.usernodes.source import Source, glance, locate, read
from host.usernodes.trust import grants_folder, is_trusted
from nodes.user import own, words_of

KERNELS = ("process", "emit", "absorb")
LOOK_S = 0.5
"""How often it is looked whether files have changed."""

Stamp = tuple[int, ...]


def trusted_kind(path: str, folder: Path) -> type[Node]:
    """The class in the file that a patch in ``folder`` names. Raises PatchError where there is none, or no trust."""
    return loaded(trusted(path, folder))


def trusted(path: str, folder: Path) -> Source:
    """The file that a patch in ``folder`` names. Raises PatchError where there is none, or no trust."""
    source = read(locate(path, folder))
    if not is_trusted(source.digest):
        raise PatchError(untrusted_words(source))
    return source


def untrusted_words(source: Source) -> str:
    """What to say of a file that is not trusted."""
    found = glance(source)
    todo = f"look at it, then: patchwright nodes trust {source.path}"
    return f"{source.path} ({found.kind}) is not trusted, so its code does not run; {todo}"


def loaded(source: Source) -> type[Node]:
    """The class in a file: runs the file. Only for what is trusted. Raises PatchError with the line that is wrong."""
    found = glance(source)
    kind = _run(source.digest, source)
    if kind.__name__ != found.name:
        raise PatchError(f"{source.path}: expected {found.name} as its node, found {kind.__name__}")
    return kind


@lru_cache(maxsize=256)
def _run(digest: str, source: Source) -> type[Node]:
    file = str(source.path)
    module = ModuleType(f"node_of_ones_own_{digest[:16]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses and the compiler look modules up by name
    try:
        exec(compile(source.text, file, "exec", dont_inherit=True), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit among them: it is theirs, and not the end of us
        raise PatchError(words_of(error, file)) from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Node) and value.kind and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise PatchError(f"{file}: expected one class with a kind, found {len(found) or 'none'}")
    kind = found[0]
    for name in KERNELS:
        made = getattr(kind, name)
        if isinstance(made, Kernel):
            _refuse_unknown(made, kind, file)
    try:
        own(kind)
    except PatchError as error:
        raise PatchError(f"{file}: {error.message}") from None
    return kind


def _refuse_unknown(made: Kernel, kind: type[Node], file: str) -> None:
    """Refuse a kernel that names what there is not, or calls what is not compiled with it."""
    code = made.function.__code__
    for argument in made.arguments:
        if argument not in RESERVED and argument not in kind.declared:
            place = f"{file}:{code.co_firstlineno}: {made.function.__name__}"
            there = f"declared in {kind.__name__} nor one of {', '.join(RESERVED)}"
            raise PatchError(f"{place} asks for {argument}, which is neither {there}")
    todo: list[Any] = [made.function]
    done: set[Any] = set()
    while todo:
        function = todo.pop()
        done.add(function)
        line = function.__code__.co_firstlineno
        for step in dis.get_instructions(function.__code__):
            line = (step.positions and step.positions.lineno) or line
            name = step.argval
            if step.opname != "LOAD_GLOBAL":
                continue
            known = {**vars(builtins), **function.__globals__}
            if name not in known:
                raise PatchError(f"{file}:{line}: there is nothing of the name {name}")
            value = known[name]
            if is_helper(value) and value not in done:
                todo.append(value)
            elif isinstance(value, FunctionType) and not is_helper(value) and intrinsic_name(value) is None:
                raise PatchError(f"{file}:{line}: {name} is not compiled with the kernel; mark it with @helper")


@dataclass(frozen=True, slots=True)
class _Last:
    """What was played last of a file."""

    stamp: Stamp
    digest: str
    kind: type[Node]


@dataclass
class Keeper:
    """The classes that a patch in play is made of. A file that has changed goes on as it was until it is trusted as it
    is now. For one thread.
    """

    _last: dict[Path, _Last] = field(default_factory=dict[Path, "_Last"])
    _seen: dict[Path, Stamp] = field(default_factory=dict[Path, Stamp])
    _look_at: float = 0.0
    notes: list[str] = field(default_factory=list[str])
    """What there is to be told; whoever tells it empties the list."""

    def kind(self, path: str, folder: Path) -> type[Node]:
        """The class in a file that a patch names. Raises PatchError as ``trusted_kind`` does."""
        file = locate(path, folder)
        self._seen[file] = now = _stamp(file)
        last = self._last.get(file)
        if last is not None and last.stamp == now:
            return last.kind
        try:
            source = trusted(path, folder)
            self._last[file] = _Last(now, source.digest, loaded(source))
        except PatchError as error:
            if last is None or not is_trusted(last.digest):
                raise
            self.notes.append(f"{error.message}; it plays on as it was")
            self._last[file] = replace(last, stamp=now)
        return self._last[file].kind

    def changed(self, now: float) -> bool:
        """Whether something that was asked for is no longer as it was at the last look, be it that it is trusted now.
        ``now``: seconds; it is not looked more often than is of use.
        """
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_S
        found = {file: _stamp(file) for file in self._seen}
        before, self._seen = self._seen, found
        return found != before


def _stamp(file: Path) -> Stamp:
    """What changes when a file does, or when something is trusted or no longer."""
    found: list[int] = []
    for path in (file, grants_folder()):
        try:
            about = path.stat()
            found += [about.st_mtime_ns, about.st_size, about.st_ino]
        except OSError:
            found += [0, 0, 0]
    return tuple(found)
