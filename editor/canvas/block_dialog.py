"""Keeping a group as a block that can be put into any patch, and the list of those that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import fitted
from editor.files.dialog import Dialog, Tag
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App


class BlockDialog(Dialog):
    """Asks for a name, if there is a group to keep; below it what is kept already, to be removed."""

    id, size = "block", (520, 430)

    def __init__(self, app: App, group: str | None) -> None:
        super().__init__(app)
        self.group = group
        self.title = "Keep as a block" if group else "My blocks"

    def body(self, parent: Tag) -> None:
        look, session = self.app.look, self.app.session
        px, theme = look.px, look.theme
        words = "A block is a group that can be put into any patch: it is in the list of nodes, under My blocks."
        dpg.add_text(words, wrap=px(490), color=theme.dim, parent=parent)
        if self.group:
            face = session.face(self.group)
            dpg.add_input_text(tag=self.tag("name"), default_value=face.title, width=-1, parent=parent,
                               hint="Name", callback=lambda: self._show_button())  # fmt: skip
        dpg.add_child_window(tag=self.tag("list"), parent=parent, height=-px(48), border=False)
        keep = [("keep", "Replace", self.accept, "theme:accent")] if self.group else []
        self.buttons(("close", "Cancel" if self.group else "Close", self.close, ""), *keep, parent=parent)
        self._list()
        self._show_button()

    def opened(self) -> None:
        if self.group:
            self.app.keyboard.give(self.tag("name"))

    def _show_button(self) -> None:
        if self.group:
            name = " ".join(str(self.app.keyboard.text(self.tag("name"))).split())
            there = name in self.app.session.stock.blocks.listed()
            dpg.configure_item(self.tag("keep"), label="Replace" if there else "Keep", enabled=bool(name))

    def _list(self) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item(self.tag("list"), children_only=True)
        blocks = self.app.session.stock.blocks
        if not blocks.listed():
            dpg.add_text("No blocks are kept yet.", color=theme.faint, parent=self.tag("list"))
        for number, block in enumerate(blocks.listed().values()):
            with dpg.group(horizontal=True, parent=self.tag("list"), horizontal_spacing=px(6)):
                remove = self.tag(f"remove:{number}")
                dpg.add_button(label=fonts.ICONS["trash"], tag=remove, user_data=block.name,
                               callback=lambda _, __, name: self._drop(name))  # fmt: skip
                dpg.bind_item_font(remove, fonts.font("icons"))
                dpg.bind_item_theme(remove, "theme:flat")
                dpg.add_text(block.name)
                small = fonts.ROLES["small"][1] * self.app.look.scale
                about = dpg.add_text(fitted(block.about, px(280), "small", small), color=theme.dim)
                dpg.bind_item_font(about, fonts.font("small"))
        for problem in blocks.problems:
            dpg.add_text(problem, color=theme.warn, wrap=px(490), parent=self.tag("list"))

    def _drop(self, name: str) -> None:
        with self.app.guarded("removing a block"):
            self.app.session.stock.blocks.remove(name)
            self.app.notices.say("info", f"The block {name} is no more; patches that have it keep it.")
        self._list()
        self._show_button()

    def accept(self) -> None:
        """Keep the group, and close."""
        session = self.app.session
        if self.group is None:
            self.close()
            return
        try:
            block = session.stock.blocks.keep(
                str(self.app.keyboard.text(self.tag("name"))),
                session.here.node(self.group),
                session.kinds,
                session.patch.folder,
            )
        except (PatchError, OSError) as error:
            self.app.notices.say("error", f"The block cannot be kept: {error}")
            return
        self.close()
        self.app.notices.say("good", f"{block.name} is in the list of nodes now, under My blocks.")
