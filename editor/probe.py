"""A window's side of a test: answers where things are, and what state they are in, over a Unix socket.

It is there only while ``PATCHWRIGHT_EDITOR_PROBE`` names the socket's path. One JSON object a line, each answered
by one:
``{"do": "locate", "what": "pin:duck.in"}``, ``{"do": "landmarks"}``, ``{"do": "state"}``, ``{"do": "keys"}``,
``{"do": "readings"}``, ``{"do": "items"}`` (how many Dear PyGui has), ``{"do": "command", "id": "edit.undo"}``,
``{"do": "shot", "file": …}``, ``{"do": "quit"}``.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor.landmarks import describe, landmarks, locate

if TYPE_CHECKING:
    from editor.app import App

VARIABLE = "PATCHWRIGHT_EDITOR_PROBE"
MOST_BYTES = 1 << 20


class Probe:
    """Listens, and answers between frames."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._read = b""

    @staticmethod
    def wanted() -> Probe | None:
        """A probe, where the environment asks for one."""
        path = os.environ.get(VARIABLE)
        return Probe(path) if path and hasattr(socket, "AF_UNIX") else None

    def step(self, app: App) -> bool:
        """Answer what has been asked; whether there was anything."""
        if self._client is None:
            try:
                self._client, _ = self._listener.accept()
            except BlockingIOError:
                return False
            self._client.setblocking(False)
            self._read = b""
        try:
            data = self._client.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._read += data
        if not data or len(self._read) > MOST_BYTES:
            self._client.close()
            self._client = None
            return False
        *lines, self._read = self._read.split(b"\n")
        for line in lines:
            self._client.setblocking(True)
            self._client.sendall(json.dumps(self._answer(app, line)).encode() + b"\n")
            self._client.setblocking(False)
        return True

    def _answer(self, app: App, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            match asked.get("do"):
                case "locate":
                    return {"rect": locate(app, str(asked["what"]))}
                case "value":
                    return {"value": dpg.get_value(str(asked["what"]))}
                case "landmarks":
                    return {"landmarks": landmarks(app)}
                case "keys":
                    return {"keys": [keys for command in app.commands for keys in app.commands.keys_of(command.id)]}
                case "readings":
                    found = app.sound.readings()
                    return {"readings": {n: {k: v.tolist() for k, v in each.items()} for n, each in found.items()}}
                case "state":
                    return describe(app)
                case "items":
                    return {"items": len(dpg.get_all_items())}
                case "command":
                    app.command(str(asked["id"]))
                    return {"done": True}
                case "shot":
                    dpg.output_frame_buffer(str(Path(asked["file"])))
                    return {"done": True}
                case "quit":
                    app.quit()
                    return {"done": True}
                case other:
                    return {"error": f"there is nothing called {other!r} to do"}
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def close(self) -> None:
        """Listen no more."""
        if self._client is not None:
            self._client.close()
        self._listener.close()
        Path(self.path).unlink(missing_ok=True)
