"""The editor, with MIDI devices that a test plays: a device is there while a file ``NAME.device`` is in the folder.

Whoever has one open hears it at the socket ``NAME`` and a number. Everything but the system's MIDI is the editor's own.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import mido

from host.remote import ports

FOLDER = Path(os.environ.get("PATCHWRIGHT_TEST_MIDI", ""))
_numbers = itertools.count()


class Port:
    """An open device, whose messages come from a socket."""

    def __init__(self, name: str, callback) -> None:
        self._path = FOLDER / f"{name}.{next(_numbers)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._callback = callback
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while data := self._socket.recv(64):
            self._callback(mido.Message.from_bytes(data))

    def close(self) -> None:
        self._path.unlink()
        self._socket.shutdown(socket.SHUT_RDWR)


class Backend:
    """The devices that there are now."""

    def get_input_names(self) -> list[str]:
        return sorted(path.stem for path in FOLDER.glob("*.device"))

    def get_output_names(self) -> list[str]:
        return []

    def open_input(self, name: str, callback) -> Port:
        return Port(name, callback)


def play(folder: Path, name: str, message: mido.Message) -> int:
    """Play something on a device; how many have it open."""
    heard = [path for path in folder.glob(f"{name}.*") if path.suffix != ".device"]
    for path in heard:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(bytes(message.bytes()), str(path))
    return len(heard)


if __name__ == "__main__":
    ports.why_none = lambda api="": ""
    ports._backend = lambda api: Backend()
    import patchwright

    patchwright.main()
