"""The plugins' own windows in a worker: opened, turned and closed on its main thread."""

from __future__ import annotations

import logging

from host.plugins.errors import PluginError
from host.plugins.instance import PluginInstance, Window

log = logging.getLogger(__name__)

BEAT_S = 0.01
"""How often open windows are turned."""


class Windows:
    """Those that are open, by the number of their plugin. False while there is none."""

    def __init__(self) -> None:
        self._open: dict[int, Window] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def open(self, number: int, plugin: PluginInstance, title: str) -> None:
        """Open a plugin's window, or bring it to the front. Raises PluginError."""
        if number in self._open:
            self._open[number].front()
        else:
            self._open[number] = plugin.open_window(title)

    def close(self, number: int) -> None:
        """Close it, if it is open."""
        window = self._open.pop(number, None)
        if window is not None:
            window.close()

    def turn(self) -> list[int]:
        """Let every window work off what happened; the numbers of those that are closed since."""
        for number, window in list(self._open.items()):
            try:
                window.turn()
            except (PluginError, OSError):
                log.exception("the window of plugin %d is closed", number)
                window.close()
        closed = [number for number, window in self._open.items() if not window.open]
        for number in closed:
            del self._open[number]
        return closed
