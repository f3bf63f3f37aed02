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
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import cast

import llvmlite.binding as llvm
import platformdirs

from graph.spec import Kernel
from host.native.abi import Signature
from host.native.cpu import description, new_target_machine
from host.native.source import fingerprint

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


class Library:
    """The code loaded into this process, by key. Addresses stay valid for the life of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: dict[str, int] = {}
        self._steps: dict[tuple[Kernel, Signature], int] = {}
        self._keep: list[object] = []
        self._linker: llvm.LLJIT | None = None
        self.built = 0
        """How many objects had to be compiled because the cache did not have them."""

    def step(self, kernel: Kernel, signature: Signature) -> int:
        """The address of the step of a kernel. Raises KernelError where it cannot be compiled."""
        known = self._steps.get((kernel, signature))
        if known is None:
            known = self._steps[kernel, signature] = self._address(*_kernel_recipe(kernel, signature))
        return known

    def object(self, kernel: Kernel, signature: Signature) -> bytes:
        """The object code of the step of a kernel, to be looked at. Raises KernelError as ``step`` does."""
        with self._lock:
            return self._object(*_kernel_recipe(kernel, signature))

    def function(self, function: types.FunctionType, arguments: int) -> int:
        """The address of a helper that takes ``arguments`` 64-bit integers."""
        key = _key(fingerprint(function), f"function of {arguments}")

        def build(symbol: str) -> bytes:
            from host.native.build import build_function

            return build_function(function, arguments, symbol)

        return self._address(key, build)

    def _address(self, key: str, build: Callable[[str], bytes]) -> int:
        with self._lock:
            if key not in self._addresses:
                self._addresses[key] = self._link(self._object(key, build), _symbol(key))
            return self._addresses[key]

    def _object(self, key: str, build: Callable[[str], bytes]) -> bytes:
        code = _read(key)
        if code is None:
            code = build(_symbol(key))
            self.built += 1
            _write(key, code)
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


def _kernel_recipe(kernel: Kernel, signature: Signature) -> tuple[str, Callable[[str], bytes]]:
    """The key of a kernel's step, and what builds it."""

    def build(symbol: str) -> bytes:
        from host.native.build import build_kernel

        return build_kernel(kernel, signature, symbol)

    return _key(fingerprint(cast(types.FunctionType, kernel.function)), repr(signature)), build


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
