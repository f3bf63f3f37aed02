"""The menu bar, from the table of commands, and the search among all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.commands import Command, matching, shown

if TYPE_CHECKING:
    from editor.app import App

MOST_FOUND = 14


class MenuBar:
    """Menus; what cannot be done is grey."""

    def __init__(self, app: App) -> None:
        self.app = app

    def build(self) -> None:
        """Make the menus."""
        self._can: dict[str, bool] = {}
        with dpg.menu_bar(tag="menus", parent="window"):
            for title, commands in self.app.commands.menus().items():
                if not commands:
                    continue
                with dpg.menu(label=title, tag=f"menu:{title}"):
                    dpg.bind_item_theme(f"menu:{title}", "theme:menu")  # else it has the window's, which has no margins
                    group = commands[0].group
                    for command in commands:
                        if command.group != group:
                            dpg.add_separator()
                            group = command.group
                        self._item(command)

    def _item(self, command: Command) -> None:
        keys = self.app.commands.keys_of(command.id)
        dpg.add_menu_item(
            label=command.title,
            shortcut=f"   {shown(keys[0])}" if keys else "",
            tag=f"menu-item:{command.id}",
            callback=lambda: self.app.command(command.id),
        )

    def sync(self) -> None:
        """Grey what cannot be done now."""
        for command in self.app.commands:
            item = f"menu-item:{command.id}"
            can = command.enabled(self.app)
            if self._can.get(command.id) != can and dpg.does_item_exist(item):
                self._can[command.id] = can
                dpg.configure_item(item, enabled=can)


class CommandSearch:
    """A list of all commands that shrinks as one types."""

    def __init__(self, app: App) -> None:
        self.app = app

    def open(self) -> None:
        """Show it, with nothing typed."""
        app = self.app
        if dpg.does_item_exist("command-search"):
            dpg.delete_item("command-search")
        px = app.look.px
        area = app.slots["centre"]
        with dpg.window(
            tag="command-search",
            popup=True,
            no_title_bar=True,
            no_move=True,
            width=px(520),
            pos=[round(area.x + (area.width - px(520)) / 2), round(area.y + px(40))],
            min_size=[px(520), 40],
            max_size=[px(520), px(640)],
        ):
            dpg.add_input_text(
                tag="command-search:text",
                hint="What do you want to do?",
                width=-1,
                on_enter=False,
                callback=lambda _, text: self._fill(text),
            )
            dpg.add_group(tag="command-search:list")
        dpg.bind_item_theme("command-search", "theme:popup")
        self._fill("")
        dpg.focus_item("command-search:text")

    def _fill(self, typed: str) -> None:
        dpg.delete_item("command-search:list", children_only=True)
        offered = [c for c in self.app.commands if c.enabled(self.app)]
        for command in matching(offered, typed)[:MOST_FOUND]:
            with dpg.group(horizontal=True, parent="command-search:list"):
                keys = self.app.commands.keys_of(command.id)
                dpg.add_selectable(
                    label=command.title,
                    tag=f"command-search:{command.id}",
                    width=self.app.look.px(360),
                    callback=partial(self._do, command),
                )
                hint = dpg.add_text(shown(keys[0]) if keys else command.menu, color=self.app.look.theme.faint)
                dpg.bind_item_font(hint, fonts.font("small"))

    def _do(self, command: Command) -> None:
        dpg.delete_item("command-search")
        self.app.command(command.id)
