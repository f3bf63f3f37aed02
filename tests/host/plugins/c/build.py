"""Builds the test plugin, in any of its behaviours, into a VST3 bundle. See ``plugin.c`` for the macros."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
COMPILER = shutil.which("gcc") or shutil.which("cc")
USABLE = sys.platform == "linux" and COMPILER is not None
WHY_NOT = "building a VST3 for the tests takes Linux and a C compiler"


def build(name: str = "Foretold", number: int = 1, **macros: object) -> Path:
    """The bundle of a plugin of this name, its class id ending in ``number``, with these macros (True: just defined).

    Built once for each set of macros, and kept among the system's temporary files.
    """
    flags = [f'-DNAME="{name}"', f"-DNUMBER={number}"]
    flags += [f"-D{macro}" if value is True else f"-D{macro}={value}" for macro, value in sorted(macros.items())]
    digest = hashlib.sha256(" ".join(flags).encode())
    for source in ("plugin.c", "vst3.h"):
        digest.update((HERE / source).read_bytes())
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"patchwright-test-plugins-{user}" / digest.hexdigest()[:16]
    bundle = folder / f"{name}.vst3"
    if not bundle.is_dir():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _compile(Path(scratch) / "made" / f"{name}.vst3", name, flags)
            try:
                os.rename(Path(scratch) / "made", folder)
            except OSError:
                if not bundle.is_dir():  # else another process was faster
                    raise
    return bundle


def uid(number: int = 1) -> str:
    """The class id of the plugin built with that number."""
    return (b"Patchwright com" + bytes([number])).hex().upper()


def _compile(bundle: Path, name: str, flags: list[str]) -> None:
    library = bundle / "Contents" / f"{platform.machine()}-linux" / f"{name}.so"
    library.parent.mkdir(parents=True)
    assert COMPILER is not None, WHY_NOT
    quiet = ["-w"]
    command = [COMPILER, "-O2", "-fPIC", "-shared", "-fvisibility=hidden", *quiet, *flags]
    subprocess.run([*command, str(HERE / "plugin.c"), "-o", str(library), "-lm"], check=True)
