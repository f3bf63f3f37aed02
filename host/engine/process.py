"""Starting an engine process, and reaching one that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from host.engine import folder as folders
from host.engine.wire import Wire, WireError
from host.messages import PROTOCOL, Attach, FromEngine, Held, Hello, MessageError, Notice, decode, encode

COMMAND = (sys.executable, "-P", "-m", "host.engine")
START_S = 60.0
"""How long an engine may take until it listens."""
ANSWER_S = 20.0
END_S = 5.0
CRASH = "Fatal Python error: "
"""What comes before the name of a crash, where the fault handler writes of one."""
LOOK_S = 0.002


class EngineError(RuntimeError):
    """The engine cannot be started, or cannot be reached: one line."""


@dataclass(slots=True)
class Reached:
    """An engine that has let us in; ``process`` is None where somebody else started it."""

    folder: Path
    process: subprocess.Popen[bytes] | None
    wire: Wire
    hello: Hello
    held: list[bytes]
    """Messages that would bring another engine to where this one is; none where it is new."""
    rest: list[bytes]
    """Messages that came with the greeting."""


def spawn(folder: Path, patience_s: float, command: Sequence[str] = COMMAND) -> subprocess.Popen[bytes]:
    """Start an engine that will listen in this folder. It outlives its starter, and shares nothing with it but the
    environment; what it has to say before it can be reached goes to ``log``.

    Raises EngineError.
    """
    words = [*command, "--folder", str(folder), "--patience", repr(patience_s)]
    with (folder / "log").open("ab") as log:
        try:
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.parent,
                env=_environment(),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise EngineError(f"the engine cannot be started: {error}") from None


def _environment() -> dict[str, str]:
    """Ours, with the folder that we were imported from on Python's path, unless it is there anyway."""
    root = str(Path(__file__).resolve().parents[2])
    found = dict(os.environ)
    found.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait awake, beside the sound
    # glibc would give every thread that comes and goes a heap of its own, and put the buffers of programs that come and
    # go between what stays; both keep for good what is free
    found.setdefault("MALLOC_ARENA_MAX", "2")
    found.setdefault("MALLOC_MMAP_THRESHOLD_", str(64 * 1024))
    if root not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        found["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [found.get("PYTHONPATH")])])
    return found


def reach(folder: Path, process: subprocess.Popen[bytes] | None = None) -> Reached:
    """Connect to the engine of a folder, waiting for one that is starting. Raises EngineError."""
    deadline = monotonic() + (START_S if process else 0.0)
    while True:
        said = folders.endpoint(folder)
        wire = folders.connect(said) if said else None
        if said and wire:
            return _greet(folder, process, wire, said.key)
        if process is not None and process.poll() is not None:
            raise EngineError(
                f"the engine ended while it started: {last_words(folder) or f'exit status {process.returncode}'}"
            )
        if monotonic() >= deadline:
            raise EngineError("the engine does not answer")
        sleep(LOOK_S)


def _greet(folder: Path, process: subprocess.Popen[bytes] | None, wire: Wire, key: str) -> Reached:
    import select

    wire.send(encode(Attach(PROTOCOL, key)))
    deadline = monotonic() + ANSWER_S
    came: list[bytes] = []
    hello: Hello | None = None
    held: list[bytes] = []
    while not wire.closed and monotonic() < deadline:
        wire.flush()
        select.select([wire.socket], [], [], 0.1)
        try:
            came += wire.receive()
            while came:
                message = decode(came.pop(0), FromEngine)
                if isinstance(message, Hello):
                    hello = message
                elif isinstance(message, Held):
                    held.append(message.message)
                elif isinstance(message, Notice):
                    wire.close()
                    raise EngineError(message.text)
                if hello is not None and len(held) >= hello.held:
                    return Reached(folder, process, wire, hello, held, came)
        except (WireError, MessageError) as error:
            wire.close()
            raise EngineError(f"the engine answers something else than expected: {error}") from None
    wire.close()
    raise EngineError("the engine does not answer")


def last_words(folder: Path) -> str:
    """The last line an engine wrote before it could be reached, or while it died: of a crash, what it was."""
    try:
        lines = (folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    crashes = [line.removeprefix(CRASH) for line in lines if line.startswith(CRASH)]
    return (crashes or lines)[-1][:500] if lines else ""


def end(reached: Reached) -> None:
    """See to it that an engine that was told to quit is gone."""
    process = reached.process
    if process is None:
        deadline = monotonic() + END_S
        while reached.folder.exists() and monotonic() < deadline:
            sleep(LOOK_S)
        return
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    folders.remove(reached.folder)
