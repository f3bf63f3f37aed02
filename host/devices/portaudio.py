"""PortAudio through sounddevice: loading it, listing devices, starting it anew, leaving it behind.

PortAudio reads its list of devices once, when it is initialised, and its calls are not meant for several threads at
once. After a JACK server has died it can be neither closed (that waits for the dead) nor terminated (its JACK part then
ends the process: it asserts that the server answers). Such an instance is left as it is, and the next one is a second
copy of the library, with memory of its own.
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from host.devices.kinds import DeviceError, DeviceInfo

JACK = "JACK Audio Connection Kit"
HINT = "install it (Debian and Ubuntu: apt install libportaudio2) and start again"
CLIENT = ctypes.create_string_buffer(b"Patchwright")
"""Our name among JACK's clients. PortAudio keeps the pointer."""
BUSY_S = 2.0
SETTLE_S = 0.05


class Instance:
    """One initialised PortAudio. ``lib`` and ``ffi`` are cffi's; ``sounddevice`` is the module, which uses them."""

    def __init__(self, sounddevice: Any) -> None:
        self.sounddevice = sounddevice
        self.lib, self.ffi = sounddevice._lib, sounddevice._ffi
        self.streams: set[object] = set()
        """What is open; filled by those who open and close."""
        self.threads: set[str] = set()
        """Those it started when it was initialised: its connection to a JACK server."""
        self.running = False
        self._lock = threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it for oneself. Raises DeviceError where another thread's call does not come back."""
        if not self._lock.acquire(timeout=BUSY_S):
            raise DeviceError("PortAudio does not answer: a device hangs in it")
        try:
            yield
        finally:
            self._lock.release()

    def initialise(self) -> None:
        """Read the list of devices. Raises DeviceError. Waits for a JACK server that stands still."""
        with self.held():
            refuse_broken_jack()
            before = _threads()
            try:
                self.sounddevice._initialize()
            except self.sounddevice.PortAudioError as error:
                raise DeviceError(f"PortAudio does not start: {error}") from error
            self.threads = _threads() - before
            self.running = True

    def sound(self) -> bool:
        """Whether it may be terminated: what it is connected to is still there, also after a moment. The threads of a
        connection need that to find out that it is broken.
        """
        end = time.monotonic() + (SETTLE_S if self.threads else 0)
        while self.threads <= _threads():
            if time.monotonic() >= end:
                return True
            time.sleep(0.005)
        return False

    def terminate(self) -> None:
        """Give up the list of devices."""
        if self.running:
            self.running = False
            self.lib.Pa_Terminate()


_current: list[Instance] = []


def load() -> Instance:
    """PortAudio, initialised. Raises DeviceError with what to install."""
    if not _current:
        _current.append(_first())
        atexit.unregister(_current[0].sounddevice._exit_handler)
        atexit.register(_finish)
    return _current[0]


def refuse_broken_jack(folder: str = "/dev/shm") -> None:
    """Raise DeviceError where what JACK's servers and clients share is half-made: a client that opens it dies at once.

    All servers of a user share one database, whose files an interrupted start leaves empty.
    """
    if sys.platform.startswith("linux"):
        database = Path(folder) / f"jack_db-{os.getuid()}"
        if any(part.stat().st_size == 0 for part in database.glob("__db.*")):
            raise DeviceError(f"JACK's shared files are broken: while no JACK server runs, remove {database}")


def _first() -> Instance:
    refuse_broken_jack()
    before = _threads()
    if sys.platform.startswith("linux") and "sounddevice" not in sys.modules:
        _name_client(ctypes.util.find_library("portaudio") or "")
    try:
        import sounddevice
    except ImportError as error:
        raise DeviceError(
            "the Python package sounddevice is missing: run dev.py setup; until then there is only the null device"
        ) from error
    except OSError as error:
        raise DeviceError(f"PortAudio is missing: {HINT}; until then there is only the null device") from error
    except Exception as error:  # whatever keeps PortAudio from starting, there is the null device
        raise DeviceError(f"PortAudio does not start: {error}") from error
    instance = Instance(sounddevice)
    instance.threads, instance.running = _threads() - before, True
    return instance


