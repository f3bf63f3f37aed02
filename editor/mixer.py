"""Strips for buses, sends, inputs and outputs."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.panel import Panel


class Mixer(Panel):
    """Strips for buses, sends, inputs and outputs."""

    def build(self, parent: int | str) -> None:
        dpg.add_text("Strips for buses, sends, inputs and outputs.", color=self.app.look.theme.faint, parent=parent)
