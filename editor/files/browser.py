"""The patch browser: what there is to start from at the left; at the right a picture of the chosen one, and words."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen
from editor.files.dialog import Dialog, Tag
from editor.files.picture import Picture, height_for, paint, picture
from editor.files.shelf import About, common_tags, fitting, on_the_shelves
from editor.pointer import DOUBLE_FRAMES, DOUBLE_S
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

LIST, LOWEST, TALLEST = 286, 110, 256
"""Width of the list and heights of the picture, at scale 1."""
MOST_TAGS = 12


class Browser(Dialog):
    """Chooses a patch. Shipped ones and the user's own are opened as copies; recent ones as they are."""

    id = "browser"
    title = "Patches"
    size = (1080, 690)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files
        self.all = on_the_shelves(files.recent.paths())
        self.listed: list[About] = list(self.all)
        self.chosen = 0
        self.typed = ""
        self._offered: list[str] = []
        self._clicked = (-1, 0.0, 0)
        """The row that was clicked last, when, and at which frame."""
        self._pictures: dict[Path, Picture | str | None] = {}
        """What was drawn so far, or why there is no picture."""

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        middle = self._room()[1] - px(180)
        dpg.add_input_text(
            tag=self.tag("search"),
            hint="Search names, descriptions, tags, snapshots",
            default_value=self.typed,
            width=-1,
            parent=parent,
            callback=lambda _, text: self._search(text),
        )
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(6)):
            self._offered = self._fitting_tags()
            for tag in self._offered:
                self._tag_button(tag, f"common:{tag}", "theme:unlit")
        with dpg.group(horizontal=True, parent=parent):
            for name, width in (("list", px(LIST)), ("about", -1)):
                dpg.add_child_window(
                    tag=self.tag(name), width=width, height=middle, border=False, always_use_window_padding=True
                )
        for name in ("list", "about"):
            dpg.bind_item_theme(self.tag(name), "theme:card")
        dpg.add_spacer(height=px(4), parent=parent)
        self.buttons(
            ("cancel", "Cancel", self.cancel, ""), ("accept", "Open", self.accept, "theme:accent"), parent=parent
        )
        self._fill()

    def _fitting_tags(self) -> list[str]:
        """The common tags, as many as there is room for beside each other."""
        px, size = self.app.look.px, fonts.ROLES["small"][1] * self.app.look.scale
        room, found = self._room()[0] - px(30), list[str]()
        for tag in common_tags(self.all, MOST_TAGS):
            room -= round(fonts.width(tag, "small", size)) + px(24)
            if room < 0:
                break
            found.append(tag)
        return found

    def _tag_button(self, tag: str, name: str, theme: str) -> None:
        """A tag that can be pressed to see what else has it; pressed again, it is let go."""
        button = dpg.add_button(
            label=tag,
            tag=self.tag(name),
            height=self.app.look.px(24),
            callback=lambda: self._toggle(tag),
        )
        dpg.bind_item_font(button, fonts.font("small"))
        dpg.bind_item_theme(button, "theme:lit" if self.typed == tag else theme)

    def _toggle(self, tag: str) -> None:
        self._search("" if self.typed == tag else tag)
        dpg.set_value(self.tag("search"), self.typed)

    def opened(self) -> None:
        self.app.keyboard.give(self.tag("search"))

    def _search(self, typed: str) -> None:
        self.typed = typed
        self.listed, self.chosen = fitting(self.all, typed), 0
        self._clicked = (-1, 0.0, 0)
        for tag in self._offered:
            dpg.bind_item_theme(self.tag(f"common:{tag}"), "theme:lit" if tag == typed else "theme:unlit")
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
                label=f"{each.name}##{k}", tag=self.tag(f"row:{k}"), parent=parent, callback=partial(self._click, k)
            )
        if not self.listed:
            dpg.add_text("Nothing fits.", color=theme.faint, parent=parent)
        self.choose(self.chosen)

    def _click(self, k: int) -> None:
        """Choose a row; at the second of two quick clicks, open it."""
        now, (before, at, frame) = monotonic(), self._clicked
        self._clicked = (k, now, self.app.frames)
        self.choose(k)
        if before == k and (now - at < DOUBLE_S or self.app.frames - frame < DOUBLE_FRAMES):
            self.accept()

    def choose(self, k: int) -> None:
        """Show what a patch says of itself."""
        theme, px, parent = self.app.look.theme, self.app.look.px, self.tag("about")
        dpg.delete_item(parent, children_only=True)
        dpg.configure_item(self.tag("accept"), enabled=bool(self.listed))
        if not self.listed:
            return
        self.chosen = min(max(k, 0), len(self.listed) - 1)
        for n in range(len(self.listed)):
            dpg.set_value(self.tag(f"row:{n}"), n == self.chosen)
        a, wrap = self.listed[self.chosen], self._room()[0] - px(LIST + 70)
        title = dpg.add_text(a.name, parent=parent, wrap=wrap)
        dpg.bind_item_font(title, fonts.font("title"))
        if a.problem:
            dpg.add_text(a.problem, color=theme.warn, parent=parent, wrap=wrap)
        else:
            self._small("   ".join(w for w in (f"{a.nodes} nodes", a.author, a.license) if w), parent, wrap)
            self._draw(a, parent, wrap)
            dpg.add_text(a.description or "It says nothing of itself.", parent=parent, wrap=wrap)
        dpg.add_spacer(height=px(4), parent=parent)
        if a.snapshots:
            self._small("Snapshots: " + ", ".join(a.snapshots), parent, wrap)
        if a.tags:
            with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(6)):
                for tag in a.tags:
                    self._tag_button(tag, f"tag:{tag}", "theme:lifted")
        self._small(a.file.name if a.shelf == "Shipped" else str(a.file), parent, wrap, faint=True)

    def _small(self, text: str, parent: Tag, wrap: int, faint: bool = False) -> None:
        theme = self.app.look.theme
        item = dpg.add_text(text, color=theme.faint if faint else theme.dim, parent=parent, wrap=wrap)
        dpg.bind_item_font(item, fonts.font("small"))

    def _draw(self, a: About, parent: Tag, width: int) -> None:
        """The picture of a patch, on a desk like the canvas."""
        look, shown = self.app.look, self._picture(a)
        height = look.px(TALLEST)
        if isinstance(shown, Picture):
            height = min(height, max(round(height_for(shown, look, width)), look.px(LOWEST)))
        well = dpg.add_drawlist(width, height, tag=self.tag("picture"), parent=parent)
        pen = Pen(well, look)
        pen.box((0, 0), (width, height), fill=look.theme.desk, line=look.theme.line, radius=8)
        if isinstance(shown, Picture):
            paint(pen, shown, (width, height))
        else:
            words = shown or "There is no picture of it."
            pen.words((width / 2, height / 2 - 8), words, look.theme.faint, "body", align="centre")
        dpg.add_spacer(height=look.px(4), parent=parent)

    def _picture(self, a: About) -> Picture | str | None:
        if a.file not in self._pictures:
            try:
                self._pictures[a.file] = picture(a.file, shelf=self.app.session.shelf)
            except PatchError as error:
                self._pictures[a.file] = error.message
        return self._pictures[a.file]

    def key(self, keys: str) -> None:
        if keys in ("up", "down"):
            self.choose(self.chosen + (1 if keys == "down" else -1))
            self._reveal()
        else:
            super().key(keys)

    def _reveal(self) -> None:
        """Scroll the list to the chosen row, where that is not in sight."""
        if not self.listed:
            return
        row, box = self.tag(f"row:{self.chosen}"), self.tag("list")
        top, tall = dpg.get_item_pos(row)[1], dpg.get_item_rect_size(row)[1]
        room, seen, margin = dpg.get_item_rect_size(box)[1], dpg.get_y_scroll(box), self.app.look.px(24)
        if top < seen + margin:
            dpg.set_y_scroll(box, max(top - margin, 0))
        elif top + tall > seen + room - margin:
            dpg.set_y_scroll(box, top + tall - room + margin)

    def accept(self) -> None:
        if not self.listed or self.listed[self.chosen].problem:
            return
        a = self.listed[self.chosen]
        self.close()
        self.files.open(a.file, copy=a.shelf != "Recent")
