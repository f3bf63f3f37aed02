"""The file of a node of one's own, read without running any of it."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graph.errors import PatchError
from host.plugins.database import data_folder

MOST_BYTES = 256 * 1024
SUFFIX = ".py"
PACKAGES = ("graph.spec", "nodes.dsp")
"""What such a file may import of ours,"""
MODULES = frozenset({"__future__", "cmath", "collections.abc", "dataclasses", "enum", "functools", "itertools", "math"})
LIBRARIES = frozenset({"numpy", "typing"})
"""and what else: nothing whose code is neither a library's nor in the file that was trusted."""
ALLOWED = "numpy, math, typing, dataclasses, functools, itertools, graph.spec and nodes.dsp"


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read."""

    path: Path
    text: str
    digest: str
    """The SHA-256 of its bytes: what is trusted."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What can be told of a file without running it."""

    name: str
    """The class."""
    kind: str
    family: str
    doc: str


def node_folder() -> Path:
    """The user's folder of nodes; it need not be there."""
    return data_folder() / "nodes"


def locate(path: str, folder: Path) -> Path:
    """The file that a patch in ``folder`` means: beside the patch, else by its name in the user's node folder."""
    if "\0" in path:
        raise PatchError("a path cannot hold a zero character")
    beside = folder / path
    if Path(path).name != path or beside.is_file():
        return beside
    for name in (path, path + SUFFIX):
        found = node_folder() / name
        if found.is_file():
            return found
    return beside


def read(path: Path) -> Source:
    """A file, whole. Raises PatchError where it is none that could be a node."""
    try:
        # whatever a link leads to: it must not be something that never ends, or has an effect when it is read
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise PatchError(f"{path} is no file")
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PatchError(f"{path}: {error.strerror or error}") from None
    if len(data) > MOST_BYTES:
        raise PatchError(f"{path} is larger than the {MOST_BYTES >> 10} KiB that a node may have")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PatchError(f"{path}:{line}: expected UTF-8 text") from None
    return Source(path, text, hashlib.sha256(data).hexdigest())


@lru_cache(maxsize=256)
def glance(source: Source) -> Glance:
    """What a file says it is. Raises PatchError, with the line, for one that is no node as far as that can be seen."""
    tree = _parsed(source)
    for line, name in _imports(tree):
        if not _allowed(name):
            raise PatchError(
                f"{source.path}:{line}: it imports {name or 'what lies beside it'}, which is not part of what you "
                f"trust; a node may import {ALLOWED}"
            )
    found = [c for c in tree.body if isinstance(c, ast.ClassDef) and _texts(c).get("kind")]
    if len(found) != 1:
        raise PatchError(f"{source.path}: expected one class with a kind, found {len(found) or 'none'}")
    texts = _texts(found[0])
    doc = (ast.get_docstring(found[0]) or "").strip().split("\n")[0]
    return Glance(found[0].name, texts["kind"][:64], texts.get("family", "utility")[:64], doc[:500])


def _parsed(source: Source) -> ast.Module:
    try:
        return ast.parse(source.text, str(source.path))
    except SyntaxError as error:
        raise PatchError(f"{source.path}:{error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise PatchError(
            f"{source.path}: it is no Python ({' '.join(str(error).split()) or 'nested too deep'})"
        ) from None


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Everything imported, with its line; empty for what is relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "" if node.level or not node.module else node.module


def _allowed(name: str) -> bool:
    inside = any(name == package or name.startswith(f"{package}.") for package in PACKAGES)
    return inside or name in MODULES or name.partition(".")[0] in LIBRARIES


def _texts(found: ast.ClassDef) -> dict[str, str]:
    """What a class sets to a plain text."""
    texts: dict[str, str] = {}
    for line in found.body:
        target = (
            line.targets[0]
            if isinstance(line, ast.Assign)
            else line.target
            if isinstance(line, ast.AnnAssign)
            else None
        )
        value = getattr(line, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            texts[target.id] = value.value
    return texts
