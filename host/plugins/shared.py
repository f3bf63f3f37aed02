"""Memory that engine and worker share: without a name, so that nothing is left behind whoever dies; with semaphores.

The memory is known by a file descriptor, which goes through the workers' pipe. It needs no resource tracker, which
before Python 3.13 would also remove what was merely attached.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.layouts import channels_of
from host.native.arena import aligned
from nodes.dsp import crew, handover

Words = npt.NDArray[np.int64]
SUPPORTED = sys.platform.startswith("linux")
"""Whether plugins can run in workers here: semaphores that processes share and that wait with a deadline."""


CALLS_NUMBER = 0
"""The number under which a worker is given what its crew shares with the engine; seats have higher ones."""


class Shared:
    """Some memory, zero at first, as 64-bit words. ``fd`` is to be sent to whoever shall see it too."""

    def __init__(self, words: int, fd: int = -1) -> None:
        if fd < 0:
            fd = _new_file()
            os.ftruncate(fd, 8 * words)
        self.fd = fd
        self.words: Words
        size = os.fstat(fd).st_size
        if size < 8 * words:
            os.close(fd)
            raise ValueError(f"expected {8 * words} bytes of shared memory, found {size}")
        self._map = mmap.mmap(fd, 8 * words)
        self.words = np.frombuffer(self._map, np.int64, words)

    @property
    def address(self) -> int:
        """Of the first word."""
        return self.words.ctypes.data

    def close(self) -> None:
        """Close the descriptor; the memory itself goes with the last array over it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("patchwright", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Seat:
    """The memory of one plugin: its head and two slots, as ``nodes.dsp.handover`` says.

    ``inputs`` and ``outputs`` are the lanes of every bus that is on.
    """

    def __init__(self, inputs: tuple[str, ...], outputs: tuple[str, ...], capacity: int, fd: int = -1) -> None:
        self.lanes = tuple(tuple(channels_of(x) if x else 0 for x in layouts) for layouts in (inputs, outputs))
        self.capacity = capacity
        span = capacity // 2  # words that a channel takes
        self.outputs_at = 8 * (handover.SLOT_WORDS + span * sum(self.lanes[0]))
        self.stride = self.outputs_at + 8 * span * sum(self.lanes[1])
        self.shared = Shared(handover.HEAD_WORDS + 2 * self.stride // 8, fd)
        self.head = self.shared.words[: handover.HEAD_WORDS]

    def slot(self, k: int) -> Words:
        """The words of a slot that stand before its audio."""
        start = handover.HEAD_WORDS + k * self.stride // 8
        return self.shared.words[start : start + handover.SLOT_WORDS]

    def buses(self, k: int, flow: int) -> list[npt.NDArray[np.float32]]:
        """The buses of a slot that are on, ``[channel, frame]``: inputs for flow 0, outputs for 1."""
        start = handover.HEAD_WORDS * 8 + k * self.stride + (self.outputs_at if flow else 8 * handover.SLOT_WORDS)
        samples = self.shared.words.view(np.float32)[start // 4 :]
        found: list[npt.NDArray[np.float32]] = []
        for lanes in self.lanes[flow]:
            if lanes:
                found.append(samples[: lanes * self.capacity].reshape(lanes, self.capacity))
                samples = samples[lanes * self.capacity :]
        return found

    @property
    def back(self) -> int:
        """The address of the semaphore that is posted for each block done."""
        return self.shared.address + 8 * handover.BACK

    @property
    def call(self) -> int:
        """The address of the one that is posted for each block handed over."""
        return self.shared.address + 8 * handover.CALL


class Calls:
    """What an engine and the crew of one worker share, as ``nodes.dsp.crew`` says. Raises OSError."""

    def __init__(self, threads: int = 1, fd: int = -1) -> None:
        self.shared = Shared(crew.CREW_WORDS, fd)
        self.tasks = aligned((1,), "i8")
        """The engine's own: how many blocks the crew has to do."""
        if fd < 0:
            new_semaphore(self.bell)
            self.shared.words[crew.THREADS] = threads
        self.threads = int(self.shared.words[crew.THREADS])

    @property
    def address(self) -> int:
        """Of the first word."""
        return self.shared.address

    @property
    def bell(self) -> int:
        """The address of the semaphore that the crew sleeps on."""
        return self.address + 8 * crew.BELL

    def be_eager(self, eager: bool) -> None:
        """Whether the crew is to be awake before it is called."""
        self.shared.words[crew.EAGER] = eager

    def clear(self) -> None:
        """Forget what was left over by a crew that is gone."""
        self.shared.words[crew.CALLS] = 0
        while take(self.bell):
            pass


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def new_semaphore(address: int) -> None:
    """Make a semaphore that processes share, at zero."""
    if _libc().sem_init(ctypes.c_void_p(address), 1, 0):
        raise OSError(ctypes.get_errno(), "a semaphore cannot be made")


def post(address: int) -> None:
    """Add one."""
    _libc().sem_post(ctypes.c_void_p(address))


def wait(address: int) -> None:
    """Take one, however long that takes, or until a signal comes; without the interpreter lock."""
    _libc().sem_wait(ctypes.c_void_p(address))


def take(address: int) -> bool:
    """Take one if there is one."""
    return not _libc().sem_trywait(ctypes.c_void_p(address))
