"""The canvas as a panel."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.panel import Panel


class Canvas(Panel):
    """Nodes and cables."""

    def build(self, parent: int | str) -> None:
        dpg.add_drawlist(10, 10, tag="canvas", parent=parent)
