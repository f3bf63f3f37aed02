"""What is selected: its params, settings and curves."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.panel import Panel


class Inspector(Panel):
    """What is selected: its params, settings and curves."""

    def build(self, parent: int | str) -> None:
        dpg.add_text(
            "What is selected: its params, settings and curves.", color=self.app.look.theme.faint, parent=parent
        )