def _name_client(library: str) -> None:
    """Tell PortAudio our JACK client name, before it is initialised. Some builds know nothing of JACK."""
    try:
        rename = ctypes.CDLL(library).PaJack_SetClientName
    except (OSError, AttributeError):
        return
    rename(CLIENT)


def _threads() -> set[str]:
    """The threads of this process, by the system's numbers, where the system tells."""
    return set(os.listdir("/proc/self/task")) if sys.platform.startswith("linux") else set()


def restart() -> bool:
    """Initialise PortAudio anew, so that it sees what was plugged in since. Not while a stream is open: False."""
    instance = load()
    if instance.streams:
        return False
    if not instance.sound():
        abandon(instance)
        return True
    with instance.held():
        instance.terminate()
        instance.initialise()
    return True


def abandon(instance: Instance) -> None:
    """Leave an instance, and what is open in it, as it is; go on with another copy of the library."""
    if instance not in _current:
        return
    sounddevice = instance.sounddevice
    sounddevice._lib = sounddevice._ffi.dlopen(_another(sounddevice))
    fresh = Instance(sounddevice)
    _current[:] = [fresh]
    fresh.initialise()


def _another(sounddevice: Any) -> str:
    """The path of a copy of the library: loaded from there, it shares nothing with the first."""
    if not sys.platform.startswith("linux"):
        source = Path(sounddevice._libname)
        return str(shutil.copy(source, tempfile.mkdtemp(prefix="patchwright-")))
    # A file in memory needs no folder that may hold programs. It stays open: its number is the name of the copy.
    file = os.memfd_create("portaudio")
    os.write(file, _image())
    path = f"/proc/self/fd/{file}"
    _name_client(path)
    return path


@cache
def _image() -> bytes:
    """The library that is loaded, as it is on the disk."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = [line.split(maxsplit=5)[5].strip() for line in maps if "libportaudio" in line]
    if not paths:
        raise DeviceError("PortAudio cannot be loaded a second time; start again")
    return Path(paths[0]).read_bytes()


def _finish() -> None:
    """At the end of the process: leave JACK and the sound card in order, where that can be done without waiting."""
    for instance in _current:
        if not instance.streams and instance.sound():
            instance.terminate()


def runs_at(info: DeviceInfo, rate: int) -> bool:
    """Whether a device may run at a rate. Raises DeviceError."""
    instance = load()
    with instance.held():
        playing = info.outputs > 0
        check = instance.sounddevice.check_output_settings if playing else instance.sounddevice.check_input_settings
        try:
            check(device=info.index, channels=1, dtype="float32", samplerate=rate)
        except instance.sounddevice.PortAudioError as error:
            return instance.lib.paInvalidSampleRate not in error.args  # what else is wrong, opening it says
    return True


def listing() -> list[DeviceInfo]:
    """What PortAudio sees. Raises DeviceError."""
    instance = load()
    with instance.held():
        try:
            if not instance.running:
                instance.initialise()
            apis = instance.sounddevice.query_hostapis()
            found = instance.sounddevice.query_devices()
            first_in, first_out = instance.lib.Pa_GetDefaultInputDevice(), instance.lib.Pa_GetDefaultOutputDevice()
        except instance.sounddevice.PortAudioError as error:
            raise DeviceError(f"PortAudio cannot list the devices: {error}") from error
    return [
        DeviceInfo(
            name=d["name"],
            api=apis[d["hostapi"]]["name"],
            inputs=d["max_input_channels"],
            outputs=d["max_output_channels"],
            rate=round(d["default_samplerate"]),
            index=k,
            default_input=k == first_in,
            default_output=k == first_out,
        )
        for k, d in enumerate(found)
    ]
