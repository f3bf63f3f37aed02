"""The list of all keys, from the table of commands."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.commands import MENUS, Command, matching, shown
from editor.files.dialog import Dialog, Tag


class KeyList(Dialog):
    """Every command with its keys, by menu; it shrinks as one types."""

    id = "keys"
    title = "Keyboard shortcuts"
    size = (760, 640)

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        dpg.add_input_text(
            tag=self.tag("search"), hint="Search", width=-1, parent=parent, callback=lambda _, text: self._fill(text)
        )
        dpg.add_child_window(tag=self.tag("list"), parent=parent, height=self._room()[1] - px(150), border=False)
        dpg.bind_item_theme(self.tag("list"), "theme:card")
        dpg.add_spacer(height=px(6), parent=parent)
        self.buttons(("cancel", "Close", self.cancel, "theme:accent"), parent=parent)
        self._fill("")

    def opened(self) -> None:
        self.app.keyboard.give(self.tag("search"))

    def _fill(self, typed: str) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        dpg.delete_item(self.tag("list"), children_only=True)
        found = matching(self.app.commands, typed)
        for menu in (*MENUS, ""):
            rows = [c for c in found if c.menu == menu and self.app.commands.keys_of(c.id)]
            if not rows:
                continue
            head = dpg.add_text((menu or "Elsewhere").upper(), color=theme.faint, parent=self.tag("list"))
            dpg.bind_item_font(head, fonts.font("small"))
            with dpg.table(parent=self.tag("list"), header_row=False, policy=dpg.mvTable_SizingFixedFit):
                dpg.add_table_column(width_fixed=True, init_width_or_weight=px(380))
                dpg.add_table_column(width_stretch=True)
                for command in rows:
                    self._row(command)
            dpg.add_spacer(height=px(8), parent=self.tag("list"))

    def _row(self, command: Command) -> None:
        with dpg.table_row():
            dpg.add_text(command.title.removesuffix("…"))
            keys = dpg.add_text(
                "   ".join(shown(k) for k in self.app.commands.keys_of(command.id)), color=self.app.look.theme.accent
            )
            dpg.bind_item_font(keys, fonts.font("mono"))

    def accept(self) -> None:
        self.close()
