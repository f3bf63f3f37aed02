"""An engine that counts what it has when a file named ``census.ask`` stands beside its patch. Run as ``host.engine``
is.
"""

from __future__ import annotations

import gc
import json
import os
import threading
from pathlib import Path

from benchmarks.soaking import resident
from host.devices.system import lock_memory
from host.engine.__main__ import main
from host.engine.parts import RealParts
from host.engine.player import LivePlayer
from host.native.program import Program
from host.native.store import library


class CountingParts(RealParts):
    """Looks for the question whenever it is asked how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self._player: LivePlayer | None = None

    def player(self, wish, rate, notice) -> LivePlayer:
        """As everybody's, and remembered."""
        self._player = super().player(wish, rate, notice)
        return self._player

    def progress(self) -> tuple[int, int] | None:
        """How far it is, with the answer to another question."""
        if self._player is not None:
            _answer(self._player)
        return super().progress()


def _answer(player: LivePlayer) -> None:
    folder = player._services.folder
    ask = folder / "census.ask"
    if not ask.exists() or player._conductor.busy:
        return
    gc.collect()
    gc.unfreeze()
    count = {
        "megabytes": resident(),
        "slots": len(player._conductor.arena._slots),
        "programs": sum(type(found) is Program for found in gc.get_objects()),
        "tapes": len(player._reader._tapes),
        "kernels": len(library()._addresses),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0,
    }
    (folder / "census").write_text(json.dumps(count), encoding="utf-8")
    ask.unlink()


if __name__ == "__main__":
    lock_memory()
    main(parts=CountingParts())
