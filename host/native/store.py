"""Compiled code on disk and in this process.

Objects are kept under a key that changes with everything they depend on: the kernel's source and all it reaches, the
signature, this package's own source, the versions of the compiler, and the processor. A warm start therefore loads
machine code and never imports the compiler.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import tempfile
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

import llvmlite.binding as llvm
import platformdirs

from graph.spec import Kernel
from host.native.abi import Signature
from host.native.cpu import description, new_target_machine
from host.native.source import KernelError, fingerprint

KEEP_BYTES = 512 * 1024 * 1024
"""The cache is pruned, oldest use first, when it grows past this."""


def cache_folder() -> Path:
    """Where compiled code is kept; PATCHWRIGHT_CACHE overrides it."""
    chosen = os.environ.get("PATCHWRIGHT_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("patchwright", appauthor=False)) / "kernels"


@cache
def _foundation() -> bytes:
    """A digest of what every object depends on."""
    digest = hashlib.sha256(description().encode())
    for package in ("numba", "llvmlite"):
        digest.update(f"{package} {importlib.metadata.version(package)}".encode())
    here = Path(__file__).parent
    for name in ("abi", "build", "intrinsics", "views"):
        digest.update((here / f"{name}.py").read_bytes())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Recipe:
    """What code is kept as, and how it is made where it is not kept: ``build`` takes the symbol's name."""

    key: str
    build: Callable[[str], bytes] = field(compare=False, repr=False)


class NotCompiledError(Exception):
    """Code that is not compiled yet was asked for by somebody who must not wait for it."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe.key)
        self.recipe = recipe


class Library:
    """The code loaded into this process, by key. Addresses stay valid for the life of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()
        self._addresses: dict[str, int] = {}
        self._steps: dict[tuple[Kernel, Signature], int] = {}
        self._failed: dict[str, KernelError] = {}
        self._keep: list[object] = []
        self._linker: llvm.LLJIT | None = None
        self.built = 0
        """How many objects had to be compiled because the cache did not have them."""

    def step(self, kernel: Kernel, signature: Signature) -> int:
        """The address of the step of a kernel. Raises KernelError where it cannot be compiled."""
        known = self._steps.get((kernel, signature))
        if known is None:
            known = self._steps[kernel, signature] = self.address(step_recipe(kernel, signature))
        return known

    def object(self, kernel: Kernel, signature: Signature) -> bytes:
        """The object code of the step of a kernel, to be looked at. Raises KernelError as ``step`` does."""
        return self._object(step_recipe(kernel, signature))

    def function(self, function: types.FunctionType, arguments: int) -> int:
        """The address of a helper that takes ``arguments`` 64-bit integers."""
        return self.address(function_recipe(function, arguments))

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Within, in this thread, whatever would have to be compiled first raises NotCompiledError instead."""
        before = getattr(self._local, "hurried", False)
        self._local.hurried = True
        try:
            yield
        finally:
            self._local.hurried = before

    def has(self, recipe: Recipe) -> bool:
        """Whether nothing has to be compiled any more, be it that it was in vain."""
        known = recipe.key in self._addresses or recipe.key in self._failed
        return known or (cache_folder() / f"{recipe.key}.o").exists()

    def address(self, recipe: Recipe) -> int:
        """Where code is, loaded or compiled first. Threads that compile do not keep others from loading."""
        known = self._addresses.get(recipe.key)
        if known is not None:
            return known
        code = self._object(recipe)
        with self._lock:
            if recipe.key not in self._addresses:
                self._addresses[recipe.key] = self._link(code, _symbol(recipe.key))
            return self._addresses[recipe.key]

    def _object(self, recipe: Recipe) -> bytes:
        code = _read(recipe.key)
        if code is None:
            if recipe.key in self._failed:
                raise self._failed[recipe.key]
            if getattr(self._local, "hurried", False):
                raise NotCompiledError(recipe)
            try:
                code = recipe.build(_symbol(recipe.key))
            except KernelError as error:
                self._failed[recipe.key] = error
                raise
            with self._lock:
                self.built += 1
            _write(recipe.key, code)
        return code

    def _link(self, code: bytes, symbol: str) -> int:
        if self._linker is None:
            self._linker = llvm.create_lljit_compiler(new_target_machine())
        builder = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(symbol).add_current_process()
        tracker = builder.link(self._linker, symbol)
        self._keep.append(tracker)
        return tracker[symbol]


@cache
def library() -> Library:
    """The process's one library."""
    return Library()


def step_recipe(kernel: Kernel, signature: Signature) -> Recipe:
    """How a kernel's step is made."""

    def build(symbol: str) -> bytes:
        from graph.compiler import collector_resting
        from host.native.build import build_kernel
        from host.native.engineless import engineless

        with engineless(), collector_resting():
            return build_kernel(kernel, signature, symbol)

    return Recipe(_key(fingerprint(cast(types.FunctionType, kernel.function)), repr(signature)), build)


def function_recipe(function: types.FunctionType, arguments: int) -> Recipe:
    """How a helper is made."""

    def build(symbol: str) -> bytes:
        from graph.compiler import collector_resting
        from host.native.build import build_function
        from host.native.engineless import engineless

        with engineless(), collector_resting():
            return build_function(function, arguments, symbol)

    return Recipe(_key(fingerprint(function), f"function of {arguments}"), build)


def _symbol(key: str) -> str:
    return f"patchwright_{key[:24]}"


def _key(source: str, shape: str) -> str:
    return hashlib.sha256(_foundation() + source.encode() + shape.encode()).hexdigest()


def _read(key: str) -> bytes | None:
    """The object under a key, if it is there and whole: each is kept behind its own digest."""
    path = cache_folder() / f"{key}.o"
    try:
        data = path.read_bytes()
    except OSError:
        return None
    code = data[32:]
    return code if hashlib.sha256(code).digest() == data[:32] else None


def _write(key: str, code: bytes) -> None:
    """Keep an object; a cache that cannot be written only costs time."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(name, folder / f"{key}.o")
        _prune(folder)
    except OSError:
        return


def _prune(folder: Path) -> None:
    entries = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.name.endswith((".o", ".part"))]
    excess = sum(stat.st_size for stat, _ in entries) - KEEP_BYTES
    for stat, path in sorted(entries, key=lambda e: e[0].st_mtime):
        if excess <= 0:
            return
        os.unlink(path)
        excess -= stat.st_size
