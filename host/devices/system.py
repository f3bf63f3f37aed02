"""What the system grants to sound: threads that go first, and memory that stays in place."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from dataclasses import dataclass

PRIORITY = 60
"""Below the threads of sound servers and drivers, above everything ordinary."""
RESET_ON_FORK = 0x40000000
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
CAP_IPC_LOCK = 14
LEAVE = "give your user `rtprio 95` and `memlock unlimited` in /etc/security/limits.d, and log in anew"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether something was granted, and what to say about it."""

    granted: bool
    words: str


def prepare_thread(thread: int = 0) -> Outcome:
    """Ask for realtime scheduling for a thread of this process (0: the calling one), below the system's own audio
    threads. One that has it already, of its driver, keeps what it has.
    """
    if not sys.platform.startswith("linux"):
        return Outcome(True, "left to the system's audio service")
    try:
        if os.sched_getscheduler(thread) & ~RESET_ON_FORK not in (os.SCHED_FIFO, os.SCHED_RR):
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return Outcome(False, f"not allowed for this user; live playing may drop out under load: {LEAVE}")
    return Outcome(True, f"granted, priority {PRIORITY}")


def try_thread() -> Outcome:
    """What a thread that asks for realtime scheduling gets; tried with one that ends at once."""
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(prepare_thread()))
    thread.start()
    thread.join()
    return found[0]


def may_lock_memory() -> Outcome:
    """Whether this process may keep all of its memory in place."""
    if not sys.platform.startswith("linux"):
        return Outcome(True, "left to the system")
    import resource

    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if limit == resource.RLIM_INFINITY or _capable(CAP_IPC_LOCK):
        return Outcome(True, "allowed")
    return Outcome(False, f"only {limit // 1024} kB; sound may wait for the disk when memory is short: {LEAVE}")


def lock_memory() -> Outcome:
    """Keep all memory of this process in place, now and later; pages that were never touched stay unused.

    Not tried under a limit: with one, later allocations would fail.
    """
    allowed = may_lock_memory()
    if not allowed.granted or not sys.platform.startswith("linux"):
        return allowed
    libc = ctypes.CDLL(None, use_errno=True)
    for flags in (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT, MCL_CURRENT | MCL_FUTURE):
        if libc.mlockall(flags) == 0:
            return Outcome(True, "all memory is locked in place")
    return Outcome(False, f"refused: {os.strerror(ctypes.get_errno())}")


def try_memory() -> Outcome:
    """What a process that asks for its memory to be locked gets; this one's is free again afterwards."""
    found = lock_memory()
    if found.granted and sys.platform.startswith("linux"):
        ctypes.CDLL(None).munlockall()
        return Outcome(True, "granted: engines lock theirs")
    return found


def _capable(number: int) -> bool:
    """Whether this process has a capability of Linux."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            held = next((line.split()[1] for line in file if line.startswith("CapEff:")), "0")
    except OSError:
        return False
    return bool(int(held, 16) >> number & 1)
