"""Values of params kept under names."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.panel import Panel


class Snapshots(Panel):
    """Values of params kept under names."""

    def build(self, parent: int | str) -> None:
        dpg.add_text("Values of params kept under names.", color=self.app.look.theme.faint, parent=parent)
