"""How params move along the timeline."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.panel import Panel


class Automation(Panel):
    """How params move along the timeline."""

    def build(self, parent: int | str) -> None:
        dpg.add_text("How params move along the timeline.", color=self.app.look.theme.faint, parent=parent)
