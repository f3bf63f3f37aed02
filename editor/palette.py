"""Every kind there is, by family, to be searched and put onto the canvas."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.faces import family_of, spoken
from editor.panel import Panel


class Palette(Panel):
    """A list of kinds."""

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        dpg.add_input_text(hint="Search nodes", width=-1, parent=parent, tag="palette:search")
        families: dict[str, list[str]] = {}
        for name, kind in self.session.kinds.items():
            families.setdefault(family_of(kind), []).append(name)
        for family, names in sorted(families.items()):
            head = dpg.add_text(family.upper(), color=self.app.look.theme.family(family), parent=parent)
            dpg.bind_item_font(head, fonts.font("small"))
            for name in names:
                dpg.add_selectable(label=spoken(name), tag=f"palette:{name}", parent=parent, indent=px(12))
