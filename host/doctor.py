"""What this machine has for Patchwright, and what is wrong with it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

PORTAUDIO_HINT = "install PortAudio (Debian and Ubuntu: apt install libportaudio2)"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. A line that is not ``good`` and is ``needed`` keeps something from working."""

    subject: str
    good: bool
    found: str
    needed: bool = True


def examine() -> list[Line]:
    """Look at everything. Nothing here changes the machine, except that the folder for compiled kernels is made."""
    return [_looked(subject, look) for subject, look in _looks()]


def _looked(subject: str, look: Callable[[], Line]) -> Line:
    try:
        return look()
    except Exception as error:  # whatever is broken here is the finding
        return Line(subject, False, f"{type(error).__name__}: {error}")


def _looks() -> Iterator[tuple[str, Callable[[], Line]]]:
    yield "Python", _python
    for package in (
        "numpy",
        "numba",
        "llvmlite",
        "networkx",
        "msgpack",
        "soundfile",
        "soxr",
        "pedalboard",
        "sounddevice",
        "dearpygui",
    ):
        yield package, lambda package=package: Line(package, True, importlib.metadata.version(package))
    yield "processor", _processor
    yield "kernel cache", _cache
    yield "native code", _native
    yield "audio files", _files
    yield "audio devices", _devices
    yield "realtime priority", _priority


def _python() -> Line:
    return Line("Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}")


def _processor() -> Line:
    import llvmlite.binding as llvm

    return Line("processor", True, f"{llvm.get_host_cpu_name()}, {os.cpu_count()} cores")


def _cache() -> Line:
    from host.native.store import cache_folder

    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    objects = list(folder.glob("*.o"))
    size = sum(path.stat().st_size for path in objects) / 1e6
    return Line(
        "kernel cache", os.access(folder, os.W_OK), f"{folder}: {len(objects)} kernels, {size:.1f} MB", needed=False
    )


def _native() -> Line:
    from host.native.program import probe

    return Line("native code", probe(), "a compiled kernel runs and gives the right samples")


def _files() -> Line:
    import soundfile

    return Line(
        "audio files", True, f"{soundfile.__libsndfile_version__}: {', '.join(sorted(soundfile.available_formats()))}"
    )


def _devices() -> Line:
    try:
        found = devices()
    except RuntimeError as error:
        return Line("audio devices", False, str(error), needed=False)
    return Line(
        "audio devices",
        bool(found),
        f"{len(found)} found" if found else "none found; offline rendering does not need one",
        needed=False,
    )


def _priority() -> Line:
    if not hasattr(os, "sched_get_priority_max"):
        return Line("realtime priority", True, "left to the system's audio service", needed=False)
    import resource

    limit = getattr(resource, "RLIMIT_RTPRIO", None)
    allowed = resource.getrlimit(limit)[0] if limit is not None else 0
    words = f"up to {allowed}" if allowed else "not allowed for this user; live playing may drop out under load"
    return Line("realtime priority", bool(allowed), words, needed=False)


def devices() -> list[dict[str, Any]]:
    """The audio devices that PortAudio sees.

    Raises RuntimeError, with the package to install, where PortAudio is missing.
    """
    try:
        import sounddevice
    except OSError as error:
        raise RuntimeError(f"PortAudio is missing: {PORTAUDIO_HINT}") from error
    hosts = sounddevice.query_hostapis()
    return [
        {
            "index": k,
            "name": d["name"],
            "api": hosts[d["hostapi"]]["name"],
            "inputs": d["max_input_channels"],
            "outputs": d["max_output_channels"],
            "rate": d["default_samplerate"],
        }
        for k, d in enumerate(sounddevice.query_devices())
    ]
