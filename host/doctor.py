"""What this machine has for Patchwright, and what is wrong with it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. A line that is not ``good`` and is ``needed`` keeps something from working."""

    subject: str
    good: bool
    found: str
    needed: bool = True


def examine() -> list[Line]:
    """Look at everything. Nothing here changes the machine, except that folders are made: for compiled kernels, and for
    what is known of plugins.
    """
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
    yield "PortAudio", _portaudio
    yield "audio devices", _devices
    yield "JACK", _jack
    yield "realtime priority", _thread
    yield "memory lock", _memory
    yield "disk cache", _disk_cache
    yield "plugins", _plugins
    yield "plugin folders", _plugin_folders


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


def _portaudio() -> Line:
    from host.devices import DeviceError, portaudio

    try:
        version = portaudio.load().sounddevice.get_portaudio_version()[1]
    except DeviceError as error:
        return Line("PortAudio", False, str(error), needed=False)
    return Line("PortAudio", True, version)


def _devices() -> Line:
    from host.devices import devices, why_none

    found = devices()[:-1]
    return Line("audio devices", bool(found), why_none() or ", ".join(sorted({d.label for d in found})), needed=False)


def _jack() -> Line:
    from host.devices import devices
    from host.devices.portaudio import JACK

    found = [d for d in devices() if d.api == JACK]
    if found:
        return Line("JACK", True, f"a server runs at {found[0].rate} Hz", needed=False)
    return Line("JACK", not sys.platform.startswith("linux"), "no server runs; other interfaces do", needed=False)


def _thread() -> Line:
    from host.devices.system import try_thread

    outcome = try_thread()
    return Line("realtime priority", outcome.granted, outcome.words, needed=False)


def _memory() -> Line:
    from host.devices.system import try_memory

    outcome = try_memory()
    return Line("memory lock", outcome.granted, outcome.words, needed=False)


def _disk_cache() -> Line:
    from host.disk.cache import share

    most = share()
    words = f"{most / 1e6:.0f} MB of memory for played files" if most else "none on this system, only on Linux"
    return Line("disk cache", bool(most), words, needed=False)


def _plugin_folders() -> Line:
    from host.plugins.folders import standard_folders
    from host.plugins.store import Store

    with Store() as store:
        places = [*standard_folders(), *store.folders()]
    there = [str(place) for place in places if place.is_dir()]
    words = ", ".join(there) or f"none is there; plugins belong in {places[0]}"
    return Line("plugin folders", bool(there), words, needed=False)


def _plugins() -> Line:
    """What scans found; a database that cannot be used is a problem, plugins that are not good are not."""
    from host.plugins.store import Store, StoreError

    said: list[str] = []
    try:
        with Store(notice=said.append) as store:
            files = [file for file in store.files() if file.present]
            path = store.path
    except StoreError as error:
        return Line("plugins", False, str(error))
    if said:
        return Line("plugins", False, said[0], needed=False)
    if not files:
        return Line("plugins", False, "none are known; `patchwright plugins scan` looks for them", needed=False)
    bad = [file for file in files if file.verdict != "good"]
    words = f"{len(files) - len(bad)} files are good, {len(bad)} are not ({path})"
    advice = "; `patchwright plugins list` says why" if bad else ""
    return Line("plugins", not bad, words + advice, needed=False)
