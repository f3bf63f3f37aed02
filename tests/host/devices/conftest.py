"""A JACK server of our own, renderers to listen to, and waiting for conditions."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from graph.spec import helper
from host.devices import portaudio
from host.devices.kinds import DeviceError
from host.native.program import native
from host.native.raw import load_f32, set_word, store_f32, word

DEADLINE_S = 60.0
INPUTS, OUTPUTS, FRAMES, CALLS, FLAGS, SMALLEST, LARGEST, HELD = range(8)
servers = count()


@helper
def counting(input, output, frames, times, flags, words):
    """Output channel 0 is the clock (counted modulo 2^20, exact in float32), channel c is input c - 1, else silence."""
    inputs = word(words, INPUTS)
    outputs = word(words, OUTPUTS)
    clock = word(words, FRAMES)
    for i in range(frames):
        for c in range(outputs):
            value = 0.0
            if c == 0:
                value = float((clock + i) & 0xFFFFF)
            elif c <= inputs and input != 0:
                value = load_f32(input, i * inputs + c - 1)
            store_f32(output, i * outputs + c, value)
    set_word(words, FRAMES, clock + frames)
    set_word(words, FLAGS, word(words, FLAGS) | flags)
    set_word(words, LARGEST, max(word(words, LARGEST), frames))
    if word(words, SMALLEST) == 0 or frames < word(words, SMALLEST):
        set_word(words, SMALLEST, frames)
    set_word(words, CALLS, word(words, CALLS) + 1)
    return 0


class Counting:
    """A renderer whose output says which frame it is."""

    def __init__(self) -> None:
        self.words = np.zeros(8, np.int64)
        self.callback = native(counting, 6)
        self.user = self.words.ctypes.data
        self.prepared: list[tuple[int, int, int]] = []

    def prepare(self, inputs: int, outputs: int, frames: int) -> int:
        self.prepared.append((inputs, outputs, frames))
        self.words[[INPUTS, OUTPUTS]] = inputs, outputs
        return 0 if frames and frames % 64 == 0 else 64

    def process(self, input, output) -> None:
        output[:] = 0
        output[:, 0] = (self.frames + np.arange(len(output))) & 0xFFFFF
        self.words[FRAMES] += len(output)
        self.words[CALLS] += 1

    @property
    def frames(self) -> int:
        return int(self.words[FRAMES])

    @property
    def callbacks(self) -> int:
        return int(self.words[CALLS])


def frames_without_interpreter(renderer: Counting) -> int:
    """Frames that are rendered while nothing else can have the interpreter: a foreign call that keeps hold of it."""
    before = renderer.frames
    ctypes.PyDLL(None).usleep(300_000)
    return renderer.frames - before


def until(condition: Callable[[], object], seconds: float = DEADLINE_S) -> float:
    """Wait for a condition; how long that took. A failure where it does not come true."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not come true in time"
        time.sleep(0.002)
    return time.monotonic() - begin


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, encoding="utf-8", timeout=DEADLINE_S)


class Jack:
    """A JACK server without hardware, under a name that nobody else uses."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.killed = False

    def start(self, frames: int = 64, rate: int = 48000, channels: int = 2) -> None:
        shape = ["-p", str(frames), "-P", str(channels), "-C", str(channels)]
        words = ["jackd", "-m", "-r", "-d", "dummy", "-r", str(rate), *shape]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.killed = False
        until(lambda: "system:playback_1" in tool("jack_lsp").stdout)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Without a chance to tidy up: its place in JACK's register of eight stays taken until it is started again."""
        self._end(signal.SIGKILL)
        self.killed = True

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.signal(number)
            self.process.wait(DEADLINE_S)
            self.process = None

    def ports(self) -> list[str]:
        return [line for line in tool("jack_lsp").stdout.splitlines() if not line.startswith("system:")]

    def connect(self, source: str, target: str) -> None:
        done = tool("jack_connect", source, target)
        assert done.returncode == 0, done.stderr


@contextmanager
def alone() -> Iterator[None]:
    """One JACK server at a time, in whatever process of this user's tests: all servers of a user share a database in
    /dev/shm (`jack_db-UID`) that each of them makes when it starts and takes away when it ends. A client that meets a
    half-made one dies of a bus error.
    """
    import fcntl

    with open(Path(tempfile.gettempdir()) / f"patchwright-jack-{os.getuid()}.lock", "w") as file:
        begin = time.monotonic()
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                assert time.monotonic() - begin < 600, "another test keeps its JACK server for too long"
                time.sleep(0.01)
        broken = Path(f"/dev/shm/jack_db-{os.getuid()}")
        if any(part.stat().st_size == 0 for part in broken.glob("__db.*")):
            shutil.rmtree(broken)
        yield


@pytest.fixture
def jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jack]:
    for program in ("jackd", "jack_lsp", "jack_connect", "jack_bufsize"):
        if not shutil.which(program):
            pytest.skip(f"there is no {program} here; it comes with jackd2 or jack-example-tools")
    with alone():
        yield from _jack(monkeypatch)


def _jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jack]:
    try:
        portaudio.load()
    except DeviceError as error:
        pytest.skip(str(error))
    name = f"patchwright-{os.getpid()}-{next(servers)}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    server = Jack()
    try:
        server.start()
        portaudio.restart()
        yield server
    finally:
        if server.process is not None:
            server.signal(signal.SIGCONT)
        elif server.killed:
            server.start()
        instance = portaudio.load()
        left, sound = list(instance.streams), instance.sound()
        if not left and sound:
            instance.terminate()  # while the server is there, so that it can tidy up
        server.stop()
        if sound:
            instance.initialise()
        else:
            portaudio.restart()
        for path in Path("/dev/shm").glob(f"jack_sem.*_{name}_*"):  # of clients that outlived their server
            path.unlink(missing_ok=True)
    assert not left, "a test left a device open"
