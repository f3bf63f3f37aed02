"""The patch browser: what there is to start from at the left, what the chosen one says at the right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.dialog import Dialog, Tag
from editor.files.shelf import About, fitting, on_the_shelves

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files


class Browser(Dialog):
    """Chooses a patch. Shipped ones and the user's own are opened as copies; recent ones as they are."""

    id = "browser"
    title = "Patches"
    size = (900, 560)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files
        self.all = on_the_shelves(files.recent.paths())
        self.listed: list[About] = list(self.all)
        self.chosen = 0

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        middle = self._room()[1] - px(172)
        dpg.add_input_text(
            tag=self.tag("search"),
            hint="Search names, descriptions, tags",
            width=-1,
            parent=parent,
            callback=lambda _, text: self._search(text),
        )
        with dpg.group(horizontal=True, parent=parent):
            dpg.add_child_window(tag=self.tag("list"), width=px(330), height=middle, border=False)
            dpg.add_child_window(tag=self.tag("about"), width=-1, height=middle, border=False)
        for name in ("list", "about"):
            dpg.bind_item_theme(self.tag(name), "theme:card")
        dpg.add_spacer(height=px(4), parent=parent)
        self.buttons(
            ("cancel", "Cancel", self.cancel, ""), ("accept", "Open", self.accept, "theme:accent"), parent=parent
        )
        self._fill()

    def opened(self) -> None:
        dpg.focus_item(self.tag("search"))

    def _search(self, typed: str) -> None:
        self.listed, self.chosen = fitting(self.all, typed), 0
        self._fill()

    def _fill(self) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        parent = self.tag("list")
        dpg.delete_item(parent, children_only=True)
        shelf = ""
        for k, each in enumerate(self.listed):
            if each.shelf != shelf:
                if shelf:
                    dpg.add_spacer(height=px(8), parent=parent)
                shelf = each.shelf
                head = dpg.add_text(shelf.upper(), color=theme.faint, parent=parent)
                dpg.bind_item_font(head, fonts.font("small"))
            dpg.add_selectable(
                label=f"{each.name}##{k}", tag=self.tag(f"row:{k}"), parent=parent, callback=partial(self.choose, k)
            )
        if not self.listed:
            dpg.add_text("Nothing fits.", color=theme.faint, parent=parent)
        self.choose(self.chosen)

    def choose(self, k: int) -> None:
        """Show what a patch says of itself."""
        theme, px, parent = self.app.look.theme, self.app.look.px, self.tag("about")
        dpg.delete_item(parent, children_only=True)
        if not self.listed:
            return
        self.chosen = min(max(k, 0), len(self.listed) - 1)
        for n in range(len(self.listed)):
            dpg.set_value(self.tag(f"row:{n}"), n == self.chosen)
        a, wrap = self.listed[self.chosen], self._room()[0] - px(400)
        title = dpg.add_text(a.name, parent=parent, wrap=wrap)
        dpg.bind_item_font(title, fonts.font("title"))
        counts = [f"{a.nodes} nodes"] + ([f"{a.snapshots} snapshots"] if a.snapshots else [])
        facts = [*(w for w in (a.author, a.license) if w), *counts]
        if not a.problem:
            dpg.bind_item_font(
                dpg.add_text("   ".join(facts), color=theme.dim, parent=parent, wrap=wrap), fonts.font("small")
            )
        dpg.add_spacer(height=px(8), parent=parent)
        words = a.problem or a.description or "It says nothing of itself."
        dpg.add_text(words, color=theme.warn if a.problem else theme.text, parent=parent, wrap=wrap)
        dpg.add_spacer(height=px(8), parent=parent)
        if a.tags:
            tags = dpg.add_text("   ".join(f"#{tag}" for tag in a.tags), color=theme.accent, parent=parent, wrap=wrap)
            dpg.bind_item_font(tags, fonts.font("medium"))
        where = dpg.add_text(str(a.file), color=theme.faint, parent=parent, wrap=wrap)
        dpg.bind_item_font(where, fonts.font("small"))

    def key(self, keys: str) -> None:
        if keys in ("up", "down"):
            self.choose(self.chosen + (1 if keys == "down" else -1))
        else:
            super().key(keys)

    def accept(self) -> None:
        if not self.listed or self.listed[self.chosen].problem:
            return
        a = self.listed[self.chosen]
        self.close()
        self.files.open(a.file, copy=a.shelf != "Recent")
