"""What a group shows of its inside, to be chosen: in the page of a group, and of its inside while one is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import fitted
from editor.exposing import Group, Path, Shown
from editor.type_in import type_in
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App

FLOWS = {"in": "Inputs", "out": "Outputs", "": "Params"}
MOST_FOUND, FEW_FOUND = 14, 5


class ExposingView:
    """A list of what is shown, each with its name and what it is inside; and a search among what could be."""

    def __init__(self, app: App, parent: int | str, path: Path, width: int) -> None:
        self.app, self.path, self.width = app, path, width
        self._shown: object = None
        self._typed = ""
        self._found: tuple[list[Shown], int] = ([], -1)
        self.root = dpg.add_group(parent=parent)
        self.show()

    def _group(self) -> Group | None:
        try:
            return Group(self.app.session, self.path)
        except PatchError:
            return None

    def show(self) -> None:
        """Bring it up to date."""
        group = self._group()
        state = None if group is None else (group.shown(), group.hidden())
        if state == self._shown:
            return
        self._shown = state
        dpg.delete_item(self.root, children_only=True)
        if group is None:
            return
        px, theme, rows = self.app.look.px, self.app.look.theme, group.shown()
        for flow, title in FLOWS.items():
            own = [row for row in rows if row.flow == flow]
            if not own:
                continue
            head = dpg.add_text(title, color=theme.dim, parent=self.root)
            dpg.bind_item_font(head, fonts.font("small"))
            for row in own:
                self._row(row)
        dpg.add_spacer(height=px(4), parent=self.root)
        dpg.add_input_text(
            tag=self._tag("search"), hint="Show more: search ports and params inside", width=self.width,
            parent=self.root, default_value=self._typed, callback=lambda _, typed: self._search(str(typed)),
        )  # fmt: skip
        dpg.add_group(tag=self._tag("found"), parent=self.root)
        self._found = [], -1
        self._search(self._typed)

    def _tag(self, name: str) -> str:
        return f"exposing:{name}"

    def _row(self, row: Shown) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        tag = self._tag(row.name)
        with dpg.group(horizontal=True, horizontal_spacing=px(6), parent=self.root):
            dpg.add_button(label=f"{row.name}##{tag}", tag=tag, width=int(self.width * 0.4), user_data=row,
                           callback=lambda _, __, item: self._ask_name(item))  # fmt: skip
            dpg.bind_item_theme(tag, "theme:unlit")
            with dpg.tooltip(tag, delay=0.6):
                dpg.add_text("Click to rename")
            room, size = self.width * 0.6 - px(50), fonts.ROLES["small"][1] * self.app.look.scale
            words = fitted(row.words, room, "small", size)
            text = dpg.add_text(words, color=theme.dim)
            dpg.bind_item_font(text, fonts.font("small"))
            dpg.add_spacer(width=max(int(room - fonts.width(words, "small", size)), 1))
            self._icon(f"{tag}:hide", "close", "Show this no more", self._hide, row)

    def _icon(self, tag: str, icon: str, words: str, action: Callable[[Shown], None], row: Shown) -> None:
        dpg.add_button(label=fonts.ICONS[icon], tag=tag, user_data=row, callback=lambda _, __, item: action(item))
        dpg.bind_item_font(tag, fonts.font("icons"))
        dpg.bind_item_theme(tag, "theme:flat")
        with dpg.tooltip(tag, delay=0.6):
            dpg.add_text(words)

    def _search(self, typed: str) -> None:
        self._typed = typed
        group, theme = self._group(), self.app.look.theme
        if group is None or not dpg.does_item_exist(self._tag("found")):
            return
        words = typed.lower().split()
        hidden = group.hidden()
        found = [item for item in hidden if all(w in f"{item.words} {item.inside}".lower() for w in words)]
        first = found[: MOST_FOUND if words else FEW_FOUND]
        if (first, len(found)) == self._found:  # what is being clicked must not be made anew
            return
        self._found = first, len(found)
        dpg.delete_item(self._tag("found"), children_only=True)
        for number, item in enumerate(first):
            tag = self._tag(f"show:{number}")
            kind = {"in": "input", "out": "output", "": "param"}[item.flow]
            dpg.add_selectable(label=f"+  {item.words}   {kind}##{tag}", tag=tag, parent=self._tag("found"),
                               user_data=item, callback=lambda _, __, chosen: self._add(chosen))  # fmt: skip
            dpg.bind_item_font(tag, fonts.font("small"))
        more = len(found) - len(first)
        if more > 0:
            text = dpg.add_text(f"and {more} more", color=theme.faint, parent=self._tag("found"))
            dpg.bind_item_font(text, fonts.font("small"))

    # -- what is done --------------------------------------------------------------------------------------------------

    def _add(self, item: Shown) -> None:
        group = self._group()
        if group is not None:
            group.show(item)

    def _hide(self, item: Shown) -> None:
        group = self._group()
        if group is not None:
            group.hide(item)

    def _ask_name(self, item: Shown) -> None:
        x, y = dpg.get_item_rect_min(self._tag(item.name))
        width, _ = dpg.get_item_rect_size(self._tag(item.name))

        def done(text: str) -> None:
            group = self._group()
            if group is not None:
                try:
                    group.rename(item, text)
                except PatchError as error:
                    raise ValueError(error.message) from None

        type_in(self.app, (x, y), width, item.name, done)
