"""The table of panels: where each is, and which module it is in. The layout and the View menu derive from it.

What is in the slot ``none`` has no place in the window: it brings commands, and hears of changes and readings.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from editor.layout import Slot
from editor.panel import Panel


@dataclass(frozen=True, slots=True)
class Entry:
    """A panel: ``place`` is ``module:Class``, imported when the window opens. Panels of one slot are its tabs.

    One in the slot ``none`` has no widgets, only commands; its ``build`` is not called.
    """

    id: str
    title: str
    slot: Slot
    place: str

    def load(self) -> type[Panel]:
        """The panel's class."""
        module, _, name = self.place.partition(":")
        found = getattr(importlib.import_module(module), name)
        assert issubclass(found, Panel)
        return found


PANELS: tuple[Entry, ...] = (
    Entry("hands", "Remote control", "none", "editor.controls.hands:Hands"),
    Entry("transport", "Transport", "top", "editor.transport:TransportBar"),
    Entry("palette", "Nodes", "left", "editor.palette:Palette"),
    Entry("history", "History", "left", "editor.history:HistoryList"),
    Entry("canvas", "Canvas", "centre", "editor.canvas.panel:Canvas"),
    Entry("inspector", "Inspector", "right", "editor.inspector.panel:Inspector"),
    Entry("mixer", "Mixer", "bottom", "editor.mixer.panel:Mixer"),
    Entry("automation", "Automation", "bottom", "editor.automation.panel:Automation"),
    Entry("snapshots", "Snapshots", "bottom", "editor.snapshots.panel:Snapshots"),
    Entry("macros", "Macros", "bottom", "editor.macros.panel:Macros"),
    Entry("controls", "Controls", "bottom", "editor.controls.panel:Controls"),
    Entry("notices", "Messages", "bottom", "editor.notices:NoticeList"),
    Entry("status", "Status", "status", "editor.status:StatusBar"),
    Entry("files", "Files", "none", "editor.files.panel:Files"),
    Entry("plugins", "Plugins", "none", "editor.plugins.panel:Plugins"),
    Entry("usernodes", "Nodes of your own", "none", "editor.usernodes.panel:OwnNodesPanel"),
)
