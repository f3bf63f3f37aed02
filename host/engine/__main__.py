"""The engine process: ``python -P -m host.engine --folder FOLDER``. ``host.engine.process`` starts it."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import signal
import sys
from pathlib import Path

from host.engine.roles import Parts
from host.engine.server import Server
from host.engine.session import Session

PATIENCE_S = 60.0
"""How long an engine that has lost its client waits for another."""
SWITCH_S = 0.0002
"""The reader of the disk has the interpreter after so long, whatever the control thread is at; it asks several times
for every piece of every player.
"""


def main(words: list[str] | None = None, parts: Parts | None = None) -> None:
    """Serve until told to quit, or alone for too long. ``parts`` are other ones in tests."""
    parser = argparse.ArgumentParser(prog="python -m host.engine")
    parser.add_argument("--folder", type=Path, required=True, help="the engine's own private folder")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, help="seconds to wait for a client")
    given = parser.parse_args(words)
    faulthandler.enable()
    sys.setswitchinterval(SWITCH_S)
    if parts is None:
        from host.devices.system import lock_memory
        from host.engine.parts import RealParts

        parts = RealParts()
        lock_memory()  # where that is not granted, `doctor` says so
    server = Server(given.folder, Session(parts), given.patience)

    def end(*_: object) -> None:
        server.finished = True

    # the client decides when an engine ends; a terminal that closes or a Ctrl-C in it does not
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.freeze()  # what is there by now stays, and need not be walked at every edit
    server.run()


if __name__ == "__main__":
    main()
